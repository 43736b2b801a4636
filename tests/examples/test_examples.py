"""The examples, run as their users run them, with the simulator for Juju."""

from __future__ import annotations

import configparser
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pages import migrate_one_file

if TYPE_CHECKING:
    from conftest import MakePython

ROOT = Path(__file__).parents[2]
CHARM = ROOT / "examples/machine_charm"
SERVICE = ROOT / "examples/service_suite"
IGNORED = shutil.ignore_patterns(".*", "*.charm", "__pycache__")
SECRETS = {"AWS_ACCESS_KEY": "a key of AWS", "GCP_ACCESS_KEY": "a key of GCP"}
SIMULATOR = ["-m", "juju_simulator", f"--actions={ROOT / 'examples/actions.yaml'}", "--"]
GROUPS = [
    "test_backup.py | group AWS",
    "test_backup.py | group GCP",
    "test_charm.py | group 1",
    "test_charm.py | group scale",
    "test_relations.py | group 1",
    "test_relations.py | group bundle",
]
KUBERNETES_GROUPS = [
    "test_charm.py | group 1",
    "test_relations.py | group application",
    "test_relations.py | group scale",
]
SUITES = {"machine": GROUPS, "kubernetes": KUBERNETES_GROUPS}


@pytest.fixture
def path_without_charmcraft(tmp_path: Path) -> str:
    """Return a PATH with what a fresh machine has, without charmcraft and Juju."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for folder in os.environ["PATH"].split(os.pathsep):
        for program in Path(folder).glob("*"):
            if program.name not in {"charmcraft", "juju"} and not (programs / program.name).exists():
                (programs / program.name).symlink_to(program)
    return str(programs)


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """Return the variables of a user whose home is empty."""
    (home := tmp_path / "home").mkdir()
    without = {"CI", "JUJU_DATA", "VIRTUAL_ENV", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"}
    environment = {name: value for name, value in os.environ.items() if name not in without}
    return environment | {"HOME": str(home), "TMPDIR": str(tmp_path)}


def run(command: list[str], folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "MAKEFLAGS", "MAKELEVEL", "PYTEST_ADDOPTS"):
        environment.pop(name, None)
    return subprocess.run(command, cwd=folder, env=environment, check=False, capture_output=True, text=True)


def results(folder: Path) -> dict[str, str]:
    groups = json.loads((folder / "results.json").read_text())["groups"]
    return {group["job_name"]: group["result"] for group in groups}


def processes_of(folder: Path) -> list[str]:
    """Return the command lines of what runs with a path in this folder."""
    running = subprocess.run(["ps", "-eo", "args"], check=True, capture_output=True, text=True).stdout
    return [line for line in running.splitlines() if str(folder) in line]


@pytest.fixture(scope="module")
def operator_python(make_python: MakePython) -> str:
    return make_python("operator")


@pytest.fixture
def charm(tmp_path: Path) -> Path:
    """Copy the example, with packed charms of the demo's stand-in for charmcraft."""
    folder = tmp_path / "machine_charm"
    shutil.copytree(CHARM, folder, ignore=IGNORED)
    packs = "import demo, os; os.environ['PATH'] = ''; demo.pack()"
    environment = os.environ | {"PYTHONPATH": str(ROOT / "tests")}
    subprocess.run([sys.executable, "-c", packs], cwd=folder, env=environment, check=True)
    return folder


@pytest.mark.long
def test_demo(home: dict[str, str], path_without_charmcraft: str, tmp_path: Path) -> None:
    result = run(["make", "demo"], ROOT, home | {"PATH": path_without_charmcraft})
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.startswith("Installing what the examples need ...\n")
    assert "Installed " in result.stderr
    assert "charmcraft: not on PATH; a stand-in writes files of the same layout\n" in result.stdout
    assert "Juju: there is no `juju` on PATH; the simulator stands for a controller\n" in result.stdout
    assert "\n9 groups passed, 0 failed in " in result.stdout
    machine, kubernetes = ([f"{name}/{group}" for group in groups] for name, groups in SUITES.items())
    assert results(ROOT / ".demo/results") == dict.fromkeys([*machine, *kubernetes], "passed")
    assert {path.name for path in Path(home["HOME"]).iterdir()} <= {".cache"}
    # Not where other runs have left gigabytes, which pytest would delete at its end.
    assert [*(ROOT / ".demo/tmp").glob("pytest-of-*/pytest-*")]
    assert not processes_of(tmp_path)
    assert not processes_of(ROOT / ".demo")


