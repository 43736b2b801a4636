"""`--charm-cache`: the same charm is packed once, and nothing that is stale, broken or half written is ever taken."""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pytest_operator_cache.cache.store import CorruptError, Entry, Store
from pytest_operator_cache.charm.charmcraft import host_architecture

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import MakeCharm, MakePacked, OperatorSuite, Run, StandIn

JAMMY = {"name": "ubuntu", "channel": "22.04"}
FILE = f"demo_{host_architecture()}.charm"
TEST = """
from pathlib import Path
from zipfile import ZipFile

def test_charm(packed_charm):
    path = packed_charm()
    assert path.is_absolute() and packed_charm() is path
    with ZipFile(path) as charm:
        assert charm.read("src/charm.py") == Path("src/charm.py").read_bytes()
"""


@pytest.fixture
def charm(make_charm: MakeCharm) -> Path:
    """Write a charm with a test that asks for it packed, and compares what is in it with its source."""
    folder = make_charm()
    (folder / "test_charm.py").write_text(TEST)
    return folder


@pytest.fixture
def store() -> Path:
    return Path(os.environ["XDG_CACHE_HOME"], "pytest-operator-cache")


@pytest.fixture
def told(run: Run) -> Callable[..., list[str]]:
    """Run the test, which passes, and return what is told of the cache."""

    def run_and_read(*args: str) -> list[str]:
        result = run("--charm-cache", *args)
        result.assert_outcomes(passed=1)
        return [line.removeprefix("charm cache: ") for line in result.stdout.lines if line.startswith("charm cache: ")]

    return run_and_read


def entries(store: Path) -> list[Path]:
    return [path for path in store.iterdir() if len(path.name) == 64]


def test_packs_once(charm: Path, charmcraft: StandIn, told: Callable[..., list[str]], store: Path) -> None:
    (kept,) = told()
    assert re.fullmatch(rf"{re.escape(FILE)} kept, packed in (\d+ min \d+|\d+\.\d) s", kept)
    (charm / FILE).unlink()
    (taken,) = told()
    assert re.fullmatch(rf"{re.escape(FILE)} taken from the cache, (\d+ min \d+|\d+\.\d) s saved", taken)
    assert charmcraft.calls == [[str(charm)]]
    assert len(entries(store)) == 1


def test_is_off_unless_asked_for(charm: Path, charmcraft: StandIn, run: Run) -> None:
    for _ in range(2):
        result = run()
        result.assert_outcomes(passed=1)
        result.stdout.no_fnmatch_line("charm cache: *")
    assert charmcraft.calls == [[str(charm)], [str(charm)]]


