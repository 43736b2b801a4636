"""The report of a run of groups."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_operator_groups.common.text import cell_width, shorten
from pytest_operator_groups.formats.durations import Durations
from pytest_operator_groups.formats.junit import Case
from pytest_operator_groups.formats.records import Record
from pytest_operator_groups.report.outcome import Outcome
from pytest_operator_groups.report.report import advice, changes, costs, gantt, markdown_report, sentence

CASES = [
    Case("test_deploy", 600, "passed", ""),
    Case("test_failover[1]", 400, "passed", ""),
    Case("test_failover[2]", 500, "passed", ""),
    Case("test_scale", 1260, "passed", ""),
]


def outcome(name: str, minutes: float, result: str = "passed", cases: list[Case] | None = None, **more: Any) -> Outcome:
    record = Record("tests/a.py", name, result, started=1_800_000_000, set_up=120, seconds=60 * minutes)
    record.attempt, record.commit = more.pop("attempt", 1), more.pop("commit", "")
    return Outcome(
        name, "failed: 1 failure" if result == "failed" else result, "2", record, cases or [],
        f"pytest tests/a.py --group={name}", **more,
    )  # fmt: skip


def test_whole_report() -> None:
    failed = [Case("test_x", 1, "failed", "assert `0`"), Case("test_y", 1, "error", "")]
    outcomes = [
        outcome("long", 46, cases=CASES, url="https://x/1"),
        outcome("bad", 5, "failed", failed, url="https://x/2"),
    ]
    assert markdown_report(outcomes, Durations(), "lxd: 1 group passed, 1 failed") == [
        "### lxd: 1 group passed, 1 failed",
        "",
        "Failed: `bad`.",
        "",
        "| Group | Result | Tests | Time | Log |",
        "| --- | --- | ---: | ---: | --- |",
        "| `long` | passed | 2 | 46 min 0.0 s | [log](https://x/1) |",
        "| `bad` | failed: 1 failure | 2 | 5 min 0.0 s | [log](https://x/2) |",
        "",
        "48 min, because of `long` (46 min). If you split it after `test_failover`: 27 min",
        "",
        "Runner-minutes: 4.0 of set-up, 51.0 of tests, 0.0 idle, 55.0 in all",
        "",
        "- `bad` ([log](https://x/2)): `pytest tests/a.py --group=bad`",
        "  - `test_x`: `` assert `0` ``",
        "  - `test_y`: `no message`",
        "",
        "```mermaid",
        "gantt",
        "dateFormat x",
        "axisFormat %H:%M",
        "section long",
        "set-up :done, 1800000000000, 1800000120000",
        "passed long :active, 1800000120000, 1800002880000",
        "section bad",
        "set-up :done, 1800000000000, 1800000120000",
        "failed bad :crit, 1800000120000, 1800000420000",
        "```",
    ]


def test_first_sentence() -> None:
    assert sentence([outcome("a", 10), outcome("b", 20)]) == "It took 22 min."
    assert sentence([outcome(name, 1, "failed") for name in "abcde"]) == "Failed: a, b, c and 2 more."
    assert sentence([Outcome("a", "passed", "-", Record("a", "1", "passed"), [], "")]) == "The time isn't known."


def test_advice() -> None:
    long, other = outcome("long", 46, cases=CASES), outcome("other", 45)
    # It would bring nothing, or the runners are shared.
    assert not [*advice([long, other])]
    assert not [*advice([outcome("long", 46)])]
    assert not [*advice([outcome("long", 46, cases=CASES, runner="1"), outcome("b", 1, runner="1")])]
    assert not [*advice([])]
    # It would save less than a minute, or less than a tenth.
    short = [Case("test_a", 59, "passed", ""), Case("test_b", 59, "passed", "")]
    assert not [*advice([outcome("short", 118 / 60, cases=short)])]
    last = [Case("test_a", 46 * 60 - 250, "passed", ""), Case("test_b", 250, "passed", "")]
    assert not [*advice([outcome("long", 46, cases=last)])]
    # On shared runners of one kind, the second half can run after the groups of another runner.
    shared = [outcome("long", 46, cases=CASES, runner="1"), outcome("b", 5, runner="2"), outcome("c", 5, runner="2")]
    split = "48 min, because of long (46 min). If you split it after test_failover: 32 min"
    assert [*advice(shared)] == [split]
    shared[0].kind = frozenset({"large"})
    assert not [*advice(shared)]
    assert [*advice([outcome("long", 46, cases=CASES), outcome("b", 1)], 2)] == [
        "48 min, because of long (46 min). If you split it after test_failover: 27 min"
    ]


def test_changes() -> None:
    run = {"started": 1, "seconds": 60, "set_up": 0, "attempt": 1, "commit": "c"}
    names = {"new": "passed", "back": "failed", "same": "failed", "flaky": "failed", "other": "failed"}
    before = Durations({outcome(name, 0).record.key: [run | {"result": result}] for name, result in names.items()})
    now = [
        outcome("new", 1, "failed"),
        outcome("back", 1.3),
        outcome("same", 1, "failed"),
        outcome("flaky", 1.1, attempt=2, commit="c"),
        outcome("other", 1, commit="d"),
        outcome("unknown", 1),
        outcome("same", 1, "cancelled"),
    ]
    assert [*changes(now, before)] == [
        "new is newly failing",
        "back passes again",
        "back is slower: 1 min 18.0 s, before 1 min 0.0 s",
        "flaky is flaky: it failed and passed in two attempts of the same commit",
        "other passes again",
    ]


def test_report_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    cases = [Case(f"test_{number}", 1, "failed", "x" * 1000) for number in range(15)]
    outcomes = [outcome(f"{'long' * 20}{number}", 1, "failed", cases) for number in range(300)]
    report = markdown_report(outcomes, Durations(), "heading")
    assert len("\n".join(report)) < 1024 * 1024
    assert "  - and 5 more" in report
    cut = r"Cut, because GitHub shows 1 MiB: \d+ lines of the failed groups, 603 lines of the timeline\."
    assert re.fullmatch(cut, report[-1])
    monkeypatch.setattr("pytest_operator_groups.report.report.MAX_BYTES", 10_000)
    assert len("\n".join(markdown_report(outcomes, Durations(), "heading"))) < 10_000


def test_costs_of_shared_runners() -> None:
    outcomes = [outcome("a", 4, runner="1"), outcome("b", 6, runner="1"), outcome("c", 1, runner="2"), outcome("d", 2)]
    # The set-up of the first one took 2 minutes. The second one started 3 minutes after its end.
    outcomes[1].record.started, outcomes[1].record.set_up = 1_800_000_000 + 9 * 60, None
    runner_minutes = ["Runner-minutes: 6.0 of set-up, 13.0 of tests, 3.0 idle, 22.0 in all"]
    assert [*costs(outcomes)] == runner_minutes
    lost = [Outcome(name, "", "-", Record("a", name, "failed"), [], "") for name in map(str, range(9))]
    assert [*costs([*outcomes, *lost])] == runner_minutes
    assert not [*costs(lost)]


def test_timeline_of_shared_runners() -> None:
    runs = [
        (name, "1", Record("a", name, "passed", 100 + 60 * i, 30 if i == 0 else 0, 60)) for i, name in enumerate("ab")
    ]
    assert gantt(runs)[4:-1] == [
        "section runner 1",
        "set-up :done, 100000, 130000",
        "passed a :active, 130000, 190000",
        "passed b :active, 160000, 220000",
    ]
    assert gantt([("a", "", Record("a", "1", "failed"))]) == []
    many = gantt([(str(i), "", Record("a", "1", "not run", i, None, 1)) for i in range(201)])
    assert many[-1] == "The timeline has the first 200 of 201 groups."
    assert (
        len("\n".join(gantt([("日" * 99, "x" * 99, Record("a", "1", "not run", i, 5, 1)) for i in range(200)])))
        < 50_000
    )


@given(st.text())
@settings(deadline=None)
def test_names_in_the_timeline(name: str) -> None:
    (line,) = [line for line in gantt([(name, "", Record("a", "1", "passed", 5, 0, 1))]) if line.startswith("passed ")]
    assert re.fullmatch(r"passed [\w _./|()\[\]+=…-]{1,60} :active, 5000, 6000", line)


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("test_charm.py | group 1", 23, "test_charm.py | group 1"),
        ("test_charm.py | group 1", 13, "test… group 1"),
        ("日本語日本語", 7, "日…本語"),
    ],
)
def test_shorten(text: str, width: int, shown: str) -> None:
    assert shorten(text, width) == shown
    assert cell_width(shown) <= width
