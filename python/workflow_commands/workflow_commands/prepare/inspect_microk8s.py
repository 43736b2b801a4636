"""The command `inspect-microk8s`: saves the archive that explains why MicroK8s doesn't start."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from workflow_commands.common.errors import CommandError
from workflow_commands.common.github import annotated_errors

if TYPE_CHECKING:
    from collections.abc import Sequence


@annotated_errors("No archive of MicroK8s")
def main(arguments: Sequence[str] | None = None) -> int:
    """Run `microk8s inspect`, save its archive as microk8s-inspect.tar.gz, and return the exit code."""
    parser = argparse.ArgumentParser(prog="inspect-microk8s", description=main.__doc__)
    parser.add_argument("logs", metavar="LOGS", type=Path, help="the folder for the archive")
    logs = parser.parse_args(arguments).logs
    command = ["sudo", "microk8s", "inspect"]
    printed = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False).stdout
    print(printed, end="", flush=True)
    archives = re.findall(r"/\S+\.tar\.gz", printed)
    if not archives:
        raise CommandError("`microk8s inspect` made none", advice="Read what it printed above")
    logs.mkdir(parents=True, exist_ok=True)
    # Only root can read it, and a later step has to change it.
    install = [
        "sudo",
        "install",
        f"--owner={os.getuid()}",
        "--mode=600",
        archives[-1],
        str(logs / "microk8s-inspect.tar.gz"),
    ]
    subprocess.run(install, check=True)
    return 0
