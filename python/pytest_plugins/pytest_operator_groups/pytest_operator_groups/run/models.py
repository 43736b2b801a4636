"""Juju's models, to name those that a run leaves behind."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shlex
import signal
from asyncio.subprocess import DEVNULL, PIPE

from pytest_operator_groups.run.processes import signal_session

# In seconds. A controller that is gone lets `juju` wait for minutes.
TIMEOUT = 20.0


async def list_models() -> set[str] | None:
    """Return the models of the current controller, as CONTROLLER:OWNER/NAME, or None if `juju` doesn't tell.

    Those that are being destroyed are left out.
    """
    command = ["juju", "models", "--format=json"]
    try:
        # In its own session, Ctrl-C doesn't reach it, and it can't ask for a password.
        process = await asyncio.create_subprocess_exec(
            *command, stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL, start_new_session=True
        )
    except OSError:
        return None
    try:
        output, _ = await asyncio.wait_for(process.communicate(), TIMEOUT)
        models = json.loads(output)["models"]
        return {f"{model['controller-name']}:{model['name']}" for model in models if model.get("life") != "dying"}
    except (asyncio.TimeoutError, ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return None
    finally:
        signal_session(process.pid, signal.SIGKILL)
        # The pipe closes with it, unless a process of another session has it.
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(process.communicate(), 5)


def describe_left(before: set[str], after: set[str] | None) -> list[str]:
    """Return the lines that name the models that were added, with the commands that destroy them."""
    if not (left := sorted((after or set()) - before)):
        return []
    destroy = "juju destroy-model --no-prompt --destroy-storage --force"
    return [
        "These models were added during the run, and are left. To destroy them:",
        *(f"  {destroy} {shlex.quote(model)}" for model in left),
    ]
