"""What `run-groups` reads that isn't as it expects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pytest_operator_groups.run.run_groups import read_options

if TYPE_CHECKING:
    from pathlib import Path


def test_pyproject_that_can_not_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pyproject.toml").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="2"):
        read_options([])
    error = "pyproject.toml: can't be read ([Errno 21] Is a directory: 'pyproject.toml')\n"
    assert capsys.readouterr().err.endswith(f"\nrun-groups: error: {error}")
