"""pytest as a workflow runs it, with secrets in its environment."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    import os

Run: TypeAlias = Callable[..., pytest.RunResult]

# A busy machine takes longer for one example.
settings.register_profile("busy", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")

VARIABLE = "SECRETS_FROM_GITHUB"
# What shuffles the tests, what can't be imported again and again in one process, and what takes long to import.
WITHOUT = "-p no:randomly -p no:hypothesispytest -p no:anyio"


@pytest.fixture
def pytester(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """Run pytest in the order of the file, and start it quickly."""
    monkeypatch.setenv("PYTEST_ADDOPTS", WITHOUT)
    return pytester


@pytest.fixture(autouse=True)
def outside_github(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (VARIABLE, "PYTEST_ADDOPTS", "CI"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a test file in this process, with these secrets."""

    def run_pytest(code: str, secrets: str | None, *args: str | os.PathLike[str]) -> pytest.RunResult:
        if secrets is not None:
            monkeypatch.setenv(VARIABLE, secrets)
        pytester.makepyfile(code)
        return pytester.runpytest_inprocess(*args)

    return run_pytest


@pytest.fixture
def run_process(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a test file in a process, with these secrets."""

    def run_pytest(code: str, secrets: str | None, *args: str | os.PathLike[str]) -> pytest.RunResult:
        if secrets is not None:
            monkeypatch.setenv(VARIABLE, secrets)
        pytester.makepyfile(code)
        return pytester.runpytest_subprocess(*args)

    return run_pytest
