"""The command `juju status`: what it shows of a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from juju_simulator.cli.command import Caller, command, dump
from juju_simulator.world.entities import now
from juju_simulator.world.relations import relations_of
from juju_simulator.world.table import AGENT_VERSION, CONTROLLER

if TYPE_CHECKING:
    from juju_simulator.world.controller import Controller
    from juju_simulator.world.model import Model
    from juju_simulator.world.relations import Offer


@command
def status(caller: Caller, model: Model, *, format_: str = "tabular", relations: bool = False) -> str:
    if format_ == "tabular":
        return _format_status(model)
    return dump(_describe(model, caller.controller), format_)


def _describe(model: Model, controller: Controller) -> dict[str, Any]:
    """Return the status as `--format json` has it; fields without a value are left out, as Juju does."""
    return _without_empty(
        {
            "model": {
                "name": model.name,
                "type": model.cloud.model_type,
                "controller": CONTROLLER,
                "cloud": model.cloud.name,
                "region": model.cloud.name,
                "version": AGENT_VERSION,
                "model-status": {"current": "available", "since": model.since},
            },
            "application-endpoints": {
                name: _describe_remote(model, name, remote)
                for name, remote in model.entities("remoteApplication").items()
            },
            "offers": {
                offer.name: _describe_offer(offer, controller)
                for offer in controller.offers.values()
                if offer.model is model
            },
        }
    ) | {
        "machines": {key: _describe_machine(model, machine) for key, machine in model.entities("machine").items()},
        "applications": {name: _describe_application(model, name) for name in model.entities("application")},
        "storage": {},
        "controller": {"timestamp": now()[11:19] + "Z"},
    }


def _without_empty(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value not in ("", {}, [])}


def _status(status: dict[str, Any], version: str = "") -> dict[str, Any]:
    return _without_empty(
        {"current": status["current"], "message": status["message"], "since": status["since"], "version": version}
    )


def _describe_machine(model: Model, machine: dict[str, Any]) -> dict[str, Any]:
    address = model.address(machine["id"])
    is_up = machine["agent-status"]["current"] == "started"
    interface = {"ip-addresses": [address], "mac-address": "00:16:3e:00:00:01", "gateway": "10.0.0.1", "is-up": True}
    return _without_empty(
        {
            "juju-status": _status(machine["agent-status"], AGENT_VERSION if is_up else ""),
            "hostname": machine["instance-id"],
            "dns-name": address if is_up else "",
            "ip-addresses": [address] if is_up else [],
            "instance-id": machine["instance-id"],
            "machine-status": _status(machine["instance-status"]),
            "modification-status": {"current": "applied", "since": machine["instance-status"]["since"]},
            "base": machine["base"],
            "network-interfaces": {"eth0": {**interface, "space": "alpha"}} if is_up else {},
            "constraints": machine["constraints"],
            "hardware": f"arch={machine['arch']}",
        }
    )


def _describe_application(model: Model, name: str) -> dict[str, Any]:
    application, charm = model.get("application", name), model.charm_of(name)
    relations: dict[str, list[dict[str, str]]] = {}
    for _, own, other in relations_of(model, name):
        related = {
            "related-application": other["application-name"],
            "interface": own["relation"]["interface"],
            "scope": own["relation"]["scope"],
        }
        relations.setdefault(own["relation"]["name"], []).append(related)
    return {
        "charm": charm.url,
        "charm-origin": "local",
        "charm-name": charm.name,
        "charm-rev": int(charm.url.rpartition("-")[2]),
        "exposed": application["exposed"],
    } | _without_empty(
        {
            "base": charm.base,
            "scale": len(model.units(name)) if model.is_caas else "",
            "provider-id": application.get("provider-id", ""),
            "address": application.get("address", ""),
            "application-status": _status(application["status"]),
            "relations": relations,
            "units": {unit: _describe_unit(model, unit) for unit in model.units(name)},
            "endpoint-bindings": dict.fromkeys(["", *charm.endpoints()], "alpha") if not model.is_caas else {},
        }
    )


def _describe_unit(model: Model, name: str) -> dict[str, Any]:
    unit = model.get("unit", name)
    is_up = unit["agent-status"]["current"] != "allocating"
    return _without_empty(
        {
            "workload-status": _status(unit["workload-status"]),
            "juju-status": _status(unit["agent-status"], AGENT_VERSION if is_up else ""),
            "machine": unit["machine-id"],
            "public-address": unit["public-address"],
            "address": unit["private-address"] if model.is_caas else "",
            "provider-id": unit["provider-id"],
        }
    ) | ({"leader": True} if name == model.units(unit["application"])[0] else {})


def _describe_offer(offer: Offer, controller: Controller) -> dict[str, Any]:
    connected = offer.relations(controller.models.values())
    return {
        "application": offer.application,
        "charm": offer.model.charm_of(offer.application).url,
        "total-connected-count": len(connected),
        "active-connected-count": len(connected),
        "endpoints": _describe_endpoints([*offer.described_endpoints().values()]),
    }


def _describe_remote(model: Model, name: str, remote: dict[str, Any]) -> dict[str, Any]:
    relations: dict[str, list[str]] = {}
    for _, own, other in relations_of(model, name):
        relations.setdefault(own["relation"]["name"], []).append(other["application-name"])
    return {
        "url": remote["application-url"],
        "endpoints": _describe_endpoints(remote["endpoints"]),
        "application-status": _status(remote["status"]),
        **_without_empty({"relations": relations}),
    }


def _describe_endpoints(endpoints: list[dict[str, str]]) -> dict[str, dict[str, str]]:
    return {each["name"]: {"interface": each["interface"], "role": each["role"]} for each in endpoints}


def _format_status(model: Model) -> str:
    """Return the status as text."""
    lines = [
        "Model  Controller  Cloud/Region  Version",
        f"{model.name}  {CONTROLLER}  {model.cloud.name}  {AGENT_VERSION}",
        "",
    ]
    rows: dict[str, list[tuple[str, ...]]] = {
        "App": [
            (name, app["status"]["current"], app["charm-url"]) for name, app in model.entities("application").items()
        ],
        "Unit": [
            (
                name,
                unit["workload-status"]["current"],
                unit["agent-status"]["current"],
                unit["workload-status"]["message"],
            )
            for name, unit in model.entities("unit").items()
        ],
        "Relation": [(relation["key"],) for relation in model.entities("relation").values()],
    }
    for title, cells in rows.items():
        lines += [title, *("  ".join(row) for row in cells), ""]
    return "\n".join(lines)
