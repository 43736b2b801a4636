"""Environments with one plugin each, and suites of many tests."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
import uv

ROOT = Path(__file__).parents[1]
PACKAGES = ROOT / "python/pytest_plugins"

# What each contender installs besides pytest.
PLUGINS = {
    "pytest": [],
    "groups": [str(PACKAGES / "pytest_operator_groups")],
    "secrets": [str(PACKAGES / "github_secrets")],
    "cache": [str(PACKAGES / "pytest_operator_cache")],
    "split": ["pytest-split"],
    "shard": ["pytest-shard"],
    "test-groups": ["pytest-test-groups"],
}
MARKED_TEST = "@pytest.mark.group({group})\ndef test_{number}(): pass\n"

Prepare = Callable[[str, list[str]], Callable[[], None]]


@pytest.fixture(scope="session")
def make_suite(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int, int, int], Path]:
    """Write a suite of so many files, each with so many tests in so many groups."""

    @cache
    def make(files: int, tests: int, groups: int) -> Path:
        suite = tmp_path_factory.mktemp("suite")
        (suite / "pytest.ini").write_text("[pytest]\nmarkers = group(ID)\n")
        for file in range(files):
            code = "".join(
                MARKED_TEST.format(group=number * groups // tests + 1, number=number) for number in range(tests)
            )
            path = suite / f"tests/integration/test_{file}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"import pytest\n{code}")
        return suite

    return make


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the environment variables of a step on GitHub, with Python's caches on."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "PYTHON"))}
    return variables | {"GITHUB_OUTPUT": str(tmp_path_factory.mktemp("step") / "output")}


@pytest.fixture(scope="session")
def python_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Make a contender's virtual environment, and return its Python."""

    @cache
    def make(contender: str) -> Path:
        venv = str(tmp_path_factory.mktemp(contender))
        packages = [f"pytest=={pytest.__version__}", *PLUGINS[contender]]
        for command in (["venv", venv], ["pip", "install", "--compile-bytecode", "--python", venv, *packages]):
            subprocess.run([uv.find_uv_bin(), "--quiet", *command], check=True)
        return Path(venv, "bin/python")

    return make


@pytest.fixture(scope="session")
def prepare(python_of: Callable[[str], Path], environment: dict[str, str]) -> Callable[..., Callable[[], None]]:
    """Return a function that runs a contender's pytest. The first run, which fills the caches, has been made."""

    @cache
    def run_once(contender: str, suite: Path, *arguments: str) -> Callable[[], None]:
        command = [str(python_of(contender)), "-m", "pytest", *arguments]

        def run() -> None:
            subprocess.run(command, cwd=suite, env=environment, stdout=subprocess.DEVNULL, check=True)

        run()
        return run

    return run_once
