"""The facades of Juju's API that python-libjuju calls: each method takes and returns what is on the wire."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

import yaml
from juju.client import client as juju_client
from juju.client import facade_versions

from juju_simulator._model import AGENT_VERSION, JujuError, Model

if TYPE_CHECKING:
    from juju_simulator._server import Simulator

CLOUD = "localhost"
USER = "admin"
Method = Callable[["Session", dict[str, Any]], Coroutine[Any, Any, dict[str, Any]]]
METHODS: dict[tuple[str, str], Method] = {}


@dataclass
class Session:
    """One connection of a client.

    Attributes:
        simulator: What it is connected to.
        model_uuid: The UUID of the model that it is connected to; empty for the controller alone.
        watchers: For each of its watchers, what it has been told of.
    """

    simulator: Simulator
    model_uuid: str
    watchers: dict[str, int]

    @property
    def its_model(self) -> Model:
        """The model that it is connected to; raises JujuError if there is none."""
        if self.model_uuid not in self.simulator.models:
            raise JujuError(f'unknown model: "{self.model_uuid}"', "model not found")
        return self.simulator.models[self.model_uuid]


def method(facade: str) -> Callable[[Method], Method]:
    """Register a function as the method of a facade, under its name in CamelCase."""

    def register(function: Method) -> Method:
        name = "".join(word.title() for word in function.__name__.split("_")).replace("Api", "API")
        METHODS[facade, name] = function
        return function

    return register


def facades() -> list[dict[str, Any]]:
    """Return the facades that there are, in the versions that libjuju knows."""
    # libjuju asks for the last two before it deploys a bundle, and calls neither for local charms.
    names = sorted({facade for facade, _ in METHODS} - {"Admin"} | {"Annotations", "Charms"})
    return [{"name": name, "versions": list(facade_versions.client_facade_versions[name])} for name in names]


async def call(session: Session, request: dict[str, Any]) -> dict[str, Any]:
    """Return the response to a request.

    Raises:
        JujuError: Juju would answer with an error, or the simulator can't answer.
    """
    facade, name, version = request["type"], request["request"], request.get("version", 0)
    if (facade, name) not in METHODS:
        raise JujuError(f"simulator: no method {facade}.{name}", "not implemented")
    # Go takes a name in any case (https://pkg.go.dev/encoding/json#Unmarshal), and libjuju writes some in another.
    params = {key.lower(): value for key, value in (request.get("params") or {}).items()}
    response = await METHODS[facade, name](session, {**params, "id": request.get("Id")})
    _check(facade, name, version, response)
    return response


def _check(facade: str, name: str, version: int, response: dict[str, Any]) -> None:
    """Hold a response to libjuju's own schema of it, so that a difference doesn't pass as an empty field."""
    if facade == "Admin":
        return
    function = getattr(juju_client.lookup_facade(f"{facade}Facade", version), name)
    schema = inspect.getclosurevars(function).nonlocals.get("cls")
    if schema is None or not hasattr(schema, "from_json"):
        return
    for path, unknown in _unknown_fields(schema.from_json(response), name):
        raise JujuError(f"simulator: {facade}.{name} has no field {unknown!r} in {path}")


def _unknown_fields(value: Any, path: str) -> list[tuple[str, str]]:
    if isinstance(value, dict):
        return [found for key, item in value.items() for found in _unknown_fields(item, f"{path}.{key}")]
    if isinstance(value, (list, tuple)):
        return [found for item in value for found in _unknown_fields(item, path)]
    if not hasattr(value, "_toSchema"):
        return []
    own = [(path, name) for name in getattr(value, "unknown_fields", {})]
    names = value._toSchema  # noqa: SLF001, libjuju has no other way to ask
    return own + [found for name in names for found in _unknown_fields(getattr(value, name), f"{path}.{name}")]


async def _each(items: list[Any], function: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
    """Return the results of a method that takes several things, each with a result or an error."""

    def result(item: Any) -> dict[str, Any]:
        try:
            return function(item)
        except JujuError as error:
            return {"error": {"message": str(error), "code": error.code}}

    return {"results": [result(item) for item in items]}


def untag(tag: str) -> str:
    """Return the name in a tag, such as a/0 in unit-a-0."""
    kind, _, name = tag.partition("-")
    return "/".join(name.rsplit("-", 1)) if kind == "unit" else name


@method("Admin")
async def login(session: Session, params: dict[str, Any]) -> dict[str, Any]:
    simulator = session.simulator
    if simulator.refuse_logins or (params.get("auth-tag"), params.get("credentials")) != (
        f"user-{USER}",
        simulator.password,
    ):
        raise JujuError("invalid entity name or password", "unauthorized access")
    identity = {
        "display-name": USER,
        "identity": f"user-{USER}",
        "controller-access": "superuser",
        "model-access": "admin",
    }
    model = {"model-tag": f"model-{session.its_model.uuid}"} if session.model_uuid else {}
    return {
        "controller-tag": f"controller-{simulator.uuid}",
        "server-version": AGENT_VERSION,
        "user-info": identity,
        "facades": facades(),
        "servers": [],
        **model,
    }


@method("Pinger")
async def ping(_session: Session, _params: dict[str, Any]) -> dict[str, Any]:
    return {}


@method("Cloud")
async def clouds(_session: Session, _params: dict[str, Any]) -> dict[str, Any]:
    return {"clouds": {f"cloud-{CLOUD}": {"type": "lxd", "auth-types": ["certificate"], "regions": [{"name": CLOUD}]}}}


@method("Controller")
async def controller_api_info_for_models(session: Session, params: dict[str, Any]) -> dict[str, Any]:
    info = {"addresses": [session.simulator.address], "cacert": session.simulator.ca_certificate}
    return {"results": [info for _ in params["entities"]]}


@method("Controller")
async def all_models(session: Session, _params: dict[str, Any]) -> dict[str, Any]:
    models = [
        {"model": {"name": model.name, "uuid": model.uuid, "type": "iaas", "owner-tag": f"user-{USER}"}}
        for model in session.simulator.models.values()
    ]
    return {"user-models": models}


def _model_info(session: Session, model: Model) -> dict[str, Any]:
    return {
        "name": model.name,
        "uuid": model.uuid,
        "type": "iaas",
        "controller-uuid": session.simulator.uuid,
        "is-controller": model.name == "controller",
        "provider-type": "lxd",
        "cloud-tag": f"cloud-{CLOUD}",
        "cloud-region": CLOUD,
        "owner-tag": f"user-{USER}",
        "life": "alive",
        "status": {"status": "available", "info": "", "since": None},
        "users": [],
        "machines": [],
        "agent-version": AGENT_VERSION,
    }


@method("ModelManager")
async def create_model(session: Session, params: dict[str, Any]) -> dict[str, Any]:
    return _model_info(session, session.simulator.add_model(params["name"], params.get("config") or {}))


@method("ModelManager")
async def destroy_models(session: Session, params: dict[str, Any]) -> dict[str, Any]:
    models = [session.simulator.models.get(untag(each["model-tag"])) for each in params["models"]]
    for model in filter(None, models):
        await session.simulator.remove_model(model)
    return await _each(models, lambda model: {} if model else _raise("model not found", "not found"))


def _raise(message: str, code: str) -> dict[str, Any]:
    raise JujuError(message, code)


@method("ModelManager")
async def model_info(session: Session, params: dict[str, Any]) -> dict[str, Any]:
    def of(entity: dict[str, Any]) -> dict[str, Any]:
        model = session.simulator.models.get(untag(entity["tag"]))
        return {"result": _model_info(session, model)} if model else _raise("permission denied", "unauthorized access")

    return await _each(params["entities"], of)


@method("ModelManager")
async def list_model_summaries(session: Session, _params: dict[str, Any]) -> dict[str, Any]:
    fields = (
        "name",
        "uuid",
        "type",
        "controller-uuid",
        "is-controller",
        "owner-tag",
        "life",
        "status",
        "agent-version",
    )
    infos = [_model_info(session, model) for model in session.simulator.models.values()]
    return {"results": [{"result": {name: info[name] for name in fields}} for info in infos]}


@method("ModelConfig")
async def model_get(session: Session, _params: dict[str, Any]) -> dict[str, Any]:
    return {"config": {name: {"value": value, "source": "model"} for name, value in session.its_model.config.items()}}


@method("ModelConfig")
async def model_set(session: Session, params: dict[str, Any]) -> dict[str, Any]:
    session.its_model.config |= params["config"]
    return {}


@method("ModelConfig")
async def get_model_constraints(session: Session, _params: dict[str, Any]) -> dict[str, Any]:
    return {"constraints": session.its_model.constraints}


@method("ModelConfig")
async def set_model_constraints(session: Session, params: dict[str, Any]) -> dict[str, Any]:
    session.its_model.constraints = {name: value for name, value in params["constraints"].items() if value is not None}
    return {}


@method("Client")
async def watch_all(session: Session, _params: dict[str, Any]) -> dict[str, Any]:
    identity = str(next(session.simulator.watcher_ids))
    session.watchers[identity] = 0
    return {"watcher-id": identity}


@method("AllWatcher")
async def next_(session: Session, params: dict[str, Any]) -> dict[str, Any]:
    identity = str(params["id"])
    if identity not in session.watchers:
        raise JujuError("watcher was stopped", "stopped")
    session.watchers[identity], deltas = await session.its_model.changes(session.watchers[identity])
    return {"deltas": deltas}


@method("AllWatcher")
async def stop(session: Session, params: dict[str, Any]) -> dict[str, Any]:
    session.watchers.pop(str(params["id"]), None)
    return {}


def _detailed(status: dict[str, Any]) -> dict[str, Any]:
    return {
        "status": status["current"],
        "info": status["message"],
        "since": status["since"],
        "data": {},
        "kind": "",
        "life": "",
        "version": "",
    }


@method("Client")
async def full_status(session: Session, _params: dict[str, Any]) -> dict[str, Any]:
    model = session.its_model

    def unit_status(name: str) -> dict[str, Any]:
        unit = model.get("unit", name)
        return {
            "agent-status": _detailed(unit["agent-status"]),
            "workload-status": _detailed(unit["workload-status"]),
            "workload-version": "",
            "machine": unit["machine-id"],
            "public-address": unit["public-address"],
            "leader": name == model.units(unit["application"])[0],
            "charm": "",
        }

    applications = {
        name: {
            "charm": application["charm-url"],
            "base": model.charms[application["charm-url"]].base,
            "exposed": application["exposed"],
            "life": "",
            "status": _detailed(application["status"]),
            "units": {unit: unit_status(unit) for unit in model.units(name)},
            "workload-version": "",
        }
        for name, application in model.entities("application").items()
    }
    machines = {
        name: {
            "id": name,
            "agent-status": _detailed(machine["agent-status"]),
            "instance-status": _detailed(machine["instance-status"]),
            "instance-id": machine["instance-id"],
        }
        for name, machine in model.entities("machine").items()
    }
    relations = [
        {
            "id": relation["id"],
            "key": relation["key"],
            "interface": relation["endpoints"][0]["relation"]["interface"],
            "scope": "global",
            "endpoints": [
                {
                    "application": endpoint["application-name"],
                    "name": endpoint["relation"]["name"],
                    "role": endpoint["relation"]["role"],
                    "subordinate": False,
                }
                for endpoint in relation["endpoints"]
            ],
        }
        for relation in model.entities("relation").values()
    ]
    about = {"name": model.name, "type": "iaas", "cloud-tag": f"cloud-{CLOUD}", "version": AGENT_VERSION}
    return {"model": about, "applications": applications, "machines": machines, "relations": relations}


@method("Application")
async def deploy(session: Session, params: dict[str, Any]) -> dict[str, Any]:
    def one(application: dict[str, Any]) -> dict[str, Any]:
        model = session.its_model
        if application["charm-url"] not in model.charms:
            raise JujuError(f'charm "{application["charm-url"]}" not found', "not found")
        name = application["application"]
        config = (yaml.safe_load(application.get("config-yaml") or "") or {}).get(name) or {}
        config |= application.get("config") or {}
        units = 1 if application.get("num-units") is None else application["num-units"]
        model.deploy(name, model.charms[application["charm-url"]], config, units)
        return {}

    return await _each(params["applications"], one)


@method("Application")
async def get(session: Session, params: dict[str, Any]) -> dict[str, Any]:
    model, name = session.its_model, params["application"]
    application, charm = model.get("application", name), model.charm_of(name)
    options = {
        option: {
            "value": application["config"].get(option, about.get("default")),
            "default": about.get("default"),
            "description": about.get("description", ""),
            "source": "user" if option in application["config"] else "default",
            "type": about["type"],
        }
        for option, about in (charm.config.get("options") or {}).items()
    }
    trust = {"value": application["config"].get("trust", False), "type": "bool"}
    return {
        "application": name,
        "charm": charm.metadata["name"],
        "config": options,
        "application-config": {"trust": trust},
        "constraints": {},
        "base": charm.base,
        "channel": "",
    }


@method("Application")
async def set_configs(session: Session, params: dict[str, Any]) -> dict[str, Any]:
    def one(change: dict[str, Any]) -> dict[str, Any]:
        text = (yaml.safe_load(change.get("config-yaml") or "") or {}).get(change["application"]) or {}
        session.its_model.configure(change["application"], text | (change.get("config") or {}))
        return {}

    return await _each(params["args"], one)


@method("Application")
async def add_units(session: Session, params: dict[str, Any]) -> dict[str, Any]:
    session.its_model.get("application", params["application"])
    return {"units": [session.its_model.add_unit(params["application"]) for _ in range(params["num-units"])]}


@method("Application")
async def destroy_unit(session: Session, params: dict[str, Any]) -> dict[str, Any]:
    def one(unit: dict[str, Any]) -> dict[str, Any]:
        session.its_model.remove_unit(untag(unit["unit-tag"]))
        return {"info": {}}

    return await _each(params["units"], one)


@method("Application")
async def destroy_application(session: Session, params: dict[str, Any]) -> dict[str, Any]:
    def one(application: dict[str, Any]) -> dict[str, Any]:
        session.its_model.remove_application(untag(application["application-tag"]))
        return {"info": {}}

    return await _each(params["applications"], one)


@method("Application")
async def add_relation(session: Session, params: dict[str, Any]) -> dict[str, Any]:
    endpoints = session.its_model.relate(*params["endpoints"])
    return {"endpoints": {endpoint["application-name"]: endpoint["relation"] for endpoint in endpoints}}


@method("Action")
async def enqueue_operation(session: Session, params: dict[str, Any]) -> dict[str, Any]:
    def one(action: dict[str, Any]) -> dict[str, Any]:
        unit = untag(action["receiver"])
        added = session.its_model.run_action(unit, action["name"], action.get("parameters") or {})
        return {
            "action": {**action, "tag": f"action-{added['id']}"},
            "status": "pending",
            "enqueued": added["enqueued"],
        }

    results = (await _each(params["actions"], one))["results"]
    # libjuju reads an action's error where its tag is.
    for result in results:
        if "error" in result:
            raise JujuError(result["error"]["message"], result["error"]["code"])
    return {"operation": f"operation-{next(session.simulator.watcher_ids)}", "actions": results}


@method("Action")
async def actions(session: Session, params: dict[str, Any]) -> dict[str, Any]:
    def one(entity: dict[str, Any]) -> dict[str, Any]:
        action = session.its_model.get("action", untag(entity["tag"]))
        about = {
            "tag": entity["tag"],
            "receiver": action["receiver"],
            "name": action["name"],
            "parameters": action["parameters"],
        }
        return {
            "action": about,
            "status": action["status"],
            "message": action.get("message", ""),
            "output": action.get("results"),
            "enqueued": action["enqueued"],
            "completed": action.get("completed"),
        }

    return await _each(params["entities"], one)


@method("MachineManager")
async def destroy_machine_with_params(session: Session, params: dict[str, Any]) -> dict[str, Any]:
    def one(tag: str) -> dict[str, Any]:
        session.its_model.get("machine", untag(tag))
        session.its_model.remove("machine", untag(tag))
        return {"info": {}}

    return await _each(params["machine-tags"], one)


@method("Bundle")
async def get_changes_map_args(session: Session, params: dict[str, Any]) -> dict[str, Any]:
    bundle = yaml.safe_load(params["yaml"])
    deployed = session.its_model.entities("application")
    numbers = count()
    added: dict[str, str] = {}
    changes = []
    for name, application in bundle.get("applications", {}).items():
        if name in deployed:
            continue
        added[name] = f"deploy-{next(numbers)}"
        changes.append(
            {
                "id": added[name],
                "method": "deploy",
                "requires": [],
                "args": {
                    "charm": application["charm"],
                    "application": name,
                    "options": application.get("options") or {},
                    "num-units": application.get("num_units", 1),
                    "series": application.get("series") or bundle.get("series") or "",
                },
            }
        )
    for first, second in bundle.get("relations", []):
        ends = [first, second]
        requires = [added[end.partition(":")[0]] for end in ends if end.partition(":")[0] in added]
        args = {f"endpoint{number}": end for number, end in enumerate(ends, start=1)}
        changes.append(
            {"id": f"addRelation-{next(numbers)}", "method": "addRelation", "requires": requires, "args": args}
        )
    return {"changes": changes, "errors": []}
