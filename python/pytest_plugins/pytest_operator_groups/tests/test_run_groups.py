"""The command `run-groups`, as a process of its own, on real suites."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias
from xml.etree import ElementTree as ET

import pytest
from pytest_operator_groups.common.errors import GroupsError
from pytest_operator_groups.formats.records import Record
from pytest_operator_groups.run.job import Job
from pytest_operator_groups.run.models import list_models
from pytest_operator_groups.run.processes import ProcessPool
from pytest_operator_groups.run.results import read_last_run
from pytest_operator_groups.run.run_groups import read_options
from pytest_operator_groups.run.screen import _Estimate as Estimate
from pytest_operator_groups.run.screen import timeline, totals_with_time

if TYPE_CHECKING:
    from conftest import MakeSuite

COMMAND = [sys.executable, "-W", "error", "-m", "pytest_operator_groups.run.run_groups"]
# What --test-command is for, without the time that tox takes: it hides the variables for GitHub from pytest.
PYTEST = f"env -u GITHUB_OUTPUT {sys.executable} -m pytest"
# The tests of some groups build on each other.
IN_ORDER = ["--", "-p", "no:randomly"]
TWO_PASS = """
@pytest.mark.group(1)
def test_one(): ...

@pytest.mark.group(2)
def test_two(): ...

@pytest.mark.group(2)
def test_three(): print("said by three")
"""
ONE_FAILS = """
@pytest.mark.group("bad")
def test_bad(): raise ValueError("said by bad")

@pytest.mark.group("good")
def test_good(): ...
"""
# Tells the pid of a process that outlives any patience.
HANGS = """
import subprocess, time

@pytest.mark.group(1)
def test_passes(): ...

@pytest.mark.group(2)
def test_hangs():
    process = subprocess.Popen(["sleep", "1000"])
    with open("told", "w") as told:
        told.write(str(process.pid))
    while process.poll() is None: time.sleep(0.05)

@pytest.mark.group(3)
def test_waits(): ...
"""

JUNIT = (
    "--junit-xml names one file, but every group writes its own. "
    "Leave it out: the results of all groups are in {}/results.xml"
)


@dataclass
class Ended:
    """A run that has ended."""

    code: int
    stdout: str
    stderr: str
    results: Path

    @property
    def groups(self) -> dict[str, dict[str, Any]]:
        """What results.json says of each group, by its ID, in its order."""
        groups = json.loads((self.results / "results.json").read_bytes())["groups"]
        return {group["group_id"]: group for group in groups}

    @property
    def outcomes(self) -> dict[str, str]:
        return {group: said["result"] for group, said in self.groups.items()}

    @property
    def events(self) -> list[str]:
        """The lines about groups, without the times."""
        lines = re.findall(
            r"^(started|passed|failed|not run) +.* \| group (\S+)(?:$|  .*s(?:: .*)?$)", self.stdout, re.MULTILINE
        )
        return [f"{event} {group}" for event, group in lines]

    def junit(self, group: str) -> ET.Element:
        """What results.xml says of a group."""
        (suites, *others) = [
            suite
            for suite in parse(self.results / "results.xml")
            if suite.get("name", "").endswith(f" | group {group}")
        ]
        for other in others:
            suites.extend(other)
        return suites


def parse(path: Path) -> ET.Element:
    return ET.fromstring(path.read_bytes())  # noqa: S314, the file is our own


RunGroups: TypeAlias = Callable[..., Ended]
Told: TypeAlias = Callable[[], str]


@pytest.fixture
def run_groups(pytester: pytest.Pytester) -> RunGroups:
    """Run the command to its end; it has nothing to say on stderr unless it can't run the groups."""

    def run(*arguments: str, errors: bool = False, results: str = ".run-groups") -> Ended:
        ended = subprocess.run(
            [*COMMAND, *arguments], cwd=pytester.path, capture_output=True, text=True, check=False, encoding="utf-8"
        )
        assert errors or ended.stderr == "", ended.stdout
        assert "Traceback" not in ended.stderr
        return Ended(ended.returncode, ended.stdout, ended.stderr, pytester.path / results)

    return run


@pytest.fixture
def told(pytester: pytest.Pytester) -> Generator[Told, None, None]:
    """Make the named pipe `told` for the tests of a suite, and wait for what they write to it."""
    path = pytester.path / "told"
    os.mkfifo(path)
    pipe = os.open(path, os.O_RDWR | os.O_NONBLOCK)

    def read() -> str:
        assert select.select([pipe], [], [], 300)[0], "nothing was told"
        return os.read(pipe, 1000).decode()

    yield read
    os.close(pipe)


