"""A model: its configuration and its applications."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Any

from juju_simulator._charm import read_charm
from juju_simulator._entities import now, status
from juju_simulator._errors import JujuError
from juju_simulator._units import Units

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from juju_simulator._charm import Charm
    from juju_simulator._table import Cloud, Table

DEFAULTS: dict[str, Any] = {"default-series": "", "update-status-hook-interval": "5m"}


class Model(Units):
    """A model.

    Args:
        name: Its name.
        config: Its configuration, without the defaults.
        table: What can't be known without running a charm.
        cloud: Where it is.
    """

    def __init__(self, name: str, config: dict[str, Any], table: Table, cloud: Cloud) -> None:
        super().__init__(table, cloud)
        self.name = name
        self.since = now()
        self.own_config = config
        self.uploaded_resources: dict[str, str] = {}

    @property
    def config(self) -> dict[str, Any]:
        """The configuration with the defaults."""
        return {**DEFAULTS, "type": self.cloud.provider, "name": self.name, "uuid": self.uuid, **self.own_config}

    def config_source(self, name: str) -> str:
        """Return where a value of the configuration comes from."""
        return "model" if name in self.own_config else "default"

    def add_charm(self, content: bytes, base: str = "") -> Charm:
        """Add a packed charm, and return it; raises what `read_charm` does."""
        charm = read_charm(content, lambda name: self.next_number(f"charm {name}"), base)
        self.charms[charm.url] = charm
        return charm

    def deploy(
        self,
        application: str,
        charm: Charm,
        config: Mapping[str, Any],
        units: int,
        *,
        constraints: Mapping[str, Any] | None = None,
        resources: Mapping[str, str] | None = None,
        placement: Sequence[str] = (),
    ) -> None:
        """Add an application, and its units.

        Raises:
            JujuError: There is one of this name, the name is invalid, the charm is subordinate or has no such option,
                or there is no such machine.
        """
        if not re.fullmatch("[a-z][a-z0-9]*(-[a-z0-9]*[a-z][a-z0-9]*)*", application):
            raise JujuError(f'invalid application name "{application}"')
        if charm.metadata.get("subordinate"):
            raise JujuError(f'simulator: no subordinate charms such as "{charm.name}"')
        if application in {*self.entities("application"), *self.entities("remoteApplication")}:
            raise JujuError(f'application "{application}" already exists', "already exists")
        values = charm.parse_config(config)
        self.check_placement(placement)
        cluster = {"provider-id": str(uuid.uuid4()), "address": f"10.152.183.{self.next_number('service') + 2}"}
        self.set(
            "application",
            application,
            name=application,
            config=values,
            constraints=dict(constraints or {}),
            resources=dict(resources or {}),
            exposed=False,
            status=status("waiting", "installing agent" if self.is_caas else "waiting for machine"),
            subordinate=False,
            **{"charm-url": charm.url, "min-units": 0, "owner-tag": "", "workload-version": ""},
            **(cluster if self.is_caas else {}),
        )
        self.write_log(f"application {application} deployed from {charm.url}")
        self.add_units(application, units, placement)

    def settings(self, application: str) -> dict[str, dict[str, Any]]:
        """Return the options of an application, with their values and where these come from."""
        values = self.get("application", application)["config"]
        return {
            option: {
                **({"value": value} if (value := values.get(option, about.get("default"))) is not None else {}),
                **({"default": about["default"]} if "default" in about else {}),
                "description": about.get("description", ""),
                "source": "user" if option in values else "default" if "default" in about else "unset",
                "type": about["type"],
            }
            for option, about in self.charm_of(application).options.items()
        }

    def configure(self, application: str, config: Mapping[str, Any], reset: Iterable[str] = ()) -> None:
        """Set options of an application, and set others back to their defaults.

        Raises:
            JujuError: The charm has no such option, or it has another type.
        """
        charm = self.charm_of(application)
        charm.parse_config(dict.fromkeys((name for name in reset if name not in charm.options), "true"))
        values = {**self.get("application", application)["config"], **charm.parse_config(config)}
        self.set("application", application, config={name: values[name] for name in values if name not in reset})
        self.run_hooks(application, "config-changed")

    def refresh(self, application: str, charm: Charm, resources: Mapping[str, str]) -> None:
        """Replace the charm of an application.

        Raises:
            JujuError: It is another charm.
        """
        old = self.charm_of(application)
        if charm.name != old.name:
            raise JujuError(f'cannot upgrade "{old.name}" to "{charm.name}"')
        known = self.get("application", application)
        config = {name: value for name, value in known["config"].items() if name in {*charm.options, "trust"}}
        changes = {"charm-url": charm.url, "config": config, "resources": {**known["resources"], **resources}}
        self.set("application", application, **changes)
        for unit in self.units(application):
            self.set("unit", unit, **{"charm-url": charm.url})
        self.write_log(f"application {application} refreshed from {old.url} to {charm.url}")
        self.run_hooks(application, "upgrade-charm")

    def scale(self, application: str, scale: int) -> None:
        """Set the number of an application's units, on Kubernetes.

        Raises:
            JujuError: There is no such application, the model has machines, or the number is negative.
        """
        if not self.is_caas:
            raise JujuError("scaling applications on a non-container model not supported", "not supported")
        if scale < 0:
            raise JujuError("scale must be a positive integer")
        units = self.units(application)
        self.add_units(application, scale - len(units))
        for unit in units[scale:][::-1]:
            self.remove_unit(unit)

    def remove_application(self, application: str) -> None:
        """Remove an application, its units and its relations."""
        self.get("application", application)
        for unit in self.units(application):
            self.remove_unit(unit)
        for key, relation in self.entities("relation").items():
            if application in {endpoint["application-name"] for endpoint in relation["endpoints"]}:
                self.remove("relation", key)
        self.remove("application", application)
