"""The results of a run of groups on disk: results.json, results.xml, report.md, and a record for each group."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from pytest_operator_groups.common.errors import GroupsError
from pytest_operator_groups.common.text import printable
from pytest_operator_groups.formats.files import replace
from pytest_operator_groups.formats.junit import read_junit
from pytest_operator_groups.listing.listing import NO_GROUPS
from pytest_operator_groups.report.report import markdown_report, totals

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_operator_groups.formats.durations import Durations
    from pytest_operator_groups.report.outcome import Outcome
    from pytest_operator_groups.run.job import Job

    Groups = Sequence[dict[str, Any]]  # as results.json has them


def write_results(folder: Path, seconds: float, max_jobs: int, jobs: Sequence[Job], kept: Groups) -> None:
    """Write results.json. During the run, too: if it is killed, --failed knows what didn't pass.

    Groups that are left out of this run are kept as results.json had them.
    """
    results = {"seconds": seconds, "jobs": max_jobs, "groups": [*map(_describe, jobs), *kept]}
    replace(folder / "results.json", f"{json.dumps(results, indent=2)}\n".encode())


def write_junit(folder: Path, jobs: Sequence[Job], kept: Groups) -> None:
    """Write results.xml."""
    replace(folder / "results.xml", merge_reports([*map(_describe, jobs), *kept]))


def _describe(job: Job) -> dict[str, Any]:
    return {
        "job_name": job.name,
        "path_to_test_file": job.record.path,
        "group_id": job.record.group_id,
        "result": job.record.result,
        "reason": job.record.reason,
        "tests": job.tests,
        "started": job.started,
        "seconds": job.record.seconds,
        "log": str(job.log) if job.log.exists() else None,
        "junit": str(job.junit) if job.junit.exists() else None,
        "record": str(job.record_file) if job.record_file.exists() else None,
    }


def write_report(path: Path, outcomes: Sequence[Outcome], before: Durations, runners: int) -> None:
    """Write the report in Markdown. What was known before the run tells what has changed."""
    lines = [NO_GROUPS]
    if outcomes:
        heading = totals([outcome.record.result for outcome in outcomes])
        lines = markdown_report(outcomes, before, heading, runners=runners)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", errors="replace")


def read_last_run(folder: Path) -> list[dict[str, Any]]:
    """Return the groups in results.json. If there is none, there was no run.

    Raises:
        GroupsError: The file can't be read.
    """
    path = folder / "results.json"
    try:
        groups = json.loads(path.read_bytes())["groups"]
        for group in groups:
            # An error of what is read later is one here.
            group_files(group)
            group["result"], group["job_name"], group["path_to_test_file"], group["group_id"]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise GroupsError(
            f"can't read the results of the last run ({type(error).__name__}: {error})",
            where=str(path),
            advice="Its files stay in the folder.",
        ) from None
    return list(groups)


def group_files(group: dict[str, Any]) -> set[str]:
    """Return the names of the files of a group in results.json."""
    return {Path(group[key]).name for key in ("log", "junit", "record") if group.get(key)}


def remove_old_files(folder: Path, names: Iterable[str], jobs: Iterable[Job]) -> None:
    """Remove these outputs and reports of the last run, and those that this run is going to write.

    Other files stay, because the folder may belong to the user.
    """
    old = {folder / name for name in names if name.endswith((".log", ".xml", ".json"))}
    for path in old.union(*((job.log, job.junit, job.record_file) for job in jobs)):
        path.unlink(missing_ok=True)


def merge_reports(groups: Iterable[dict[str, Any]]) -> bytes:
    """Return one JUnit file of all groups: their reports, and an error for each failure that isn't in a report."""
    root = ET.Element("testsuites")
    for group in groups:
        name = printable(group["job_name"])
        report = read_junit(Path(group["junit"])) if group["junit"] else None
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
