"""For all tests: they don't depend on where they are started, and a skip fails in CI."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import filelock
import pytest
import uv

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from typing import TypeAlias

    MakeEnvironment: TypeAlias = Callable[..., Path]

ROOT = Path(__file__).parent
TOOLS = ROOT / ".tools"
IS_CI = os.environ.get("CI") == "true"
IS_ON_GITHUB = os.environ.get("GITHUB_ACTIONS") == "true"
# What changes what programs do or show, except for where packages come from.
FOREIGN = re.compile(
    r"(GIT|GITHUB|LC|PIP|PYTEST|RUNNER|TOX|UV)_|(CI|COLUMNS|LANG|LANGUAGE|LINES|MAKE\w+|TERM|VIRTUAL_ENV|\w+_COLORS?)$"
)
KEPT = re.compile(r"PYTEST_(XDIST|CURRENT)|PIP_(CERT|FIND|TRUSTED|\w*INDEX)|UV_CACHE|GIT_SSL")
# The fixtures of tests that aren't in `make unit`.
INSTALLING = {"jubilant_python", "make_environment", "make_python", "real_charm", "real_charmcraft", "served"}


@pytest.fixture(autouse=True, scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Generator[None]:
    """Start all tests with the same variables, and let programs write their caches and logs into folders of the run."""
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ:
            if FOREIGN.match(name) and not KEPT.match(name):
                patch.delenv(name)
        if not Path.home().is_absolute() or not Path.home().is_dir():
            patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        patch.setenv("TERM", "xterm")
        uv_cache = subprocess.run([uv.find_uv_bin(), "cache", "dir"], check=True, capture_output=True, text=True).stdout
        patch.setenv("UV_CACHE_DIR", uv_cache.strip())
        for kind in ("CACHE", "DATA", "STATE"):
            patch.setenv(f"XDG_{kind}_HOME", str(tmp_path_factory.mktemp(kind.lower())))
        # At its end, a pytest that a test starts deletes old runs' folders, which can take minutes. Here are none.
        patch.setenv("PYTEST_DEBUG_TEMPROOT", str(tmp_path_factory.mktemp("temproot")))
        yield


@pytest.fixture(scope="session")
def make_environment(tmp_path_factory: pytest.TempPathFactory) -> MakeEnvironment:
    """Make an environment with a plugin, this version of pytest or another one, and what is named. Return its Python.

    All workers of pytest-xdist share it.
    """
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent

    def make(plugin: str, *requirements: str, pytest_version: str = pytest.__version__) -> Path:
        packages = [f"pytest=={pytest_version}", str(ROOT / "python/pytest_plugins" / plugin), *requirements]
        environment = folder / f"environment-{hashlib.sha256(repr(packages).encode()).hexdigest()[:16]}"
        with filelock.FileLock(f"{environment}.lock"):
            if not (environment / "complete").exists():
                install = ["pip", "install", "--python", str(environment), *packages]
                for command in (["venv", "--clear", str(environment)], install):
                    subprocess.run([uv.find_uv_bin(), "--quiet", *command], check=True)
                (environment / "complete").touch()
        return environment / "bin/python"

    return make


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that make environments, and those that pack with the real charmcraft."""
    for item in items:
        if not INSTALLING.isdisjoint(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.long)


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker in item.iter_markers("needs"):
        program = marker.args[0]
        if not shutil.which(program):
            reason = TOOLS / f"go/{program}.missing"
            pytest.skip(reason.read_text().strip() if reason.exists() else f"{program} isn't here")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and not hasattr(report, "wasxfail"):
        is_left_out = report.when == "setup" and any(item.iter_markers("needs"))
        if IS_ON_GITHUB or (IS_CI and not is_left_out):
            report.outcome = "failed"
            report.longrepr = f"skipped, but CI must run it: {report.longrepr}"
        elif is_left_out and isinstance(report.longrepr, tuple):
            report.user_properties.append(("left out", report.longrepr[2].removeprefix("Skipped: ")))
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which tests were left out, also in a file for .ci/run, which says it again at its end."""
    skipped = terminalreporter.stats.get("skipped", [])
    left_out = Counter(reason for report in skipped for name, reason in report.user_properties if name == "left out")
    lines = []
    for reason, number in left_out.items():
        program = reason.partition(" ")[0]
        tests = f"{number} test{'s' * (number > 1)}"
        lines.append(f"{reason}: {tests} left out. Put `{program}` on PATH")
    terminalreporter.write("".join(f"{line}\n" for line in lines))
    if left_out:
        with (TOOLS / "left-out").open("a") as file:
            file.writelines(f"{line}\n" for line in lines)
