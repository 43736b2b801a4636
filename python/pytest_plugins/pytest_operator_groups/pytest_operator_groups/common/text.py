"""Small pieces of text: numbers of things, times, and names that are safe to print."""

from __future__ import annotations

import os
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# How much of a log is shown, in bytes.
_SHOWN = 1_000_000


def count(number: int, noun: str) -> str:
    """Return a number of things in words, as in "1 group" or "2 groups"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def duration(seconds: float | None) -> str:
    """Return a time in words, or "-" for None."""
    if seconds is None:
        return "-"
    minutes, rest = divmod(round(seconds, 1), 60)
    return f"{minutes:.0f} min {rest:.1f} s" if minutes else f"{rest:.1f} s"


def short_duration(seconds: float) -> str:
    """Return a time in few words: "5 s" or "12 min"."""
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def read_end(log: Path, where: str = "") -> str:
    """Return the end of a log as it is shown, after a line that says how much is left out, and `where` that is."""
    if not log.exists():
        return ""
    with log.open("rb") as file:
        left_out = max(file.seek(0, os.SEEK_END) - _SHOWN, 0)
        file.seek(left_out)
        end = file.read().decode(errors="replace")
    if not left_out:
        return end
    return f"... {left_out / 1e6:,.1f} MB are left out{where} ...\n{end.partition(chr(10))[2] or end}"


def cell_width(text: str) -> int:
    """Return how wide a text is on a terminal, in cells. A Chinese or Japanese character takes two."""
    if text.isascii():
        return len(text)
    return sum(1 + (unicodedata.east_asian_width(character) in "FW") for character in text)


def printable(text: str) -> str:
    """Return the text with an escape sequence for each character that a terminal would act on."""
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)


def shorten(text: str, width: int) -> str:
    """Return a text of at most so many cells, with … in its middle if something was left out."""
    if cell_width(text) <= width:
        return text
    # The end tells groups of one file from each other.
    start, end = text, text
    while cell_width(start) > (width - 1) // 3:
        start = start[:-1]
    while cell_width(end) > width - 1 - cell_width(start):
        end = end[1:]
    return f"{start}…{end}"


def wrap(text: str, width: int) -> list[str]:
    """Return the lines of a text, each of at most so many cells. A word that is longer has a line for itself."""
    lines: list[str] = []
    for word in text.split(" "):
        if lines and cell_width(longer := f"{lines[-1]} {word}") <= width:
            lines[-1] = longer
        else:
            # What belongs to the line before is indented.
            lines.append(f"  {word}" if lines else word)
    return lines


def minutes(seconds: float) -> str:
    """Return a time in words, in whole minutes from ten minutes on."""
    return f"{seconds / 60:.0f} min" if seconds >= 600 else duration(seconds)
