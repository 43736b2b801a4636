"""The files by which clients find the simulator: what is in JUJU_DATA, and the command `juju`."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import Any


def write_data(juju_data: Path, name: str, content: dict[str, Any]) -> None:
    """Write one of the files that Juju's clients keep."""
    # JSON is YAML, and the `juju` command reads it without importing yaml. Nobody may read half of a file.
    new = juju_data / f"{name}.new"
    new.write_text(json.dumps(content))
    new.replace(juju_data / f"{name}.yaml")


def write_keys(juju_data: Path, controller: str) -> None:
    """Write what libjuju reads and doesn't need here: cookies, and a key for ssh."""
    for file, text in {f"cookies/{controller}.json": "[]", "ssh/juju_id_rsa.pub": "ssh-rsa simulator\n"}.items():
        (juju_data / file).parent.mkdir()
        (juju_data / file).write_text(text)


def write_command(programs: Path, juju_data: Path) -> None:
    """Write the command `juju`. It uses a controller in JUJU_DATA, which tox hides, or else the one in a folder."""
    programs.mkdir()
    command = shlex.join([sys.executable, "-IS", str(Path(__file__).with_name("_command.py"))])
    juju = programs / "juju"
    default = shlex.quote(f"JUJU_DATA={juju_data}")
    juju.write_text(f'#!/bin/sh\n[ "$JUJU_DATA" ] || export {default}\nexec {command} "$@"\n')
    juju.chmod(0o755)
