"""The facade that tells the status of a model. Its method takes and returns what goes over the wire."""

from __future__ import annotations

from typing import Any

from juju_simulator._api import Session, method
from juju_simulator._table import AGENT_VERSION


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
