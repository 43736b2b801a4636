"""The results of a run of groups on disk: results.json, results.xml, report.md, and a record for each group."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from pytest_operator_groups.common.errors import GroupsError
from pytest_operator_groups.common.text import printable
from pytest_operator_groups.formats.files import replace
from pytest_operator_groups.formats.junit import read_report
from pytest_operator_groups.formats.records import Key
from pytest_operator_groups.listing.listing import NO_GROUPS
from pytest_operator_groups.report.report import markdown_report, totals

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_operator_groups.formats.durations import Durations
    from pytest_operator_groups.formats.records import Record
    from pytest_operator_groups.report.outcome import Outcome
    from pytest_operator_groups.run.job import Job


class Results:
    """The files of all groups. Those that are left out of this run are kept as results.json had them."""

    def __init__(self, folder: Path, jobs: Sequence[Job], max_jobs: int, kept: Sequence[dict[str, Any]]) -> None:
        self._folder = folder
        self._jobs = jobs
        self._max_jobs = max_jobs
        self._kept = kept

    def write_json(self, seconds: float) -> None:
        """Write results.json. During the run, too: if it is killed, --failed knows what didn't pass."""
        results = {"seconds": seconds, "jobs": self._max_jobs, "groups": self._groups()}
        replace(self._folder / "results.json", f"{json.dumps(results, indent=2)}\n".encode())

    def write_junit(self) -> None:
        """Write results.xml."""
        replace(self._folder / "results.xml", merge_reports(self._groups()))

    def _groups(self) -> list[dict[str, Any]]:
        return [*map(_describe, self._jobs), *self._kept]


def _describe(job: Job) -> dict[str, Any]:
    return {
        "job_name": job.name,
        "path_to_test_file": job.path,
        "group_id": job.group_id,
        "result": job.state,
        "reason": job.reason,
        "tests": job.tests,
        "started": job.started,
        "seconds": job.seconds,
        "log": str(job.log) if job.log.exists() else None,
        "junit": str(job.junit) if job.junit.exists() else None,
        "record": str(job.record) if job.record.exists() else None,
    }


def write_record(path: Path, record: Record) -> None:
    """Write the record of a group."""
    replace(path, f"{json.dumps(record.as_json(), indent=2)}\n".encode())


def write_report(path: Path, outcomes: Sequence[Outcome], before: Durations, runners: int) -> None:
    """Write the report in Markdown. What was known before the run tells what has changed."""
    lines = [NO_GROUPS]
    if outcomes:
        heading = totals([outcome.record.result for outcome in outcomes])
        lines = markdown_report(outcomes, before, heading, runners=runners)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", errors="replace")


@dataclass
class LastRun:
    """What is known of the last run.

    Attributes:
        passed: What the file says of the groups that passed.
        files: The names of the groups' files in the folder.
    """

    passed: dict[Key, dict[str, Any]] = field(default_factory=dict)
    files: set[str] = field(default_factory=set)


def read_last_run(folder: Path) -> LastRun:
    """Return what results.json says of the last run. If there is none, there was no run.

    Raises:
        GroupsError: The file can't be read.
    """
    path = folder / "results.json"
    last_run = LastRun()
    try:
        for group in json.loads(path.read_bytes())["groups"]:
            last_run.files |= group_files(group)
            if group["result"] == "passed":
                last_run.passed[Key(group["path_to_test_file"], group["group_id"])] = group
    except FileNotFoundError:
        return LastRun()
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise GroupsError(
            f"can't read the results of the last run ({type(error).__name__}: {error})",
            where=str(path),
            advice="Its files stay in the folder.",
        ) from None
    return last_run


def group_files(group: dict[str, Any]) -> set[str]:
    """Return the names of the files of a group in results.json."""
    return {Path(group[key]).name for key in ("log", "junit", "record") if group.get(key)}


def remove_old_files(folder: Path, last_run: LastRun, jobs: Iterable[Job]) -> None:
    """Remove the outputs and reports of the last run, and those that this run is going to write.

    Other files stay, because the folder may belong to the user.
    """
    old = {folder / name for name in last_run.files if name.endswith((".log", ".xml", ".json"))}
    for path in old.union(*((job.log, job.junit, job.record) for job in jobs)):
        path.unlink(missing_ok=True)


def merge_reports(groups: Iterable[dict[str, Any]]) -> bytes:
    """Return one JUnit file of all groups: their reports, and an error for each failure that isn't in a report."""
    root = ET.Element("testsuites")
    for group in groups:
        name = printable(group["job_name"])
        report = read_report(Path(group["junit"])) if group["junit"] else None
        suites = report.suites if report else []
        for suite in suites:
            suite.set("name", name)
        root.extend(suites)
        is_error = group["result"] != "passed" and not (report and report.problems)
        if suites and not is_error:
            continue
        attributes = {"name": name, "tests": "1", "errors": str(int(is_error)), "failures": "0", "skipped": "0"}
        suite = ET.SubElement(root, "testsuite", attributes)
        case = ET.SubElement(
            suite,
            "testcase",
            {"classname": printable(group["path_to_test_file"]), "name": printable(f"group {group['group_id']}")},
        )
        if is_error:
            ET.SubElement(case, "error", {"message": printable(f"{group['result']}: {group['reason']}")})
    merged: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return merged
