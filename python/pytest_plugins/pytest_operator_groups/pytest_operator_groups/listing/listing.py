"""The groups of a suite as `--collect-groups` lists them: for people, and for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_operator_groups.common.errors import GroupsError
from pytest_operator_groups.common.github import append
from pytest_operator_groups.common.tables import code, markdown_table, text_table
from pytest_operator_groups.common.text import cell_width, count, printable
from pytest_operator_groups.formats.files import replace
from pytest_operator_groups.formats.matrix import write_matrix
from pytest_operator_groups.suite.command_line import has_common_folder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pytest_operator_groups.suite.command_line import GroupCommands
    from pytest_operator_groups.suite.groups import Group

NO_GROUPS = "Every test was deselected (by -k, -m, --deselect or a plugin): there is no group to run."
_HEADINGS = ("GROUP", "TESTS", "RUNNER", "COMMAND")
_ALIGNMENTS = "<><<"


def title(groups: Sequence[Group]) -> str:
    """Return how many groups and tests there are."""
    return f"{count(len(groups), 'group')} of {count(sum(len(group.tests) for group in groups), 'test')}"


def text_listing(groups: Sequence[Group], commands: GroupCommands, width: int | None) -> list[str]:
    """Return a table for a terminal. `width` is None if a line may be as long as it needs to be."""
    if not groups:
        return [NO_GROUPS]
    rows = [
        (printable(group.name), str(len(group.tests)), _runner(group), printable(commands.get(group)))
        for group in groups
    ]
    lines = text_table([_HEADINGS, *rows], _ALIGNMENTS)
    return lines if _fits(lines, width) else _narrow_listing(groups, commands, width)


def write_groups(groups: Sequence[Group], commands: GroupCommands, max_groups: int, file: Path | None) -> str | None:
    """Write the groups to the job summary, and their JSON to a file or the step's output, or else return it.

    `max_groups` is 0 for any number. It is a GroupsError if there are more, or if a file can't be written.
    """
    matrix = write_matrix(groups, max_groups)
    append("GITHUB_STEP_SUMMARY", _markdown_listing(groups, commands))
    if file is None:
        return None if append("GITHUB_OUTPUT", [f"groups={matrix}"]) else matrix
    try:
        replace(file, f"{matrix}\n".encode())
    except OSError as error:
        raise GroupsError(
            f"can't write to {file}: {error.strerror}",
            where="--groups-file",
            advice="Name a file in a folder that exists.",
        ) from None
    return None


def _markdown_listing(groups: Sequence[Group], commands: GroupCommands) -> list[str]:
    """Return the lines of a table for a job summary, with a heading."""
    lines = [f"### {title(groups)}", ""]
    if not groups:
        return [*lines, NO_GROUPS]
    headings = [heading.capitalize() for heading in _HEADINGS]
    rows = [
        (code(printable(group.name)), str(len(group.tests)), code(_runner(group)), code(printable(commands.get(group))))
        for group in groups
    ]
    return [*lines, *markdown_table([headings, *rows], _ALIGNMENTS)]


def _narrow_listing(groups: Sequence[Group], commands: GroupCommands, width: int | None) -> list[str]:
    """Return a table without commands. If the runners don't fit either, they are below it, each once."""
    in_folder = has_common_folder(groups)
    rows = [
        (
            printable(group.name if in_folder else f"{group.path} | group {group.id}"),
            str(len(group.tests)),
            _runner(group),
        )
        for group in groups
    ]
    lines = text_table([_HEADINGS[:3], *rows], _ALIGNMENTS[:3])
    if not _fits(lines, width):
        runners = list(dict.fromkeys(runner for *_, runner in rows if runner != "-"))
        numbers = {runner: f"[{number}]" for number, runner in enumerate(runners, 1)}
        lines = text_table(
            [_HEADINGS[:3], *((name, tests, numbers.get(runner, runner)) for name, tests, runner in rows)],
            _ALIGNMENTS[:3],
        )
        lines += ["", *(f"{number} {runner}" for runner, number in numbers.items())]
    patterns = [printable(pattern) for pattern in commands.patterns(groups)]
    return [*lines, "", "To run a group:", *(f"  {pattern}" for pattern in patterns)]


def _fits(lines: Sequence[str], width: int | None) -> bool:
    return width is None or all(cell_width(line) <= width for line in lines)


def _runner(group: Group) -> str:
    return printable(", ".join(group.runner) if isinstance(group.runner, list) else group.runner or "-")
