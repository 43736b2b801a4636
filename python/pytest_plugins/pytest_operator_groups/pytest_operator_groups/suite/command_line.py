"""pytest's command line: the files in it, the options that select tests, and the lines that run a group."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_operator_groups.common.errors import GroupsError
from pytest_operator_groups.suite.groups import relative

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from pytest_operator_groups.suite.groups import Group

_FOLDER = "tests/integration/"


def option_conflict(with_pytest_split: bool) -> GroupsError:
    """Return the error for another plugin with an option --group."""
    if with_pytest_split:
        return GroupsError(
            "pytest-split and pytest-operator-groups both have an option --group",
            advice="Run with one of them: pytest -p no:pytest-split, or pytest -p no:pytest_operator_groups.",
        )
    return GroupsError(
        "another plugin or a conftest.py has an option --group, or one that is stored as `group`, "
        "as pytest-operator-groups has",
        advice="Switch that plugin off with pytest -p no:NAME (pytest --trace-config lists the names), or this one "
        "with pytest -p no:pytest_operator_groups.",
    )


def join_option(arguments: Sequence[str], option: str) -> list[str]:
    """Return a command line in which an option and its value are one word: `--group=1` in place of `--group 1`."""
    joined: list[str] = []
    words = iter(arguments)
    for word in words:
        if word == "--":
            return [*joined, word, *words]
        if joined and joined[-1] == option and not word.startswith("-"):
            joined[-1] = f"{option}={word}"
        else:
            joined.append(word)
    return joined


def drop_folders(arguments: Sequence[str], start: Path) -> list[str]:
    """Return the paths on a command line without the folders around a file that is there as well."""
    paths = [_real_path(argument, start) for argument in arguments]
    around_files = {parent for path in paths if path.is_file() for parent in path.parents}
    return [argument for argument, path in zip(arguments, paths, strict=True) if path not in around_files]


def selecting_options(option: argparse.Namespace) -> list[str]:
    """Return the options that selected tests, from pytest's parsed command line."""
    values = vars(option)
    flags = {"-k": "keyword", "-m": "markexpr"}
    options = [word for flag, name in flags.items() if values.get(name) for word in (flag, values[name])]
    options += [f"--deselect={prefix}" for prefix in values.get("deselect") or ()]
    options += [f"--doctest-glob={pattern}" for pattern in values.get("doctestglob") or ()]
    # Without it, tests without a marker are in no group.
    options += [f"--override-ini={ini}" for ini in values.get("override_ini") or () if ini.startswith("default_group=")]
    switches = {"--lf": "lf", "--sw": "stepwise", "--doctest-modules": "doctestmodules"}
    return options + [switch for switch, name in switches.items() if values.get(name)]


class GroupCommands:
    """Makes the shell lines that run groups with what has selected their tests."""

    def __init__(self, arguments: Sequence[str], options: Sequence[str], start: Path) -> None:
        self._options = options
        self._parts: dict[str, list[str]] = {}
        whole = [_real_path(argument, start) for argument in arguments if "::" not in argument]
        for argument in arguments:
            path = _real_path(argument, start)
            if path.is_file() and not any(path.is_relative_to(other) for other in whole):
                file, _, part = argument.partition("::")
                file = relative(start / file, start)
                self._parts.setdefault(file, []).append(f"{file}::{part}")

    def get(self, group: Group) -> str:
        """Return the line that runs a group."""
        return self._line(self._parts.get(group.path, [group.path]), group.id)

    def patterns(self, groups: Sequence[Group]) -> list[str]:
        """Return the lines that run the groups, with FILE and ID in place of what a group's name says."""
        folder = _FOLDER if has_common_folder(groups) else ""
        return list(dict.fromkeys(self._line(self._parts.get(group.path, [f"{folder}FILE"]), "ID") for group in groups))

    def _line(self, paths: Sequence[str], group_id: str) -> str:
        return shlex.join(["pytest", *paths, f"--group={group_id}", *self._options])


def has_common_folder(groups: Sequence[Group]) -> bool:
    """Return whether all files are below tests/integration/, so that their names tell their paths."""
    return all(group.path.startswith(_FOLDER) for group in groups)


def _real_path(argument: str, start: Path) -> Path:
    return Path(os.path.realpath(start / argument.partition("::")[0]))