def test_option_in_the_ini_file(charm: Path, charmcraft: StandIn, run: Run, pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\ncharm_cache = true\ncharm_cache_ignore =\n    tox.ini\n    *.md\n    docs/api/\n")
    run().assert_outcomes(passed=1)
    (charm / "README.md").write_text("changed")
    (charm / "docs/api").mkdir(parents=True)
    (charm / "docs/api/index.rst").write_text("changed")
    run().assert_outcomes(passed=1)
    assert len(charmcraft.calls) == 1
    (charm / "docs/index.rst").write_text("changed")
    run().assert_outcomes(passed=1)
    assert len(charmcraft.calls) == 2


@pytest.mark.parametrize(
    "variables",
    [
        {"STAND_IN_VERSION": "4.5.1"},
        {"CRAFT_BUILD_ENVIRONMENT": "host"},
        {"CHARMCRAFT_ENABLE_EXPERIMENTAL_EXTENSIONS": "1"},
    ],
)
def test_packs_again_if_charmcraft_changes(
    charm: Path,
    charmcraft: StandIn,
    told: Callable[..., list[str]],
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
) -> None:
    told()
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    told()
    assert charmcraft.calls == [[str(charm)], [str(charm)]]


def test_packs_again_if_the_charm_changes(charm: Path, charmcraft: StandIn, told: Callable[..., list[str]]) -> None:
    told()
    source = charm / "src/charm.py"
    status = source.stat()
    source.write_text(source.read_text().upper())
    os.utime(source, ns=(status.st_atime_ns, status.st_mtime_ns))
    told()
    assert len(charmcraft.calls) == 2


def test_snap_is_known_by_its_revision(
    charm: Path, charmcraft: StandIn, told: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # As snapd lays it; the stand-in must not be asked for its version.
    (tmp_path / "snap/bin").mkdir(parents=True)
    (tmp_path / "snap/charmcraft").mkdir()
    shutil.copy(charmcraft.folder / "charmcraft", tmp_path / "snap/snap")
    (tmp_path / "snap/bin/charmcraft").symlink_to(tmp_path / "snap/snap")
    (tmp_path / "snap/charmcraft/current").symlink_to("6511")
    monkeypatch.setenv("PATH", str(tmp_path / "snap/bin"), prepend=os.pathsep)
    told()
    monkeypatch.setenv("STAND_IN_VERSION", "4.5.1")
    assert "taken from the cache" in told()[0]
    (tmp_path / "snap/charmcraft/current").unlink()
    (tmp_path / "snap/charmcraft/current").symlink_to("6512")
    assert told()[0] == f"{charm} repacked: charmcraft changed"
    assert charm.exists()


def test_work_folders_of_charmcraft_do_not_count(
    charm: Path, charmcraft: StandIn, told: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRAFT_BUILD_ENVIRONMENT", "host")
    told()
    for name in ("parts", "stage", "prime", "overlay"):
        (charm / name).mkdir()
        (charm / name / "state").write_text("changed")
    assert "taken from the cache" in told()[0]
    assert len(charmcraft.calls) == 1
    # In a container charmcraft works elsewhere: here such a folder is the charm's own.
    monkeypatch.delenv("CRAFT_BUILD_ENVIRONMENT")
    told()
    (charm / "parts/state").write_text("changed again")
    told()
    assert len(charmcraft.calls) == 3


def test_charm_that_changes_while_it_is_packed_is_not_kept(
    charm: Path, charmcraft: StandIn, told: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch, store: Path
) -> None:
    monkeypatch.setenv("STAND_IN_TOUCHES", "src/new.py")
    (line,) = told()
    assert line == (
        f"{FILE} not kept, because files changed while it was packed: src/new.py added. "
        "If they don't go into the charm, name them in charm_cache_ignore."
    )
    assert not entries(store)
    assert len(charmcraft.calls) == 1


def test_charm_that_cannot_be_packed(
    charm: Path, charmcraft: StandIn, run: Run, monkeypatch: pytest.MonkeyPatch, store: Path
) -> None:
    monkeypatch.setenv("STAND_IN_ERROR", "The charm has no heart")
    result = run("--charm-cache")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [f"E *CharmError: {charm}: `charmcraft pack` failed with exit code 1:", "E *The charm has no heart"]
    )
    assert len(charmcraft.calls) == 1
    assert not entries(store)


def test_charmcraft_is_not_there(charm: Path, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    result = run("--charm-cache")
    result.assert_outcomes(failed=1)
    message = "charmcraft is not on PATH. Install it: sudo snap install --classic charmcraft"
    result.stdout.fnmatch_lines(
        [f"E *CharmError: {message}", f"charm cache: {charm} is packed without the cache: {message}"]
    )


def test_charmcraft_does_not_start(charm: Path, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "charmcraft").touch(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    result = run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"E *CharmError: {charm}: `charmcraft pack` did not start: Exec format error"])


def test_file_that_cannot_be_read(charm: Path, charmcraft: StandIn, told: Callable[..., list[str]]) -> None:
    (charm / "link").symlink_to("/proc/self/mem")
    (line,) = told()
    assert line == f"{charm} is packed without the cache: [Errno 5] Input/output error: '/proc/{os.getpid()}/mem'"
    assert len(charmcraft.calls) == 1


def test_several_platforms(
    charm: Path, charmcraft: StandIn, make_charm: MakeCharm, run: Run, told: Callable[..., list[str]]
) -> None:
    platforms = [f"ubuntu@{channel}:{host_architecture()}" for channel in ("22.04", "24.04")]
    other = "arm64" if host_architecture() == "amd64" else "amd64"
    far = {f"ubuntu@24.04:{other}": {"build-on": [host_architecture()], "build-for": [other]}}
    make_charm(platforms=dict.fromkeys(platforms) | far)
    result = run("--charm-cache")
    result.assert_outcomes(failed=1)
    assert f":{other}" not in result.stdout.str()
    options = "--charm-base=demo=ubuntu@22.04 or --charm-base=demo=ubuntu@24.04"
    result.stdout.fnmatch_lines(
        [
            f"E *CharmError: {charm}/charmcraft.yaml: several platforms for *. Pass {options} to *:",
            f"E *  {platforms[0]}: on ubuntu@22.04",
            f"E *  {platforms[1]}: on ubuntu@24.04",
        ]
    )
    assert not charmcraft.calls
    told("--charm-base=ubuntu@22.04")
    assert charmcraft.calls == [[str(charm), f"--platform={platforms[0]}"]]
    result = run("--charm-cache", "--charm-base=ubuntu@26.04")
    result.stdout.fnmatch_lines([f"E *: no platform for {host_architecture()} and ubuntu@26.04. Its platforms:*"])


def test_several_architectures(charm: Path, charmcraft: StandIn, make_charm: MakeCharm, run: Run) -> None:
    architecture = host_architecture()
    others = sorted({"amd64", "arm64", "riscv64"} - {architecture})
    for run_on in ([architecture, *others], [*others, architecture]):
        make_charm(bases=[{"build-on": [JAMMY], "run-on": [{**JAMMY, "architectures": run_on}]}])
        run().assert_outcomes(passed=1)
    make_charm(bases=[{"build-on": [JAMMY], "run-on": [{**JAMMY, "architectures": others}]}])
    name = f"ubuntu-22.04-{'-'.join(others)}"
    run().stdout.fnmatch_lines(
        [f"E *: no platform for {architecture}. Its platforms:", f"E *  {name}: on ubuntu@22.04"]
    )
    assert charmcraft.calls == [[str(charm)], [str(charm)]]


def test_charmcraft_packs_another_charm(charm: Path, charmcraft: StandIn, make_charm: MakeCharm, run: Run) -> None:
    make_charm(name="other")
    result = run("--charm-cache")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"E *{charm}: no packed charm 'other' for *:", f"E *  {FILE}: another charm, 'demo'"])
    assert len(charmcraft.calls) == 1


