"""Juju's API as python-libjuju calls it: the methods of facades, by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from juju.client import client as juju_client
from juju.client import facade_versions

from juju_simulator.world.entities import JujuError

if TYPE_CHECKING:
    from juju_simulator.world.controller import Controller
    from juju_simulator.world.model import Model

Method = Callable[["Session", dict[str, Any]], Coroutine[Any, Any, dict[str, Any]]]
METHODS: dict[tuple[str, str], Method] = {}


@dataclass
class Session:
    """One connection of a client: to a model, or only to the controller if the UUID is empty.

    For each of its watchers, there is the version of the model that it has been told of.
    """

    controller: Controller
    model_uuid: str
    watchers: dict[str, int]

    @property
    def its_model(self) -> Model:
        """The model that it is connected to; raises JujuError if there is none."""
        if self.model_uuid not in self.controller.models:
            raise JujuError(f'unknown model: "{self.model_uuid}"', "model not found")
        return self.controller.models[self.model_uuid]


def method(facade: str) -> Callable[[Method], Method]:
    """Register a function as the method of a facade, under its name in CamelCase."""

    def register(function: Method) -> Method:
        name = "".join(word.title() for word in function.__name__.split("_")).replace("Api", "API")
        METHODS[facade, name] = function
        return function

    return register


def facades() -> list[dict[str, Any]]:
    """Return the facades in the versions that libjuju knows."""
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
    """Check a response against libjuju's own schema, so that a difference doesn't pass as an empty field."""
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


async def answer_each(items: list[Any], function: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
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


def raise_error(message: str, code: str) -> dict[str, Any]:
    """Raise a JujuError, in an expression."""
    raise JujuError(message, code)
