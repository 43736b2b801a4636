"""The command `report-groups`, as a process of its own, on what the jobs of the groups have uploaded."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import pytest

if TYPE_CHECKING:
    from conftest import Collect, MakeSuite, Run

RUN = "https://github.com/o/r/actions/runs/1"
JOB = f"{RUN}/job/2"
JOB_PASSED = '{"status": "success", "url": ""}'
JOB_FAILED = '{"status": "failure", "url": ""}'
PASSED = '<testsuites><testsuite tests="3" skipped="1" time="61.5"/></testsuites>'
FAILED = '<testsuites><testsuite tests="3" failures="1" errors="2" time="1"/></testsuites>'
NO_GROUPS = "Every test was deselected (by -k, -m, --deselect or a plugin): there is no group to run."
THE_LIST = "the JSON list that pytest --collect-groups writes"
NOT_SET = f"this environment variable is not set. Set it to {THE_LIST}, or name a file with it: --groups FILE"
NOT_THE_LIST = f"this is not {THE_LIST}"
DEEP = "[" * 100_000
TOO_DEEP = "maximum recursion depth exceeded" if sys.version_info < (3, 14) else "Stack overflow"
DEEP_XML = f"{'<a>' * 100_000}{'</a>' * 100_000}</testsuites>"
UNREADABLE = "failed: the report of pytest is unreadable | - | -"
SUITE = """
@pytest.mark.group(1)
def test_passes(): ...

@pytest.mark.group(1)
@pytest.mark.skip
def test_is_skipped(): ...

@pytest.mark.group(2)
def test_fails(): assert 0

@pytest.mark.group(2)
@pytest.mark.parametrize("number", [1, 2])
def test_has_an_error(number, missing): ...

@pytest.mark.group("cancelled")
def test_is_interrupted(): ...

@pytest.mark.group("early")
def test_before_which_the_job_fails(): ...

@pytest.mark.group("late")
def test_after_which_the_job_fails(): ...

