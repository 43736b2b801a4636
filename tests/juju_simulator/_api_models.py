"""The facades of the controller and of a model as a whole. Each method takes and returns what goes over the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from juju_simulator._api import Session, answer_each, facades, method, raise_error, untag
from juju_simulator._errors import JujuError
from juju_simulator._table import AGENT_VERSION, CLOUDS, USER

if TYPE_CHECKING:
    from juju_simulator._model import Model


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
    info = {"addresses": [session.simulator.address], "cacert": session.simulator.ca_certificate}
    return {"results": [info for _ in params["entities"]]}


@method("Controller")
async def all_models(session: Session, _params: dict[str, Any]) -> dict[str, Any]:
    models = [
        {"model": {"name": model.name, "uuid": model.uuid, "type": model.cloud.model_type, "owner-tag": f"user-{USER}"}}
        for model in session.simulator.models.values()
    ]
    return {"user-models": models}


def _model_info(session: Session, model: Model) -> dict[str, Any]:
    return {
        "name": model.name,
        "uuid": model.uuid,
        "type": model.cloud.model_type,
        "controller-uuid": session.simulator.uuid,
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
    model = session.simulator.add_model(params["name"], params.get("config") or {}, cloud)
    return _model_info(session, model)


@method("ModelManager")
async def destroy_models(session: Session, params: dict[str, Any]) -> dict[str, Any]:
    models = [session.simulator.models.get(untag(each["model-tag"])) for each in params["models"]]
    for model in filter(None, models):
        await session.simulator.remove_model(model)
    return await answer_each(models, lambda model: {} if model else raise_error("model not found", "not found"))


@method("ModelManager")
async def model_info(session: Session, params: dict[str, Any]) -> dict[str, Any]:
    def one(entity: dict[str, Any]) -> dict[str, Any]:
        model = session.simulator.models.get(untag(entity["tag"]))
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
    infos = [_model_info(session, model) for model in session.simulator.models.values()]
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
