"""What `run-groups` shows: a line for each event or a table that changes in place, and at the end the summary."""

from __future__ import annotations

import sys
from statistics import mean
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size
from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from pytest_operator_groups.common.text import cell_width, duration, printable, read_end, short_duration, shorten, wrap
from pytest_operator_groups.formats.progress import read_progress
from pytest_operator_groups.report.report import advice, changes, messages, totals

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_operator_groups.formats.durations import Durations
    from pytest_operator_groups.report.outcome import Outcome
    from pytest_operator_groups.run.job import Job

STYLES = {"running": "yellow", "failed": "red", "waiting": "dim", "not run": "magenta", "passed": "green"}
_ORDER = list(STYLES)
_FAILURES = 3
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
        if job.record.result == "running":
            self.log(f"started  {printable(job.name)}")
            return
        reason = f": {printable(job.record.reason)}" if job.record.reason else ""
        self.log(f"{job.record.result:8} {printable(job.name)}  {duration(job.record.seconds)}{reason}")
        if job.record.result == "failed":
            self._show_output(job)

    def _show_output(self, job: Job) -> None:
        title = shorten(printable(f"{job.name}: {job.record.reason}"), self._console.width - 8)
        # The command is whole, because it is copied.
        print(f"\n=== {title} ===\n$ {job.repeat_command}")
        text = read_end(job.log, f": see {printable(str(job.log))}")
        print(text, end="\n" if text.endswith("\n") else "\n\n", flush=True)


