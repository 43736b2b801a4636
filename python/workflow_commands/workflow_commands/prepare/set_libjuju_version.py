"""The command `set-libjuju-version`: puts another libjuju into the lock of the caller's repository."""

from __future__ import annotations

import argparse
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from workflow_commands.common.errors import CommandError
from workflow_commands.common.github import annotated_errors
from workflow_commands.common.inputs import read_inputs

if TYPE_CHECKING:
    from collections.abc import Sequence


@annotated_errors("No lock")
def main(arguments: Sequence[str] | None = None) -> int:
    """Change the lock of this folder to the input `libjuju-version-constraint`, and return the exit code."""
    argparse.ArgumentParser(prog="set-libjuju-version", description=main.__doc__).parse_args(arguments)
    constraint = read_inputs()["libjuju-version-constraint"]
    if Path("poetry.lock").is_file():
        command = ["poetry", "add", "--lock", "--group=integration", f"juju@{constraint}"]
    elif Path("uv.lock").is_file():
        equal = "==" if constraint[0].isdigit() else ""
        command = ["uv", "add", "--no-sync", "--group=integration", f"juju{equal}{constraint}"]
    else:
        raise CommandError(
            "there is neither a poetry.lock nor a uv.lock that it could change",
            where="`libjuju-version-constraint`",
            advice="Set the version where the suite's dependencies are listed, such as tox.ini",
        )
    return subprocess.run(command, check=False).returncode
