"""Ctrl-C at any moment leaves no model on the controller."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from juju_simulator import Simulator, Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import MakePython

ROOT = Path(__file__).parents[1]
# It runs `juju`, and doesn't end before it is told so if this is the command to hold.
HOLDING_JUJU = """#!/bin/sh
{juju} "$@" || exit
case $1 in {command}) echo held >{told}; read -r _ <{go} ;; esac
"""
HEAD = "import {}pytest\npytestmark = pytest.mark.group(1)\n"
FIXTURE = """
@pytest.fixture
def juju():
    with jubilant.temp_model() as juju: yield juju

def test_one(juju): ...
"""
TWO_MODELS = """
@pytest.fixture
def one():
    with jubilant.temp_model() as juju: yield juju

@pytest.fixture
def other():
    with jubilant.temp_model() as juju: yield juju

def test_one(one, other): ...

def test_other(): ...
"""
FACTORY = "def test_one(juju_factory): juju_factory.get_juju('another')"
TRACKED = "async def test_one(ops_test): await ops_test.track_model('another')"


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[Simulator]:
    (folder := tmp_path / "simulator").mkdir()
    with Simulator(folder, Table(0.2)).running_in_thread() as simulator:
        yield simulator


def models(simulator: Simulator) -> list[str]:
    return [model.name for model in [*simulator.models.values()] if model.name != "controller"]


@pytest.mark.parametrize(
    ("group", "suite", "command", "times"),
    [
        pytest.param("", FIXTURE, "add-model", 1, id="a fixture makes a model"),
        pytest.param("", TWO_MODELS, "destroy-model", 1, id="a fixture tears down"),
        pytest.param("jubilant simulator", FACTORY, "add-model", 1, id="a test asks for a model"),
        # pytest-operator calls it after it has made a model, and before it notes it.
        pytest.param("operator", TRACKED, "models", 2, id="ops_test makes another model"),
    ],
)
def test_model_that_is_being_made(
    simulator: Simulator, tmp_path: Path, make_python: MakePython, group: str, suite: str, command: str, times: int
) -> None:
    told, go = tmp_path / "told", tmp_path / "go"
    for fifo in (told, go):
        os.mkfifo(fifo)
    (programs := tmp_path / "programs").mkdir()
    juju = HOLDING_JUJU.format(juju=simulator.programs / "juju", command=command, told=told, go=go)
    (programs / "juju").write_text(juju)
    (programs / "juju").chmod(0o755)
    (tmp_path / "test_a.py").write_text(HEAD.format("" if group else "jubilant, ") + suite)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    options = ["test_a.py", "--group=1", f"--group-progress={tmp_path / 'progress'}"]
    variables = {
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "JUJU_DATA": str(simulator.juju_data),
        "CI": "true",  # so that pytest-operator needs no charmcraft
    }
    if not group:
        options += ["-p", "no:randomly", "-p", "no:hypothesispytest", "-p", "no:anyio"]
    elif group == "operator":
        options.append("--asyncio-mode=auto")
    pipes = [os.open(fifo, os.O_RDWR) for fifo in (told, go)]
    python = make_python(*group.split()) if group else sys.executable
    with subprocess.Popen(
        [python, "-m", "pytest", *options],
        cwd=tmp_path,
        env=os.environ | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        for turn in range(1, times + 1):
            assert select.select([pipes[0]], [], [], 300)[0], "juju wasn't called"
            assert os.read(pipes[0], 10) == b"held\n"
            assert models(simulator)
            if turn == times:
                process.send_signal(signal.SIGINT)
            os.write(pipes[1], b"go\n")
        # Others may be called while it tears down.
        os.write(pipes[1], b"go\n" * 9)
        output, _ = process.communicate(timeout=300)
    for pipe in pipes:
        os.close(pipe)
    assert process.returncode == pytest.ExitCode.INTERRUPTED, output
    assert "test_other" not in output
    assert models(simulator) == []


@pytest.mark.long
def test_demo(simulator: Simulator, repository: Path) -> None:
    folders = os.environ["PATH"].split(os.pathsep)
    path = [str(simulator.programs), *(folder for folder in folders if not Path(folder, "charmcraft").exists())]
    variables = {"JUJU_DATA": str(simulator.juju_data), "PATH": os.pathsep.join(path)}
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "PYTEST"))}
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvpe("make", ["make", f"--directory={repository}", "demo"], environment | variables)  # noqa: S606, a pty needs it
    shown, pressed = "", 0.0
    give_up = time.monotonic() + 600
    while True:
        assert time.monotonic() < give_up, shown
        if not pressed and len(models(simulator)) > 2:
            # Some groups have their models, some make them, and some haven't started.
            os.write(terminal, b"\x03")
            pressed = time.monotonic()
        if select.select([terminal], [], [], 0.02)[0]:
            try:
                shown += os.read(terminal, 10_000).decode(errors="replace")
            except OSError:  # all have left the terminal
                break
    os.close(terminal)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert (pressed, code) != (0, 0), shown
    assert "Stopping: fixtures have 60 s to tear down." in shown
    assert re.search(r"passed, 0 failed, \d not run in ", shown), shown
    assert models(simulator) == [], shown
    # It takes 5 s on an idle machine. After 60 s, it would have been SIGTERM.
    assert time.monotonic() - pressed < 60
