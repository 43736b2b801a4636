"""The groups of a runner run one after the other, whatever happens to one of them."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from workflow_commands.groups import process
from workflow_commands.groups.run_tests import finish_groups, run_tests

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Show = Callable[..., list[str]]

STARTED = 1.7e9


@pytest.fixture(autouse=True)
def temp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return RUNNER_TEMP in a job of GitHub."""
    temp = tmp_path / "temp"
    temp.mkdir()
    (temp / "started").write_text(f"{STARTED}\n")
    variables = {"ARTIFACT": "logs", "GITHUB_EVENT_NAME": "schedule", "GITHUB_RUN_ATTEMPT": "2", "GITHUB_SHA": "c0ffee"}
    for name, value in {**variables, "RUNNER_TEMP": str(temp), "STATUS": "success", "URL": "https://a/b"}.items():
        monkeypatch.setenv(name, value)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield temp
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture
def groups(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that sets RUNNER to the entry of the matrix with these groups."""

    def groups(*ids: str, path: str = "tests/a b.py") -> None:
        entry = {
            "job_name": "a job",
            "artifact_runner_id": "runner-3" if len(ids) > 1 else f"a-{ids[0]}",
            "runner": None,
            "groups": [
                {
                    "path_to_test_file": path,
                    "job_name": f"a | {name}",
                    "group_id": name,
                    "artifact_group_id": f"a-{name}",
                }
                for name in ids
            ],
        }
        monkeypatch.setenv("RUNNER", json.dumps(entry))

    return groups


def records(temp: Path) -> dict[str, dict[str, Any]]:
    """Let finish-groups end the job, and return what it writes of each group."""
    assert finish_groups([]) == 0
    return {path.parent.name: json.loads(path.read_text()) for path in sorted(temp.glob("artifact/*/job.json"))}


@pytest.mark.parametrize(
    ("given", "event", "arguments", "received"),
    [
        ({}, "push", [], ["-m", "not unstable"]),
        ({}, "schedule", [], []),
        ({}, "schedule", ["--model-options=--keep-models --model=testing"], ["--keep-models", "--model=testing"]),
        ({"pytest_arguments": "-k 'a b'\n-m \"$MINE\""}, "push", [], ["-m", "not unstable", "-k", "a b", "-m", "mine"]),
        ({"test_command": "cd / && show\n\n"}, "schedule", [], []),
        ({}, "schedule", ["--allure=true"], ["--alluredir={temp}/logs/allure-results"]),
        ({}, "schedule", ["--allure="], []),
    ],
)
def test_arguments(
    give: Callable[..., object],
    groups: Callable[..., None],
    program: Callable[..., Path],
    temp: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    given: dict[str, object],
    event: str,
    arguments: list[str],
    received: list[str],
) -> None:
    program("show", "printf '%s\\n' \"$@\"")
    give(**{"cloud": "none", "test_command": "show"} | given)
    groups("$(id)")
    monkeypatch.setenv("GITHUB_EVENT_NAME", event)
    monkeypatch.setenv("MINE", "mine")
    assert run_tests(arguments) == 0
    expected = ["tests/a b.py", "--group=$(id)", f"--junit-xml={temp}/logs/junit.xml"]
    shown = capfd.readouterr()
    assert shown.out.splitlines() == [*expected, *(text.format(temp=temp) for text in received)]
    assert shown.err == ""


@pytest.mark.parametrize("cloud", ["lxd", "microk8s", "k8s"])
def test_groups_of_the_user(
    give: Callable[..., object],
    groups: Callable[..., None],
    program: Callable[..., Path],
    sudo: Path,
    temp: Path,
    monkeypatch: pytest.MonkeyPatch,
    cloud: str,
) -> None:
    given = {"microk8s_snap_channel": "1.34-strict/stable"} if cloud == "microk8s" else {}
    give(cloud=cloud, test_command="true", **given)
    groups("1")
    program("juju", "echo '{}'")
    monkeypatch.setenv("BASH_FUNC_which%%", "() { true; }")
    monkeypatch.setenv("SECRETS_FROM_GITHUB", "{}")
    assert run_tests([]) == 0
    # `sudo --user` gives the user's groups of now, to which concierge has added `lxd` or `snap_microk8s`.
    options = re.match(rf"--user=#{os.getuid()} --preserve-env=(\S+) -- env -- sh -c ", sudo.read_text())
    assert options
    # Not every sudo takes all variables, and none takes a shell's function.
    assert {"PATH", "RUNNER", "SECRETS_FROM_GITHUB"} <= {*options[1].split(",")}
    assert "BASH_FUNC_which%%" not in options[1]
    # Inside of sudo, which this user can't stop.
    assert f" {temp}/process timeout --signal=INT --kill-after=60s 7200.000s bash " in sudo.read_text()


def test_suite_without_juju_needs_no_sudo(give: Callable[..., object], groups: Callable[..., None], sudo: Path) -> None:
    give(cloud="none", test_command="true")
    groups("1")
    assert run_tests([]) == 0
    assert not sudo.exists()


@pytest.mark.usefixtures("sudo")
@pytest.mark.parametrize("cloud", ["lxd", "none"])
def test_exit_code(
    give: Callable[..., object], groups: Callable[..., None], program: Callable[..., Path], temp: Path, cloud: str
) -> None:
    program("juju", "echo '{}'")
    groups("1")
    give(cloud=cloud, test_command="false | true; exit 5 #")
    assert run_tests([]) == 1, "pipefail"
    give(cloud=cloud, test_command=f"{shlex.join([sys.executable, '-c', 'exit(5)'])}")
    groups("2")
    assert run_tests([]) == 1
    groups("1", "2")
    assert {record["status"] for record in records(temp).values()} == {"failure"}


SUITE = """\
case $* in
*--group=hangs*) echo started; exec sleep 60 ;;
*--group=bad*) mkdir -p "$RUNNER_TEMP/logs"; echo bad > "$RUNNER_TEMP/logs/junit.xml"; exit 1 ;;
*--group=links*) ln -s / "$RUNNER_TEMP/logs" ;;
*) mkdir -p "$RUNNER_TEMP/logs"; echo "$*" > "$RUNNER_TEMP/logs/junit.xml" ;;
esac
"""


@pytest.mark.long
def test_groups_of_a_shared_runner(
    give: Callable[..., object],
    groups: Callable[..., None],
    program: Callable[..., Path],
    temp: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    program("my-pytest", SUITE)
    give(cloud="none", test_command="my-pytest", test_timeout=0.1)
    groups("bad", "hangs", "links", "good")
    before = time.time()
    assert run_tests([]) == 1
    after = time.time()
    timeout = (
        "a | hangs: the tests took more than 0.1 minutes, and were stopped. Split the group, or raise `test-timeout`"
    )
    assert capfd.readouterr().out.splitlines() == [
        *("::group::a | bad", "::endgroup::", "::group::a | hangs", "started", "::endgroup::"),
        f"::error title=Timeout::{timeout}",
        *("::group::a | links", "::endgroup::", "::group::a | good", "::endgroup::"),
        *("a | bad: failed", "a | hangs: timed out", "a | links: passed", "a | good: passed"),
    ]
    found = records(temp)
    assert {name: record.pop("status") for name, record in found.items()} == {
        "logs-a-bad": "failure",
        "logs-a-good": "success",
        "logs-a-hangs": "timed_out",
        "logs-a-links": "success",
    }
    started = [record.pop("started", None) for record in found.values()]
    assert started == [STARTED, None, None, None], "only the first group has a set-up"
    times = [
        (found[f"logs-a-{name}"].pop(key))
        for name in ("bad", "hangs", "links", "good")
        for key in ("tests_started", "tests_ended")
    ]
    assert times == sorted(times)
    assert before <= times[0]
    assert times[-1] <= after
    assert times[3] - times[2] >= 6, "seconds"
    shared = {
        "path_to_test_file": "tests/a b.py",
        "attempt": 2,
        "commit": "c0ffee",
        "runner": "3",
        "url": "https://a/b",
    }
    for name, record in found.items():
        assert record == {"group_id": name.removeprefix("logs-a-"), **shared}
    files = {str(path.relative_to(temp / "artifact")) for path in temp.rglob("artifact/*/*")}
    assert files == {f"{name}/job.json" for name in found} | {f"logs-a-{name}/junit.xml" for name in ("bad", "good")}
    assert "--group=good" in (temp / "artifact/logs-a-good/junit.xml").read_text()


# Group 1 leaves this, which has a lock, and isn't in the process group of the tests.
LEFT = """\
import fcntl, os, signal, subprocess
os.setpgid(0, 0)
lock = open("lock", "w")
fcntl.flock(lock, fcntl.LOCK_EX)
{behaviour}
open("ready", "w").close()
signal.pause()
"""


@pytest.mark.usefixtures("sudo")
@pytest.mark.parametrize("cloud", ["lxd", "none"])
@pytest.mark.parametrize(
    ("behaviour", "left"),
    [
        ("subprocess.Popen(['sleep', '60'], pass_fds=[lock.fileno()])", "2 processes"),
        ("signal.signal(signal.SIGTERM, signal.SIG_IGN)", "1 process"),
    ],
    ids=["two", "stubborn"],
)
def test_processes_that_a_group_leaves(
    give: Callable[..., object],
    groups: Callable[..., None],
    program: Callable[..., Path],
    temp: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    cloud: str,
    behaviour: str,
    left: str,
) -> None:
    monkeypatch.setattr("workflow_commands.groups.run_tests._KILL_AFTER", 0.2 if "TERM" in behaviour else 60)
    program("juju", "echo '{}'")
    (temp / "left.py").write_text(LEFT.format(behaviour=behaviour))
    os.mkfifo(temp / "ready")
    first = f"{sys.executable} left.py & cat ready"
    program("my-pytest", f"cd {temp}; case $* in *--group=1*) {first} ;; *) flock --nonblock lock true ;; esac")
    give(cloud=cloud, test_command="my-pytest")
    groups("1", "2")
    assert run_tests([]) == 0
    assert capfd.readouterr().out.splitlines() == [
        *("::group::a | 1", f"Ended {left} that a | 1 had left running", "::endgroup::"),
        *("::group::a | 2", "::endgroup::", "a | 1: passed", "a | 2: passed"),
    ]


def test_group_with_its_own_runner(give: Callable[..., object], groups: Callable[..., None], temp: Path) -> None:
    give(cloud="none", test_command="true")
    groups("1")
    assert run_tests([]) == 0
    (record,) = records(temp).values()
    assert record["started"] == STARTED
    times = ["started", "tests_started", "tests_ended"]
    assert [*record] == ["path_to_test_file", "group_id", "status", *times, "attempt", "commit", "url"]
    assert (record["path_to_test_file"], record["group_id"]) == ("tests/a b.py", "1")


@pytest.mark.parametrize(
    ("status", "text"), [("failure", "failure"), ("cancelled", "cancelled"), ("success", "failure")]
)
def test_set_up_fails(
    groups: Callable[..., None], temp: Path, monkeypatch: pytest.MonkeyPatch, status: str, text: str
) -> None:
    groups("1", "2")
    monkeypatch.setenv("STATUS", status)
    (temp / "logs").mkdir()
    (temp / "logs/microk8s-inspect.tar.gz").touch()
    found = records(temp)
    shared = {"status": text, "url": "https://a/b", "attempt": 2, "commit": "c0ffee", "runner": "3"}
    assert found == {
        f"logs-a-{name}": {"path_to_test_file": "tests/a b.py", "group_id": name, **shared} for name in ("1", "2")
    }
    assert (temp / "artifact/logs-a-1/microk8s-inspect.tar.gz").exists()


JUJU = """\
MODELS="{folder}/models"
case $1 in
controllers) echo '{{"controllers": {{"c": {{}}}}}}' ;;
models) sed 's|.*|{{"name": "admin/&", "short-name": "&"}}|' "$MODELS" | paste -sd, | sed 's|.*|{{"models": [&]}}|' ;;
switch) echo c:admin/testing ;;
add-model) echo "$4" >> "$MODELS" ;;
destroy-model)
    case $* in *--no-prompt*stays) exit 1 ;; *--no-prompt*old) exit 2 ;; esac
    name=$(echo "$*" | sed 's|.*/||'); sed -i "/^$name\\$/d" "$MODELS" ;;
