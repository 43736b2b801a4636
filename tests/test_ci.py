"""CI runs every check, and skips no test."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def checks() -> list[str]:
    """Return the commands that `make checks` lists."""
    return subprocess.run(
        ["make", "--silent", "checks"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split()


def test_workflow_runs_every_check(checks: list[str]) -> None:
    workflow = YAML(typ="safe").load(ROOT / ".github/workflows/__check.yaml")
    assert workflow["jobs"]["check"]["strategy"]["matrix"]["check"] == [*checks, "coverage"]


def test_script_runs_every_check(checks: list[str], tmp_path: Path) -> None:
    make = tmp_path / "make"
    make.write_text(
        f"#!/bin/sh\n[ \"$*\" = '--silent checks' ] || echo \"$@\" >>'{tmp_path}/run'\necho {' '.join(checks)}"
    )
    make.chmod(0o755)
    environment = os.environ | {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    subprocess.run([ROOT / ".ci/run"], env=environment, check=True, capture_output=True)
    assert (tmp_path / "run").read_text().split() == ["charmcraft", *checks]


@pytest.mark.parametrize(("ci", "outcome"), [("true", "1 failed"), ("", "1 skipped")])
def test_a_skip_is_a_failure_only_in_ci(tmp_path: Path, ci: str, outcome: str) -> None:
    (tmp_path / "conftest.py").write_text((ROOT / "conftest.py").read_text())
    (tmp_path / "test_a.py").write_text("import pytest\ndef test_one(): pytest.skip('no Go here')")
    command = [sys.executable, "-m", "pytest", "-rsf"]
    run = subprocess.run(command, cwd=tmp_path, env={"CI": ci}, capture_output=True, text=True, check=False)
    assert outcome in run.stdout
    assert "no Go here" in run.stdout
