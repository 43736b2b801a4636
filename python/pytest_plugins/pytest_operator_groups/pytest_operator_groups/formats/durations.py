"""How long the groups took in their last runs: durations.json."""

from __future__ import annotations

import json
from statistics import median
from typing import TYPE_CHECKING, Any

from pytest_operator_groups.common.errors import GroupsError
from pytest_operator_groups.common.github import warn
from pytest_operator_groups.formats.files import replace
from pytest_operator_groups.formats.records import RESULTS, Key, read_seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from pytest_operator_groups.formats.records import Record

_RUNS = 5
# The keys of a run. The others of a record are only in the record.
_KEPT = ("started", "set_up", "seconds", "result", "attempt", "commit")


class Durations:
    """What is known of the last five runs of each group: the oldest first, as in durations.json."""

    def __init__(self, runs: dict[Key, list[dict[str, Any]]] | None = None) -> None:
        self.runs = runs or {}

    def seconds(self, path: str, group_id: str) -> float | None:
        """Return the median of the time that a group's pytest took, in seconds, or None if it isn't known."""
        return self._median(Key(path, group_id), "seconds")

    def set_up(self) -> float | None:
        """Return the median of the set-up of all groups, in seconds, or None if it isn't known."""
        known = [seconds for key in self.runs if (seconds := self._median(key, "set_up")) is not None]
        return median(known) if known else None

    def last_start(self, key: Key) -> float | None:
        """Return when a group started last, in seconds since 1970, or None if it isn't known."""
        return max((run["started"] for run in self.runs.get(key, []) if run["started"] is not None), default=None)

    def add(self, records: Iterable[Record], exists: Callable[[Key], bool]) -> None:
        """Add the runs of groups, and drop the groups that no longer exist. The groups of the records do.

        What was cancelled or didn't run is left out: it says nothing of the time.
        """
        ran = [record for record in records if record.result in {"passed", "failed"}]
        for record in ran:
            runs = self.runs.setdefault(record.key, [])
            # A job that is repeated finds the records of the groups that were not.
            if record.started is None or record.started not in [run["started"] for run in runs]:
                runs.append({key: value for key, value in record.as_json().items() if key in _KEPT})
                del runs[:-_RUNS]
        keys = {record.key for record in ran}
        self.runs = {key: runs for key, runs in self.runs.items() if key in keys or exists(key)}

    def write(self, path: Path) -> None:
        """Write the file.

        Raises:
            OSError: The file can't be written.
        """
        groups = [
            {
                "path_to_test_file": key.path,
                "group_id": key.group_id,
                "seconds": self.seconds(*key),
                "set_up": self._median(key, "set_up"),
                "runs": runs,
            }
            for key, runs in sorted(self.runs.items())
        ]
        path.parent.mkdir(parents=True, exist_ok=True)
        replace(path, f"{json.dumps({'groups': groups}, indent=2)}\n".encode())

    def _median(self, key: Key, name: str) -> float | None:
        known = [run[name] for run in self.runs.get(key, []) if run.get(name) is not None]
        return median(known) if known else None


def read_durations(path: Path) -> Durations:
    """Return what durations.json says. If there is none, nothing is known.

    Raises:
        GroupsError: The file can't be read, or is something else.
    """
    try:
        groups = json.loads(path.read_bytes())["groups"]
        return Durations(
            {
                Key(str(group["path_to_test_file"]), str(group["group_id"])): [
                    _read_run(run) for run in group["runs"][-_RUNS:]
                ]
                for group in groups
            }
        )
    except FileNotFoundError:
        return Durations()
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise GroupsError(
            f"can't read the durations of earlier runs ({type(error).__name__}: {error})",
            where=str(path),
            advice="Remove it: the next run writes a new one.",
        ) from None


def read_durations_or_warn(path: Path | None, command: str) -> Durations:
    """Return what durations.json says. If it is damaged, warn: nothing is known then."""
    try:
        return read_durations(path) if path else Durations()
    except GroupsError as error:
        warn(command, str(error))
        return Durations()


def _read_run(run: dict[str, Any]) -> dict[str, Any]:
    """Return a run with all of its keys, each with a value that makes sense."""
    return {
        **{key: read_seconds(run, key) for key in ("started", "set_up", "seconds")},
        "result": run["result"] if run.get("result") in RESULTS else "failed",
        "attempt": run["attempt"] if isinstance(run.get("attempt"), int) else 1,
        "commit": str(run.get("commit", "")),
    }
