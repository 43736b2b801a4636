"""The command `check-packed-charms`: finds out whether `artifact-prefix` brought any packed charm."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from workflow_commands.common.errors import CommandError
from workflow_commands.common.github import annotated_errors
from workflow_commands.common.inputs import quote, read_inputs

if TYPE_CHECKING:
    from collections.abc import Sequence


@annotated_errors("No packed charms")
def main(arguments: Sequence[str] | None = None) -> int:
    """Check that there is a packed charm below this folder, and return the exit code."""
    argparse.ArgumentParser(prog="check-packed-charms", description=main.__doc__).parse_args(arguments)
    if not any(Path().rglob("*.charm")):
        prefix = read_inputs()["artifact-prefix"]
        raise CommandError(
            f"no artifact of this run whose name starts with {quote(f'{prefix}-')} contains a .charm",
            where="`artifact-prefix`",
            advice="It must be what their names start with, without the - after it",
        )
    return 0
