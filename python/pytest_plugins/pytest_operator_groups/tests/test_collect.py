"""What `--collect-groups` writes, for GitHub and for people, and what it leaves alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Collect, MakeSuite, Run, UsageErrorOf

SUITE = {
    "tests/integration/relations/test_database.py": """
@pytest.mark.group(1)
def test_relate(): raise AssertionError("this ran")
""",
    "tests/integration/test_charm.py": """
@pytest.fixture(scope="session", autouse=True)
def controller(): raise AssertionError("this ran")

@pytest.mark.group(10)
def test_upgrade(): ...

@pytest.mark.group(2)
def test_scale(): ...

@pytest.mark.group("backup")
@pytest.mark.runner(["self-hosted", "large"])
@pytest.mark.parametrize("cloud", ["AWS", "GCP"])
def test_backup(cloud): ...
""",
}
MATRIX: list[dict[str, object]] = [
    {
        "path_to_test_file": "tests/integration/relations/test_database.py",
        "group_number": 1,
        "job_name": "relations/test_database.py | group 1",
        "group_id": "1",
        "artifact_group_id": "relations-test_database.py-group-1",
        "runner": None,
    },
    {
        "path_to_test_file": "tests/integration/test_charm.py",
        "group_number": 2,
        "job_name": "test_charm.py | group 2",
        "group_id": "2",
        "artifact_group_id": "test_charm.py-group-2",
        "runner": None,
    },
    {
        "path_to_test_file": "tests/integration/test_charm.py",
        "group_number": 10,
        "job_name": "test_charm.py | group 10",
        "group_id": "10",
        "artifact_group_id": "test_charm.py-group-10",
        "runner": None,
    },
    {
        "path_to_test_file": "tests/integration/test_charm.py",
        "group_number": "backup",
        "job_name": "test_charm.py | group backup",
        "group_id": "backup",
        "artifact_group_id": "test_charm.py-group-backup",
        "runner": ["self-hosted", "large"],
    },
]
TABLE = [
    "GROUP                                 TESTS  RUNNER              COMMAND",
    (
        "relations/test_database.py | group 1      1  -                   "
        "pytest tests/integration/relations/test_database.py --group=1"
    ),
    "test_charm.py | group 2                   1  -                   pytest tests/integration/test_charm.py --group=2",
    (
        "test_charm.py | group 10                  1  -                   "
        "pytest tests/integration/test_charm.py --group=10"
    ),
    (
        "test_charm.py | group backup              2  self-hosted, large  "
        "pytest tests/integration/test_charm.py --group=backup"
    ),
]


@pytest.fixture
def output(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file that GITHUB_OUTPUT names, which does not exist yet."""
    path = tmp_path_factory.mktemp("step") / "output"
    monkeypatch.setenv("GITHUB_OUTPUT", str(path))
    return path


def test_on_github(make_suite: MakeSuite, run: Run, output: Path) -> None:
    make_suite(SUITE)
    result = run("tests/integration", "--collect-groups")
    assert result.ret == 0
    name, _, value = output.read_text().partition("=")
    assert name == "groups"
    assert value.endswith("]\n")
    assert json.loads(value) == MATRIX
    assert [list(job) for job in json.loads(value)] == [list(MATRIX[0])] * 4
    assert result.outlines[result.outlines.index("collected 5 items") :] == [
        "collected 5 items",
        "============================= 4 groups of 5 tests ==============================",
        *TABLE,
        "",
        result.outlines[-1],
    ]
    result.stdout.fnmatch_lines(["* 5 tests collected in *"])


def test_outside_github(make_suite: MakeSuite, run: Run) -> None:
    make_suite(SUITE)
    result = run("tests/integration", "--collect-groups")
    assert result.ret == 0
    result.stdout.fnmatch_lines([*TABLE, json.dumps(MATRIX).replace("[", "[[]")], consecutive=True)


