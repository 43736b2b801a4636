"""What units run: actions and commands. They answer from the table."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

from juju_simulator.world.entities import JujuError, now

if TYPE_CHECKING:
    from juju_simulator.world.model import Model


def run_action(model: Model, unit: str, name: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """Enqueue an action, and return it.

    Raises:
        JujuError: The charm has no such action, or the table no answer.
    """
    charm = model.charm_of(model.get("unit", unit)["application"])
    if name not in charm.actions:
        raise JujuError(f'action "{name}" not defined on unit "{unit}"', "not found")
    answer = _find_answer(model, unit, name, f"action {name}")
    results = {
        key: value if key == "return-code" else _fill(value, parameters)
        for key, value in answer.items()
        if key != "fail"
    }
    return _enqueue(model, unit, name, parameters, results, answer.get("fail", ""))


def _fill(value: Any, parameters: dict[str, Any]) -> Any:
    """Return a result of the table, in which "{name}" is the parameter of this name. Other braces stay, as in JSON."""
    if isinstance(value, dict):
        return {key: _fill(each, parameters) for key, each in value.items()}
    return re.sub(r"\{([^{}]*)\}", lambda match: str(parameters.get(match[1], match[0])), str(value))


def run_command(model: Model, unit: str, command: str) -> dict[str, Any]:
    """Enqueue a command, and return the action that it is to Juju.

    Raises:
        JujuError: There is no such unit, or the table has no answer.
    """
    answer = _find_answer(model, unit, f"$ {command}", f'command "{command}"')
    return _enqueue(model, unit, "juju-exec", {"command": command}, answer, "")


def _find_answer(model: Model, unit: str, key: str, what: str) -> dict[str, Any]:
    answers = model.answers(unit)
    if key not in answers:
        charm = model.charm_of(model.get("unit", unit)["application"]).name
        raise JujuError(f"simulator: the table has no answer of {charm} to the {what}")
    return answers[key]


def _enqueue(
    model: Model, unit: str, name: str, parameters: dict[str, Any], results: dict[str, Any], failure: str
) -> dict[str, Any]:
    key = str(model.next_number("action") + 1)
    end = {
        "status": "failed" if failure else "completed",
        "message": failure,
        "results": {"return-code": 0, **results},
    }

    async def answer() -> None:
        await asyncio.sleep(model.table.seconds / 2)
        model.set("action", key, **end, completed=now())
        if f"on {name}" in model.answers(unit):
            model.settle(unit, name)

    action = model.set(
        "action", key, id=key, name=name, receiver=unit, parameters=parameters, status="pending", enqueued=now()
    )
    model.start(answer())
    return action
