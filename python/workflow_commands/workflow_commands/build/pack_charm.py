"""The command `pack-charm`: runs the caller's pack command for one charm, and takes the packed charm."""

from __future__ import annotations

import argparse
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from workflow_commands.common.command import in_bash, with_new_groups
from workflow_commands.common.github import CommandError, annotated_errors
from workflow_commands.common.inputs import quote, read_inputs

if TYPE_CHECKING:
    from collections.abc import Sequence


@annotated_errors("No packed charm")
def main(arguments: Sequence[str] | None = None) -> int:
    """Pack a charm, copy it to the same path below another folder, and return the exit code.

    The pack command runs in the group `lxd`, which the user has joined.
    """
    parser = argparse.ArgumentParser(prog="pack-charm", description=main.__doc__)
    parser.add_argument("charm", metavar="CHARM", type=Path, help="the charm's folder, below this one")
    parser.add_argument("--argument", default="", help="what the pack command gets, if anything")
    parser.add_argument("--to", metavar="FOLDER", type=Path, required=True, help="where to copy the packed charm")
    options = parser.parse_args(arguments)
    command: str = read_inputs()["pack-command"]
    before = _list_packed(options.charm)
    pack = with_new_groups(in_bash(command, [*filter(None, [options.argument])]))
    packed = subprocess.run(pack, cwd=options.charm, check=False)
    if packed.returncode != 0:
        return packed.returncode
    new = sorted(_list_packed(options.charm) - before)
    if not new:
        raise CommandError(
            f"{quote(command)} succeeded, but left no new .charm in the charm's folder",
            where=str(options.charm),
            advice="Let `pack-command` put the packed charm there",
        )
    (options.to / options.charm).mkdir(parents=True, exist_ok=True)
    for charm, _ in new:
        print(shutil.copy(charm, options.to / options.charm))
    return 0


def _list_packed(folder: Path) -> set[tuple[Path, int]]:
    """Return the packed charms in a folder, and when each was last written, in nanoseconds."""
    return {(path, path.stat().st_mtime_ns) for path in folder.glob("*.charm") if path.is_file()}
