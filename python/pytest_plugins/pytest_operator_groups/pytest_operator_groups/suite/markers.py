"""The markers of a test: the ID of its group and its runner, from the innermost level that has the marker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from pytest_operator_groups.common.errors import GroupsError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from typing import Protocol

    import pytest

    class Node(Protocol):
        """What is read from pytest's items and collectors."""

        @property
        def path(self) -> Path: ...
        @property
        def parent(self) -> Node | None: ...
        @property
        def own_markers(self) -> Sequence[pytest.Mark]: ...


T = TypeVar("T")

# Not allowed in an artifact's name (https://github.com/actions/upload-artifact/issues/22), the single quote, which
# ends a quoted word in a shell line, and control characters.
_FORBIDDEN = dict.fromkeys([*map(ord, "\\/\"':<>|*?"), *range(0x20), *range(0x7F, 0xA0)], "-")


class MarkerError(GroupsError):
    """A marker that can't be used."""

    def __init__(self, node: Node, problem: str, advice: str) -> None:
        super().__init__(problem, advice=advice)
        self.node = node


def read_group(mark: pytest.Mark) -> str:
    """Return the ID in a `group` marker as a str, since `group(1)` and `group("1")` are the same group.

    Raises:
        GroupsError: There is no ID, or it can't be used.
    """
    if len(mark.args) != 1 or mark.kwargs:
        raise GroupsError(
            f"{decorator(mark)} needs exactly one ID", advice="Write, for example, @pytest.mark.group(1)."
        )
    return _check_id(mark.args[0], decorator(mark), lambda group_id: f"@pytest.mark.group({group_id})")


def read_default_group(value: object) -> str | None:
    """Return the ID in the ini option `default_group` as a str, or None if the option is empty.

    Raises:
        GroupsError: The ID can't be used.
    """
    if value == "":
        return None
    return _check_id(value, f"default_group = {value}", lambda group_id: f"default_group = {group_id.strip(chr(34))}")


def _check_id(value: object, source: str, write: Callable[[str], str]) -> str:
    """Return an ID as a str.

    Args:
        value: The ID.
        source: The text that has it.
        write: Returns the same text with another ID, which is written as in Python.

    Raises:
        GroupsError: The ID can't be used.
    """
    if type(value) is int:
        try:
            return str(value)
        except ValueError:
            raise GroupsError(
                f"the ID in {source} has more digits than Python writes", advice=f"Write, for example, {write('1')}."
            ) from None
    example = write('"backup"')
    if not isinstance(value, str):
        raise GroupsError(
            f"the ID in {source} is neither an int nor a str", advice=f"Write, for example, {write('1')} or {example}."
        )
    group_id = str(value)  # the value may be of a subclass
    if not group_id.strip():
        raise GroupsError(f"the ID in {source} is empty", advice=f"Write, for example, {example}.")
    allowed = replace_forbidden(group_id)
    if group_id != allowed:
        forbidden = [one for one, other in zip(group_id, allowed, strict=True) if one != other]
        characters = " ".join(dict.fromkeys(ascii(character)[1:-1] for character in forbidden))
        suggestion = write(f'"{repr(allowed)[1:-1]}"')
        raise GroupsError(
            f"the ID in {source} contains {characters} (not allowed in an artifact's name or a shell line)",
            advice=f"Write, for example, {suggestion}.",
        )
    return group_id


def read_runner(mark: pytest.Mark) -> str | list[str]:
    """Return the label or the list of labels in a `runner` marker.

    Raises:
        GroupsError: There are no labels, or they can't be used.
    """
    value = mark.args[0] if len(mark.args) == 1 and not mark.kwargs else None
    labels = [value] if isinstance(value, str) else value
    if not isinstance(labels, (list, tuple)) or not labels or not all(map(_is_label, labels)):
        raise GroupsError(
            f"{decorator(mark)} needs one label, or one list of labels",
            advice='Write, for example, @pytest.mark.runner("ubuntu-24.04-arm") or '
            '@pytest.mark.runner(["self-hosted", "linux", "large"]).',
        )
    return value if isinstance(value, str) else list(labels)


def _is_label(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip()) and value.isprintable()


def replace_forbidden(text: str) -> str:
    """Return the text with a - for each character that isn't allowed in a group's ID and an artifact's name."""
    # Half of a surrogate pair, which a file in UTF-8 can't contain, becomes a ?.
    return text.encode(errors="replace").decode().translate(_FORBIDDEN)


def decorator(mark: pytest.Mark) -> str:
    """Return a marker as it is written in a test file."""
    arguments = [
        *map(_show, mark.args),
        *(f"{name}={_show(value)}" for name, value in mark.kwargs.items()),
    ]
    return f"@pytest.mark.{mark.name}({', '.join(arguments)})"


def _show(value: object) -> str:
    try:
        return repr(value)
    except Exception:  # noqa: BLE001, it is the suite's code, or an int with more digits than Python writes
        return f"<{type(value).__name__}>"


class InnermostMarker(Generic[T]):
    """Looks up the value of a marker for items: on the parameter set, else the function, the class or the module."""

    def __init__(self, name: str, read: Callable[[pytest.Mark], T]) -> None:
        self._name = name
        self._read = read
        # The keys are id(node), which is quicker than a node's hash. pytest keeps the nodes.
        self._inherited: dict[int, T | None] = {}

    def get(self, node: Node) -> T | None:
        """Return the value, or None if neither the node nor its parents have the marker.

        Raises:
            MarkerError: The marker can't be used, or there are two different ones on one level.
        """
        marks = [mark for mark in node.own_markers if mark.name == self._name]
        if marks:
            return self._read_all(node, marks)
        parent = node.parent
        if parent is None:
            return None
        try:
            return self._inherited[id(parent)]
        except KeyError:
            value = self._inherited[id(parent)] = self.get(parent)
            return value

    def _read_all(self, node: Node, marks: list[pytest.Mark]) -> T:
        level = ""
        if len(marks) > 1:
            level, marks = _innermost_level(node, marks)
        try:
            value = self._read(marks[0])
            if len(marks) == 1 or all(self._read(mark) == value for mark in marks[1:]):
                return value
        except GroupsError as error:
            raise MarkerError(node, error.problem, error.advice) from None
        raise MarkerError(
            node, f"{len(marks)} {self._name} markers {level}: {', '.join(map(decorator, marks))}", "Keep one of them."
        )


def _innermost_level(node: Node, marks: list[pytest.Mark]) -> tuple[str, list[pytest.Mark]]:
    """Return the innermost level that has one of the marks, in words, and its marks.

    pytest keeps the marks of several levels in one list: an item's list has those of its function, then of its
    parameter set, then those that hooks added; a class's list has those of its base classes, too.
    """
    obj = getattr(node, "obj", None)
    levels: list[tuple[str, object]]
    if isinstance(obj, type):
        levels = [(f"on the class {cls.__name__}", vars(cls).get("pytestmark")) for cls in obj.__mro__]
    elif callable(obj):
        parameter_set = getattr(getattr(node, "callspec", None), "marks", None)
        levels = [("on one parameter set", parameter_set), ("on one function", getattr(obj, "pytestmark", None))]
    else:
        levels = [("on one module", getattr(obj, "pytestmark", None))]
    added = marks
    by_level = []
    for level, source in levels:
        known = {id(getattr(mark, "mark", mark)) for mark in (source if isinstance(source, list) else [source])}
        by_level.append((level, [mark for mark in marks if id(mark) in known]))
        added = [mark for mark in added if id(mark) not in known]
    return next((level, found) for level, found in [("added by hooks", added), *by_level] if found)
