"""Whoever makes and destroys a model, its logs are saved. The simulator stands for Juju."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import uv
from juju.controller import Controller
from juju_simulator import Simulator
from workflow_commands.juju import models, shim
from workflow_commands.juju.shim import keep_juju_logs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def jubilant_python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Make the environment of a suite on jubilant, as the project locks it, and return its Python."""
    environment = tmp_path_factory.mktemp("environment")
    command = [uv.find_uv_bin(), "sync", "--quiet", "--locked", "--only-group=jubilant", f"--python={sys.executable}"]
    subprocess.run(command, cwd=ROOT, env=os.environ | {"UV_PROJECT_ENVIRONMENT": str(environment)}, check=True)
    return str(environment / "bin/python")


@pytest.fixture
def simulator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Simulator]:
    """Run a simulator, whose `juju` is first on PATH."""
    with Simulator(tmp_path).running_in_thread() as simulator:
        monkeypatch.setenv("JUJU_DATA", str(simulator.juju_data))
        monkeypatch.setenv("PATH", str(simulator.programs), prepend=os.pathsep)
        yield simulator


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """Return a function that puts a shell script first on PATH, as `juju`."""

    def write(script: str) -> str:
        path = tmp_path / "stand-in/juju"
        path.parent.mkdir()
        path.write_text(f"#!/bin/sh\n{script}")
        path.chmod(0o755)
        monkeypatch.setenv("PATH", str(path.parent), prepend=os.pathsep)
        return str(path)

    return write


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    return tmp_path / "the group's logs"


@pytest.fixture
def keep(
    tmp_path: Path, logs: Path, give: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], None]:
    """Return a function that puts the `juju` that keeps logs in a folder before the one on PATH."""
    give(architecture="arm64")

    def keep(name: str = "the group's juju") -> None:
        folder = tmp_path / name
        monkeypatch.chdir(tmp_path)
        assert keep_juju_logs([str(folder), f"--logs={logs.name}"]) == 0
        monkeypatch.chdir(ROOT)
        monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)

    return keep


def juju(*arguments: str) -> tuple[int, str, str]:
    result = subprocess.run(["juju", *arguments], check=False, capture_output=True, text=True)
    return result.returncode, result.stdout, result.stderr


def saved(logs: Path) -> dict[str, str]:
    """Return what the files of the models say, by MODEL/FILE, without what a name has by chance."""
    files = sorted((logs / "juju").rglob("*.txt"))
    return {re.sub("-[0-9a-f]{8}", "", f"{file.parent.name}/{file.name}"): file.read_text() for file in files}


