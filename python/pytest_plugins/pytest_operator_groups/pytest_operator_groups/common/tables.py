"""Tables as text and as GitHub's Markdown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_operator_groups.common.text import cell_width

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_MARKDOWN_ALIGNMENTS = {"<": "---", ">": "---:"}


def text_table(rows: Sequence[Sequence[str]], alignments: str) -> list[str]:
    """Return the lines of a table, each column as wide as its longest cell."""
    widths = [max(map(cell_width, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        padded = [
            f"{cell:{alignment}{width - cell_width(cell) + len(cell)}}"
            for cell, alignment, width in zip(row, alignments, widths, strict=True)
        ]
        lines.append("  ".join(padded).rstrip())
    return lines


def markdown_table(rows: Iterable[Sequence[str]], alignments: str) -> list[str]:
    """Return a table in GitHub's Markdown. The first row has the headings. Each column has an alignment, "<" or ">"."""
    headings, *others = rows
    return [
        _markdown_row(headings),
        _markdown_row(_MARKDOWN_ALIGNMENTS[alignment] for alignment in alignments),
        *map(_markdown_row, others),
    ]


def code(text: str) -> str:
    """Return any text as a code span in Markdown (https://github.github.com/gfm/#code-spans)."""
    fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    padding = " " if len(fence) > 1 else ""
    return f"{fence}{padding}{text}{padding}{fence}"


def _markdown_row(cells: Iterable[str]) -> str:
    # In a table, and only there, a | in code needs a backslash: https://github.github.com/gfm/#example-200
    escaped = (cell.replace("|", r"\|") for cell in cells)
    return f"| {' | '.join(escaped)} |"
