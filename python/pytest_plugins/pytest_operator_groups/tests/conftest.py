"""Suites of charm authors, and pytest as they run it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias

import pytest

if TYPE_CHECKING:
    import os


class Run(Protocol):
    def __call__(self, *args: str | os.PathLike[str]) -> pytest.RunResult: ...


Matrix: TypeAlias = list[dict[str, object]]
Collect: TypeAlias = Callable[..., Matrix]
UsageErrorOf: TypeAlias = Callable[..., str]
MakeSuite: TypeAlias = Callable[[dict[str, str]], Path]
MakeEnvironment: TypeAlias = Callable[..., Path]

# What shuffles the tests, what can't be imported again and again in one process, and what takes long to import.
WITHOUT = "-p no:randomly -p no:hypothesispytest -p no:anyio"


@pytest.fixture
def pytester(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """Run pytest in the order of the file, and start it quickly."""
    monkeypatch.setenv("PYTEST_ADDOPTS", WITHOUT)
    return pytester


@pytest.fixture(autouse=True)
def outside_github(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GITHUB_OUTPUT", "GITHUB_RUN_ATTEMPT", "GITHUB_STEP_SUMMARY", "PYTEST_ADDOPTS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def make_suite(pytester: pytest.Pytester) -> MakeSuite:
    """Write files below the directory that pytest is started in; each test file gets its `import pytest`."""

    def make(files: dict[str, str]) -> Path:
        for name, text in files.items():
            path = pytester.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            # A change within the second of another one, to as many characters, would look compiled already.
            shutil.rmtree(path.parent / "__pycache__", ignore_errors=True)
            path.write_text(
                f"import pytest\n{text}" if name.endswith(".py") else text,
                encoding="utf-8",
            )
        return pytester.path

    return make


@pytest.fixture
def run(pytester: pytest.Pytester) -> Run:
    """Run pytest in this process, in the order of the file."""

    def run_pytest(*args: str | os.PathLike[str]) -> pytest.RunResult:
        return pytester.runpytest_inprocess("-W", "error", *args)

    return run_pytest


@pytest.fixture
def usage_error(run: Run) -> UsageErrorOf:
    """Run pytest, which ends with a usage error, and return the error's whole message."""

    def message_of(*args: str | os.PathLike[str]) -> str:
        result = run(*args)
        assert result.ret == pytest.ExitCode.USAGE_ERROR, result.stdout.str()
        assert "Traceback" not in result.stdout.str() + result.stderr.str()
        return result.stderr.str().removeprefix("ERROR: ").rstrip("\n")

    return message_of


@pytest.fixture
def collect(run: Run, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Collect:
    """Run `pytest --collect-groups` as a step on GitHub does, and return the matrix that it writes."""

    def collect_groups(*args: str | os.PathLike[str]) -> Matrix:
        output = tmp_path_factory.mktemp("step") / "output"
        with monkeypatch.context() as patch:
            patch.setenv("GITHUB_OUTPUT", str(output))
            result = run("--collect-groups", *args)
        assert result.ret == 0, result.stderr.str()
        name, _, value = output.read_text().partition("=")
        assert name == "groups"
        matrix: Matrix = json.loads(value)
        return matrix

    return collect_groups
