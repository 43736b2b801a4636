"""Each package installs alone, from git, into an empty environment."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import uv

PACKAGES = {path.name: path for path in (Path(__file__).parents[1] / "python/pytest_plugins").iterdir()}


@pytest.fixture
def venv(tmp_path: Path) -> Path:
    subprocess.run([uv.find_uv_bin(), "venv", "--quiet", "--seed", tmp_path / "venv"], check=True)
    return tmp_path / "venv"


@pytest.mark.parametrize("package", PACKAGES)
def test_pip_installs_from_git(repository: Path, venv: Path, package: str) -> None:
    url = f"git+{repository.as_uri()}#subdirectory=python/pytest_plugins/{package}"
    subprocess.run([venv / "bin/pip", "install", "--quiet", url], check=True)
    files = subprocess.run(
        [venv / "bin/pip", "show", "--files", package.replace("_", "-")], check=True, capture_output=True, text=True
    ).stdout
    assert f"{package}/py.typed" in files
    assert "licenses/LICENSE" in files
    assert "tests/" not in files


def test_options_and_markers_are_shown(repository: Path, venv: Path) -> None:
    url = f"git+{repository.as_uri()}#subdirectory=python/pytest_plugins/pytest_operator_groups"
    subprocess.run([venv / "bin/pip", "install", "--quiet", url], check=True)
    shown = subprocess.run([venv / "bin/pytest", "--help"], check=True, capture_output=True, text=True).stdout
    assert "\ngroups of tests (pytest-operator-groups):\n  --group=ID " in shown
    assert "\n  --collect-groups " in shown
    shown = subprocess.run([venv / "bin/pytest", "--markers"], check=True, capture_output=True, text=True).stdout
    assert "@pytest.mark.group(ID): " in shown
    assert "@pytest.mark.runner(LABELS): " in shown
