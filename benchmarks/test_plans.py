"""How late a run ends next to the best possible end: by plan-groups, by a queue, and by pytest-split's algorithms."""

from __future__ import annotations

import json
import random
import subprocess
import time
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from pytest_operator_groups.formats.durations import Durations
from pytest_operator_groups.formats.records import Key
from pytest_operator_groups.plan.plan import assign, longest_first
from pytest_operator_groups.plan.plan_groups import make_matrix, make_plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from pytest_benchmark.fixture import BenchmarkFixture

SUITES = 600
# By how much a group's real time differs from the known one, at most.
ERRORS = (0, 0.05, 0.2)
# Runs in the environment of pytest-split, whose plugin can't be loaded next to this one's.
SPLIT = """
import json, sys
from types import SimpleNamespace
from pytest_split.algorithms import Algorithms
for line in sys.stdin:
    seconds, splits = json.loads(line)
    items = [SimpleNamespace(nodeid=str(number)) for number in range(len(seconds))]
    durations = {str(number): time for number, time in enumerate(seconds)}
    print(json.dumps([[[int(item.nodeid) for item in group.selected]
                       for group in Algorithms[name].value(splits, items, durations)]
                      for name in ("least_duration", "duration_based_chunks")]))
"""


def queue(times: Iterable[float], runners: int) -> float:
    """Return when the last group ends if each starts as soon as one of the runners is free."""
    free = [0.0] * runners
    for seconds in times:
        free[free.index(min(free))] += seconds
    return max(free)


def fixed(plan: Sequence[Sequence[int]], times: Sequence[float]) -> float:
    return max(sum(times[group] for group in runner) for runner in plan)


def lower_bound(seconds: Sequence[float], runners: int) -> float:
    """Return a time before which no plan ends: of the longest group, or of what some runner must have."""
    times = sorted(seconds, reverse=True)
    until = [0.0, *accumulate(times)]
    # Among the first `full * runners + 1` groups, one runner has `full + 1`: at least the shortest of them.
    crowded = (
        until[full * runners + 1] - until[full * (runners - 1)] for full in range(1, (len(times) - 1) // runners + 1)
    )
    return max(times[0], until[-1] / runners, *crowded, 0.0)


def test_plans(benchmark: BenchmarkFixture, python_of: Callable[[str], Path]) -> None:
    chance = random.Random(20)  # noqa: S311, the suites are the same in each run
    suites = [
        ([round(chance.lognormvariate(6.5, 0.8)) for _ in range(chance.randint(10, 60))], chance.randint(2, 20))
        for _ in range(SUITES)
    ]
    lines = "".join(f"{json.dumps(suite)}\n" for suite in suites)
    command = [str(python_of("split")), "-c", SPLIT]
    split = subprocess.run(command, input=lines, capture_output=True, text=True, check=True).stdout.splitlines()
    ratios: dict[str, list[list[float]]] = {}
    used = allowed = 0
    for (known, runners), line in zip(suites, split, strict=True):
        least_duration, chunks = json.loads(line)
        plan = assign([float(seconds) for seconds in known], [""] * len(known), runners)
        used, allowed = used + len(plan), allowed + min(runners, len(known))
        for column, error in enumerate(ERRORS):
            real = [seconds * chance.uniform(1 - error, 1 + error) for seconds in known]
            bound = lower_bound(real, runners)
            for name, end in (
                ("plan-groups --max-runners: longest first", fixed(plan, real)),
                ("a queue, longest first", queue((real[group] for group in longest_first(known)), runners)),
                ("a queue, in the order of the files", queue(real, runners)),
                ("pytest-split, least_duration", fixed(least_duration, real)),
                ("pytest-split, duration_based_chunks", fixed(chunks, real)),
            ):
                ratios.setdefault(name, [[] for _ in ERRORS])[column].append(end / bound)
    benchmark.extra_info.update(ratios=ratios, used=used, allowed=allowed)

    names = {"job_name": "", "artifact_group_id": ""}
    groups: list[dict[str, Any]] = [
        {"path_to_test_file": f"tests/test_{number}.py", "group_id": "1", **names, "runner": str(number % 3)}
        for number in range(1_000)
    ]
    durations = Durations(
        {Key(group["path_to_test_file"], "1"): [{"seconds": chance.lognormvariate(6.5, 0.8)}] for group in groups}
    )
    taken = []
    for runners in (3, 20, 60, 256):
        start = time.perf_counter()
        make_matrix(groups, make_plan(groups, durations, runners).runners)
        taken.append(1000 * (time.perf_counter() - start))
    benchmark.extra_info["milliseconds"] = taken
    benchmark.pedantic(lambda: make_plan(groups, durations, 60), rounds=5)  # type: ignore[no-untyped-call]  # of pytest-benchmark
