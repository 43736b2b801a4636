"""pytest as a workflow runs it, with secrets in its environment."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import pytest

if TYPE_CHECKING:
    import os

Run: TypeAlias = Callable[..., pytest.RunResult]

VARIABLE = "SECRETS_FROM_GITHUB"
# What shuffles the tests, and what can't be imported again and again in one process.
WITHOUT = ["-p", "no:randomly", "-p", "no:hypothesispytest"]


@pytest.fixture(autouse=True)
def outside_github(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (VARIABLE, "PYTEST_ADDOPTS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a test file in this process, with these secrets."""

    def run_pytest(code: str, secrets: str | None, *args: str | os.PathLike[str]) -> pytest.RunResult:
        if secrets is not None:
            monkeypatch.setenv(VARIABLE, secrets)
        pytester.makepyfile(code)
        return pytester.runpytest_inprocess(*WITHOUT, *args)

    return run_pytest
