"""The facades of the controller and of a model as a whole. Each method takes and returns what goes over the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from juju_simulator.api.session import Session, answer_each, facades, method, raise_error, untag
from juju_simulator.world.entities import JujuError
from juju_simulator.world.table import AGENT_VERSION, CLOUDS, USER

if TYPE_CHECKING:
    from juju_simulator.world.model import Model


@method("Admin")
async def login(session: Session, params: dict[str, Any]) -> dict[str, Any]:
    controller = session.controller
    if controller.refuse_logins or (params.get("auth-tag"), params.get("credentials")) != (
        f"user-{USER}",
        controller.password,
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
        "controller-tag": f"controller-{controller.uuid}",
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
    clouds = {
        f"cloud-{cloud.name}": {
            "type": cloud.provider,
            "auth-types": ["certificate"],
            "regions": [{"name": cloud.name}],
        }
        for cloud in CLOUDS.values()
    }
    return {"clouds": clouds}


@method("Controller")
async def controller_api_info_for_models(session: Session, params: dict[str, Any]) -> dict[str, Any]:
    info = {"addresses": [session.controller.address], "cacert": session.controller.ca_certificate}
    return {"results": [info for _ in params["entities"]]}


@method("Controller")
async def all_models(session: Session, _params: dict[str, Any]) -> dict[str, Any]:
    models = [
        {"model": {"name": model.name, "uuid": model.uuid, "type": model.cloud.model_type, "owner-tag": f"user-{USER}"}}
        for model in session.controller.models.values()
    ]
    return {"user-models": models}


def _model_info(session: Session, model: Model) -> dict[str, Any]:
    return {
        "name": model.name,
        "uuid": model.uuid,
        "type": model.cloud.model_type,
        "controller-uuid": session.controller.uuid,
        "is-controller": model.name == "controller",
        "provider-type": model.cloud.provider,
        "cloud-tag": f"cloud-{model.cloud.name}",
        "cloud-region": model.cloud.name,
        "owner-tag": f"user-{USER}",
        "life": "alive",
        "status": {"status": "available", "info": "", "since": None},
        "users": [],
        "machines": [],
        "agent-version": AGENT_VERSION,
    }


@method("ModelManager")
async def create_model(session: Session, params: dict[str, Any]) -> dict[str, Any]:
    cloud = untag(params.get("cloud-tag") or "")
    model = session.controller.add_model(params["name"], params.get("config") or {}, cloud)
    return _model_info(session, model)


@method("ModelManager")
async def destroy_models(session: Session, params: dict[str, Any]) -> dict[str, Any]:
    models = [session.controller.models.get(untag(each["model-tag"])) for each in params["models"]]
    for model in filter(None, models):
        await session.controller.remove_model(model)
    return await answer_each(models, lambda model: {} if model else raise_error("model not found", "not found"))


@method("ModelManager")
async def model_info(session: Session, params: dict[str, Any]) -> dict[str, Any]:
    def one(entity: dict[str, Any]) -> dict[str, Any]:
        model = session.controller.models.get(untag(entity["tag"]))
        return (
            {"result": _model_info(session, model)}
            if model
            else raise_error("permission denied", "unauthorized access")
        )

    return await answer_each(params["entities"], one)


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
    infos = [_model_info(session, model) for model in session.controller.models.values()]
    return {"results": [{"result": {name: info[name] for name in fields}} for info in infos]}


@method("ModelConfig")
async def model_get(session: Session, _params: dict[str, Any]) -> dict[str, Any]:
    model = session.its_model
    return {
        "config": {name: {"value": value, "source": model.config_source(name)} for name, value in model.config.items()}
    }


@method("ModelConfig")
async def model_set(session: Session, params: dict[str, Any]) -> dict[str, Any]:
    session.its_model.own_config |= params["config"]
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
    identity = str(next(session.controller.watcher_ids))
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


def _describe(status: dict[str, Any]) -> dict[str, Any]:
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
            "agent-status": _describe(unit["agent-status"]),
            "workload-status": _describe(unit["workload-status"]),
            "workload-version": "",
            "machine": unit["machine-id"],
            "public-address": unit["public-address"],
            "address": unit["private-address"] if model.is_caas else "",
            "provider-id": unit["provider-id"],
            "leader": name == model.units(unit["application"])[0],
            "charm": "",
        }

    applications = {
        name: {
            "charm": application["charm-url"],
            "base": model.charm_of(name).base,
            "exposed": application["exposed"],
            "life": "",
            "status": _describe(application["status"]),
            "units": {unit: unit_status(unit) for unit in model.units(name)},
            "workload-version": "",
        }
        for name, application in model.entities("application").items()
    }
    machines = {
        name: {
            "id": name,
            "agent-status": _describe(machine["agent-status"]),
            "instance-status": _describe(machine["instance-status"]),
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
    about = {
        "cloud-tag": f"cloud-{model.cloud.name}",
        "name": model.name,
        "type": model.cloud.model_type,
        "version": AGENT_VERSION,
    }
    return {"model": about, "applications": applications, "machines": machines, "relations": relations}