def is_running(pid: str) -> bool:
    try:
        state = Path("/proc", pid, "stat").read_bytes().rpartition(b")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != b"Z"


def test_every_group_passes(
    make_suite: MakeSuite,
    run_groups: RunGroups,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    outputs = tmp_path_factory.mktemp("outputs")
    for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"):
        monkeypatch.setenv(name, str(outputs / name))
    hidden = """
import os

@pytest.mark.group(1)
def test_environment(): assert not {"GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"} & {*os.environ}
"""
    suite = make_suite({"tests/integration/test_a.py": TWO_PASS, "tests/integration/test_b.py": hidden})
    before = time.time()
    ended = run_groups("tests", "--jobs", "1")
    after = time.time()
    assert ended.code == 0
    assert ended.stdout.startswith(
        "3 groups, 1 at a time\nThe output of each group: .run-groups/*.log\n"
        "started  test_a.py | group 1\npassed   test_a.py | group 1  "
    )
    assert ended.events == [f"{event} {group}" for group in ("1", "2", "1") for event in ("started", "passed")]
    assert "said by three" not in ended.stdout
    assert re.search(r"^GROUP +RESULT +TESTS +TIME +STARTED AT *$", ended.stdout, re.MULTILINE)
    assert re.search(r"^test_a.py \| group 2  passed +2( +(\d+ min )?\d+\.\d s){2} *$", ended.stdout, re.MULTILINE)
    assert len(re.findall(r"^test_[ab].py \| group [12]   *=+$", ended.stdout, re.MULTILINE)) == 3
    end = r"\n\n3 groups passed, 0 failed in (\d+ min )?\d+\.\d s \(one after the other: (\d+ min )?\d+\.\d s\)\n$"
    assert re.search(end, ended.stdout)
    results = json.loads((suite / ".run-groups/results.json").read_bytes())
    assert (results["jobs"], results["seconds"] > 0) == (1, True)
    one = results["groups"][1]
    # One at a time.
    assert one.pop("started") >= results["groups"][0]["started"] + results["groups"][0]["seconds"]
    assert one.pop("seconds") > 0
    assert one == {
        "job_name": "test_a.py | group 2",
        "path_to_test_file": "tests/integration/test_a.py",
        "group_id": "2",
        "result": "passed",
        "reason": "",
        "tests": 2,
        "log": ".run-groups/test_a.py-group-2.log",
        "junit": ".run-groups/test_a.py-group-2.xml",
        "record": ".run-groups/test_a.py-group-2.json",
    }
    record = json.loads((suite / one["record"]).read_bytes())
    assert (record["result"], record["tests"], record["set_up"]) == ("passed", {"passed": 2}, 0)
    assert {test["test"] for test in record["slowest"]} == {"test_two", "test_three"}
    assert before - 0.01 < record["started"] < record["started"] + record["seconds"] < after + 0.01
    assert "2 passed, 1 deselected" in (suite / one["log"]).read_text()
    suites = parse(suite / ".run-groups/results.xml")
    assert [(suite.get("name"), suite.get("tests")) for suite in suites] == [
        ("test_a.py | group 1", "1"),
        ("test_a.py | group 2", "2"),
        ("test_b.py | group 1", "1"),
    ]
    assert (suite / ".run-groups/.gitignore").read_text() == "*\n"
    tag = (suite / ".run-groups/CACHEDIR.TAG").read_text()
    assert tag.startswith("Signature: 8a477f597d28d172789f06886806bc55")
    assert not [*outputs.iterdir()]


def test_one_group_fails(make_suite: MakeSuite, run_groups: RunGroups) -> None:
    make_suite({"test_a.py": ONE_FAILS})
    ended = run_groups("--jobs=1", "--", "--color=no")
    assert ended.code == 1
    assert ended.events == ["started bad", "failed bad", "started good", "passed good"]
    assert re.search(
        r"^failed   test_a\.py \| group bad  (\d+ min )?\d+\.\d s: 1 failure\n\n"
        r"=== test_a\.py \| group bad: 1 failure ===\n"
        r"\$ pytest test_a\.py --group=bad --color=no\n=+ test session starts =+\n",
        ended.stdout,
        re.MULTILINE,
    )
    assert "E   ValueError: said by bad" in ended.stdout
    assert "1 group passed, 1 failed in " in ended.stdout
    assert (
        "\nfailed: test_a.py | group bad\n"
        "  test_bad: ValueError: said by bad\n"
        "  log:    .run-groups/test_a.py-group-bad.log\n"
        "  repeat: pytest test_a.py --group=bad --color=no\n"
        "report: .run-groups/report.md\n"
    ) in ended.stdout
    report = (ended.results / "report.md").read_text()
    assert report.startswith("### 1 group passed, 1 failed\n\nFailed: `test_a.py | group bad`.\n")
    assert "\n  - `test_bad`: `ValueError: said by bad`\n" in report
    assert "\nsection runner 1\nfailed test_a.py | group bad :crit, " in report
    assert ended.outcomes == {"bad": "failed", "good": "passed"}
    assert ended.groups["bad"]["reason"] == "1 failure"
    (failure,) = ended.junit("bad").iter("failure")
    assert failure.get("message") == "ValueError: said by bad"
    assert not [*ended.junit("bad").iter("error"), *ended.junit("good").iter("failure")]


# What the only test of a group does, and what becomes of the group.
CRASHES = {
    "ends": ("os._exit(0)", "ended without a report (exit code 0): did a test call os._exit?"),
    "fails": ("os._exit(3)", "ended without a report (exit code 3): did a test call os._exit?"),
    "crashes": ("os.kill(os.getpid(), signal.SIGSEGV)", "killed by SIGSEGV"),
    "is killed": ("os.kill(os.getpid(), signal.SIGRTMIN + 1)", f"killed by signal {signal.SIGRTMIN + 1}"),
}
OTHER_FAILURES = {
    "exits": "unknown to pytest (exit code 77)",
    "breaks": "a usage error (exit code 4)",
    "stops": "interrupted, or an error of the collection (exit code 2)",
    "deselects": "no tests ran (exit code 5)",
    "tears down": "1 error",
}
FAILING_CONFTEST = """
import sys

GROUP = "".join(argument.removeprefix("--group=") for argument in sys.argv if argument.startswith("--group="))
if GROUP == "breaks": 1 / 0

def pytest_sessionfinish(session):
    if GROUP == "exits": session.exitstatus = 77

def pytest_runtest_setup(item):
    if GROUP == "stops": pytest.exit("enough")

def pytest_collection_modifyitems(items):
    if GROUP == "deselects": items.clear()

@pytest.fixture(autouse=True)
def broken():
    yield
    if GROUP == "tears down": raise OSError
"""


@pytest.mark.slow
def test_ends_of_all_kinds(make_suite: MakeSuite, run_groups: RunGroups) -> None:
    ends = {name: crash for name, (crash, _) in CRASHES.items()} | dict.fromkeys([*OTHER_FAILURES, "passes"], "...")
    tests = "".join(
        f"@pytest.mark.group({name!r})\ndef test_{number}():\n    {code}\n"
        for number, (name, code) in enumerate(ends.items())
    )
    make_suite({"test_a.py": f"import os, signal\n{tests}", "conftest.py": FAILING_CONFTEST})
    ended = run_groups("--jobs", "2")
    assert ended.code == 1
    assert ended.outcomes == dict.fromkeys([*CRASHES, *OTHER_FAILURES], "failed") | {"passes": "passed"}
    for name, (_, reason) in CRASHES.items():
        said = ended.groups[name]
        assert (said["reason"], said["tests"], said["junit"]) == (reason, None, None)
        (error,) = ended.junit(name).iter("error")
        assert error.get("message") == f"failed: {reason}"
    # The logs have what came before the crash, and in which test it was.
    for number, (_, reason) in enumerate(CRASHES.values()):
        assert f"\nrun-groups: {reason}, in test_a.py::test_{number}\n" in ended.stdout
    for name, reason in OTHER_FAILURES.items():
        assert ended.groups[name]["reason"] == reason
        assert [*ended.junit(name).iter("error")]


def test_group_that_runs_no_test(make_suite: MakeSuite, run_groups: RunGroups) -> None:
    make_suite({"test_a.py": "@pytest.mark.group(1)\ndef test_one(): ..."})
    ended = run_groups("--", "--collect-only")
    assert (ended.code, ended.groups["1"]["reason"]) == (1, "no tests ran")


@pytest.mark.long
def test_group_that_takes_too_long(make_suite: MakeSuite, run_groups: RunGroups, told: Told) -> None:
    model = "@pytest.fixture\ndef model():\n    yield\n    open('torn-down', 'x').close()\n\n"
    suite = make_suite({"test_a.py": model + HANGS.replace("def test_hangs()", "def test_hangs(model)")})
    ended = run_groups("--jobs=1", "--timeout", "10", *IN_ORDER)
    assert (suite / "torn-down").exists()
    assert not is_running(told())
    assert ended.code == 1
    assert ended.outcomes == {"1": "passed", "2": "failed", "3": "passed"}
    assert ended.groups["2"]["reason"] == "timed out after 10 s"
    assert ended.groups["2"]["seconds"] >= 10
    (error,) = ended.junit("2").iter("error")
    assert error.get("message") == "failed: timed out after 10 s"


@pytest.mark.slow
def test_processes_that_groups_leave_behind(make_suite: MakeSuite, run_groups: RunGroups) -> None:
    left = """
import os, subprocess

def leave_processes(name):
    same, other = (subprocess.Popen(["sleep", "1000"], preexec_fn=of_group) for of_group in (None, os.setpgrp))
    same.returncode = other.returncode = 0  # or Python warns
    with open(name, "w") as told:
        told.write(f"{same.pid} {other.pid}")

@pytest.mark.group("passes")
def test_passes(): leave_processes("passes")

@pytest.mark.group("crashes")
def test_crashes():
    leave_processes("crashes")
    os._exit(1)
"""
    suite = make_suite({"test_a.py": left})
    ended = run_groups()
    assert ended.outcomes == {"passes": "passed", "crashes": "failed"}
    for name in ended.outcomes:
        same, other = (suite / name).read_text().split()
        assert not is_running(same)
        assert not is_running(other)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "code"),
    [
        (signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGQUIT, 131), (signal.SIGUSR1, 138),
        (signal.SIGALRM, 142),
    ],
    ids=str,
)  # fmt: skip
def test_interrupt(
    make_suite: MakeSuite, pytester: pytest.Pytester, told: Told, number: signal.Signals, code: int
) -> None:
    of_last_time = "<testsuites><testsuite tests='1'/></testsuites>"
    suite = make_suite({"test_a.py": HANGS, ".run-groups/test_a.py-group-3.xml": of_last_time})
    with subprocess.Popen(
        # Where the tests run under nohup, or in the background, the command would ignore these signals, as it should.
        ["env", "--default-signal=HUP,QUIT", *COMMAND, "--jobs=1"],
        cwd=suite,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        pid = told()
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=300)
    assert not is_running(pid)
    ended = Ended(process.returncode, stdout, stderr, suite / ".run-groups")
    assert (ended.code, stderr) == (code, "")
    assert ended.events == ["started 1", "passed 1", "started 2", "not run 2"]
    assert "\nStopping: fixtures have 60 s to tear down. Press Ctrl-C again to stop at once.\n" in stdout
    assert "1 group passed, 0 failed, 2 not run in " in stdout
    assert ended.outcomes == {"1": "passed", "2": "not run", "3": "not run"}
    assert [said["reason"] for said in ended.groups.values()] == ["", "interrupted", "interrupted before it started"]
    assert [ended.groups["3"][key] for key in ("tests", "started", "seconds", "log", "junit")] == [None] * 5
    (error,) = ended.junit("3").iter("error")
    assert error.get("message") == "not run: interrupted before it started"


