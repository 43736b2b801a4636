"""What a group's exit code and its JUnit file say of it, and the JUnit file of them all."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from pytest_operator_groups._groups import count
from pytest_operator_groups._output import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from pytest_operator_groups._runner import Job

# https://docs.pytest.org/en/stable/reference/exit-codes.html
_USAGE_ERROR = 4
_MEANINGS = {
    1: "tests failed",
    2: "interrupted, or an error of the collection",
    3: "an internal error of pytest or a plugin",
    _USAGE_ERROR: "a usage error",
    5: "no tests ran",
}


def judge(returncode: int, junit: Path) -> tuple[str, int | None]:
    """Return why a group failed, or "" if it passed, and the number of its tests, or None where that isn't known.

    Args:
        returncode: Of its process: pytest's exit code, or a signal's number, negated.
        junit: The report that pytest was told to write.
    """
    suites = read_suites(junit)
    tests = total(suites, "tests") if suites else None
    if returncode < 0:
        return f"killed by {_signal(-returncode)}", tests
    if suites is None and returncode != _USAGE_ERROR:
        return f"ended without a report (exit code {returncode}): did a test call os._exit?", None
    code = f"{_MEANINGS.get(returncode, 'unknown to pytest')} (exit code {returncode})"
    if returncode == 0:
        return ("no tests ran" if tests == 0 else ""), tests
    if returncode == 1 and suites:
        return failures(suites) or code, tests
    return code, tests


def merge(jobs: Iterable[Job]) -> bytes:
    """Return one JUnit file of all groups: their reports, and an error for each failure that no report tells of."""
    root = ET.Element("testsuites")
    for job in jobs:
        name = printable(job.name)
        suites = read_suites(job.junit) or []
        for suite in suites:
            suite.set("name", name)
        root.extend(suites)
        is_error = job.state != "passed" and not failures(suites)
        if suites and not is_error:
            continue
        attributes = {"name": name, "tests": "1", "errors": str(int(is_error)), "failures": "0", "skipped": "0"}
        suite = ET.SubElement(root, "testsuite", attributes)
        case = ET.SubElement(
            suite, "testcase", {"classname": printable(job.path), "name": printable(f"group {job.group_id}")}
        )
        if is_error:
            ET.SubElement(case, "error", {"message": printable(f"{job.state}: {job.reason}")})
    merged: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return merged


def read_suites(junit: Path) -> list[ET.Element] | None:
    """Return the suites of a report; none where it can't be parsed, and None where pytest didn't come to write it."""
    try:
        text = junit.read_bytes()
    except FileNotFoundError:
        return None
    if not text.rstrip().endswith((b"</testsuites>", b"</testsuite>")):
        return None
    try:
        root = ET.fromstring(text)  # noqa: S314, pytest wrote it
    except ET.ParseError:
        # A test's output or name may hold what XML can't; the group's exit code still holds.
        return []
    return list(root.iter("testsuite"))


def failures(suites: Sequence[ET.Element]) -> str:
    """Return the failures and errors in words, or "" where there are none."""
    numbers = {noun: total(suites, f"{noun}s") for noun in ("failure", "error")}
    return ", ".join(count(number, noun) for noun, number in numbers.items() if number)


def total(suites: Iterable[ET.Element], attribute: str) -> int:
    """Return the sum of what the suites count, as in "tests" or "skipped"."""
    return sum(int(suite.get(attribute, 0)) for suite in suites)


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return f"signal {number}"
