"""The facades of what is in a model. Each method takes and returns what goes over the wire."""

from __future__ import annotations

from itertools import count
from typing import Any

import yaml

from juju_simulator.api.session import Session, answer_each, method, untag
from juju_simulator.world.entities import JujuError
from juju_simulator.world.relations import relate
from juju_simulator.world.tasks import run_action


@method("Resources")
async def add_pending_resources(session: Session, params: dict[str, Any]) -> dict[str, Any]:
    model = session.its_model
    return {"pending-ids": [str(model.next_number("resource")) for _ in params["resources"]]}


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
        model.deploy(
            name,
            model.charms[application["charm-url"]],
            config,
            units,
            constraints=application.get("constraints"),
            resources={
                key: model.uploaded_resources[each] for key, each in (application.get("resources") or {}).items()
            },
            placement=[each["directive"] for each in application.get("placement") or []],
        )
        return {}

    return await answer_each(params["applications"], one)


@method("Application")
async def get(session: Session, params: dict[str, Any]) -> dict[str, Any]:
    model, name = session.its_model, params["application"]
    application, charm = model.get("application", name), model.charm_of(name)
    trust = {"value": application["config"].get("trust", False), "type": "bool"}
    return {
        "application": name,
        "charm": charm.metadata["name"],
        "config": model.settings(name),
        "application-config": {"trust": trust},
        "constraints": application["constraints"],
        "base": charm.base,
        "channel": "",
    }


@method("Application")
async def set_configs(session: Session, params: dict[str, Any]) -> dict[str, Any]:
    def one(change: dict[str, Any]) -> dict[str, Any]:
        text = (yaml.safe_load(change.get("config-yaml") or "") or {}).get(change["application"]) or {}
        session.its_model.configure(change["application"], text | (change.get("config") or {}))
        return {}

    return await answer_each(params["args"], one)


@method("Application")
async def add_units(session: Session, params: dict[str, Any]) -> dict[str, Any]:
    return {"units": session.its_model.add_units(params["application"], params["num-units"])}


@method("Application")
async def destroy_unit(session: Session, params: dict[str, Any]) -> dict[str, Any]:
    def one(unit: dict[str, Any]) -> dict[str, Any]:
        session.its_model.remove_unit(untag(unit["unit-tag"]))
        return {"info": {}}

    return await answer_each(params["units"], one)


@method("Application")
async def destroy_application(session: Session, params: dict[str, Any]) -> dict[str, Any]:
    def one(application: dict[str, Any]) -> dict[str, Any]:
        name, force = untag(application["application-tag"]), bool(application.get("force"))
        session.controller.remove_application(session.its_model, name, force=force)
        return {"info": {}}

    return await answer_each(params["applications"], one)


@method("Application")
async def scale_applications(session: Session, params: dict[str, Any]) -> dict[str, Any]:
    def one(change: dict[str, Any]) -> dict[str, Any]:
        model, name = session.its_model, untag(change["application-tag"])
        scale = change["scale"] if change.get("scale") is not None else len(model.units(name)) + change["scale-change"]
        model.scale(name, scale)
        return {"info": {"num-units": scale}}

    return await answer_each(params["applications"], one)


@method("Application")
async def add_relation(session: Session, params: dict[str, Any]) -> dict[str, Any]:
    endpoints = relate(session.its_model, *params["endpoints"])
    return {"endpoints": {endpoint["application-name"]: endpoint["relation"] for endpoint in endpoints}}


@method("Action")
async def enqueue_operation(session: Session, params: dict[str, Any]) -> dict[str, Any]:
    def one(action: dict[str, Any]) -> dict[str, Any]:
        unit = untag(action["receiver"])
        added = run_action(session.its_model, unit, action["name"], action.get("parameters") or {})
        return {
            "action": {**action, "tag": f"action-{added['id']}"},
            "status": "pending",
            "enqueued": added["enqueued"],
        }

    results = (await answer_each(params["actions"], one))["results"]
    # libjuju reads an action's error where its tag is.
    for result in results:
        if "error" in result:
            raise JujuError(result["error"]["message"], result["error"]["code"])
    return {"operation": f"operation-{next(session.controller.watcher_ids)}", "actions": results}


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

    return await answer_each(params["entities"], one)


@method("MachineManager")
async def destroy_machine_with_params(session: Session, params: dict[str, Any]) -> dict[str, Any]:
    def one(tag: str) -> dict[str, Any]:
        session.its_model.get("machine", untag(tag))
        session.its_model.remove("machine", untag(tag))
        return {"info": {}}

    return await answer_each(params["machine-tags"], one)


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
