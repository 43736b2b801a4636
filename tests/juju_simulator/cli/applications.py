"""The commands for applications, their units and their relations, also to other models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from juju_simulator.cli.command import Caller, command, dump, parse_pairs, split
from juju_simulator.world import relations
from juju_simulator.world.constraints import parse_constraints
from juju_simulator.world.entities import JujuError
from juju_simulator.world.relations import Offer, relate, relations_of, unrelate
from juju_simulator.world.table import USER

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from juju_simulator.world.model import Model

_IN_BUNDLE = {"base", "channel", "charm", "constraints", "num_units", "options", "resources", "scale", "trust"}


@command
def deploy(
    caller: Caller,
    model: Model,
    charm: str,
    application: str | None = None,
    *,
    base: str = "",
    channel: str = "",
    config: tuple[str, ...] = (),
    constraints: tuple[str, ...] = (),
    force: bool = False,
    num_units: int = 1,
    resource: tuple[str, ...] = (),
    to: str = "",
    trust: bool = False,
) -> str:
    path = _find_file(caller, charm)
    if path.suffix in {".yaml", ".yml"}:
        if application or base or config or constraints or resource or to or num_units != 1:
            raise JujuError("flags for a charm provided, but not supported when deploying a bundle")
        _deploy_bundle(model, path, trust=trust)
        return ""
    if num_units < 1:
        raise JujuError("--num-units must be a positive integer")
    about = {
        "options": parse_pairs(config),
        "constraints": " ".join(constraints),
        "num_units": num_units,
        "resources": parse_pairs(resource),
        "to": split(to),
        "trust": trust,
        "base": base,
    }
    _deploy_charm(model, path, application, about, caller.folder)
    return ""


def _find_file(caller: Caller, name: str) -> Path:
    if not name.startswith((".", "/")):
        raise JujuError(f'simulator: no charm "{name}": without Charmhub, it deploys a file such as ./{name}.charm')
    path = caller.folder / name
    if not path.is_file():
        raise JujuError(f'no charm was found at "{name}"', "not found")
    return path


def _deploy_charm(model: Model, path: Path, application: str | None, about: dict[str, Any], folder: Path) -> None:
    """Deploy one charm. `about` is what a bundle says of an application, with paths of resources in the folder."""
    charm = model.add_charm(path.read_bytes(), about.get("base") or "")
    resources = about.get("resources") or {}
    charm.check_resources(resources, folder)
    model.deploy(
        application or charm.name,
        charm,
        {**(about.get("options") or {}), **({"trust": True} if about.get("trust") else {})},
        about["num_units"] if "num_units" in about else about.get("scale", 1),
        constraints=parse_constraints([about.get("constraints") or ""]),
        resources=resources,
        placement=about.get("to") or [],
    )


def _deploy_bundle(model: Model, path: Path, *, trust: bool) -> None:
    bundle = yaml.safe_load(path.read_text(encoding="utf-8"))
    for name, about in bundle["applications"].items():
        if unknown := about.keys() - _IN_BUNDLE:
            raise JujuError(f"simulator: bundle: application {name}: no {', '.join(sorted(unknown))}")
        if name not in model.entities("application"):
            charm = path.parent / about["charm"]
            if not charm.is_file():
                raise JujuError(f'no charm was found at "{charm}"', "not found")
            _deploy_charm(model, charm, name, {**about, "trust": trust or about.get("trust")}, path.parent)
    for first, second in bundle.get("relations") or []:
        relate(model, first, second)


@command
def refresh(
    caller: Caller,
    model: Model,
    application: str,
    *,
    base: str = "",
    channel: str = "",
    config: tuple[str, ...] = (),
    force: bool = False,
    force_base: bool = False,
    force_units: bool = False,
    path: str = "",
    resource: tuple[str, ...] = (),
    trust: bool = False,
) -> str:
    model.get("application", application)
    if not path:
        raise JujuError(f'simulator: no newer charm of "{application}": without Charmhub, it needs --path')
    charm = model.add_charm(_find_file(caller, path).read_bytes(), base)
    resources = parse_pairs(resource)
    charm.check_resources(resources, caller.folder, model.get("application", application)["resources"])
    values = charm.parse_config({**parse_pairs(config), **({"trust": True} if trust else {})})
    model.refresh(application, charm, resources)
    if values:
        model.configure(application, values)
    return ""


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
        caller.controller.remove_application(model, name, force=force)
    return ""


@command
def integrate(caller: Caller, model: Model, first: str, second: str, *, via: str = "") -> str:
    relate(model, *(_consume_model(caller, model, spec) for spec in (first, second)))
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


@command
def offer(caller: Caller, endpoints: str, name: str | None = None, *, controller: str = "") -> str:
    path, _, names = endpoints.partition(":")
    if not names:
        raise JujuError("endpoint names separated by a comma are needed, such as mysql:db")
    reference, _, application = path.rpartition(".")
    caller.check_controller(controller)
    model = caller.find_model(reference)
    known = model.charm_of(application).endpoints()
    for each in split(names):
        if each not in known:
            raise JujuError(f'application "{application}" has no "{each}" relation', "not found")
    url = f"{USER}/{model.name}.{name or application}"
    caller.controller.offers[url] = Offer(name or application, url, model, application, split(names))
    return f'Application "{application}" endpoints [{", ".join(split(names))}] available at "{url}"\n'


@command
def consume(caller: Caller, model: Model, path: str, alias: str | None = None) -> str:
    found = _find_offer(caller, path)
    relations.consume(model, found, alias or found.name)
    return f"Added {found.url} as {alias or found.name}\n"


def _find_offer(caller: Caller, path: str) -> Offer:
    controller, _, url = path.rpartition(":")
    caller.check_controller(controller)
    url = url if "/" in url else f"{USER}/{url}"
    if url not in caller.controller.offers:
        raise JujuError(f'application offer "{url}" not found', "not found")
    return caller.controller.offers[url]


def _consume_model(caller: Caller, model: Model, spec: str) -> str:
    """Return what to integrate with; MODEL.OFFER[:ENDPOINT] is consumed first."""
    path, colon, endpoint = spec.partition(":")
    if "." not in path:
        return spec
    found = _find_offer(caller, path)
    if found.name not in model.entities("remoteApplication"):
        relations.consume(model, found, found.name)
    return f"{found.name}{colon}{endpoint}"
