"""The plugin beside others, each of them real, in environments of their own where they can't share one."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import MakeEnvironment, MakeSuite, Run

SPLIT_HAS_IT = (
    "ERROR: pytest-split and pytest-operator-groups both have an option --group. "
    "Run with one of them: pytest -p no:pytest-split, or pytest -p no:pytest_operator_groups.\n\n"
)
ANOTHER_HAS_IT = (
    "ERROR: another plugin or a conftest.py has an option --group, or one that is stored as `group`, "
    "as pytest-operator-groups has. "
    "Switch that plugin off with pytest -p no:NAME (pytest --trace-config lists the names), or this one with "
    "pytest -p no:pytest_operator_groups.\n\n"
)
SUITE = {
    "test_x.py": """
@pytest.mark.group(1)
@pytest.mark.parametrize("i", range(20))
def test_first(i): ...

@pytest.mark.group(2)
def test_other(): ...

@pytest.mark.group(1)
def test_last(): ...
"""
}


@pytest.mark.slow
def test_xdist_runs_the_same_tests_in_the_same_order(make_suite: MakeSuite, run: Run) -> None:
    record = """
def pytest_collection_finish(session):
    with open("ids", "a") as file:
        file.write(repr([item.nodeid for item in session.items]))
"""
    suite = make_suite(SUITE | {"conftest.py": record})
    run("test_x.py", "--group=1").assert_outcomes(passed=21, deselected=1)
    alone = (suite / "ids").read_text()
    (suite / "ids").unlink()
    run("test_x.py", "--group=1", "-n", "2").assert_outcomes(passed=21)
    assert (suite / "ids").read_text() == alone * 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["test_x.py", "--group=nope"],
            'test_x.py: there is no group "nope". The file has: 1, 2. Write, for example: pytest test_x.py --group=1',
        ),
        (
            ["--group=1"],
            (
                "--group=1 runs a group of one test file, but pytest found tests in 2:\n  test_x.py\n  test_y.py\n"
                "Name one of those with this group: pytest test_x.py --group=1"
            ),
        ),
    ],
)
def test_error_in_xdist_workers(
    make_suite: MakeSuite, pytester: pytest.Pytester, arguments: list[str], message: str
) -> None:
    make_suite(SUITE | {"test_y.py": "@pytest.mark.group(1)\ndef test_one(): ..."})
    result = pytester.runpytest_subprocess("-n", "2", *arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    # Before it, a worker under pytest 7.4 may show a warning of pluggy's that it was interrupted.
    assert result.stderr.str().endswith(f"ERROR: {message}\n")
    assert "Traceback" not in result.stdout.str() + result.stderr.str()


def test_pytest_randomly_shuffles_the_group(make_suite: MakeSuite, pytester: pytest.Pytester) -> None:
    make_suite(SUITE)
    result = pytester.runpytest_subprocess("test_x.py", "--group=1", "-p", "randomly", "--randomly-seed=1", "-v")
    result.assert_outcomes(passed=21, deselected=1)
    result.stdout.fnmatch_lines(["Using --randomly-seed=1"])


@pytest.fixture(scope="module")
def python_with_pytest_split(make_environment: MakeEnvironment) -> Path:
    return make_environment("pytest_operator_groups", "pytest-split")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--collect-groups"],
        ["-p", "pytest_operator_groups", "-p", "pytest-split"],
        ["-p", "pytest-split", "-p", "pytest_operator_groups"],
    ],
    ids=" ".join,
)
def test_pytest_split_has_a_group_option_too(
    make_suite: MakeSuite, python_with_pytest_split: Path, arguments: list[str]
) -> None:
    suite = make_suite(SUITE)
    command = [str(python_with_pytest_split), "-m", "pytest", *arguments]
    run = subprocess.run(command, cwd=suite, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (pytest.ExitCode.USAGE_ERROR, "")
    # Before it, pytest 7.4 shows a warning of pluggy's, as it does for each of its own usage errors.
    assert run.stderr.endswith(SPLIT_HAS_IT)
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize(
    ("arguments", "passed"),
    [
        (["-p", "no:pytest-split", "test_x.py", "--group=1"], "21 passed, 1 deselected"),
        (["-p", "no:pytest_operator_groups", "--splits=22", "--group=1"], "1 passed"),
    ],
)
def test_either_can_be_switched_off(
    make_suite: MakeSuite, python_with_pytest_split: Path, arguments: list[str], passed: str
) -> None:
    suite = make_suite(SUITE)
    command = [str(python_with_pytest_split), "-m", "pytest", *arguments]
    run = subprocess.run(command, cwd=suite, capture_output=True, text=True, check=True)
    assert passed in run.stdout


@pytest.mark.parametrize("option", ["'--group'", "'--other', '--group', dest='other'", "'--other', dest='group'"])
def test_conftest_has_a_group_option_too(make_suite: MakeSuite, pytester: pytest.Pytester, option: str) -> None:
    make_suite(SUITE | {"conftest.py": f"def pytest_addoption(parser): parser.addoption({option})"})
    result = pytester.runpytest_subprocess("--collect-groups")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert f"{result.stderr.str()}\n".endswith(ANOTHER_HAS_IT)
    assert "Traceback" not in result.stderr.str()


def test_allure_results_of_tests_that_have_not_run(make_suite: MakeSuite, make_environment: MakeEnvironment) -> None:
    ran = """
