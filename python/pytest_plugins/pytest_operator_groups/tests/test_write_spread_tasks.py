"""The command `write-spread-tasks`. tests/e2e shows that the real spread takes what it writes."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_operator_groups.spread.tasks import (
    HEADER,
    Change,
    SpreadFolder,
    TaskOptions,
    name_tasks,
    read_task,
    write_task,
)
from pytest_operator_groups.spread.write_spread_tasks import main
from ruamel.yaml import YAML

if TYPE_CHECKING:
    from conftest import MakeSuite

SPREAD_NAME = "[a-z0-9]+(?:[-._][a-z0-9]+)*"
# The collection is a process of its own, in the order of the file.
COLLECT = ["tests/integration", "--", "-p", "no:randomly"]
SUITE = """
@pytest.mark.group(1)
def test_deploy(): ...

@pytest.mark.group("AWS")
@pytest.mark.runner(["self-hosted", "large"])
def test_backup(): ...
"""
TASK = """\
# Written by write-spread-tasks: change its options or its template, not this file.
summary: test_charm.py | group AWS
environment:
  TEST_FILE: tests/integration/test_charm.py
  GROUP: AWS
artifacts:
  - junit.xml
execute: |
  junit="$PWD/junit.xml"
  cd ../../..
  tox run -e integration -- "$TEST_FILE" --group="$GROUP" --junit-xml="$junit" -p no:randomly
"""
TEMPLATE = """\
# How our tasks differ from others.
kill-timeout: 1h
environment:
  JUJU/juju36: "3.6" # the LTS
  JUJU/juju4: "4.0"
artifacts: [logs]
# The model stays otherwise.
restore: |
  juju destroy-model testing
"""
MERGED = """\
# Written by write-spread-tasks: change its options or its template, not this file.
# How our tasks differ from others.
summary: test_charm.py | group 1
systems:
  - ubuntu-24.04-large
priority: 90
execute: |
  junit="$PWD/junit.xml"
  cd ../../..
  uv run pytest "$TEST_FILE" --group="$GROUP" --junit-xml="$junit" -m 'not slow'
kill-timeout: 2h
environment:
  TEST_FILE: tests/integration/test_charm.py
  GROUP: '1'
  JUJU/juju36: "3.6" # the LTS
  JUJU/juju4: "4.0"
artifacts: [junit.xml, logs]
# The model stays otherwise.
restore: |
  juju destroy-model testing
"""


def group(group_id: str = "1", file: str = "test_charm.py", runner: str | list[str] | None = None) -> dict[str, Any]:
    return {
        "path_to_test_file": f"tests/integration/{file}",
        "job_name": f"{file} | group {group_id}",
        "group_id": group_id,
        "runner": runner,
    }


def options(**values: Any) -> TaskOptions:
    return TaskOptions("tox run -e integration --", [], **{"start": "../../..", **values})


def files(folder: str = "tests/spread") -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in Path(folder).rglob("*") if path.is_file()}


def error(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Return the error of a command that writes nothing."""
    before = files()
    assert main(arguments) == 2
    assert files() == before
    return capsys.readouterr().err.removeprefix("write-spread-tasks: ").rstrip("\n")


@pytest.mark.slow
def test_tasks_follow_the_suite(make_suite: MakeSuite, capsys: pytest.CaptureFixture[str]) -> None:
    suite = make_suite(
        {
            "tests/integration/test_charm.py": SUITE,
            "tests/integration/relations/test_db.py": "@pytest.mark.group(1)\ndef test_one(): ...",
            "tests/spread/by_hand/task.yaml": "summary: by hand",
        }
    )
    assert main(COLLECT) == 0
    assert capsys.readouterr().out == "tests/spread: 3 tasks, 3 written, 0 removed\n"
    assert set(files()) == {
        f"{name}/task.yaml" for name in ("by_hand", "relations-test_db-1", "test_charm-1", "test_charm-aws")
    }
    assert files()["test_charm-aws/task.yaml"] == TASK
    assert main(["--check", *COLLECT]) == 0
    assert capsys.readouterr().out == "tests/spread: 3 tasks, all up to date\n"

    # A file that somebody has put beside a task stays.
    (suite / "tests/spread/test_charm-aws/notes.txt").write_text("mine")
    make_suite({"tests/integration/test_charm.py": SUITE.replace("AWS", "GCP")})
    before = files()
    assert main(["--check", *COLLECT]) == 1
    assert files() == before
    shown = capsys.readouterr()
    assert "--- /dev/null\n+++ tests/spread/test_charm-gcp/task.yaml\n" in shown.out
    assert "--- tests/spread/test_charm-aws/task.yaml\n+++ /dev/null\n" in shown.out
    assert "\n-  GROUP: AWS\n" in shown.out
    assert shown.err == (
        "write-spread-tasks: 2 tasks out of date. Run: write-spread-tasks tests/integration -- -p no:randomly\n"
    )
    assert main(COLLECT) == 0
    assert capsys.readouterr().out == "tests/spread: 3 tasks, 1 written, 1 removed\n"
    assert set(files()) == {
        "by_hand/task.yaml",
        "relations-test_db-1/task.yaml",
        "test_charm-1/task.yaml",
        "test_charm-aws/notes.txt",
        "test_charm-gcp/task.yaml",
    }


