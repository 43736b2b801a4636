"""`make lint` finds what GitHub would refuse, and accepts callers of the last release."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from ruamel.yaml import YAML

from e2e.act import ROOT, WORKFLOWS

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = ROOT / "tests/workflow_validator"
LEVELS = ["none", "read", "write"]
DOCUMENT = """\
# Not a workflow

1. A workflow:

   ```yaml
   on: pull_request
   jobs:
     first:
       uses: canonical/data-platform-workflows/.github/workflows/integration_test_charm.yaml@v1.0.0
       with:
         cloud: lxd
         clowd: lxd
     second:
       needs: first
       runs-on: ubuntu-24.04
       steps:
         - run: echo ${{ contains('a') }}
         - run: echo ${{ needs.first.outputs.missing }}
     third:
       uses: canonical/data-platform-workflows/.github/workflows/missing.yaml@v1.0.0
   ```
"""


def test_what_github_would_refuse(tmp_path: Path) -> None:
    document = tmp_path / "document.md"
    document.write_text(DOCUMENT)
    command = ["node", str(FOLDER / "dist/validate.mjs"), str(document)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert sorted(run.stdout.splitlines()) == [
        f"{document}:12: Invalid input, clowd is not defined in the referenced workflow.",
        f"{document}:17: Too few parameters supplied: 'contains'",
        f"{document}:18: Context access might be invalid: missing",
        f"{document}:20: Unable to find reusable workflow",
        "1 workflows validated, 4 problems",
    ]


def check_permissions(workflow: Path, granted: dict[str, str] | None) -> None:
    """Check that no job asks for more than the caller has granted, also in workflows that are called in turn."""
    for job in YAML(typ="safe").load(workflow)["jobs"].values():
        asked = job.get("permissions", granted)
        for scope, level in (asked if granted is not None else {}).items():
            assert LEVELS.index(level) <= LEVELS.index((granted or {}).get(scope, "none")), f"{workflow}: {scope}"
        if "uses" in job:
            check_permissions(WORKFLOWS / job["uses"].partition("@")[0].rpartition("/")[2], asked)


@pytest.mark.parametrize("caller", sorted((FOLDER / "callers").iterdir()), ids=lambda path: path.name)
def test_callers_grant_enough(caller: Path) -> None:
    # GitHub's parser doesn't check it, but GitHub doesn't start such a run.
    check_permissions(caller, None)
