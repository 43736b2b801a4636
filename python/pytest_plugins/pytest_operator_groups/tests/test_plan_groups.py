"""The command `plan-groups`: which group runs on which runner."""

from __future__ import annotations

import json
import re
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_operator_groups.formats.durations import Durations
from pytest_operator_groups.formats.matrix import group_key
from pytest_operator_groups.plan.plan import assign
from pytest_operator_groups.plan.plan_groups import main, make_plan

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    PlanGroups = Callable[..., tuple[list[dict[str, Any]], str]]


def group(name: str, runner: str | list[str] | None = None) -> dict[str, Any]:
    return {
        "path_to_test_file": f"tests/integration/test_{name}.py",
        "group_number": 1,
        "job_name": f"test_{name}.py | group 1",
        "group_id": "1",
        "artifact_group_id": f"test_{name}.py-group-1",
        "runner": runner,
    }


@pytest.fixture
def plan_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> PlanGroups:
    """Run the command as a step on GitHub does, and return its matrix and what it prints."""

    def run(
        groups: list[dict[str, Any]], minutes: dict[str, float] | None = None, *arguments: str
    ) -> tuple[list[dict[str, Any]], str]:
        known = {
            group_key(group(name)): [{"started": 1, "set_up": 360, "seconds": 60 * time}]
            for name, time in (minutes or {}).items()
        }
        Durations(known).write(tmp_path / "durations.json")
        (tmp_path / "groups.json").write_text(json.dumps(groups))
        monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output"))
        files = [f"--groups={tmp_path / 'groups.json'}", f"--durations={tmp_path / 'durations.json'}"]
        assert main([*files, *arguments]) == 0
        output = capsys.readouterr()
        assert output.err == ""
        (*_, written) = (tmp_path / "output").read_text().splitlines()
        return json.loads(written.removeprefix("matrix=")), output.out

    return run


def names(matrix: list[dict[str, Any]]) -> list[list[str]]:
    return [[group["job_name"].split(".")[0].removeprefix("test_") for group in entry["groups"]] for entry in matrix]


def test_longest_first(plan_groups: PlanGroups) -> None:
    groups = [group("a"), group("b", ["large"]), group("c"), group("d")]
    matrix, shown = plan_groups(groups, {"a": 10, "b": 40, "c": 30.5})
    assert names(matrix) == [["d"], ["b"], ["c"], ["a"]]
    needed = ("path_to_test_file", "job_name", "group_id", "artifact_group_id")
    assert matrix[1] == {
        "job_name": "test_b.py | group 1",
        "artifact_runner_id": "test_b.py-group-1",
        "runner": ["large"],
        "groups": [{key: groups[1][key] for key in needed}],
    }
    assert shown.splitlines() == [
        "4 runners for 4 groups",
        "",
        "                END  LOWER BOUND  RUNNER-MINUTES",
        "this plan  46.0 min     46.0 min           131.3",
        "",
        "The time of 1 group isn't known: each counts as 26.8 min, the mean of the others.",
    ]


def test_artifacts_of_shared_runners_have_the_same_names_in_each_attempt(plan_groups: PlanGroups) -> None:
    groups = [group(name) for name in "abcd"]
    for minutes, expected in (({}, [2, 2]), ({"a": 60, "b": 10, "c": 10, "d": 10}, [1, 3])):
        matrix, _ = plan_groups(groups, minutes, "--max-runners=2")
        assert [len(entry["groups"]) for entry in matrix] == expected
        assert [entry["artifact_runner_id"] for entry in matrix] == ["runner-1", "runner-2"]


def test_groups_share_runners(plan_groups: PlanGroups) -> None:
    minutes = {"a": 10, "b": 40, "c": 30, "d": 20, "e": 5, "f": 5}
    groups = [group(name, "large" if name in "ef" else None) for name in minutes]
    matrix, shown = plan_groups(groups, minutes, "--max-runners=3")
    assert names(matrix) == [["b", "a"], ["c", "d"], ["e", "f"]]
    assert [entry["job_name"] for entry in matrix] == [f"runner {number} | 2 groups" for number in (1, 2, 3)]
    assert [entry["artifact_runner_id"] for entry in matrix] == ["runner-1", "runner-2", "runner-3"]
    assert [entry["runner"] for entry in matrix] == [None, None, "large"]
    assert shown.splitlines() == [
        "3 runners for 6 groups",
        "",
        "                           END  LOWER BOUND  RUNNER-MINUTES",
        "this plan             56.0 min     46.0 min           128.0",
        "one runner per group  46.0 min     46.0 min           146.0",
    ]