@pytest.mark.slow
def test_huge_output(make_suite: MakeSuite) -> None:
    code = "import pytest\n@pytest.mark.group(1)\ndef test_1():\n    for n in range(4_000_000): print(n)\n    assert 0"
    suite = make_suite({"test_a.py": code})
    # The log as a whole takes more memory than this.
    command = ["prlimit", "--data=100000000", *COMMAND, "--", "-s"]
    ended = subprocess.run(command, cwd=suite, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (1, "")
    left_out = r"\n\.\.\. 29\.\d MB are left out: see \.run-groups/test_a\.py-group-1\.log \.\.\.\n3\d{6}\n"
    assert re.search(left_out, ended.stdout)
    assert "\n3999999\n" in ended.stdout
    assert len(ended.stdout) < 1_100_000


TEARS_DOWN = """
import os, subprocess, time
import pytest

@pytest.fixture
def model():
    yield
    if os.path.exists("slow"):
        with open("told", "w") as told: told.write("tears down")
        time.sleep(2)
    with open("destroyed", "w") as file: file.write("model")

@pytest.mark.group(1)
def test_hangs(model):
    left = subprocess.Popen(["sleep", "10000"], preexec_fn=lambda: __import__("signal").signal(2, 1))
    with open("told", "w") as told: told.write(f"{os.getpid()} {left.pid}")
    time.sleep(10000)
"""


@pytest.mark.slow
@pytest.mark.parametrize("tears_down", [False, True], ids=["at once", "after Ctrl-C"])
def test_kill(make_suite: MakeSuite, told: Told, tears_down: bool) -> None:
    suite = make_suite({"test_a.py": TEARS_DOWN} | ({"slow": ""} if tears_down else {}))
    with subprocess.Popen([*COMMAND], cwd=suite, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        pids = told().split()
        if tears_down:
            process.send_signal(signal.SIGINT)
            assert told() == "tears down"
        process.kill()
        process.communicate(timeout=300)
    deadline = time.monotonic() + 300
    while any(map(is_running, pids)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(is_running, pids))
    assert (suite / "destroyed").read_text() == "model"


@pytest.mark.slow
def test_guard_that_is_killed(make_suite: MakeSuite, monkeypatch: pytest.MonkeyPatch) -> None:
    kills = """
import os, signal
from pathlib import Path
import pytest

@pytest.mark.group(1)
def test_1():
    for cmdline in Path("/proc").glob("[0-9]*/cmdline"):
        stat = cmdline.with_name("stat").read_text().rpartition(")")[2].split()
        if stat[1] == str(os.getppid()) and "processes.py" in cmdline.read_text():
            os.kill(int(cmdline.parent.name), signal.SIGKILL)
            return
    raise AssertionError("no guard")
"""
    suite = make_suite({"test_a.py": kills})
    # A name that isn't UTF-8.
    (folder := suite / os.fsdecode(b"\xff")).mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    ended = subprocess.run([*COMMAND], cwd=suite, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "1 group passed, 0 failed in " in ended.stdout


def test_interrupt_while_collecting(make_suite: MakeSuite, told: Told) -> None:
    suite = make_suite(
        {"conftest.py": HANGS.partition("def test_hangs")[2].join(["import subprocess, time\ndef f", "\nf()"])}
    )
    with subprocess.Popen([*COMMAND], cwd=suite, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        pid = told()
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=300)
    assert (process.returncode, stderr, is_running(pid)) == (130, "", False)
    assert stdout == "Stopping: fixtures have 60 s to tear down. Press Ctrl-C again to stop at once.\n"


STUBBORN = """
import signal
signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
with open("told", "w") as told: told.write("ready")
while True: signal.pause()
"""


@pytest.mark.parametrize(
    ("code", "grace", "interrupts", "killed_by"),
    [
        (STUBBORN, 1000, 3, signal.SIGKILL),
        (STUBBORN.replace("signal.signal(signal.SIGTERM, signal.SIG_IGN)", ""), 0.1, 1, signal.SIGTERM),
    ],
    ids=["SIGTERM", "SIGINT"],
)
def test_process_that_ignores_signals(
    pytester: pytest.Pytester, told: Told, code: str, grace: float, interrupts: int, killed_by: signal.Signals
) -> None:
    async def run() -> tuple[int, str, float]:
        pool = ProcessPool(grace=grace)
        execution = asyncio.ensure_future(pool.execute([sys.executable, "-c", code], pytester.path / "log", os.environ))
        await asyncio.to_thread(told)
        for _ in range(interrupts):
            pool.interrupt(signal.SIGINT)
        return await execution

    returncode, ended_by, _ = asyncio.run(run())
    assert (returncode, ended_by) == (-killed_by, "interrupted")


def test_error_in_the_display_leaves_nothing_behind(pytester: pytest.Pytester, told: Told) -> None:
    os.mkfifo("go")
    os.mkfifo("never")
    codes = {
        "waits": "import os; open('told', 'w').write(str(os.getpid())); open('go', 'w').close(); open('never').read()",
        "ends": "open('go').close()",
    }
    jobs = []
    for name, code in codes.items():
        log, junit, record, progress = (Path(f"{name}.{ending}") for ending in ("log", "xml", "json", "progress"))
        jobs.append(Job(name, Record("", name), [sys.executable, "-c", code], log, junit, record, progress))

    async def run() -> None:
        pool = ProcessPool()

        def changed(job: Job) -> None:
            if job.record.result == "failed":
                raise BrokenPipeError

        await pool.run(jobs, 2, os.environ, changed)

    with pytest.raises(BrokenPipeError):
        asyncio.run(run())
    assert not is_running(told())


NOISY = """
import os, time

@pytest.fixture
def model():
    os.mkdir("model")
    yield
    os.rmdir("model")

@pytest.mark.group("hangs")
def test_hangs(model):
    with open("told", "w") as told: told.write("hangs"); told.flush(); [time.sleep(0.05) for _ in range(20_000)]

@pytest.mark.group("fails")
def test_fails():
    with open("told", "w") as told: told.write("fails")
    open("go").readline()
    raise ValueError
"""


@pytest.mark.long
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_closed_terminal(make_suite: MakeSuite, run_groups: RunGroups, unbuffered: str) -> None:
    passing = "".join(f"@pytest.mark.group({name!r})\ndef test_{name}(): ...\n" for name in ("hangs", "fails"))
    suite = make_suite({"test_a.py": passing})
    assert run_groups().code == 0
    make_suite({"test_a.py": NOISY})
    for fifo in ("told", "go"):
        os.mkfifo(suite / fifo)
    told, go = (os.open(suite / fifo, os.O_RDWR) for fifo in ("told", "go"))
    with subprocess.Popen(
        [*COMMAND, "--jobs=2"],
        cwd=suite,
        env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        assert process.stderr
        running = b""
        while not all(name in running for name in (b"hangs", b"fails")):
            assert select.select([told], [], [], 300)[0], "nothing was told"
            running += os.read(told, 1000)
        process.stdout.close()
        os.write(go, b"\n")
        assert process.stderr.read() == "run-groups: [Errno 32] Broken pipe\n"
    os.close(told)
    os.close(go)
    # The other group has torn down, and what failed counts as failed.
    assert not (suite / "model").exists()
    ended = Ended(process.returncode, "", "", suite / ".run-groups")
    assert (ended.code, ended.outcomes) == (2, {"hangs": "not run", "fails": "failed"})


@pytest.mark.long
def test_longest_first(make_suite: MakeSuite, run_groups: RunGroups) -> None:
    groups = "".join(f"@pytest.mark.group({name!r})\ndef test_{name}(): ...\n" for name in "abcd")
    # Nothing is known of "d".
    seconds = {("test_a.py", "a"): 1, ("test_a.py", "b"): 3, ("test_a.py", "c"): 2, ("test_b.py", "1"): 5}
    known = [
        {"path_to_test_file": path, "group_id": group, "runs": [{"started": 0, "set_up": 0, "seconds": value}]}
        for (path, group), value in seconds.items()
    ]
    suite = make_suite(
        {"test_a.py": groups, "test_b.py": TWO_PASS, ".run-groups/durations.json": json.dumps({"groups": known})}
    )
    ended = run_groups("test_a.py", "--jobs=1", "--", "-k", "test_b or test_c or test_d")
    assert [event for event in ended.events if event.startswith("started")] == [f"started {name}" for name in "dbc"]

    def known_groups() -> list[str]:
        durations = json.loads((suite / ".run-groups/durations.json").read_bytes())
        return [group["group_id"] for group in durations["groups"]]

    # What is known of the others stays, until they are gone.
    assert known_groups() == ["a", "b", "c", "d", "1"]
    make_suite({"test_a.py": "@pytest.mark.group('e')\ndef test_e(): ..."})
    (suite / "test_b.py").unlink()
    run_groups("--jobs=2")
    assert known_groups() == ["e"]


@pytest.mark.slow
def test_groups_that_failed(make_suite: MakeSuite, run_groups: RunGroups) -> None:
    suite = make_suite({"test_a.py": ONE_FAILS, "test_b.py": TWO_PASS})
    (suite / "pyproject.toml").write_text(f'[tool.run-groups]\njobs = 1\nresults = "out"\ntest-command = "{PYTEST}"')
    ended = run_groups("test_a.py", results="out")
    assert [*ended.groups] == ["bad", "good"]
    assert f"\n  repeat: {PYTEST} test_a.py --group=bad\n" in ended.stdout
    # Those of test_b.py didn't run, and a change to the others' file doesn't matter.
    make_suite({"test_a.py": ONE_FAILS.replace('raise ValueError("said by bad")', "...")})
    ended = run_groups("--failed", results="out")
    assert (ended.code, ended.events[::2]) == (0, ["started 1", "started 2", "started bad"])
    assert ended.outcomes == dict.fromkeys(["1", "2", "bad", "good"], "passed")
    assert (suite / "out/test_a.py-group-good.log").exists()
    ended = run_groups("--failed", results="out")
    assert (ended.code, ended.stdout) == (0, "Every group passed in the last run.\n")
    assert len(ended.groups) == 4
    assert parse(suite / "out/results.xml").findall("testsuite")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[tool.run-groups]\njob = 1",
            (
                "pyproject.toml: [tool.run-groups] has no job. "
                "It can have: paths, jobs, timeout, grace, test-command, results"
            ),
        ),
        ("tool.run-groups = 1", "pyproject.toml: tool.run-groups must be a table. Write: [tool.run-groups]"),
        ("[tool.run-groups]\njobs = 0", "argument --jobs: not a number of processes, 1 or more: '0'"),
        ("[tool.run-groups]\njobs = true", "pyproject.toml: [tool.run-groups]: jobs must be a number or a str"),
        ("[tool.run-groups]\npaths = 'a'", "pyproject.toml: [tool.run-groups]: paths must be a list of str"),
        (
            "[tool.run-groups",
            "pyproject.toml: not valid TOML (Expected ']' at the end of a table declaration (at end of",
        ),
    ],
)
def test_error_in_pyproject(make_suite: MakeSuite, text: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    make_suite({"pyproject.toml": text})
    with pytest.raises(SystemExit, match="2"):
        read_options([])
    assert f"\nrun-groups: error: {message}" in capsys.readouterr().err


def test_pyproject_that_can_not_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pyproject.toml").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="2"):
        read_options([])
    error = "pyproject.toml: can't be read ([Errno 21] Is a directory: 'pyproject.toml')\n"
    assert capsys.readouterr().err.endswith(f"\nrun-groups: error: {error}")


def test_defaults_in_pyproject(make_suite: MakeSuite) -> None:
    make_suite({"pyproject.toml": "[tool.run-groups]\njobs = 7\npaths = ['a', 'b']\ntimeout = 1.5"})
    options = read_options(["--timeout=2"])
    assert (options.jobs, options.paths, options.timeout) == (7, ["a", "b"], 2)
    assert read_options(["c"]).paths == ["c"]


@pytest.mark.slow
def test_charm_cache_lines_once(make_suite: MakeSuite, run_groups: RunGroups) -> None:
    says = TWO_PASS.replace("...", "print('\\ncharm cache: a hit')")
    make_suite({"test_a.py": says})
    ended = run_groups("--", "-s")
    assert ended.stdout.count("charm cache: a hit") == 1


@pytest.mark.slow
def test_models_that_are_left(
    make_suite: MakeSuite, run_groups: RunGroups, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As `juju models --format=json` answers.
    models = [
        {"name": f"admin/{name}", "controller-name": "lxd", "life": life}
        for name, life in (("testing", "alive"), ("left", "alive"), ("destroyed", "dying"))
    ]
    (tmp_path / "models").write_text(json.dumps({"models": models[:1]}))
    (tmp_path / "more").write_text(json.dumps({"models": models}))
    (tmp_path / "juju").write_text(f"#!/bin/sh\ncat '{tmp_path}/models'\n")
    (tmp_path / "juju").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    adds = f"__import__('shutil').copy('{tmp_path}/more', '{tmp_path}/models')"
    make_suite({"test_a.py": f"@pytest.mark.group(1)\ndef test_one(): {adds}"})
    left = (
        "These models were added during the run, and are left. To destroy them:\n"
        "  juju destroy-model --no-prompt --destroy-storage --force lxd:admin/left\n"
    )
    assert run_groups().stdout.endswith(f")\n{left}")
    assert "are left" not in run_groups().stdout, "it was there before"


@pytest.mark.parametrize(
    "juju",
    [
        "#!/bin/sh\nexit 1",
        "#!/bin/sh\necho nonsense",
        "#!/bin/sh\necho '{\"models\": [1]}'",
        "#!/bin/sh\nsleep 1000 & wait",
        pytest.param("\0", id="not a program"),
    ],
)
def test_juju_that_does_not_tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, juju: str) -> None:
    (tmp_path / "juju").write_text(juju)
    (tmp_path / "juju").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr("pytest_operator_groups.run.models.TIMEOUT", 0.5)
    assert asyncio.run(list_models()) is None


def test_estimate() -> None:
    jobs = [job("done", 0, 10), job("runs", 0, None, "running"), job("waits", None, None, "waiting")]
    assert Estimate(jobs, 5, 2).left is None
    for one, expected in zip(jobs, (10, 20, 10), strict=True):
        one.expected = expected
    estimate = Estimate(jobs, 5, 2)
    assert (estimate.done, estimate.left) == (1 - 25 / 40, 15)
    jobs[1].expected = None
    assert Estimate(jobs, 5, 1).left == 15


@pytest.mark.slow
def test_process_that_is_free_takes_the_next_group(make_suite: MakeSuite, run_groups: RunGroups) -> None:
    # Either end of a named pipe waits for the other.
    meet = """
@pytest.mark.group("waits for the last one")
def test_reads(): open("meeting").close()

@pytest.mark.group("short")
def test_short(): ...

@pytest.mark.group("last")
def test_writes(): open("meeting", "w").close()
"""
    os.mkfifo(make_suite({"test_a.py": meet}) / "meeting")
    ended = run_groups("--jobs=2", "--timeout=300")
    assert ended.code == 0
    waiting, short, last = ended.groups.values()
    assert short["started"] + short["seconds"] <= last["started"] < waiting["started"] + waiting["seconds"]


def test_arguments_for_pytest(make_suite: MakeSuite, run_groups: RunGroups) -> None:
    marked = """
@pytest.mark.group(1)
def test_fails(): assert 0

@pytest.mark.group(1)
@pytest.mark.slow
def test_slow(): ...

@pytest.mark.group(2)
@pytest.mark.slow
def test_also_slow(): ...
"""
    make_suite({"test_a.py": marked, "pytest.ini": "[pytest]\nmarkers = slow\naddopts = --junit-xml=its-own.xml"})
    ended = run_groups("test_a.py", "--jobs=1", "--", "-m", "not slow")
    assert [*ended.groups] == ["1"]
    assert ended.groups["1"]["tests"] == 1
    assert "\n$ pytest test_a.py --group=1 -m 'not slow'\n" in ended.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("import missing", pytest.ExitCode.INTERRUPTED, "No module named 'missing'"),
        ("def test_one(): ...", pytest.ExitCode.USAGE_ERROR, "1 test without a group:\n  test_a.py:2: test_one"),
        ("import os; os._exit(0)", 2, ""),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", 137, ""),
    ],
)
def test_collection_fails(make_suite: MakeSuite, run_groups: RunGroups, text: str, code: int, message: str) -> None:
    suite = make_suite({"test_a.py": text})
    ended = run_groups(errors=True)
    assert ended.code == code
    assert message in ended.stdout
    assert ended.stderr.startswith("run-groups: pytest did not collect the groups (exit code ")
    assert not (suite / ".run-groups/results.json").exists()


