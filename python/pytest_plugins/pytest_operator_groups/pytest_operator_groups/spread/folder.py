"""The folder with spread's tasks: what is there, and what has to change."""

from __future__ import annotations

import difflib
import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pytest_operator_groups.common.errors import GroupsError
from pytest_operator_groups.spread.tasks import read_task

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Change(NamedTuple):
    """A file that isn't as it should be.

    Attributes:
        path: The file.
        old: Its text, or None if there is no such file.
        new: The text that it should have, or None if it has to go.
    """

    path: Path
    old: str | None
    new: str | None

    @property
    def diff(self) -> str:
        """The difference, as `diff -u` shows it."""
        old, new = ((text or "").splitlines(keepends=True) for text in (self.old, self.new))
        before, after = ("/dev/null" if text is None else self.path.as_posix() for text in (self.old, self.new))
        diff = difflib.unified_diff(old, new, before, after)
        return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in diff)

    def make(self) -> None:
        """Write or remove the file. A folder that is empty then goes as well.

        Raises:
            OSError: The file can't be written or removed.
        """
        if self.new is not None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.write_text(self.new, encoding="utf-8", newline="\n")
            return
        self.path.unlink()
        if not any(self.path.parent.iterdir()):
            self.path.parent.rmdir()


class SpreadFolder:
    """A folder with tasks.

    Args:
        folder: The folder. It may be missing.
        start: The path from a task's folder to the one in which pytest starts. Other tasks are of another suite.

    Raises:
        OSError: A task can't be read.
    """

    def __init__(self, folder: Path, start: str) -> None:
        self._folder = folder
        self._texts = {
            path.parent.name: path.read_text(encoding="utf-8", errors="replace")
            for path in sorted(folder.glob("*/task.yaml"))
        }
        tasks = {name: read_task(text) for name, text in self._texts.items()}
        self._ours = {name: task for name, task in tasks.items() if task and task.start in {start, ""}}

    def priority(self, name: str) -> int | None:
        """Return the priority that a task of ours has now, or None."""
        return self._ours[name].priority if name in self._ours else None

    def compare(self, tasks: Mapping[str, str], paths: Iterable[str]) -> list[Change]:
        """Return the files to write and to remove.

        Args:
            tasks: The text of each task.yaml that should be there, by the name of the task.
            paths: The files and folders that were collected. Empty if it was the whole suite.

        Raises:
            GroupsError: A file that somebody else wrote is in the way.
        """
        for name in tasks:
            if name in self._texts and name not in self._ours:
                raise GroupsError(
                    "write-spread-tasks did not write this file for this suite, so it can't replace it",
                    where=str(self._path(name)),
                    advice="Remove it, or name another folder: --folder DIR",
                )
        changes = [
            Change(self._path(name), self._texts.get(name), text)
            for name, text in tasks.items()
            if self._texts.get(name) != text
        ]
        roots = [os.path.abspath(path) for path in paths]  # noqa: PTH100, Path.absolute keeps ".."
        return changes + [
            Change(self._path(name), self._texts[name], None)
            for name, task in self._ours.items()
            if name not in tasks and (not roots or not os.path.exists(task.file) or _is_in(task.file, roots))  # noqa: PTH110
        ]

    def _path(self, name: str) -> Path:
        return self._folder / name / "task.yaml"


def _is_in(file: str, roots: Iterable[str]) -> bool:
    path = Path(os.path.abspath(file))  # noqa: PTH100
    return any(path.is_relative_to(root) for root in roots)
