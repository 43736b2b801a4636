"""Which tests `--group=ID` runs."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from pytest_operator_groups.common.errors import GroupsError
from pytest_operator_groups.suite.groups import relative

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from typing import TypeVar

    from pytest_operator_groups.suite.groups import Group, Test

    Item = TypeVar("Item", bound=Test)


def select(
    tests: Sequence[Item], group_id: str, group_tests: Callable[[list[Item]], list[Group]], start: Path, left_out: int
) -> list[Test]:
    """Return the tests of one group of one file.

    Raises:
        GroupsError: The tests are in several files, don't make groups, or none of them is in the group.
    """
    files: dict[Path, list[Item]] = {}
    for test in tests:
        files.setdefault(test.path, []).append(test)
    if len(files) > 1:
        groups = []
        for of_file in files.values():
            with suppress(GroupsError):  # It may be of another file than the one that the user wants.
                groups += group_tests(of_file)
        raise _several_files(sorted(relative(path, start) for path in files), group_id, groups)
    groups = group_tests([*tests])
    if not groups:
        return []
    for group in groups:
        if group.id == group_id:
            return group.tests
    note = f" (-k, -m, --deselect or a plugin left out {left_out} of its tests)" if left_out else ""
    closest = _closest(group_id, groups)
    raise GroupsError(
        f'there is no group "{group_id}". The file has: {", ".join(group.id for group in groups)}{note}',
        where=groups[0].path,
        advice=f"Did you mean: {closest.command}" if closest else f"Write, for example: {groups[0].command}",
    )


def _several_files(files: Sequence[str], group_id: str, groups: Sequence[Group]) -> GroupsError:
    named = [group for group in groups if group.id == group_id]
    if named:
        advice = f"Name {'the file' if len(named) == 1 else 'one of those'} with this group: {named[0].command}"
    elif closest := _closest(group_id, groups):
        advice = f"None of them has this group. Did you mean: {closest.command}"
    elif groups:
        advice = f"None of them has this group. Write, for example: {groups[0].command}"
    else:
        advice = f"Name one of them: pytest {files[0]} --group={group_id}"
    lines = [f"--group={group_id} runs a group of one test file, but pytest found tests in {len(files)}:", *files]
    return GroupsError("\n  ".join(lines), advice=advice)


def _closest(group_id: str, groups: Sequence[Group]) -> Group | None:
    """Return the group whose ID looks most like the given one, or None if none does."""
    from difflib import get_close_matches

    by_id = {group.id.strip().casefold(): group for group in reversed(groups)}
    matches = get_close_matches(group_id.strip().casefold(), by_id, n=1)
    return by_id[matches[0]] if matches else None
