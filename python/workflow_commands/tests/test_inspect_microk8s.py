"""The archive of `microk8s inspect`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow_commands.prepare.cloud import inspect_microk8s as main

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest


def test_archive_is_saved(program: Callable[..., Path], tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    archive = tmp_path / "inspection-report-20261121_184500.tar.gz"
    archive.write_bytes(b"packed")
    archive.chmod(0o400)
    program("sudo", 'exec "$@"')
    calls = program("microk8s", f"echo Inspecting system; echo '  Report tarball is at {archive}' >&2")
    assert main([str(tmp_path / "logs")]) == 0
    assert calls.read_text() == "inspect\n"
    saved = tmp_path / "logs/microk8s-inspect.tar.gz"
    assert saved.read_bytes() == b"packed"
    assert saved.stat().st_mode & 0o777 == 0o600
    assert capfd.readouterr().out == f"Inspecting system\n  Report tarball is at {archive}\n"


def test_no_archive(program: Callable[..., Path], tmp_path: Path, fail: Callable[..., str]) -> None:
    program("sudo", 'echo "sudo: $1: command not found"; exit 1')
    assert fail(main, str(tmp_path / "logs")) == (
        "sudo: microk8s: command not found\n"
        "::error title=No archive of MicroK8s::`microk8s inspect` made none. Read what it printed above\n"
    )
    assert not (tmp_path / "logs").exists()
