"""What became of a group, as a report shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_operator_groups.formats.junit import Case
    from pytest_operator_groups.formats.records import Record


@dataclass
class Outcome:
    """The outcome of a group.

    Attributes:
        name: Its `job_name`, printable.
        result: "passed", or what went wrong, in words.
        tests: The number of its tests, in words.
        seconds: The time of its tests, or None.
        record: Its record.
        cases: Its tests in the order in which they ran, or none if they aren't known.
        command: The line that repeats it.
        url: The link of its log, or "".
        log: The path of its log, or "".
        runner: The runner that it ran on, or "" if it had its own.
        kind: The labels of that runner.
    """

    name: str
    result: str
    tests: str
    seconds: float | None
    record: Record
    cases: Sequence[Case]
    command: str
    url: str = ""
    log: str = ""
    runner: str = ""
    kind: frozenset[str] = frozenset()

    @property
    def failed(self) -> bool:
        """Whether it failed."""
        return self.record.result == "failed"
