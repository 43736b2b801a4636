"""The machine that callers' workflows run on, and their repositories."""

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

from e2e.act import REPOSITORY, ROOT, STAND_INS, YAML, Machine, commit, git

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Machine:
    folder = tmp_path_factory.mktemp("machine")
    home = folder / "home"
    home.mkdir()
    # As users type it, from GitHub; git takes this checkout for it.
    (home / ".gitconfig").write_text(
        f'[url "{repository.as_uri()}"]\n\tinsteadOf = https://github.com/{REPOSITORY}\n[safe]\n\tdirectory = *\n'
    )
    programs = folder / "programs"
    programs.mkdir()
    for name in ("node", "git", "go"):
        if found := shutil.which(name):
            (programs / name).symlink_to(Path(found).resolve() if name == "go" else found)
    (programs / "pipx").symlink_to(Path(sys.executable).with_name("pipx"))
    uv_cache = subprocess.run(
        [uv.find_uv_bin(), "cache", "dir"], check=True, capture_output=True, text=True
    ).stdout.strip()
    unset = {"CI", "PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT", "PYTEST_ADDOPTS", "MAKEFLAGS"}
    unset |= {name for name in os.environ if name.startswith(("GITHUB_", "PYTEST_", "TOX", "UV_"))}
    environment = {name: value for name, value in os.environ.items() if name not in unset} | {
        "E2E_CHARMCRAFT": str(ROOT / "tests/bin/charmcraft"),
        "E2E_PYTHON": sys.executable,
        "PATH": os.pathsep.join(
            [str(STAND_INS / "bin"), str(folder / "pipx/bin"), str(programs), "/usr/sbin", "/usr/bin", "/sbin", "/bin"]
        ),
        "PIPX_BIN_DIR": str(folder / "pipx/bin"),
        "PIPX_DEFAULT_PYTHON": sys.executable,
        "PIPX_HOME": str(folder / "pipx"),
        "POETRY_SYSTEM_GIT_CLIENT": "true",
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        "UV_CACHE_DIR": uv_cache,
        "UV_PYTHON_DOWNLOADS": "never",
    }
    # All jobs of a run share this machine: what each would install of its own is there already.
    (version,) = set(re.findall(r"pipx install --quiet (uv==\S+)", YAML))
    subprocess.run([programs / "pipx", "install", "--quiet", version], env=environment, check=True)
    actions = {f"{name}@{sha}" for name, sha in re.findall(r"uses: (actions/[\w-]+)(?:/\w+)?@(\w+)", YAML)}
    served = {name: path for name in actions if (path := STAND_INS / name.partition("@")[0]).exists()}
    return Machine(folder, environment, {f"{REPOSITORY}@v1.0.0": repository, **served})


@pytest.fixture
def caller(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that makes a caller's repository."""

    def make(workflow: str, files: Mapping[str, str] | None = None, example: str = "", branch: str = "main") -> Path:
        folder = tmp_path / "caller"
        if example:
            ignored = shutil.ignore_patterns(".*", "*.charm", "__pycache__")
            shutil.copytree(ROOT / "examples" / example, folder, ignore=ignored)
            # This machine packs for its own architecture alone.
            for file in folder.rglob("charmcraft.yaml"):
                file.write_text(re.sub(r"\n  ubuntu@[\d.]+:arm64:", "", file.read_text()))
        for name, text in {".github/workflows/ci.yaml": workflow, **(files or {})}.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        git(folder, "init", "--quiet", f"--initial-branch={branch}")
        git(folder, "remote", "add", "origin", "https://github.com/canonical/journal-operator")
        commit(folder)
        return folder

    return make
