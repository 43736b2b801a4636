"""The artifact that a group's job has uploaded, and the result that it shows."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from pytest_operator_groups.formats.junit import Report, read_report
from pytest_operator_groups.formats.records import JobFile, Key, Record

if TYPE_CHECKING:
    from pathlib import Path


class Result(NamedTuple):
    """The result of a group.

    Attributes:
        text: "passed", "cancelled", or why the group failed.
        report: Its report, or None if pytest wrote none.
        url: The link of its job, or "".
        record: The record of its run.
        runner: The name of the runner that it ran on, or "".
    """

    text: str
    report: Report | None
    url: str
    record: Record
    runner: str


def read_artifact(key: Key, folder: Path) -> Result:
    """Return the result of the group whose artifact is in a folder, whatever a test has put there.

    Args:
        key: The group.
        folder: It may have junit.xml, which pytest wrote, and job.json, which the job wrote when it ended.
    """
    job = JobFile.read(folder / "job.json")
    report = read_report(folder / "junit.xml")
    text = _describe(folder, report, job.status)
    return Result(text, report, link(job.url), _make_record(key, text.partition(":")[0], job, report), job.runner)


def link(url: object) -> str:
    """Return a URL without the characters that end a link or a cell of a table, or "" if it isn't a URL."""
    text = url if isinstance(url, str) else ""
    return quote(text, safe="%/:?#=&@", errors="replace") if text.startswith(("https://", "http://")) else ""


def _describe(folder: Path, report: Report | None, status: str) -> str:
    problems = ["timed out"] if status == "timed_out" else []
    if report and report.problems:
        problems.append(report.problems)
    if problems:
        return f"failed: {', '.join(problems)}"
    if status == "cancelled":
        return "cancelled"
    if report is None:
        return f"failed: {'pytest wrote no report' if folder.is_dir() else 'the job left no logs'}"
    if report.tests == 0:
        return "failed: no tests ran"
    if status == "success":
        return "passed"
    problem = "the tests passed, but the job did not" if report.suites else "the report of pytest is unreadable"
    return f"failed: {problem}"


def _make_record(key: Key, result: str, job: JobFile, report: Report | None) -> Record:
    """Return the record of a group's job. What the job doesn't tell is taken from the report of pytest."""
    started, tests_started, tests_ended = job.started, job.tests_started, job.tests_ended
    if tests_started is None and report:
        tests_started = _timestamp(report)
    seconds = report.seconds if report else None
    if tests_started is not None and tests_ended is not None:
        seconds = max(tests_ended - tests_started, 0)
    set_up = None if started is None or tests_started is None else max(tests_started - started, 0)
    record = Record(
        *key,
        result,
        started=tests_started if started is None else started,
        set_up=set_up,
        seconds=seconds,
        attempt=job.attempt,
        commit=job.commit,
    )
    record.add_tests(report)
    return record


def _timestamp(report: Report) -> float | None:
    """Return when pytest started, in seconds since 1970."""
    try:
        return datetime.fromisoformat(report.suites[0].get("timestamp", "")).timestamp()
    except (LookupError, ValueError, OverflowError, OSError):
        return None
