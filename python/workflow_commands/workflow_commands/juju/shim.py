"""The command `keep-juju-logs`: a `juju` that comes before the real one on PATH, and keeps the logs of models."""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from workflow_commands.common.github import annotated_errors
from workflow_commands.common.inputs import Inputs, read_inputs
from workflow_commands.juju import models

if TYPE_CHECKING:
    from collections.abc import Sequence

_SHIM = """\
#!/bin/sh
# Saves a model's logs before it is destroyed, and sets its architecture after it is made.
case "$1" in
add-model | destroy-model) exec {python} -I -m workflow_commands.juju.shim {juju} {logs} {architecture} "$@" ;;
esac
exec {juju} "$@"
"""


@annotated_errors("No Juju")
def keep_juju_logs(arguments: Sequence[str] | None = None) -> int:
    """Write a `juju` that saves a model's logs before it destroys the model, and return the exit code.

    Suites that call the command `juju`, as jubilant and pytest-jubilant do, need no change then. If Juju is a snap, the
    folder's path has to contain /snap/: jubilant then keeps its files out of /tmp, which the snap can't see.
    """
    parser = argparse.ArgumentParser(prog="keep-juju-logs", description=keep_juju_logs.__doc__)
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="where to write it; has to be first on PATH")
    parser.add_argument("--logs", metavar="LOGS", type=Path, required=True, help="the folder for the logs")
    options = parser.parse_args(arguments)
    values = {
        "python": sys.executable,
        "juju": models.find_juju(),
        "logs": str(options.logs.absolute()),
        # Of the models: Juju takes amd64 unless a model says otherwise (https://github.com/juju/juju/issues/21822).
        "architecture": Inputs.read(read_inputs()).architecture,
    }
    options.folder.mkdir(parents=True, exist_ok=True)
    shim = options.folder / "juju"
    shim.write_text(_SHIM.format(**{name: shlex.quote(value) for name, value in values.items()}))
    shim.chmod(0o755)
    return 0


def main(arguments: Sequence[str]) -> int:
    """Run `juju add-model` or `juju destroy-model` for the shim, and return the exit code of the real one."""
    juju, logs, architecture, *command = arguments
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("names", nargs="*")
    parser.add_argument("-c", "--controller")
    # Flags whose value could be mistaken for a name.
    for flags in (["--config"], ["--credential"], ["--logging-config"], ["--owner"], ["-t", "--timeout"]):
        parser.add_argument(*flags)
    try:
        options = parser.parse_known_intermixed_args(command[1:])[0]
    except (argparse.ArgumentError, SystemExit):  # juju says what is wrong
        options = argparse.Namespace(names=[], controller=None)
    prefix = f"{options.controller}:" if options.controller else ""
    if command[0] == "destroy-model":
        try:
            for name in options.names:
                models.save(juju, Path(logs), prefix + name)
        except OSError as error:  # the tests can destroy a model even if the disk is full
            print(f"logs are lost: {error}", file=sys.stderr)
    returncode = subprocess.run([juju, *command], check=False).returncode
    # A second name is that of another cloud. `juju add-model --help` succeeds, too, but has no name.
    if command[0] == "add-model" and returncode == 0 and len(options.names) == 1:
        constraints = ["set-model-constraints", "--model", prefix + options.names[0], f"arch={architecture}"]
        subprocess.run([juju, *constraints], check=False)
    return returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
