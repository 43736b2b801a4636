"""For all tests: the home directory stays as it is, and a skipped test is a failure in CI."""

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
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("CI") == "true":
        report.outcome = "failed"
        report.longrepr = f"skipped, but CI must run it: {report.longrepr}"
    return report
