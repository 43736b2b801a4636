"""The service through its command line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import notes
import pytest

pytestmark = [pytest.mark.group("command"), pytest.mark.runner("ubuntu-24.04-arm")]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, Path(notes.__file__), *arguments], capture_output=True, text=True, check=False
    )


def test_adds_a_note(url: str, token: str) -> None:
    result = run(url, token, "buy milk")
    assert (result.returncode, result.stdout, result.stderr) == (0, "buy milk\n", "")
    assert notes.notes(url)[-1] == "buy milk"


def test_says_why_a_note_is_refused(url: str) -> None:
    result = run(url, "guessed", "buy bread")
    assert (result.returncode, result.stdout, result.stderr) == (1, "", "refused: unknown token\n")