def test_job_that_is_cancelled(plan_groups: PlanGroups) -> None:
    groups = [group("a"), group("b")]
    for minutes, is_long in (328, False), (330, True):
        _, shown = plan_groups(groups, {"a": minutes, "b": 1})
        assert (
            "\n\nA job is cancelled after 350 min: use more runners, or split the longest group.\n" in shown
        ) == is_long


def test_nothing_is_known(plan_groups: PlanGroups) -> None:
    matrix, shown = plan_groups([group("b"), group("a"), group("c")])
    assert names(matrix) == [["b"], ["a"], ["c"]]
    assert shown == "3 runners for 3 groups. No time of an earlier run is known.\n"
    matrix, _ = plan_groups([group("b"), group("a"), group("c")], {}, "--max-runners=2")
    assert names(matrix) == [["b", "c"], ["a"]]


def test_no_group(plan_groups: PlanGroups) -> None:
    assert plan_groups([], {}, "--max-runners=2") == ([], "There is no group to run.\n")


def test_many_groups(plan_groups: PlanGroups, capsys: pytest.CaptureFixture[str]) -> None:
    groups = [group(str(number)) for number in range(300)]
    matrix, _ = plan_groups(groups, {}, "--max-runners=3")
    assert [len(runner) for runner in names(matrix)] == [100, 100, 100]
    with pytest.raises(AssertionError):
        plan_groups(groups)
    assert capsys.readouterr().err == (
        "plan-groups: 300 groups are more than the 256 jobs that GitHub starts for one matrix. "
        "Let groups share runners: --max-runners 60, in integration_test_charm.yaml max-runners: 60\n"
    )


def test_runner_with_too_many_groups(plan_groups: PlanGroups, capsys: pytest.CaptureFixture[str]) -> None:
    groups = [group(f"{number}{'x' * 100}") for number in range(300)]
    plan_groups(groups, {}, "--max-runners=2")
    with pytest.raises(AssertionError):
        plan_groups(groups, {}, "--max-runners=1")
    assert capsys.readouterr().err == (
        "plan-groups: --max-runners: runner 1 | 300 groups are more than a job can read from a variable, which Linux "
        "limits to 128 KiB. Let more runners share the groups.\n"
    )


def test_labels_are_a_set(plan_groups: PlanGroups) -> None:
    groups = [group("a", "x"), group("b", ["x"]), group("c", ["x", "y"]), group("d", ["y", "x"])]
    matrix, _ = plan_groups(groups, {}, "--max-runners=2")
    assert names(matrix) == [["a", "b"], ["c", "d"]]


