"""The summary of a run of groups that has ended: a table, a timeline and the totals."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size
from rich.table import Table
from rich.text import Text

from pytest_operator_groups.common.text import duration, fold, printable, shorten
from pytest_operator_groups.report.report import totals
from pytest_operator_groups.run.display import STYLES, make_console

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_operator_groups.run.job import Job


def show_summary(jobs: Sequence[Job], seconds: float, notes: Sequence[str]) -> None:
    """Print the table of all groups, their timeline and the totals.

    Args:
        jobs: The groups.
        seconds: The time that they took together.
        notes: Lines that are shown before the totals.
    """
    console = make_console()
    table = Table("GROUP", "RESULT", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("TESTS", "TIME", "STARTED AT"):
        table.add_column(heading, justify="right", no_wrap=True)
    names = [printable(job.name) for job in jobs]
    results = [f"{job.state}: {printable(job.reason)}" if job.reason else job.state for job in jobs]
    numbers = [
        ("-" if job.tests is None else str(job.tests), duration(job.seconds), duration(job.started)) for job in jobs
    ]
    taken = [max(map(len, column)) for column in zip(("TESTS", "TIME", "STARTED AT"), *numbers, strict=True)]
    # What the other columns, and the blanks between all, leave. The results get half of it, if the names need the rest.
    space = max(console.width - sum(taken) - 8, 20)
    for_results = min(max(map(cell_len, results)), max(space // 2, space - max(map(cell_len, names))))
    for job, name, result, number in zip(jobs, names, results, numbers, strict=True):
        table.add_row(
            Text(shorten(name, space - for_results)),
            Text(shorten(result, for_results), STYLES[job.state]),
            *number,
        )
    console.print()
    console.print(table)
    print()
    for line in timeline(jobs, seconds, console.width if sys.stdout.isatty() else 80):
        print(line)
    if notes:
        print("", *notes, sep="\n")
    print("", *fold(totals_with_time(jobs, seconds), console.width), sep="\n", flush=True)


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
    for start, length, name in started:
        first = min(int(start * scale), cells - 1)
        last = max(min(round((start + length) * scale), cells), first + 1)
        lines.append(f"{set_cell_size(shorten(name, names), names)}  {' ' * first}{'=' * (last - first)}")
    return lines


def totals_with_time(jobs: Sequence[Job], seconds: float) -> str:
    """Return how many groups passed, failed and were not run, and the time that they took."""
    one_by_one = duration(sum(job.seconds or 0 for job in jobs))
    return f"{totals([job.state for job in jobs])} in {duration(seconds)} (one after the other: {one_by_one})"
