"""Juju's models, to name those that a run leaves behind."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shlex
import shutil
from asyncio.subprocess import DEVNULL, PIPE

# In seconds. A controller that is gone lets `juju` wait for minutes.
_TIMEOUT = 20


async def list_models() -> set[str] | None:
    """Return the models of the current controller, as CONTROLLER:OWNER/NAME, or None if `juju` doesn't tell."""
    if shutil.which("juju") is None:
        return None
    process = await asyncio.create_subprocess_exec(
        "juju", "models", "--format=json", stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL, start_new_session=True
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), _TIMEOUT)
        return {f"{model['controller-name']}:{model['name']}" for model in json.loads(output)["models"]}
    except (asyncio.TimeoutError, ValueError, TypeError, KeyError):
        return None
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()


def describe_left(before: set[str], after: set[str] | None) -> list[str]:
    """Return the lines that name the models that were added, with the commands that destroy them."""
    left = sorted((after or set()) - before)
    if not left:
        return []
    destroy = "juju destroy-model --no-prompt --destroy-storage --force"
    return [
        "These models were added during the run, and are left. To destroy them:",
        *(f"  {destroy} {shlex.quote(model)}" for model in left),
    ]
