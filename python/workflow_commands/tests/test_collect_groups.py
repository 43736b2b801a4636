"""What the caller's command gets when groups are collected, and when their tests run."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from workflow_commands.groups.collect_groups import main as collect_groups

if TYPE_CHECKING:
    from collections.abc import Callable

FILE = "groups.json"
JSON = '[{"path_to_test_file": "tests/integration/test_a.py", "job_name": "é"}]'
COLLECT = "tests/integration --collect-groups"
GROUPS = 'echo groups=\'[{"path_to_test_file": "tests/integration/test_a.py"}]\' >> "$GITHUB_OUTPUT"'
OPERATOR = "case $* in *--help) echo ' --model-alias --keep-models ';; esac"
NO_GROUPS = (
    "::error title=No groups::pytest succeeded, but wrote no groups for GitHub. Let `test-command` print what pytest "
    "prints, or pass the variable GITHUB_OUTPUT on to pytest\n"
)
NO_OPTIONS = (
    "::warning title=No options::`test-command` fails with --help, so the logs of models that pytest-operator destroys "
    "are lost\n"
)
NO_ALLURE = (
    "::warning title=No Allure report::`allure-report`: pytest has no option --alluredir. Install allure-pytest where "
    "the tests run\n"
)


# What the plugins of v29 write: without a newline at its end, and without group_number.
V29 = {
    "path_to_test_file": "tests/integration/test_a.py",
    "group_id": 1,
    "job_name": "test_a.py | group 1",
    "artifact_group_id": "test_a.py-group-1",
    "runner": None,
}


@pytest.fixture(autouse=True)
def _event(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GITHUB_EVENT_NAME", "pull_request")
    monkeypatch.chdir(tmp_path)


def test_groups_are_written_for_the_report(
    give: Callable[..., object], program: Callable[..., Path], output: Path, tmp_path: Path
) -> None:
    give(test_command="my-pytest")
    groups = json.dumps([V29 | {"group_id": number} for number in range(900)])
    (tmp_path / "output.txt").write_text(f"groups={groups}")
    program("my-pytest", f'case $* in *--help) ;; *) cat "{tmp_path}/output.txt" >> "$GITHUB_OUTPUT";; esac')
    assert len(groups) > 128 * 1024, "more than a variable can have"
    assert collect_groups([FILE]) == 0
    assert Path(FILE).read_text() == f"{groups}\n"
    assert output.read_text() == f"groups={groups}\nmodel-options=\n"


def test_pytest_writes_the_file(
    give: Callable[..., object], program: Callable[..., Path], output: Path, tmp_path: Path
) -> None:
    give(test_command="cd / && my-pytest")
    script = f"case $* in *--help) echo '  --groups-file=FILE';; *) echo '{JSON}' > {tmp_path}/{FILE}; echo [];; esac"
    calls = program("my-pytest", script)
    (tmp_path / FILE).write_text("[]\n")
    assert collect_groups([FILE]) == 0
    assert calls.read_text() == f"--help\n{COLLECT} -m not unstable --groups-file={tmp_path}/{FILE}\n"
    assert Path(FILE).read_text() == f"{JSON}\n"
    assert output.read_text() == "model-options=\n"


@pytest.mark.usefixtures("output")
@pytest.mark.parametrize(
    ("event", "markers"), [("pull_request", " -m not unstable"), ("schedule", ""), ("push", " -m not unstable")]
)
def test_unstable_tests_are_collected_only_on_schedule(
    give: Callable[..., object],
    program: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    event: str,
    markers: str,
) -> None:
    give(cloud="none", test_command="my-pytest")
    monkeypatch.setenv("GITHUB_EVENT_NAME", event)
    calls = program("my-pytest", GROUPS)
    assert collect_groups([FILE]) == 0
    assert calls.read_text() == f"--help\n{COLLECT}{markers}\n"


@pytest.mark.parametrize(
    ("cloud", "architecture", "script", "options"),
    [
        ("lxd", "amd64", f"{GROUPS}; {OPERATOR}", "model-options=--keep-models\n"),
        ("k8s", "arm64", f"{GROUPS}; {OPERATOR}", "model-options=--keep-models --model=testing\n"),
        ("lxd", "arm64", f"{GROUPS}; echo --keep-models", "model-options=\n"),
        ("lxd", "arm64", f"{GROUPS}; echo --model-alias", "model-options=\n"),
        ("none", "arm64", f"{GROUPS}; {OPERATOR}", ""),
        ("lxd", "arm64", f'echo groups=[] >> "$GITHUB_OUTPUT"; {OPERATOR}', ""),
    ],
)
def test_options_of_pytest_operator(
    give: Callable[..., object],
    program: Callable[..., Path],
    output: Path,
    capfd: pytest.CaptureFixture[str],
    cloud: str,
    architecture: str,
    script: str,
    options: str,
) -> None:
    give(cloud=cloud, architecture=architecture, test_command="my-pytest --", pytest_arguments="-k 'not slow'")
    calls = program("my-pytest", script)
    assert collect_groups([FILE]) == 0
    assert calls.read_text() == f"-- --help\n-- {COLLECT} -m not unstable -k not slow\n"
    lines = output.read_text().splitlines(keepends=True)
    assert "".join(line for line in lines if not line.startswith("groups=")) == options
    assert "::" not in capfd.readouterr().out


@pytest.mark.usefixtures("output")
def test_groups_that_share_runners_may_be_many(give: Callable[..., object], program: Callable[..., Path]) -> None:
    give(cloud="none", test_command="my-pytest", max_runners=3)
    calls = program("my-pytest", f"case $* in *--help) echo '  --max-groups=N ';; *) {GROUPS};; esac")
    assert collect_groups([FILE]) == 0
    assert calls.read_text() == f"--help\n{COLLECT} -m not unstable --max-groups=0\n"
    # The plugins of v29 don't have the option.
    calls.unlink()
    program("my-pytest", f"case $* in *--help) ;; *) {GROUPS};; esac")
    assert collect_groups([FILE]) == 0
    assert calls.read_text() == f"--help\n{COLLECT} -m not unstable\n"


def test_command_that_fails_with_help(
    give: Callable[..., object], program: Callable[..., Path], output: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    give(test_command="my-pytest")
    program("my-pytest", f"case $* in *--help) exit 3;; esac; {GROUPS}")
    assert collect_groups([FILE]) == 0
    assert capfd.readouterr() == (NO_OPTIONS, "")
    assert output.read_text().endswith("\nmodel-options=\n")


@pytest.mark.parametrize("name", ["allure-report", "_beta_allure_report"])
@pytest.mark.parametrize("has_plugin", [True, False])
def test_results_for_allure(
    give: Callable[..., dict[str, object]],
    program: Callable[..., Path],
    output: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    name: str,
    has_plugin: bool,
) -> None:
    values = give(cloud="none", test_command="my-pytest")
    monkeypatch.setenv("INPUTS", json.dumps(values | {name: True}))
    monkeypatch.setenv("RUNNER_TEMP", "/temp")
    option = "--alluredir=DIR" if has_plugin else ""
    calls = program("my-pytest", f"case $* in --help) echo '{option}';; *) {GROUPS};; esac")
    assert collect_groups([FILE]) == 0
    collected = " --alluredir=/temp/collected/allure-collected/allure-results" * has_plugin
    assert calls.read_text() == f"--help\n{COLLECT} -m not unstable{collected}\n"
    assert ("allure=true\n" in output.read_text()) == has_plugin
    assert capfd.readouterr().out == ("" if has_plugin else NO_ALLURE)


@pytest.mark.usefixtures("output")
def test_collection_fails(
    give: Callable[..., object], program: Callable[..., Path], capfd: pytest.CaptureFixture[str]
) -> None:
    give(test_command="my-pytest")
    program("my-pytest", "exit 4")
    assert collect_groups([FILE]) == 4
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("cloud", ["lxd", "none"])
@pytest.mark.parametrize("is_set", [True, False])
def test_pytest_writes_no_groups(
    give: Callable[..., object],
    program: Callable[..., Path],
    output: Path,
    monkeypatch: pytest.MonkeyPatch,
    fail: Callable[..., str],
    is_set: bool,
    cloud: str,
) -> None:
    give(test_command="my-pytest", cloud=cloud)
    program("my-pytest")
    output.write_text("mygroups=1\n")
    if not is_set:
        monkeypatch.delenv("GITHUB_OUTPUT")
    assert fail(collect_groups, FILE) == NO_GROUPS


@pytest.mark.parametrize("groups", [JSON, "[]"])
@pytest.mark.parametrize(
    "script",
    [
        "echo '%s'",
        "echo 'groups=%s'; echo []; echo '%s'",
        "printf '\\033[1m%s\\033[0m\\n\\n'; echo '  integration: OK (1.3 seconds)'",
        "echo '{\"a\": 1}'; echo '[1, {}]'; echo '[{}]'; printf '\\377\\n'; printf '%s\\r\\n'; echo 1",
    ],
)
def test_pytest_prints_the_groups(
    give: Callable[..., object],
    program: Callable[..., Path],
    output: Path,
    capfdbinary: pytest.CaptureFixture[bytes],
    script: str,
    groups: str,
) -> None:
    give(test_command="my-pytest", cloud="none")
    script = script.replace("%s", groups)
    program("my-pytest", script)
    printed = subprocess.run(["sh", "-c", script], check=True, stdout=subprocess.PIPE).stdout
    assert collect_groups([FILE]) == 0
    assert Path(FILE).read_text() == f"{groups}\n"
    assert output.read_text() == ""
    assert capfdbinary.readouterr() == (printed, b""), "the log shows all of it"


@pytest.mark.usefixtures("output")
def test_pytest_writes_the_groups_and_prints_others(give: Callable[..., object], program: Callable[..., Path]) -> None:
    give(test_command="my-pytest", cloud="none")
    program("my-pytest", f"echo 'groups={JSON}' >> \"$GITHUB_OUTPUT\"; echo []")
    assert collect_groups([FILE]) == 0
    assert Path(FILE).read_text() == f"{JSON}\n"


@pytest.mark.usefixtures("output")
def test_other_folder_and_variables(
    give: Callable[..., object], program: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    give(
        test_command="my-pytest",
        test_directory="packages/my tests",
        collect_environment="REGION=any\n\n  URL=http://a/?b=c d  \nEMPTY=\n",
    )
    monkeypatch.setenv("REGION", "mine")
    calls = program("my-pytest", f'echo "$REGION|$URL|$EMPTY" >> "$0.variables"; {GROUPS}')
    assert collect_groups([FILE]) == 0
    assert calls.read_text() == "--help\npackages/my tests --collect-groups -m not unstable\n"
    variables = calls.with_name("my-pytest.variables").read_text()
    assert variables == 2 * "any|http://a/?b=c d|\n", "pytest imports conftest.py for its help, too"