def test_empty_github_output_is_none(make_suite: MakeSuite, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    make_suite(SUITE)
    monkeypatch.setenv("GITHUB_OUTPUT", "")
    assert json.dumps(MATRIX) in run("--collect-groups").outlines


def test_groups_file(make_suite: MakeSuite, run: Run, output: Path) -> None:
    suite = make_suite(SUITE)
    (suite / "groups.json").write_text("of the last run, and longer" * 1000)
    result = run("tests/integration", "--collect-groups", "--groups-file=groups.json")
    assert (suite / "groups.json").read_text() == f"{json.dumps(MATRIX)}\n"
    assert not output.exists()
    result.stdout.fnmatch_lines([*TABLE, "", "*"], consecutive=True)


def test_groups_file_that_cannot_be_written(make_suite: MakeSuite, usage_error: UsageErrorOf) -> None:
    suite = make_suite(SUITE)
    assert usage_error("--collect-groups", "--groups-file=missing/groups.json") == (
        f"--groups-file: can't write to {suite / 'missing/groups.json'}: No such file or directory. "
        "Name a file in a folder that exists."
    )


def test_groups_file_without_a_collection(make_suite: MakeSuite, usage_error: UsageErrorOf) -> None:
    make_suite(SUITE)
    assert (
        usage_error("--groups-file=groups.json")
        == "--groups-file is where --collect-groups writes its JSON. Add --collect-groups."
    )


def test_job_summary(make_suite: MakeSuite, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_suite({"tests/integration/test_a|`b`.py": "@pytest.mark.group('a b')\ndef test_one(): ..."})
    summary = tmp_path / "summary"
    summary.write_text("## Earlier step")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    assert run("--collect-groups").ret == 0
    assert summary.read_text().splitlines() == [
        "## Earlier step",
        "### 1 group of 1 test",
        "",
        "| Group | Tests | Runner | Command |",
        "| --- | ---: | --- | --- |",
        (
            r"| `` test_a\|`b`.py \| group a b `` | 1 | `-` | "
            r"`` pytest 'tests/integration/test_a\|`b`.py' '--group=a b' `` |"
        ),
    ]


@pytest.mark.parametrize("before", ["", "x=1\n", "x=1"])
def test_output_is_appended_on_a_line_of_its_own(make_suite: MakeSuite, run: Run, output: Path, before: str) -> None:
    make_suite(SUITE)
    output.write_text(before)
    assert run("--collect-groups").ret == 0
    lines = output.read_text().split("\n")
    assert lines[:-2] == before.splitlines()
    assert json.loads(lines[-2].removeprefix("groups=")) == MATRIX
    assert lines[-1] == ""


@pytest.mark.parametrize(
    "options",
    [
        "-q", "-v", "-vv", "-s", "-x", "--co", "--co -q", "-n 4", "-n 4 --dist loadgroup", "-p no:cacheprovider",
        "-p no:terminal", "--lf", "--maxfail=1", "--setup-plan", "--durations=0", "--continue-on-collection-errors",
        "--junit-xml=report.xml", "--pdb", "--sw", "--color=yes", "-rA", "--import-mode=importlib",
    ],
)  # fmt: skip
def test_with_other_options(make_suite: MakeSuite, run: Run, output: Path, options: str) -> None:
    make_suite(SUITE)
    result = run("tests/integration", "--collect-groups", *options.split())
    assert result.ret == 0
    assert json.loads(output.read_text().removeprefix("groups=")) == MATRIX
    printed = result.stdout.str()
    assert "::test_" not in printed
    assert "<Function" not in printed
    assert "workers" not in printed
    assert "this ran" not in printed


def test_without_a_terminal_the_json_goes_to_stdout(make_suite: MakeSuite, run: Run) -> None:
    make_suite(SUITE)
    result = run("tests/integration", "--collect-groups", "-p", "no:terminal")
    assert result.ret == 0
    assert json.loads(result.stdout.str()) == MATRIX


def test_plugin_with_a_loop_of_its_own_runs_nothing(make_suite: MakeSuite, run: Run) -> None:
    make_suite(SUITE | {"conftest.py": "def pytest_runtestloop(): raise AssertionError('this ran')"})
    result = run("--collect-groups")
    assert result.ret == 0
    assert "this ran" not in result.stdout.str()


PATHS = {
    "tests/integration/test_a.py": "test_a.py | group 1",
    "test_top.py": "test_top.py | group 1",
    "tests/unit/test_b.py": "tests/unit/test_b.py | group 1",
    "charms/mysql/tests/integration/ha/test_c.py": "charms/mysql/ha/test_c.py | group 1",
    "mytests/integration/test_d.py": "mytests/integration/test_d.py | group 1",
    "tests/integration/with space/test_é.py": "with space/test_é.py | group 1",
}


@pytest.mark.parametrize("init", [True, False], ids=["with __init__.py", "without"])
def test_paths_are_relative_to_the_start_directory(make_suite: MakeSuite, collect: Collect, init: bool) -> None:
    files = dict.fromkeys(PATHS, "@pytest.mark.group(1)\ndef test_one(): ...")
    if init:
        files |= {str(parent / "__init__.py"): "" for path in PATHS for parent in Path(path).parents if parent.name}
    make_suite(files)
    assert {job["path_to_test_file"]: job["job_name"] for job in collect("--import-mode=importlib")} == PATHS


@pytest.mark.parametrize(
    ("start", "arguments", "path", "job_name"),
    [
        (".", [], "repo/tests/integration/test_a.py", "repo/test_a.py | group 1"),
        ("repo", [], "tests/integration/test_a.py", "test_a.py | group 1"),
        ("repo/tests", [], "integration/test_a.py", "integration/test_a.py | group 1"),
        ("repo", ["-c", "../other/pytest.ini"], "tests/integration/test_a.py", "test_a.py | group 1"),
        ("repo", ["--rootdir=../other"], "tests/integration/test_a.py", "test_a.py | group 1"),
        ("other", ["../repo/tests"], "../repo/tests/integration/test_a.py", "../repo/test_a.py | group 1"),
        ("other", ["../repo", "--rootdir=.."], "../repo/tests/integration/test_a.py", "../repo/test_a.py | group 1"),
    ],
)
def test_start_directory(
    make_suite: MakeSuite,
    collect: Collect,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    start: str,
    arguments: list[str],
    path: str,
    job_name: str,
) -> None:
    suite = make_suite(
        {
            "repo/tests/integration/test_a.py": "@pytest.mark.group(1)\ndef test_one(): ...",
            "repo/pytest.ini": "[pytest]",
            "other/pytest.ini": "[pytest]",
        }
    )
    monkeypatch.chdir(suite / start)
    (job,) = collect(*arguments)
    assert (job["path_to_test_file"], job["job_name"]) == (path, job_name)
    assert (suite / start / path).is_file()
    run(path, "--group=1", *arguments[-2:] if "-c" in arguments else []).assert_outcomes(passed=1)


@pytest.mark.parametrize("path", ["-test_a.py", "@test_a.py", "-a/test_a.py"])
def test_path_that_pytest_takes_for_something_else(
    make_suite: MakeSuite, collect: Collect, run: Run, path: str
) -> None:
    make_suite(
        {path: "import pytest\n@pytest.mark.group(1)\ndef test_1(): ...", "pytest.ini": "[pytest]\npython_files=*.py"}
    )
    (group,) = collect()
    assert group["path_to_test_file"] == f"./{path}"
    assert group["job_name"] == f"{path} | group 1"
    run(group["path_to_test_file"], "--group=1").assert_outcomes(passed=1)


def test_artifact_names_are_unique(make_suite: MakeSuite, collect: Collect) -> None:
    one = "@pytest.mark.group(1)\ndef test_one(): ..."
    make_suite(
        {
            "a/b-c.py": one,
            "a-b/c.py": one,
            "A-B/C.py": one,
            "tests/integration/test_d.py": one,
            "test_d.py": one,
            "tests/integration/test_e.py": one.replace("1", "'x y'")
            + "\n"
            + one.replace("1", "'x-y'").replace("one", "two"),
            "test_f.py": one,
            f"{'long' * 40}/test_g.py": one,
        }
    )
    jobs = collect("-o", "python_files=*.py", "--import-mode=importlib")
    names = [str(job["artifact_group_id"]) for job in jobs]
    assert len({name.casefold() for name in names}) == 9
    assert "test_f.py-group-1" in names
    assert all(1 <= len(name) <= 128 and not set(name) & set("\\/\"':<>|*? ") for name in names)
    assert names == [
        str(job["artifact_group_id"]) for job in collect("-o", "python_files=*.py", "--import-mode=importlib")
    ]


def test_hostile_file_name(make_suite: MakeSuite, run: Run, output: Path) -> None:
    make_suite({"tests/integration/test_'$(id)`\n::add-mask::x.py": "@pytest.mark.group('$(id)')\ndef test_one(): ..."})
    result = run("--collect-groups", "-q", "--import-mode=importlib")
    assert result.ret == 0
    (job,) = json.loads(output.read_text().removeprefix("groups="))
    assert job["path_to_test_file"] == "tests/integration/test_'$(id)`\n::add-mask::x.py"
    assert job["artifact_group_id"] == "test_-$(id)`-::add-mask::x.py-group-$(id)".replace(":", "-")
    assert not [line for line in result.outlines if line.startswith("::")]


@pytest.mark.parametrize(
    "arguments",
    [
        ["-k", "marked"],
        ["-m", "not slow"],
        ["--deselect", "test_a.py::test_without"],
        ["-p", "dropper"],
        ["test_a.py::test_marked"],
        ["test_a.py", "-k", "not without"],
    ],
    ids=" ".join,
)
def test_deselected_tests_need_no_group(
    make_suite: MakeSuite, collect: Collect, pytester: pytest.Pytester, arguments: list[str]
) -> None:
    pytester.syspathinsert()
    make_suite(
        {
            "pytest.ini": "[pytest]\nmarkers = slow",
            "dropper.py": "def pytest_collection_modifyitems(items): del items[1:]",
            "test_a.py": """
@pytest.mark.group(1)
def test_marked(): ...

@pytest.mark.slow
def test_without(): ...
""",
        }
    )
    assert [job["group_id"] for job in collect(*arguments)] == ["1"]


@pytest.mark.parametrize("hook", ["", "tryfirst=True", "trylast=True", "hookwrapper=True, tryfirst=True"])
@pytest.mark.parametrize("loaded", ["conftest", "plugin"])
@pytest.mark.parametrize("option", ["--collect-groups", "--group=1"])
def test_deselection_comes_first_whatever_the_order_of_plugins(
    make_suite: MakeSuite, run: Run, pytester: pytest.Pytester, hook: str, loaded: str, option: str
) -> None:
    pytester.syspathinsert()
    make_suite(
        {
            f"{loaded}.py": f"""
@pytest.hookimpl({hook})
def pytest_collection_modifyitems(config, items):
    {"yield" if "wrapper" in hook else ""}
    config.hook.pytest_deselected(items=items[1:])
    del items[1:]
""",
            "test_a.py": "@pytest.mark.group(1)\ndef test_one(): ...\ndef test_without(): ...",
        }
    )
    result = run(option, *(["-p", "plugin"] if loaded == "plugin" else []))
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*1 deselected*"])


def test_every_test_is_deselected(make_suite: MakeSuite, run: Run, output: Path) -> None:
    make_suite(SUITE)
    result = run("--collect-groups", "-k", "nothing")
    assert result.ret == 0
    assert output.read_text() == "groups=[]\n"
    message = "Every test was deselected (by -k, -m, --deselect or a plugin): there is no group to run."
    assert message in result.outlines


@pytest.mark.parametrize("option", ["--collect-groups", "--group=1"])
def test_no_test_at_all(make_suite: MakeSuite, usage_error: UsageErrorOf, output: Path, option: str) -> None:
    make_suite({"tests/unit/test_empty.py": ""})
    assert usage_error("tests/unit", option) == (
        "tests/unit: there are no tests. "
        "Name the file or the directory that has the tests, for example: pytest tests/integration"
    )
    assert not output.exists()


def test_more_groups_than_a_matrix_has_jobs(make_suite: MakeSuite, collect: Collect, usage_error: UsageErrorOf) -> None:
    def groups(number: int) -> str:
        sets = f"[pytest.param(i, marks=pytest.mark.group(i)) for i in range({number})]"
        return f"@pytest.mark.parametrize('i', {sets})\ndef test_one(i): ..."

    suite = make_suite({"test_a.py": groups(200), "test_b.py": groups(56)})
    assert len(collect()) == 256
    (suite / "test_c.py").write_text("import pytest\n" + groups(1))
    assert usage_error("--collect-groups") == (
        "257 groups are more than the 256 jobs that GitHub starts for one matrix. "
        "Give more tests the same @pytest.mark.group(ID), let groups share runners "
        "(in integration_test_charm.yaml: max-runners: 60; elsewhere: --max-groups=0, and then plan-groups "
        "--max-runners 60), or collect the suite in parts, for example:\n"
        "  pytest test_a.py --collect-groups  # 200 groups\n"
        "  pytest test_b.py --collect-groups  # 56 groups\n"
        "  pytest test_c.py --collect-groups  # 1 groups"
    )
    assert len(collect("--max-groups=0")) == 257
    assert usage_error("--collect-groups", "--max-groups=9").startswith("257 groups are more than --max-groups=9. Give")


@pytest.mark.parametrize(
    ("files", "options"),
    [
        pytest.param({"test_b.py": "import missing"}, "-x", id="collection error"),
        pytest.param({"test_b.py": "import missing"}, "--continue-on-collection-errors", id="continued"),
        pytest.param({"test_b.py": "raise KeyboardInterrupt"}, "", id="interrupted"),
        pytest.param({"test_b.py": "pytest.exit('enough')"}, "", id="exit"),
        pytest.param({"test_b.py": "def test_without(): ..."}, "", id="usage error"),
        pytest.param({}, "-m (", id="bad expression"),
        pytest.param({}, "missing_directory", id="missing path"),
    ],
)
def test_failed_collection_writes_nothing(
    make_suite: MakeSuite,
    pytester: pytest.Pytester,
    output: Path,
    monkeypatch: pytest.MonkeyPatch,
    files: dict[str, str],
    options: str,
) -> None:
    make_suite(SUITE | files)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(output.with_name("summary")))
    result = pytester.runpytest_subprocess("--collect-groups", *options.split())
    assert result.ret != 0
    assert list(output.parent.iterdir()) == []
    assert "COMMAND" not in result.stdout.str()


@pytest.mark.parametrize("variable", ["GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"])
def test_file_that_cannot_be_written(
    make_suite: MakeSuite, usage_error: UsageErrorOf, output: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    suite = make_suite(SUITE)
    monkeypatch.setenv(variable, str(suite / "missing" / "file"))
    assert usage_error("--collect-groups") == (
        f"{variable}: can't write to {suite / 'missing' / 'file'}: No such file or directory. "
        f"Outside GitHub Actions, unset the variable: unset {variable}"
    )
    assert not output.exists()


def test_service_suite_without_any_charm(make_suite: MakeSuite, run: Run, collect: Collect) -> None:
    make_suite(
        {
            "pytest.ini": "[pytest]\naddopts = --strict-markers --strict-config",
            "e2e/conftest.py": """
@pytest.fixture(params=["http", "https"])
def url(request): return f"{request.param}://localhost"
""",
            "e2e/test_orders.py": """
pytestmark = pytest.mark.group("orders")

class TestOrders:
    @pytest.mark.parametrize("count", [1, 2])
    def test_create(self, url, count): ...

    @pytest.mark.group("orders-slow")
    def test_history(self, url): ...
""",
        }
    )
    assert [job["job_name"] for job in collect("e2e")] == [
        "e2e/test_orders.py | group orders",
        "e2e/test_orders.py | group orders-slow",
    ]
    run("e2e/test_orders.py", "--group=orders").assert_outcomes(passed=4, deselected=2)


def test_output_may_be_a_pipe(make_suite: MakeSuite) -> None:
    suite = make_suite(SUITE)
    environment = os.environ | {"GITHUB_OUTPUT": "/dev/stdout"}
    command = [sys.executable, "-m", "pytest", "--collect-groups"]
    run = subprocess.run(command, cwd=suite, env=environment, capture_output=True, text=True, check=True)
    assert f"groups={json.dumps(MATRIX)}" in run.stdout.splitlines()


def test_disk_that_gets_full(make_suite: MakeSuite, output: Path) -> None:
    suite = make_suite(SUITE)
    output.write_text("x=1\n")
    # Above this size, a write writes what fits.
    command = ["prlimit", "--fsize=20", sys.executable, "-m", "pytest", "--collect-groups", "-p", "no:cacheprovider"]
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    run = subprocess.run(command, cwd=suite, env=environment, check=False, capture_output=True, text=True)
    assert run.returncode == pytest.ExitCode.USAGE_ERROR
    assert f"ERROR: GITHUB_OUTPUT: can't write to {output}: No space left on device. " in run.stderr
    assert output.read_text() == "x=1\n"


def test_lines_of_several_processes_stay_whole(tmp_path: Path) -> None:
    path = tmp_path / "output"
    program = "import sys; from pytest_operator_groups.common.github import append\n"
    program += "for _ in range(50): append('GITHUB_OUTPUT', [sys.argv[1] * 100_000])"
    environment = os.environ | {"GITHUB_OUTPUT": str(path)}
    processes = [subprocess.Popen([sys.executable, "-c", program, letter], env=environment) for letter in "abcd"]
    assert [process.wait() for process in processes] == [0] * 4
    lines = filter(None, path.read_text().splitlines())
    assert sorted(lines) == [letter * 100_000 for letter in "abcd" for _ in range(50)]
