"""A run of groups while it goes on: a line for each event, or a table that changes in place."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from pytest_operator_groups.common.text import cells, duration, printable, rough, shorten
from pytest_operator_groups.formats.progress import read_progress
from pytest_operator_groups.report.estimate import Estimate
from pytest_operator_groups.run.run_report import repeat_command

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_operator_groups.run.job import Job

STYLES = {"running": "yellow", "failed": "red", "waiting": "dim", "not run": "magenta", "passed": "green"}
_ORDER = list(STYLES)
_HEADINGS = ("GROUP", "STATE", "TIME", "LEFT", "TEST")


class Lines:
    """Shows a line for each event, and the output of each group that fails. No line is longer than the terminal's."""

    def __init__(self) -> None:
        self._console = make_console()

    def start(self) -> None:
        """Start to show the groups."""

    def stop(self) -> None:
        """Stop showing the groups."""

    def log(self, line: str) -> None:
        """Show a line."""
        print(shorten(line, self._console.width), flush=True)

    def update(self, job: Job) -> None:
        """Show a job's new state."""
        if job.state == "running":
            self.log(f"started  {printable(job.name)}")
            return
        reason = f": {printable(job.reason)}" if job.reason else ""
        self.log(f"{job.state:8} {printable(job.name)}  {duration(job.seconds)}{reason}")
        if job.state == "failed":
            self._show_output(job)

    def _show_output(self, job: Job) -> None:
        command = repeat_command(job)
        title = shorten(printable(f"{job.name}: {job.reason}"), self._console.width - 8)
        # The command is whole, because it is copied.
        print(f"\n=== {title} ===\n$ {command}")
        text = job.log.read_text(encoding="utf-8", errors="replace") if job.log.exists() else ""
        print(text, end="\n" if text.endswith("\n") else "\n\n", flush=True)


class LiveTable(Lines):
    """Shows all groups in a table that changes in place, and above it the output of each group that fails.

    Args:
        jobs: The groups.
        seconds: Returns the time since the start of the run, in seconds.
        max_jobs: How many groups run at the same time.
    """

    def __init__(self, jobs: Sequence[Job], seconds: Callable[[], float], max_jobs: int) -> None:
        super().__init__()
        self._jobs = jobs
        self._seconds = seconds
        self._max_jobs = max_jobs
        self._live: Live | None = None

    def start(self) -> None:
        """Show the table."""
        # A new one each time: one that was stopped would write over what was printed since.
        self._live = Live(
            get_renderable=self._table,
            console=self._console,
            refresh_per_second=2,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._live.start(refresh=True)

    def stop(self) -> None:
        """Remove the table."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def log(self, line: str) -> None:
        """Show a line above the table."""
        self.stop()
        super().log(line)
        self.start()

    def update(self, job: Job) -> None:
        """Show a job's new state."""
        if job.state == "failed":
            self.stop()
            self._show_output(job)
            self.start()
        elif self._live is not None:
            self._live.refresh()

    def _table(self) -> Group:
        now, width = self._seconds(), self._console.width
        states = [job.state for job in self._jobs]
        title = ", ".join(f"{states.count(state)} {state}" for state in _ORDER if state in states)
        estimate = Estimate(self._jobs, now, self._max_jobs)
        left = "" if estimate.left is None else f", about {rough(estimate.left)} left"
        table = Table(title=Text(f"{title}, {duration(now)}{left}", no_wrap=True), title_justify="left", box=None)
        table.pad_edge = False
        for heading in _HEADINGS:
            table.add_column(heading, no_wrap=True)
        # Running groups come first. Rows beyond the terminal's height couldn't be removed again, so they are left out.
        jobs = sorted(self._jobs, key=lambda job: _ORDER.index(job.state))
        shown = max(self._console.height - 5, 1)
        rows = [_row(job, now) for job in jobs[:shown]]
        taken = [max(map(len, column)) for column in zip(_HEADINGS[1:4], *(row[1:4] for row in rows), strict=True)]
        # The names and the tests get what the other columns, and the blanks between all, leave. The columns stay where
        # they are when other tests run.
        space = max(width - sum(taken) - 8, 20)
        names = min(max(cells(printable(job.name)) for job in self._jobs), space // 2)
        for name, state, time, left, test in rows:
            table.add_row(
                Text(shorten(name, names)),
                Text(state, STYLES[state]),
                time,
                left,
                Text(shorten(test, space - names)),
            )
        if len(jobs) > shown:
            table.add_row(f"and {len(jobs) - shown} more", "", "", "", "")
        # The terminal shows ^C behind the bar. If that made a new line, the table could not be removed.
        return Group(table, ProgressBar(total=1.0, completed=estimate.done, width=width - 2))


def _row(job: Job, now: float) -> tuple[str, str, str, str, str]:
    seconds = now - job.started if job.started is not None and job.seconds is None else job.seconds
    is_running = job.state == "running"
    left = rough(max(job.expected - (seconds or 0), 0)) if is_running and job.expected is not None else ""
    return printable(job.name), job.state, duration(seconds), left, printable(_current_test(job)) if is_running else ""


def _current_test(job: Job) -> str:
    """Return how many tests of a group have started, and the name of the last one."""
    progress = read_progress(job.progress)
    name = progress.test.partition("::")[2]
    return f"{progress.number}/{progress.tests or '?'} {name}" if name else ""


def has_live_table() -> bool:
    """Return whether stdout is a terminal that can show a table that changes in place."""
    return sys.stdout.isatty() and not make_console().is_dumb_terminal


def make_console() -> Console:
    """Return rich's console for stdout."""
    # If stdout isn't a terminal, a line may be as long as it needs to be, whatever FORCE_COLOR says.
    is_terminal = sys.stdout.isatty()
    return Console(force_terminal=is_terminal, width=None if is_terminal else 10_000, highlight=False)
