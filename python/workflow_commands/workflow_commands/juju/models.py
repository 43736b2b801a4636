"""Juju's models on all controllers: their names, their status and their logs. A model is what `juju -m` takes."""

from __future__ import annotations

import json
import os
import re
import select
import shlex
import shutil
import subprocess
import sys
import time
from typing import IO, TYPE_CHECKING, Any, cast

from workflow_commands.common.github import CommandError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SECONDS = 120  # a controller that doesn't answer must not use up the time for all others
_SECONDS_TO_DESTROY = 600
_USAGE_ERROR = 2


def find_juju(behind: Path | None = None) -> str:
    """Return the path of the command `juju`. One in the folder `behind` doesn't count."""
    folders = [folder for folder in os.environ["PATH"].split(os.pathsep) if folder != str(behind)]
    juju = shutil.which("juju", path=os.pathsep.join(folders))
    if juju is None:
        raise CommandError("there is no `juju` on PATH", advice="Let the file for concierge set up Juju")
    return juju


def list_models(juju: str) -> Iterator[str]:
    """Yield the models of all controllers, except the controllers' own."""
    controllers = _ask(juju, "controllers").get("controllers") or {}
    for controller in sorted(controllers):
        for model in _ask(juju, "models", "--controller", controller).get("models") or []:
            if model["short-name"] != "controller":
                yield f"{controller}:{model['name']}"


def current_model(juju: str) -> str:
    """Return the current model or controller, as `juju switch` takes it; "" if there is none."""
    return _run(juju, "switch")[1].strip()


def switch(juju: str, model: str) -> None:
    _run(juju, "switch", model)


def add(juju: str, model: str) -> None:
    controller, _, name = model.partition(":")
    _run(juju, "add-model", "--controller", controller, name.rpartition("/")[2])


def destroy(juju: str, model: str) -> bool:
    """Destroy a model with all that it contains, and return whether it is gone."""
    options = ["--destroy-storage", "--force", "--no-wait", model]
    code, _ = _run(juju, "destroy-model", "--no-prompt", *options, seconds=_SECONDS_TO_DESTROY)
    if code == _USAGE_ERROR:  # Juju 2.9 has no such option
        code, _ = _run(juju, "destroy-model", "--yes", *options, seconds=_SECONDS_TO_DESTROY)
    return code == 0


def save(juju: str, logs: Path, model: str) -> None:
    """Save the status and the log of one model: `juju/MODEL/status.txt` and `juju/MODEL/debug-log.txt` in a folder.

    Raises:
        OSError: There is no `juju`, or a file can't be written.
    """
    name = re.sub(r"[^\w.-]+", "-", model, flags=re.ASCII)
    folder = logs / "juju" / name
    number = 1
    while folder.exists():  # a model was destroyed, and another one of that name was made
        number += 1
        folder = logs / "juju" / f"{name}-{number}"
    folder.mkdir(parents=True)
    for file, arguments in {
        "status.txt": ["status", "--relations", "--model", model],
        "debug-log.txt": ["debug-log", "--replay", "--no-tail", "--model", model],
    }.items():
        _save_output([juju, *arguments], folder / file)


def save_all(juju: str, logs: Path) -> None:
    """Save the status and the log of every model that is left, as `save` does."""
    for model in [*list_models(juju)]:
        save(juju, logs, model)
        print(f"saved the logs of {model}", flush=True)


def _save_output(command: list[str], path: Path) -> None:
    """Save all that a command prints, in pieces: a log can be larger than the memory."""
    deadline = time.monotonic() + _SECONDS
    # Through a pipe: AppArmor lets Juju's snap write only to files in the user's home.
    with (
        path.open("wb") as file,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process,
    ):
        pipe = cast("IO[bytes]", process.stdout).fileno()
        try:
            while select.select([pipe], [], [], max(0, deadline - time.monotonic()))[0]:
                if not (piece := os.read(pipe, 2**20)):
                    return
                file.write(piece)
            file.write(f"\njuju {shlex.join(command[1:])} took more than {_SECONDS} s\n".encode())
        finally:
            process.kill()


def _run(juju: str, *arguments: str, seconds: int | None = None) -> tuple[int, str]:
    """Run `juju`, and return its exit code and what it printed. stderr goes to the log."""
    command = [juju, *arguments]
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, timeout=seconds or _SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        print(f"{shlex.join(command)}: TimeoutExpired: {error}", file=sys.stderr)
        return 1, ""
    return done.returncode, done.stdout.decode(errors="replace")


def _ask(juju: str, *arguments: str) -> dict[str, Any]:
    """Return Juju's answer. If there is none, print why to stderr and return {}."""
    arguments = (*arguments, "--format=json")
    code, printed = _run(juju, *arguments)
    try:
        answer: dict[str, Any] = json.loads(printed) if code == 0 else {}
    except ValueError as error:
        print(f"{shlex.join([juju, *arguments])}: {type(error).__name__}: {error}", file=sys.stderr)
        return {}
    return answer
