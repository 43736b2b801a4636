"""The timeline of a report, read by Mermaid itself."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pytest_operator_groups.formats.records import Record
from pytest_operator_groups.report.report import gantt

MERMAID = Path(__file__).parent / "mermaid"
# Words and characters of Mermaid, and what text is made of otherwise.
WORDS = "title section click done crit active milestone dateFormat gantt end %% --> :: , ; # #35; ``` <br> { } vert"
NAMES = st.lists(st.sampled_from([*WORDS.split(), "\\n", "\n"]) | st.text(max_size=8), max_size=6).map(" ".join)
RESULTS = st.sampled_from(["passed", "failed", "cancelled", "not run"])
TIMES = st.floats(0, 1e5)
RUNS = st.lists(st.tuples(NAMES, NAMES, RESULTS, TIMES, TIMES, TIMES), min_size=1, max_size=4)
Run = tuple[str, str, str, float, float, float]


def test_names_of_all_kinds() -> None:
    cases: list[list[Run]] = []

    @settings(
        max_examples=500, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=[*HealthCheck]
    )
    @given(RUNS)
    def generate(runs: list[Run]) -> None:
        cases.append(runs)

    generate()
    charts = []
    for runs in cases:
        lines = gantt(
            [
                (name, runner, Record("a.py", name, result, 1.8e9 + start, set_up, tests))
                for name, runner, result, start, set_up, tests in runs
            ]
        )
        assert (lines[0], lines[-1]) == ("```mermaid", "```")
        charts.append("\n".join(lines[1:-1]))
    command = ["node", "parse.mjs"]
    parsed = subprocess.run(command, cwd=MERMAID, input=json.dumps(charts), capture_output=True, text=True, check=True)
    for runs, chart, tasks in zip(cases, charts, json.loads(parsed.stdout), strict=True):
        assert isinstance(tasks, list), f"{tasks}\n{chart}"
        groups = [task for task in tasks if task["task"] != "set-up "]
        for failed in (True, False):
            expected = sorted(max(tests, 1) for _, _, result, _, _, tests in runs if (result == "failed") == failed)
            found = sorted(task["seconds"] for task in groups if task["crit"] == failed)
            assert len(found) == len(expected), chart
            # The chart rounds to milliseconds.
            assert all(abs(a - b) < 0.01 for a, b in zip(found, expected, strict=True)), chart
