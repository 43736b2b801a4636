"""The entities of a model in versions, and what happens to them over time."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import datetime, timezone
from itertools import count
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine


class JujuError(Exception):
    """An error that Juju answers with, and the code by which clients know it."""

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


def now() -> str:
    """Return the time as Juju writes it."""
    return datetime.now(timezone.utc).isoformat().replace("+00:00", "Z")


def status(current: str, message: str = "") -> dict[str, Any]:
    """Return a status as it is in what a watcher reports."""
    return {"current": current, "message": message, "since": now(), "version": "", "data": {}}


class Entities:
    """What there is in a model, by kind and name. A change makes a new version of an entity, which watchers get."""

    def __init__(self, uuid: str) -> None:
        self.uuid = uuid
        self._entities: dict[tuple[str, str], tuple[int, dict[str, Any] | None]] = {}
        self._removed: dict[tuple[str, str], dict[str, Any]] = {}
        self._version = 0
        self._changed = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()
        self._numbers: dict[str, count[int]] = {}

    def entities(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return all entities of a kind, by name or id."""
        return {key: data for (each, key), (_, data) in self._entities.items() if each == kind and data is not None}

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
        """Wait for a change since a version, and return the new version and deltas."""
        await self.wait_until(lambda: self._version > version)
        newer = sorted((item for item in self._entities.items() if item[1][0] > version), key=lambda item: item[1][0])
        deltas = [
            [kind, "change", data] if data is not None else [kind, "remove", self._removed[kind, key]]
            for (kind, key), (_, data) in newer
        ]
        return self._version, deltas

    async def wait_until(self, is_true: Callable[[], bool]) -> None:
        """Wait until something is true after a change."""
        async with self._changed:
            await self._changed.wait_for(is_true)

    def next_number(self, sequence: str) -> int:
        """Return the next number of a sequence, such as the numbers of an application's units."""
        return next(self._numbers.setdefault(sequence, count()))

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
