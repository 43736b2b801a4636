"""A `juju` that comes before the real one on PATH, and saves a model's logs before it destroys the model."""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

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


def write(folder: Path, juju: str, logs: Path, architecture: str) -> None:
    """Write the shim into a folder.

    Suites that call the command `juju`, as jubilant and pytest-jubilant do, need no change then.

    Args:
        folder: It has to be first on PATH. If Juju is a snap, its path has to contain /snap/: jubilant then keeps its
            files out of /tmp, which the snap can't see.
        juju: The path of the real one.
        logs: The folder for the logs.
        architecture: Of the models: Juju takes amd64 unless a model says otherwise (https://github.com/juju/juju/issues/21822).
    """
    folder.mkdir(parents=True, exist_ok=True)
    shim = folder / "juju"
    values = {"python": sys.executable, "juju": juju, "logs": str(logs.absolute()), "architecture": architecture}
    shim.write_text(_SHIM.format(**{name: shlex.quote(value) for name, value in values.items()}))
    shim.chmod(0o755)


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
