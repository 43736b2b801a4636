"""The groups of a suite: which tests they hold, and the matrix that they make."""

from __future__ import annotations

import os
import shlex
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_operator_groups._markers import InnermostMarker, MarkerError, group_id, runner_labels, without_forbidden

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Protocol

    from pytest_operator_groups._markers import Node

    class Test(Node, Protocol):
        """What is read of pytest's items, besides their markers."""

        @property
        def nodeid(self) -> str: ...
        def reportinfo(self) -> tuple[os.PathLike[str] | str, int | None, str]: ...


# https://docs.github.com/actions/reference/limits#existing-system-limits
MAX_JOBS_IN_A_MATRIX = 256
# GitHub refuses an artifact's name of over 256 characters: half of them are left to what a workflow writes around ours.
MAX_ARTIFACT_NAME = 128


class GroupsError(ValueError):
    """Tests that don't make groups. The message lists each fault, with its place and what to write instead."""


class Group:
    """The tests of one file that run together.

    Attributes:
        path: The test file, relative to the directory that pytest was started in, in POSIX form.
        id: The ID, always as a str.
        runner: The labels that `runs-on` gets, or None for the workflow's default.
        tests: The group's items, in the order of the collection.
    """

    def __init__(self, path: str, group_id: str, runner: str | list[str] | None) -> None:
        self.path = path
        self.id = group_id
        self.runner = runner
        self.tests: list[Test] = []

    @property
    def number(self) -> int | str:
        """The ID as an int where that int is written in just this way (not "01"), else the ID."""
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
        """The name in the characters that an artifact's name can have. Two groups may share it."""
        return without_forbidden(f"{self._short_path}-group-{self.id}".replace(" ", "-"))

    @property
    def command(self) -> str:
        """The shell line that runs this group."""
        return shlex.join(["pytest", self.path, f"--group={self.id}"])

    @property
    def _short_path(self) -> str:
        before, _, after = f"/{self.path}".rpartition("/tests/integration/")
        return f"{before}/{after}".lstrip("/")

    @property
    def order(self) -> tuple[str, bool, int, str]:
        """What groups are sorted by: the file, then int IDs by their value, then the others."""
        number = self.number
        return (self.path, False, number, "") if isinstance(number, int) else (self.path, True, 0, number)


def group_tests(tests: Iterable[Test], start: Path) -> list[Group]:
    """Return the groups of the tests, sorted by file, then group.

    Args:
        tests: The items that pytest has collected and not deselected.
        start: The directory that pytest was started in.

    Raises:
        GroupsError: A test without a group, a marker that can't be used, or runners that disagree.
    """
    ids = InnermostMarker("group", group_id)
    runners = InnermostMarker("runner", runner_labels)
    groups: dict[tuple[Path, str], Group] = {}
    faults: dict[tuple[str, str], str] = {}
    without_group: list[Test] = []
    disagreeing: dict[tuple[Path, str], Group] = {}
    for test in tests:
        try:
            group, runner = ids.of(test), runners.of(test)
        except MarkerError as error:
            # One marker may be the fault of a thousand tests: it is told of once.
            faults.setdefault(
                (_position(error.node, start), str(error)),
                f"{_place(error.node, start)}: {error}",
            )
            continue
        if group is None:
            without_group.append(test)
            continue
        key = (test.path, group)
        known = groups.get(key)
        if known is None:
            known = groups[key] = Group(relative(test.path, start), group, runner)
        elif runner != known.runner:
            disagreeing[key] = known
        known.tests.append(test)
    messages = list(faults.values())
    if without_group:
        messages.append(_without_group(without_group, start))
    messages += [_disagreeing(group, runners, start) for group in disagreeing.values()]
    if messages:
        raise GroupsError("\n\n".join(messages))
    return sorted(groups.values(), key=lambda group: group.order)


def matrix(groups: Sequence[Group]) -> list[dict[str, object]]:
    """Return the groups as a matrix for GitHub Actions: a dictionary for each job.

    Raises:
        GroupsError: There are more groups than GitHub starts jobs for.
    """
    if len(groups) > MAX_JOBS_IN_A_MATRIX:
        per_file = Counter(group.path for group in groups)
        raise GroupsError(
            f"{len(groups)} groups are more than the {MAX_JOBS_IN_A_MATRIX} jobs that GitHub makes of one matrix. "
            "Give more tests the same @pytest.mark.group(ID), or collect the suite in parts, for example:\n"
            + "\n".join(
                f"  pytest {shlex.quote(path)} --collect-groups  # {n} groups" for path, n in per_file.most_common(3)
            )
        )
    names = [group.artifact_name for group in groups]
    taken = Counter(map(str.casefold, names))
    return [
        {
            "path_to_test_file": group.path,
            "group_number": group.number,
            "job_name": group.name,
            "group_id": group.id,
            "artifact_group_id": name
            if taken[name.casefold()] == 1 and len(name) <= MAX_ARTIFACT_NAME
            else _unique_artifact_name(group),
            "runner": group.runner,
        }
        for group, name in zip(groups, names, strict=True)
    ]


def _unique_artifact_name(group: Group) -> str:
    import hashlib

    digest = hashlib.sha256(os.fsencode(f"{group.path}|{group.id}")).hexdigest()[:8]
    return f"{group.artifact_name[: MAX_ARTIFACT_NAME - 9]}-{digest}"


def relative(path: os.PathLike[str] | str, start: Path) -> str:
    """Return a path as it is written from the start directory, in POSIX form."""
    return Path(os.path.relpath(path, start)).as_posix()


def _position(node: Node, start: Path) -> str:
    """Return where a node is written: FILE:LINE, or FILE where there is no line."""
    path: os.PathLike[str] | str = node.path
    line = None
    if hasattr(node, "reportinfo"):
        path, line, _ = node.reportinfo()
    return relative(path, start) if line is None else f"{relative(path, start)}:{line + 1}"


def _place(node: Node, start: Path) -> str:
    """Return where a node is written, and its name in that file where it has one."""
    name = getattr(node, "nodeid", "").partition("::")[2]
    return f"{_position(node, start)}: {name}".removesuffix(": ")


def _without_group(tests: Sequence[Test], start: Path) -> str:
    lines = [f"{count(len(tests), 'test')} without a group:"]
    lines += [f"  {_place(test, start)}" for test in tests]
    lines.append(
        "Write @pytest.mark.group(1) above each test or its class, or pytestmark = pytest.mark.group(1) at the top of "
        "a file whose tests are all one group."
    )
    if not all(callable(getattr(test, "obj", None)) for test in tests):
        lines.append(
            "What isn't a Python function takes no decorator: in conftest.py, let pytest_collection_modifyitems(items) "
            "call item.add_marker(pytest.mark.group(1))."
        )
    return "\n".join(lines)


def _disagreeing(group: Group, runners: InnermostMarker[str | list[str]], start: Path) -> str:
    lines = [f"the tests of group {group.id} in {group.path} ask for different runners:"]
    lines += [f"  {_place(test, start)}: {runners.of(test) or 'no runner'}" for test in group.tests]
    lines.append(
        "Write the same @pytest.mark.runner(LABELS) above each of them, or one above their class, or put them into "
        "different groups."
    )
    return "\n".join(lines)


def count(number: int, noun: str) -> str:
    """Return a number of things, in words."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
