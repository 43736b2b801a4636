"""What is known of earlier runs: the records of groups, and durations.json."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from pytest_operator_groups.common.errors import GroupsError
from pytest_operator_groups.formats.durations import Durations, read_durations
from pytest_operator_groups.formats.records import Key, Record
from pytest_operator_groups.report.outcome import read_outcome

if TYPE_CHECKING:
    from pathlib import Path

GROUP = {"path_to_test_file": "tests/test_a.py", "group_id": "1", "job_name": "a | 1"}
A, B = Key("tests/test_a.py", "1"), Key("tests/test_b.py", "1")
JUNIT = """<?xml version="1.0" encoding="utf-8"?><testsuites><testsuite name="pytest" errors="1" failures="1"
skipped="1" tests="5" time="10.5" timestamp="2026-01-01T00:00:00+00:00">
<testcase classname="tests.test_a" name="test_one[&lt;x&gt;]" time="4" />
<testcase classname="tests.test_a.TestB" name="test_two" time="3.5">
<failure message="assert 0&#10; + more">x</failure></testcase>
<testcase classname="tests.test_a" name="test_three" time="nan"><skipped message="no" /></testcase>
<testcase classname="tests.test_a" name="test_four" time="soon"><error message="boom">x</error></testcase>
<testcase classname="tests.test_a" name="test_five" time="2" /><testcase name="test_six" time="1" />
</testsuite></testsuites>"""


def record(key: Key, started: float | None, seconds: float | None, result: str = "passed") -> Record:
    return Record(*key, result, started=started, set_up=60.0, seconds=seconds)


def everything(_: Key) -> bool:
    return True


def test_median_of_the_last_five_runs(tmp_path: Path) -> None:
    path = tmp_path / "new/durations.json"
    for started, seconds in enumerate([1000, 10, 12, 11, 90, 13]):
        durations = read_durations(path)
        durations.add([record(A, started, seconds)], everything)
        durations.write(path)
    durations = read_durations(path)
    assert durations.seconds(*A) == 12
    assert durations.set_up() == 60
    assert [run["seconds"] for run in durations.runs[A]] == [10, 12, 11, 90, 13]
    assert durations.seconds(*B) is None
    assert Durations().set_up() is None
    (group,) = json.loads(path.read_bytes())["groups"]
    assert group.pop("runs")[0] == {
        "started": 1, "set_up": 60, "seconds": 10, "result": "passed", "attempt": 1, "commit": "",
    }  # fmt: skip
    assert group == {"path_to_test_file": "tests/test_a.py", "group_id": "1", "seconds": 12, "set_up": 60}


def test_which_runs_and_groups_are_kept() -> None:
    durations = Durations()
    durations.add([record(A, 1, 10), record(B, 1, 5, "failed")], lambda _: False)
    # The record of a job that wasn't repeated counts once. A cancelled group says nothing of its time.
    durations.add([record(A, 1, 10), record(B, 2, 1, "cancelled"), record(B, None, None, "not run")], everything)
    assert {key: len(runs) for key, runs in durations.runs.items()} == {A: 1, B: 1}
    durations.add([record(A, 2, 20)], lambda key: key != B)
    assert {key: durations.seconds(*key) for key in durations.runs} == {A: 15}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "JSONDecodeError: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        ("[]", "TypeError: list indices must be integers or slices, not str"),
        ('{"groups": [{}]}', "KeyError: 'path_to_test_file'"),
        ('{"groups": [{"path_to_test_file": "a", "group_id": "1", "runs": [1]}]}', "AttributeError: "),
    ],
)
def test_file_that_can_not_be_read(tmp_path: Path, text: str, reason: str) -> None:
    (path := tmp_path / "durations.json").write_text(text)
    with pytest.raises(GroupsError) as raised:
        read_durations(path)
    message = str(raised.value)
    assert message.startswith(f"{path}: can't read the durations of earlier runs ({reason}")
    assert message.endswith("). Remove it: the next run writes a new one.")


@pytest.mark.parametrize("value", [None, "1", -1, True, float("inf"), float("nan"), 10**400])
def test_time_that_makes_no_sense(tmp_path: Path, value: object) -> None:
    run = dict.fromkeys(("started", "set_up", "seconds"), value) | {"result": "?", "attempt": "x"}
    groups = [{"path_to_test_file": "a", "group_id": 1, "runs": [run]}]
    (path := tmp_path / "durations.json").write_text(json.dumps({"groups": groups}))
    durations = read_durations(path)
    assert durations.seconds("a", "1") is None
    assert durations.runs["a", "1"][0]["result"] == "failed"  # type: ignore[index]  # a plain tuple is equal


@pytest.mark.parametrize(
    ("job", "started", "set_up", "seconds"),
    [
        ({}, 1767225600.0, None, 10.5),
        ({"started": 1767225500.5}, 1767225500.5, 99.5, 10.5),
        ({"started": 100, "tests_started": 160, "tests_ended": 190.5}, 100, 60, 30.5),
        ({"started": 100, "tests_started": "x", "tests_ended": -1, "attempt": 0, "commit": 1}, 100, 1767225500, 10.5),
    ],
)
def test_record_of_a_job(
    tmp_path: Path, job: dict[str, object], started: float, set_up: float | None, seconds: float
) -> None:
    (tmp_path / "job.json").write_text(json.dumps({"status": "failure", **job}))
    (tmp_path / "junit.xml").write_text(JUNIT)
    found = read_outcome(GROUP, tmp_path, "").record
    assert (found.started, found.set_up, found.seconds) == (started, set_up, seconds)
    assert (found.result, found.attempt, found.commit) == ("failed", 1, "")
    assert found.tests == {"passed": 3, "failed": 1, "skipped": 1, "error": 1}
    assert [slowest["test"] for slowest in found.as_json()["slowest"]] == [
        "test_one[<x>]",
        "TestB.test_two",
        "test_five",
        "test_six",
        "test_three",
    ]


def test_record_of_a_job_that_pytest_did_not_survive(tmp_path: Path) -> None:
    job = {"status": "cancelled", "started": 100, "tests_started": 160, "tests_ended": 170, "attempt": 2, "commit": "c"}
    (tmp_path / "job.json").write_text(json.dumps(job))
    assert read_outcome(GROUP, tmp_path, "").record == Record(
        *A, "cancelled", started=100, set_up=60, seconds=10, attempt=2, commit="c"
    )
