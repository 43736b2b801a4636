"""One group's job in `run-groups`: what runs, and what became of it."""

from __future__ import annotations

import shlex
import signal
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_operator_groups.common.text import printable
from pytest_operator_groups.formats.junit import read_junit
from pytest_operator_groups.report.outcome import Outcome

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_operator_groups.formats.junit import JUnit
    from pytest_operator_groups.formats.records import Record

# What runs pytest, unless the user names another command. Unbuffered: the log has all that a group prints, even if it
# crashes.
PYTEST = [sys.executable, "-u", "-m", "pytest"]
# https://docs.pytest.org/en/stable/reference/exit-codes.html
_TESTS_FAILED = 1
_USAGE_ERROR = 4
_MEANINGS = {
    _TESTS_FAILED: "tests failed",
    2: "interrupted, or an error of the collection",
    3: "an internal error of pytest or a plugin",
    _USAGE_ERROR: "a usage error",
    5: "no tests ran",
}


@dataclass
class Job:
    """One group, the command that runs it, and what became of it."""

    name: str  # its `job_name`
    record: Record  # if it was interrupted, the result is "not run"
    command: list[str]
    log: Path
    junit: Path
    record_file: Path
    progress: Path  # pytest says in it which test runs
    started: float | None = None  # in seconds from the start of the run
    report: JUnit | None = None  # once pytest has written it
    expected: float | None = None  # the seconds that it took in earlier runs
    worker: int = 1  # one for each group that runs at the same time, from 1

    @property
    def tests(self) -> int | None:
        """Their number, once the report can be read."""
        return self.report.tests if self.report else None

    @property
    def repeat_command(self) -> str:
        """The line that repeats the group: its command, without what it writes only for `run-groups`."""
        own = ("--junit-xml=", "--group-progress=")
        command = [argument for argument in self.command if not argument.startswith(own)]
        if command[: len(PYTEST)] == PYTEST:
            command[: len(PYTEST)] = ["pytest"]
        return printable(shlex.join(command))

    def finish(self, returncode: int) -> None:
        """Set the result: a group has passed if pytest exits with 0 and has written a report of its tests.

        For the signal that killed pytest, the code is its negative number.
        """
        self.report = read_junit(self.junit)
        self.record.add_tests(self.report)
        self.record.reason = _reason(returncode, self.report)
        self.record.result = "failed" if self.record.reason else "passed"

    @property
    def outcome(self) -> Outcome:
        """What people see of the group."""
        return Outcome(
            printable(self.name),
            printable(self.record.text),
            "-" if self.tests is None else str(self.tests),
            self.record,
            self.report.cases if self.report else [],
            self.repeat_command,
            log=printable(str(self.log)) if self.log.exists() else "",
            runner=str(self.worker),
        )


def _reason(returncode: int, report: JUnit | None) -> str:
    """Return why the group failed, or "" if it passed."""
    if returncode < 0:
        return f"killed by {_signal_name(-returncode)}"
    if report is None and returncode != _USAGE_ERROR:
        return f"ended without a report (exit code {returncode}): did a test call os._exit?"
    if returncode == 0:
        return "no tests ran" if report and report.tests == 0 else ""
    if returncode == _TESTS_FAILED and report and report.problems:
        return report.problems
    return f"{_MEANINGS.get(returncode, 'unknown to pytest')} (exit code {returncode})"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return f"signal {number}"
