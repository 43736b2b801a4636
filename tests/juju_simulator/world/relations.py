"""Relations between applications, and offers of them to other models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from juju_simulator.world.entities import JujuError, status

if TYPE_CHECKING:
    from collections.abc import Iterable

    from juju_simulator.world.model import Model


@dataclass
class Offer:
    """Endpoints of a model's application that others can consume, by a URL such as admin/testing.database."""

    name: str
    url: str
    model: Model
    application: str
    endpoints: list[str]

    def described_endpoints(self) -> dict[str, dict[str, str]]:
        """Return its endpoints by name, with their roles and interfaces."""
        known = self.model.charm_of(self.application).endpoints()
        return {name: known[name] for name in self.endpoints}

    def relations(self, models: Iterable[Model]) -> list[tuple[Model, dict[str, Any]]]:
        """Return the relations to it, each with the model that it is in."""
        return [
            (model, relation)
            for model in models
            for name, remote in model.entities("remoteApplication").items()
            if remote["offer-url"] == self.url
            for relation, _, _ in relations_of(model, name)
        ]


def consume(model: Model, offer: Offer, alias: str) -> None:
    """Add an offered application to another model.

    Raises:
        JujuError: The model has an application of this name.
    """
    if alias in {*model.entities("application"), *model.entities("remoteApplication")}:
        raise JujuError(f'saas application "{alias}" already exists', "already exists")
    model.set(
        "remoteApplication",
        alias,
        name=alias,
        status=status("active"),
        endpoints=[*offer.described_endpoints().values()],
        **{"application-url": f"simulator:{offer.url}", "offer-url": offer.url},
    )


def relate(model: Model, first: str, second: str) -> list[dict[str, Any]]:
    """Relate two endpoints, each APPLICATION or APPLICATION:ENDPOINT, and return them.

    Raises:
        JujuError: There is no such endpoint, none or several fit, or they are related.
    """
    pairs = [
        (one, other)
        for one in _endpoints(model, first)
        for other in _endpoints(model, second)
        if one["relation"]["interface"] == other["relation"]["interface"]
        and {one["relation"]["role"], other["relation"]["role"]} == {"provider", "requirer"}
    ]
    if not pairs:
        raise JujuError("no relations found", "not found")
    if len(pairs) > 1:
        raise JujuError(f'ambiguous relation: "{first} {second}" could refer to several')
    endpoints = sorted(pairs[0], key=lambda endpoint: str(endpoint["relation"]["role"]), reverse=True)
    key = " ".join(f"{endpoint['application-name']}:{endpoint['relation']['name']}" for endpoint in endpoints)
    if key in {relation["key"] for relation in model.entities("relation").values()}:
        raise JujuError(f'cannot add relation "{key}": relation already exists', "already exists")
    number = model.next_number("relation")
    model.set("relation", str(number), id=number, key=key, endpoints=endpoints)
    _run_hooks(model, endpoints, "changed")
    return endpoints


def unrelate(model: Model, first: str, second: str) -> None:
    """Remove a relation between two endpoints, each APPLICATION or APPLICATION:ENDPOINT.

    Raises:
        JujuError: There is no such endpoint or relation.
    """
    ends = [{_name(endpoint) for endpoint in _endpoints(model, spec)} for spec in (first, second)]
    for key, relation in model.entities("relation").items():
        one, other = (_name(endpoint) for endpoint in relation["endpoints"])
        if (one in ends[0] and other in ends[1]) or (one in ends[1] and other in ends[0]):
            model.remove("relation", key)
            _run_hooks(model, relation["endpoints"], "broken")
            return
    raise JujuError(f'relation "{first} {second}" not found', "not found")


def relations_of(model: Model, application: str) -> list[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]]:
    """Return the relations of an application, each with its own endpoint and the other one."""
    return [
        (relation, own, other)
        for relation in model.entities("relation").values()
        for own, other in (relation["endpoints"], relation["endpoints"][::-1])
        if own["application-name"] == application
    ]


def _name(endpoint: dict[str, Any]) -> str:
    return f"{endpoint['application-name']}:{endpoint['relation']['name']}"


def _run_hooks(model: Model, endpoints: list[dict[str, Any]], event: str) -> None:
    for endpoint in endpoints:
        model.run_hooks(endpoint["application-name"], f"{endpoint['relation']['name']}-relation-{event}")


def _endpoints(model: Model, spec: str) -> list[dict[str, Any]]:
    application, _, name = spec.partition(":")
    if application in (remote := model.entities("remoteApplication")):
        endpoints = {endpoint["name"]: endpoint for endpoint in remote[application]["endpoints"]}
    else:
        endpoints = model.charm_of(application).endpoints()
    if name and name not in endpoints:
        raise JujuError(f'application "{application}" has no "{name}" relation', "not found")
    return [
        {"application-name": application, "relation": {**endpoint, "optional": False, "limit": 0, "scope": "global"}}
        for endpoint in ([endpoints[name]] if name else endpoints.values())
    ]