import allure

@pytest.mark.group(1)
@pytest.mark.parametrize("value", [1, "two"])
def test_values(tmp_path, value): open("ran", "w").close()

@pytest.mark.group(1)
@allure.title("A title")
def test_title(): ...

@pytest.mark.group(2)
class TestClass:
    def test_method(self): ...
"""
    suite = make_suite({"test_x.py": ran})
    pytest_command = [
        str(make_environment("pytest_operator_groups", "allure-pytest")),
        "-m",
        "pytest",
        "-W",
        "error",
        "test_x.py",
    ]
    subprocess.run(
        [*pytest_command, "--collect-groups", "--alluredir=collected", "-k", "not two"], cwd=suite, check=True
    )
    assert not (suite / "ran").exists()
    subprocess.run([*pytest_command, "--alluredir=ran.results"], cwd=suite, check=True)
    collected, results = (
        {
            result["name"]: (
                result["status"],
                [result.get(key) for key in ("historyId", "testCaseId", "fullName", "parameters")],
            )
            for result in map(json.loads, (path.read_text() for path in (suite / folder).glob("*-result.json")))
        }
        for folder in ("collected", "ran.results")
    )
    results.pop("test_values[two]")
    assert collected == {name: ("unknown", ids) for name, (_, ids) in results.items()}
    assert {*results} == {"test_values[1]", "A title", "test_method"}


@pytest.mark.long
def test_pytest_operator(make_suite: MakeSuite, make_environment: MakeEnvironment) -> None:
    # pytest-operator keeps to pytest-asyncio 0.21, which can't collect under pytest 9.
    version = "8.4.2" if int(pytest.__version__.split(".")[0]) > 8 else pytest.__version__
    python = make_environment("pytest_operator_groups", "pytest-operator==0.43.2", pytest_version=version)
    suite = make_suite(
        {
            "pytest.ini": "[pytest]\naddopts = --strict-markers\nasyncio_mode = auto",
            "tests/integration/test_charm.py": """
import asyncio

@pytest.fixture
async def charm():
    await asyncio.sleep(0)
    return "demo.charm"

@pytest.mark.group(1)
@pytest.mark.abort_on_fail
@pytest.mark.skip_if_deployed
async def test_build_and_deploy(charm): raise AssertionError("this ran")

@pytest.mark.group(1)
async def test_charm(charm): assert charm == "demo.charm"

@pytest.mark.group("async")
@pytest.mark.asyncio
async def test_of_another_group(charm): ...
""",
        }
    )
    groups = {"1": "1 passed, 1 skipped, 1 deselected", "async": "1 passed, 2 deselected"}
    run = subprocess.run(
        [python, "-m", "pytest", "--collect-groups"], cwd=suite, capture_output=True, text=True, check=True
    )
    for group, outcome in groups.items():
        command = f"pytest tests/integration/test_charm.py --group={group}"
        assert command in run.stdout
        group_run = subprocess.run(
            [python, "-m", *command.split(), "--no-deploy", "--model=demo"],
            cwd=suite,
            capture_output=True,
            text=True,
            check=True,
        )
        assert outcome in group_run.stdout
