"""What a controller knows: models, and in them applications, units, machines, relations and actions."""

from __future__ import annotations

import asyncio
import uuid
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timezone
from itertools import count
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

AGENT_VERSION = "3.6.12"


class JujuError(Exception):
    """An error that Juju answers with.

    Args:
        message: What it says.
        code: Its code, as clients know it.
    """

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


@dataclass
class Table:
    """What can't be known without running a charm.

    Attributes:
        seconds: How long each step of a unit takes on its way to active.
        actions: For each charm and each of its actions, the results; {"fail": MESSAGE} for one that fails.
    """

    seconds: float = 0.5
    actions: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)


@dataclass
class Charm:
    """An uploaded charm: what its files say."""

    url: str
    metadata: dict[str, Any]
    config: dict[str, Any]
    actions: dict[str, Any]
    base: dict[str, str]

    def endpoints(self) -> dict[str, dict[str, str]]:
        """Return the charm's endpoints by name, with their roles and interfaces."""
        roles = {"provides": "provider", "requires": "requirer", "peers": "peer"}
        return {
            name: {"name": name, "role": role, "interface": endpoint["interface"]}
            for section, role in roles.items()
            for name, endpoint in (self.metadata.get(section) or {}).items()
        }


def now() -> str:
    """Return the time as Juju writes it."""
    return datetime.now(timezone.utc).isoformat().replace("+00:00", "Z")


def status(current: str, message: str = "") -> dict[str, Any]:
    """Return a status as it is in what a watcher reports."""
    return {"current": current, "message": message, "since": now(), "version": "", "data": {}}


