"""The tasks of write-spread-tasks, run by the real spread: each worker is an sshd on this machine."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest
from ruamel.yaml import YAML

from e2e.act import ROOT

if TYPE_CHECKING:
    from collections.abc import Generator

    from conftest import MakePython

pytestmark = pytest.mark.needs("spread")
Run = Callable[..., subprocess.CompletedProcess[str]]

MACHINE = ROOT / "tests/bin/ssh-machine"
EXAMPLE = ROOT / "examples/machine_charm"
GROUPS = {
    "test_backup-aws",
    "test_backup-gcp",
    "test_charm-1",
    "test_charm-scale",
    "test_relations-1",
    "test_relations-bundle",
}
BACKEND = """\
type: adhoc
allocate: ADDRESS "$({machine} start {machines})"
discard: {machine} stop {machines} "$SPREAD_SYSTEM_ADDRESS"
systems: [debian-12: {{workers: 2}}]
"""
CRAFT_TEST = """
import pathlib
from craft_application.models import CraftTestYaml
from craft_application.models.spread import SpreadBackend, SpreadYaml
from craft_application.models.state import PackedArtifact

test = CraftTestYaml.from_yaml_file(pathlib.Path("charmcraft-test.yaml"))
backend = SpreadBackend(type="adhoc", allocate="false")
packed = [PackedArtifact(path=pathlib.Path("journal.charm"))]
pathlib.Path(".craft-spread").mkdir()
SpreadYaml.from_craft(test, craft_backend=backend, artifacts=packed, images={}).to_yaml_file(
    pathlib.Path(".craft-spread/spread.yaml")
)
"""
EXTRA = """
import pytest

@pytest.mark.group("it costs $5, `id`")
def test_passes(): ...

@pytest.mark.group("bad")
def test_fails(): assert 7 == 8
"""
MANY = """
import pytest

@pytest.mark.parametrize("number", [
    pytest.param(id, marks=pytest.mark.group(id))
    for id in ("AWS", "aws", "from_v2.15.0_to_local", 1, "a  b (c)")
])
def test_one(number): ...
"""


@pytest.fixture(scope="module")
def python(make_python: MakePython) -> str:
    """Return the Python of the environment that the example's groups run in."""
    return make_python("operator")


@pytest.fixture
def machines(tmp_path: Path) -> Generator[Path]:
    (folder := tmp_path / "machines").mkdir()
    yield folder
    subprocess.run([MACHINE, "stop", folder], check=True)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run a command in a project, without what this process has of GitHub's."""
    (home := tmp_path / "home").mkdir()
    without = {"CI", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "PYTEST_ADDOPTS", "VIRTUAL_ENV"}
    environment = {name: value for name, value in os.environ.items() if name not in without} | {"HOME": str(home)}

    def run_command(folder: Path, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=folder, env=environment | variables, capture_output=True, text=True, check=False
        )

    return run_command


def write_spread_yaml(folder: Path, backend: str) -> None:
    """Write the example's spread.yaml for other machines, which have all that is needed."""
    yaml = YAML()
    project = yaml.load(EXAMPLE / "spread.yaml")
    project["path"] = "/run/journal"
    project["backends"] = {"lxd": yaml.load(backend)}
    project["environment"]["PYTHONPATH"] = str(ROOT / "tests")
    del project["prepare"]
    yaml.dump(project, folder / "spread.yaml")


def read_tasks(folder: Path) -> dict[str, Any]:
    return {path.parent.name: YAML(typ="safe").load(path) for path in folder.glob("tests/spread/*/task.yaml")}


