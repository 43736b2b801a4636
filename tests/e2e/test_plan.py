"""integration_test_charm.yaml plans: the longest groups first, and groups that share runners."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

from e2e.browser import draw, show
from e2e.test_integration import SECRETS, report, suite

if TYPE_CHECKING:
    from collections.abc import Callable

    from e2e.act import Machine

MERMAID = Path(__file__).parent / "mermaid"
PREFIX = "logs-integration-test-charm"
# The plugins are installed in the environment of these tests. To make one for each job takes long.
PYTEST = "$E2E_PYTHON -m pytest -p no:cacheprovider -p no:randomly"
INI = {"pytest.ini": "[pytest]\n"}
TIMES = """
import time
import pytest

@pytest.mark.group("a")
def test_short(): ...

@pytest.mark.group("b")
def test_long(): time.sleep(20)
"""


def test_second_run_starts_with_the_longest_group(
    machine: Machine, caller: Callable[..., Path], tmp_path: Path
) -> None:
    repository = caller(suite(test_command=PYTEST), INI | {"tests/integration/test_it.py": TIMES})
    runs = [machine.run(repository, cache=tmp_path / "cache") for _ in range(2)]
    assert [run.code for run in runs] == [0, 0], runs[-1].log
    plans = [run.output("Collect groups", "Plan") for run in runs]
    assert "2 runners for 2 groups. No time of an earlier run is known." in plans[0]
    assert re.search(r"this plan +\d+\.\d min", plans[1])
    # act numbers the jobs of a matrix in order. It starts these two at once.
    names = [{name for event in run.events if " | group " in (name := event.get("job", ""))} for run in runs]
    numbered = [{name.rpartition(" ")[2] for name in jobs} for jobs in names]
    assert numbered == [{"a-1", "b-2"}, {"b-1", "a-2"}]
    for run in runs:
        assert report(run) == [(f"test_it.py | group {name}", "passed", "1") for name in "ab"]
        text = run.files(f"{PREFIX}-none-amd64-report")["report.md"].read_text()
        assert text.startswith("### amd64: 2 groups passed, 0 failed\n\nIt took ")
        sections = [line for line in text.splitlines() if line.startswith("section ")]
        assert sorted(sections) == [f"section test_it.py | group {name}" for name in "ab"]


SHARED = """
import os, subprocess, time
import pytest

group = pytest.mark.group
LOGS = os.environ["RUNNER_TEMP"] + "/logs" if "RUNNER_TEMP" in os.environ else ""


def models():
    return set(subprocess.run(["juju", "models"], check=True, capture_output=True, text=True).stdout.split())


@pytest.fixture(autouse=True)
def model(request):
    assert models() == {"controller", "testing"}, "those of the groups before are destroyed"
    assert not os.listdir(LOGS) if os.path.exists(LOGS) else True
    name = f"of-{request.node.name.replace('_', '-')}"
    subprocess.run(["juju", "add-model", name], check=True)
    yield name
    os.makedirs(LOGS, exist_ok=True)
    with open(LOGS + "/torn-down.txt", "w") as file:
        print(name, os.environ["SECRETS_FROM_GITHUB"], file=file)


@group("a")
def test_a(): ...

@group("b")
def test_fails(): assert 7 == 8, "seven is not eight"

@group("c")
def test_hangs(): time.sleep(600)

@group("d")
def test_d(): time.sleep(2)

@group("e")
def test_e(): ...

