"""How much of a run of groups is done, and the time that is left, according to earlier runs."""

from __future__ import annotations

from statistics import mean
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_operator_groups.run.job import Job


class Estimate:
    """What is to be expected.

    Args:
        jobs: The groups.
        now: The seconds since the start of the run.
        max_jobs: How many groups run at the same time.

    Attributes:
        done: The part that is done, from 0 to 1.
        left: The seconds that are left, or None if no time of an earlier run is known.
    """

    def __init__(self, jobs: Sequence[Job], now: float, max_jobs: int) -> None:
        known = [job.expected for job in jobs if job.expected is not None]
        # Without any time, all groups count the same.
        guess = mean(known) if known else 1.0
        total, left = 0.0, []
        for job in jobs:
            expected = guess if job.expected is None else job.expected
            total += expected
            if job.state == "waiting":
                left.append(expected)
            elif job.state == "running":
                left.append(max(expected - (now - (job.started or 0)), 0) if known else expected)
        self.done = 1 - sum(left) / total if total else 1.0
        self.left = max(max(left, default=0.0), sum(left) / max_jobs) if known else None