def test_broken_suite_changes_nothing(make_suite: MakeSuite, capsys: pytest.CaptureFixture[str]) -> None:
    make_suite(
        {
            "tests/integration/test_charm.py": "import missing_module",
            "tests/spread/test_gone-1/task.yaml": HEADER + "environment: {TEST_FILE: tests/integration/test_gone.py}",
        }
    )
    before = files()
    assert main(COLLECT) == 2
    assert files() == before
    shown = capsys.readouterr()
    assert "No module named 'missing_module'" in shown.out
    assert shown.err == ("write-spread-tasks: pytest did not collect the groups (exit code 2). Nothing was written.\n")


def test_name_that_is_too_long_for_a_folder(make_suite: MakeSuite) -> None:
    tests = "".join(f"@pytest.mark.group('{'x' * 250}{number}')\ndef test_{number}(): ...\n" for number in range(2))
    make_suite({"tests/integration/test_a.py": tests})
    assert main(COLLECT) == 0
    one, other = (path.parent.name for path in Path("tests/spread").glob("*/task.yaml"))
    assert one != other
    assert one[:200] == other[:200] == f"test_a-{'x' * 193}"


@pytest.mark.parametrize("name", ["test_a-1", "test_b-1"])
def test_all_tasks_are_written_or_none(make_suite: MakeSuite, capsys: pytest.CaptureFixture[str], name: str) -> None:
    test = "@pytest.mark.group(1)\ndef test_one(): ..."
    make_suite(
        {
            "tests/integration/test_a.py": test,
            "tests/integration/test_b.py": test,
            "tests/spread/test_gone-1/task.yaml": HEADER + "environment: {TEST_FILE: tests/integration/test_gone.py}",
            f"tests/spread/{name}": "a file in the way",
        }
    )
    before = files()
    assert main(COLLECT) == 2
    assert files() == before
    assert not Path("tests/spread/test_a-1").is_dir()
    assert capsys.readouterr().err == (
        f"write-spread-tasks: [Errno 17] File exists: 'tests/spread/{name}'. No task was changed. "
        "Name another folder: --folder DIR\n"
    )


def test_interrupt(make_suite: MakeSuite) -> None:
    # To tell and to sleep are one line: SIGINT may come before the sleep begins.
    hangs = (
        "with open('told', 'w') as told: told.write('hangs'); told.flush(); [time.sleep(0.05) for _ in range(20_000)]"
    )
    suite = make_suite({"tests/integration/conftest.py": f"import time\n{hangs}", "tests/integration/test_a.py": SUITE})
    os.mkfifo(suite / "told")
    told = os.open(suite / "told", os.O_RDWR)
    command = [str(Path(sys.executable).with_name("write-spread-tasks")), "tests/integration"]
    with subprocess.Popen(command, cwd=suite, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert select.select([told], [], [], 60)[0], "nothing was told"
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=90)
    os.close(told)
    assert (process.returncode != 0, output) == (True, "")
    assert re.fullmatch(
        r"write-spread-tasks: pytest did not collect the groups \(exit code -?\d+\)\. Nothing was written\.\n", errors
    )
    assert not (suite / "tests/spread").exists()


def test_all_tests_deselected(make_suite: MakeSuite, capsys: pytest.CaptureFixture[str]) -> None:
    make_suite({"tests/integration/test_charm.py": SUITE, "tests/spread/test_charm-1/task.yaml": HEADER})
    assert error(capsys, "tests/integration", "--", "-k", "nothing") == (
        "every test was deselected, so there is no group. Nothing was written. Change the arguments after --"
    )


