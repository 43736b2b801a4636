"""The tasks of spread: a name and a task.yaml for each group, and the folder with all of them.

https://github.com/canonical/spread
"""

from __future__ import annotations

import difflib
import io
import os
import re
import shlex
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError
from ruamel.yaml.scalarstring import LiteralScalarString

from pytest_operator_groups.common.errors import GroupsError
from pytest_operator_groups.formats.matrix import group_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

HEADER = "# Written by write-spread-tasks: change its options or its template, not this file.\n"
# Of the 255 bytes that a folder's name can have.
_MAX_NAME = 200
_OWN_KEYS = ("summary", "priority", "execute")
_OWN_VARIABLES = ("TEST_FILE", "GROUP")


def _make_yaml() -> YAML:
    yaml = YAML()
    yaml.width = 1_000_000
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.preserve_quotes = True
    return yaml


@dataclass
class TaskOptions:
    """What the tasks of all groups share."""

    test_command: str  # for a shell, without pytest's arguments
    arguments: Sequence[str]  # more of them, for pytest
    start: str  # the path from a task's folder to the one in which pytest starts
    kill_timeout: str | None = None  # as spread reads it, or None for spread's own
    systems: Sequence[tuple[str, str]] = ()  # labels of runners with their systems, the most important first
    template: str = ""  # the YAML of the other keys
    template_path: Path | None = None  # for errors
    yaml: YAML = field(default_factory=_make_yaml)

    def read_template(self) -> CommentedMap:
        """Return a new copy of the template, with its comments.

        Raises:
            GroupsError: It isn't a part of a task.
        """
        where = str(self.template_path)
        try:
            template = self.yaml.load(self.template)
        except YAMLError as error:
            raise GroupsError(f"this is not YAML: {error}", where=where) from None
        if template is None:
            return CommentedMap()
        if not isinstance(template, CommentedMap):
            raise GroupsError(
                "this is not a mapping", where=where, advice='Write keys of a task, such as "restore: ..."'
            )
        for key, kind, example in (("environment", dict, "{NAME: value}"), ("artifacts", list, "[logs/]")):
            if not isinstance(template.get(key, kind()), kind):
                raise GroupsError(
                    f"{key} has a wrong type", where=where, advice=f"Write, for example: {key}: {example}"
                )
        own = [key for key in _OWN_KEYS if key in template]
        own += [f"environment: {name}" for name in template.get("environment", {}) if _variable(name) in _OWN_VARIABLES]
        if own:
            raise GroupsError(
                f"write-spread-tasks itself writes {' and '.join(own)}",
                where=where,
                advice="Remove it. The options --test-command and --durations change what is written. `prepare` is a "
                "script that runs before `execute`",
            )
        return template


def name_tasks(groups: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a name for each group that spread takes: `^[a-z0-9]+(?:[-._][a-z0-9]+)*$`."""
    names = [_name(group) for group in groups]
    uses = Counter(names)
    return [
        name
        if uses[name] == 1 and len(name) <= _MAX_NAME
        else f"{name[:_MAX_NAME].rstrip('-._')}-{group_key(group).digest}"
        for name, group in zip(names, groups, strict=True)
    ]


def write_task(group: Mapping[str, Any], priority: int | None, options: TaskOptions) -> str:
    """Return the task.yaml of a group.

    Args:
        group: The group in the JSON of --collect-groups.
        priority: spread starts the task with the highest first. None if nothing is known.
        options: What all tasks share.

    Raises:
        GroupsError: The template can't be used.
    """
    task = options.read_template()
    systems = CommentedSeq(find_systems(group["runner"], options.systems))
    for key, value in (("systems", systems), ("kill-timeout", options.kill_timeout)):
        if key in task and value:
            task[key] = value
    environment = task.get("environment", CommentedMap())
    for name, value in ((_OWN_VARIABLES[1], group["group_id"]), (_OWN_VARIABLES[0], group["path_to_test_file"])):
        environment.insert(0, name, _quote(value))
    artifacts = task.get("artifacts", CommentedSeq())
    artifacts.insert(0, "junit.xml")
    keys = {
        "summary": group["job_name"],
        "systems": systems,
        "priority": priority,
        "kill-timeout": options.kill_timeout,
        "environment": environment,
        "artifacts": artifacts,
        "execute": LiteralScalarString(_script(options)),
    }
    added = {key: value for key, value in keys.items() if value and key not in task}
    for position, (key, value) in enumerate(added.items()):
        task.insert(position, key, value)
    text = io.StringIO()
    options.yaml.dump(task, text)
    return HEADER + text.getvalue()


class WrittenTask(NamedTuple):
    """A task of `write_task`. If it was edited, or has a merge conflict, nothing is known of it."""

    file: str = ""
    start: str = ""  # the path from its folder to the one in which pytest starts
    priority: int | None = None


def read_task(text: str) -> WrittenTask | None:
    """Return what is in a task.yaml of `write_task`, or None if somebody else wrote it."""
    if not text.startswith(HEADER):
        return None
    try:
        task = _make_yaml().load(text)
        file, priority = task["environment"]["TEST_FILE"], task.get("priority")
        _, start, *_ = task["execute"].splitlines()
        _, start = shlex.split(start)
        return WrittenTask(_unquote(file), start, priority if isinstance(priority, int) else None)
    except (YAMLError, LookupError, TypeError, AttributeError, ValueError):
        return WrittenTask()


def find_systems(runner: str | Sequence[str] | None, systems: Sequence[tuple[str, str]]) -> list[str]:
    """Return the systems of the first label that a runner has, or an empty list."""
    labels = [runner] if isinstance(runner, str) else runner or []
    first = next((label for label, _ in systems if label in labels), None)
    return [system for label, system in systems if label == first]


def _script(options: TaskOptions) -> str:
    arguments = "".join(f" {shlex.quote(argument)}" for argument in options.arguments)
    return (
        'junit="$PWD/junit.xml"\n'
        f"cd {shlex.quote(options.start)}\n"
        f'{options.test_command} "$TEST_FILE" --group="$GROUP" --junit-xml="$junit"{arguments}\n'
    )


def _name(group: Mapping[str, Any]) -> str:
    file, _, group_id = group["job_name"].rpartition(" | group ")
    name = f"{file.removesuffix('.py')}-{group_id}".lower()
    # A separator between two words stays. Everything else between them becomes a hyphen.
    return re.sub("[^a-z0-9]{2,}|[^a-z0-9._-]", "-", name).strip("-._") or "group"


def _quote(value: str) -> str:
    """Return the value of a variable as spread needs it: spread adds double quotes, unless it begins with a quote."""
    return shlex.quote(value) if re.search("""[$`"'\\\\]""", value) else value


def _variable(name: str) -> str:
    """Return the variable that a name in `environment` sets: NAME/VARIANT sets it for a variant."""
    return name.partition("/")[0]


def _unquote(value: str) -> str:
    return shlex.split(value)[0] if value.startswith("'") else value


class Change(NamedTuple):
    """A file that isn't as it should be."""

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
        self.path.unlink(missing_ok=True)
        if not any(self.path.parent.iterdir()):
            self.path.parent.rmdir()


def make_all(changes: Sequence[Change]) -> None:
    """Make all changes, or none.

    Raises:
        OSError: A file can't be written or removed.
    """
    begun: list[Change] = []
    try:
        for change in changes:
            begun.append(change)
            change.make()
    except OSError:
        for change in reversed(begun):
            with suppress(OSError):
                Change(change.path, change.new, change.old).make()
        raise


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
