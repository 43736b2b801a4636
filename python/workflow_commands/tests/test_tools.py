"""What is installed for the caller's commands, and which libjuju the caller's suite gets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from workflow_commands.prepare.tools import install_tools, set_libjuju_version

if TYPE_CHECKING:
    from collections.abc import Callable


def test_tools_are_installed(tmp_path: Path, program: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("pyproject.toml").write_text('[tool.tox]\nrequires = ["tox>=4"]\n')
    calls = program("uv", 'echo "$UV_TOOL_DIR $UV_TOOL_BIN_DIR" >> "$HOME/folders"')
    monkeypatch.setenv("HOME", str(tmp_path))
    path = tmp_path / "path"
    monkeypatch.setenv("GITHUB_PATH", str(path))
    assert install_tools([str(tmp_path / "there")]) == 0
    assert calls.read_text().splitlines() == [
        "tool install --quiet tox>=4,<5",
        "tool install --quiet poetry>=2,<3 --with=poetry-plugin-export>=1.9,<2",
    ]
    assert set((tmp_path / "folders").read_text().splitlines()) == {f"{tmp_path}/there/tools {tmp_path}/there/bin"}
    assert path.read_text() == f"{tmp_path}/there/bin\n"


def test_tox_uv_is_installed_if_its_runner_is_named(
    tmp_path: Path, program: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_PATH", raising=False)
    calls = program("uv")
    Path("tox.ini").write_text("[testenv:integration]\nrunner = uv-venv-lock-runner\n")
    assert install_tools([str(tmp_path)]) == 0
    assert "tool install --quiet tox>=4,<5 --with=tox-uv>=1,<2" in calls.read_text().splitlines()


def test_tool_cannot_be_installed(tmp_path: Path, program: Callable[..., Path], fail: Callable[..., str]) -> None:
    program("uv", 'case "$*" in *poetry*) echo "no such package" >&2; exit 2;; esac')
    message = "uv can't install poetry>=2,<3. Read what uv printed above"
    assert fail(install_tools, str(tmp_path)) == f"::error title=No tools::{message}\n"


@pytest.mark.parametrize(
    ("lock", "constraint", "called"),
    [
        ("poetry", "==3.6.1.3", "add --lock --group=integration juju@==3.6.1.3"),
        ("poetry", "3.6.1.3", "add --lock --group=integration juju@3.6.1.3"),
        ("uv", "==3.6.1.3", "add --no-sync --group=integration juju==3.6.1.3"),
        ("uv", "3.6.1.3", "add --no-sync --group=integration juju==3.6.1.3"),
        ("uv", ">=3.5, <4", "add --no-sync --group=integration juju>=3.5, <4"),
    ],
)
def test_libjuju(
    tmp_path: Path,
    program: Callable[..., Path],
    give: Callable[..., object],
    monkeypatch: pytest.MonkeyPatch,
    lock: str,
    constraint: str,
    called: str,
) -> None:
    give(libjuju_version_constraint=constraint)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "uv.lock").touch()
    (tmp_path / f"{lock}.lock").touch()
    calls = program(lock, "exit 7")
    assert set_libjuju_version([]) == 7
    assert calls.read_text() == f"{called}\n"


def test_libjuju_without_a_lock(
    tmp_path: Path, give: Callable[..., object], monkeypatch: pytest.MonkeyPatch, fail: Callable[..., str]
) -> None:
    give(libjuju_version_constraint="==3.6.1.3")
    monkeypatch.chdir(tmp_path)
    assert fail(set_libjuju_version) == (
        "::error title=No lock::`libjuju-version-constraint`: there is neither a poetry.lock nor a uv.lock that "
        "it could change. Set the version where the suite's dependencies are listed, such as tox.ini\n"
    )
