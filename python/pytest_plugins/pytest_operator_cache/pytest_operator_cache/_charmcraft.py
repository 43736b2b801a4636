"""The charmcraft on this machine: which one it is, what changes its result, and how it is run."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class PackError(RuntimeError):
    """charmcraft could not pack a charm; the message holds what it said."""


def version() -> str:
    """Return the version of charmcraft, or its revision where it is a snap, which takes no process to find out.

    Raises:
        PackError: It is not on PATH, or does not start.
    """
    program = _find()
    # snap/bin/charmcraft is a link to snap itself, and snap/charmcraft/current one to the revision.
    revision = Path(program).parent.parent / "charmcraft/current"
    if Path(program).resolve().name == "snap" and revision.is_symlink():
        return f"revision {revision.readlink()}"
    return _run([program, "version"], Path.cwd()).strip()


def packs_on_machine(arguments: Sequence[str]) -> bool:
    """Return whether charmcraft packs on the machine itself, and not in a container."""
    return "--destructive-mode" in arguments or os.environ.get("CRAFT_BUILD_ENVIRONMENT") == "host"


def surroundings(arguments: Sequence[str]) -> dict[str, str]:
    """Return what charmcraft's result depends on besides its version, its arguments and the charm's files."""
    variables = {
        name: value
        for name, value in os.environ.items()
        if name.startswith(("CRAFT_", "CHARMCRAFT_")) and name != "CHARMCRAFT_AUTH"
    }
    variables["machine"] = os.uname().machine
    if packs_on_machine(arguments):
        variables["os-release"] = Path("/etc/os-release").read_text(encoding="utf-8")
    return variables


def platform_of(arguments: Sequence[str]) -> str:
    """Return the platform that charmcraft's arguments ask for; empty if they ask for none."""
    for argument, following in zip(arguments, [*arguments, ""][1:], strict=True):
        option, equals, value = argument.partition("=")
        if option == "--platform":
            return value if equals else following
    return ""


def pack(folder: Path, arguments: Sequence[str]) -> None:
    """Pack the charm in a folder.

    Raises:
        PackError: It can't be packed.
    """
    _run([_find(), "pack", *arguments], folder)


def _find() -> str:
    program = shutil.which("charmcraft")
    if program is None:
        raise PackError("charmcraft is not on PATH: sudo snap install --classic charmcraft")
    return program


def _run(command: Sequence[str], folder: Path) -> str:
    shown = f"`{' '.join(['charmcraft', *command[1:]])}` in {folder}"
    try:
        result = subprocess.run(
            command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
    except OSError as error:
        raise PackError(f"{shown} did not start: {error.strerror}") from error
    if result.returncode:
        raise PackError(f"{shown} failed with exit code {result.returncode}:\n{result.stderr or result.stdout}")
    return result.stdout
