"""The groups in the forms that are written: a table for a terminal, one for a job summary, and GitHub's output file."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_operator_groups._groups import Group

NO_GROUPS = "Every test was deselected (by -k, -m, --deselect or a plugin): there is no group to run."
_HEADINGS = ("GROUP", "TESTS", "RUNNER", "COMMAND")


def text_table(groups: Sequence[Group]) -> list[str]:
    """Return the lines of a table for a terminal."""
    if not groups:
        return [NO_GROUPS]
    return align([_HEADINGS, *map(_cells, groups)], "<><<")


def markdown_table(groups: Sequence[Group]) -> list[str]:
    """Return the lines of a table for a job summary, in GitHub's Markdown."""
    if not groups:
        return [NO_GROUPS]
    return [
        markdown_row(heading.capitalize() for heading in _HEADINGS),
        "| --- | ---: | --- | --- |",
        *(
            markdown_row((code(name), tests, code(runner), code(command)))
            for name, tests, runner, command in map(_cells, groups)
        ),
    ]


def align(rows: Sequence[Sequence[str]], alignments: str) -> list[str]:
    """Return the lines of a table, each column as wide as its longest cell.

    Args:
        rows: The cells, the headings among them.
        alignments: "<" or ">" for each column.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            f"{cell:{alignment}{width}}" for cell, alignment, width in zip(row, alignments, widths, strict=True)
        ).rstrip()
        for row in rows
    ]


def markdown_row(cells: Iterable[str]) -> str:
    """Return a row of a table in GitHub's Markdown."""
    return f"| {' | '.join(cells)} |"


def append(path: str, lines: Sequence[str]) -> None:
    """Append lines to a file, all in one write, and on a line of their own whatever the file ends in.

    Raises:
        OSError: The file can't be read or written.
    """
    with Path(path).open("ab+", buffering=0) as file:
        ends_in_a_line = True
        if file.seekable() and file.seek(0, os.SEEK_END) > 0:
            file.seek(-1, os.SEEK_END)
            ends_in_a_line = file.read(1) == b"\n"
        text = "".join(f"{line}\n" for line in lines)
        file.write(("" if ends_in_a_line else "\n").encode() + text.encode(errors="backslashreplace"))


def _cells(group: Group) -> tuple[str, str, str, str]:
    runner = ", ".join(group.runner) if isinstance(group.runner, list) else group.runner or "-"
    return (
        printable(group.name),
        str(len(group.tests)),
        printable(runner),
        printable(group.command),
    )


def duration(seconds: float | None) -> str:
    """Return a time in words, or "-" for None."""
    if seconds is None:
        return "-"
    minutes, rest = divmod(round(seconds, 1), 60)
    return f"{minutes:.0f} min {rest:.1f} s" if minutes else f"{rest:.1f} s"


def printable(text: str) -> str:
    """Return text in which what a terminal would act on is escaped."""
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)


def code(text: str) -> str:
    """Return text as a code span in a cell of Markdown, whatever it holds (https://github.github.com/gfm/#example-200)."""
    fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    padding = " " if len(fence) > 1 else ""
    return f"{fence}{padding}{text}{padding}{fence}".replace("|", r"\|")
