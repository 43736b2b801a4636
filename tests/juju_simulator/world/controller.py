"""The controller: its models, what they offer to each other, and the files by which clients find it."""

from __future__ import annotations

import json
import uuid
from itertools import count
from typing import TYPE_CHECKING, Any

from juju_simulator.world.entities import JujuError
from juju_simulator.world.model import Model
from juju_simulator.world.table import CLOUDS, CONTROLLER, USER, Table

if TYPE_CHECKING:
    from pathlib import Path

    from juju_simulator.world.relations import Offer


class Controller:
    """A controller, as its clients know it.

    Attributes:
        juju_data: What to set JUJU_DATA to.
        refuse_logins: Whether every password is wrong.
        models: The models, by UUID.
        offers: What models offer to others, by URL.
        current_model: The UUID of the model that `juju` uses without `--model`; empty if there is none.
    """

    def __init__(self, juju_data: Path, ca_certificate: str, table: Table, cloud: str) -> None:
        self.juju_data = juju_data
        self.ca_certificate = ca_certificate
        self.address = ""
        self.table = table
        self.cloud = cloud
        self.uuid = str(uuid.uuid4())
        self.password = uuid.uuid4().hex
        self.refuse_logins = False
        self.models: dict[str, Model] = {}
        self.offers: dict[str, Offer] = {}
        self.current_model = ""
        self.watcher_ids = count(1)

    def write_data(self) -> None:
        """Write what Juju's clients keep, and what libjuju reads and doesn't need here: cookies, and a key for ssh."""
        account = {"user": USER, "password": self.password, "last-known-access": "superuser"}
        self.juju_data.mkdir(mode=0o700)
        self._write_data("controllers", self.describe())
        self._write_data("accounts", {"controllers": {CONTROLLER: account}})
        self._write_data("models", {"controllers": {}})
        unused = {f"cookies/{CONTROLLER}.json": "[]", "ssh/juju_id_rsa.pub": "ssh-rsa simulator\n"}
        for file, text in unused.items():
            (self.juju_data / file).parent.mkdir()
            (self.juju_data / file).write_text(text)

    def _write_data(self, name: str, content: dict[str, Any]) -> None:
        # JSON is YAML, and the `juju` command reads it without importing yaml. Nobody may read half of a file.
        new = self.juju_data / f"{name}.new"
        new.write_text(json.dumps(content))
        new.replace(self.juju_data / f"{name}.yaml")

    def add_model(self, name: str, config: dict[str, Any], cloud: str = "") -> Model:
        """Add a model, and return it.

        Raises:
            JujuError: There is one of this name, or there is no such cloud.
        """
        if name in {model.name for model in self.models.values()}:
            raise JujuError(f'model "{name}" for {USER} already exists', "already exists")
        if (cloud := cloud or self.cloud) not in CLOUDS:
            raise JujuError(f'cloud "{cloud}" not found, the simulator has {" and ".join(CLOUDS)}', "not found")
        model = Model(name, config, self.table, CLOUDS[cloud])
        self.models[model.uuid] = model
        model.set("model", model.uuid, name=name, config=model.config, owner=USER)
        return model

    def model(self, name: str) -> Model:
        """Return the model of a name."""
        (model,) = (model for model in self.models.values() if model.name == name)
        return model

    def switch(self, model: Model | None) -> None:
        """Set the model that `juju`, and libjuju without a name, use."""
        self.current_model = model.uuid if model else ""
        known = {f"{USER}/{each.name}": {"uuid": each.uuid} for each in self.models.values()}
        current = {"current-model": f"{USER}/{model.name}"} if model else {}
        self._write_data("models", {"controllers": {CONTROLLER: {"models": known, **current}}})

    async def remove_model(self, model: Model) -> None:
        """Remove a model with all that is in it."""
        del self.models[model.uuid]
        self.offers = {url: offer for url, offer in self.offers.items() if offer.model is not model}
        if self.current_model == model.uuid:
            self.switch(None)
        await model.close()

    def remove_application(self, model: Model, application: str, *, force: bool) -> None:
        """Remove an application and its offers.

        Raises:
            JujuError: There is no such application, or other models are related to it and this isn't forced.
        """
        offers = [each for each in self.offers.values() if each.model is model and each.application == application]
        relations = [found for each in offers for found in each.relations(self.models.values())]
        if relations and not force:
            users = f"{len(relations)} consumer{'s' if len(relations) > 1 else ''}"
            raise JujuError(f'cannot destroy application "{application}": application is used by {users}')
        model.remove_application(application)
        for other, relation in relations:
            other.remove("relation", str(relation["id"]))
        for offer in offers:
            del self.offers[offer.url]

    def describe(self) -> dict[str, Any]:
        """Return what `juju controllers` does, which is in JUJU_DATA."""
        controller = {
            "uuid": self.uuid,
            "api-endpoints": [self.address],
            "ca-cert": self.ca_certificate,
            "cloud": self.cloud,
        }
        return {"controllers": {CONTROLLER: controller}, "current-controller": CONTROLLER}