def test_stdout_that_is_closed(make_suite: MakeSuite) -> None:
    suite = make_suite({"test_a.py": "@pytest.mark.group(1)\ndef test_one(): print('said by one')"})
    command = ["sh", "-c", 'exec "$@" >&-', "sh", *COMMAND, "--", "-s"]
    run = subprocess.run(command, cwd=suite, check=False, capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (0, "")
    assert "said by one" in (suite / ".run-groups/test_a.py-group-1.log").read_text()


def test_path_that_is_not_there(make_suite: MakeSuite, run_groups: RunGroups) -> None:
    make_suite({"test_a.py": TWO_PASS})
    ended = run_groups("nowhere", errors=True)
    assert ended.code == pytest.ExitCode.USAGE_ERROR
    assert "nowhere" in ended.stdout


def test_no_group(make_suite: MakeSuite, run_groups: RunGroups) -> None:
    make_suite({"test_a.py": TWO_PASS})
    ended = run_groups("--", "-k", "nothing")
    assert (ended.code, ended.stdout) == (0, "There is no group to run.\n")
    assert ended.groups == {}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--jobs=0"], "argument --jobs: not a number of processes, 1 or more: '0'"),
        (["--jobs", "many"], "argument --jobs: not a number of processes, 1 or more: 'many'"),
        (["--timeout=0"], "argument --timeout: not a number of seconds, more than 0: '0'"),
        (["--timeout=nan"], "argument --timeout: not a number of seconds, more than 0: 'nan'"),
        (["--timeout=soon"], "argument --timeout: not a number of seconds, more than 0: 'soon'"),
        (["-k", "x"], "unrecognized arguments: -k"),
        (
            ["--", "--lf"],
            "--lf runs single tests, and a group always runs whole. Run the groups that failed: run-groups --failed",
        ),
        (
            ["--test-command=tox 'x"],
            '--test-command "tox \'x": No closing quotation. Close the quote, or write \\ before it',
        ),
        (
            ["--test-command="],
            "--test-command is empty. Write, for example: --test-command 'tox run -e integration --'",
        ),
        (
            ["test_a.py::test_one"],
            (
                "test_a.py::test_one is a part of a file, and a group always runs whole. "
                "Select tests with: -- -k EXPRESSION"
            ),
        ),
        (
            ["--", "--junit-xml=x"],
            JUNIT.format(".run-groups"),
        ),
        (
            ["--results", "out", "--", "--junitxml", "x"],
            JUNIT.format("out"),
        ),
    ],
)
def test_usage_error(run_groups: RunGroups, arguments: list[str], message: str) -> None:
    ended = run_groups(*arguments, errors=True)
    assert (ended.code, ended.stdout) == (2, "")
    usage, _, error = ended.stderr.partition("\nrun-groups: error: ")
    assert " ".join(usage.split()) == (
        "usage: run-groups [PATH ...] [--failed] [--jobs N] [--timeout SECONDS] [--grace SECONDS] [--results DIR] "
        "[--test-command COMMAND] [-- PYTEST ARGUMENTS]"
    )
    assert error == f"{message}\n"


