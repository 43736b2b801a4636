"""A model: its configuration, its applications, and their units on the way to active."""

from __future__ import annotations

import asyncio
import re
import uuid
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from juju_simulator.world.charm import read_charm
from juju_simulator.world.constraints import format_constraints
from juju_simulator.world.entities import Entities, JujuError, now, status
from juju_simulator.world.secrets import Secret

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from juju_simulator.world.charm import Charm
    from juju_simulator.world.table import Cloud, Table

DEFAULTS: dict[str, Any] = {"default-series": "", "update-status-hook-interval": "5m"}


class Model(Entities):
    """A model on a cloud. Its `config` comes without the defaults."""

    def __init__(self, name: str, config: dict[str, Any], table: Table, cloud: Cloud) -> None:
        super().__init__(str(uuid.uuid4()))
        self.name = name
        self.since = now()
        self.own_config = config
        self.uploaded_resources: dict[str, str] = {}
        self.table = table
        self.cloud = cloud
        self.constraints: dict[str, Any] = {}
        self.charms: dict[str, Charm] = {}
        self.log: list[str] = []
        self.secrets: dict[str, Secret] = {}
        self._workloads: dict[str, tuple[str, str]] = {}
        # A unit runs its hooks one after the other, and the first ones when it is up.
        self._hooks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

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

    @property
    def is_caas(self) -> bool:
        """Whether it is on Kubernetes, without machines."""
        return self.cloud.model_type == "caas"

    def charm_of(self, application: str) -> Charm:
        """Return the charm of an application; raises what `get` does."""
        return self.charms[self.get("application", application)["charm-url"]]

    def add_units(self, application: str, count: int, placement: Sequence[str] = ()) -> list[str]:
        """Add units, and return their names. The first ones are placed on machines; the others get new machines.

        Raises:
            JujuError: There is no such application or machine.
        """
        self.get("application", application)
        self.check_placement(placement)
        return [self._add_unit(application, machine) for machine in [*placement, *[""] * count][:count]]

    def check_placement(self, placement: Iterable[str]) -> None:
        """Check that units can be placed.

        Raises:
            JujuError: There is no such machine.
        """
        for machine in placement:
            if not machine.isdecimal():
                raise JujuError(f'simulator: no placement "{machine}", only the number of a machine')
            self.get("machine", machine)

    def _add_unit(self, application: str, machine: str) -> str:
        constraints = self.constraints | self.get("application", application)["constraints"]
        if self.is_caas:
            # A StatefulSet counts from 0, and removes the last one first.
            number = next(each for each in range(1000) if f"{application}/{each}" not in self.units(application))
            address = f"10.1.0.{self.next_number('pod') + 2}"
        else:
            number = self.next_number(f"unit {application}")
            machine = machine or self._add_machine(self.charm_of(application).base, constraints)
            address = self.address(machine)
        name = f"{application}/{number}"
        self.set(
            "unit",
            name,
            name=name,
            application=application,
            principal="",
            subordinate=False,
            ports=[],
            **{
                "charm-url": self.get("application", application)["charm-url"],
                "machine-id": machine,
                "public-address": "",
                "private-address": "",
                "port-ranges": [],
                "provider-id": f"{application}-{number}" if self.is_caas else "",
                "agent-status": status("allocating"),
                "workload-status": status("waiting", "installing agent" if self.is_caas else "waiting for machine"),
            },
        )
        self.start(self._bring_up(name, machine, address))
        return name

    def _add_machine(self, base: dict[str, str], constraints: dict[str, Any]) -> str:
        machine = str(self.next_number("machine"))
        self.set(
            "machine",
            machine,
            id=machine,
            base=base,
            addresses=[],
            jobs=["JobHostUnits"],
            constraints=format_constraints(constraints),
            arch=constraints.get("arch", "amd64"),
            **{
                "agent-status": status("pending"),
                "instance-status": status("allocating"),
                "instance-id": f"juju-{self.uuid[-6:]}-{machine}",
            },
        )
        return machine

    @staticmethod
    def address(machine: str) -> str:
        """Return the address of a machine."""
        return f"10.0.0.{int(machine) + 2}"

    def units(self, application: str) -> list[str]:
        """Return the names of an application's units; the first one is the leader."""
        return [name for name, unit in self.entities("unit").items() if unit["application"] == application]

    async def _bring_up(self, unit: str, machine: str, address: str) -> None:
        async with self._hooks[unit]:
            await asyncio.sleep(self.table.seconds)
            if machine in self.entities("machine"):
                self.set(
                    "machine", machine, **{"agent-status": status("started"), "instance-status": status("running")}
                )
            if unit not in self.entities("unit"):
                return
            self.set("unit", unit, **{"public-address": "" if self.is_caas else address, "private-address": address})
            self._set_unit(unit, "executing", "maintenance", "installing charm software")
            await asyncio.sleep(self.table.seconds)
            await self._run_hook(unit, "start")

    def run_hooks(self, application: str, hook: str) -> None:
        """Let all units of an application run a hook."""
        for unit in self.units(application):
            self.start(self._wait_for_hook(unit, hook))

    async def _wait_for_hook(self, unit: str, hook: str) -> None:
        async with self._hooks[unit]:
            if unit in self.entities("unit"):
                await self._run_hook(unit, hook)

    async def _run_hook(self, unit: str, hook: str) -> None:
        self.write_log(f"unit-{unit.replace('/', '-')}: running {hook} hook")
        self._set_unit(unit, "executing", "maintenance", f"running {hook} hook")
        await asyncio.sleep(self.table.seconds / 2)
        self.settle(unit, hook)

    def answers(self, unit: str) -> dict[str, dict[str, Any]]:
        """Return what the table says of the charm of a unit; raises what `get` does."""
        return self.table.actions.get(self.charm_of(self.get("unit", unit)["application"]).name, {})

    def settle(self, unit: str, event: str) -> None:
        """Let a unit be idle after a hook or an action, in which its charm did what the table says."""
        if unit not in self.entities("unit"):
            return
        done = self.answers(unit).get(f"on {event}", {})
        workload = self._workloads.get(unit, ("active", ""))
        if "status" in done and workload[0] != "error":
            workload = self._workloads[unit] = (done["status"], done.get("message", ""))
        if "log" in done:
            self.write_log(f"unit-{unit.replace('/', '-')}: {done['log']}")
        owner = self.get("unit", unit)["application"]
        labels = {secret.label for secret in self.secrets.values() if secret.owner == owner}
        if "secret" in done and done["secret"] not in labels:
            secret = Secret(label=done["secret"], owner=owner)
            secret.add_revision({"value": secret.key})
            self.secrets[secret.key] = secret
        self._set_unit(unit, "idle", *workload)

    def _set_unit(self, unit: str, agent: str, workload: str, message: str) -> None:
        if unit not in self.entities("unit"):
            return
        workload_status = status(workload, message)
        application = self.set("unit", unit, **{"agent-status": status(agent), "workload-status": workload_status})[
            "application"
        ]
        # As Juju does if the charm sets none: the worst of its units.
        order = ("error", "blocked", "maintenance", "waiting", "active")
        units = [self.get("unit", name)["workload-status"] for name in self.units(application)]
        self.set("application", application, status=min(units, key=lambda each: order.index(each["current"])))

    def fail_unit(self, unit: str, message: str) -> None:
        """Let a unit run into an error, now and in each later hook."""
        self._workloads[unit] = ("error", message)
        self.write_log(f"unit-{unit.replace('/', '-')}: {message}", "ERROR")
        self._set_unit(unit, "idle", "error", message)

    def remove_unit(self, unit: str) -> None:
        """Remove a unit, and its machine soon after if no other unit is on it."""
        machine = self.get("unit", unit)["machine-id"]
        self.remove("unit", unit)
        self._workloads.pop(unit, None)
        self._hooks.pop(unit, None)
        self.start(self._take_down(machine))

    async def _take_down(self, machine: str) -> None:
        await asyncio.sleep(self.table.seconds)
        used = {unit["machine-id"] for unit in self.entities("unit").values()}
        if machine in self.entities("machine") and machine not in used:
            self.remove("machine", machine)

    def write_log(self, line: str, level: str = "INFO") -> None:
        """Add a line to the model's log."""
        self.log.append(f"{now()} {level} {line}")
