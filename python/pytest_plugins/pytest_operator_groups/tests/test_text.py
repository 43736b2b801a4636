"""The small functions for text: errors, tables, and lines of a shell."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import pytest
from pytest_operator_groups.common.errors import GroupsError
from pytest_operator_groups.common.tables import code, text_table
from pytest_operator_groups.common.text import cell_width, count, duration, printable
from pytest_operator_groups.suite.command_line import drop_folders, join_option, selecting_options

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (GroupsError("it is wrong"), "it is wrong"),
        (GroupsError("it is wrong", where="a.py:1"), "a.py:1: it is wrong"),
        (GroupsError("it is wrong", advice="Write this."), "it is wrong. Write this."),
        (GroupsError("it is wrong", where="a.py:1", advice="Write this."), "a.py:1: it is wrong. Write this."),
        (GroupsError("wrong:\n  a\n  b", where="a.py", advice="Write this."), "a.py: wrong:\n  a\n  b\nWrite this."),
    ],
)
def test_error(error: GroupsError, text: str) -> None:
    assert str(error) == text


def test_error_keeps_its_parts() -> None:
    error = GroupsError("it is wrong", where="a.py:1", advice="Write this.")
    assert (error.problem, error.where, error.advice) == ("it is wrong", "a.py:1", "Write this.")


@pytest.mark.parametrize(("number", "text"), [(0, "0 groups"), (1, "1 group"), (2, "2 groups"), (1000, "1000 groups")])
def test_count(number: int, text: str) -> None:
    assert count(number, "group") == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "-"),
        (0, "0.0 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min 0.0 s"),
        (123, "2 min 3.0 s"),
        (7323.4, "122 min 3.4 s"),
    ],
)
def test_duration(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(("text", "width"), [("", 0), ("abc", 3), ("é", 1), ("日本", 4), ("a日", 3), ("\uff21", 2)])
def test_cells(text: str, width: int) -> None:
    assert cell_width(text) == width


def test_printable() -> None:
    assert printable("a\x1b[31m\n日\u202e\udcff") == r"a\x1b[31m\n日\u202e\udcff"


def test_text_table() -> None:
    rows = [("NAME", "N", "END"), ("a", "10", ""), ("日本語", "9", "x")]
    assert text_table(rows, "<><") == ["NAME     N  END", "a       10", "日本語   9  x"]


@pytest.mark.parametrize(
    ("text", "span"), [("a", "`a`"), ("a|b", "`a|b`"), ("a`b", "`` a`b ``"), ("``", "``` `` ```"), ("", "``")]
)
def test_code(text: str, span: str) -> None:
    assert code(text) == span


@pytest.mark.parametrize(
    ("line", "joined"),
    [
        ("", ""),
        ("--group 1", "--group=1"),
        ("a --group 1 b", "a --group=1 b"),
        ("--group=1 a", "--group=1 a"),
        ("--group", "--group"),
        ("--group -v", "--group -v"),
        ("--group -- a", "--group -- a"),
        ("-- --group a", "-- --group a"),
        ("--group 1 --group 2", "--group=1 --group=2"),
        ("--groups 1", "--groups 1"),
    ],
)
def test_join_option(line: str, joined: str) -> None:
    assert " ".join(join_option(line.split(), "--group")) == joined


@pytest.mark.parametrize(
    ("arguments", "left"),
    [
        ("", ""),
        ("a", "a"),
        ("a a/b", "a a/b"),
        ("a a/test_x.py", "a/test_x.py"),
        ("a/test_x.py a a/b", "a/test_x.py a/b"),
        ("a a/b a/b/test_y.py", "a/b/test_y.py"),
        ("a/b a/test_x.py", "a/b a/test_x.py"),
        ("a a/test_x.py::test_one[a::b]", "a/test_x.py::test_one[a::b]"),
        ("a a/missing.py", "a a/missing.py"),
        ("a/test_x.py a/test_x.py", "a/test_x.py a/test_x.py"),
        ("a/../a a/b/../test_x.py", "a/b/../test_x.py"),
    ],
)
def test_drop_folders(tmp_path: Path, arguments: str, left: str) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/test_x.py").touch()
    (tmp_path / "a/b/test_y.py").touch()
    assert drop_folders(arguments.split(), tmp_path) == left.split()


def test_selecting_options() -> None:
    nothing = argparse.Namespace(keyword="", markexpr="", deselect=None, lf=False, doctestmodules=False, verbose=1)
    assert selecting_options(nothing) == []
    # A plugin such as pytest's cacheprovider may be switched off.
    assert selecting_options(argparse.Namespace()) == []
    everything = argparse.Namespace(keyword="a b", markexpr="c", deselect=["d", "e"], lf=True, doctestmodules=True)
    assert selecting_options(everything) == [
        "-k", "a b", "-m", "c", "--deselect=d", "--deselect=e", "--lf", "--doctest-modules",
    ]  # fmt: skip
