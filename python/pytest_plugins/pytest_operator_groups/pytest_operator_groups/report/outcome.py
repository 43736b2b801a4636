"""What became of a group, as a report shows it, from the artifact that its job has left."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pytest_operator_groups.common.text import printable
from pytest_operator_groups.formats.junit import JUnit, read_junit
from pytest_operator_groups.formats.matrix import group_key, runner_kind
from pytest_operator_groups.formats.records import JobFile, Key, Record

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pytest_operator_groups.formats.junit import Case


@dataclass
class Outcome:
    """What became of a group. What isn't known of it is "", None or empty."""

    name: str  # its job_name, printable
    result: str  # "passed", or what went wrong, in words
    tests: str  # their number, in words
    record: Record
    cases: Sequence[Case]  # in the order in which they ran
    command: str  # repeats it
    url: str = ""  # of its log
    log: str = ""  # the path of its log
    runner: str = ""  # that it shared with others
    kind: frozenset[str] = frozenset()  # the labels of its runner

    @property
    def failed(self) -> bool:
        return self.record.result == "failed"

    @property
    def seconds(self) -> float | None:
        return self.record.seconds


def read_outcome(group: Mapping[str, Any], folder: Path, run_url: str) -> Outcome:
    """Return what became of a group, whatever a test has put into its artifact, where junit.xml and job.json are."""
    job = JobFile.read(folder / "job.json")
    report = read_junit(folder / "junit.xml")
    record = _make_record(group_key(group), job, report)
    record.result, record.reason = _judge(folder, report, job.status)
    result = record.text
    tests = "-"
    if report and report.tests is not None:
        tests = f"{report.tests}{f', {report.skipped} skipped' if report.skipped else ''}"
    # GitHub keeps the artifacts of an earlier attempt until a job replaces them.
    attempt = os.environ.get("GITHUB_RUN_ATTEMPT", "")
    if attempt.isdecimal() and record.attempt < int(attempt) and folder.is_dir():
        result += f" (attempt {record.attempt})"
    return Outcome(
        printable(group["job_name"]),
        result,
        tests,
        record,
        report.cases if report else [],
        shlex.join(["pytest", record.path, f"--group={record.group_id}"]),
        url=_link(job.url) or _link(run_url),
        runner=printable(job.runner),
        kind=runner_kind(group),
    )


def _link(url: str) -> str:
    """Return a URL without the characters that end a link or a cell of a table, or "" if it isn't a URL."""
    return quote(url, safe="%/:?#=&@", errors="replace") if url.startswith(("https://", "http://")) else ""


def _judge(folder: Path, report: JUnit | None, status: str) -> tuple[str, str]:
    """Return the result of a group, and the reason for it."""
    problems = ["timed out"] if status == "timed_out" else []
    if report and report.problems:
        problems.append(report.problems)
    if problems:
        return "failed", ", ".join(problems)
    if status == "cancelled":
        return "cancelled", ""
    if report is None:
        return "failed", "pytest wrote no report" if folder.is_dir() else "the job left no logs"
    if report.tests == 0:
        return "failed", "no tests ran"
    if status == "success":
        return "passed", ""
    return "failed", "the tests passed, but the job did not" if report.suites else "the report of pytest is unreadable"


def _make_record(key: Key, job: JobFile, report: JUnit | None) -> Record:
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
        started=tests_started if started is None else started,
        set_up=set_up,
        seconds=seconds,
        attempt=job.attempt,
        commit=job.commit,
    )
    record.add_tests(report)
    return record


def _timestamp(report: JUnit) -> float | None:
    """Return when pytest started, in seconds since 1970."""
    try:
        return datetime.fromisoformat(report.suites[0].get("timestamp", "")).timestamp()
    except (LookupError, ValueError, OverflowError, OSError):
        return None
