"""JUnit files, as pytest's --junit-xml writes them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple
from xml.etree import ElementTree as ET

from pytest_operator_groups.common.text import count

if TYPE_CHECKING:
    from pathlib import Path

# No date later than the year 5138 makes sense, and Python can't show those after 9999.
MAX_SECONDS = 1e11


class Case(NamedTuple):
    """A test in a report."""

    name: str
    seconds: float
    outcome: str
    message: str


@dataclass
class JUnit:
    """The content of a JUnit file. If it can't be parsed, nothing is known of the tests.

    Attributes:
        suites: The elements of its suites. They can be changed, for another file.
        tests: The number of tests, or None if it isn't known.
        failures: The number of tests that failed.
        errors: The number of errors outside of tests.
        skipped: The number of tests that were skipped.
        seconds: The time that the tests took, or None if it isn't known.
    """

    suites: list[ET.Element] = field(default_factory=list)
    tests: int | None = None
    failures: int = 0
    errors: int = 0
    skipped: int = 0
    seconds: float | None = None

    @property
    def problems(self) -> str:
        """The failures and errors in words, or "" if there are none."""
        numbers = {"failure": self.failures, "error": self.errors}
        return ", ".join(count(number, noun) for noun, number in numbers.items() if number)

    @cached_property
    def cases(self) -> list[Case]:
        """The tests, in the order in which they ran. One whose call and teardown failed is there twice."""
        return [_read_case(element) for suite in self.suites for element in suite.iter("testcase")]


def read_junit(path: Path) -> JUnit | None:
    """Return the content of a JUnit file, or None if pytest didn't come to the end of writing one."""
    try:
        text = path.read_bytes()
        if not text.rstrip().endswith((b"</testsuites>", b"</testsuite>")):
            return None
        suites = list(ET.fromstring(text).iter("testsuite"))  # noqa: S314, it comes from the suite's own tests
        numbers = {
            name: sum(int(suite.get(name, 0)) for suite in suites)
            for name in ("tests", "failures", "errors", "skipped")
        }
        seconds = sum(float(suite.get("time", 0)) for suite in suites)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, LookupError, ET.ParseError):
        # The output or the name of a test may contain what XML can't, and a test may overwrite the file.
        return JUnit()
    return JUnit(suites, **numbers, seconds=seconds if 0 <= seconds < MAX_SECONDS else None)


def _read_case(element: ET.Element) -> Case:
    try:
        seconds = float(element.get("time", 0))
    except ValueError:
        seconds = 0.0
    # In a class, pytest writes `tests.test_a.TestB` as the test's class.
    of_class = "".join(f"{part}." for part in element.get("classname", "").split(".") if part.startswith("Test"))
    problems = {"failure": "failed", "error": "error", "skipped": "skipped"}
    problem = next((child for child in element if child.tag in problems), None)
    lines = (problem.get("message", "") if problem is not None else "").strip().splitlines()
    return Case(
        f"{of_class}{element.get('name', '')}",
        seconds if 0 <= seconds < MAX_SECONDS else 0.0,
        "passed" if problem is None else problems[problem.tag],
        lines[0] if lines else "",
    )
