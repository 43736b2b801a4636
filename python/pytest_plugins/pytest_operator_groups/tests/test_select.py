"""What `--group` runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Collect, MakeSuite, Run, UsageErrorOf

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


@pytest.mark.parametrize(
    ("group", "hint", "suggested"),
    [
        ("nope", "Write, for example", "1"),
        ("", "Write, for example", "1"),
        ("01", "Did you mean", "1"),
        ("1 ", "Did you mean", "1"),
        ("BACKUP", "Did you mean", "backup"),
        (" Backup", "Did you mean", "backup"),
        ("bakcup", "Did you mean", "backup"),
        ("backups", "Did you mean", "backup"),
    ],
)
def test_group_that_the_file_does_not_have(
    make_suite: MakeSuite, usage_error: UsageErrorOf, group: str, hint: str, suggested: str
) -> None:
    make_suite(SUITE)
    assert usage_error(FILE, f"--group={group}") == (
        f'tests/integration/test_x.py: there is no group "{group}". The file has: 1, backup. '
        f"{hint}: pytest tests/integration/test_x.py --group={suggested}"
    )


def test_group_that_was_deselected(make_suite: MakeSuite, usage_error: UsageErrorOf) -> None:
    make_suite(SUITE)
    assert usage_error(FILE, "--group=1", "-k", "backup") == (
        'tests/integration/test_x.py: there is no group "1". The file has: backup '
        "(-k, -m, --deselect or a plugin left out 2 of its tests). "
        "Write, for example: pytest tests/integration/test_x.py --group=backup"
    )


@pytest.mark.parametrize(
    ("group", "advice"),
    [
        ("1", "Name the file with this group: pytest tests/integration/test_x.py --group=1"),
        ("3", "Name the file with this group: pytest tests/integration/test_y.py --group=3"),
        ("shared", "Name one of those with this group: pytest tests/integration/test_x.py --group=shared"),
        (
            "HA",
            "None of them has this group. Did you mean: pytest tests/integration/test_y.py --group=ha",
        ),
        ("nope", "None of them has this group. Write, for example: pytest tests/integration/test_x.py --group=1"),
    ],
)
def test_several_files(make_suite: MakeSuite, usage_error: UsageErrorOf, group: str, advice: str) -> None:
    more = '@pytest.mark.group("shared")\ndef test_shared(): ...\n'
    files = {name: f"{text}\n{more}" for name, text in SUITE.items()}
    files["tests/integration/test_y.py"] += '@pytest.mark.group("ha")\ndef test_ha(): ...\n'
    make_suite(files)
    assert usage_error("tests", f"--group={group}") == (
        f"--group={group} runs a group of one test file, but pytest found tests in 2:\n"
        "  tests/integration/test_x.py\n"
        "  tests/integration/test_y.py\n"
        f"{advice}"
    )


def test_both_options(make_suite: MakeSuite, usage_error: UsageErrorOf) -> None:
    make_suite(SUITE)
    assert usage_error(FILE, "--group=1", "--collect-groups") == (
        "--group runs one group, and --collect-groups lists all groups without running any. Give only one of the two."
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


def test_several_files_and_a_test_without_a_group(make_suite: MakeSuite, usage_error: UsageErrorOf) -> None:
    make_suite({"test_a.py": "def test_one(): ...", "test_b.py": "@pytest.mark.group(1)\ndef test_two(): ..."})
    assert usage_error("--group=1") == (
        "--group=1 runs a group of one test file, but pytest found tests in 2:\n"
        "  test_a.py\n"
        "  test_b.py\n"
        "Name the file with this group: pytest test_b.py --group=1"
    )


@pytest.mark.parametrize(
    "paths",
    [
        ["tests/integration", FILE],
        [FILE, "tests/integration"],
        ["tests", "tests/integration/", FILE],
        [".", f"./{FILE}"],
        ["tests/../tests/integration", FILE],
        ["{}", FILE],
        ["tests", "{}/" + FILE],
        ["tests/integration", f"{FILE}::test_deploy", f"{FILE}::test_backup", f"{FILE}::test_scale"],
    ],
    ids=" ".join,
)
def test_file_wins_over_folders_around_it(make_suite: MakeSuite, run: Run, paths: list[str]) -> None:
    suite = make_suite(SUITE | {"tests/integration/test_broken.py": "import missing"})
    run(*[path.format(suite) for path in paths], "--group=1").assert_outcomes(passed=2, deselected=2)


def test_file_wins_over_a_folder_that_is_a_link(make_suite: MakeSuite, run: Run) -> None:
    suite = make_suite(SUITE)
    (suite / "link").symlink_to(suite / "tests", target_is_directory=True)
    run("link", FILE, "--group=1").assert_outcomes(passed=2, deselected=2)


@pytest.mark.slow
def test_file_wins_in_every_worker(make_suite: MakeSuite, pytester: pytest.Pytester) -> None:
    make_suite(SUITE | {"pytest.ini": "[pytest]\naddopts = -p no:randomly tests/integration"})
    result = pytester.runpytest_subprocess(FILE, "--group=1", "-n", "2")
    result.assert_outcomes(passed=2)


@pytest.mark.parametrize("folder", ["tests/unit", "tests/integration/more"])
def test_file_does_not_win_over_another_folder(make_suite: MakeSuite, usage_error: UsageErrorOf, folder: str) -> None:
    make_suite(SUITE | {f"{folder}/test_z.py": "@pytest.mark.group(1)\ndef test_one(): ..."})
    message = usage_error(folder, FILE, "--group=1")
    assert message.startswith("--group=1 runs a group of one test file, but pytest found tests in 2:\n")


def test_collection_takes_folders_and_files(make_suite: MakeSuite, collect: Collect) -> None:
    make_suite(SUITE)
    # pytest 8 collects only the file then.
    others = [] if pytest.version_tuple[0] == 8 else ["3"]
    assert [job["group_id"] for job in collect("tests/integration", FILE)] == ["1", "backup", *others]


CONFTEST = "raise AssertionError('this conftest.py is of no test')"


@pytest.mark.parametrize(
    "arguments",
    [
        [FILE, "--group", "backup"],
        ["--group", "backup", FILE],
        ["-v", "--group", "backup", "-k", "backup", FILE],
        ["--group", "backup", "--", FILE],
        ["--group=backup", FILE],
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("addopts", [False, True])
def test_folder_with_the_name_of_the_group(
    make_suite: MakeSuite, run: Run, monkeypatch: pytest.MonkeyPatch, arguments: list[str], addopts: bool
) -> None:
    make_suite(SUITE | {"backup/conftest.py": CONFTEST})
    if addopts:
        monkeypatch.setenv("PYTEST_ADDOPTS", " ".join(argument for argument in arguments if argument != "--"))
    result = run(*([] if addopts else arguments))
    result.assert_outcomes(passed=2, deselected=2)


@pytest.mark.parametrize("arguments", [["--group"], ["--group", "-v"], ["--group", "--", FILE]], ids=" ".join)
def test_group_without_an_id(make_suite: MakeSuite, pytester: pytest.Pytester, arguments: list[str]) -> None:
    make_suite(SUITE)
    # In this process, pytest 7.4 would fail by a warning of pluggy's, as it does for each of its own usage errors.
    result = pytester.runpytest_subprocess(*arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "error: argument --group: expected one argument\n" in result.stderr.str()
