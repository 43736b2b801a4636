"""The repository as users get it: from git, at a tag."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import filelock
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    MakePython: TypeAlias = Callable[..., str]

ROOT = Path(__file__).parents[1]
URL = "https://github.com/canonical/data-platform-workflows"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the examples, which take longest: at the end, one worker would be left with them."""
    items.sort(key=lambda item: item.path.name != "test_examples.py")


@pytest.fixture(scope="session")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a repository with the files of this checkout, committed and not, under the tag v51.0.0."""
    repository = tmp_path_factory.mktemp("repository")
    listed = git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    for name in filter(None, listed):
        if os.path.lexists(ROOT / name):
            (repository / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, repository / name, follow_symlinks=False)
    git(repository, "init", "--quiet")
    git(repository, "add", ".")
    git(repository, "-c", "user.name=Test", "-c", "user.email=test@example.com", "commit", "--quiet", "--message=Test")
    git(repository, "tag", "v51.0.0")
    return repository


@pytest.fixture(scope="session")
def served(repository: Path) -> dict[str, str]:
    """Return the environment variables with which git takes the repository for the one on GitHub."""
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{repository.as_uri()}.insteadOf",
        "GIT_CONFIG_VALUE_0": URL,
    }


def git(directory: Path, *arguments: str) -> str:
    """Run git and return what it prints."""
    return subprocess.run(["git", *arguments], cwd=directory, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="session")
def make_python(tmp_path_factory: pytest.TempPathFactory) -> MakePython:
    """Make the environment that an example's groups run in, as the project locks it, and return its Python.

    All workers of pytest-xdist share it.
    """
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent

    def make(*groups: str) -> str:
        environment = folder / "-".join(["environment", *groups])
        command = ["uv", "sync", "--quiet", "--locked", "--all-packages", "--all-extras", "--no-default-groups"]
        command += [f"--group={group}" for group in groups]
        with filelock.FileLock(f"{environment}.lock"):
            subprocess.run(command, cwd=ROOT, env=os.environ | {"UV_PROJECT_ENVIRONMENT": str(environment)}, check=True)
        return str(environment / "bin/python")

    return make