def run_suite(python: str, folder: Path, suite: str, *arguments: str) -> None:
    (folder / "test_it.py").write_text(suite)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    command = [python, "-m", "pytest", "-p", "no:cacheprovider", "test_it.py", *arguments]
    result = subprocess.run(
        command, cwd=folder, env=environment | {"HOME": str(folder)}, check=False, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_models_of_jubilant(
    simulator: Simulator, keep: Callable[..., None], logs: Path, tmp_path: Path, jubilant_python: str
) -> None:
    keep()
    suite = """
import jubilant
def test_models():
    with jubilant.temp_model(config={"logging-config": "<root>=INFO"}):
        pass
    with jubilant.temp_model(controller="simulator"):
        pass
    with jubilant.temp_model(keep=True):
        pass
"""
    run_suite(jubilant_python, tmp_path, suite)
    files = saved(logs)
    assert files.keys() == {
        f"{model}/{file}.txt" for model in ("jubilant", "simulator-jubilant") for file in ("status", "debug-log")
    }
    assert not [name for name, text in files.items() if "ERROR" in text]
    controllers, kept = simulator.models.values()
    assert (controllers.constraints, kept.constraints) == ({}, {"arch": "arm64"})


@pytest.mark.parametrize(("option", "prefix"), [("-q", ""), ("--juju-controller=simulator", "simulator-")])
def test_models_of_pytest_jubilant(
    simulator: Simulator,
    keep: Callable[..., None],
    logs: Path,
    tmp_path: Path,
    jubilant_python: str,
    option: str,
    prefix: str,
) -> None:
    keep()
    suite = """
def test_models(juju, juju_factory):
    other = juju_factory.get_juju("other")
    assert juju.model != other.model
"""
    run_suite(jubilant_python, tmp_path, suite, option)
    files = saved(logs)
    assert files.keys() == {
        f"{prefix}jubilant-test-it{suffix}/{file}.txt" for suffix in ("", "-other") for file in ("status", "debug-log")
    }
    assert not [name for name, text in files.items() if "ERROR" in text]
    assert [model.name for model in simulator.models.values()] == ["controller"]


def test_jubilant_takes_it_for_the_snap_in_a_folder_of_that_name(
    stand_in: Callable[[str], str], keep: Callable[[str], None], tmp_path: Path, jubilant_python: str
) -> None:
    # As in the workflow: the snap of Juju sees no file in /tmp.
    stand_in('echo "secret:$4"\n')
    keep("snap/juju")
    suite = f"""
import jubilant
def test_secret():
    uri = jubilant.Juju().add_secret("password", {{"value": "none"}})
    assert uri.startswith("secret:{tmp_path}/snap/juju/common/")
"""
    run_suite(jubilant_python, tmp_path, suite)


def test_models_that_are_left(
    simulator: Simulator, keep: Callable[..., None], logs: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    async def add_model() -> None:
        controller = Controller()
        await controller.connect()
        model = await controller.add_model("of-libjuju")
        await model.disconnect()
        await controller.disconnect()

    asyncio.run(add_model())
    keep()
    assert juju("add-model", "of-juju") == (0, "Added 'of-juju' model\n", "")
    simulator.model("of-libjuju").write_log("the disk is full", "ERROR")
    models.save_all(models.find_juju(), logs)
    assert capfd.readouterr() == (
        "saved the logs of simulator:admin/of-libjuju\nsaved the logs of simulator:admin/of-juju\n",
        "",
    )
    files = saved(logs)
    assert files.keys() == {
        f"simulator-admin-{model}/{file}.txt" for model in ("of-juju", "of-libjuju") for file in ("status", "debug-log")
    }
    assert files["simulator-admin-of-libjuju/status.txt"].splitlines()[1].split() == [
        "of-libjuju",
        "simulator",
        "localhost",
        "3.6.12",
    ]
    assert files["simulator-admin-of-libjuju/debug-log.txt"].endswith(" ERROR the disk is full\n")
    assert simulator.model("of-juju").constraints == {"arch": "arm64"}


@pytest.mark.slow
def test_models_of_one_name(simulator: Simulator, keep: Callable[..., None], logs: Path) -> None:
    keep()
    for line in ("first", "second", "third"):
        assert juju("add-model", "one")[0] == 0
        simulator.model("one").write_log(line)
        assert juju("destroy-model", "--no-prompt", "simulator:one" if line == "third" else "one") == (0, "", "")
    lines = {name: text.split()[-1] for name, text in saved(logs).items() if name.endswith("/debug-log.txt")}
    assert lines == {
        "one/debug-log.txt": "first",
        "one-2/debug-log.txt": "second",
        "simulator-one/debug-log.txt": "third",
    }


@pytest.mark.slow
def test_what_juju_says_comes_through(simulator: Simulator, keep: Callable[..., None]) -> None:
    keep()
    assert juju("version") == (0, "3.6.12-simulator-amd64\n", "")
    assert juju("bootstrap") == (2, "", 'ERROR simulator: no command "bootstrap"\n')
    assert juju("add-model", "one") == (0, "Added 'one' model\n", "")
    simulator.model("one").constraints = {"mem": "8G"}
    assert juju("add-model", "one") == (1, "", 'ERROR model "one" for admin already exists\n')
    assert simulator.model("one").constraints == {"mem": "8G"}
    assert juju("destroy-model", "other:one") == (1, "", "ERROR controller other not found\n")
    assert juju("destroy-model", "one") == (0, "", "")


def test_controller_that_lets_nobody_in(
    simulator: Simulator, keep: Callable[..., None], logs: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    keep()
    assert juju("add-model", "one")[0] == 0
    simulator.refuse_logins = True
    error = "ERROR invalid entity name or password\n"
    assert juju("destroy-model", "one") == (1, "", error)
    assert saved(logs) == {"one/status.txt": error, "one/debug-log.txt": error}
    models.save_all(models.find_juju(), logs)
    assert capfd.readouterr() == ("", error)


@pytest.mark.long
def test_controller_that_does_not_answer(
    stand_in: Callable[[str], str], logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "_SECONDS", 5)
    path = stand_in('test "$1" = destroy-model && exit 3\necho connecting\nexec sleep 60\n')
    assert shim.main([path, str(logs), "amd64", "destroy-model", "the-model"]) == 3
    assert saved(logs) == {
        "the-model/status.txt": "connecting\n\njuju status --relations --model the-model took more than 5 s\n",
        "the-model/debug-log.txt": "connecting\n\n"
        "juju debug-log --replay --no-tail --model the-model took more than 5 s\n",
    }


@pytest.mark.long
def test_controllers_of_which_one_answers(
    stand_in: Callable[[str], str], logs: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(models, "_SECONDS", 5)
    path = stand_in("""\
case "$*" in
"controllers "*) echo '{"controllers": {"a": {}, "b": {}, "c": {}}}' ;;
"models --controller a "*) exec sleep 60 ;;
"models --controller b "*) echo 'Welcome!' ;;
"models "*) echo '{"models": [{"name": "admin/m", "short-name": "m"}]}' ;;
*) echo "$*" ;;
esac
""")
    models.save_all(models.find_juju(), logs)
    hangs = [path, "models", "--controller", "a", "--format=json"]
    said = [
        f"{' '.join(hangs)}: TimeoutExpired: Command '{hangs}' timed out after 5 seconds\n",
        f"{path} models --controller b --format=json: JSONDecodeError: Expecting value: line 1 column 1 (char 0)\n",
    ]
    assert capfd.readouterr() == ("saved the logs of c:admin/m\n", "".join(said))
    assert saved(logs) == {
        "c-admin-m/status.txt": "status --relations --model c:admin/m\n",
        "c-admin-m/debug-log.txt": "debug-log --replay --no-tail --model c:admin/m\n",
    }


def test_large_log_does_not_fill_the_memory(program: Callable[..., Path], logs: Path, tmp_path: Path) -> None:
    # The stand-in writes how much memory its parent has used at most: before the log, and after it.
    program(
        "juju",
        f"""\
peak() {{ grep VmHWM /proc/$PPID/status >> "{tmp_path}/peaks"; }}
case "$*" in
"controllers "*) echo '{{"controllers": {{"c": {{}}}}}}' ;;
"models "*) echo '{{"models": [{{"name": "admin/m", "short-name": "m"}}]}}' ;;
"debug-log "*) peak; head --bytes=64M /dev/zero; peak ;;
esac""",
    )
    code = "import pathlib, sys; from workflow_commands.juju import models; "
    code += "models.save_all(models.find_juju(), pathlib.Path(sys.argv[1]))"
    command = [sys.executable, "-c", code, str(logs)]
    subprocess.run(command, check=True, capture_output=True)
    assert (logs / "juju/c-admin-m/debug-log.txt").stat().st_size == 64 * 2**20
    before, after = (int(line.split()[1]) for line in (tmp_path / "peaks").read_text().splitlines())
    assert after - before < 4096, "kilobytes"


def test_no_controller(stand_in: Callable[[str], str], logs: Path, capfd: pytest.CaptureFixture[str]) -> None:
    stand_in("""echo '{"controllers": null}'\n""")
    models.save_all(models.find_juju(), logs)
    assert capfd.readouterr() == ("", "")
    assert not logs.exists()


@pytest.mark.parametrize(
    ("arguments", "asked"),
    [
        (["add-model", "one"], ["set-model-constraints --model one arch=arm64"]),
        (
            ["add-model", "--no-switch", "--config", "a=1", "--config", "b=2", "one", "--controller", "b"],
            ["set-model-constraints --model b:one arch=arm64"],
        ),
        (["add-model", "one", "aws/eu"], []),
        (["add-model", "-c", "b", "--credential", "key", "one"], ["set-model-constraints --model b:one arch=arm64"]),
        (["add-model", "--owner", "bob", "one"], ["set-model-constraints --model one arch=arm64"]),
        (
            ["add-model", "--logging-config", "<root>=INFO", "one"],
            ["set-model-constraints --model one arch=arm64"],
        ),
        (["add-model", "--help"], []),
        (
            ["destroy-model", "--no-prompt", "-t", "30s", "b:bob/one", "--destroy-storage", "--force"],
            ["status --relations --model b:bob/one", "debug-log --replay --no-tail --model b:bob/one"],
        ),
        (
            ["destroy-model", "--timeout", "30s", "one"],
            ["status --relations --model one", "debug-log --replay --no-tail --model one"],
        ),
        (["destroy-model", "--help"], []),
        (["add-model", "--con", "a=b", "--credential"], []),
    ],
)
def test_model_is_found_among_the_arguments(
    stand_in: Callable[[str], str], keep: Callable[..., None], tmp_path: Path, arguments: list[str], asked: list[str]
) -> None:
    record = tmp_path / "record"
    stand_in(f"echo \"$*\" >> '{record}'\n")
    keep()
    assert juju(*arguments) == (0, "", "")
    assert sorted(record.read_text().splitlines()) == sorted([" ".join(arguments), *asked])


def test_no_juju(
    give: Callable[..., object],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fail: Callable[..., str],
) -> None:
    give()
    monkeypatch.setenv("PATH", str(tmp_path))
    message = "there is no `juju` on PATH. Let the file for concierge set up Juju"
    assert fail(keep_juju_logs, "juju", "--logs=logs") == f"::error title=No Juju::{message}\n"


def test_model_is_destroyed_where_its_logs_cannot_be_saved(
    stand_in: Callable[[str], str], keep: Callable[..., None], tmp_path: Path, logs: Path
) -> None:
    record = tmp_path / "record"
    stand_in(f"echo \"$*\" >> '{record}'\n")
    keep()
    logs.parent.mkdir(parents=True, exist_ok=True)
    logs.write_text("a file in the place of the folder")
    code, output, error = juju("destroy-model", "one")
    assert (code, output) == (0, "")
    assert error.startswith("logs are lost: ")
    assert record.read_text() == "destroy-model one\n"