def test_folder_that_can_not_be_made(make_suite: MakeSuite, run_groups: RunGroups) -> None:
    make_suite({"test_a.py": TWO_PASS})
    ended = run_groups("--results=test_a.py", errors=True)
    assert (ended.code, ended.stderr) == (
        2,
        "run-groups: test_a.py: this is a file. Name a folder for the results: --results DIR\n",
    )


def test_rich_is_missing(run_groups: RunGroups, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    (pytester.path / "rich.py").write_text("raise ImportError('no rich here')")
    monkeypatch.setenv("PYTHONPATH", str(pytester.path))
    ended = run_groups(errors=True)
    assert (ended.code, ended.stdout) == (2, "")
    assert ended.stderr == (
        "run-groups needs more than pytest (no rich here). Install it:\n"
        'pip install "pytest-operator-groups[run] @ git+https://github.com/canonical/data-platform-workflows@v51.0.0'
        '#subdirectory=python/pytest_plugins/pytest_operator_groups"\n'
    )


def in_terminal(directory: Path, *arguments: str, **variables: str) -> tuple[int, str]:
    """Run the command in a terminal, and return the exit code and all that it shows."""
    master, slave = pty.openpty()
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "100", "LINES": "30"} | variables
    with subprocess.Popen(
        [*COMMAND, *arguments], cwd=directory, stdin=slave, stdout=slave, stderr=slave, env=environment
    ) as process:
        os.close(slave)
        shown = b""
        try:
            while read := os.read(master, 10_000):
                shown += read
        except OSError:  # the terminal's other end is closed
            pass
        finally:
            os.close(master)
    return process.returncode, shown.decode().replace("\r\n", "\n")


