"""SIGINT at moments that are hard to meet: while fixtures are set up, and while pytest starts."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from pytest_operator_groups.run.interrupt import _makes_a_model
from pytest_operator_groups.run.processes import ProcessPool

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import MakeSuite

# The second fixture runs an event loop, as pytest-asyncio does for an async fixture.
SUITE = """
import asyncio
from pytest_operator_groups.run import interrupt

_interrupt._FOR_A_FIXTURE = 0.2

@pytest.fixture
def model():
    open("model", "w").close()
    yield
    import os
    os.remove("model")

@pytest.fixture
def deployed(model):
    async def deploy():
        with open("told", "w") as told: told.write("deploys")
        while True: await asyncio.sleep(0.05)
    loop = asyncio.new_event_loop()
    loop.run_until_complete(deploy())

@pytest.mark.group(1)
def test_one(deployed): ...

@pytest.mark.group(1)
def test_not_run(): ...
"""
# It knows its model only after Ctrl-C.
ENDS_SOON = """
import os, signal

@pytest.fixture
def model():
    os.mkdir("model")
    os.kill(os.getpid(), signal.SIGINT)
    yield
    os.rmdir("model")

@pytest.mark.group(1)
def test_one(model): ...
"""
# It takes the first SIGINT for the one that Python loses, and tells its process afterwards.
LOSES_SIGINT = """
import json, os, signal, time

def lose(*_):
    signal.signal(signal.SIGINT, lambda *_: os._exit(0))
    with open("progress", "w") as progress: print(json.dumps({"pid": os.getpid()}), file=progress)

signal.signal(signal.SIGINT, lose)
with open("told", "w") as told: told.write("ready")
while True: time.sleep(0.05)
"""


def wait_for(told: int) -> None:
    assert select.select([told], [], [], 300)[0], "nothing was told"


@pytest.fixture
def told(pytester: pytest.Pytester) -> int:
    os.mkfifo(pytester.path / "told")
    return os.open(pytester.path / "told", os.O_RDWR)


def test_fixture_that_takes_long(make_suite: MakeSuite, told: int) -> None:
    suite = make_suite({"test_a.py": SUITE})
    command = [sys.executable, "-m", "pytest", "test_a.py", "--group=1", "--group-progress=progress"]
    with subprocess.Popen(command, cwd=suite, stdout=subprocess.PIPE, text=True) as process:
        wait_for(told)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=300)
    assert process.returncode == pytest.ExitCode.INTERRUPTED, output
    assert "asyncio.exceptions.CancelledError: interrupted\n" in output
    assert "test_not_run" not in output
    assert not (suite / "model").exists()


def test_fixture_that_ends_soon(make_suite: MakeSuite) -> None:
    suite = make_suite({"test_a.py": ENDS_SOON})
    command = [sys.executable, "-m", "pytest", "test_a.py", "--group=1", "--group-progress=progress"]
    ended = subprocess.run(command, cwd=suite, capture_output=True, text=True, check=False)
    assert ended.returncode == pytest.ExitCode.INTERRUPTED, ended.stdout
    assert "KeyboardInterrupt" in ended.stdout
    assert "no tests ran" in ended.stdout
    assert not (suite / "model").exists()


def test_sigint_that_python_loses(pytester: pytest.Pytester, told: int) -> None:
    progress: Path = pytester.path / "progress"

    async def run() -> tuple[int, str, float]:
        pool = ProcessPool(grace=1000)
        execution = asyncio.ensure_future(
            pool.execute(
                [sys.executable, "-c", LOSES_SIGINT], pytester.path / "log", dict(os.environ), progress=progress
            )
        )
        await asyncio.to_thread(wait_for, told)
        pool.interrupt(signal.SIGINT)
        return await execution

    returncode, ended_by, _ = asyncio.run(run())
    assert (returncode, ended_by) == (0, "interrupted")


def test_task_that_makes_a_model() -> None:
    never: asyncio.Future[None]

    async def track_model() -> None:
        await never

    async def gathers() -> None:
        await asyncio.gather(track_model())

    async def uses_a_model() -> None:
        await never

    async def look() -> list[bool]:
        nonlocal never
        never = asyncio.get_running_loop().create_future()
        seen = []
        for coroutine in (gathers(), uses_a_model()):
            task = asyncio.ensure_future(coroutine)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            seen.append(_makes_a_model([], task))
            task.cancel()
            await asyncio.wait([task])
            never = asyncio.get_running_loop().create_future()
        return seen

    assert asyncio.run(look()) == [True, False]