class Model:
    """A model. What changes in it is a new version of an entity, which watchers are told of.

    Args:
        name: Its name.
        config: What it was made with.
        table: What can't be known without running a charm.
    """

    def __init__(self, name: str, config: dict[str, Any], table: Table) -> None:
        self.name = name
        self.uuid = str(uuid.uuid4())
        self.table = table
        known = {"default-series": "", "type": "lxd", "update-status-hook-interval": "5m"}
        self.config = {**known, "name": name, "uuid": self.uuid, **config}
        self.constraints: dict[str, Any] = {}
        self.charms: dict[str, Charm] = {}
        self.log: list[str] = []
        self.failures: dict[str, str] = {}
        self._entities: dict[tuple[str, str], tuple[int, dict[str, Any] | None]] = {}
        self._removed: dict[tuple[str, str], dict[str, Any]] = {}
        self._version = 0
        self._changed = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()
        self._numbers: dict[str, count[int]] = {}

    def entities(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return what there is of a kind, by name or id."""
        return {key: data for (of, key), (_, data) in self._entities.items() if of == kind and data is not None}

    def get(self, kind: str, key: str) -> dict[str, Any]:
        """Return one entity.

        Raises:
            JujuError: There is none.
        """
        try:
            return self.entities(kind)[key]
        except KeyError:
            raise JujuError(f'{kind} "{key}" not found', "not found") from None

    def set(self, kind: str, key: str, /, **changes: Any) -> dict[str, Any]:
        """Add or change an entity, and return it."""
        self._version += 1
        data = {
            **(self._entities.get((kind, key), (0, None))[1] or {"model-uuid": self.uuid, "life": "alive"}),
            **changes,
        }
        self._entities[kind, key] = (self._version, data)
        self._notify()
        return data

    def remove(self, kind: str, key: str) -> None:
        """Remove an entity."""
        self._version += 1
        self._removed[kind, key] = self.get(kind, key)
        self._entities[kind, key] = (self._version, None)
        self._notify()

    async def changes(self, version: int) -> tuple[int, list[list[Any]]]:
        """Return what has changed since a version, when something has: the new version, and deltas."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._version > version)
        newer = sorted((item for item in self._entities.items() if item[1][0] > version), key=lambda item: item[1][0])
        deltas = [
            [kind, "change", data] if data is not None else [kind, "remove", self._removed[kind, key]]
            for (kind, key), (_, data) in newer
        ]
        return self._version, deltas

    def next_number(self, of: str) -> int:
        """Return the next number of a sequence, such as that of an application's units."""
        return next(self._numbers.setdefault(of, count()))

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Let something happen over time."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """End all that happens over time."""
        for task in (tasks := [*self._tasks]):
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task

    def _notify(self) -> None:
        async def notify() -> None:
            async with self._changed:
                self._changed.notify_all()

        self.start(notify())

    def deploy(self, application: str, charm: Charm, config: dict[str, Any], units: int) -> None:
        """Add an application, and its units.

        Raises:
            JujuError: There is one of this name, or the charm has no such option.
        """
        if application in self.entities("application"):
            raise JujuError(f'application "{application}" already exists', "already exists")
        self.set(
            "application",
            application,
            name=application,
            **{
                "charm-url": charm.url,
                "constraints": {},
                "config": {},
                "exposed": False,
                "min-units": 0,
                "owner-tag": "",
                "status": status("waiting", "waiting for machine"),
                "subordinate": False,
                "workload-version": "",
            },
        )
        self.configure(application, config)
        self.write_log(f"application {application} deployed from {charm.url}")
        for _ in range(units):
            self.add_unit(application)

    def charm_of(self, application: str) -> Charm:
        """Return the charm of an application; raises what `get` does."""
        return self.charms[self.get("application", application)["charm-url"]]

    def configure(self, application: str, config: dict[str, Any]) -> None:
        """Set options of an application.

        Raises:
            JujuError: The charm has no such option, or it has another type.
        """
        options = self.charm_of(application).config.get("options") or {}
        parse: dict[str, Callable[[str], Any]] = {
            "string": str,
            "int": int,
            "float": float,
            "boolean": lambda text: {"true": True, "false": False}[text.lower()],
        }
        values = dict(self.get("application", application)["config"])
        for name, value in config.items():
            if name not in {*options, "trust"}:
                raise JujuError(f'unknown option "{name}"')
            kind = options[name]["type"] if name in options else "boolean"
            try:
                values[name] = parse[kind](str(value))
            except (KeyError, ValueError):
                raise JujuError(f'option "{name}" expected {kind}, got "{value}"') from None
        self.set("application", application, config=values)
        for unit in self.units(application):
            self.start(self._run_hook(unit, "config-changed"))

    def add_unit(self, application: str) -> str:
        """Add a unit on a machine of its own, and return its name."""
        name = f"{application}/{self.next_number(f'unit {application}')}"
        machine = str(self.next_number("machine"))
        address = f"10.0.0.{int(machine) + 2}"
        self.set(
            "machine",
            machine,
            id=machine,
            **{
                "agent-status": status("pending"),
                "instance-status": status("allocating"),
                "instance-id": f"juju-{machine}",
                "addresses": [],
                "jobs": ["JobHostUnits"],
            },
        )
        self.set(
            "unit",
            name,
            name=name,
            application=application,
            **{
                "charm-url": self.get("application", application)["charm-url"],
                "machine-id": machine,
                "principal": "",
                "public-address": "",
                "private-address": "",
                "subordinate": False,
                "ports": [],
                "port-ranges": [],
                "agent-status": status("allocating"),
                "workload-status": status("waiting", "waiting for machine"),
            },
        )
        self.start(self._bring_up(name, machine, address))
        return name

    def units(self, application: str) -> list[str]:
        """Return the names of an application's units."""
        return [name for name, unit in self.entities("unit").items() if unit["application"] == application]

    async def _bring_up(self, unit: str, machine: str, address: str) -> None:
        await asyncio.sleep(self.table.seconds)
        self.set("machine", machine, **{"agent-status": status("started"), "instance-status": status("running")})
        self.set("unit", unit, **{"public-address": address, "private-address": address})
        self._set_unit(unit, "executing", "maintenance", "installing charm software")
        await asyncio.sleep(self.table.seconds)
        await self._run_hook(unit, "start")

    async def _run_hook(self, unit: str, hook: str) -> None:
        self.write_log(f"unit-{unit.replace('/', '-')}: running {hook} hook")
        self._set_unit(unit, "executing", "maintenance", f"running {hook} hook")
        await asyncio.sleep(self.table.seconds / 2)
        if unit not in self.entities("unit"):
            return
        if message := self.failures.get(unit):
            self._set_unit(unit, "idle", "error", message)
        else:
            self._set_unit(unit, "idle", "active", "")

    def _set_unit(self, unit: str, agent: str, workload: str, message: str) -> None:
        if unit not in self.entities("unit"):
            return
        workload_status = status(workload, message)
        application = self.set("unit", unit, **{"agent-status": status(agent), "workload-status": workload_status})[
            "application"
        ]
        # As Juju does where the charm sets none: the worst of its units.
        order = ("error", "blocked", "maintenance", "waiting", "active")
        units = [self.get("unit", name)["workload-status"] for name in self.units(application)]
        self.set("application", application, status=min(units, key=lambda each: order.index(each["current"])))

    def fail_unit(self, unit: str, message: str) -> None:
        """Let a unit run into an error, now and in each hook to come."""
        self.failures[unit] = message
        self.write_log(f"unit-{unit.replace('/', '-')}: {message}", "ERROR")
        self._set_unit(unit, "idle", "error", message)

    def remove_unit(self, unit: str) -> None:
        """Remove a unit, and its machine soon after."""
        machine = self.get("unit", unit)["machine-id"]
        self.remove("unit", unit)
        self.start(self._take_down(machine))

    async def _take_down(self, machine: str) -> None:
        await asyncio.sleep(self.table.seconds)
        if machine in self.entities("machine"):
            self.remove("machine", machine)

    def remove_application(self, application: str) -> None:
        """Remove an application, its units and its relations."""
        self.get("application", application)
        for unit in self.units(application):
            self.remove_unit(unit)
        for key, relation in self.entities("relation").items():
            if application in {endpoint["application-name"] for endpoint in relation["endpoints"]}:
                self.remove("relation", key)
        self.remove("application", application)

    def relate(self, first: str, second: str) -> list[dict[str, Any]]:
        """Relate two endpoints, each APPLICATION or APPLICATION:ENDPOINT, and return them.

        Raises:
            JujuError: There is no such endpoint, none or several fit, or they are related.
        """
        pairs = [
            (one, other)
            for one in self._endpoints(first)
            for other in self._endpoints(second)
            if one["relation"]["interface"] == other["relation"]["interface"]
            and {one["relation"]["role"], other["relation"]["role"]} == {"provider", "requirer"}
        ]
        if not pairs:
            raise JujuError("no relations found", "not found")
        if len(pairs) > 1:
            raise JujuError(f'ambiguous relation: "{first} {second}" could refer to several')
        endpoints = sorted(pairs[0], key=lambda endpoint: str(endpoint["relation"]["role"]), reverse=True)
        key = " ".join(f"{endpoint['application-name']}:{endpoint['relation']['name']}" for endpoint in endpoints)
        if key in {relation["key"] for relation in self.entities("relation").values()}:
            raise JujuError(f'cannot add relation "{key}": relation already exists', "already exists")
        number = self.next_number("relation")
        self.set("relation", str(number), id=number, key=key, endpoints=endpoints)
        for endpoint in endpoints:
            for unit in self.units(endpoint["application-name"]):
                self.start(self._run_hook(unit, f"{endpoint['relation']['name']}-relation-changed"))
        return endpoints

    def _endpoints(self, spec: str) -> list[dict[str, Any]]:
        application, _, name = spec.partition(":")
        endpoints = self.charm_of(application).endpoints()
        if name and name not in endpoints:
            raise JujuError(f'application "{application}" has no "{name}" relation', "not found")
        return [
            {
                "application-name": application,
                "relation": {**endpoint, "optional": False, "limit": 0, "scope": "global"},
            }
            for endpoint in ([endpoints[name]] if name else endpoints.values())
        ]

    def run_action(self, unit: str, name: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """Enqueue an action, and return it.

        Raises:
            JujuError: The charm has no such action, or the table no answer.
        """
        charm = self.charm_of(self.get("unit", unit)["application"])
        if name not in charm.actions:
            raise JujuError(f'action "{name}" not defined on unit "{unit}"', "not found")
        answers = self.table.actions.get(charm.metadata["name"], {})
        if name not in answers:
            raise JujuError(f"simulator: the table has no answer of {charm.metadata['name']} to the action {name}")
        key = str(self.next_number("action") + 1)
        action = self.set(
            "action", key, id=key, name=name, receiver=unit, parameters=parameters, status="pending", enqueued=now()
        )
        self.start(self._answer(key, answers[name]))
        return action

    async def _answer(self, key: str, answer: dict[str, Any]) -> None:
        await asyncio.sleep(self.table.seconds / 2)
        parameters = self.get("action", key)["parameters"]
        # A value of the table may name a parameter: "{name}".
        results = {name: str(value).format(**parameters) for name, value in answer.items() if name != "fail"}
        self.set(
            "action",
            key,
            status="failed" if "fail" in answer else "completed",
            message=answer.get("fail", ""),
            results={**results, "return-code": 0},
            completed=now(),
        )

    def write_log(self, line: str, level: str = "INFO") -> None:
        """Add a line to the model's log."""
        self.log.append(f"{now()} {level} {line}")
