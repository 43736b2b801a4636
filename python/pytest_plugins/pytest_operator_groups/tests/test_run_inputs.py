"""What `run-groups` reads that isn't as it expects."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from pytest_operator_groups.run.collect import _find_groups
from pytest_operator_groups.run.options import read_options

if TYPE_CHECKING:
    from pathlib import Path

GROUPS = [{"path_to_test_file": "test_a.py", "group_number": 1}]


@pytest.mark.parametrize(
    ("printed", "found"),
    [
        (f"tox: a line\n{json.dumps(GROUPS)}\n", GROUPS),
        ("[]\n", []),
        ('groups=those of the suite\n[{"path_to: a suite may print this\n', None),
        (f"{json.dumps(GROUPS)}\ngroups=those of the suite\n", GROUPS),
        ("", None),
    ],
    ids=["groups", "no groups", "only looks like groups", "looks like groups, after them", "nothing"],
)
def test_groups_on_stdout(tmp_path: Path, printed: str, found: object) -> None:
    assert _find_groups(tmp_path / "output", printed) == found


def test_groups_in_the_output_file(tmp_path: Path) -> None:
    (tmp_path / "output").write_text(f"other=1\ngroups={json.dumps(GROUPS)}\n")
    assert _find_groups(tmp_path / "output", "groups=[]\n") == GROUPS


def test_pyproject_that_can_not_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pyproject.toml").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="2"):
        read_options([])
    error = "pyproject.toml: can't be read ([Errno 21] Is a directory: 'pyproject.toml')\n"
    assert capsys.readouterr().err.endswith(f"\nrun-groups: error: {error}")
