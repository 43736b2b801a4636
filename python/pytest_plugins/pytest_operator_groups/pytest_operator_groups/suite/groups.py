"""The groups of a suite, and the tests in them."""

from __future__ import annotations

import os
import re
import shlex
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_operator_groups.common.errors import GroupsError
from pytest_operator_groups.common.text import count
from pytest_operator_groups.suite.markers import (
    InnermostMarker,
    MarkerError,
    read_group,
    read_runner,
    replace_forbidden,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Protocol

    from pytest_operator_groups.suite.markers import Node

    class Test(Node, Protocol):
        """What is read from pytest's items, besides their markers."""

        @property
        def nodeid(self) -> str: ...
        def reportinfo(self) -> tuple[os.PathLike[str] | str, int | None, str]: ...


class Group:
    """The tests of one file that run together.

    Attributes:
        path: The test file, relative to the directory in which pytest was started, in POSIX form.
        id: The ID, always as a str.
        runner: The labels for `runs-on`, or None for the workflow's default. One marker in the group is enough.
        tests: The group's items, in the order of the collection.
    """

    def __init__(self, path: str, group_id: str, runner: str | list[str] | None = None) -> None:
        self.path = path
        self.id = group_id
        self.runner = runner
        self.tests: list[Test] = []

    @property
    def number(self) -> int | str:
        """The ID as an int if that int is written exactly like it (not "01"), else the ID."""
        try:
            number = int(self.id)
        except ValueError:
            return self.id
        return number if str(number) == self.id else self.id

    @property
    def name(self) -> str:
        """The file without `tests/integration/`, and the ID."""
        return f"{self._short_path} | group {self.id}"

    @property
    def artifact_name(self) -> str:
        """The name in characters that are allowed in an artifact's name. Two groups may have the same."""
        return replace_forbidden(f"{self._short_path}-group-{self.id}".replace(" ", "-"))

    @property
    def command(self) -> str:
        """The shell line that runs this group."""
        return shlex.join(["pytest", self.path, f"--group={self.id}"])

    @property
    def sort_key(self) -> tuple[str, bool, int, str]:
        """The file, then int IDs by their value, then the other IDs."""
        number = self.number
        return (self.path, False, number, "") if isinstance(number, int) else (self.path, True, 0, number)

    @property
    def _short_path(self) -> str:
        before, _, after = f"/{self.path.removeprefix('./')}".rpartition("/tests/integration/")
        return f"{before}/{after}".lstrip("/")


def group_tests(tests: Iterable[Test], start: Path, default_group: str | None = None) -> list[Group]:
    """Return the groups of the tests, sorted by file, then group.

    Raises:
        GroupsError: A test has no group, a marker can't be used, or the runners in a group differ. It lists them all.
    """
    ids = InnermostMarker("group", read_group)
    runners = InnermostMarker("runner", read_runner)
    groups: dict[tuple[Path, str], Group] = {}
    # A thousand tests may share one bad marker: it is reported once.
    errors: dict[tuple[str, str], GroupsError] = {}
    without_group: list[Test] = []
    conflicts: dict[tuple[Path, str], Group] = {}
    for test in tests:
        try:
            group_id, runner = ids.get(test) or default_group, runners.get(test)
        except MarkerError as error:
            key = (_position(error.node, start), str(error))
            error.where = _place(error.node, start)
            errors.setdefault(key, error)
            continue
        if group_id is None:
            without_group.append(test)
            continue
        group = groups.get((test.path, group_id))
        if group is None:
            group = groups[test.path, group_id] = Group(relative(test.path, start), group_id)
        # A test without the marker follows its group.
        if group.runner is None:
            group.runner = runner
        elif runner is not None and runner != group.runner:
            conflicts[test.path, group_id] = group
        group.tests.append(test)
    found = list(errors.values())
    if without_group:
        found.append(_without_group(without_group, start))
    found += [_runner_conflict(group, runners, start) for group in conflicts.values()]
    if found:
        raise found[0] if len(found) == 1 else GroupsError("\n\n".join(map(str, found)))
    return sorted(groups.values(), key=lambda group: group.sort_key)


def relative(path: os.PathLike[str] | str, start: Path) -> str:
    """Return a path relative to the start directory, in POSIX form."""
    text = Path(os.path.relpath(path, start)).as_posix()
    # pytest takes -FILE for an option, and reads arguments from @FILE.
    return f"./{text}" if text.startswith(("-", "@")) else text


def _position(node: Node, start: Path) -> str:
    """Return where a node is written: FILE:LINE, or FILE if it has no line."""
    path: os.PathLike[str] | str = node.path
    line = None
    if hasattr(node, "reportinfo"):
        path, line, _ = node.reportinfo()
    return relative(path, start) if line is None else f"{relative(path, start)}:{line + 1}"


def _place(node: Node, start: Path) -> str:
    """Return where a node is written, and its name in that file if it has one."""
    name = getattr(node, "nodeid", "").partition("::")[2]
    return f"{_position(node, start)}: {name}".removesuffix(": ")


def _without_group(tests: Sequence[Test], start: Path) -> GroupsError:
    problem = [f"{count(len(tests), 'test')} without a group:", *(f"  {_place(test, start)}" for test in tests)]
    advice = (
        "Write @pytest.mark.group(1) above each test or its class, or pytestmark = pytest.mark.group(1) at the top of "
        "a file with only one group. To put all tests without a marker into one group of their file, set "
        "default_group = 1 in pytest's configuration."
    )
    folders = {folder for test in tests for folder in test.path.parents if folder.is_relative_to(start)}
    for file in sorted(folder / name for folder in folders for name in ("conftest.py", "__init__.py")):
        with suppress(OSError, ValueError):
            if re.search(r"^pytestmark\b", file.read_text(encoding="utf-8"), re.MULTILINE):
                advice += f"\n{relative(file, start)} has a pytestmark. There, pytest ignores it: it marks nothing."
    if not all(callable(getattr(test, "obj", None)) for test in tests):
        advice += (
            "\nA test that isn't a Python function can't have a decorator: in conftest.py, let "
            "pytest_collection_modifyitems(items) call item.add_marker(pytest.mark.group(1))."
        )
    return GroupsError("\n".join(problem), advice=advice)


def _runner_conflict(group: Group, runners: InnermostMarker[str | list[str]], start: Path) -> GroupsError:
    problem = [f"the tests of group {group.id} in {group.path} ask for different runners:"]
    problem += [f"  {_place(test, start)}: {runner}" for test in group.tests if (runner := runners.get(test))]
    return GroupsError("\n".join(problem), advice="Keep one of the runners, or put the tests into different groups.")