@pytest.mark.parametrize("on_github", [True, False])
def test_damaged_durations(
    on_github: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TEST_GROUPS", json.dumps([group("b"), group("a")]))
    monkeypatch.setenv("GITHUB_ACTIONS", "true" if on_github else "")
    (tmp_path / "durations.json").write_text('{"groups": [{')
    assert main([f"--durations={tmp_path / 'durations.json'}"]) == 0
    output = capsys.readouterr()
    assert names(json.loads(output.out)) == [["b"], ["a"]]
    start = "::warning title=plan-groups::" if on_github else "plan-groups: warning: "
    assert output.err.startswith(f"{start}{tmp_path}/durations.json: can't read the durations of earlier runs (JSONDec")
    assert "Remove it: the next run writes a new one.\n2 runners for 2 groups. No time" in output.err


def test_groups_of_an_earlier_version() -> None:
    groups = [{"job_name": name, "artifact_group_id": name, "path_to_test_file": name} for name in "ab"]
    durations = Durations({group_key(groups[1]): [{"seconds": 5}]})
    plan = make_plan(groups, durations)
    assert plan.runners == [[0], [1]]
    assert plan.seconds == [5, 5]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (
            ["--max-runners=1"],
            2,
            "--max-runners 1: the groups need 2 kinds of runner. Write --max-runners 2 or more.\n",
        ),
        (
            ["--groups=damaged"],
            2,
            "damaged: this is not the JSON list that pytest --collect-groups writes (runner is null,",
        ),
        (["--groups=nowhere"], 2, "nowhere: this file can't be read: No such file or directory. Name the file with"),
        (["--max-runners=257"], None, "argument --max-runners: not a number of runners, from 0 to 256: '257'\n"),
        (["--max-runners=x"], None, "argument --max-runners: not a number of runners, from 0 to 256: 'x'\n"),
    ],
)
def test_error(
    arguments: list[str],
    code: int | None,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("TEST_GROUPS", json.dumps([group("a"), group("b", "large")]))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "damaged").write_text(json.dumps([group("a") | {"runner": 5}]))
    if code is None:
        with pytest.raises(SystemExit, match="2"):
            main(arguments)
    else:
        assert main(arguments) == code
    output = capsys.readouterr()
    assert output.out == ""
    assert f"plan-groups: {'' if code else 'error: '}{message}" in output.err


def test_outside_github(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("TEST_GROUPS", json.dumps([group("a")]))
    assert main([]) == 0
    output = capsys.readouterr()
    assert names(json.loads(output.out)) == [["a"]]
    assert output.err == "1 runner for 1 group. No time of an earlier run is known.\n"


def longest_first_end(seconds: list[float], runners: int) -> float:
    """Return when the last runner ends if the longest group that is left always goes to the one that is free first."""
    free = [0.0] * runners
    for time in sorted(seconds, reverse=True):
        free[free.index(min(free))] += time
    return max(free)


def ends(plan: list[list[int]], seconds: list[float]) -> list[float]:
    return [sum(seconds[group] for group in runner) for runner in plan]


TIMES = st.integers(0, 50).map(float)


@settings(deadline=None)
@given(st.lists(st.tuples(TIMES, st.sampled_from("abc")), min_size=1, max_size=30), st.integers(0, 12))
def test_plan_is_never_later_than_longest_first(groups: list[tuple[float, str]], more: int) -> None:
    seconds, kinds = [time for time, _ in groups], [kind for _, kind in groups]
    max_runners = len({*kinds}) + more
    plan = assign(seconds, kinds, max_runners)
    assert sorted(group for runner in plan for group in runner) == [*range(len(groups))]
    assert all(len({kinds[group] for group in runner}) == 1 for runner in plan)
    assert len(plan) <= max_runners
    # Of all ways to share the runners between the kinds.
    of_kinds = [[time for time, other in groups if other == kind] for kind in {*kinds}]
    best = min(
        max(longest_first_end(times, number) for times, number in zip(of_kinds, numbers, strict=True))
        for numbers in product(range(1, more + 2), repeat=len(of_kinds))
        if sum(numbers) <= max_runners
    )
    assert max(ends(plan, seconds)) == best
    # One runner less would make it later.
    if len(plan) > len(of_kinds):
        assert max(ends(assign(seconds, kinds, len(plan) - 1), seconds)) > best


@pytest.mark.parametrize(
    ("minutes", "allowed", "used", "end"),
    [([10, 7, 5, 4, 4], 4, 4, 10), ([17, 15, 14, 14, 8, 8, 8], 7, 6, 17), ([4, 4, 4, 4], 3, 2, 8)],
)
def test_all_runners_that_help(
    plan_groups: PlanGroups, minutes: list[float], allowed: int, used: int, end: float
) -> None:
    names = [str(number) for number in range(len(minutes))]
    matrix, shown = plan_groups(
        [group(name) for name in names], dict(zip(names, minutes, strict=True)), f"--max-runners={allowed}"
    )
    assert re.search(rf"^this plan +{end + 6}\.0 min", shown, re.MULTILINE)
    assert len(matrix) == used
