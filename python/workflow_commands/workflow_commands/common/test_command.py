"""The caller's command that runs pytest, and the arguments that it gets."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def build(values: Mapping[str, Any], arguments: Sequence[str]) -> list[str]:
    """Return the command that runs pytest with these arguments, followed by the caller's own.

    Args:
        values: The workflow's inputs. `test-command` and `pytest-arguments` are shell code.
        arguments: For pytest. The shell takes them as they are.
    """
    own = values["pytest-arguments"].replace("\n", " ")
    return [*_bash(values, f'"$@" {own}'), *arguments]


def read_help(values: Mapping[str, Any], environment: Mapping[str, str]) -> str | None:
    """Return pytest's help, which lists the options of its plugins. Return None if the command fails."""
    command = [*_bash(values, '"$@"'), "--help"]
    asked = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=False)
    return None if asked.returncode else asked.stdout.decode(errors="replace")


def select_tests() -> list[str]:
    """Return the arguments that deselect the tests that are marked unstable, except on the event `schedule`."""
    return [] if os.environ.get("GITHUB_EVENT_NAME") == "schedule" else ["-m", "not unstable"]


def _bash(values: Mapping[str, Any], arguments: str) -> list[str]:
    # A newline at the end of the command would separate it from its arguments.
    command = values["test-command"].rstrip("\n")
    return ["bash", "-eo", "pipefail", "-c", f"{command} {arguments}", "bash"]
