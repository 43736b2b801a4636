"""The examples, run as their users run them, with the simulator for Juju."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CHARM = ROOT / "examples/machine_charm"
SERVICE = ROOT / "examples/service_suite"
SIMULATOR = ["-m", "juju_simulator", f"--actions={ROOT / 'examples/actions.yaml'}", "--"]
GROUPS = [
    "test_backup.py | group AWS",
    "test_backup.py | group GCP",
    "test_charm.py | group 1",
    "test_charm.py | group scale",
    "test_relations.py | group 1",
    "test_relations.py | group bundle",
]


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
    # Where uv keeps what it has downloaded is a cache, too: this one is not empty.
    cache = {
        "UV_CACHE_DIR": subprocess.run(
            ["uv", "cache", "dir"], check=True, capture_output=True, text=True
        ).stdout.strip()
    }
    without = {name: value for name, value in os.environ.items() if name not in {"CI", "JUJU_DATA", "VIRTUAL_ENV"}}
    return without | cache | {"HOME": str(home), "TMPDIR": str(tmp_path)}


def run(command: list[str], folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "MAKEFLAGS", "PYTEST_ADDOPTS"):
        environment.pop(name, None)
    return subprocess.run(command, cwd=folder, env=environment, check=False, capture_output=True, text=True)


def results(folder: Path) -> dict[str, str]:
    groups = json.loads((folder / ".run-groups/results.json").read_text())["groups"]
    return {group["job_name"]: group["result"] for group in groups}


def processes_of(folder: Path) -> list[str]:
    """Return the command lines of what runs with a path in this folder."""
    running = subprocess.run(["ps", "-eo", "args"], check=True, capture_output=True, text=True).stdout
    return [line for line in running.splitlines() if str(folder) in line]


@pytest.fixture(scope="module")
def operator_python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Make the environment that the example's groups run in, as the project locks it, and return its Python."""
    environment = tmp_path_factory.mktemp("environment")
    command = "uv sync --quiet --locked --all-packages --all-extras --no-default-groups --group operator"
    subprocess.run(command.split(), cwd=ROOT, env=os.environ | {"UV_PROJECT_ENVIRONMENT": str(environment)}, check=True)
    return str(environment / "bin/python")


@pytest.fixture
def charm(tmp_path: Path) -> Path:
    """Copy the example, with packed charms of the demo's stand-in for charmcraft."""
    folder = tmp_path / "machine_charm"
    shutil.copytree(CHARM, folder, ignore=shutil.ignore_patterns(".*", "*.charm"))
    packs = "import demo, os; os.environ['PATH'] = ''; demo.pack()"
    environment = os.environ | {"PYTHONPATH": str(ROOT / "examples")}
    subprocess.run([sys.executable, "-c", packs], cwd=folder, env=environment, check=True)
    return folder


def test_demo(home: dict[str, str], path_without_charmcraft: str, tmp_path: Path) -> None:
    result = run(["make", "demo"], ROOT, home | {"PATH": path_without_charmcraft})
    assert result.returncode == 0, result.stdout + result.stderr
    assert "charmcraft: not on PATH; a stand-in writes files of the same layout\n" in result.stdout
    assert "Juju: there is no `juju` on PATH; the simulator stands for a controller\n" in result.stdout
    assert "\n6 groups passed, 0 failed in " in result.stdout
    assert results(ROOT / ".demo/machine_charm") == dict.fromkeys(GROUPS, "passed")
    assert {path.name for path in Path(home["HOME"]).iterdir()} <= {".cache"}
    assert not processes_of(tmp_path)
    assert not processes_of(ROOT / ".demo")


def test_demo_with_the_real_charmcraft_and_the_juju_on_path(
    tmp_path: Path, operator_python: str, home: dict[str, str]
) -> None:
    if not (ROOT / ".tools/charmcraft/bin/charmcraft").exists():
        pytest.skip("the real charmcraft is not here: make charmcraft")
    shutil.copytree(ROOT / "examples", tmp_path / "examples", ignore=shutil.ignore_patterns(".*", "*.charm"))
    # The simulator is started around it, so that `juju` and a controller are there already.
    demo = [operator_python, str(tmp_path / "examples/demo.py"), "--jobs=3"]
    variables = {
        "CRAFT_BUILD_ENVIRONMENT": "host",
        "PATH": f"{ROOT / 'tests/bin'}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT / "tests"),
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "XDG_DATA_HOME": str(tmp_path / "data"),
    }
    result = run([operator_python, *SIMULATOR, *demo], ROOT, home | variables)
    assert result.returncode == 0, result.stdout + result.stderr
    assert f"charmcraft: {ROOT / 'tests/bin/charmcraft'}\n" in result.stdout
    assert "Juju: the controller that `juju` is connected to\n" in result.stdout
    assert "\n6 groups passed, 0 failed in " in result.stdout


def test_broken_test_fails_its_group_alone(charm: Path, operator_python: str, home: dict[str, str]) -> None:
    broken = charm / "tests/integration/test_charm.py"
    broken.write_text(broken.read_text().replace('["value"] == 7', '["value"] == 8'))
    groups = [operator_python, "-m", "pytest_operator_groups._run", "tests/integration/test_charm.py", "--jobs=2"]
    variables = {"CI": "true", "PYTHONPATH": str(ROOT / "tests")}
    result = run([operator_python, *SIMULATOR, *groups], charm, home | variables)
    assert result.returncode == 1
    assert results(charm) == {"test_charm.py | group 1": "failed", "test_charm.py | group scale": "passed"}
    assert "FAILED tests/integration/test_charm.py::test_configure - assert 7 == 8" in result.stdout
    assert "\n1 group passed, 1 failed in " in result.stdout


def test_tox_as_users_type_it(charm: Path, operator_python: str, served: dict[str, str], home: dict[str, str]) -> None:
    tox = [sys.executable, "-m", "tox", "run", "-e", "integration"]
    # The stand-in for GitHub, and for Juju's command, is in variables that tox does not pass on.
    passed = "testenv:integration.pass_env+=GIT_CONFIG_*"
    arguments = ["--override", passed, "--", "tests/integration/test_charm.py", "--group=1"]
    variables = {"CI": "true", "PYTHONPATH": str(ROOT / "tests")} | served
    result = run([operator_python, *SIMULATOR, *tox, *arguments], charm, home | variables)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "2 passed, 2 deselected" in result.stdout


def test_groups_of_the_service(home: dict[str, str], tmp_path: Path) -> None:
    groups = [
        sys.executable,
        "-m",
        "pytest_operator_groups._run",
        "tests/integration",
        f"--results={tmp_path / 'results'}",
    ]
    result = run([*groups, "--", "-p", "no:randomly", "-p", "no:cacheprovider"], SERVICE, home)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "\n4 groups passed, 0 failed in " in result.stdout


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
