"""After Ctrl-C, each model is destroyed, or named."""

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


ROOT = Path(__file__).parents[2]
# It runs `juju`. `juju add-model` doesn't end before it is told so.
HOLDING_JUJU = """#!/bin/sh
{juju} "$@" || exit
case $1 in add-model) echo held >{told}; read -r _ <{go} ;; esac
"""
SUITE = """
import jubilant, pytest

@pytest.fixture
def juju():
    with jubilant.temp_model() as juju: yield juju

@pytest.mark.group(1)
def test_one(juju): ...
"""


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[Simulator]:
    (folder := tmp_path / "simulator").mkdir()
    with Simulator(folder, Table(0.2)).running_in_thread() as simulator:
        yield simulator


def models(simulator: Simulator) -> list[str]:
    return [model.name for model in [*simulator.models.values()] if model.name != "controller"]


def test_model_that_is_being_made_is_named(simulator: Simulator, tmp_path: Path) -> None:
    told, go = tmp_path / "told", tmp_path / "go"
    for fifo in (told, go):
        os.mkfifo(fifo)
    (programs := tmp_path / "programs").mkdir()
    (programs / "juju").write_text(HOLDING_JUJU.format(juju=simulator.programs / "juju", told=told, go=go))
    (programs / "juju").chmod(0o755)
    (tmp_path / "test_a.py").write_text(SUITE)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    variables = {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "JUJU_DATA": str(simulator.juju_data)}
    pipes = [os.open(fifo, os.O_RDWR) for fifo in (told, go)]
    with subprocess.Popen(
        [Path(sys.executable).with_name("run-groups"), "test_a.py"],
        cwd=tmp_path,
        env=os.environ | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert select.select([pipes[0]], [], [], 300)[0], "juju wasn't called"
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=300)
    for pipe in pipes:
        os.close(pipe)
    assert process.returncode == 128 + signal.SIGINT, output
    (model,) = models(simulator)
    (command,) = re.findall(r"^  (juju destroy-model .*)$", output, re.MULTILINE)
    assert model in command
    subprocess.run(command, shell=True, cwd=tmp_path, env=os.environ | variables, check=True)
    assert models(simulator) == []


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
    # A model that was being made is left.
    assert all(model in shown for model in models(simulator)), shown
    # It takes 5 s on an idle machine. After 60 s, it would have been SIGTERM.
    assert time.monotonic() - pressed < 60
