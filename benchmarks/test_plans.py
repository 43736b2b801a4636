"""plan-groups next to pytest-split's algorithms, today's order, the best possible plan, and the lower bound."""

from __future__ import annotations

import json
import random
import subprocess
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from ortools.sat.python import cp_model
from pytest_operator_groups.formats.durations import Durations
from pytest_operator_groups.formats.records import Key
from pytest_operator_groups.plan.plan import assign, longest_first, lower_bound
from pytest_operator_groups.plan.plan_groups import make_matrix, make_plan

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pytest_benchmark.fixture import BenchmarkFixture

SUITES = 1_000
SET_UP = 360
KINDS = ("ubuntu-24.04", "ubuntu-24.04-arm", "large")
# For a suite that the bounds don't decide: it takes seconds, and only a small one ends in time.
SOLVER_SECONDS, SOLVED_GROUPS, SOLVED_SUITES = 2, 60, 60
# Groups' minutes, as in suites of charms: a long group, groups of the same length, a few long ones among short ones.
SHAPES = (
    [46, *[12] * 7],
    [20] * 27,
    [48, 46, 41, *[18, 15, 12] * 8],
    [*[35] * 4, *[9] * 9],
    [*range(8, 39)],
    [60, 55, 30, 30, 25, 20, 20, 15, 15, 10, 10, 8, 7, 5],
)
# Runs in the environment of pytest-split, whose plugin can't be loaded next to this one's.
SPLIT = """
import json, sys
from types import SimpleNamespace
from pytest_split.algorithms import Algorithms
for line in sys.stdin:
    seconds, splits = json.loads(line)
    items = [SimpleNamespace(nodeid=str(number)) for number in range(len(seconds))]
    durations = {str(number): time for number, time in enumerate(seconds)}
    print(json.dumps([max(group.duration for group in Algorithms[name].value(splits, items, durations))
                      for name in ("least_duration", "duration_based_chunks")]))
"""


class Suite(NamedTuple):
    seconds: list[int]
    kinds: list[str]
    runners: int


def make_suites() -> list[Suite]:
    chance = random.Random(20)  # noqa: S311, the suites are the same in each run
    suites = [
        Suite([60 * minutes for minutes in shape], [KINDS[0]] * len(shape), runners)
        for shape in SHAPES
        for runners in (2, 3, 5, 8, 20)
    ]
    while len(suites) < SUITES:
        number = chance.randint(8, 200)
        seconds = [round(chance.lognormvariate(6.5, 0.8)) for _ in range(number)]
        kinds = chance.choices(KINDS, (6, 2, 1), k=number)
        suites.append(Suite(seconds, kinds, max(chance.randint(2, 60), len({*kinds}))))
    return suites


def one_after_the_other(times: Sequence[float], runners: int) -> float:
    """Return when the last job ends if each starts as soon as one of the runners is free."""
    free = [0.0] * runners
    for seconds in times:
        free.sort()
        free[0] += seconds
    return max(free)


def of_kinds(suite: Suite) -> dict[str, list[int]]:
    return {
        kind: [time for time, other in zip(suite.seconds, suite.kinds, strict=True) if other == kind]
        for kind in dict.fromkeys(suite.kinds)
    }


def bound(suite: Suite) -> float:
    """Return a time before which no plan ends: each further runner goes to the kind with the latest bound."""
    by_kind = of_kinds(suite)
    numbers = dict.fromkeys(by_kind, 1)
    bounds = {kind: lower_bound(times, 1) for kind, times in by_kind.items()}
    for _ in range(suite.runners - len(by_kind)):
        kind = max(bounds, key=bounds.__getitem__)
        numbers[kind] += 1
        bounds[kind] = lower_bound(by_kind[kind], numbers[kind])
    return max(bounds.values())


def solve(suite: Suite, lowest: int, known: int) -> int | None:
    """Return the earliest end of all plans, or None if it isn't found in time."""
    model = cp_model.CpModel()
    end = model.new_int_var(lowest, known, "end")
    groups, runners = range(len(suite.seconds)), range(suite.runners)
    runs = [[model.new_bool_var("") for _ in runners] for _ in groups]
    kinds = {kind: [model.new_bool_var("") for _ in runners] for kind in {*suite.kinds}}
    for runner in runners:
        model.add_exactly_one(of_kind[runner] for of_kind in kinds.values())
        model.add(sum(suite.seconds[group] * runs[group][runner] for group in groups) <= end)
    for group in groups:
        model.add_exactly_one(runs[group])
        for runner in runners:
            model.add_implication(runs[group][runner], kinds[suite.kinds[group]][runner])
    model.minimize(end)
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = SOLVER_SECONDS
    solver.parameters.num_workers = 1
    return round(solver.objective_value) if solver.solve(model) == cp_model.OPTIMAL else None