@pytest.mark.slow
def test_live_table(make_suite: MakeSuite) -> None:
    suite = make_suite({"test_a.py": ONE_FAILS})
    code, shown = in_terminal(suite, "--jobs=1", NO_COLOR="1")
    assert code == 1
    assert not re.findall("\x1b\\[[0-9;]*3[0-7]m", shown)
    text = re.sub("\x1b\\[[0-9;?]*[a-zA-Z]", "", shown)
    for title in ("2 waiting, 0.0 s", "1 running, 1 waiting, ", "1 failed, 1 waiting, ", "1 running, 1 failed, "):
        assert title in text
    for row in ("group bad   running", "group good  waiting", "group bad   failed", "group good  passed"):
        assert re.search(rf"test_a\.py \| {row} +(-|(\d+ min )?\d+\.\d s)", text), row
    assert "E   ValueError: said by bad" in text
    assert "started " not in text
    assert "1 group passed, 1 failed in " in text
    # A timeline: the bars of the groups end within the terminal's lines.
    bars = [line for line in text.splitlines() if line.startswith("test_a.py | group ") and line.endswith("=")]
    assert len(bars) == 2
    assert max(map(len, bars)) <= 100


@pytest.mark.slow
def test_terminal_that_can_not_show_a_live_table(make_suite: MakeSuite) -> None:
    suite = make_suite({"test_a.py": TWO_PASS})
    code, shown = in_terminal(suite, TERM="dumb")
    assert code == 0
    assert "\nstarted  test_a.py | group 1\n" in shown
    assert "\x1b" not in shown


