"""The commands that the workflow runs. Each takes the workflow's inputs from the variable INPUTS, as JSON."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from integration_test_charm._inputs import Inputs, problems, without_effect

if TYPE_CHECKING:
    from collections.abc import Sequence


def check_inputs(arguments: Sequence[str] | None = None) -> int:
    """Say what is wrong with the workflow's inputs, each in an annotation of the run; return the exit code.

    The line `artifact=NAME`, how the artifacts of the groups begin, is appended to the file that GITHUB_OUTPUT names.
    """
    argparse.ArgumentParser(prog="check-inputs", description=check_inputs.__doc__).parse_args(arguments)
    values = json.loads(os.environ["INPUTS"])
    found = [*problems(values)]
    if values["concierge-file"] and not Path(values["concierge-file"]).is_file():
        found.append(f"`concierge-file`: there is no file {values['concierge-file']!r} in the repository")
    for problem in found:
        print(f"::error title=An input of integration_test_charm.yaml::{_escape(problem)}")
    if found:
        return 1
    for line in without_effect(values):
        print(f"::warning title=An input of integration_test_charm.yaml::{_escape(line)}")
    with Path(os.environ.get("GITHUB_OUTPUT", "/dev/stdout")).open("a", encoding="utf-8") as output:
        output.write(f"artifact={Inputs.read(values).artifact}\n")
    return 0


def write_concierge(arguments: Sequence[str] | None = None) -> int:
    """Print the file for concierge; return the exit code."""
    import yaml

    from integration_test_charm._concierge import plan

    parser = argparse.ArgumentParser(prog="write-concierge", description=write_concierge.__doc__)
    parser.add_argument("--address", default="", help="the machine's own address, for a load balancer of MicroK8s")
    options = parser.parse_args(arguments)
    inputs = Inputs.read(json.loads(os.environ["INPUTS"]))
    yaml.safe_dump(plan(inputs, options.address, os.environ), sys.stdout, sort_keys=False)
    return 0


def keep_juju_logs(arguments: Sequence[str] | None = None) -> int:
    """Write a `juju` that saves the logs of a model before it is destroyed; return the exit code."""
    from integration_test_charm._juju import write_shim

    parser = argparse.ArgumentParser(prog="keep-juju-logs", description=keep_juju_logs.__doc__)
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="where to write it, to be first on PATH")
    parser.add_argument("--logs", metavar="LOGS", type=Path, required=True, help="where the logs go")
    options = parser.parse_args(arguments)
    inputs = Inputs.read(json.loads(os.environ["INPUTS"]))
    write_shim(options.folder, _juju(), options.logs, inputs.architecture)
    return 0


def save_juju_logs(arguments: Sequence[str] | None = None) -> int:
    """Save `juju status` and `juju debug-log` of every model; return the exit code."""
    from integration_test_charm._juju import save_all

    parser = argparse.ArgumentParser(prog="save-juju-logs", description=save_juju_logs.__doc__)
    parser.add_argument("logs", metavar="LOGS", type=Path, help="where the logs go")
    options = parser.parse_args(arguments)
    for model in save_all(_juju(), options.logs):
        print(f"saved the logs of {model}")
    return 0


def _juju() -> str:
    juju = shutil.which("juju")
    if juju is None:
        sys.exit("there is no `juju` on PATH")
    return juju


def _escape(text: str) -> str:
    """Escape the text of a workflow command: https://github.com/actions/toolkit, "escapeData"."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