def test_plans(benchmark: BenchmarkFixture, python_of: Callable[[str], Path]) -> None:
    suites = make_suites()
    plans = [assign([float(time) for time in suite.seconds], suite.kinds, suite.runners) for suite in suites]
    ends = [
        max(sum(suite.seconds[group] for group in runner) for runner in plan)
        for suite, plan in zip(suites, plans, strict=True)
    ]
    # pytest-split knows no kinds: it gets those of a plan one by one, with as many runners.
    parts: list[tuple[int, list[int], int]] = []
    for number, (suite, plan) in enumerate(zip(suites, plans, strict=True)):
        numbers = Counter(suite.kinds[runner[0]] for runner in plan)
        parts += [(number, times, numbers[kind]) for kind, times in of_kinds(suite).items()]
    lines = "".join(f"{json.dumps([times, splits])}\n" for _, times, splits in parts)
    command = [str(python_of("split")), "-c", SPLIT]
    split = subprocess.run(command, input=lines, capture_output=True, text=True, check=True).stdout.splitlines()
    by_split: list[list[float]] = [[0.0, 0.0] for _ in suites]
    for (number, _, _), line in zip(parts, split, strict=True):
        by_split[number] = [max(pair) for pair in zip(by_split[number], json.loads(line), strict=True)]

    ratios: dict[str, list[float]] = {}
    decided = Counter[str]()
    for number, suite in enumerate(suites):
        lowest = best = bound(suite)
        if ends[number] <= lowest:
            decided["bound"] += 1
        elif len(suite.seconds) <= SOLVED_GROUPS and decided["solver"] + decided["none"] < SOLVED_SUITES:
            found = solve(suite, int(lowest), ends[number])
            decided["none" if found is None else "solver"] += 1
            best = lowest if found is None else found
        else:
            decided["none"] += 1 if len(suite.seconds) <= SOLVED_GROUPS else 0
        own = [SET_UP + time for time in suite.seconds]
        own_bound = max(sum(own) / suite.runners, *own)
        longest = [own[group] for group in longest_first(suite.seconds)]
        for name, end, reference in (
            ("plan-groups --max-runners", ends[number] + SET_UP, best + SET_UP),
            ("pytest-split, least_duration", by_split[number][0] + SET_UP, best + SET_UP),
            ("pytest-split, duration_based_chunks", by_split[number][1] + SET_UP, best + SET_UP),
            ("plan-groups --max-runners, to the bound", ends[number] + SET_UP, lowest + SET_UP),
            ("a runner per group, longest first", one_after_the_other(longest, suite.runners), own_bound),
            ("a runner per group, in the order of the files", one_after_the_other(own, suite.runners), own_bound),
        ):
            ratios.setdefault(name, []).append(end / reference)
    worse = sum(end > min(other) for end, other in zip(ends, by_split, strict=True))
    benchmark.extra_info.update(ratios=ratios, decided=dict(decided), worse=worse)

    names = {"job_name": "", "artifact_group_id": ""}
    groups: list[dict[str, Any]] = [
        {"path_to_test_file": f"tests/test_{number}.py", "group_id": "1", **names, "runner": str(number % 3)}
        for number in range(1_000)
    ]
    chance = random.Random(1)  # noqa: S311
    durations = Durations(
        {Key(group["path_to_test_file"], "1"): [{"seconds": chance.lognormvariate(6.5, 0.8)}] for group in groups}
    )
    taken = []
    for runners in (3, 20, 60, 256):
        start = time.perf_counter()
        make_matrix(groups, make_plan(groups, durations, runners).runners)
        taken.append(1000 * (time.perf_counter() - start))
    benchmark.extra_info["milliseconds"] = taken
    benchmark.pedantic(lambda: make_plan(groups, durations, 60), rounds=5)  # type: ignore[no-untyped-call]  # as above