def test_example(tmp_path: Path, python: str, machines: Path, run: Run) -> None:
    shutil.copytree(EXAMPLE, charm := tmp_path / "charm", ignore=shutil.ignore_patterns(".*", "*.charm", "spread"))
    variables = {"PATH": f"{ROOT / 'tests/bin'}{os.pathsep}{os.environ['PATH']}", "CRAFT_BUILD_ENVIRONMENT": "host"}
    packed = run(charm, python, "-c", "import demo; demo.pack()", PYTHONPATH=str(ROOT / "tests"), **variables)
    assert packed.returncode == 0, packed.stdout + packed.stderr
    charms = {path: path.stat().st_mtime_ns for path in charm.rglob("*.charm")}
    assert len(charms) == packed.stdout.count("\npacking ") == 3
    write_spread_yaml(charm, BACKEND.format(machine=MACHINE, machines=machines))
    durations = [
        {"path_to_test_file": f"tests/integration/{file}", "group_id": group_id, "runs": [{"seconds": seconds}]}
        for file, group_id, seconds in (("test_relations.py", "bundle", 900), ("test_backup.py", "AWS", 800.5))
    ]
    (charm / "durations.json").write_text(json.dumps({"groups": durations}))
    pytest_command = f"{python} -m juju_simulator --actions={ROOT / 'examples/actions.yaml'} -- {python} -m pytest"
    write = [str(Path(python).with_name("write-spread-tasks")), "--test-command", pytest_command]
    written = run(charm, *write, "--durations=durations.json")
    assert written.stdout == "tests/spread: 6 tasks, 6 written, 0 removed\n", written

    run(charm, python, "-m", "pytest", "--collect-groups", "--groups-file=groups.json")
    listed = run(charm, "spread", "-list").stdout.split()
    tasks = read_tasks(charm)
    assert sorted(listed) == sorted(f"lxd:debian-12:tests/spread/{name}" for name in GROUPS)
    environments = [tasks[job.rpartition("/")[2]]["environment"] for job in listed]
    assert sorted(
        (group["path_to_test_file"], group["group_id"]) for group in json.loads((charm / "groups.json").read_bytes())
    ) == sorted((variables["TEST_FILE"], variables["GROUP"]) for variables in environments)

    secrets = json.dumps({"AWS_ACCESS_KEY": '$a "`key`"', "GCP_ACCESS_KEY": "another"})
    result = run(charm, "spread", "-artifacts=artifacts", SECRETS_FROM_GITHUB=secrets)
    assert result.returncode == 0, result.stdout + result.stderr
    assert re.search(r"Successful tasks: 6\n.*Aborted tasks: 0\n", result.stdout)
    started = re.findall(r" Executing lxd:debian-12:tests/spread/(\S+) ", result.stdout)
    assert set(started) == GROUPS
    assert set(started[:2]) == {"test_relations-bundle", "test_backup-aws"}
    for job in listed:
        report = ET.parse(charm / "artifacts" / job / "junit.xml").getroot()[0]  # noqa: S314
        assert report.get("errors") == report.get("failures") == "0"
    assert {path: path.stat().st_mtime_ns for path in charm.rglob("*.charm")} == charms

    (charm / "tests/integration/test_extra.py").write_text(EXTRA)
    assert run(charm, *write).stdout == "tests/spread: 8 tasks, 2 written, 0 removed\n"
    result = run(charm, "spread", "-artifacts=artifacts", "tests/spread/test_extra-...")
    assert result.returncode == 1
    assert "assert 7 == 8" in result.stdout
    assert re.search(
        r"Successful tasks: 1\n.*Aborted tasks: 0\n.*Failed tasks: 1\n    - \S+/test_extra-bad\n", result.stdout
    )
    assert 'failures="1"' in (charm / "artifacts/lxd:debian-12:tests/spread/test_extra-bad/junit.xml").read_text()
    assert not list(machines.iterdir())


def test_documented_files(tmp_path: Path, run: Run) -> None:
    shutil.copytree(EXAMPLE, charm := tmp_path / "charm", ignore=shutil.ignore_patterns(".*", "*.charm"))
    lines = re.findall(r"^ *(spread .*lxd:.*)$", (ROOT / "docs/spread.md").read_text(), flags=re.MULTILINE)
    assert len(lines) == 3
    for line in [*lines, "spread github:"]:
        listed = run(charm, *shlex.split(line.replace("spread ", "spread -list ", 1)))
        assert {job.rpartition("/")[2] for job in listed.stdout.split()} == (
            {"test_charm-1"} if line.endswith("1") else GROUPS
        ), listed.stderr
    # As charmcraft does: https://documentation.ubuntu.com/craft-application
    made = run(charm, str(ROOT / ".tools/charmcraft/bin/python"), "-c", CRAFT_TEST)
    assert made.returncode == 0, made.stderr
    listed = run(charm / ".craft-spread", "spread", "-list", "craft")
    assert {job.rpartition("/")[2] for job in listed.stdout.split()} == GROUPS, listed.stderr


def test_sixty_groups(tmp_path: Path, run: Run) -> None:
    for number in range(12):
        folder = tmp_path / "suite/tests/integration" / ("relations" if number % 2 else ".")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"test_{number}.py").write_text(MANY)
    suite = tmp_path / "suite"
    write_spread_yaml(suite, "systems: [ubuntu-24.04]")
    write = [str(Path(sys.executable).with_name("write-spread-tasks")), "tests/integration"]
    assert run(suite, *write).stdout == "tests/spread: 60 tasks, 60 written, 0 removed\n"
    assert run(suite, *write, "--check").returncode == 0
    listed = run(suite, "spread", "-list")
    assert listed.returncode == 0, listed.stderr
    assert {job.rpartition("/")[2] for job in listed.stdout.split()} == read_tasks(suite).keys()
    assert len(listed.stdout.split()) == 60
