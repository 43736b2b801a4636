"""The packages install as the documentation says, with each tool, and each without the others."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import readme_renderer.markdown
import uv
from pages import (
    IGNORED,
    LINES,
    POETRY,
    ROOT,
    Block,
    blocks,
    lines,
    read_blocks,
    read_table,
    run,
)  # fmt: skip

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

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


@lines("UV_TOOL_BIN_DIR=/usr/local/bin uv tool install")
def test_uv_tool_line(line: Block, tmp_path: Path, served: dict[str, str]) -> None:
    here = line.text.replace("/usr/local/bin", str(tmp_path / "bin"))
    run(here, tmp_path, served | {"UV_TOOL_DIR": str(tmp_path / "tools")})
    assert {path.name for path in (tmp_path / "bin").iterdir()} & {"find-charm", "tox"}


@pytest.mark.parametrize(
    "line", {line.text: line for line in LINES if re.match("pip |poetry |uv add ", line.text)}.values(), ids=str
)
def test_installation(line: Block, suite: Path, served: dict[str, str]) -> None:
    environment = served | POETRY
    (suite / "pyproject.toml").write_text('[project]\nname = "charm"\nversion = "0"\nrequires-python = ">=3.10,<4"\n')
    if line.text.startswith("pip"):
        run("uv venv --quiet --seed", suite, environment)
    elif line.text.startswith("poetry"):
        add_index(suite, environment)
    run(line.text.replace("pip install", ".venv/bin/pip install"), suite, environment)
    assert run(".venv/bin/pytest tests/integration --strict-markers", suite, environment)


def test_suite_for_python_3_8(tmp_path: Path, served: dict[str, str]) -> None:
    (project,) = [block.text for block in read_blocks(ROOT / "docs/migrate_from_older_releases.md")]
    environment = served | POETRY
    (tmp_path / "pyproject.toml").write_text(project)
    add_index(tmp_path, environment)
    run("poetry lock", tmp_path, environment)
    file = tmp_path / "pyproject.toml"
    file.write_text(file.read_text().replace('python = ">=3.10"\n', ""))
    with pytest.raises(AssertionError, match=r"pytest-operator-groups requires Python >=3\.10"):
        run("poetry lock", tmp_path, environment)


def add_index(suite: Path, environment: Mapping[str, str]) -> None:
    # Poetry reads a mirror of PyPI that answers only in HTML if it is a source of the project.
    index = "from poetry.repositories.pypi_repository import PyPiRepository as Index; print(Index().url)"
    run(f"poetry source add --priority=primary index $(python -c '{index}')", suite, environment)


@pytest.mark.parametrize(
    ("tool", "command"),
    read_table(ROOT / ".github/workflows" / "integration_test_charm.md", "the suite is installed by").items(),
)
def test_test_command(tool: str, command: str, served: dict[str, str], tmp_path: Path) -> None:
    suite = tmp_path / "suite"
    shutil.copytree(ROOT / "examples/service_suite", suite, ignore=IGNORED)
    environment = served | POETRY
    if tool == "Poetry":
        add_index(suite, environment)
    elif tool == "pip":
        project = (suite / "pyproject.toml").read_text()
        (group,) = re.findall(r"^integration = \[\n(.*?)^\]", project, flags=re.MULTILINE | re.DOTALL)
        (suite / "requirements.txt").write_text("\n".join(re.findall(r'"(.*)",', group)))
    # As the workflow runs it.
    shell = ["bash", "-eo", "pipefail", "-c", f'{command.strip("`")} "$@"', "bash"]
    output = tmp_path / "output"
    run([*shell, "tests/integration", "--collect-groups"], suite, environment, {"GITHUB_OUTPUT": str(output)})
    groups = json.loads(output.read_text().removeprefix("groups="))
    assert len(groups) == 4
    run([*shell, groups[0]["path_to_test_file"], f"--group={groups[0]['group_id']}"], suite, environment)


@blocks("ini", "[testenv:integration]")
def test_tox(block: Block, suite: Path, served: dict[str, str], tmp_path: Path) -> None:
    if "pytest-operator==" in block.text:
        assert block.text == (ROOT / "examples/machine_charm/tox.ini").read_text(), "what the tests of the example run"
        return
    (suite / "tox.ini").write_text(block.text)
    collect, test = (
        # The stand-in for GitHub is in variables that tox does not pass on.
        line.replace(" -- ", " --override testenv:integration.pass_env+=GIT_CONFIG_* -- ")
        # A task of spread repeats it with the report.
        for line in re.findall(r"^ *(?:run: )?(tox run (?!.*--junit-xml).*)$", block.document.read_text(), re.MULTILINE)
    )
    output = tmp_path / "output"
    run(collect, suite, served, {"GITHUB_OUTPUT": str(output)})
    groups = {
        group["group_id"]: group["path_to_test_file"]
        for group in json.loads(output.read_text().removeprefix("groups="))
    }
    assert {"1", "backup"} <= groups.keys()
    assert " deselected" in run(test, suite, served, {"TEST_FILE": groups["1"], "GROUP": "1"})
