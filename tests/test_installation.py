"""Each package installs without the others from its wheel, into an empty environment.

The tests of the documentation install each from git.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import readme_renderer.markdown
import uv

ROOT = Path(__file__).parents[1]
# The folder of each package, and what is imported from it.
PACKAGES = {
    project.parent.name: next(project.parent.glob("pytest_*/__init__.py")).parent.name
    for project in (ROOT / "python/pytest_plugins").glob("*/pyproject.toml")
}


@pytest.fixture
def venv(tmp_path: Path) -> Path:
    subprocess.run([uv.find_uv_bin(), "venv", "--quiet", "--seed", tmp_path / "venv"], check=True)
    return tmp_path / "venv"


def run_pytest(venv: Path, *options: str) -> str:
    """Run pytest as a user does, outside this repository, and return what it prints."""
    command = [str(venv / "bin/pytest"), *options]
    run = subprocess.run(command, cwd=venv.parent, check=True, capture_output=True, text=True)
    return run.stdout + run.stderr


@pytest.mark.parametrize(("folder", "module"), PACKAGES.items())
def test_pypi_takes_it(venv: Path, tmp_path: Path, folder: str, module: str) -> None:
    source, dist = ROOT / "python/pytest_plugins" / folder, tmp_path / "dist"
    subprocess.run([uv.find_uv_bin(), "build", "--quiet", "--out-dir", dist, source], check=True)
    (wheel,), (archive,) = dist.glob("*.whl"), dist.glob("*.tar.gz")
    assert (source / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()
    subprocess.run([sys.executable, "-m", "twine", "check", "--strict", wheel, archive], check=True)
    page = readme_renderer.markdown.render((source / "README.md").read_text())
    assert page
    anchors = {f"#{anchor}" for anchor in re.findall(r' id="([^"]+)"', page)}
    links = re.findall(r' (?:href|src)="([^"]+)"', page)
    assert links
    assert not [link for link in links if not link.startswith("https://") and link not in anchors]
    subprocess.run([venv / "bin/pip", "install", "--quiet", wheel], check=True)
    listed = [str(venv / "bin/pip"), "show", "--files", module.replace("_", "-")]
    files = subprocess.run(listed, check=True, capture_output=True, text=True).stdout
    assert f"{module}/py.typed" in files
    assert "licenses/LICENSE" in files
    assert "tests/" not in files
    assert module.replace("_", "-") in run_pytest(venv, "--version", "--version")
    if module == "pytest_operator_groups":
        shown = run_pytest(venv, "--help")
        assert "\ngroups of tests (pytest-operator-groups):\n  --group=ID " in shown
        assert "\n  --collect-groups " in shown
        shown = run_pytest(venv, "--markers")
        assert "@pytest.mark.group(ID): " in shown
        assert "@pytest.mark.runner(LABELS): " in shown


def test_commands_of_the_workflow(repository: Path, tmp_path: Path) -> None:
    url = f"git+{repository.as_uri()}#subdirectory=python/workflow_commands"
    folders = {"UV_TOOL_DIR": str(tmp_path / "tools"), "UV_TOOL_BIN_DIR": str(tmp_path / "commands")}
    subprocess.run([uv.find_uv_bin(), "tool", "install", "--quiet", url], env=os.environ | folders, check=True)
    commands = {path.name: path for path in (tmp_path / "commands").iterdir()}
    assert commands.keys() == {
        "check-build-inputs",
        "check-inputs",
        "check-packed-charms",
        "collect-groups",
        "finish-groups",
        "inspect-microk8s",
        "install-tools",
        "keep-juju-logs",
        "pack-charm",
        "run-tests",
        "set-charm-path",
        "set-libjuju-version",
        "write-allure-report",
        "write-concierge",
    }
    for name, path in commands.items():
        shown = subprocess.run([path, "--help"], check=True, capture_output=True, text=True).stdout
        assert shown.startswith(f"usage: {name} [-h]")
