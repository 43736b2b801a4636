"""The repository as users get it: from git, at a tag. And what its pages describe."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import textwrap
from typing import TYPE_CHECKING

import filelock
import pytest
from pages import BLOCKS, ROOT, secrets_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import TypeAlias

    MakePython: TypeAlias = Callable[..., str]

URL = "https://github.com/canonical/data-platform-workflows"
# What charmcraft needs to pack a charm without installing anything.
CHARM = """\
    name: demo
    type: charm
    summary: A charm
    description: A charm of the tests
    parts: {files: {plugin: dump, source: ., stage: [-charmcraft.yaml]}}
    platforms:
      ubuntu@22.04:amd64:
    """


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


@pytest.fixture
def real_charmcraft() -> Path:
    """Return the real charmcraft."""
    if not (ROOT / ".tools/charmcraft/bin/charmcraft").exists():
        pytest.skip("the real charmcraft is not here: make charmcraft")
    return ROOT / "tests/bin/charmcraft"


@pytest.fixture
def suite(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """Write the Python block of the document at hand to the file that it names, for a run with its secrets."""
    document = (request.node.callspec.params.get("block") or request.node.callspec.params["line"]).document
    (code,) = [block.text for block in BLOCKS if block.document == document and block.language == "python"]
    (name,) = set(re.findall(r"`(tests/integration/\w+\.py)`", document.read_text()))
    (tmp_path / name).parent.mkdir(parents=True)
    (tmp_path / name).write_text(code)
    monkeypatch.setenv("SECRETS_FROM_GITHUB", json.dumps(secrets_of(document.read_text()) or {"NAME": "value"}))
    if "packed_charm" in code:
        charmcraft = request.getfixturevalue("real_charmcraft")
        (tmp_path / "charmcraft.yaml").write_text(textwrap.dedent(CHARM))
        monkeypatch.delenv("CI", raising=False)
        monkeypatch.setenv("PATH", str(charmcraft.parent), prepend=os.pathsep)
        monkeypatch.setenv("CRAFT_BUILD_ENVIRONMENT", "host")
        for variable, kind in (("XDG_CACHE_HOME", "cache"), ("XDG_STATE_HOME", "state")):
            monkeypatch.setenv(variable, str(tmp_path_factory.mktemp(kind)))
    return tmp_path