@pytest.mark.parametrize(
    ("group_id", "file", "name"),
    [
        ("1", "test_charm.py", "test_charm-1"),
        ("AWS", "test_backup.py", "test_backup-aws"),
        ("from_v2.15.0_to_local", "test_upgrade.py", "test_upgrade-from_v2.15.0_to_local"),
        ("1", "relations/test_db.py", "relations-test_db-1"),
        ("two  words!", "test_charm.py", "test_charm-two-words"),
        ("__init__", "test_a..b.py", "test_a-b-init"),
        ("größe", "test_charm.py", "test_charm-gr-e"),
    ],
)
def test_name(group_id: str, file: str, name: str) -> None:
    assert name_tasks([group(group_id, file)]) == [name]


@settings(deadline=None)
@given(st.lists(st.tuples(st.text(min_size=1), st.text(min_size=1)), max_size=4, unique=True))
def test_spread_takes_every_name(groups: list[tuple[str, str]]) -> None:
    names = name_tasks([group(group_id, file) for group_id, file in groups])
    assert all(re.fullmatch(SPREAD_NAME, name) for name in names)


def test_groups_with_the_same_name_get_a_hash() -> None:
    groups = [group("AWS"), group("aws"), group("1")]
    upper, lower, number = name_tasks(groups)
    assert number == "test_charm-1"
    assert re.fullmatch("test_charm-aws-[0-9a-f]{8}", upper)
    assert re.fullmatch("test_charm-aws-[0-9a-f]{8}", lower)
    assert upper != lower
    # A name doesn't depend on the order.
    assert name_tasks(groups[::-1]) == [number, lower, upper]


def test_template_is_merged() -> None:
    shared = TaskOptions(
        "uv run pytest",
        ["-m", "not slow"],
        "../../..",
        kill_timeout="2h",
        systems=[("large", "ubuntu-24.04-large"), ("linux", "ubuntu-24.04")],
        template=TEMPLATE,
    )
    assert write_task(group(runner=["linux", "large"]), 90, shared) == MERGED
    assert YAML(typ="safe").load(write_task(group(runner="linux"), None, shared))["systems"] == ["ubuntu-24.04"]
    task = YAML(typ="safe").load(write_task(group(runner="arm"), None, options(template=TEMPLATE)))
    assert task["kill-timeout"] == "1h"
    assert not {"systems", "priority"} & task.keys()


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("- a", 'this is not a mapping. Write keys of a task, such as "restore: ..."'),
        ("environment: [A]", "environment has a wrong type. Write, for example: environment: {NAME: value}"),
        ("artifacts: logs", "artifacts has a wrong type. Write, for example: artifacts: [logs/]"),
        (
            "execute: tox\nenvironment: {GROUP/variant: 1}",
            (
                "write-spread-tasks itself writes execute and environment: GROUP/variant. Remove it. The options "
                "--test-command and --durations change what is written. `prepare` is a script that runs before "
                "`execute`"
            ),
        ),
    ],
)
def test_template_error(make_suite: MakeSuite, capsys: pytest.CaptureFixture[str], template: str, message: str) -> None:
    make_suite({"template.yaml": template})
    assert error(capsys, "--template=template.yaml") == f"template.yaml: {message}"


def test_template_that_is_no_yaml(make_suite: MakeSuite, capsys: pytest.CaptureFixture[str]) -> None:
    make_suite({"template.yaml": "a: 'b"})
    message = error(capsys, "--template=template.yaml")
    assert message.startswith("template.yaml: this is not YAML: while scanning a quoted scalar")
    assert error(capsys, "--template=missing.yaml") == (
        "missing.yaml: can't read this file: No such file or directory. Name another file"
    )


def test_priority_is_the_known_duration(make_suite: MakeSuite) -> None:
    durations = [{**group("1"), "runs": [{"seconds": 61.7}]}, {**group("AWS"), "runs": []}]
    suite = make_suite({"tests/integration/test_charm.py": SUITE, "durations.json": json.dumps({"groups": durations})})
    assert main(["--durations=durations.json", *COLLECT]) == 0
    assert "\npriority: 62\n" in files()["test_charm-1/task.yaml"]
    assert "priority" not in files()["test_charm-aws/task.yaml"]
    # Another machine has no durations: nothing is out of date there.
    (suite / "durations.json").unlink()
    assert main(["--check", *COLLECT]) == 0


def test_durations_error(make_suite: MakeSuite, capsys: pytest.CaptureFixture[str]) -> None:
    make_suite({"durations.json": "{}"})
    assert error(capsys, "--durations=durations.json") == (
        "durations.json: can't read the durations of earlier runs (KeyError: 'groups'). "
        "Remove it: the next run writes a new one."
    )