*) echo "$*" ;;
esac
"""


@pytest.mark.usefixtures("sudo")
def test_models_that_a_group_leaves(
    give: Callable[..., object],
    groups: Callable[..., None],
    program: Callable[..., Path],
    temp: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    models = tmp_path / "models"
    models.write_text("controller\ntesting\n")
    calls = program("juju", JUJU.format(folder=tmp_path))
    shim = tmp_path / "shim"
    shim.mkdir()
    (shim / "juju").write_text(f'#!/bin/sh\ntest "$1" != destroy-model || exit 9\nexec {calls.with_suffix("")} "$@"\n')
    (shim / "juju").chmod(0o755)
    monkeypatch.setenv("PATH", str(shim), prepend=os.pathsep)
    add = f'cat "{models}" > "{tmp_path}/seen-$1"; for name in new-$1 $ADDED; do echo $name >> "{models}"; done'
    program("my-pytest", f'set -- $(echo "$*" | sed "s/.*--group=//; s/ .*//"); {add}')
    give(cloud="lxd", test_command="my-pytest")
    groups("1", "2")
    monkeypatch.setenv("ADDED", "stays old")
    assert run_tests([f"--juju-shim={shim}"]) == 0
    assert (tmp_path / "seen-2").read_text().split() == ["controller", "testing", "stays"]
    assert models.read_text().split() == ["controller", "testing", "stays", "new-2", "stays", "old"], "the last one's"
    lines = calls.read_text().splitlines()
    assert [line for line in lines if line.startswith(("destroy", "switch", "add"))] == [
        "switch",
        "destroy-model --no-prompt --destroy-storage --force --no-wait c:admin/new-1",
        "destroy-model --no-prompt --destroy-storage --force --no-wait c:admin/stays",
        "destroy-model --no-prompt --destroy-storage --force --no-wait c:admin/old",
        "destroy-model --yes --destroy-storage --force --no-wait c:admin/old",
        "switch c:admin/testing",
    ]
    output = capfd.readouterr().out
    assert "::warning title=A model is left::`juju` can't destroy c:admin/stays. The next group finds it\n" in output
    logs = {str(path.relative_to(temp / "artifact")) for path in temp.glob("artifact/*/juju/*")}
    saved = {"1": ["testing", "new-1", "stays", "old"], "2": ["testing", "stays", "new-2", "old"]}
    # The stand-in has two models of the name "stays" in the end.
    assert logs == {f"logs-a-{group}/juju/c-admin-{name}" for group, names in saved.items() for name in names} | {
        "logs-a-2/juju/c-admin-stays-2"
    }
    # All groups get pytest-operator's option --model, so the model is made again.
    models.write_text("controller\ntesting\n")
    calls.unlink()
    groups("3", "4")
    monkeypatch.setenv("ADDED", "")
    assert run_tests([f"--juju-shim={shim}", "--model-options=--keep-models --model=testing"]) == 0
    assert (tmp_path / "seen-4").read_text().split() == ["controller", "testing"]
    assert "add-model --controller c testing" in calls.read_text().splitlines()


@pytest.mark.usefixtures("sudo")
def test_logs_of_models_that_cannot_be_saved(
    give: Callable[..., object],
    groups: Callable[..., None],
    program: Callable[..., Path],
    temp: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "models").write_text("testing\n")
    program("juju", JUJU.format(folder=tmp_path))
    program("my-pytest", 'mkdir "$RUNNER_TEMP/logs"; touch "$RUNNER_TEMP/logs/juju"')
    give(cloud="lxd", test_command="my-pytest")
    groups("1")
    assert run_tests([]) == 0
    assert (
        "::warning title=No logs::the logs of models are lost: [Errno 20] Not a directory: '" in capfd.readouterr().out
    )
    assert records(temp)["logs-a-1"]["status"] == "success"


def test_no_juju(
    give: Callable[..., object],
    groups: Callable[..., None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fail: Callable[..., str],
) -> None:
    give()
    groups("1")
    monkeypatch.setenv("PATH", str(tmp_path))
    message = "there is no `juju` on PATH. Let the file for concierge set up Juju"
    assert fail(run_tests) == f"::error title=No tests::{message}\n"


@pytest.mark.parametrize("value", [None, "", "[]", '{"groups": [{}]}'])
def test_no_entry_of_the_matrix(
    give: Callable[..., object], monkeypatch: pytest.MonkeyPatch, fail: Callable[..., str], value: str | None
) -> None:
    give()
    monkeypatch.delenv("RUNNER", raising=False)
    if value is not None:
        monkeypatch.setenv("RUNNER", value)
    for command, title in (run_tests, "No tests"), (finish_groups, "No artifact"):
        error = fail(command)
        assert error.startswith(f"::error title={title}::RUNNER: it isn't an entry of the matrix (")
        assert error.endswith(". Set it to what plan-groups has written: ${{ toJSON(matrix.runner) }}\n")


# What the tests of a cancelled job do: they tear down, or they hang.
TEARS_DOWN = "trap 'trap \"\" INT; echo torn down; exit 2' INT; echo started; while :; do sleep 0.05; done"
HANGS = "trap '' INT; echo started; while :; do sleep 0.05; done"


@pytest.mark.usefixtures("sudo")
@pytest.mark.parametrize(
    ("suite", "signals", "shown"),
    [
        (TEARS_DOWN, [signal.SIGINT], ["torn down"]),
        (HANGS, [signal.SIGINT, signal.SIGTERM], []),
    ],
    ids=["tears down", "hangs"],
)
def test_cancelled_job(
    give: Callable[..., object],
    groups: Callable[..., None],
    program: Callable[..., Path],
    temp: Path,
    monkeypatch: pytest.MonkeyPatch,
    suite: str,
    signals: list[signal.Signals],
    shown: list[str],
) -> None:
    calls = program("juju", "echo '{}'")
    program("my-pytest", f'mkdir "$RUNNER_TEMP/logs"; touch "$RUNNER_TEMP/logs/here"; {suite}')
    give(cloud="lxd", test_command="my-pytest")
    groups("1", "2")
    # As a step does it: GitHub's signals come to this process, and to no other.
    command = ["bash", "-e", "-c", f"exec {Path(sys.executable).with_name('run-tests')}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout
        while "started" not in (line := process.stdout.readline()):
            assert line, "it has ended"
        calls.unlink()
        for number in signals:
            process.send_signal(number)
            time.sleep(0.2 if len(signals) > 1 else 0)
        rest = process.stdout.read().splitlines()
    assert process.returncode == 1
    assert rest == [*shown, "::endgroup::", "a | 1: cancelled", "a | 2: did not run"]
    assert not calls.exists(), "no time for Juju's logs"
    monkeypatch.setenv("STATUS", "cancelled")
    assert {name: record["status"] for name, record in records(temp).items()} == {
        "logs-a-1": "cancelled",
        "logs-a-2": "cancelled",
    }
    assert (temp / "artifact/logs-a-1/here").exists()


@pytest.mark.long
@pytest.mark.parametrize("name", ["tox.ini", "tox.toml"])
def test_tox_lets_tests_tear_down(
    give: Callable[..., object],
    groups: Callable[..., None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    # The caller's own override stays: it lets this variable through.
    monkeypatch.setenv("TOX_OVERRIDE", "testenv.pass_env+=OWN;env_run_base.pass_env+=OWN;")
    monkeypatch.setenv("OWN", "own")
    tear_down = TEARS_DOWN.replace("echo torn", "sleep 1; echo $OWN; echo torn")
    (tmp_path / "suite.sh").write_text(tear_down)
    (tmp_path / name).write_text(
        """\
