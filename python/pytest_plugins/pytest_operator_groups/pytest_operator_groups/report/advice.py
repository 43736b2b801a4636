"""What makes a run shorter: after which test to split the longest group."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_operator_groups.common.text import minutes, printable
from pytest_operator_groups.plan.plan import order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pytest_operator_groups.formats.junit import Case
    from pytest_operator_groups.report.outcome import Outcome

# A split that saves less isn't worth it.
_MIN_SHARE, _MIN_SECONDS = 0.1, 60


def advice(outcomes: Sequence[Outcome], runners: int | None = None, mark: Callable[[str], str] = str) -> Iterator[str]:
    """Yield what makes the run shorter, if anything does.

    Args:
        outcomes: The groups.
        runners: How many groups ran at the same time, or None for a run on GitHub.
        mark: Formats a name.
    """
    known = [outcome for outcome in outcomes if outcome.seconds]
    if not known:
        return
    longest = max(known, key=lambda outcome: outcome.seconds or 0)
    set_up = longest.record.set_up or 0
    if runners is None and any(outcome.runner for outcome in known):
        # Groups that need another kind of runner can't take the time that a split frees.
        if len({outcome.kind for outcome in known}) > 1:
            return
        runners = len({outcome.runner or outcome.name for outcome in known})
        set_up = max(outcome.record.set_up or 0 for outcome in known)
    times = [(outcome.seconds or 0) for outcome in known]
    others = [(outcome.seconds or 0) for outcome in known if outcome is not longest]
    now = set_up + _end_of(times, runners)
    first, best = 0.0, (now - max(now * _MIN_SHARE, _MIN_SECONDS), "")
    for case, following in zip(longest.cases, longest.cases[1:], strict=False):
        first += case.seconds
        if (test := _function(case)) == _function(following):
            continue
        end = set_up + _end_of([*others, first, max((longest.seconds or 0) - first, 0)], runners)
        best = min(best, (end, test))
    if best[1]:
        yield (
            f"{minutes(now)}, because of {mark(longest.name)} ({minutes(longest.seconds or 0)}). "
            f"If you split it after {mark(printable(best[1]))}: {minutes(best[0])}"
        )


def _end_of(times: Sequence[float], runners: int | None) -> float:
    """Return when the last group ends, longest first."""
    free = [0.0] * (runners or len(times))
    for group in order(times):
        free.sort()
        free[0] += times[group]
    return max(free)


def _function(case: Case) -> str:
    return case.name.partition("[")[0]