def test_lint_of_the_charm(operator_python: str, home: dict[str, str]) -> None:
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(CHARM / "tox.ini")
    program, *arguments = tox["testenv:lint"]["commands"].split()
    command = [str(Path(operator_python).with_name(program)), *arguments]
    result = run(command, CHARM, home | {"PYTHONDONTWRITEBYTECODE": "1"})
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout == "tests/spread: 6 tasks, all up to date\n"


@pytest.fixture(scope="module")
def jubilant_python(make_python: MakePython) -> str:
    return make_python("jubilant", "simulator")


def test_pytest_operator_and_jubilant_in_one_suite(charm: Path, operator_python: str, home: dict[str, str]) -> None:
    migrate_one_file(charm)
    broken = charm / "tests/integration/test_backup.py"
    broken.write_text(broken.read_text().replace('f"{APP}-{cloud}"', 'f"{APP}-AWS"'))
    groups = [str(Path(operator_python).with_name("run-groups")), "--jobs=4"]
    groups += [f"tests/integration/{name}.py" for name in ("test_backup", "test_charm")]
    variables = {"CI": "true", "PYTHONPATH": str(ROOT / "tests"), "SECRETS_FROM_GITHUB": json.dumps(SECRETS)}
    result = run([operator_python, *SIMULATOR, *groups], charm, home | variables)
    assert result.returncode == 1, result.stdout + result.stderr
    expected = dict.fromkeys(GROUPS[:4], "passed") | {"test_backup.py | group GCP": "failed"}
    assert results(charm / ".run-groups") == expected
    assert "FAILED tests/integration/test_backup.py::test_create_backup[GCP] - " in result.stdout
    assert "\n3 groups passed, 1 failed in " in result.stdout


def test_options_of_pytest_jubilant_with_groups(charm: Path, jubilant_python: str, home: dict[str, str]) -> None:
    migrate_one_file(charm)
    # All other files are done.
    for name in ("conftest.py", "test_backup.py", "test_relations.py"):
        (charm / "tests/integration" / name).unlink()
    lines = (charm / "pyproject.toml").read_text().splitlines(keepends=True)
    others = [line for line in lines if not line.startswith(("asyncio_mode", "markers"))]
    (charm / "pyproject.toml").write_text("".join([*others, 'filterwarnings = ["error"]\n']))
    pytest_group = (
        f"{jubilant_python} -m pytest tests/integration tests/integration/test_charm.py --group=scale -p no:randomly"
    )
    script = f"""
set -e
{pytest_group} --juju-model=mine --no-juju-teardown -k deploy
echo '###'; juju models --format json; echo '###'
{pytest_group} --juju-model=mine --no-juju-setup --juju-dump-logs=logs
echo '###'; juju models --format json
"""
    variables = {"CI": "true", "PYTHONPATH": str(ROOT / "tests")}
    result = run([jubilant_python, *SIMULATOR, "bash", "-c", script], charm, home | variables)
    assert result.returncode == 0, result.stdout + result.stderr
    first, kept, second, left = result.stdout.split("###\n")
    assert "1 passed, 3 deselected" in first
    assert "--no-juju-setup --no-juju-teardown --juju-model mine" in first
    assert "mine-test-charm" in kept
    assert "1 passed, 1 skipped, 2 deselected" in second
    assert "mine-test-charm" not in left
    assert "unit-journal-0" in (charm / "logs/mine-test-charm-juju-debug.log").read_text()


@pytest.mark.long
def test_groups_of_the_service(home: dict[str, str], tmp_path: Path) -> None:
    groups = [
        sys.executable,
        "-m",
        "pytest_operator_groups.run.run_groups",
        "tests/integration",
        f"--results={tmp_path / 'results'}",
    ]
    result = run([*groups, "--", "-p", "no:randomly", "-p", "no:cacheprovider"], SERVICE, home)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "\n4 groups passed, 0 failed in " in result.stdout


@pytest.mark.slow
def test_deployed_service(home: dict[str, str]) -> None:
    command = [sys.executable, str(SERVICE / "service.py"), "the token of staging"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as service:
        assert service.stdout
        variables = {
            "SERVICE_URL": service.stdout.readline().strip(),
            "SECRETS_FROM_GITHUB": json.dumps({"SERVICE_TOKEN": "the token of staging"}),
        }
        tests = [sys.executable, "-m", "pytest", "-p", "no:randomly", "-p", "no:cacheprovider"]
        files = ("test_command.py", "test_library.py")
        outputs = [run([*tests, f"tests/integration/{file}"], SERVICE, home | variables).stdout for file in files]
        service.terminate()
    assert "2 passed" in outputs[0]
    assert "5 passed" in outputs[1]
