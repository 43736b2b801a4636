"""The report of a run of `run-groups`."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from pytest_operator_groups.common.text import fold, printable, shorten
from pytest_operator_groups.listing.listing import NO_GROUPS
from pytest_operator_groups.report.outcome import Outcome
from pytest_operator_groups.report.report import advice, changes, markdown_report, messages, totals
from pytest_operator_groups.run.job import PYTEST

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pytest_operator_groups.formats.durations import Durations
    from pytest_operator_groups.run.job import Job

_FAILURES = 3


class RunReport:
    """What a run has shown.

    Args:
        jobs: The groups.
        start_of_run: When it started, in seconds since 1970.
        before: What was known before it.
        runners: How many groups ran at the same time.
    """

    def __init__(self, jobs: Sequence[Job], start_of_run: float, before: Durations, runners: int) -> None:
        self._before = before
        self._runners = min(runners, max(len(jobs), 1))
        self._outcomes = [
            Outcome(
                printable(job.name),
                printable(f"{job.state}: {job.reason}" if job.reason else job.state),
                "-" if job.tests is None else str(job.tests),
                job.seconds,
                job.make_record(start_of_run),
                job.report.cases if job.report else [],
                repeat_command(job),
                log=printable(str(job.log)) if job.log.exists() else "",
                runner=str(job.worker),
            )
            for job in jobs
        ]

    def write(self, path: Path) -> None:
        """Write the report in Markdown.

        Raises:
            OSError: The file can't be written.
        """
        lines = [NO_GROUPS]
        if self._outcomes:
            heading = totals([outcome.record.result for outcome in self._outcomes])
            lines = markdown_report(self._outcomes, self._before, heading, runners=self._runners)
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", errors="replace")

    def notes(self, width: int) -> list[str]:
        """Return what to show below the results: what to do, what changed, and what failed.

        Args:
            width: The length of a line, in a terminal's cells. What is copied is whole: paths and commands.
        """

        def mark(name: str) -> str:
            return shorten(name, max(width // 2 - 10, 10))

        sentences = [*advice(self._outcomes, self._runners, mark), *changes(self._outcomes, self._before, mark)]
        lines = [line for sentence in sentences for line in fold(sentence, width)]
        for outcome in self._outcomes:
            if outcome.failed:
                name = shorten(outcome.name, max(width - len("failed: "), 10))
                lines += [
                    f"failed: {name}",
                    *(f"  {shorten(line, max(width - 2, 10))}" for line in messages(outcome, _FAILURES)),
                ]
                lines += [f"  log:    {outcome.log or '-'}", f"  repeat: {outcome.command}"]
        return lines


def repeat_command(job: Job) -> str:
    """Return the line that repeats a group: its command, without what it writes only for `run-groups`."""
    own = ("--junit-xml=", "--group-progress=")
    command = [argument for argument in job.command if not argument.startswith(own)]
    if command[: len(PYTEST)] == PYTEST:
        command[: len(PYTEST)] = ["pytest"]
    return printable(shlex.join(command))