@group("f")
def test_f(): ...
"""


def test_groups_share_runners(machine: Machine, caller: Callable[..., Path], tmp_path: Path) -> None:
    inputs = {
        "cloud": "lxd",
        "juju_agent_version": "3.6.12",
        "max_runners": "2",
        "test_command": PYTEST,
        "test_timeout": "1.5",  # minutes
    }
    secrets = {"TOKEN": "a token that nobody may see", "KEY": "the key of another door"}
    repository = caller(suite(**inputs) + SECRETS, INI | {"tests/integration/test_it.py": SHARED})
    run = machine.run(repository, secrets=secrets)
    assert run.code == 1, run.log
    names = {letter: f"test_it.py | group {letter}" for letter in "abcdef"}
    assert report(run) == [
        (names["a"], "passed", "1"),
        (names["b"], "failed: 1 failure", "1"),
        # pytest doesn't count a test that is interrupted.
        (names["c"], "failed: timed out", "0"),
        *((names[letter], "passed", "1") for letter in "def"),
    ], run.log
    assert {job for job in run.jobs if job.startswith("runner ")} == {"runner 1 | 3 groups", "runner 2 | 3 groups"}
    for number, letters in ((1, "ace"), (2, "bdf")):
        folds = [
            event["msg"].partition("::group::")[2].strip()
            for event in run.events
            if event.get("command") == "group" and f"runner {number}" in event["job"]
        ]
        assert folds == [names[letter] for letter in letters]
    timeout = f"{names['c']}: the tests took more than 1.5 minutes, and were stopped. Split the group, or raise"
    assert [error.partition(" `")[0] for error in run.errors] == [timeout]
    assert "destroying simulator:admin/of-test-hangs\n" in run.output("runner 1", "Test")

    prefix = f"{PREFIX}-lxd-juju-3.6.12-amd64"
    assert run.names == [f"{prefix}-{last}" for last in ("groups", "report", "runner-1", "runner-2")]
    tests = {"a": "a", "b": "fails", "c": "hangs", "d": "d", "e": "e", "f": "f"}
    for number, letters in ((1, "ace"), (2, "bdf")):
        files = run.files(f"{prefix}-runner-{number}")
        for letter in letters:
            folder = f"{prefix}-test_it.py-group-{letter}"
            torn_down = files[f"{folder}/torn-down.txt"].read_text()
            assert torn_down.startswith(f"of-test-{tests[letter]} "), "also if it hangs"
            assert "***" in torn_down
            assert f"{folder}/junit.xml" in files
            models = {name.split("/")[2] for name in files if name.startswith(f"{folder}/juju/")}
            assert models == {f"simulator-admin-{name}" for name in ("testing", f"of-test-{tests[letter]}")}
            assert json.loads(files[f"{folder}/job.json"].read_text())["runner"] == str(number)
        for file in files.values():
            assert not [value for value in secrets.values() if value in file.read_text()]

    text = run.files(f"{prefix}-report")["report.md"].read_text()
    lines = text.splitlines()
    assert lines[0] == "### juju 3.6.12 | amd64: 4 groups passed, 2 failed"
    assert lines[2] == "Failed: `test_it.py | group b`, `test_it.py | group c`."
    assert re.search(r"^\| `test_it.py \\\| group c` \| failed: timed out \| 0 \| ", text, flags=re.MULTILINE)
    assert re.search(r"^Runner-minutes: [\d.]+ of set-up, [\d.]+ of tests, ", text, flags=re.MULTILINE)
    assert "`pytest tests/integration/test_it.py --group=b`" in text
    assert "seven is not eight" in text
    assert [line for line in lines if line.startswith("section ")] == ["section runner 1", "section runner 2"]
    results = [f"{'failed' if letter in 'bc' else 'passed'} {name}" for letter, name in names.items()]
    check_timeline(text, results, tmp_path)


def check_timeline(text: str, groups: list[str], folder: Path) -> None:
    """Let a browser draw the timeline of a report with two runners, as GitHub does, and check what it shows."""
    page = folder / "page/report.html"
    page.parent.mkdir()
    chart = text.partition("```mermaid\n")[2].partition("```")[0]
    script = (MERMAID / "node_modules/mermaid/dist/mermaid.min.js").as_uri()
    page.write_text(f'<body><pre class="mermaid">{html.escape(chart)}</pre><script src="{script}"></script></body>')
    shown = show(page, lambda shown: "</svg>" in shown)
    bars = re.findall(r'<rect [^>]*class="task ([^"]*)"', shown)
    assert len(bars) == 2 + len(groups), "the set-up of two runners, and the groups"
    failed = [group for group in groups if group.startswith("failed ")]
    assert len([bar for bar in bars if "crit" in bar]) == len(failed)
    labels = [html.unescape(text).strip() for text in re.findall(r"<text [^>]*taskText[^>]*>(.*?)</text>", shown)]
    assert sorted(labels) == sorted(["set-up", "set-up", *groups])
    sections = re.findall(r"<text [^>]*sectionTitle[^>]*>(?:<tspan[^>]*>)?(.*?)<", shown)
    assert sections == ["runner 1", "runner 2"]
    draw(page, picture := folder / "timeline.png")
    assert picture.stat().st_size > 10_000, "more than a background"


MANY = """
import pytest

@pytest.mark.parametrize("number", [pytest.param(n, marks=pytest.mark.group(n)) for n in range(300)])
def test_one(number): ...
"""
# To start 300 pytest takes long. The groups are real.
LIGHT = f"""\
set -eu
case "$*" in
*--group=*)
    mkdir -p "$RUNNER_TEMP/logs"
    echo '<testsuite tests="1" time="1"><testcase name="test_one" time="1"/></testsuite>' >"$RUNNER_TEMP/logs/junit.xml"
    ;;
*) {PYTEST} "$@" ;;
esac
"""


def test_more_groups_than_jobs_of_a_matrix(machine: Machine, caller: Callable[..., Path]) -> None:
    files = INI | {"tests/integration/test_it.py": MANY, "light.sh": LIGHT}
    run = machine.run(caller(suite(test_command="sh light.sh", max_runners="3"), files))
    assert run.code == 0, run.log
    jobs = [job for job in run.jobs if job.startswith("runner ")]
    assert sorted(jobs) == [f"runner {number} | 100 groups" for number in (1, 2, 3)]
    assert "3 runners for 300 groups. No time of an earlier run is known." in run.output("Collect groups", "Plan")
    assert {row[1:] for row in report(run)} == {("passed", "1")}
    assert len(report(run)) == 300
    text = run.files(f"{PREFIX}-none-amd64-report")["report.md"].read_text()
    assert text.startswith("### amd64: 300 groups passed, 0 failed\n")
    assert text.endswith("The timeline has the first 200 of 300 groups.\n")
