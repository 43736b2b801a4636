"""The machine on which callers' workflows run, and the callers' repositories."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import uv

from e2e.act import CALLED, REPOSITORY, ROOT, STAND_INS, YAML, Machine, commit, git

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Machine:
    folder = tmp_path_factory.mktemp("machine")
    home = folder / "home"
    home.mkdir()
    # The default branch has gone on: the workflows install their own release.
    clone = folder / "repository"
    git(folder, "clone", "--quiet", str(repository), str(clone))
    git(clone, "rm", "-r", "--quiet", "python")
    commit(clone)
    # The URLs are those of GitHub, as users type them. git clones this checkout instead.
    (home / ".gitconfig").write_text(
        f'[url "{clone.as_uri()}"]\n\tinsteadOf = https://github.com/{REPOSITORY}\n[safe]\n\tdirectory = *\n'
    )
    programs = folder / "programs"
    programs.mkdir()
    for name in ("node", "git", "go"):
        if found := shutil.which(name):
            (programs / name).symlink_to(Path(found).resolve() if name == "go" else found)
    uv_cache = subprocess.run(
        [uv.find_uv_bin(), "cache", "dir"], check=True, capture_output=True, text=True
    ).stdout.strip()
    unset = {"CI", "PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT", "PYTEST_ADDOPTS", "MAKEFLAGS"}
    unset |= {name for name in os.environ if name.startswith(("GITHUB_", "PYTEST_", "TOX", "UV_"))}
    environment = {name: value for name, value in os.environ.items() if name not in unset} | {
        "E2E_CHARMCRAFT": str(ROOT / "tests/bin/charmcraft"),
        "E2E_PYTHON": sys.executable,
        "E2E_UV": uv.find_uv_bin(),
        "PATH": os.pathsep.join([str(STAND_INS / "bin"), str(programs), "/usr/sbin", "/usr/bin", "/sbin", "/bin"]),
        "POETRY_SYSTEM_GIT_CLIENT": "true",
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        "UV_CACHE_DIR": uv_cache,
        "UV_PYTHON_DOWNLOADS": "never",
    }
    actions = {f"{name}@{sha}" for name, sha in re.findall(r"uses: ([\w-]+/[\w-]+)(?:/\w+)?@(\w+)", YAML)}
    served = {name: path for name in actions if (path := STAND_INS / name.partition("@")[0]).exists()}
    return Machine(folder, environment, {f"{REPOSITORY}@v51.0.0": repository, **served})


@pytest.fixture
def caller(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that makes a caller's repository."""

    def make(workflow: str, files: Mapping[str, str] | None = None, example: str = "", branch: str = "main") -> Path:
        folder = tmp_path / "caller"
        if example:
            ignored = shutil.ignore_patterns(".*", "*.charm", "__pycache__")
            shutil.copytree(ROOT / "examples" / example, folder, ignore=ignored)
            # This machine packs only for its own architecture.
            for file in folder.rglob("charmcraft.yaml"):
                file.write_text(re.sub(r"\n  ubuntu@[\d.]+:arm64:", "", file.read_text()))
        for name, text in {".github/workflows/ci.yaml": workflow, **CALLED, **(files or {})}.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        git(folder, "init", "--quiet", f"--initial-branch={branch}")
        git(folder, "remote", "add", "origin", "https://github.com/canonical/journal-operator")
        commit(folder)
        return folder

    return make