class LiveTable(Lines):
    """Shows all groups in a table that changes in place, and above it the output of each group that fails.

    `seconds` returns the time since the start of the run.
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
        if job.record.result == "failed":
            self.stop()
            self._show_output(job)
            self.start()
        elif self._live is not None:
            self._live.refresh()

    def _table(self) -> Group:
        now, width = self._seconds(), self._console.width
        states = [job.record.result for job in self._jobs]
        title = ", ".join(f"{states.count(state)} {state}" for state in _ORDER if state in states)
        estimate = _Estimate(self._jobs, now, self._max_jobs)
        left = "" if estimate.left is None else f", about {short_duration(estimate.left)} left"
        table = Table(title=Text(f"{title}, {duration(now)}{left}", no_wrap=True), title_justify="left", box=None)
        table.pad_edge = False
        for heading in _HEADINGS:
            table.add_column(heading, no_wrap=True)
        # Running groups come first. Rows beyond the terminal's height couldn't be removed again, so they are left out.
        jobs = sorted(self._jobs, key=lambda job: _ORDER.index(job.record.result))
        shown = max(self._console.height - 5, 1)
        rows = [_row(job, now) for job in jobs[:shown]]
        taken = [max(map(len, column)) for column in zip(_HEADINGS[1:4], *(row[1:4] for row in rows), strict=True)]
        # The names and the tests share what is left of the width. The columns stay where they are when other tests run.
        space = max(width - sum(taken) - 8, 20)
        names = min(max(cell_width(printable(job.name)) for job in self._jobs), space // 2)
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


class _Estimate:
    """How much of the run is done, and the time that is left, according to earlier runs.

    Attributes:
        done: The part that is done, from 0 to 1.
        left: The seconds that are left, or None if no time of an earlier run is known.
    """

    def __init__(self, jobs: Sequence[Job], now: float, max_jobs: int) -> None:
        known = [job.expected for job in jobs if job.expected is not None]
        # Without any time, all groups count the same.
        guess = mean(known) if known else 1.0
        total, left = 0.0, []
        for job in jobs:
            expected = guess if job.expected is None else job.expected
            total += expected
            if job.record.result == "waiting":
                left.append(expected)
            elif job.record.result == "running":
                left.append(max(expected - (now - (job.started or 0)), 0) if known else expected)
        self.done = 1 - sum(left) / total if total else 1.0
        self.left = max(max(left, default=0.0), sum(left) / max_jobs) if known else None


def _row(job: Job, now: float) -> tuple[str, str, str, str, str]:
    result, seconds = job.record.result, job.record.seconds
    if job.started is not None and seconds is None:
        seconds = now - job.started
    is_running = result == "running"
    left = short_duration(max(job.expected - (seconds or 0), 0)) if is_running and job.expected is not None else ""
    return printable(job.name), result, duration(seconds), left, printable(_current_test(job)) if is_running else ""


def _current_test(job: Job) -> str:
    """Return how many tests of a group have started, and the name of the last one."""
    progress = read_progress(job.progress)
    name = progress.test.partition("::")[2]
    return f"{progress.number}/{progress.tests or '?'} {name}" if name else ""


def show_summary(jobs: Sequence[Job], seconds: float, notes: Sequence[str]) -> None:
    """Print the table of all groups, their timeline, the notes and the totals."""
    console = make_console()
    table = Table("GROUP", "RESULT", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("TESTS", "TIME", "STARTED AT"):
        table.add_column(heading, justify="right", no_wrap=True)
    outcomes = [job.outcome for job in jobs]
    numbers = [
        (outcome.tests, duration(outcome.seconds), duration(job.started))
        for job, outcome in zip(jobs, outcomes, strict=True)
    ]
    taken = [max(map(len, column)) for column in zip(("TESTS", "TIME", "STARTED AT"), *numbers, strict=True)]
    # The names and the results share what is left of the width. The results get half of it if the names need the rest.
    space = max(console.width - sum(taken) - 8, 20)
    for_results = min(
        max(cell_len(outcome.result) for outcome in outcomes),
        max(space // 2, space - max(cell_len(outcome.name) for outcome in outcomes)),
    )
    for outcome, number in zip(outcomes, numbers, strict=True):
        table.add_row(
            Text(shorten(outcome.name, space - for_results)),
            Text(shorten(outcome.result, for_results), STYLES[outcome.record.result]),
            *number,
        )
    console.print()
    console.print(table)
    print()
    for line in timeline(jobs, seconds, console.width if sys.stdout.isatty() else 80):
        print(line)
    if notes:
        print("", *notes, sep="\n")
    print("", *wrap(totals_with_time(jobs, seconds), console.width), sep="\n", flush=True)


def describe_outcomes(outcomes: Sequence[Outcome], before: Durations, runners: int, width: int) -> list[str]:
    """Return what to show below the timeline: what to do, what changed since the runs before, and what failed.

    No line has more cells than `width`, except for what is copied: paths and commands.
    """

    def shorten_name(name: str) -> str:
        return shorten(name, max(width // 2 - 10, 10))

    sentences = [*advice(outcomes, runners, shorten_name), *changes(outcomes, before, shorten_name)]
    lines = [line for sentence in sentences for line in wrap(sentence, width)]
    for outcome in outcomes:
        if outcome.failed:
            lines.append(f"failed: {shorten(outcome.name, max(width - len('failed: '), 10))}")
            lines += [f"  {shorten(line, max(width - 2, 10))}" for line in messages(outcome, _FAILURES)]
            lines += [f"  log:    {outcome.log or '-'}", f"  repeat: {outcome.command}"]
    return lines


def timeline(jobs: Sequence[Job], seconds: float, width: int) -> list[str]:
    """Return a line of so many cells for each group that was started: a bar from its start to its end."""
    ran = [job for job in jobs if job.started is not None]
    started = sorted((job.started or 0, job.record.seconds or 0, printable(job.name)) for job in ran)
    names = min(max((cell_len(name) for _, _, name in started), default=0), width // 2)
    cells = max(width - names - 2, 1)
    scale = cells / max(seconds, 0.001)
    lines = []
    for start, length, name in started:
        first = min(int(start * scale), cells - 1)
        last = max(min(round((start + length) * scale), cells), first + 1)
        lines.append(f"{set_cell_size(shorten(name, names), names)}  {' ' * first}{'=' * (last - first)}")
    return lines


def totals_with_time(jobs: Sequence[Job], seconds: float) -> str:
    """Return how many groups passed, failed and were not run, and the time that they took."""
    one_by_one = duration(sum(job.record.seconds or 0 for job in jobs))
    return f"{totals([job.record.result for job in jobs])} in {duration(seconds)} (one after the other: {one_by_one})"


def has_live_table() -> bool:
    """Return whether stdout is a terminal that can show a table that changes in place."""
    return sys.stdout.isatty() and not make_console().is_dumb_terminal


def make_console() -> Console:
    """Return rich's console for stdout."""
    # If stdout isn't a terminal, a line may be as long as it needs to be, whatever FORCE_COLOR says.
    is_terminal = sys.stdout.isatty()
    return Console(force_terminal=is_terminal, width=None if is_terminal else 10_000, highlight=False)
