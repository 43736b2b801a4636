"""The commands for models and the controller."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from juju_simulator.cli.command import Caller, command, dump, parse_pairs, split
from juju_simulator.world.constraints import format_constraints, parse_constraints
from juju_simulator.world.entities import JujuError, now
from juju_simulator.world.table import AGENT_VERSION, CONTROLLER, USER

if TYPE_CHECKING:
    from juju_simulator.world.model import Model


@command
def version(_caller: Caller, *, all_: bool = False, format_: str = "smart") -> str:
    text = f"{AGENT_VERSION}-simulator-amd64"
    if format_ == "smart":
        return f"{text}\n"
    return dump({"version": text, "git-commit": "", "git-tree-state": ""} if all_ else text, format_)


@command
def controllers(caller: Caller, *, format_: str = "json") -> str:
    return dump(caller.controller.describe(), format_)


@command
def add_model(
    caller: Caller,
    name: str,
    cloud: str | None = None,
    *,
    config: tuple[str, ...] = (),
    controller: str = "",
    credential: str = "",
    no_switch: bool = False,
) -> str:
    caller.check_controller(controller)
    values = {key: _parse_value(value) for key, value in parse_pairs(config).items()}
    model = caller.controller.add_model(name, values, (cloud or "").partition("/")[0])
    if not no_switch:
        caller.controller.switch(model)
    return f"Added '{name}' model\n"


def _parse_value(text: str) -> bool | int | str:
    if text in {"true", "false"}:
        return text == "true"
    return int(text) if text.isdecimal() else text


@command
async def destroy_model(
    caller: Caller,
    name: str,
    *,
    destroy_storage: bool = False,
    force: bool = False,
    no_prompt: bool = False,
    no_wait: bool = False,
    release_storage: bool = False,
    timeout: str = "",
) -> str:
    await caller.controller.remove_model(caller.find_model(name))
    return ""


@command
def models(caller: Caller, *, controller: str = "", format_: str = "tabular") -> str:
    caller.check_controller(controller)
    known = caller.controller.models
    if format_ == "tabular":
        return "".join(f"{model.name}\n" for model in known.values())
    current = known.get(caller.controller.current_model)
    return dump(
        {
            "models": [_describe(caller, model) for model in known.values()],
            **({"current-model": current.name} if current else {}),
        },
        format_,
    )


@command
def show_model(caller: Caller, name: str | None = None, *, format_: str = "yaml") -> str:
    model = caller.find_model(name or "")
    about = {
        **_describe(caller, model),
        "users": {USER: {"display-name": USER, "access": "admin", "last-connection": now()}},
        "machines": {key: {"cores": 0} for key in model.entities("machine")},
        "secret-backends": {"internal": {"num-secrets": len(model.secrets), "status": "active"}},
        "credential": {"name": "simulator", "owner": USER, "cloud": model.cloud.name},
        "supported-features": [
            {"name": "juju", "description": "the version of Juju used by the model", "version": AGENT_VERSION}
        ],
    }
    return dump({model.name: about}, format_)


def _describe(caller: Caller, model: Model) -> dict[str, Any]:
    return {
        "name": f"{USER}/{model.name}",
        "short-name": model.name,
        "model-uuid": model.uuid,
        "model-type": model.cloud.model_type,
        "controller-uuid": caller.controller.uuid,
        "controller-name": CONTROLLER,
        "is-controller": model.name == "controller",
        "cloud": model.cloud.name,
        "region": model.cloud.name,
        "type": model.cloud.provider,
        "life": "alive",
        "status": {"current": "available", "since": model.since},
        "agent-version": AGENT_VERSION,
    }


@command
def switch(caller: Caller, name: str | None = None) -> str:
    current = caller.controller.models.get(caller.controller.current_model)
    if name is None:
        return f"{CONTROLLER}:{USER}/{current.name}\n" if current else f"{CONTROLLER}\n"
    if name.rstrip(":") != CONTROLLER:
        try:
            caller.controller.switch(caller.find_model(name))
        except JujuError:
            raise JujuError(f'"{name}" is not the name of a model or controller', "not found") from None
    return ""


@command
def model_config(
    _caller: Caller, model: Model, *settings: str, format_: str = "yaml", reset: tuple[str, ...] = ()
) -> str:
    names = [name for each in reset for name in split(each)]
    if len(settings) == 1 and "=" not in settings[0] and not names:
        if settings[0] not in model.config:
            raise JujuError(f'key "{settings[0]}" not found in {model.name!r} model', "not found")
        return f"{model.config[settings[0]]}\n"
    if settings or names:
        model.own_config |= {key: _parse_value(value) for key, value in parse_pairs(settings).items()}
        model.own_config = {name: value for name, value in model.own_config.items() if name not in names}
        return ""
    return dump(
        {name: {"Value": value, "Source": model.config_source(name)} for name, value in model.config.items()}, format_
    )


@command
def model_constraints(_caller: Caller, model: Model, *, format_: str = "constraints") -> str:
    if format_ == "constraints":
        return f"{format_constraints(model.constraints)}\n"
    return dump(model.constraints, format_)


@command
def set_model_constraints(_caller: Caller, model: Model, *constraints: str) -> str:
    model.constraints = parse_constraints(constraints)
    return ""


@command
def debug_log(
    _caller: Caller,
    model: Model,
    *,
    level: str = "",
    limit: int = 0,
    no_tail: bool = False,
    replay: bool = False,
) -> str:
    lines = [line for line in model.log if level in line]
    return "".join(f"{line}\n" for line in lines[-limit:])