@pytest.mark.group("lost")
def test_whose_machine_is_lost(): ...
"""

Report: TypeAlias = Callable[..., subprocess.CompletedProcess[str]]
Upload: TypeAlias = Callable[..., None]


@pytest.fixture
def summary(pytester: pytest.Pytester) -> Path:
    return pytester.path / "summary"


@pytest.fixture
def report(pytester: pytest.Pytester, summary: Path) -> Report:
    """Run the command as a step on GitHub does, where no rich is installed."""
    (pytester.path / "rich.py").write_text("raise ImportError('no rich here')")

    def run(groups: object, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        given = {} if groups is None else {"TEST_GROUPS": groups if isinstance(groups, str) else json.dumps(groups)}
        on_github = {"GITHUB_STEP_SUMMARY": str(summary), "PYTHONPATH": str(pytester.path)}
        ended = subprocess.run(
            [sys.executable, "-W", "error", "-m", "pytest_operator_groups.report.report_groups", *arguments],
            cwd=pytester.path,
            env=os.environ | on_github | given | variables,
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Traceback" not in ended.stderr
        return ended

    return run


@pytest.fixture
def upload(pytester: pytest.Pytester) -> Upload:
    """Make the artifact of a group, of the texts that are given."""

    def make(group: str, junit: str | None = None, job: str | None = None) -> None:
        folder = pytester.path / "logs" / f"logs-{group}"
        folder.mkdir(parents=True)
        for name, text in (("junit.xml", junit), ("job.json", job)):
            if text is not None:
                (folder / name).write_text(text, errors="surrogatepass")

    return make


def group(name: str, artifact: str = "a") -> dict[str, str]:
    return {"job_name": name, "artifact_group_id": artifact}


def test_earlier_attempt(upload: Upload, report: Report) -> None:
    junit = "<testsuites><testsuite tests='1'><testcase name='test_a' time='1'/></testsuite></testsuites>"
    for attempt in (1, 2):
        upload(str(attempt), junit, json.dumps({"status": "success", "attempt": attempt}))
    groups = [group("kept", "1"), group("repeated", "2"), group("lost", "3")]
    ended = report(groups, "logs", "--prefix=logs", GITHUB_RUN_ATTEMPT="2")
    assert ended.stdout.splitlines()[2:6] == [
        "GROUP     RESULT                        TESTS   TIME",
        "kept      passed (attempt 1)                1  0.0 s",
        "repeated  passed                            1  0.0 s",
        "lost      failed: the job left no logs      -      -",
    ]


def test_time_of_a_group_that_was_killed(upload: Upload, report: Report, summary: Path) -> None:
    times = {"started": 0, "tests_started": 300, "tests_ended": 3900}
    upload("a", job=json.dumps({"status": "failure", **times}))
    ended = report([group("hung")], "logs", "--prefix=logs")
    assert "hung   failed: pytest wrote no report      -  60 min 0.0 s\n" in ended.stdout
    assert "Runner-minutes: 5.0 of set-up, 60.0 of tests, 0.0 idle, 65.0 in all\n" in summary.read_text()


def test_all_kinds_of_groups(
    make_suite: MakeSuite, run: Run, collect: Collect, upload: Upload, report: Report, summary: Path
) -> None:
    suite = make_suite({"tests/integration/test_a.py": SUITE})
    groups = collect()
    statuses = {"1": "success", "2": "failure", "cancelled": "cancelled", "early": "failure", "late": "failure"}
    for number, (name, status) in enumerate(statuses.items()):
        upload(f"test_a.py-group-{name}", job=json.dumps({"status": status, "url": f"{RUN}/job/{number}"}))
        if name != "early":
            junit = suite / f"logs/logs-test_a.py-group-{name}/junit.xml"
            run("tests/integration/test_a.py", f"--group={name}", f"--junit-xml={junit}")
            junit.write_text(re.sub(' time="[^"]*"', ' time="0.1"', junit.read_text()))
    ended = report(groups, "logs", "--prefix=logs", "--title", "lxd, Juju 3.6.1", "--run-url", RUN)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.splitlines() == [
        "lxd, Juju 3.6.1: 1 group passed, 4 failed, 1 cancelled",
        "",
        "GROUP                        RESULT                                                TESTS   TIME",
        "test_a.py | group 1          passed                                         2, 1 skipped  0.1 s",
        "test_a.py | group 2          failed: 1 failure, 2 errors                               3  0.1 s",
        f"  {RUN}/job/1",
        "test_a.py | group cancelled  cancelled                                                 1  0.1 s",
        f"  {RUN}/job/2",
        "test_a.py | group early      failed: pytest wrote no report                            -      -",
        f"  {RUN}/job/3",
        "test_a.py | group late       failed: the tests passed, but the job did not             1  0.1 s",
        f"  {RUN}/job/4",
        "test_a.py | group lost       failed: the job left no logs                              -      -",
        f"  {RUN}",
    ]
    assert summary.read_text().replace(RUN, "RUN").splitlines()[:12] == [
        "### lxd, Juju 3.6.1: 1 group passed, 4 failed, 1 cancelled",
        "",
        "Failed: `test_a.py | group 2`, `test_a.py | group early`, `test_a.py | group late` and 1 more.",
        "",
        "| Group | Result | Tests | Time | Log |",
        "| --- | --- | ---: | ---: | --- |",
        r"| `test_a.py \| group 1` | passed | 2, 1 skipped | 0.1 s | [log](RUN/job/0) |",
        r"| `test_a.py \| group 2` | failed: 1 failure, 2 errors | 3 | 0.1 s | [log](RUN/job/1) |",
        r"| `test_a.py \| group cancelled` | cancelled | 1 | 0.1 s | [log](RUN/job/2) |",
        r"| `test_a.py \| group early` | failed: pytest wrote no report | - | - | [log](RUN/job/3) |",
        r"| `test_a.py \| group late` | failed: the tests passed, but the job did not | 1 | 0.1 s | [log](RUN/job/4) |",
        r"| `test_a.py \| group lost` | failed: the job left no logs | - | - | [log](RUN) |",
    ]


# The report of pytest and job.json in an artifact, and what is said of its group.
ARTIFACTS = [
    (PASSED, JOB_PASSED, "passed | 3, 1 skipped | 1 min 1.5 s"),
    (FAILED, JOB_PASSED, "failed: 1 failure, 2 errors | 3 | 1.0 s"),
    (FAILED, '{"status": "cancelled"}', "failed: 1 failure, 2 errors | 3 | 1.0 s"),
    (None, '{"status": "cancelled"}', "cancelled | - | -"),
    (None, '{"status": "timed_out"}', "failed: timed out | - | -"),
    (PASSED, '{"status": "timed_out"}', "failed: timed out | 3, 1 skipped | 1 min 1.5 s"),
    (FAILED, '{"status": "timed_out"}', "failed: timed out, 1 failure, 2 errors | 3 | 1.0 s"),
    (None, JOB_PASSED, "failed: pytest wrote no report | - | -"),
    (None, None, "failed: pytest wrote no report | - | -"),
    (PASSED[:-5], JOB_FAILED, "failed: pytest wrote no report | - | -"),
    ("", JOB_FAILED, "failed: pytest wrote no report | - | -"),
    ("\0</testsuites>", JOB_FAILED, "failed: the report of pytest is unreadable | - | -"),
    (PASSED.replace("3", "x"), JOB_FAILED, "failed: the report of pytest is unreadable | - | -"),
    ("\0</testsuites>", JOB_PASSED, "passed | - | -"),
    *(
        (PASSED.replace('time="61.5"', time), JOB_PASSED, "passed | 3, 1 skipped | -")
        for time in ('time="nan"', 'time="inf"', 'time="-inf"', 'time="-1"', 'time="1e400"')
    ),
    (PASSED.replace('time="61.5"', ""), JOB_PASSED, "passed | 3, 1 skipped | 0.0 s"),
    *(
        (PASSED.replace('"3"', number), JOB_PASSED, "passed | - | -")
        for number in ('"nan"', '"1.5"', '""', '"3" time2="\ud800"')
    ),
    (PASSED.replace("3", "9" * 5000), JOB_PASSED, "passed | - | -"),
    (PASSED.replace("61.5", "soon"), JOB_PASSED, "passed | - | -"),
    (DEEP_XML, JOB_FAILED, UNREADABLE),
    ('<?xml version="1.0" encoding="utf-7"?><testsuites></testsuites>', JOB_FAILED, UNREADABLE),
    ('<?xml version="1.0" encoding="nope"?><testsuites></testsuites>', JOB_FAILED, UNREADABLE),
    (PASSED, DEEP, "failed: the tests passed, but the job did not | 3, 1 skipped | 1 min 1.5 s"),
    ("<testsuites></testsuites>", JOB_FAILED, "failed: no tests ran | 0 | 0.0 s"),
    (PASSED.replace("3", "0"), JOB_PASSED, "failed: no tests ran | 0, 1 skipped | 1 min 1.5 s"),
    *(
        (PASSED, job, "failed: the tests passed, but the job did not | 3, 1 skipped | 1 min 1.5 s")
        for job in (None, "", "{", "[]", "\0", '{"status": ["success"]}')
    ),
]


def test_what_artifacts_say(upload: Upload, report: Report, summary: Path) -> None:
    for number, (junit, job, _) in enumerate(ARTIFACTS):
        upload(str(number), junit, job)
    groups = [group(f"g{number}", str(number)) for number in range(len(ARTIFACTS))]
    ended = report(groups, "logs", "--prefix", "logs")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert [line for line in summary.read_text().splitlines() if line.startswith("| `g")] == [
        f"| `g{number}` | {cells} | - |" for number, (_, _, cells) in enumerate(ARTIFACTS)
    ]


def test_report_that_is_no_file(pytester: pytest.Pytester, report: Report) -> None:
    (pytester.path / "logs/logs-a/junit.xml").mkdir(parents=True)
    ended = report([group("g"), group("h", "\0")], "logs", "--prefix=logs")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == (
        "0 groups passed, 2 failed\n"
        "\n"
        "GROUP  RESULT                                      TESTS  TIME\n"
        "g      failed: the report of pytest is unreadable      -     -\n"
        "h      failed: the report of pytest is unreadable      -     -\n"
    )


@pytest.mark.parametrize(
    ("url", "link"),
    [
        (JOB, f"[log]({JOB})"),
        (f"{JOB}?pr=3#step:4:5", f"[log]({JOB}?pr=3#step:4:5)"),
        ("", f"[log]({RUN})"),
        (None, f"[log]({RUN})"),
        ("javascript:alert(1)", f"[log]({RUN})"),
        ("https://x) | `<b>`\n| \\", "[log](https://x%29%20%7C%20%60%3Cb%3E%60%0A%7C%20%5C)"),
        ("https://x/é\udcff", "[log](https://x/%C3%A9?)"),
    ],
)
def test_link(upload: Upload, report: Report, summary: Path, url: str | None, link: str) -> None:
    upload("a", PASSED, json.dumps({"status": "success", "url": url}))
    ended = report([group("g")], "logs", "--prefix=logs", f"--run-url={RUN}")
    assert f"| {link} |\n" in summary.read_text()
    # A group that has passed needs no look at its log.
    assert "https://" not in ended.stdout


@pytest.mark.parametrize(
    ("title", "shown", "heading"),
    [
        ("::error::no", ": :error::no: ", r"### ::error::no: "),
        ("##[error]no", "## [error]no: ", r"### ##\[error\]no: "),
        ("@me of https://a.b or www.a.b", "@me of https://a.b or www.a.b: ", r"### \@me of https\://a.b or www\.a.b: "),
    ],
)
def test_hostile_title(upload: Upload, report: Report, summary: Path, title: str, shown: str, heading: str) -> None:
    upload("a", PASSED, JOB_PASSED)
    ended = report([group("a")], "logs", "--prefix=logs", f"--title={title}")
    assert ended.stdout.startswith(f"{shown}1 group passed, 0 failed\n")
    assert summary.read_text().startswith(f"{heading}1 group passed, 0 failed\n")


def test_time_that_no_date_has(upload: Upload, report: Report, summary: Path, tmp_path: Path) -> None:
    times = {"started": 1e300, "tests_started": 1e299, "tests_ended": 1e308}
    upload("a", PASSED.replace("61.5", "1e300"), json.dumps({"status": "success", **times}))
    ended = report([group("a")], "logs", "--prefix=logs", f"--durations={tmp_path / 'durations.json'}")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.splitlines()[2:] == ["GROUP  RESULT         TESTS  TIME", "a      passed  3, 1 skipped     -"]


def test_hostile_names(upload: Upload, report: Report, summary: Path) -> None:
    upload("a", PASSED, JOB_PASSED)
    names = ["a|b", "`|`` <img>", "\n| x |\n", "\x1b[31m\u202e", "日本", "\udcff"]
    ended = report([*map(group, names)], "logs", "--prefix=logs", "--title=*`<b>`\n_[x]", PYTHONIOENCODING="ascii")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.splitlines() == [
        "*`<b>`\\n_[x]: 6 groups passed, 0 failed",
        "",
        "GROUP           RESULT         TESTS         TIME",
        "a|b             passed  3, 1 skipped  1 min 1.5 s",
        "`|`` <img>      passed  3, 1 skipped  1 min 1.5 s",
        r"\n| x |\n       passed  3, 1 skipped  1 min 1.5 s",
        r"\x1b[31m\u202e  passed  3, 1 skipped  1 min 1.5 s",
        r"\u65e5\u672c            passed  3, 1 skipped  1 min 1.5 s",
        r"\udcff          passed  3, 1 skipped  1 min 1.5 s",
    ]
    heading, *lines = summary.read_text(encoding="utf-8").splitlines()
    a, b, c, d, e, f = (line for line in lines if line.startswith("| `"))
    assert heading == r"### \*\`\<b\>\`\\n\_\[x\]: 6 groups passed, 0 failed"
    assert [row.removesuffix(" | passed | 3, 1 skipped | 1 min 1.5 s | - |") for row in (a, b, c, d, e, f)] == [
        r"| `a\|b`",
        r"| ``` `\|`` <img> ```",
        r"| `\n\| x \|\n`",
        r"| `\x1b[31m\u202e`",
        "| `日本`",
        r"| `\udcff`",
    ]


@pytest.mark.parametrize(("arguments", "title"), [([], ""), (["--title=lxd"], "lxd: ")])
def test_no_group(report: Report, summary: Path, arguments: list[str], title: str) -> None:
    ended = report("[]", "logs", "--prefix=logs", *arguments)
    said = f"{title}0 groups passed, 0 failed\n\n{NO_GROUPS}\n"
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, said, "")
    assert summary.read_text() == f"### {said}"


def test_no_folder(report: Report) -> None:
    ended = report([group("g")], "nowhere", "--prefix=logs")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == (
        "0 groups passed, 1 failed\n"
        "\n"
        "GROUP  RESULT                        TESTS  TIME\n"
        "g      failed: the job left no logs      -     -\n"
    )


def test_no_summary(report: Report, summary: Path) -> None:
    ended = report("[]", "logs", "--prefix=logs", GITHUB_STEP_SUMMARY="")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert NO_GROUPS in ended.stdout
    assert not summary.exists()


def test_summary_is_appended(report: Report, summary: Path) -> None:
    summary.write_text("before")
    report("[]", "logs", "--prefix=logs")
    assert summary.read_text() == f"before\n### 0 groups passed, 0 failed\n\n{NO_GROUPS}\n"


def test_summary_that_can_not_be_written(report: Report, pytester: pytest.Pytester) -> None:
    ended = report("[]", "logs", "--prefix=logs", GITHUB_STEP_SUMMARY=str(pytester.path))
    assert (ended.returncode, NO_GROUPS in ended.stdout) == (1, True)
    assert ended.stderr == (
        f"report-groups: GITHUB_STEP_SUMMARY: can't write to {pytester.path}: Is a directory. "
        "Outside GitHub Actions, unset the variable: unset GITHUB_STEP_SUMMARY\n"
    )


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (None, NOT_SET),
        ("", NOT_SET),
        ("[", f"{NOT_THE_LIST} (Expecting value: line 1 column 2 (char 1))"),
        pytest.param(DEEP, f"{NOT_THE_LIST} ({TOO_DEEP}", id="deep"),
        *(
            (groups, f"{NOT_THE_LIST} (each group is an object with job_name and artifact_group_id)")
            for groups in (
                "{}",
                "1",
                "[1]",
                '["a"]',
                '[{"job_name": "a"}]',
                '[{"job_name": 1, "artifact_group_id": ""}]',
            )
        ),
    ],
)
def test_groups_that_can_not_be_read(
    report: Report, summary: Path, monkeypatch: pytest.MonkeyPatch, groups: str | None, message: str
) -> None:
    monkeypatch.delenv("TEST_GROUPS", raising=False)
    ended = report(groups, "logs", "--prefix=logs")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith(f"report-groups: TEST_GROUPS: {message}")
    assert not summary.exists()


def test_groups_in_a_file(upload: Upload, report: Report, pytester: pytest.Pytester) -> None:
    upload("a", PASSED, JOB_PASSED)
    groups = [group(f"{'long/' * 100}test_{number}.py | group 1") for number in range(256)]
    path = pytester.path / "groups.json"
    path.write_text(json.dumps(groups))
    assert path.stat().st_size > 128 * 1024
    # The file counts, and not the variable.
    ended = report("[", "logs", "--prefix=logs", "--groups", "groups.json")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("256 groups passed, 0 failed\n")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            None,
            (
                "groups.json: this file can't be read: No such file or directory. "
                f"Name the file with {THE_LIST}: --groups FILE"
            ),
        ),
        (b"", f"groups.json: {NOT_THE_LIST} (Expecting value: line 1 column 1 (char 0))"),
        (b"\xff", f"groups.json: {NOT_THE_LIST} ('utf-8' codec can't decode byte 0xff"),
        (b"[1]", f"groups.json: {NOT_THE_LIST} (each group is an object with job_name and artifact_group_id)"),
    ],
)
def test_file_of_groups_that_can_not_be_read(
    report: Report, pytester: pytest.Pytester, content: bytes | None, message: str
) -> None:
    if content is not None:
        (pytester.path / "groups.json").write_bytes(content)
    ended = report(None, "logs", "--prefix=logs", "--groups=groups.json")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith(f"report-groups: {message}")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--prefix=logs"], "the following arguments are required: FOLDER"),
        (["logs"], "the following arguments are required: --prefix"),
        (["logs", "--prefix=logs", "--run=x"], "unrecognized arguments: --run=x"),
    ],
)
def test_usage_error(report: Report, arguments: list[str], message: str) -> None:
    ended = report("[]", *arguments)
    assert (ended.returncode, ended.stdout) == (2, "")
    usage, _, error = ended.stderr.partition("\nreport-groups: error: ")
    assert " ".join(usage.split()) == (
        "usage: report-groups [-h] --prefix PREFIX [--groups FILE] [--title TEXT] [--run-url URL] [--durations FILE] "
        "[--output FILE] [--partial] FOLDER"
    )
    assert error == f"{message}\n"


def test_is_a_command() -> None:
    command = [str(Path(sys.executable).with_name("report-groups")), "logs", "--prefix=logs"]
    ended = subprocess.run(command, env={"TEST_GROUPS": "[]"}, capture_output=True, text=True, check=True)
    assert ended.stdout == f"0 groups passed, 0 failed\n\n{NO_GROUPS}\n"


def test_durations(upload: Upload, report: Report, pytester: pytest.Pytester) -> None:
    path = pytester.path / "durations.json"
    other = {"path_to_test_file": "b", "group_id": "1", "runs": [{"seconds": 1, "started": time.time()}]}
    gone = {"path_to_test_file": "c", "group_id": "1", "runs": [{"seconds": 1, "started": time.time() - 91 * 86400}]}
    path.write_text(json.dumps({"groups": [other, gone]}))
    upload("a", PASSED, JOB_PASSED)
    groups = [group("g") | {"path_to_test_file": "a", "group_id": "1"}]
    for arguments, left in (["--partial"], {"a": 61.5, "b": 1}), (["--output=report.md"], {"a": 61.5}):
        ended = report(groups, "logs", "--prefix=logs", "--durations=durations.json", *arguments)
        assert (ended.returncode, ended.stderr) == (0, "")
        written = json.loads(path.read_bytes())["groups"]
        assert {entry["path_to_test_file"]: entry["seconds"] for entry in written} == left
    assert (
        (pytester.path / "report.md").read_text().startswith("### 1 group passed, 0 failed\n\nIt took 1 min 1.5 s.\n")
    )
    path.write_text("x")
    ended = report(groups, "logs", "--prefix=logs", "--durations=durations.json")
    assert (ended.returncode, "1 group passed" in ended.stdout) == (0, True)
    assert ended.stderr.startswith("report-groups: warning: durations.json: can't read the durations of earlier runs (")
    assert json.loads(path.read_bytes())["groups"][0]["seconds"] == 61.5
