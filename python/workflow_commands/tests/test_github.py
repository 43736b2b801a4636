"""What GitHub reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from workflow_commands.common.github import annotate, append

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "one=1\ntwo=ä\n"),
        ("zero=0\n", "zero=0\none=1\ntwo=ä\n"),
        ("zero=0", "zero=0\none=1\ntwo=ä\n"),
        ("\n", "\none=1\ntwo=ä\n"),
    ],
)
def test_lines_are_appended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: str, after: str) -> None:
    path = tmp_path / "output"
    path.write_text(before, encoding="utf-8")
    monkeypatch.setenv("GITHUB_OUTPUT", str(path))
    append("GITHUB_OUTPUT", "one=1", "two=ä")
    assert path.read_text(encoding="utf-8") == after


@pytest.mark.parametrize("value", [None, ""])
def test_lines_are_printed_on_a_laptop(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], value: str | None
) -> None:
    monkeypatch.delenv("GITHUB_OUTPUT", raising=False)
    if value is not None:
        monkeypatch.setenv("GITHUB_OUTPUT", value)
    append("GITHUB_OUTPUT", "one=1", "two=2")
    assert capsys.readouterr().out == "one=1\ntwo=2\n"


def test_annotations_are_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    annotate("error", "a:b,c%\n", "100 %\r\n::error::mine", "second")
    assert capsys.readouterr().out == (
        "::error title=a%3Ab%2Cc%25%0A::100 %25%0D%0A::error::mine\n::error title=a%3Ab%2Cc%25%0A::second\n"
    )