def test_clear(charm: Path, charmcraft: StandIn, told: Callable[..., list[str]], store: Path) -> None:
    told()
    (store / "of-someone-else").write_text("")
    cleared, kept = told("--charm-cache-clear")
    assert cleared == f"1 removed from {store}, 0 MB"
    assert kept.startswith(f"{FILE} kept, ")
    assert (store / "of-someone-else").exists()
    assert charmcraft.calls == [[str(charm)], [str(charm)]]


def test_clear_without_a_store(charm: Path, charmcraft: StandIn, run: Run, store: Path) -> None:
    result = run("--charm-cache-clear")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines([f"charm cache: 0 removed from {store}, 0 MB"])
    assert charmcraft.calls == [[str(charm)]]


def test_clear_of_what_cannot_be_read(charm: Path, charmcraft: StandIn, run: Run, store: Path) -> None:
    store.write_text("")
    result = run("--charm-cache-clear")
    result.assert_outcomes(passed=1)
    assert f"charm cache: not cleared: [Errno 20] Not a directory: '{store}'" in result.stdout.lines
    assert charmcraft.calls == [[str(charm)]]


def lines_of(output: str) -> list[str]:
    """Return what is said about the cache, without how long it took."""
    lines = [line.removeprefix("charm cache: ") for line in output.splitlines() if line.startswith("charm cache: ")]
    return sorted(line.split(",")[0] for line in lines)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--charm-cache"], [f"{FILE} kept", f"{FILE} taken from the cache"]),
        ([], [f"{FILE} packed by another process of this run"]),
    ],
)
def test_workers_pack_once(
    make_charm: MakeCharm,
    charmcraft: StandIn,
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    said: list[str],
) -> None:
    # pytester writes into the folder that pytest is started in.
    charm = make_charm("charm")
    monkeypatch.setenv("STAND_IN_SECONDS", "1")
    test = "def test_{}(packed_charm): assert packed_charm('charm').exists()\n"
    pytester.makepyfile(test_charm=test.format("one") + test.format("two"))
    result = pytester.runpytest_subprocess(*arguments, "--numprocesses=2", "-p", "no:randomly")
    result.assert_outcomes(passed=2)
    assert lines_of(result.stdout.str()) == said
    assert charmcraft.calls == [[str(charm)]]