@pytest.mark.long
def test_results_are_replaced(make_suite: MakeSuite, run_groups: RunGroups) -> None:
    suite = make_suite({"test_a.py": TWO_PASS})
    (suite / "results").mkdir()
    (suite / "results/notes").touch()
    assert run_groups("--results=results", results="results").code == 0
    make_suite({"test_a.py": TWO_PASS.replace('print("said by three")', "__import__('os')._exit(0)")})
    ended = run_groups("--results", "results", results="results")
    # The report of last time doesn't count.
    assert ended.outcomes == {"1": "passed", "2": "failed"}
    assert (suite / "results/notes").exists()
    assert not (suite / "results/.gitignore").exists()
    assert not (suite / "results/CACHEDIR.TAG").exists()
    assert not [*(suite / "results").glob("*.new")]


@pytest.mark.long
def test_files_of_groups_that_no_longer_exist(make_suite: MakeSuite, run_groups: RunGroups) -> None:
    suite = make_suite(
        {"test_a.py": TWO_PASS, "test_b.py": TWO_PASS.replace("def test_one(): ...", "def test_one(): 1 / 0")}
    )
    folder = suite / "results"
    folder.mkdir()
    others = {"notes.txt", "mine.xml", "mine.log", "test_a.py-group-9.xml"}
    for name in others:
        (folder / name).touch()
    run_groups("--results=results", results="results")
    make_suite({"test_a.py": TWO_PASS.replace("group(2)", "group(3)")})
    ended = run_groups("test_a.py", "--results=results", results="results")
    assert ended.outcomes == {"3": "passed", "1": "passed"}
    written = {f"test_a.py-group-{group}{ending}" for group in "13" for ending in (".log", ".xml", ".json")}
    assert {path.name for path in folder.iterdir()} == {
        *others,
        *written,
        "durations.json",
        "report.md",
        "results.json",
        "results.xml",
    }
    run_groups("--results=results", "--", "-k", "nothing", results="results")
    assert {path.name for path in folder.iterdir()} == {
        *others,
        "durations.json",
        "report.md",
        "results.json",
        "results.xml",
    }


