"""The caller's own commands: how they run in bash, and the arguments of the one that runs pytest."""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def in_bash(command: str, arguments: Sequence[str], own: str = "") -> list[str]:
    """Return a command of the caller, which is shell code, with arguments that the shell takes as they are.

    Args:
        own: The caller's own arguments, as shell code. They come last.
    """
    # A newline at the end of the command would separate it from its arguments.
    command = command.rstrip("\n")
    return ["bash", "-eo", "pipefail", "-c", f'{command} "$@" {own}', "bash", *arguments]


def with_new_groups(command: Sequence[str]) -> list[str]:
    """Return a command that runs another one as this user, in all groups of the user, with all variables.

    A process keeps the groups of its login. The user joins `lxd` or `snap_microk8s` later, when the cloud is set up.
    The other command's first word can't contain `=`.
    """
    # The sudo of Ubuntu 26.04 ignores --preserve-env without names. It doesn't take the names of a shell's functions.
    names = ",".join(name for name in sorted(os.environ) if re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII))
    # sudo searches in a PATH of its own, so `env` searches in ours.
    return ["sudo", f"--user=#{os.getuid()}", f"--preserve-env={names}", "--", "env", "--", *command]


def pytest_command(values: Mapping[str, Any], arguments: Sequence[str]) -> list[str]:
    """Return the command that runs pytest with these arguments, followed by the caller's own."""
    return in_bash(values["test-command"], arguments, values["pytest-arguments"].replace("\n", " "))


def read_help(values: Mapping[str, Any], environment: Mapping[str, str]) -> str | None:
    """Return pytest's help, which lists the options of its plugins. Return None if the command fails."""
    command = in_bash(values["test-command"], ["--help"])
    asked = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=False)
    return None if asked.returncode else asked.stdout.decode(errors="replace")


def select_tests() -> list[str]:
    """Return the arguments that deselect the tests that are marked unstable, except on the event `schedule`."""
    return [] if os.environ.get("GITHUB_EVENT_NAME") == "schedule" else ["-m", "not unstable"]