@pytest.mark.slow
def test_worker_that_starts_late_packs_nothing(
    make_charm: MakeCharm, charmcraft: StandIn, pytester: pytest.Pytester
) -> None:
    make_charm("charm")
    pytester.makepyfile(
        test_charm="""
        import os

        def test_crash(packed_charm):
            if len(list(packed_charm('charm').parent.glob('*.charm'))) and os.environ['PYTEST_XDIST_WORKER'] == 'gw0':
                os._exit(1)

        def test_other(packed_charm):
            assert packed_charm('charm').exists()
        """
    )
    result = pytester.runpytest_subprocess("--numprocesses=1", "-p", "no:randomly")
    result.assert_outcomes(passed=1, failed=1)
    assert len(charmcraft.calls) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["--charm-cache"], f"{FILE} taken from the cache"), ([], f"{FILE} packed by another process of this run")],
)
def test_processes_at_once_pack_once(
    charm: Path,
    charmcraft: StandIn,
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    said: str,
) -> None:
    monkeypatch.setenv("STAND_IN_SECONDS", "1")
    if not arguments:
        # As in run-groups: one may start after another one has packed.
        monkeypatch.setenv("RUN_GROUPS_STARTED", str(time.time()))
    command = [sys.executable, "-m", "pytest", *arguments, "-p", "no:randomly", "-p", "no:cacheprovider"]
    processes = [
        subprocess.Popen(command, cwd=pytester.path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for _ in range(3)
    ]
    outputs = [process.communicate()[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], outputs
    assert sum(said in lines_of(output) for output in outputs) == 2
    assert charmcraft.calls == [[str(charm)]]


@pytest.mark.parametrize(("started", "calls"), [("1", 1), ("1e300", 2), ("soon", 2), ("", 2)])
def test_processes_of_one_run_pack_once(
    charm: Path, charmcraft: StandIn, run: Run, monkeypatch: pytest.MonkeyPatch, started: str, calls: int
) -> None:
    monkeypatch.setenv("RUN_GROUPS_STARTED", started)
    run().assert_outcomes(passed=1)
    result = run()
    result.assert_outcomes(passed=1)
    assert lines_of(result.stdout.str()) == ([f"{FILE} packed by another process of this run"] if calls == 1 else [])
    assert charmcraft.calls == calls * [[str(charm)]]
    # In the same run, a charm that changes is packed again.
    (charm / "src/charm.py").write_text("changed")
    run().assert_outcomes(passed=1)
    assert len(charmcraft.calls) == calls + 1


@pytest.mark.slow
def test_says_why_it_packs_again(
    charm: Path, charmcraft: StandIn, told: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch, store: Path
) -> None:
    (charm / "old").write_text("old")

    def reason() -> str:
        line, kept = told()
        assert kept.startswith(f"{FILE} kept, ")
        return line.removeprefix(f"{charm} repacked: ")

    assert len(told()) == 1
    (charm / "src/charm.py").write_text("changed")
    assert reason() == "src/charm.py changed"
    (charm / "src/\udcff\n.py").write_text("new")
    assert reason() == ascii("src/\udcff\n.py") + " added"
    (charm / "old").unlink()
    assert reason() == "old removed"
    for name in "abc":
        (charm / name).write_text("new")
    assert reason() == "a added, and 2 more"
    # What charmcraft logs in with doesn't change what it packs.
    monkeypatch.setenv("CHARMCRAFT_AUTH", "changed")
    assert [line.split(",")[0] for line in told()] == [f"{FILE} taken from the cache"]
    monkeypatch.setenv("CRAFT_SECRET", "a secret of charmcraft")
    assert reason() == "the variable CRAFT_SECRET changed"
    monkeypatch.setenv("STAND_IN_VERSION", "4.6")
    (charm / "a").write_text("changed")
    assert reason() == "charmcraft changed, and 1 more"
    monkeypatch.setenv("CRAFT_BUILD_ENVIRONMENT", "host")
    assert reason() == "the machine's base changed, and 1 more"
    for entry in entries(store):
        entry.unlink()
    assert reason() == "the cache no longer has it"
    assert not any(b"a secret of charmcraft" in path.read_bytes() for path in store.iterdir())
    # Records that were damaged do no harm.
    for text in ("[", "[]", "{}", '{"files": {}}', '{"files": {"a": []}, "settings": {}}', "null"):
        for record in store.glob("*.json"):
            record.write_text(text)
        (charm / "a").write_text(f"changed again: {text}")
        (kept,) = told()
        assert kept.startswith(f"{FILE} kept, ")
    assert len(charmcraft.calls) == 15


@pytest.mark.usefixtures("charmcraft")
def test_charm_cache_ignore_is_for_changes_while_it_is_packed(
    charm: Path, told: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch, pytester: pytest.Pytester
) -> None:
    assert charm.exists()
    pytester.makeini("[pytest]\ncharm_cache_ignore = new*\n")
    monkeypatch.setenv("STAND_IN_TOUCHES", "src/new.py")
    (line,) = told()
    assert line.startswith(f"{FILE} kept, ")


@pytest.mark.usefixtures("charmcraft")
def test_what_tests_leave_behind_does_not_count(
    charm: Path, told: Callable[..., list[str]], pytester: pytest.Pytester
) -> None:
    pytester.makeini("[pytest]\ncache_dir = somewhere\n")
    told()
    for left in (
        ".run-groups/results.xml",
        ".demo/charm.py",
        ".tox/integration/x",
        "demo.egg-info/x",
        "pytest-cache-files-x/x",
        "pytestdebug.log",
    ):
        (charm / left).parent.mkdir(parents=True, exist_ok=True)
        (charm / left).write_text("left behind")
    assert (charm / "somewhere/CACHEDIR.TAG").exists()
    (line,) = told()
    assert line.startswith(f"{FILE} taken from the cache, ")


TEST_THAT_WRITES = """
import logging
import time

def test_charm(tmp_path, packed_charm):
    logging.error("%s", time.time())
    (tmp_path.parents[{}] / "of-another-test").write_text(str(time.time()))
    assert packed_charm({!r})
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        ["--log-file=pytest.log", "--junit-xml=$REPORTS/report.xml", "--debug=dbg.log", "--basetemp=temporary"],
        ["--log-file=[1]*.log"],
        ["--log-file=link/pytest.log"],
        ["--override-ini=log_file=logs/pytest.log"],
        ["--junit-xml=report.xml", "-p", "no:logging"],
    ],
)
def test_what_pytest_writes_does_not_count(
    charm: Path,
    charmcraft: StandIn,
    told: Callable[..., list[str]],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
) -> None:
    (charm / "test_charm.py").write_text(TEST_THAT_WRITES.format(0, "."))
    monkeypatch.setenv("REPORTS", str(charm / "reports"))
    (charm / "logs").mkdir()
    (charm / "link").symlink_to("logs")
    assert told(*arguments)[0].startswith(f"{FILE} kept, ")
    assert told(*arguments)[0].startswith(f"{FILE} taken from the cache, ")
    # Other files of this name count.
    for name in ("pytest.log", "report.xml", "dbg.log", "temporary"):
        (charm / "src" / name).write_text("new")
    told(*arguments)
    assert len(charmcraft.calls) == 2


@pytest.mark.slow
def test_what_pytest_writes_does_not_count_in_workers(
    make_charm: MakeCharm, charmcraft: StandIn, pytester: pytest.Pytester
) -> None:
    make_charm("charm")
    pytester.makepyfile(test_charm=TEST_THAT_WRITES.format(1, "charm"))
    arguments = ["--basetemp=charm/temporary", "--junit-xml=charm/report.xml", "--log-file=charm/pytest.log"]
    for _ in range(2):
        result = pytester.runpytest_subprocess("--charm-cache", "--numprocesses=1", *arguments)
        result.assert_outcomes(passed=1)
    assert len(charmcraft.calls) == 1


def test_store_in_the_charm_does_not_count(
    charm: Path, charmcraft: StandIn, told: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(charm / ".cache"))
    assert told()[0].startswith(f"{FILE} kept, ")
    assert told()[0].startswith(f"{FILE} taken from the cache, ")
    assert len(charmcraft.calls) == 1
    # https://bford.info/cachedir/
    tag = (charm / ".cache/pytest-operator-cache/CACHEDIR.TAG").read_text()
    assert tag == "Signature: 8a477f597d28d172789f06886806bc55\n# By pytest-operator-cache\n"


@pytest.mark.usefixtures("charmcraft")
def test_link_that_leads_nowhere(charm: Path, told: Callable[..., list[str]]) -> None:
    (charm / "old.charm").symlink_to("missing")
    (charm / "round.charm").symlink_to("round.charm")
    (line,) = told()
    assert line.startswith(f"{FILE} kept, ")


@pytest.mark.parametrize("arguments", ["", "--charm-cache"])
def test_folder_that_cannot_be_written(charm: Path, charmcraft: StandIn, store: Path, arguments: str) -> None:
    store.mkdir()
    output = run_mounted(charm, f"mount -t tmpfs -o ro tmpfs {store}", arguments)
    assert " 1 passed" in output
    without_lock = f"{charm} is packed without a lock: [Errno 30] Read-only file system: '{store}/"
    assert any(line.startswith(without_lock) for line in lines_of(output))
    assert (f"{FILE} not kept: Read-only file system" in lines_of(output)) is True
    assert len(charmcraft.calls) == 1


@pytest.mark.usefixtures("charmcraft")
def test_charm_is_taken_from_a_folder_that_cannot_be_written(
    charm: Path, told: Callable[..., list[str]], store: Path
) -> None:
    told()
    output = run_mounted(charm, f"mount --bind {store} {store} && mount -o remount,ro,bind {store}", "--charm-cache")
    assert lines_of(output) == [f"{FILE} taken from the cache"]


def run_mounted(charm: Path, mount: str, arguments: str) -> str:
    """Run the test after mounting something, and return what it prints."""
    script = f"{mount} && {sys.executable} -m pytest {arguments} -p no:randomly -p no:cacheprovider"
    # In a chroot, even root can't make a user namespace.
    as_root = [] if os.geteuid() == 0 else ["--map-root-user"]
    command = ["unshare", *as_root, "--mount", "sh", "-c"]
    if subprocess.run([*command, "true"], check=False).returncode:
        pytest.skip("this machine does not let its users mount")
    return subprocess.run([*command, script], cwd=charm, check=True, capture_output=True, text=True).stdout


def test_build_charm_is_kept(
    operator_suite: OperatorSuite, make_charm: MakeCharm, charmcraft: StandIn, store: Path
) -> None:
    # The suite writes into the folder that pytest is started in.
    folder = make_charm("charm")
    (folder / "metadata.yaml").write_text("name: demo\n")
    for _ in range(2):
        built, again = operator_suite.build([("charm", {}), ("charm", {})], "--destructive-mode", "--charm-cache")
        assert built.endswith(f"/charms/{FILE}")
        assert again == built
    assert f"charm cache: {FILE} taken from the cache, " in operator_suite.output
    assert charmcraft.calls == [[str(folder), "--destructive-mode"]]
    operator_suite.build([("charm", {"bases_index": 0})], "--destructive-mode", "--charm-cache")
    operator_suite.build([("charm", {"bases_index": 0, "verbosity": "debug"})], "--destructive-mode", "--charm-cache")
    assert charmcraft.calls[1:] == [[str(folder), "--bases-index=0", "--destructive-mode"]]
    assert len(entries(store)) == 2


@pytest.mark.usefixtures("real_charmcraft")
def test_real_charmcraft_packs_once(make_charm: MakeCharm, told: Callable[..., list[str]]) -> None:
    noble = f"ubuntu@24.04:{host_architecture()}"
    folder = make_charm(platforms={f"ubuntu@22.04:{host_architecture()}": None, noble: None})
    (folder / "test_charm.py").write_text(TEST)
    (kept,) = told("test_charm.py", "--charm-base=ubuntu@24.04")
    assert kept.startswith(f"demo_{noble.replace(':', '-')}.charm kept, packed in ")
    (taken,) = told("test_charm.py", "--charm-base=ubuntu@24.04")
    assert taken.startswith(f"demo_{noble.replace(':', '-')}.charm taken from the cache, ")


@pytest.mark.usefixtures("real_charmcraft")
def test_real_charmcraft_leaves_what_is_up_to_date(make_charm: MakeCharm, run: Run, pytester: pytest.Pytester) -> None:
    folder = make_charm("charm", bases=[{"build-on": [JAMMY], "run-on": [JAMMY, {**JAMMY, "channel": "20.04"}]}])
    pytester.makepyfile(test_charm="def test_charm(packed_charm): assert packed_charm('charm').exists()")
    run("test_charm.py").assert_outcomes(passed=1)
    packed = folder / f"demo_ubuntu-22.04-{host_architecture()}.charm"
    before = packed.stat().st_mtime_ns
    run("test_charm.py").assert_outcomes(passed=1)
    assert packed.stat().st_mtime_ns == before


@pytest.mark.usefixtures("real_charmcraft")
@pytest.mark.parametrize("operator_python", ["0.43.2"], indirect=True)
def test_build_charm_by_real_charmcraft_is_kept(operator_suite: OperatorSuite, make_charm: MakeCharm) -> None:
    make_charm("charm")
    for told in (f"charm cache: {FILE} kept, packed in ", f"charm cache: {FILE} taken from the cache, "):
        (built,) = operator_suite.build([("charm", {})], "--destructive-mode", "--charm-cache")
        assert built.endswith(f"/charms/{FILE}")
        assert told in operator_suite.output


@pytest.mark.parametrize("operator_python", ["0.43.2"], indirect=True)
def test_build_charm_keeps_all(operator_suite: OperatorSuite, make_charm: MakeCharm, charmcraft: StandIn) -> None:
    make_charm("charm")
    for _ in range(2):
        (built,) = operator_suite.build([("charm", {"return_all": True})], "--destructive-mode", "--charm-cache")
        assert [Path(path).name for path in built] == [FILE]
    assert len(charmcraft.calls) == 1


def test_build_charm_does_not_keep_a_leftover(
    operator_suite: OperatorSuite, make_charm: MakeCharm, make_packed: MakePacked, charmcraft: StandIn, store: Path
) -> None:
    (make_charm("charm") / "metadata.yaml").write_text("name: demo\n")
    # pytest-operator takes any file whose name begins with the charm's.
    for number in range(20):
        make_packed(f"charm/demo_{number}.charm")
    built = operator_suite.build([("charm", {})], "--destructive-mode", "--charm-cache")
    assert charmcraft.calls
    if built != [f"{Path(built[0]).parent}/{FILE}"]:
        name = Path(built[0]).name
        assert f"charm cache: {name} not kept, because charmcraft packed it earlier" in operator_suite.output
        assert not entries(store)


def test_flipped_byte_is_packed_again(
    charm: Path, charmcraft: StandIn, told: Callable[..., list[str]], store: Path
) -> None:
    told()
    (entry,) = entries(store)
    content = entry.read_bytes()
    entry.write_bytes(content[:-50] + bytes([content[-50] ^ 1]) + content[-49:])
    corrupt, repacked, kept = told()
    assert repacked == f"{charm} repacked: the cache no longer has it"
    assert corrupt.endswith(" was corrupt, and has been removed")
    assert kept.startswith(f"{FILE} kept, ")
    assert "taken from the cache" in told()[0]
    assert len(charmcraft.calls) == 2


def test_no_flipped_byte_is_taken(tmp_path: Path) -> None:
    store = Store(tmp_path)
    (charm := tmp_path / "demo.charm").write_bytes(b"the charm")
    store.put("a" * 64, Entry([charm], 1.0))
    entry = tmp_path / ("a" * 64)
    content = entry.read_bytes()
    for position, byte in enumerate(content):
        entry.write_bytes(content[:position] + bytes([byte ^ 1]) + content[position + 1 :])
        with pytest.raises(CorruptError):
            store.get("a" * 64, tmp_path)
        assert not entry.exists()


@pytest.mark.usefixtures("charm")
@pytest.mark.parametrize("content", [b"", b"x", b"0" * 64, b"0" * 64 + b"{}\n"])
def test_other_content_is_packed_again(
    charmcraft: StandIn, told: Callable[..., list[str]], store: Path, content: bytes
) -> None:
    told()
    entries(store)[0].write_bytes(content)
    assert len(told()) == 3
    assert "taken from the cache" in told()[0]
    assert len(charmcraft.calls) == 2


def test_folder_in_place_of_what_was_kept(
    charm: Path, charmcraft: StandIn, told: Callable[..., list[str]], store: Path
) -> None:
    told()
    (entry,) = entries(store)
    entry.unlink()
    entry.mkdir()
    assert told() == [
        f"{charm} is packed without the cache: [Errno 21] Is a directory: '{entry}'",
        f"{charm} repacked: the cache no longer has it",
        f"{FILE} not kept: Is a directory",
    ]
    assert len(charmcraft.calls) == 2


def test_file_in_place_of_the_store(
    charm: Path, charmcraft: StandIn, told: Callable[..., list[str]], store: Path
) -> None:
    store.write_text("")
    not_a_folder, without_lock, not_kept = told()
    assert not_a_folder.startswith(f"{charm} is packed without the cache: [Errno 20] Not a directory: ")
    assert without_lock == f"{charm} is packed without a lock: [Errno 17] File exists: '{store}'"
    assert not_kept == f"{FILE} not kept: File exists"
    assert len(charmcraft.calls) == 1


def test_full_disk_leaves_the_build_usable(charm: Path, charmcraft: StandIn, store: Path) -> None:
    (charm / "src/charm.py").write_bytes(random.Random(1).randbytes(2_000_000))  # noqa: S311, it hides nothing
    store.mkdir()
    output = run_mounted(
        charm, f"mount -t tmpfs -o size=1m tmpfs {store} && trap 'ls -A {store}' EXIT", "--charm-cache"
    )
    assert " 1 passed" in output
    assert f"charm cache: {FILE} not kept: No space left on device" in output
    # Nothing is left of it but the lock, and the mark of a cache.
    assert {Path(name).suffix for name in output.splitlines()[-2:]} == {".lock", ".TAG"}
    assert len(charmcraft.calls) == 1


KEEPER = """
import sys
from pathlib import Path
from pytest_operator_cache.cache.store import Entry, Store

store, charm = map(Path, sys.argv[1:])
print("ready", flush=True)
while True:
    Store(store).put("a" * 64, Entry([charm], 1.0))
"""


@pytest.mark.long
def test_killed_while_it_keeps(tmp_path: Path) -> None:
    charm = tmp_path / "demo.charm"
    charm.write_bytes(random.Random(1).randbytes(20_000_000))  # noqa: S311, it hides nothing
    store = Store(tmp_path / "store")
    dice = random.Random(2)  # noqa: S311, nor does it
    destination = tmp_path / "taken"
    destination.mkdir()
    outcomes: list[bool] = []
    while len(outcomes) < 30 or (len(set(outcomes)) == 1 and len(outcomes) < 500):
        if dice.random() < 0.5:
            store.clear()
        with subprocess.Popen([sys.executable, "-c", KEEPER, store.folder, charm], stdout=subprocess.PIPE) as process:
            assert process.stdout
            assert process.stdout.readline() == b"ready\n"
            # On a busy machine, one takes longer.
            time.sleep(dice.uniform(0, 0.1 if True in outcomes else 2))
            process.kill()
        kept = store.get("a" * 64, destination)
        assert kept is None or kept.charms[0].read_bytes() == charm.read_bytes()
        outcomes.append(kept is not None)
    assert set(outcomes) == {True, False}


def test_what_was_left_by_the_killed_goes(tmp_path: Path) -> None:
    store = Store(tmp_path)
    (charm := tmp_path / "demo.charm").write_bytes(b"charm")
    old, new = (tmp_path / f".keeping-{name}" for name in ("old", "new"))
    old.touch()
    new.touch()
    os.utime(old, (0, 0))
    store.put("a" * 64, Entry([charm], 1.0))
    assert not old.exists()
    assert new.exists()


def test_least_recently_used_goes(tmp_path: Path) -> None:
    store = Store(tmp_path / "store", max_bytes=3_600)
    (charm := tmp_path / "demo.charm").write_bytes(b"x" * 1_000)
    for age, key in enumerate("abc"):
        store.put(key * 64, Entry([charm], 1.0))
        os.utime(store.folder / (key * 64), (age, age))
    assert store.get("a" * 64, tmp_path)
    store.put("d" * 64, Entry([charm], 1.0))
    assert sorted(path.name[0] for path in entries(store.folder)) == ["a", "c", "d"]


def test_limit_holds_while_a_charm_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path / "store", max_bytes=3_600)
    (charm := tmp_path / "demo.charm").write_bytes(b"x" * 1_000)
    sizes = []
    replace = Path.replace

    def measure(path: Path, target: Path) -> Path:
        sizes.append(sum(file.stat().st_size for file in store.folder.iterdir()))
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", measure)
    for key in "abcdef":
        store.put(key * 64, Entry([charm], 1.0))
        store.put_record(key, {"key": key})
    assert 3_000 < max(sizes) <= 3_600
    assert store.get_record("f") == {"key": "f"}


def test_entries_tell_what_is_kept(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    assert store.entries() == []
    (charm := tmp_path / "demo.charm").write_bytes(b"x" * 1_000)
    for key in "ab":
        store.put(key * 64, Entry([charm], 1.0))
    # Some file systems count in steps of milliseconds.
    os.utime(store.folder / ("b" * 64), (1, 1))
    for number in range(3):
        entry = store.get("a" * 64, tmp_path, oldest=time.time() - 3600)
        assert entry
        assert store.entries()[0].hits == number + 1
    assert store.get("a" * 64, tmp_path, oldest=time.time() + 3600) is None
    (store.folder / ("c" * 64)).write_bytes(b"corrupt")
    (store.folder / ("d" * 64)).write_bytes(b"0" * 64 + b"[" * 60_000)
    first, second = store.entries()
    assert (first.charms, first.hits, second.hits) == ([Path("demo.charm")], 3, 0)
    assert time.time() - 3600 < second.packed <= first.packed + 3600
    assert first.size == (store.folder / ("a" * 64)).stat().st_size
    with pytest.raises(CorruptError):
        store.get("d" * 64, tmp_path)


def test_charm_that_is_too_large_is_not_kept(tmp_path: Path) -> None:
    store = Store(tmp_path / "store", max_bytes=1_000_000)
    (charm := tmp_path / "demo.charm").write_bytes(b"x" * 2_000_000)
    with pytest.raises(OSError, match=r"^2 MB is more than the cache's limit, 1 MB$"):
        store.put("a" * 64, Entry([charm], 1.0))
    assert not store.folder.exists()


def test_charm_that_becomes_shorter_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path / "store")
    (charm := tmp_path / "demo.charm").write_bytes(b"x" * 1_000)
    monkeypatch.setattr(time, "time", lambda: charm.write_bytes(b"x"))
    with pytest.raises(OSError, match=r"^demo\.charm has become shorter$"):
        store.put("a" * 64, Entry([charm], 1.0))
    assert entries(store.folder) == []


def test_folder_of_someone_else_is_left(tmp_path: Path) -> None:
    (tmp_path / ("a" * 64)).mkdir()
    (tmp_path / ("b" * 64)).write_bytes(b"x" * 1_500_000)
    assert Store(tmp_path).clear() == f"1 removed from {tmp_path}, 2 MB"
    assert [path.name[0] for path in tmp_path.iterdir()] == ["a"]


def test_corrupt_is_removed(tmp_path: Path) -> None:
    (tmp_path / ("a" * 64)).write_bytes(b"x")
    with pytest.raises(CorruptError):
        Store(tmp_path).get("a" * 64, tmp_path)
    assert Store(tmp_path).get("a" * 64, tmp_path) is None
