"""The command `keep-juju-logs`: keeps the logs of models that the tests destroy."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from workflow_commands.common.github import annotated_errors
from workflow_commands.common.inputs import read_inputs
from workflow_commands.common.integration_inputs import Inputs
from workflow_commands.juju import shim
from workflow_commands.juju.models import find_juju

if TYPE_CHECKING:
    from collections.abc import Sequence


@annotated_errors("No Juju")
def main(arguments: Sequence[str] | None = None) -> int:
    """Write a `juju` that saves a model's logs before it destroys the model, and return the exit code."""
    parser = argparse.ArgumentParser(prog="keep-juju-logs", description=main.__doc__)
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="where to write it; has to be first on PATH")
    parser.add_argument("--logs", metavar="LOGS", type=Path, required=True, help="the folder for the logs")
    options = parser.parse_args(arguments)
    inputs = Inputs.read(read_inputs())
    shim.write(options.folder, find_juju(), options.logs, inputs.architecture)
    return 0
