"""Groups that are stopped: by Ctrl-C, or because they take too long."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from pytest_operator_groups.formats.progress import Progress, describe_end, read_progress, stack_file
from pytest_operator_groups.run.processes import ProcessPool

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import MakeSuite

COMMAND = [sys.executable, "-W", "error", "-m", "pytest_operator_groups.run.run_groups"]
# Each model is a file here. The last group ignores SIGINT in C, as a broken client may do.
# To tell and to sleep are one line: SIGINT may come before the sleep begins. Python may miss it during one sleep.
SUITE = """
import os, signal, time

@pytest.fixture(scope="module")
def model():
    os.mkdir("model")
    yield
    os.rmdir("model")

@pytest.mark.group(1)
def test_deploys(model): ...

@pytest.mark.group(1)
def test_hangs(model):
    with open("told", "w") as told: told.write("hangs"); told.flush(); [time.sleep(0.05) for _ in range(20_000)]

@pytest.mark.group("stubborn")
def test_ignores():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with open("told", "w") as told: told.write("ignores"); told.flush(); [time.sleep(0.05) for _ in range(20_000)]
"""
# On asyncio, run as pytest-asyncio does it.
ASYNC = """
import asyncio

@pytest.fixture(scope="module")
def loop():
    loop = asyncio.new_event_loop()
    yield loop
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    open("torn-down", "w").close()

@pytest.mark.group("async")
async def test_async(loop):
    with open("told", "w") as told: told.write("waits")
    while True: await asyncio.sleep(0.05)

@pytest.mark.group("async")
async def test_not_run(loop): ...
"""
CONFTEST = """
import asyncio

@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    if asyncio.iscoroutinefunction(pyfuncitem.obj):
        loop = pyfuncitem.funcargs["loop"]
        loop.run_until_complete(pyfuncitem.obj(loop))
        return True
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
IN_ORDER = ["--", "-p", "no:randomly"]


@pytest.fixture
def suite(make_suite: MakeSuite) -> Path:
    folder = make_suite({"test_a.py": SUITE, "test_b.py": ASYNC, "conftest.py": CONFTEST})
    os.mkfifo(folder / "told")
    return folder


def start(suite: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start the command, and wait until the tests of its groups hang."""
    process = subprocess.Popen(
        [*COMMAND, *arguments, *IN_ORDER], cwd=suite, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    pipe = os.open(suite / "told", os.O_RDWR | os.O_NONBLOCK)
    told = b""
    while not all(word in told for word in (b"hangs", b"ignores", b"waits")):
        assert select.select([pipe], [], [], 300)[0], "nothing was told"
        told += os.read(pipe, 1000)
    os.close(pipe)
    return process


@pytest.mark.slow
def test_ctrl_c(suite: Path) -> None:
    with start(suite, "--jobs=3", "--grace=1000") as process:
        process.send_signal(signal.SIGINT)
        assert process.stdout
        output = ""
        # Two groups tear down in whatever time they need. The third one would take all the grace period.
        while output.count("\nnot run  ") < 2:
            line = process.stdout.readline()
            assert line, output
            output += line
        process.send_signal(signal.SIGINT)
        output += process.communicate(timeout=300)[0]
    assert process.returncode == 130, output
    assert "\nStopping: fixtures have 1000 s to tear down. Press Ctrl-C again to stop at once.\n" in output
    assert not (suite / "model").exists()
    log = (suite / ".run-groups/test_a.py-group-1.log").read_text()
    # pytest says where, and run-groups in which test.
    assert "test_a.py:16: KeyboardInterrupt" in log
    assert log.endswith("\nrun-groups: interrupted, in test_a.py::test_hangs\n")
    assert (suite / "torn-down").exists()
    log = (suite / ".run-groups/test_b.py-group-async.log").read_text()
    assert "KeyboardInterrupt" in log
    assert "test_not_run" not in log
    assert log.endswith("\nrun-groups: interrupted, in test_b.py::test_async\n")
    log = (suite / ".run-groups/test_a.py-group-stubborn.log").read_text()
    said, _, stack = log.rpartition("\nrun-groups: ")
    assert said
    assert stack.startswith("interrupted, in test_a.py::test_ignores\nCurrent thread ")
    assert 'test_a.py", line 21 in test_ignores\n' in stack


@pytest.mark.slow
def test_ctrl_c_twice(suite: Path) -> None:
    with start(suite, "--jobs=3", "--grace=1000") as process:
        process.send_signal(signal.SIGINT)
        assert process.stdout
        while "Stopping: " not in (line := process.stdout.readline()):
            assert line, "it has ended"
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=300)
    assert process.returncode == 130, output
    assert "Stopping at once. Press Ctrl-C again to kill all groups.\n" in output


@pytest.fixture
def told(pytester: pytest.Pytester) -> int:
    os.mkfifo(pytester.path / "told")
    return os.open(pytester.path / "told", os.O_RDWR)


def test_sigint_that_python_loses(pytester: pytest.Pytester, told: int) -> None:
    progress: Path = pytester.path / "progress"

    async def run() -> tuple[int, str, float]:
        pool = ProcessPool(grace=1000)
        execution = asyncio.ensure_future(
            pool.execute(
                [sys.executable, "-c", LOSES_SIGINT], pytester.path / "log", dict(os.environ), progress=progress
            )
        )
        assert await asyncio.to_thread(lambda: select.select([told], [], [], 300)[0]), "nothing was told"
        pool.interrupt(signal.SIGINT)
        return await execution

    returncode, ended_by, _ = asyncio.run(run())
    assert (returncode, ended_by) == (0, "interrupted")


def test_progress(tmp_path: Path) -> None:
    path = tmp_path / "progress"
    assert read_progress(path) == Progress()
    assert (
        describe_end(path, "timed out after 1 s", str) == "\nrun-groups: timed out after 1 s, before its first test\n"
    )
    path.write_text('{"pid": 5}\n{"tests": 2}\n{"test": "a.py::test_a"}\n{"test": "a.py::test_b"}\n{"te')
    stack_file(path).write_text("the stack\n")
    assert read_progress(path) == Progress(5, 2, 2, "a.py::test_b")
    assert describe_end(path, "interrupted", str) == "\nrun-groups: interrupted, in a.py::test_b\nthe stack\n"
