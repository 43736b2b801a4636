"""The results of a run of groups on disk: results.json and results.xml."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from pytest_operator_groups._errors import GroupsError
from pytest_operator_groups._files import replace
from pytest_operator_groups._junit import read_report
from pytest_operator_groups._records import Key
from pytest_operator_groups._text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_operator_groups._job import Job
    from pytest_operator_groups._records import Record


def write_results(
    folder: Path, jobs: Sequence[Job], seconds: float, max_jobs: int, kept: Sequence[dict[str, Any]] = ()
) -> None:
    """Write results.json and results.xml. A reader sees the old file or the new one, never a part of it.

    Args:
        folder: The folder for the files.
        jobs: The groups.
        seconds: The time that they took together.
        max_jobs: How many ran at the same time.
        kept: What results.json said of groups that were left out of this run.

    Raises:
        OSError: A file can't be written.
    """
    groups = [
        {
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
        for job in jobs
    ]
    results = {"seconds": seconds, "jobs": max_jobs, "groups": [*groups, *kept]}
    replace(folder / "results.json", f"{json.dumps(results, indent=2)}\n".encode())
    replace(folder / "results.xml", merge_reports(jobs))


def write_record(path: Path, record: Record) -> None:
    """Write the record of a group.

    Raises:
        OSError: The file can't be written.
    """
    replace(path, f"{json.dumps(record.as_json(), indent=2)}\n".encode())


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

    Raises:
        OSError: A file can't be removed.
    """
    old = {folder / name for name in last_run.files if name.endswith((".log", ".xml", ".json"))}
    for path in old.union(*((job.log, job.junit, job.record) for job in jobs)):
        path.unlink(missing_ok=True)


def merge_reports(jobs: Iterable[Job]) -> bytes:
    """Return one JUnit file of all groups: their reports, and an error for each failure that isn't in a report."""
    root = ET.Element("testsuites")
    for job in jobs:
        name = printable(job.name)
        report = read_report(job.junit)
        suites = report.suites if report else []
        for suite in suites:
            suite.set("name", name)
        root.extend(suites)
        is_error = job.state != "passed" and not (report and report.problems)
        if suites and not is_error:
            continue
        attributes = {"name": name, "tests": "1", "errors": str(int(is_error)), "failures": "0", "skipped": "0"}
        suite = ET.SubElement(root, "testsuite", attributes)
        case = ET.SubElement(
            suite, "testcase", {"classname": printable(job.path), "name": printable(f"group {job.group_id}")}
        )
        if is_error:
            ET.SubElement(case, "error", {"message": printable(f"{job.state}: {job.reason}")})
    merged: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return merged