@pytest.mark.slow
def test_only_files_of_groups_are_removed(make_suite: MakeSuite, run_groups: RunGroups) -> None:
    kept = ["keep.log", ".run-groups/keep.txt", ".run-groups/sub/keep.txt", ".run-groups/sub/keep.log"]
    suite = make_suite({"test_a.py": TWO_PASS, ".run-groups/old.log": "", **dict.fromkeys(kept, "")})
    group = {"job_name": "x", "path_to_test_file": "x", "group_id": "1", "result": "passed", "junit": None}
    logs = ["../keep.log", f"{suite}/keep.log", "..", "keep.txt", "sub/keep.txt", "sub/keep.log", "", "old.log"]
    results = {"groups": [group | {"log": log} for log in logs]}
    (suite / ".run-groups/results.json").write_text(json.dumps(results))
    assert run_groups().code == 0
    assert not [name for name in kept if not (suite / name).exists()]
    assert not (suite / ".run-groups/old.log").exists()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "JSONDecodeError: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        ("[]", "TypeError: list indices must be integers or slices, not str"),
        ('{"groups": [{}]}', "KeyError: 'result'"),
        ('{"groups": [{"log": null, "junit": null}]}', "KeyError: 'result'"),
        ('{"groups": [{"log": 1, "junit": null}]}', "TypeError: "),
        ('{"groups": [{"result": "passed"}]}', "KeyError: 'job_name'"),
        pytest.param("[" * 100_000, "RecursionError: ", id="deep"),
    ],
)
def test_results_of_last_time_that_can_not_be_read(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "results.json").write_text(text)
    with pytest.raises(GroupsError) as error:
        read_last_run(tmp_path)
    message = str(error.value)
    assert message.startswith(f"{tmp_path}/results.json: can't read the results of the last run ({reason}")
    assert message.endswith("). Its files stay in the folder.")


@pytest.mark.slow
def test_run_after_results_that_can_not_be_read(make_suite: MakeSuite, run_groups: RunGroups) -> None:
    make_suite({"test_a.py": TWO_PASS, ".run-groups/results.json": "{"})
    ended = run_groups()
    assert ended.code == 0
    assert ended.stdout.startswith(
        ".run-groups/results.json: can't read the results of the last run (JSONDecodeError: "
    )
    assert "). Its files stay in the folder.\n" in ended.stdout
    assert [*ended.groups] == ["1", "2"]


BROKEN = {
    "1": "\\0</testsuites>",
    "2": "<testsuites><testsuite tests='x'/></testsuites>",
    "3": "<testsuites><testsuite time='x'/></testsuites>",
    "4": "<testsuites>",
}


@pytest.mark.slow
def test_report_that_can_not_be_read(make_suite: MakeSuite, run_groups: RunGroups) -> None:
    conftest = f"""
@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config):
    if config.option.xmlpath:
        with open(config.option.xmlpath, "w") as file: file.write({BROKEN}[config.option.group])
"""
    tests = "".join(f"@pytest.mark.group({group})\ndef test_{group}(): ...\n" for group in BROKEN)
    make_suite({"test_a.py": tests, "conftest.py": conftest})
    ended = run_groups()
    # The last one may have been cut off.
    assert (ended.code, ended.outcomes) == (1, dict.fromkeys("123", "passed") | {"4": "failed"})
    for group, said in ended.groups.items():
        assert said["tests"] is None
        assert len([*ended.junit(group).iter("error")]) == (group == "4")


@pytest.mark.long
def test_names_of_all_kinds(make_suite: MakeSuite, run_groups: RunGroups) -> None:
    names = [
        "$HOME",
        "日本語",
        "🐧" * 100,
        "[red]",
        "-x",
        "..",
        "a; b",
        "100%",
        "x" * 300,
        "\u202eabc",
    ]
    tests = "".join(f"@pytest.mark.group({name!a})\ndef test_{i}(): assert {i}\n" for i, name in enumerate(names))
    make_suite({"test_a b.py": tests})
    ended = run_groups("--results", "$HOME/the $UNSET", results="the $UNSET")
    assert ended.code == 1
    # The first one fails.
    assert "\n=== test_a b.py | group $HOME: 1 failure ===\n$ pytest 'test_a b.py' '--group=$HOME'\n" in ended.stdout
    outcomes = ended.outcomes
    assert outcomes.pop("$HOME") == "failed"
    assert outcomes == dict.fromkeys(names[1:], "passed")
    assert "group [red] " in ended.stdout
    # Each character that may not be in a name is a _, and what makes the name unique follows.
    written = {path.stem for path in Path("the $UNSET").glob("*.json")}
    assert f"test_a-b.py-group-___-{sha256('test_a-b.py-group-日本語'.encode()).hexdigest()[:8]}" in written
    assert r"group \u202eabc " in ended.stdout


def job(name: str, started: float | None, seconds: float | None, state: str = "passed") -> Job:
    record = Record("", "", state, seconds=seconds)
    return Job(name, record, [], Path(), Path(), Path(), Path(), started=started)


def test_timeline() -> None:
    jobs = [job("later", 5, 5), job("a", 0, 5.1), job("at once", 10, 0), job("日本", 2.5, 5), job("never", None, None)]
    assert timeline(jobs, 10, 29) == [
        "a        ==========",
        "日本          ==========",
        "later              ==========",
        "at once                     =",
    ]
    assert timeline([job("n" * 30, 0, 1)], 1, 20) == ["nnn…nnnnnn  ========"]
    assert timeline([], 0, 80) == []


def test_totals() -> None:
    jobs = [*[job("x", 0, 20.5)] * 6]
    assert totals_with_time(jobs, 41.2) == "6 groups passed, 0 failed in 41.2 s (one after the other: 2 min 3.0 s)"
    jobs = [job("x", 0, 1), job("y", 0, 1, "failed"), job("z", None, None, "not run")]
    assert totals_with_time(jobs, 1) == "1 group passed, 1 failed, 1 not run in 1.0 s (one after the other: 2.0 s)"
