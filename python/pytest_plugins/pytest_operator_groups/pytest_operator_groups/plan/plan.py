"""Which group runs on which runner, so that the last runner ends as early as possible."""

from __future__ import annotations

import heapq
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

# A plan this close to the best possible end isn't improved further.
_CLOSE = 1.002
_STEPS = 12


def longest_first(seconds: Sequence[float | None]) -> list[int]:
    """Return the positions of the groups: first those whose time isn't known, then the longest first."""
    times = [float("inf") if time is None else time for time in seconds]
    return sorted(range(len(times)), key=lambda group: -times[group])


def lower_bound(seconds: Sequence[float], runners: int) -> float:
    """Return a time before which no plan ends: of the longest group, or of what some runner must have."""
    if not seconds:
        return 0.0
    times = sorted(seconds, reverse=True)
    until = [0.0, *accumulate(times)]
    # Among the first `full * runners + 1` groups, one runner has `full + 1`: at least the shortest of them.
    crowded = (
        until[full * runners + 1] - until[full * (runners - 1)] for full in range(1, (len(times) - 1) // runners + 1)
    )
    return max(times[0], until[-1] / runners, *crowded, 0.0)


def assign(seconds: Sequence[float], kinds: Sequence[Hashable], max_runners: int) -> list[list[int]]:
    """Return the runners, each with the positions of its groups, longest first.

    Args:
        seconds: The time of each group.
        kinds: The kind of runner that each group needs. Groups share a runner only with groups of their kind.
        max_runners: How many runners there are for all groups, at least one for each kind.
    """
    members: dict[Hashable, list[int]] = {}
    for group, kind in enumerate(kinds):
        members.setdefault(kind, []).append(group)
    times = {kind: [seconds[group] for group in groups] for kind, groups in members.items()}
    numbers = dict.fromkeys(members, 1)
    ends = [(-lower_bound(of_kind, 1), index, kind) for index, (kind, of_kind) in enumerate(times.items())]
    heapq.heapify(ends)
    for _ in range(max_runners - len(members) if members else 0):
        end, index, kind = ends[0]
        # The end can't come before that of the longest group. More runners would only cost more.
        if numbers[kind] == len(members[kind]) or -end <= max(times[kind]):
            break
        numbers[kind] += 1
        heapq.heapreplace(ends, (-lower_bound(times[kind], numbers[kind]), index, kind))
    runners = []
    for kind, groups in members.items():
        runners += [
            [groups[position] for position in runner] for runner in _assign_one_kind(times[kind], numbers[kind])
        ]
    # The matrix starts with the runner that takes longest. Without times, the order stays.
    return sorted(runners, key=lambda runner: (-sum(seconds[group] for group in runner), runner))


def _assign_one_kind(seconds: Sequence[float], runners: int) -> list[list[int]]:
    """Return the runners of one kind: the best of several plans."""
    groups = longest_first(seconds)
    bound = lower_bound(seconds, runners)
    enough = bound * _CLOSE
    best = _even_out(_longest_first_plan(seconds, groups, runners), seconds, enough)
    low, high = bound, _end(best, seconds)
    for _ in range(_STEPS):
        if high <= enough:
            break
        middle = (low + high) / 2
        packed = _pack(seconds, groups, runners, middle)
        if packed is None:
            low = middle
        else:
            best = _even_out(packed, seconds, enough)
            high = _end(best, seconds)
    for runner in best:
        runner.sort(key=lambda group: (-seconds[group], group))
    return [runner for runner in best if runner]


def _longest_first_plan(seconds: Sequence[float], groups: Sequence[int], runners: int) -> list[list[int]]:
    """Give the longest group that is left to the runner that is free first (Graham's LPT)."""
    plan: list[list[int]] = [[] for _ in range(runners)]
    free = [(0.0, runner) for runner in range(runners)]
    for group in groups:
        time, runner = free[0]
        plan[runner].append(group)
        heapq.heapreplace(free, (time + seconds[group], runner))
    return plan


def _pack(seconds: Sequence[float], groups: Sequence[int], runners: int, end: float) -> list[list[int]] | None:
    """Give each group to the first runner that still ends in time (MULTIFIT), or return None if there is none."""
    plan: list[list[int]] = [[] for _ in range(runners)]
    left = [end * (1 + 1e-12)] * runners
    for group in groups:
        time = seconds[group]
        for runner in range(runners):
            if left[runner] >= time:
                left[runner] -= time
                plan[runner].append(group)
                break
        else:
            return None
    return plan


def _even_out(plan: list[list[int]], seconds: Sequence[float], enough: float) -> list[list[int]]:
    """Move or swap groups of the runner that ends last, until it ends early enough, or nothing helps."""
    plan = [[*runner] for runner in plan]
    ends = [sum(seconds[group] for group in runner) for runner in plan]
    while max(ends) > enough:
        last = ends.index(max(ends))
        change = _best_change(plan, ends, last, seconds)
        if change is None:
            break
        other, given, taken = change
        plan[last].remove(given)
        plan[other].append(given)
        if taken is not None:
            plan[other].remove(taken)
            plan[last].append(taken)
        for runner in (last, other):
            ends[runner] = sum(seconds[group] for group in plan[runner])
    return plan


def _best_change(
    plan: Sequence[Sequence[int]], ends: Sequence[float], last: int, seconds: Sequence[float]
) -> tuple[int, int, int | None] | None:
    """Return which runner takes which group from the last one, and what it gives for it. None: nothing helps."""
    best, best_end = None, ends[last] * (1 - 1e-9)
    for other, groups in enumerate(plan):
        # The two can't both end earlier than this.
        if (ends[last] + ends[other]) / 2 >= best_end:
            continue
        for given in plan[last]:
            for taken in (None, *groups):
                less = seconds[given] - (0 if taken is None else seconds[taken])
                end = max(ends[last] - less, ends[other] + less)
                if end < best_end:
                    best, best_end = (other, given, taken), end
    return best


def _end(plan: Sequence[Sequence[int]], seconds: Sequence[float]) -> float:
    return max(sum(seconds[group] for group in runner) for runner in plan)
