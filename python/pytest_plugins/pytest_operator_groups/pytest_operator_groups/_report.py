"""A run of groups, as it is shown while it goes on and when it has ended, and as it is kept."""

from __future__ import annotations

import json
import shlex
import sys
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from pytest_operator_groups._groups import count
from pytest_operator_groups._junit import merge
from pytest_operator_groups._output import duration, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pytest_operator_groups._runner import Job

_STYLES = {"running": "yellow", "failed": "red", "waiting": "dim", "not run": "magenta", "passed": "green"}
_ORDER = list(_STYLES)


class Lines:
    """Shows a line for each event, and the output of each group that fails.

    Args:
        arguments: Those of pytest's that every group gets.
    """

    def __init__(self, arguments: Sequence[str]) -> None:
        self._arguments = arguments

    def start(self) -> None:
        """Begin to show the groups."""

    def stop(self) -> None:
        """Show no more of them."""

    def say(self, line: str) -> None:
        """Show a line."""
        print(line, flush=True)

    def changed(self, job: Job) -> None:
        """Show a job's new state."""
        if job.state == "running":
            self.say(f"started  {printable(job.name)}")
            return
        reason = f": {printable(job.reason)}" if job.reason else ""
        self.say(f"{job.state:8} {printable(job.name)}  {duration(job.seconds)}{reason}")
        if job.state == "failed":
            self._show_output(job)

    def _show_output(self, job: Job) -> None:
        command = shlex.join(["pytest", job.path, f"--group={job.group_id}", *self._arguments])
        print(f"\n=== {printable(job.name)}: {printable(job.reason)} ===\n$ {printable(command)}")
        text = job.log.read_text(encoding="utf-8", errors="replace") if job.log.exists() else ""
        print(text, end="\n" if text.endswith("\n") else "\n\n", flush=True)


class LiveTable(Lines):
    """Shows a table of all groups that changes in place, and above it the output of each group that fails.

    Args:
        arguments: Those of pytest's that every group gets.
        jobs: The groups.
        seconds: Returns the time since the start of the run, in seconds.
    """

    def __init__(self, arguments: Sequence[str], jobs: Sequence[Job], seconds: Callable[[], float]) -> None:
        super().__init__(arguments)
        self._jobs = jobs
        self._seconds = seconds
        self._console = _console()
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
        """Take the table away."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def say(self, line: str) -> None:
        """Show a line above the table."""
        self.stop()
        super().say(line)
        self.start()

    def changed(self, job: Job) -> None:
        """Show a job's new state."""
        if job.state == "failed":
            self.stop()
            self._show_output(job)
            self.start()
        elif self._live is not None:
            self._live.refresh()

    def _table(self) -> Table:
        now = self._seconds()
        states = [job.state for job in self._jobs]
        title = ", ".join(f"{states.count(state)} {state}" for state in _ORDER if state in states)
        table = Table(title=f"{title}, {duration(now)}", title_justify="left", box=None, pad_edge=False)
        for heading in ("GROUP", "STATE", "TIME"):
            table.add_column(heading, no_wrap=True)
        # What runs comes first; what the terminal has no lines for is left out, since it couldn't be taken away again.
        jobs = sorted(self._jobs, key=lambda job: _ORDER.index(job.state))
        shown = max(self._console.height - 4, 1)
        for job in jobs[:shown]:
            seconds = now - job.started if job.started is not None and job.seconds is None else job.seconds
            table.add_row(Text(printable(job.name)), Text(job.state, _STYLES[job.state]), duration(seconds))
        if len(jobs) > shown:
            table.add_row(f"and {len(jobs) - shown} more", "", "")
        return table


def has_live_table() -> bool:
    """Return whether stdout is a terminal that can show a table that changes in place."""
    return sys.stdout.isatty() and not _console().is_dumb_terminal


def show_end(jobs: Sequence[Job], seconds: float) -> None:
    """Print the table of all groups, their timeline and the sum of it all.

    Args:
        jobs: The groups.
        seconds: The time that they took together.
    """
    console = _console()
    table = Table("GROUP", "RESULT", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("TESTS", "TIME", "STARTED AT"):
        table.add_column(heading, justify="right", no_wrap=True)
    for job in jobs:
        result = Text(job.state, _STYLES[job.state])
        if job.reason:
            result.append(f": {printable(job.reason)}")
        tests = "-" if job.tests is None else str(job.tests)
        table.add_row(Text(printable(job.name)), result, tests, duration(job.seconds), duration(job.started))
    console.print()
    console.print(table)
    print()
    for line in timeline(jobs, seconds, console.width if sys.stdout.isatty() else 80):
        print(line)
    print(f"\n{summary(jobs, seconds)}", flush=True)


def timeline(jobs: Sequence[Job], seconds: float, width: int) -> list[str]:
    """Return a line for each group that was started: a bar from its start to its end.

    Args:
        jobs: The groups.
        seconds: The time that they took together.
        width: The length of a line, in a terminal's cells.
    """
    started = sorted((job.started, job.seconds or 0, printable(job.name)) for job in jobs if job.started is not None)
    names = min(max((cell_len(name) for _, _, name in started), default=0), width // 2)
    cells = max(width - names - 2, 1)
    scale = cells / max(seconds, 0.001)
    lines = []
    for start, its_seconds, name in started:
        first = min(int(start * scale), cells - 1)
        last = max(min(round((start + its_seconds) * scale), cells), first + 1)
        lines.append(f"{set_cell_size(name, names)}  {' ' * first}{'=' * (last - first)}")
    return lines


def summary(jobs: Sequence[Job], seconds: float) -> str:
    """Return how many groups passed, failed and were not run, and the time that they took."""
    states = [job.state for job in jobs]
    not_run = f", {states.count('not run')} not run" if "not run" in states else ""
    one_by_one = duration(sum(job.seconds or 0 for job in jobs))
    return (
        f"{count(states.count('passed'), 'group')} passed, {states.count('failed')} failed{not_run} "
        f"in {duration(seconds)} (one after the other: {one_by_one})"
    )


def write_results(folder: Path, jobs: Sequence[Job], seconds: float, at_most: int) -> None:
    """Write results.json and results.xml, each in one step.

    Args:
        folder: Where to.
        jobs: The groups.
        seconds: The time that they took together.
        at_most: How many ran at a time.

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
        }
        for job in jobs
    ]
    results = {"seconds": seconds, "jobs": at_most, "groups": groups}
    _replace(folder / "results.json", f"{json.dumps(results, indent=2)}\n".encode())
    _replace(folder / "results.xml", merge(jobs))


def read_durations(folder: Path) -> dict[tuple[str, str], float]:
    """Return the seconds that the groups took last time, by their file and ID.

    Raises:
        ValueError: The results of last time can't be read.
    """
    try:
        groups = json.loads((folder / "results.json").read_bytes())["groups"]
        return {
            (group["path_to_test_file"], group["group_id"]): float(group["seconds"])
            for group in groups
            if group["result"] != "not run"
        }
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from None


def _console() -> Console:
    # Outside a terminal, a line may be as long as it needs to be, whatever FORCE_COLOR says of it.
    is_terminal = sys.stdout.isatty()
    return Console(force_terminal=is_terminal, width=None if is_terminal else 10_000, highlight=False)


def _replace(path: Path, content: bytes) -> None:
    new = path.with_name(f"{path.name}.new")
    new.write_bytes(content)
    new.replace(path)
