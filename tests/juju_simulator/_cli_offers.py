"""The commands for relations between models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from juju_simulator._cli import Caller, command, split
from juju_simulator._errors import JujuError
from juju_simulator._relations import Offer
from juju_simulator._relations import consume as consume_offer
from juju_simulator._table import USER

if TYPE_CHECKING:
    from juju_simulator._model import Model


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
    caller.simulator.offers[url] = Offer(name or application, url, model, application, split(names))
    return f'Application "{application}" endpoints [{", ".join(split(names))}] available at "{url}"\n'


@command
def consume(caller: Caller, model: Model, path: str, alias: str | None = None) -> str:
    found = _find_offer(caller, path)
    consume_offer(model, found, alias or found.name)
    return f"Added {found.url} as {alias or found.name}\n"


def _find_offer(caller: Caller, path: str) -> Offer:
    controller, _, url = path.rpartition(":")
    caller.check_controller(controller)
    url = url if "/" in url else f"{USER}/{url}"
    if url not in caller.simulator.offers:
        raise JujuError(f'application offer "{url}" not found', "not found")
    return caller.simulator.offers[url]


def consume_model(caller: Caller, model: Model, spec: str) -> str:
    """Return what to integrate with; MODEL.OFFER[:ENDPOINT] is consumed first."""
    path, colon, endpoint = spec.partition(":")
    if "." not in path:
        return spec
    found = _find_offer(caller, path)
    if found.name not in model.entities("remoteApplication"):
        consume_offer(model, found, found.name)
    return f"{found.name}{colon}{endpoint}"
