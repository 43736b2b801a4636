"""What `--group` runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import MakeSuite, Run, UsageErrorOf

SUITE = {
    "tests/integration/test_x.py": """
@pytest.mark.group(1)
def test_deploy(): ...

@pytest.mark.group("backup")
@pytest.mark.parametrize("cloud", ["AWS", "GCP"])
def test_backup(cloud): ...

@pytest.mark.group(1)
def test_scale(): ...
""",
    "tests/integration/test_y.py": "@pytest.mark.group(3)\ndef test_other(): ...",
}
FILE = "tests/integration/test_x.py"


@pytest.mark.parametrize("group", [["--group=1"], ["--group", "1"]], ids=" ".join)
def test_runs_the_group_and_deselects_the_rest(make_suite: MakeSuite, run: Run, group: list[str]) -> None:
    make_suite(SUITE)
    result = run(FILE, *group, "-v")
    result.assert_outcomes(passed=2, deselected=2)
    result.stdout.fnmatch_lines(["*collected 4 items / 2 deselected / 2 selected", "*::test_deploy*", "*::test_scale*"])


def test_group_from_the_configuration_file(make_suite: MakeSuite, run: Run) -> None:
    make_suite(SUITE | {"pytest.ini": "[pytest]\naddopts = --group=backup --strict-markers"})
    run(FILE).assert_outcomes(passed=2, deselected=2)


def test_without_options_nothing_is_selected(make_suite: MakeSuite, run: Run) -> None:
    make_suite({"test_a.py": "@pytest.mark.group(1.5)\ndef test_one(): ...\ndef test_two(): ..."})
    run("--strict-markers").assert_outcomes(passed=2)


def test_deselection_counts(make_suite: MakeSuite, run: Run) -> None:
    make_suite(SUITE)
    run(FILE, "--group=backup", "-k", "AWS").assert_outcomes(passed=1, deselected=3)
    run("tests", "--group=3", "-k", "other").assert_outcomes(passed=1, deselected=4)


def test_every_test_is_deselected(make_suite: MakeSuite, run: Run) -> None:
    make_suite(SUITE)
    result = run(FILE, "--group=1", "-k", "nothing")
    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    result.assert_outcomes(deselected=4)


@pytest.mark.parametrize(("group", "shown"), [("nope", "nope"), ("", ""), ("01", "01"), ("1 ", "1 ")])
def test_group_that_the_file_does_not_have(
    make_suite: MakeSuite, usage_error: UsageErrorOf, group: str, shown: str
) -> None:
    make_suite(SUITE)
    assert usage_error(FILE, f"--group={group}") == (
        f'tests/integration/test_x.py has no group "{shown}". It has: 1, backup\n'
        "Write, for example: pytest tests/integration/test_x.py --group=1"
    )


def test_group_that_was_deselected(make_suite: MakeSuite, usage_error: UsageErrorOf) -> None:
    make_suite(SUITE)
    assert usage_error(FILE, "--group=1", "-k", "backup") == (
        'tests/integration/test_x.py has no group "1". It has: backup\n'
        "(-k, -m, --deselect or a plugin left out 2 of its tests.)\n"
        "Write, for example: pytest tests/integration/test_x.py --group=backup"
    )


def test_several_files(make_suite: MakeSuite, usage_error: UsageErrorOf) -> None:
    make_suite(SUITE)
    assert usage_error("tests", "--group=1") == (
        "--group=1 runs a group of one test file, but pytest found tests in 2:\n"
        "  tests/integration/test_x.py\n"
        "  tests/integration/test_y.py\n"
        "Name one of them: pytest tests/integration/test_x.py --group=1"
    )


def test_both_options(make_suite: MakeSuite, usage_error: UsageErrorOf) -> None:
    make_suite(SUITE)
    assert usage_error(FILE, "--group=1", "--collect-groups") == (
        "--group runs one group and --collect-groups lists them all, without running any. Give one of the two."
    )


def test_collection_error_is_reported_as_ever(make_suite: MakeSuite, run: Run) -> None:
    make_suite(SUITE | {"tests/integration/test_broken.py": "import missing"})
    result = run("tests/integration/test_broken.py", "--group=1")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["*No module named 'missing'*"])
    result = run("tests/integration/test_broken.py", FILE, "--group=backup", "--continue-on-collection-errors")
    result.assert_outcomes(passed=2, deselected=2, errors=1)


def test_bad_expression_is_reported_as_ever(make_suite: MakeSuite, usage_error: UsageErrorOf) -> None:
    make_suite({"test_a.py": "def test_without(): ..."})
    assert usage_error("--group=1", "-m", "(").startswith("Wrong expression passed to '-m': (")
