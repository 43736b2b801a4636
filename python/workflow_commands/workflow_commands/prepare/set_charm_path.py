"""The command `set-charm-path`: tells the tests which packed charm to deploy."""

from __future__ import annotations

import argparse
import os
import subprocess
from typing import TYPE_CHECKING

from workflow_commands.common import test_command
from workflow_commands.common.errors import CommandError
from workflow_commands.common.github import annotate, annotated_errors, append
from workflow_commands.common.inputs import read_inputs
from workflow_commands.common.integration_inputs import read_environment

if TYPE_CHECKING:
    from collections.abc import Sequence

_TITLE = "Which packed charm"
# The exit codes of find-charm, which is part of pytest-operator-cache.
_THERE_IS_NONE, _SEVERAL_FIT = 1, 3
# pytest-operator and pytest-operator-cache have these. With them, a test can choose the charm itself.
_CHOOSING = ("--model-alias", "--charm-base")


@annotated_errors(_TITLE)
def main(arguments: Sequence[str] | None = None) -> int:
    """Set CHARM_PATH for the next steps to the packed charm of this folder, and return the exit code.

    If the folder has no charm, or no packed one, CHARM_PATH isn't set. If its packed charms don't fit, or several do,
    that is an error, unless the tests can choose one themselves. `find-charm` must be on PATH.
    """
    argparse.ArgumentParser(prog="set-charm-path", description=main.__doc__).parse_args(arguments)
    values = read_inputs()
    base = values["charm-base"]
    command = ["find-charm", *([f"--base={base}"] if base else [])]
    found = subprocess.run(command, check=False, capture_output=True, text=True)
    if found.returncode == 0:
        append("GITHUB_ENV", f"CHARM_PATH={found.stdout.strip()}")
        return 0
    said = found.stderr.strip().removeprefix("find-charm: ")
    where = "`charm-base`" if base or found.returncode == _SEVERAL_FIT else ""
    problem = CommandError(said.replace("Pass --base=", "Give ").replace("--base=", ""), where=where)
    if base:
        raise problem
    if found.returncode != _THERE_IS_NONE:
        options = test_command.read_help(values, os.environ | read_environment(values)) or ""
        if not any(option in options for option in _CHOOSING):
            raise problem
        annotate("notice", _TITLE, str(problem))
    print(f"CHARM_PATH isn't set: {said}")
    return 0
