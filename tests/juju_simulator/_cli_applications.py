"""The commands for applications, their units and their relations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from juju_simulator._cli import Caller, command, dump, parse_pairs, split
from juju_simulator._cli_offers import consume_model
from juju_simulator._errors import JujuError
from juju_simulator._relations import relate, relations_of, unrelate
from juju_simulator._relations import remove_application as remove_with_offers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from juju_simulator._model import Model


@command
def config(
    _caller: Caller,
    model: Model,
    application: str,
    *settings: str,
    format_: str = "yaml",
    reset: tuple[str, ...] = (),
) -> str:
    names = [name for each in reset for name in split(each)]
    known = model.settings(application)
    if len(settings) == 1 and "=" not in settings[0] and not names:
        if settings[0] not in known:
            raise JujuError(f'key "{settings[0]}" not found in "{application}" application config or charm settings')
        return f"{known[settings[0]].get('value', '')}\n"
    if settings or names:
        model.configure(application, parse_pairs(settings), names)
        return ""
    values = model.get("application", application)["config"]
    trust = {
        "default": False,
        "description": "Does this application have access to trusted credentials",
        "source": "user" if "trust" in values else "default",
        "type": "bool",
        "value": values.get("trust", False),
    }
    about = {
        "application": application,
        "application-config": {"trust": trust},
        "charm": model.charm_of(application).name,
        "settings": known,
    }
    return dump(about, format_)


@command
def trust(_caller: Caller, model: Model, application: str, *, remove: bool = False, scope: str = "") -> str:
    if model.is_caas and not remove and scope != "cluster":
        raise JujuError(
            "'juju trust' currently grants full access to the cluster itself.\n"
            "Set the scope to 'cluster' using '--scope=cluster' to confirm this choice."
        )
    model.configure(application, {"trust": not remove})
    return ""


@command
def add_unit(_caller: Caller, model: Model, application: str, *, num_units: int = 1, to: str = "") -> str:
    if model.is_caas and to:
        raise JujuError("k8s models only support --num-units")
    if num_units < 1:
        raise JujuError("--num-units must be a positive integer")
    model.add_units(application, num_units, split(to))
    return ""


@command
def remove_unit(
    _caller: Caller,
    model: Model,
    *names: str,
    destroy_storage: bool = False,
    force: bool = False,
    no_prompt: bool = False,
    num_units: int = 0,
) -> str:
    if not model.is_caas:
        if num_units:
            raise JujuError("--num-units for non k8s models not valid")
        _check_all(model, "unit", names)
        for name in names:
            model.remove_unit(name)
        return ""
    if any("/" in name for name in names):
        raise JujuError(
            "k8s models do not support removing named units.\nInstead specify an application with --num-units."
        )
    if len(names) != 1:
        raise JujuError("only single application supported" if names else "no application specified")
    if num_units <= 0:
        raise JujuError("specify the number of units (> 0) to remove using --num-units")
    model.get("application", names[0])
    model.scale(names[0], len(model.units(names[0])) - num_units)
    return ""


def _check_all(model: Model, kind: str, names: Iterable[str]) -> None:
    if not names:
        raise JujuError(f"no {kind}s specified")
    for name in names:
        model.get(kind, name)


@command
def scale_application(_caller: Caller, model: Model, application: str, scale: str) -> str:
    if not scale.isdecimal():
        raise JujuError(f'invalid scale "{scale}"')
    model.scale(application, int(scale))
    return f"{application} scaled to {scale} units\n"


@command
def remove_application(
    caller: Caller,
    model: Model,
    *names: str,
    destroy_storage: bool = False,
    force: bool = False,
    no_prompt: bool = False,
) -> str:
    _check_all(model, "application", names)
    for name in names:
        remove_with_offers(caller.simulator, model, name, force=force)
    return ""


@command
def integrate(caller: Caller, model: Model, first: str, second: str, *, via: str = "") -> str:
    relate(model, *(consume_model(caller, model, spec) for spec in (first, second)))
    return ""


@command
def remove_relation(_caller: Caller, model: Model, first: str, second: str, *, force: bool = False) -> str:
    unrelate(model, first, second)
    return ""


@command
def show_unit(_caller: Caller, model: Model, name: str, *, format_: str = "yaml") -> str:
    unit = model.get("unit", name)
    application = unit["application"]
    where = {"address": unit["private-address"], "provider-id": unit["provider-id"]}
    about = {
        "workload-version": "",
        **(where if model.is_caas else {"machine": unit["machine-id"], "public-address": unit["public-address"]}),
        "opened-ports": [],
        "charm": unit["charm-url"],
        "leader": name == model.units(application)[0],
        "life": unit["life"],
        "relation-info": [
            {
                "relation-id": relation["id"],
                "endpoint": own["relation"]["name"],
                "related-endpoint": other["relation"]["name"],
                "application-data": {},
                "cross-model": other["application-name"] in model.entities("remoteApplication"),
                "local-unit": _describe_databag(unit),
                "related-units": {
                    each: _describe_databag(model.get("unit", each)) for each in model.units(other["application-name"])
                },
            }
            for relation, own, other in relations_of(model, application)
        ],
    }
    return dump({name: about}, format_)


def _describe_databag(unit: dict[str, Any]) -> dict[str, Any]:
    address = unit["private-address"]
    names = ("egress-subnets", "ingress-address", "private-address")
    data = {name: f"{address}/32" if name == "egress-subnets" else address for name in names}
    return {"in-scope": True, "data": data if address else {}}