def test_unknown_label(make_suite: MakeSuite, capsys: pytest.CaptureFixture[str]) -> None:
    make_suite({"tests/integration/test_charm.py": SUITE})
    assert error(capsys, "--system=lrage=ubuntu-24.04", *COLLECT) == (
        "--system=lrage=ubuntu-24.04: no group has a runner with this label. The labels are: large, self-hosted. "
        "Correct the label, or leave the option out"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--system=large"], "argument --system: not LABEL=SYSTEM, such as large=ubuntu-24.04: 'large'"),
        (
            ["--kill-timeout=90"],
            "argument --kill-timeout: not a time that spread reads, such as 1h30m: '90'",
        ),
        (
            ["test_charm.py::test_deploy"],
            (
                "test_charm.py::test_deploy is a part of a file, and a group always runs whole. "
                "Select tests with: -- -k EXPRESSION"
            ),
        ),
        (
            ["--", "--junit-xml=x"],
            "--junit-xml is in each task already. Leave it out: the report is an artifact of the task",
        ),
    ],
)
def test_command_line_error(capsys: pytest.CaptureFixture[str], arguments: list[str], message: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1] == f"write-spread-tasks: error: {message}"


def test_needs_an_extra(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "ruamel.yaml", None)
    assert main([]) == 2
    message = capsys.readouterr().err
    assert message.startswith("write-spread-tasks needs more than pytest (")
    assert 'Install it:\npip install "pytest-operator-groups[spread] @ git+https://' in message


def test_task_of_somebody_else_is_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "test_charm-1").mkdir()
    (tmp_path / "test_charm-1/task.yaml").write_text("summary: by hand")
    with pytest.raises(Exception, match="did not write this file") as raised:
        SpreadFolder(tmp_path, "..").compare({"test_charm-1": HEADER}, [])
    assert str(raised.value) == (
        f"{tmp_path}/test_charm-1/task.yaml: write-spread-tasks did not write this file for this suite, so it can't "
        "replace it. Remove it, or name another folder: --folder DIR"
    )


def test_difference_of_a_file_without_a_newline_at_its_end() -> None:
    diff = Change(Path("task.yaml"), "a: 1\nb: 2", "a: 1\nb: 3\n").diff
    assert diff.endswith(" a: 1\n-b: 2\n\\ No newline at end of file\n+b: 3\n")


@pytest.mark.parametrize(
    ("paths", "removed"),
    [
        ([], {"a", "b", "gone", "broken"}),
        (["tests/integration"], {"a", "b", "gone", "broken"}),
        (["tests/integration/test_a.py"], {"a", "gone", "broken"}),
        (["tests/other"], {"gone", "broken"}),
    ],
)
def test_only_tasks_of_what_was_collected_are_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, paths: list[str], removed: set[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("tests/integration").mkdir(parents=True)
    for name in ("a", "b", "gone"):
        if name != "gone":
            Path(f"tests/integration/test_{name}.py").touch()
        Path(f"tests/spread/{name}").mkdir(parents=True)
        Path(f"tests/spread/{name}/task.yaml").write_text(write_task(group("1", f"test_{name}.py"), None, options()))
    Path("tests/spread/broken").mkdir()
    Path("tests/spread/broken/task.yaml").write_text(f"{HEADER}<<<<<<< ours\n")
    Path("tests/spread/elsewhere").mkdir()
    of_another_suite = write_task(group(), None, options(start="../../../sub"))
    Path("tests/spread/elsewhere/task.yaml").write_text(of_another_suite)
    changes = SpreadFolder(Path("tests/spread"), "../../..").compare({}, paths)
    assert {change.path.parent.name for change in changes} == removed


@pytest.mark.parametrize("file", ["test_a b.py", "test_$HOME.py", "test_it's.py", '"test".py', "test_`id`.py"])
def test_file_is_read_back(file: str) -> None:
    assert read_task(write_task(group(file=file), 7, options())) == (f"tests/integration/{file}", "../../..", 7)


def test_more_groups_than_github_has_jobs(make_suite: MakeSuite) -> None:
    groups = "[pytest.param(n, marks=pytest.mark.group(n)) for n in range(257)]"
    make_suite({"test_a.py": f'@pytest.mark.parametrize("n", {groups})\ndef test_one(n): ...'})
    assert main(["test_a.py"]) == 0
    assert len([*Path("tests/spread").iterdir()]) == 257
