"""What `run-groups` shows on a terminal of 80 columns: no line wraps, whatever the names."""

from __future__ import annotations

import contextlib
import io
import json
import os
import pty
import re
import subprocess
import sys
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from pytest_operator_groups.common.text import cell_width, wrap
from pytest_operator_groups.formats.durations import Durations
from pytest_operator_groups.formats.junit import JUnit
from pytest_operator_groups.formats.records import Record
from pytest_operator_groups.run.job import Job
from pytest_operator_groups.run.screen import LiveTable, describe_outcomes, show_summary
from rich.cells import cell_len

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import MakeSuite

NAMES = ["long-" * 30, "日本語の長い名前" * 10, "🐧" * 40, "\u202e[red]" * 20, "é" * 90]
COLUMNS = 80
# Paths and commands are there to be copied.
COPIED = ("  repeat: ", "  log:    ", "report: ", "$ ")


def plain(text: str) -> str:
    """Return the text without colours, and without what moves the cursor."""
    return re.sub("\x1b\\[[0-9;?]*[a-zA-Z]", "", text).replace("\r\n", "\n").replace("\r", "\n")


def longest(text: str, logs: str = "") -> int:
    """Return the length of the longest line, in cells, without what is copied and what pytest wrote into the logs."""
    written_by_pytest = set(logs.split("\n"))
    lines = [line for line in text.split("\n") if not line.startswith(COPIED) and line not in written_by_pytest]
    return max(max(cell_width(line), cell_len(line)) for line in lines)


def make_job(name: str, path: Path) -> Job:
    return Job(f"{name}.py | group {name}", Record(f"{name}.py", name), ["pytest", name], path, path, path, path)


def make_jobs(folder: Path) -> list[Job]:
    jobs = [make_job(name, folder / str(number)) for number, name in enumerate(NAMES)]
    for job in jobs:
        job.started = 3600.0
    return jobs


def read_terminal(terminal: int) -> bytes:
    """Return all that is written to a terminal until nothing has it open any more."""
    shown = b""
    # Linux: EIO, others: nothing.
    with contextlib.suppress(OSError):
        while read := os.read(terminal, 10_000):
            shown += read
    os.close(terminal)
    return shown


@pytest.mark.slow
def test_run_in_terminal(make_suite: MakeSuite) -> None:
    # The first test fails.
    groups = "".join(f"@pytest.mark.group({name!a})\ndef test_{i}(): assert {i}\n" for i, name in enumerate(NAMES))
    suite = make_suite({"test_a.py": groups})
    terminal, slave = pty.openpty()
    environment = os.environ | {"TERM": "xterm", "COLUMNS": str(COLUMNS), "LINES": "30"}
    command = [sys.executable, "-m", "pytest_operator_groups.run.run_groups", "--jobs=5"]
    with subprocess.Popen(command, cwd=suite, stdin=slave, stdout=slave, stderr=slave, env=environment) as process:
        os.close(slave)
        text = plain(read_terminal(terminal).decode())
    assert process.returncode == 1
    assert "one after the other" in text
    assert "…" in text
    logs = "".join(log.read_text() for log in (suite / ".run-groups").glob("*.log"))
    assert longest(text, logs) <= COLUMNS, text


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def open_terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Let stdout be a terminal of 80 columns."""
    for name, value in {"COLUMNS": str(COLUMNS), "LINES": "30", "TERM": "xterm"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.stdout", terminal := Terminal())
    return terminal


def test_live_table_with_running_tests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = open_terminal(monkeypatch)
    jobs = make_jobs(tmp_path)
    for job in jobs:
        job.record.result, job.expected = "running", 36_000
        told = [{"pid": 1}, {"tests": 100}, {"test": f"{job.record.path}::test_{job.record.group_id}"}]
        job.progress.write_text("".join(f"{json.dumps(line)}\n" for line in told))
    jobs += [make_job(str(number), tmp_path) for number in range(52)]
    table = LiveTable(jobs, lambda: 7200, 5)
    table.start()
    table.stop()
    text = plain(terminal.getvalue())
    assert "5 running, 52 waiting, 120 min 0.0 s" in text
    assert re.search(r"^long-.*….*-long- +running +60 min 0\.0 s +540 min +1/100 .*….*-long- *$", text, re.MULTILINE)
    assert longest(text) <= COLUMNS, text


def test_live_table_on_a_narrow_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = open_terminal(monkeypatch)
    monkeypatch.setenv("COLUMNS", "40")
    states = ["waiting", "running", "passed", "failed", "not run"]
    jobs = [make_job(state, tmp_path) for state in states]
    for job, state in zip(jobs, states, strict=True):
        job.record.result, job.started = state, 0.0
    table = LiveTable(jobs, lambda: 7200, 5)
    table.start()
    table.stop()
    first, second, *_ = plain(terminal.getvalue()).strip().split("\n")
    assert first.startswith("1 running, 1 failed, 1 waiting, ")
    assert second.startswith("GROUP ")


def test_live_table_in_few_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = open_terminal(monkeypatch)
    monkeypatch.setenv("LINES", "5")
    table = LiveTable([make_job(name, tmp_path) for name in ("one", "other")], lambda: 0, 1)
    table.start()
    table.stop()
    assert "and 1 more" in plain(terminal.getvalue())


def test_summary_with_notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = open_terminal(monkeypatch)
    jobs = make_jobs(tmp_path)
    for job in jobs:
        job.record.result, job.record.reason, job.record.seconds = "failed", "ended without a report: " * 5, 60.0
        job.report = JUnit(tests=10_000)
    jobs[0].record.seconds = 36_000
    cases = "".join(f"<testcase name='{name * 90}' time='18000'/>" for name in "ab")
    jobs[0].report = JUnit([ET.fromstring(f"<testsuite>{cases}</testsuite>")], tests=10_000)  # noqa: S314, the text is above
    outcomes = [job.outcome for job in jobs]
    show_summary(jobs, 36_000, describe_outcomes(outcomes, Durations(), 5, COLUMNS))
    text = plain(terminal.getvalue())
    (table,) = re.findall("^GROUP .*?\n\n", text, re.DOTALL | re.MULTILINE)
    assert len(table.split("\n")) == 1 + len(jobs) + 2, table
    assert "600 min, because of long-" in text
    assert "If you split it after aaa" in text.replace("\n  ", " ")
    assert f"\n  repeat: pytest {NAMES[0]}\n" in text
    assert longest(text) <= COLUMNS, text


def test_fold() -> None:
    assert wrap("one two three", 7) == ["one two", "  three"]
    assert wrap("日本 日本 x", 9) == ["日本 日本", "  x"]
    assert wrap("x" * 9, 5) == ["x" * 9]
