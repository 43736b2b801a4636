"""How `--collect-groups` shows the groups: on a terminal, in a pipe, and to programs."""

from __future__ import annotations

import json
import os
import pty
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import MakeSuite, Run

PYTEST = [sys.executable, "-m", "pytest", "-p", "no:randomly"]
SUITE = {
    "pytest.ini": "[pytest]\nmarkers = slow",
    "tests/integration/relations/test_database.py": """
@pytest.mark.group(1)
def test_relate(): ...

@pytest.mark.group(1)
@pytest.mark.slow
def test_relate_again(): ...

@pytest.mark.group("microceph-large")
@pytest.mark.runner(["self-hosted", "linux", "X64", "jammy", "large"])
class TestBackup:
    def test_create(self): ...

    @pytest.mark.slow
    def test_restore(self): ...
""",
    "tests/integration/test_charm.py": """
@pytest.mark.group(1)
@pytest.mark.runner("ubuntu-24.04-arm")
def test_deploy(): ...
""",
}
NAMES = [
    "relations/test_database.py | group 1",
    "relations/test_database.py | group microceph-large",
    "test_charm.py | group 1",
]
DATABASE = "tests/integration/relations/test_database.py"
CHARM = "tests/integration/test_charm.py"
ONE = "@pytest.mark.group(1)\ndef test_one(): ...\n"


def in_terminal(directory: Path, *arguments: str, columns: int = 80) -> tuple[int, list[str], str]:
    """Run pytest with a terminal as stdout, and return the exit code, the lines on it, and stderr."""
    master, slave = pty.openpty()
    environment = os.environ | {"TERM": "dumb", "COLUMNS": str(columns), "LINES": "30"}
    with subprocess.Popen(
        [*PYTEST, *arguments], cwd=directory, stdin=slave, stdout=slave, stderr=subprocess.PIPE, env=environment
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
        assert process.stderr
        stderr = process.stderr.read().decode()
    return process.returncode, shown.decode().splitlines(), stderr


def piped(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*PYTEST, *arguments], cwd=directory, capture_output=True, text=True, check=False)


def table(lines: list[str]) -> list[str]:
    """Return the lines of the listing, without pytest's own around them."""
    start = next(number for number, line in enumerate(lines) if line.startswith("GROUP"))
    end = next(number for number, line in enumerate(lines) if " collected " in line or "/" in line.split(" ")[1:2])
    return lines[start : end - 1]


def test_terminal_with_room_for_the_commands(make_suite: MakeSuite) -> None:
    suite = make_suite(SUITE)
    code, lines, stderr = in_terminal(suite, "--collect-groups", columns=200)
    assert (code, stderr) == (0, "")
    # There is no JSON.
    assert table(lines) == [
        "GROUP                                               TESTS  RUNNER                                 COMMAND",
        (
            "relations/test_database.py | group 1                    2  -                                      "
            f"pytest {DATABASE} --group=1"
        ),
        (
            "relations/test_database.py | group microceph-large      2  self-hosted, linux, X64, jammy, large  "
            f"pytest {DATABASE} --group=microceph-large"
        ),
        (
            "test_charm.py | group 1                                 1  ubuntu-24.04-arm                       "
            f"pytest {CHARM} --group=1"
        ),
    ]


def test_terminal_without_room_for_the_commands(make_suite: MakeSuite) -> None:
    suite = make_suite(SUITE)
    _, lines, _ = in_terminal(suite, "--collect-groups", "-m", "not slow", columns=100)
    assert table(lines) == [
        "GROUP                                               TESTS  RUNNER",
        "relations/test_database.py | group 1                    1  -",
        "relations/test_database.py | group microceph-large      1  self-hosted, linux, X64, jammy, large",
        "test_charm.py | group 1                                 1  ubuntu-24.04-arm",
        "",
        "To run a group:",
        "  pytest tests/integration/FILE --group=ID -m 'not slow'",
    ]


def test_terminal_without_room_for_the_runners(make_suite: MakeSuite) -> None:
    suite = make_suite(SUITE)
    code, lines, _ = in_terminal(suite, "--collect-groups")
    assert code == 0
    assert table(lines) == [
        "GROUP                                               TESTS  RUNNER",
        "relations/test_database.py | group 1                    2  -",
        "relations/test_database.py | group microceph-large      2  [1]",
        "test_charm.py | group 1                                 1  [2]",
        "",
        "[1] self-hosted, linux, X64, jammy, large",
        "[2] ubuntu-24.04-arm",
        "",
        "To run a group:",
        "  pytest tests/integration/FILE --group=ID",
    ]


def test_line_that_just_fits(make_suite: MakeSuite) -> None:
    suite = make_suite({"tests/integration/test_abcd.py": ONE})
    line = "test_abcd.py | group 1      1  -       pytest tests/integration/test_abcd.py --group=1"
    assert line in in_terminal(suite, "--collect-groups", columns=len(line))[1]
    assert "test_abcd.py | group 1      1  -" in in_terminal(suite, "--collect-groups", columns=len(line) - 1)[1]


