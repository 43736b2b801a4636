"""CI runs every check, and skips no test."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]


# It stands in for `make`: it lists two checks, and each leaves tests out.
MAKE = """#!/bin/sh
case $* in
"--silent checks") echo one; echo two ;;
*) echo "make $*"; mkdir -p .tools; [ "$1" = charmcraft ] || echo "left out of $*" >>.tools/left-out ;;
esac
"""


def test_script_runs_every_check_and_says_at_its_end_what_was_left_out(tmp_path: Path) -> None:
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci/run", tmp_path / ".ci/run")
    (tmp_path / "make").write_text(MAKE)
    (tmp_path / "make").chmod(0o755)
    environment = os.environ | {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    for _ in range(2):
        run = subprocess.run([tmp_path / ".ci/run"], env=environment, check=True, capture_output=True, text=True)
        assert [line for line in run.stdout.splitlines() if not line.startswith("#")] == [
            "make charmcraft", "make one", "make two", "left out of one", "left out of two",
        ]  # fmt: skip


@pytest.fixture
def run_pytest(tmp_path: Path) -> Callable[..., str]:
    """Return a function that runs pytest with the settings of this repository, and returns what it shows."""

    def run(test: str, **variables: str) -> str:
        (tmp_path / "conftest.py").write_text((ROOT / "conftest.py").read_text())
        (tmp_path / ".tools/go").mkdir(parents=True)
        (tmp_path / ".tools/go/concierge.missing").write_text("concierge isn't here, and Go can't install it (403)\n")
        (tmp_path / "test_a.py").write_text(f"import pytest\n{test}")
        command = [sys.executable, "-m", "pytest", "-rsf", "-Wignore::pytest.PytestUnknownMarkWarning"]
        command += ["-p", "no:hypothesispytest", "-p", "no:anyio"]  # they take long to import
        environment = {"HOME": str(tmp_path), "PATH": "", **variables}
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        ).stdout

    return run


@pytest.mark.parametrize(("ci", "outcome"), [("true", "1 failed"), ("", "1 skipped")])
def test_a_skip_is_a_failure_only_in_ci(run_pytest: Callable[..., str], ci: str, outcome: str) -> None:
    shown = run_pytest("def test_one(): pytest.skip('no Go here')", CI=ci)
    assert outcome in shown
    assert "no Go here" in shown


LEFT_OUT = "concierge isn't here, and Go can't install it (403): 2 tests left out. Put `concierge` on PATH"
NEEDS = "@pytest.mark.needs('concierge')\n@pytest.mark.parametrize('n', [1, 2])\ndef test_one(n): ..."


def test_tests_are_left_out_without_their_program(run_pytest: Callable[..., str], tmp_path: Path) -> None:
    shown = run_pytest(NEEDS, CI="true")
    assert LEFT_OUT in shown.splitlines()
    assert "2 skipped" in shown
    assert (tmp_path / ".tools/left-out").read_text() == f"{LEFT_OUT}\n"


def test_on_github_no_test_is_left_out(run_pytest: Callable[..., str]) -> None:
    shown = run_pytest(NEEDS, CI="true", GITHUB_ACTIONS="true")
    assert "2 errors" in shown
    assert "concierge isn't here, and Go can't install it (403)" in shown
