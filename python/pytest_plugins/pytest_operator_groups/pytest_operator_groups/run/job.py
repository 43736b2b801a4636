"""One group's job in `run-groups`: what runs, and its result."""

from __future__ import annotations

import shlex
import signal
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pytest_operator_groups.common.text import printable
from pytest_operator_groups.formats.junit import JUnit, read_junit
from pytest_operator_groups.formats.records import Key, Record
from pytest_operator_groups.report.outcome import Outcome

if TYPE_CHECKING:
    from pathlib import Path

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
    """One group, the command that runs it, and its result.

    Attributes:
        name: The group's `job_name`.
        path: Its test file.
        group_id: Its ID.
        command: The command that runs it.
        log: The file for its output.
        junit: The file for its report.
        record: The file for its record.
        progress: The file in which pytest says which test runs.
        state: Its progress, or its result. A group that was interrupted is "not run" as well.
        reason: Why it failed, or was not run.
        tests: The number of its tests, once its report can be read.
        started: When it started, in seconds from the start of the run.
        seconds: How long it took.
        report: pytest's report of its tests, once it can be read.
        expected: The seconds that it took in earlier runs, or None.
        worker: Which worker ran it, from 1: there is one for each group that runs at the same time.
    """

    name: str
    path: str
    group_id: str
    command: list[str]
    log: Path
    junit: Path
    record: Path
    progress: Path
    state: Literal["waiting", "running", "passed", "failed", "not run"] = "waiting"
    reason: str = ""
    tests: int | None = None
    started: float | None = None
    seconds: float | None = None
    report: JUnit | None = None
    expected: float | None = None
    worker: int = 1

    @property
    def key(self) -> Key:
        """What tells the group from all others."""
        return Key(self.path, self.group_id)

    @property
    def repeat_command(self) -> str:
        """The line that repeats the group: its command, without what it writes only for `run-groups`."""
        own = ("--junit-xml=", "--group-progress=")
        command = [argument for argument in self.command if not argument.startswith(own)]
        if command[: len(PYTEST)] == PYTEST:
            command[: len(PYTEST)] = ["pytest"]
        return printable(shlex.join(command))

    @property
    def output(self) -> str:
        """What it has printed so far."""
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""

    def finish(self, returncode: int) -> None:
        """Set the result: a group has passed if pytest exits with 0 and has written a report of its tests.

        For the signal that killed pytest, the code is its negative number.
        """
        self.report = read_junit(self.junit)
        self.tests = self.report.tests if self.report else None
        self.reason = _reason(returncode, self.report)
        self.state = "failed" if self.reason else "passed"

    def make_record(self, start_of_run: float) -> Record:
        """Return the record of the group. The run started at this time, in seconds since 1970."""
        record = Record(
            self.path,
            self.group_id,
            self.state if self.state in {"passed", "failed"} else "not run",
            started=None if self.started is None else round(start_of_run + self.started, 3),
            # On a machine that is set up already, pytest starts at once.
            set_up=None if self.started is None else 0.0,
            seconds=self.seconds,
        )
        record.add_tests(self.report)
        return record

    def make_outcome(self, start_of_run: float) -> Outcome:
        """Return what a report shows of the group."""
        return Outcome(
            printable(self.name),
            printable(f"{self.state}: {self.reason}" if self.reason else self.state),
            "-" if self.tests is None else str(self.tests),
            self.seconds,
            self.make_record(start_of_run),
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
