"""Which group runs on which runner: the longest group that is left goes to the runner that is free first."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence


def longest_first(seconds: Sequence[float | None]) -> list[int]:
    """Return the positions of the groups: first those whose time isn't known, then the longest first."""
    times = [float("inf") if time is None else time for time in seconds]
    return sorted(range(len(times)), key=lambda group: -times[group])


def assign(seconds: Sequence[float], kinds: Sequence[Hashable], max_runners: int) -> list[list[int]]:
    """Return the runners, each with the positions of its groups, longest first. Groups on one runner are of one kind.

    They are the fewest with which the last one ends as early as with all: each runner costs its set-up.
    """
    if not seconds:
        return []
    members: dict[Hashable, list[int]] = {}
    for group in longest_first(seconds):
        members.setdefault(kinds[group], []).append(group)
    plans = {kind: _share_out(groups, seconds, 1) for kind, groups in members.items()}
    for _ in range(max_runners - len(plans)):
        last = max(plans, key=lambda kind: plans[kind][1])
        runners, end = plans[last]
        if end == seconds[members[last][0]]:  # of its longest group
            break
        plans[last] = _share_out(members[last], seconds, len(runners) + 1)
    end = max(end for _, end in plans.values())
    for kind, groups in members.items():
        while (number := len(plans[kind][0])) > 1 and (fewer := _share_out(groups, seconds, number - 1))[1] <= end:
            plans[kind] = fewer
    # The matrix starts with the runner that takes longest. Without times, the order stays.
    return sorted(
        (runner for runners, _ in plans.values() for runner in runners),
        key=lambda runner: (-sum(seconds[group] for group in runner), runner),
    )


def _share_out(groups: Sequence[int], seconds: Sequence[float], number: int) -> tuple[list[list[int]], float]:
    """Return so many runners of one kind, and when the last one ends.

    It is Graham's LPT, at most a third later than the best plan: https://doi.org/10.1137/0117039
    """
    runners: list[list[int]] = [[] for _ in range(number)]
    free = [(0.0, runner) for runner in range(number)]
    for group in groups:
        time, runner = free[0]
        runners[runner].append(group)
        heapq.heapreplace(free, (time + seconds[group], runner))
    return runners, max(free)[0]
