"""The groups of a suite, as pytest in a process of its own collects them."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_operator_groups.common.errors import GroupsError
from pytest_operator_groups.common.text import read_end

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_operator_groups.run.processes import ProcessPool

# The limit of 256 groups is that of a matrix on GitHub.
_COLLECT = ["--collect-groups", "--max-groups=0", "-q"]


class CollectionError(GroupsError):
    """pytest did not collect the groups. What it said is on stdout.

    Attributes:
        code: An exit code for the command.
    """

    def __init__(self, code: int) -> None:
        super().__init__(f"pytest did not collect the groups (exit code {code})")
        # For a signal, the exit code that a shell has. If pytest exits with 0 but wrote no groups, it is 2.
        self.code = 128 - code if code < 0 else code or 2


async def collect_groups(
    command: Sequence[str], pool: ProcessPool, environment: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Return the groups as `pytest --collect-groups` writes them: `command` is all that runs pytest.

    It is a CollectionError if there was an error, which has been shown, or the collection was interrupted.
    """
    with tempfile.TemporaryDirectory() as folder:
        log, file = Path(folder, "log"), Path(folder, "groups.json")
        # The summary of a job on GitHub doesn't need the table.
        variables = {name: value for name, value in environment.items() if name != "GITHUB_STEP_SUMMARY"}
        # A program such as tox passes arguments on, and hides variables.
        returncode, _, _ = await pool.execute([*command, *_COLLECT, f"--groups-file={file}"], log, variables)
        groups = None
        # A command that isn't pytest may end with 0, too.
        if returncode == 0 and file.exists():
            groups = json.loads(file.read_bytes())
        elif pool.interrupted_by is None:
            print(read_end(log), flush=True)
    if groups is None:
        raise CollectionError(returncode)
    return list(groups)