def test_wide_characters_take_two_cells(make_suite: MakeSuite) -> None:
    name = "\u65e5" * 10
    suite = make_suite({"test_a.py": f"{ONE}\n@pytest.mark.group('{name}')\ndef test_two(): ..."})
    _, lines, _ = in_terminal(suite, "--collect-groups", columns=90)
    assert table(lines) == [
        "GROUP                                   TESTS  RUNNER",
        "test_a.py | group 1                         1  -",
        f"test_a.py | group {name}      1  -",
        "",
        "To run a group:",
        "  pytest FILE --group=ID",
    ]


def test_files_in_several_folders_show_their_paths(make_suite: MakeSuite) -> None:
    folders = ("charms/mysql/tests/integration", "tests/integration")
    suite = make_suite({f"{folder}/test_a.py": ONE for folder in folders})
    _, lines, _ = in_terminal(suite, "--collect-groups", "--import-mode=importlib")
    assert table(lines) == [
        "GROUP                                               TESTS  RUNNER",
        "charms/mysql/tests/integration/test_a.py | group 1      1  -",
        "tests/integration/test_a.py | group 1                   1  -",
        "",
        "To run a group:",
        "  pytest FILE --group=ID",
    ]


def test_parts_of_files_have_their_own_pattern(make_suite: MakeSuite) -> None:
    suite = make_suite(SUITE)
    parts = [f"{DATABASE}::test_relate", f"{DATABASE}::TestBackup::test_create"]
    _, lines, _ = in_terminal(suite, *parts, CHARM, "--collect-groups")
    assert table(lines)[-3:] == [
        "To run a group:",
        f"  pytest {' '.join(parts)} --group=ID",
        "  pytest tests/integration/FILE --group=ID",
    ]


def test_60_groups_take_60_lines(make_suite: MakeSuite) -> None:
    tests = "".join(f"@pytest.mark.group({number})\ndef test_{number}(): ...\n" for number in range(60))
    suite = make_suite({"tests/integration/test_with_a_rather_long_name.py": tests})
    _, lines, _ = in_terminal(suite, "--collect-groups", "-q")
    assert len(lines) < 70
    assert all(len(line) <= 80 for line in lines)


@pytest.mark.parametrize(
    "selection",
    [
        ["-m", "not slow"],
        ["-k", "relate or create"],
        ["-k", "relate", "-m", "not slow"],
        ["--deselect", f"{DATABASE}::TestBackup::test_create"],
        [f"--deselect={CHARM}", "--deselect", f"{DATABASE}::Te"],
        [f"{DATABASE}::TestBackup"],
        [CHARM, f"{DATABASE}::TestBackup::test_create"],
        # pytest 7 collects this test twice, and pytest 8 leaves out the other tests of its file.
        *([["tests", f"{DATABASE}::TestBackup::test_create"]] if pytest.version_tuple >= (9,) else []),
        [f"tests/../{DATABASE}::test_relate_again"],
        [f"{{}}/{DATABASE}::test_relate_again"],
    ],
    ids=" ".join,
)
def test_command_runs_the_tests_that_are_counted(make_suite: MakeSuite, run: Run, selection: list[str]) -> None:
    suite = make_suite(SUITE)
    result = run("--collect-groups", *[argument.format(suite) for argument in selection])
    rows = [line.split("  ") for line in result.outlines if line.startswith(tuple(NAMES))]
    assert rows
    for row in rows:
        _, tests, *_, command = filter(None, row)
        assert run(*shlex.split(command)[1:]).parseoutcomes()["passed"] == int(tests)


def test_commands_in_the_job_summary(
    make_suite: MakeSuite, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_suite(SUITE)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))
    run("--collect-groups", "-m", "not slow", CHARM)
    assert (tmp_path / "summary").read_text().splitlines()[-1] == (
        r"| `test_charm.py \| group 1` | 1 | `ubuntu-24.04-arm` | "
        f"`pytest {CHARM} --group=1 -m 'not slow'` |"
    )


def test_last_failed(make_suite: MakeSuite, run: Run) -> None:
    make_suite({"test_a.py": f"{ONE}\n@pytest.mark.group(1)\ndef test_two(): assert 0"})
    run("test_a.py")
    lines = run("--collect-groups", "--lf").outlines
    assert "test_a.py | group 1      1  -       pytest test_a.py --group=1 --lf" in lines


def test_doctests(make_suite: MakeSuite, run: Run) -> None:
    doctest = "def f():\n    '''\n    >>> 1\n    1\n    '''"
    make_suite({"pytest.ini": "[pytest]\ndefault_group = 1", "test_a.py": doctest})
    (line,) = [line for line in run("--collect-groups", "--doctest-modules").outlines if line.startswith("test_a.py")]
    assert line.endswith("  pytest test_a.py --group=1 --doctest-modules")


def test_pipe_gets_table_and_json(make_suite: MakeSuite) -> None:
    ended = piped(make_suite(SUITE), "--collect-groups")
    assert (ended.returncode, ended.stderr) == (0, "")
    lines = ended.stdout.splitlines()
    (matrix,) = [line for line in lines if line.startswith("[")]
    assert [group["job_name"] for group in json.loads(matrix)] == NAMES
    assert any(line.endswith(f"pytest {CHARM} --group=1") for line in lines)