[tox]
no_package = true
[testenv:integration]
allowlist_externals = sh
commands = sh suite.sh
"""
        if name == "tox.ini"
        else """\
no_package = true
[env.integration]
allowlist_externals = ["sh"]
commands = [["sh", "suite.sh"]]
"""
    )
    give(cloud="none", test_command=f"{Path(sys.executable).with_name('tox')} run --quiet -e integration --")
    groups("1")
    monkeypatch.chdir(tmp_path)
    command = [Path(sys.executable).with_name("run-tests")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout
        while "started" not in (line := process.stdout.readline()):
            assert line, "it has ended"
        process.send_signal(signal.SIGINT)
        assert "own\ntorn down\n" in process.stdout.read()


@pytest.mark.slow
def test_own_override_of_tox_wins(
    give: Callable[..., object], groups: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOX_OVERRIDE", "testenv.suicide_timeout=7")
    (tmp_path / "tox.ini").write_text("[testenv:integration]\nskip_install = true\n")
    give(
        cloud="none", test_command=f"{Path(sys.executable).with_name('tox')} config -e integration -k suicide_timeout #"
    )
    groups("1")
    monkeypatch.chdir(tmp_path)
    run = subprocess.run([Path(sys.executable).with_name("run-tests")], capture_output=True, text=True, check=False)
    assert "suicide_timeout = 7.0\n" in run.stdout


def test_job_is_cancelled_while_logs_are_saved(
    give: Callable[..., object], groups: Callable[..., None], program: Callable[..., Path], temp: Path, sudo: Path
) -> None:
    ready = temp / "ready"
    cancel = f"test ! -e {ready} || {{ sleep 0.2; kill -INT $PPID; sleep 0.2; }}"
    program("juju", f'case "$1" in controllers) {cancel};; esac; echo "{{}}"')
    program("my-pytest", f"touch {ready}")
    give(cloud="lxd", test_command="my-pytest")
    groups("1", "2")
    assert run_tests([]) == 1
    assert records(temp)["logs-a-1"]["status"] == "success"
    assert records(temp)["logs-a-2"]["status"] == "failure", "the status of the job, which this test doesn't cancel"


def test_process_that_ends_when_it_is_cancelled(tmp_path: Path) -> None:
    processes = process.Processes(tmp_path / "process")
    # `timeout` writes no ID, as before it has started.
    ended = processes.run(
        ["sh", "-c", f"rm {tmp_path}/process; sleep 0.2; kill -INT {os.getpid()}; exit 3"], 60, in_new_groups=False
    )
    assert (ended.status, processes.is_cancelled) == ("cancelled", True)
