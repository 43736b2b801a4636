"""For all tests: the home directory stays as it is, GitHub's variables are unset, and a skip fails in CI."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest
import uv

if TYPE_CHECKING:
    from collections.abc import Generator


@pytest.fixture(autouse=True, scope="session")
def outside_home(tmp_path_factory: pytest.TempPathFactory) -> Generator[None]:
    """Let programs write their caches and logs into folders of the test run. Only uv's cache stays in use."""
    uv_cache = subprocess.run([uv.find_uv_bin(), "cache", "dir"], check=True, capture_output=True, text=True).stdout
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UV_CACHE_DIR", uv_cache.strip())
        for kind in ("CACHE", "DATA", "STATE"):
            patch.setenv(f"XDG_{kind}_HOME", str(tmp_path_factory.mktemp(kind.lower())))
        # At its end, a pytest that a test starts deletes old runs' folders, which can take minutes. Here are none.
        patch.setenv("PYTEST_DEBUG_TEMPROOT", str(tmp_path_factory.mktemp("temproot")))
        yield


@pytest.fixture(autouse=True, scope="session")
def without_github() -> Generator[None]:
    """Unset the variables of the step that runs the tests: commands behave in another way on GitHub."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("GITHUB_", "RUNNER_"))]:
            patch.delenv(name)
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("CI") == "true":
        report.outcome = "failed"
        report.longrepr = f"skipped, but CI must run it: {report.longrepr}"
    return report
