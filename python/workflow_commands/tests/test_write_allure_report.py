"""What is in the Allure report, and what happens without one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from workflow_commands.groups.write_allure_report import main

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

COLLECTED = "allure-collected"
GROUP = "logs-integration-test-charm-lxd-test_it.py-group-1"
ARGUMENTS = ["--prefix=logs-integration-test-charm-lxd", "--title=juju 3 | amd64"]
EMPTY = "::warning title=No Allure report::there are no Allure results: no test was collected, or pytest wrote none\n"
FAILED = (
    "::warning title=No Allure report::Allure failed, but the results are in the artifacts of the groups. "
    "Read what it printed above\n"
)


@pytest.fixture
def arguments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setenv("ALLURE_PACKAGE", "allure@3")
    (tmp_path / "logs").mkdir()
    return [
        str(tmp_path / "logs"), *ARGUMENTS, f"--history={tmp_path}/history", f"--output={tmp_path}/report",
    ]  # fmt: skip


def write_result(tmp_path: Path, artifact: str, name: str, history: str = "", value: str = "") -> Path:
    path = tmp_path / "logs" / artifact / "allure-results" / f"{name}-{history}-result.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    parameters = [{"name": "it", "value": value}] if value else []
    path.write_text(json.dumps({"fullName": f"test_it#{name}", "historyId": history or name, "parameters": parameters}))
    return path


def test_tests_that_ran_replace_those_that_were_collected(
    tmp_path: Path, arguments: list[str], program: Callable[..., Path], output: Path
) -> None:
    replaced = [
        write_result(tmp_path, COLLECTED, "ran"),
        write_result(tmp_path, COLLECTED, "renamed", "same history"),
        write_result(tmp_path, COLLECTED, "object", "1", "<object at 0x7f63e7ac5480>"),
    ]
    kept = [
        write_result(tmp_path, COLLECTED, "never"),
        write_result(tmp_path, COLLECTED, "parameters", "3", "three"),
        write_result(tmp_path, GROUP, "ran"),
        write_result(tmp_path, GROUP, "new name", "same history"),
        write_result(tmp_path, GROUP, "object", "2", "<object at 0x7f1785da6460>"),
        write_result(tmp_path, GROUP, "parameters", "4", "four"),
    ]
    write_result(tmp_path, GROUP, "corrupt").write_text("{")
    calls = program("npx", 'cat "${5#--config=}" > "$0.config"; [ "$npm_config_ignore_scripts" = true ]')
    assert main(arguments) == 0
    assert [path.exists() for path in replaced] == [False] * 3
    assert [path.exists() for path in kept] == [True] * 6
    assert output.read_text() == "artifact=allure-report-lxd\n"
    words = calls.read_text()
    assert words.startswith("--yes allure@3 awesome --single-file --config=")
    assert f" --cwd={tmp_path}/logs --report-name=juju 3 | amd64 " in words
    assert words.endswith(f" --history-path={tmp_path}/history --output={tmp_path}/report\n")
    assert json.loads((tmp_path / "programs/npx.config").read_text()) == {"historyLimit": 50}


def test_no_results(tmp_path: Path, arguments: list[str], output: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 0
    assert (capsys.readouterr().out, output.read_text()) == (EMPTY, "")


def test_allure_fails(
    tmp_path: Path, arguments: list[str], program: Callable[..., Path], output: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write_result(tmp_path, GROUP, "ran")
    program("npx", "exit 3")
    assert main(arguments) == 0
    assert (capfd.readouterr().out, output.read_text()) == (FAILED, "")
