"""Each package installs alone, from git, into an empty environment."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import uv

# The folder of each package, and what is imported from it.
PACKAGES = {
    project.parent.name: next(project.parent.glob("pytest_*/__init__.py")).parent.name
    for project in (Path(__file__).parents[1] / "python/pytest_plugins").glob("*/pyproject.toml")
}


@pytest.fixture
def venv(tmp_path: Path) -> Path:
    subprocess.run([uv.find_uv_bin(), "venv", "--quiet", "--seed", tmp_path / "venv"], check=True)
    return tmp_path / "venv"


@pytest.mark.parametrize(("folder", "module"), PACKAGES.items())
def test_pip_installs_from_git(repository: Path, venv: Path, folder: str, module: str) -> None:
    url = f"git+{repository.as_uri()}#subdirectory=python/pytest_plugins/{folder}"
    subprocess.run([venv / "bin/pip", "install", "--quiet", url], check=True)
    listed = [str(venv / "bin/pip"), "show", "--files", module.replace("_", "-")]
    files = subprocess.run(listed, check=True, capture_output=True, text=True).stdout
    assert f"{module}/py.typed" in files
    assert "licenses/LICENSE" in files
    assert "tests/" not in files
    installed = subprocess.run(
        [venv / "bin/pytest", "--version", "--version"], check=True, capture_output=True, text=True
    )
    assert module.replace("_", "-") in installed.stdout + installed.stderr


def test_options_and_markers_are_shown(repository: Path, venv: Path) -> None:
    url = f"git+{repository.as_uri()}#subdirectory=python/pytest_plugins/pytest_operator_groups"
    subprocess.run([venv / "bin/pip", "install", "--quiet", url], check=True)
    shown = subprocess.run([venv / "bin/pytest", "--help"], check=True, capture_output=True, text=True).stdout
    assert "\ngroups of tests (pytest-operator-groups):\n  --group=ID " in shown
    assert "\n  --collect-groups " in shown
    shown = subprocess.run([venv / "bin/pytest", "--markers"], check=True, capture_output=True, text=True).stdout
    assert "@pytest.mark.group(ID): " in shown
    assert "@pytest.mark.runner(LABELS): " in shown


def test_commands_of_the_workflow(repository: Path, tmp_path: Path) -> None:
    url = f"git+{repository.as_uri()}#subdirectory=python/integration_test_charm"
    folders = {"UV_TOOL_DIR": str(tmp_path / "tools"), "UV_TOOL_BIN_DIR": str(tmp_path / "commands")}
    subprocess.run([uv.find_uv_bin(), "tool", "install", "--quiet", url], env=os.environ | folders, check=True)
    commands = {path.name: path for path in (tmp_path / "commands").iterdir()}
    assert commands.keys() == {"check-inputs", "keep-juju-logs", "save-juju-logs", "write-concierge"}
    for name, path in commands.items():
        shown = subprocess.run([path, "--help"], check=True, capture_output=True, text=True).stdout
        assert shown.startswith(f"usage: {name} [-h]")
