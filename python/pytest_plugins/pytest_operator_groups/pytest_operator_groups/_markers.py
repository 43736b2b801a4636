"""What the markers of a test say: its group's ID and its runner, from the innermost level that has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from typing import Protocol

    import pytest

    class Node(Protocol):
        """What is read of pytest's items and collectors."""

        @property
        def path(self) -> Path: ...
        @property
        def parent(self) -> Node | None: ...
        @property
        def own_markers(self) -> Sequence[pytest.Mark]: ...


T = TypeVar("T")

# What an artifact's name can't hold (https://github.com/actions/upload-artifact/issues/22), the single quote, which
# ends a quoted word in a shell line, and control characters.
_FORBIDDEN = dict.fromkeys([*map(ord, "\\/\"':<>|*?"), *range(0x20), *range(0x7F, 0xA0)], "-")


class MarkerError(ValueError):
    """A marker that can't be used, and the node that has it."""

    def __init__(self, node: Node, message: str) -> None:
        super().__init__(message)
        self.node = node


def group_id(mark: pytest.Mark) -> str:
    """Return the ID in a `group` marker as a str, since `group(1)` and `group("1")` name one group.

    Raises:
        ValueError: There is no ID, or it can't be used. The message says why, and what to write.
    """
    if len(mark.args) != 1 or mark.kwargs:
        raise ValueError(f"{written(mark)} needs exactly one ID. Write, for example, @pytest.mark.group(1).")
    value = mark.args[0]
    if type(value) is int:
        return str(value)
    if not isinstance(value, str):
        raise ValueError(
            f"the ID in {written(mark)} is neither an int nor a str. "
            'Write, for example, @pytest.mark.group(1) or @pytest.mark.group("backup").'
        )
    group = str(value)  # of a subclass, too
    if not group.strip():
        raise ValueError(f'the ID in {written(mark)} is empty. Write, for example, @pytest.mark.group("backup").')
    allowed = without_forbidden(group)
    if group != allowed:
        forbidden = [one for one, other in zip(group, allowed, strict=True) if one != other]
        characters = " ".join(dict.fromkeys(ascii(character)[1:-1] for character in forbidden))
        raise ValueError(
            f"the ID in {written(mark)} holds what an artifact's name or a shell line can't: {characters} "
            f"Write, for example, @pytest.mark.group({allowed!r})."
        )
    return group


def runner_labels(mark: pytest.Mark) -> str | list[str]:
    """Return what a `runner` marker asks for: one label, or a list of labels.

    Raises:
        ValueError: There are no labels, or they can't be used. The message says what to write.
    """
    value = mark.args[0] if len(mark.args) == 1 and not mark.kwargs else None
    labels = [value] if isinstance(value, str) else value
    if not isinstance(labels, (list, tuple)) or not labels or not all(map(_is_label, labels)):
        raise ValueError(
            f"{written(mark)} needs one label, or one list of labels. Write, for example, "
            '@pytest.mark.runner("ubuntu-24.04-arm") or @pytest.mark.runner(["self-hosted", "linux", "large"]).'
        )
    return value if isinstance(value, str) else list(labels)


def _is_label(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip()) and value.isprintable()


def without_forbidden(text: str) -> str:
    """Return the text with a - for each character that a group's ID and an artifact's name can't hold."""
    # Half of a surrogate pair, which no file in UTF-8 can hold, becomes a ?.
    return text.encode(errors="replace").decode().translate(_FORBIDDEN)


def written(mark: pytest.Mark) -> str:
    """Return a marker as it was written in the test."""
    arguments = [
        *map(repr, mark.args),
        *(f"{name}={value!r}" for name, value in mark.kwargs.items()),
    ]
    return f"@pytest.mark.{mark.name}({', '.join(arguments)})"


class InnermostMarker(Generic[T]):
    """What the marker of one name says of an item: its parameter set's, else its function's, class's or module's."""

    def __init__(self, name: str, read: Callable[[pytest.Mark], T]) -> None:
        self._name = name
        self._read = read
        # By id(), which is quicker than a node's hash; pytest keeps the nodes.
        self._of_parent: dict[int, T | None] = {}

    def of(self, node: Node) -> T | None:
        """Return what the marker says, or None where the node and its parents have none.

        Raises:
            MarkerError: The marker can't be read, or one level has two that differ.
        """
        marks = [mark for mark in node.own_markers if mark.name == self._name]
        if marks:
            return self._agreed(node, marks)
        parent = node.parent
        if parent is None:
            return None
        try:
            return self._of_parent[id(parent)]
        except KeyError:
            said = self._of_parent[id(parent)] = self.of(parent)
            return said

    def _agreed(self, node: Node, marks: list[pytest.Mark]) -> T:
        level = ""
        if len(marks) > 1:
            level, marks = _innermost_level(node, marks)
        try:
            value = self._read(marks[0])
            if len(marks) == 1 or all(self._read(mark) == value for mark in marks[1:]):
                return value
        except ValueError as error:
            raise MarkerError(node, str(error)) from None
        raise MarkerError(
            node, f"{len(marks)} {self._name} markers {level}: {', '.join(map(written, marks))}. Keep one of them."
        )


def _innermost_level(node: Node, marks: list[pytest.Mark]) -> tuple[str, list[pytest.Mark]]:
    """Tell apart the levels whose markers pytest keeps in one list, by where it took each of them from.

    An item's list holds those of its function, then of its parameter set, then what hooks added; a class's list holds
    those of its base classes, too.
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
