"""What Juju knows of a group's models, kept for those who read why it failed, even of models that its tests destroy."""

from __future__ import annotations

import argparse
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_SECONDS = 120  # a controller that doesn't answer must not take the time that others give to all of it
_SHIM = """\
#!/bin/sh
# Has a model's logs saved before it is destroyed, and its architecture set when it is made.
case "$1" in
add-model | destroy-model) exec {python} -I -m integration_test_charm._juju {juju} {logs} {architecture} "$@" ;;
esac
exec {juju} "$@"
"""


def write_shim(folder: Path, juju: str, logs: Path, architecture: str) -> None:
    """Write a `juju` that keeps the logs of the models that are destroyed with it.

    What makes and destroys models by the `juju` command, as jubilant and pytest-jubilant do, needs no argument then.

    Args:
        folder: Where to write it; to be first on PATH. With /snap/ in its path if Juju is a snap: that tells jubilant
            to keep its files out of /tmp, which the snap can't see.
        juju: The path of the real one.
        logs: Where the logs go.
        architecture: Of the models: Juju takes amd64 unless a model says otherwise (https://github.com/juju/juju/issues/21822).
    """
    folder.mkdir(parents=True, exist_ok=True)
    shim = folder / "juju"
    values = {"python": sys.executable, "juju": juju, "logs": str(logs.absolute()), "architecture": architecture}
    shim.write_text(_SHIM.format(**{name: shlex.quote(value) for name, value in values.items()}))
    shim.chmod(0o755)


def save_all(juju: str, logs: Path) -> list[str]:
    """Save the logs of every model on every controller, but for the controllers' own, and return the models.

    Raises:
        OSError: There is no `juju`, or a file can't be written.
    """
    models = [*_models(juju)]
    for model in models:
        save(juju, logs, model)
    return models


def save(juju: str, logs: Path, model: str) -> None:
    """Save the status and the log of one model, in a folder of its own.

    Args:
        juju: The command.
        logs: Where the folder goes.
        model: As `juju -m` takes it.
    """
    name = re.sub(r"[^\w.-]+", "-", model, flags=re.ASCII)
    folder = logs / "juju" / name
    number = 1
    while folder.exists():  # a model that was destroyed, and made anew under its name
        number += 1
        folder = logs / "juju" / f"{name}-{number}"
    folder.mkdir(parents=True)
    for file, arguments in {
        "status.txt": ["status", "--relations", "--model", model],
        "debug-log.txt": ["debug-log", "--replay", "--no-tail", "--model", model],
    }.items():
        # Through a pipe: AppArmor lets Juju's snap write to no file that is outside of the user's home.
        try:
            output = subprocess.run(
                [juju, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=_SECONDS, check=False
            ).stdout
        except subprocess.TimeoutExpired as error:
            output = (error.stdout or b"") + f"\njuju {shlex.join(arguments)} took more than {_SECONDS} s\n".encode()
        (folder / file).write_bytes(output)


def _models(juju: str) -> Iterator[str]:
    controllers = _ask(juju, "controllers").get("controllers") or {}
    for controller in sorted(controllers):
        for model in _ask(juju, "models", "--controller", controller).get("models") or []:
            if model["short-name"] != "controller":
                yield f"{controller}:{model['name']}"


def _ask(juju: str, *arguments: str) -> dict[str, Any]:
    """Return what Juju answers; nothing, and its words on stderr, where it does not."""
    command = [juju, *arguments, "--format=json"]
    try:
        result = subprocess.run(command, stdout=subprocess.PIPE, timeout=_SECONDS, check=False)
        answer: dict[str, Any] = json.loads(result.stdout) if result.returncode == 0 else {}
    except (subprocess.TimeoutExpired, ValueError) as error:
        print(f"{shlex.join(command)}: {type(error).__name__}: {error}", file=sys.stderr)
        return {}
    return answer


def main(arguments: Sequence[str]) -> int:
    """Stand before `juju add-model` and `juju destroy-model`, and return the exit code of the real one."""
    juju, logs, architecture, *command = arguments
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("names", nargs="*")
    parser.add_argument("-c", "--controller")
    # Flags whose value could be taken for a name.
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
                save(juju, Path(logs), prefix + name)
        except OSError as error:  # a full disk must not keep the tests from destroying a model
            print(f"logs are lost: {error}", file=sys.stderr)
    returncode = subprocess.run([juju, *command], check=False).returncode
    # A second name is that of another cloud; `juju add-model --help` ends well, too, and has none.
    if command[0] == "add-model" and returncode == 0 and len(options.names) == 1:
        constraints = ["set-model-constraints", "--model", prefix + options.names[0], f"arch={architecture}"]
        subprocess.run([juju, *constraints], check=False)
    return returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
