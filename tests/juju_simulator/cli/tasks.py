"""The commands that run something on a unit: `juju run`, `juju exec` and `juju ssh`."""

from __future__ import annotations

import asyncio
import getopt
import re
import shlex
from typing import TYPE_CHECKING, Any

import yaml

from juju_simulator.cli.command import Caller, Output, command, dump, parse_pairs
from juju_simulator.world.entities import JujuError
from juju_simulator.world.tasks import run_action, run_command

if TYPE_CHECKING:
    from juju_simulator.world.model import Model

# The options in the manual of ssh. A colon follows those with a value.
_SSH_OPTIONS = "46AaCfGgKkMNnqsTtVvXxYyB:b:c:D:E:e:F:I:i:J:L:l:m:O:o:P:p:Q:R:S:W:w:"


@command
async def run(
    caller: Caller,
    model: Model,
    unit: str,
    action: str,
    *pairs: str,
    format_: str = "plain",
    params: str = "",
    wait: str = "60s",
) -> Output:
    seconds = _parse_duration(wait)
    parameters = yaml.safe_load((caller.folder / params).read_text(encoding="utf-8")) if params else {}
    parameters = {**(parameters or {}), **parse_pairs(pairs)}
    try:
        task = run_action(model, _find_unit(model, unit), action, parameters)
    except JujuError as error:
        return _not_scheduled(error)
    return await _answer(model, task, format_, seconds)


@command
async def exec_(
    _caller: Caller,
    model: Model,
    *words: str,
    format_: str = "plain",
    machine: str = "",
    unit: str = "",
    wait: str = "5m",
) -> Output:
    seconds = _parse_duration(wait)
    if bool(unit) == bool(machine) or not words:
        raise JujuError("specify a command, and one unit or machine to run it on")
    try:
        name = _find_unit(model, unit or machine)
        task = run_command(model, name, _join(words))
    except JujuError as error:
        return _not_scheduled(error)
    return await _answer(model, task, format_, seconds)


@command
async def ssh(
    _caller: Caller,
    model: Model,
    target: str,
    *remainder: str,
    container: str = "",
    no_host_key_checks: bool = False,
) -> Output:
    unit = _find_unit(model, target.rpartition("@")[2])
    # On Kubernetes, Juju doesn't use ssh, and takes its options for the command.
    words = remainder if model.is_caas else tuple(getopt.getopt(remainder, _SSH_OPTIONS)[1])
    key = run_command(model, unit, _join(words))["id"]
    await model.wait_until(lambda: model.get("action", key)["status"] != "pending")
    results = model.get("action", key)["results"]
    return Output(results.get("stdout", ""), results.get("stderr", ""), results["return-code"])


def _join(words: tuple[str, ...]) -> str:
    return words[0] if len(words) == 1 else shlex.join(words)


def _find_unit(model: Model, target: str) -> str:
    """Return a unit by its name, by APPLICATION/leader, or by the machine that it is on."""
    application, _, number = target.partition("/")
    if number == "leader":
        if not (units := model.units(application)):
            raise JujuError(f'could not determine leader for "{application}"', "not found")
        return units[0]
    if target.isdecimal():
        on_it = [name for name, unit in model.entities("unit").items() if unit["machine-id"] == target]
        if not on_it:
            raise JujuError(f'machine "{target}" not found', "not found")
        return on_it[0]
    model.get("unit", target)
    return target


def _not_scheduled(error: JujuError) -> Output:
    """Return what Juju answers if there is no such unit or action. This isn't an error of the command."""
    if error.code != "not found":
        raise error
    return Output(stderr=f"Operation failed to schedule any tasks:\n{error}\n")


async def _answer(model: Model, task: dict[str, Any], format_: str, seconds: float) -> Output:
    key, unit = task["id"], task["receiver"]
    done = model.wait_until(lambda: model.get("action", key)["status"] != "pending")
    try:
        await asyncio.wait_for(done, seconds)
    except asyncio.TimeoutError:
        raise JujuError(f"timed out waiting for results from: unit {unit}") from None
    task = model.get("action", key)
    about = {
        "id": key,
        **({"message": task["message"]} if task["message"] else {}),
        "results": task["results"],
        "status": task["status"],
        "timing": {"completed": task["completed"], "enqueued": task["enqueued"], "started": task["enqueued"]},
        "unit": unit,
    }
    stdout = dump(task["results"], "yaml") if format_ == "plain" else dump({unit: about}, format_)
    code = task["results"]["return-code"]
    if task["status"] == "completed" and not code:
        return Output(stdout)
    failure = f'ERROR the following task failed:\n - id "{key}" with return code {code}\n'
    return Output(stdout, f"{failure}\nuse 'juju show-task' to inspect the failure\n", 1)


def _parse_duration(text: str) -> float:
    """Return the seconds of a duration such as 1m30s or 2.5s."""
    parts = re.findall(r"([\d.]+)(h|ms|m|s)", text)
    if "".join(number + unit for number, unit in parts) != text:
        raise JujuError(f'invalid duration "{text}"')
    factors = {"h": 3600, "m": 60, "s": 1, "ms": 0.001}
    return sum(float(number) * factors[unit] for number, unit in parts)
