"""The record that a group leaves when it has run: when, how long, and with which result."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from pytest_operator_groups.formats.files import replace
from pytest_operator_groups.formats.junit import MAX_SECONDS, JUnit

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


_SLOWEST = 5
RESULTS = ("passed", "failed", "cancelled", "not run")


class Key(NamedTuple):
    """What tells a group from all others."""

    path: str
    group_id: str

    @property
    def digest(self) -> str:
        """What makes a shortened name unique: eight characters."""
        import hashlib

        return hashlib.sha256(os.fsencode(f"{self.path}|{self.group_id}")).hexdigest()[:8]


@dataclass
class Record:
    """One run of a group. What isn't known is None or empty."""

    path: str
    group_id: str
    result: str = "waiting"  # one of RESULTS. In `run-groups`, "waiting" and "running" before that
    started: float | None = None  # when its set-up, or else pytest, started, in seconds since 1970
    set_up: float | None = None  # the seconds before pytest started
    seconds: float | None = None  # those that pytest ran
    tests: dict[str, int] = field(default_factory=dict)  # their number by outcome
    slowest: list[tuple[str, float]] = field(default_factory=list)  # at most five, with their seconds
    attempt: int = 1  # from 1
    commit: str = ""
    reason: str = ""  # why it failed or was not run, in words

    @property
    def key(self) -> Key:
        """The group."""
        return Key(self.path, self.group_id)

    @property
    def text(self) -> str:
        """The result and its reason, in words."""
        return f"{self.result}: {self.reason}" if self.reason else self.result

    def add_tests(self, report: JUnit | None) -> None:
        """Add what a report says of the tests. Without one, nothing is known of them."""
        if report is None:
            return
        for case in report.cases:
            self.tests[case.outcome] = self.tests.get(case.outcome, 0) + 1
        cases = sorted(report.cases, key=lambda case: case.seconds, reverse=True)
        self.slowest = [(case.name, case.seconds) for case in cases[:_SLOWEST]]

    def as_json(self) -> dict[str, Any]:
        """Return the record as JSON has it, with the keys of the groups' JSON."""
        values = asdict(self)
        return {
            "path_to_test_file": values.pop("path"),
            **values,
            "slowest": [{"test": name, "seconds": seconds} for name, seconds in self.slowest],
        }

    def write(self, path: Path) -> None:
        replace(path, f"{json.dumps(self.as_json(), indent=2)}\n".encode())


@dataclass(frozen=True)
class JobFile:
    """What a job on GitHub leaves of a group in job.json, beside pytest's report. Times are in seconds since 1970."""

    path: str
    group_id: str
    status: str  # success, failure, timed_out or cancelled; "" if it isn't known
    started: float | None = None  # of the set-up, which belongs to the first group of a runner
    tests_started: float | None = None
    tests_ended: float | None = None
    attempt: int = 1
    commit: str = ""
    runner: str = ""  # its name in the report, if groups share it
    url: str = ""  # of the job's log

    @classmethod
    def read(cls, file: Path) -> JobFile:
        """Return what a file says, whatever a test has written there. Without it, nothing is known."""
        try:
            job = json.loads(file.read_bytes())
        except (OSError, ValueError, RecursionError):
            job = {}
        if not isinstance(job, dict):
            job = {}
        texts = {key: job.get(key) for key in ("path_to_test_file", "group_id", "status", "commit", "runner", "url")}
        values: dict[str, Any] = {key: text if isinstance(text, str) else "" for key, text in texts.items()}
        values |= {key: read_seconds(job, key) for key in ("started", "tests_started", "tests_ended")}
        attempt = job.get("attempt")
        values["attempt"] = attempt if isinstance(attempt, int) and attempt > 0 else 1
        return cls(values.pop("path_to_test_file"), **values)

    def write(self, file: Path) -> None:
        """Write the file, with the keys of the groups' JSON and without what isn't known."""
        values = asdict(self)
        job = {"path_to_test_file": values.pop("path"), **values}
        known = {key: value for key, value in job.items() if value is not None and (key != "runner" or value)}
        file.write_text(f"{json.dumps(known)}\n", encoding="utf-8")


def read_seconds(values: Mapping[str, Any], key: str) -> float | None:
    """Return a time in seconds, or None if there is none that makes sense."""
    value = values.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        seconds = float(value)
    except OverflowError:
        return None
    return seconds if 0 <= seconds < MAX_SECONDS else None
