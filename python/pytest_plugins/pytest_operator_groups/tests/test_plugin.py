"""What the plugin shows of itself, and what it costs a run that doesn't ask for it."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


def test_help_shows_the_options_in_a_group_of_their_own(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_subprocess("--help")
    result.stdout.fnmatch_lines(["groups of tests (pytest-operator-groups):", "  --group=ID *", "  --collect-groups *"])


def test_markers_are_registered(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_subprocess("--markers")
    result.stdout.fnmatch_lines(
        ["@pytest.mark.group(ID): *", "@pytest.mark.runner(LABELS): *", "*", "@pytest.mark.unstable: *"]
    )


def test_switched_off(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_subprocess("-p", "no:pytest_operator_groups", "--group=1")
    result.stderr.fnmatch_lines(["*unrecognized arguments: --group=1*"])


def test_is_loaded_by_name_where_autoload_is_off(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile(
        "import pytest\n@pytest.mark.group(1)\ndef test_one(): ...\n@pytest.mark.group(2)\ndef test_two(): ..."
    )
    pytester.runpytest_subprocess("-p", "pytest_operator_groups", "--group", "1").assert_outcomes(
        passed=1, deselected=1
    )


def test_imports_nothing_that_pytest_does_not() -> None:
    program = """
import sys, pytest
before = set(sys.modules)
import pytest_operator_groups._plugin
print(*sorted(set(sys.modules) - before))
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["pytest_operator_groups", "pytest_operator_groups._plugin"]


def test_what_knows_the_groups_needs_no_pytest() -> None:
    program = """
import sys
sys.modules["pytest"] = None
from pytest_operator_groups.listing import listing
from pytest_operator_groups.run import processes
print(listing.title([]))
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout == "0 groups of 0 tests\n"


def test_distribution_is_typed_and_needs_only_pytest() -> None:
    distribution = importlib.metadata.distribution("pytest-operator-groups")
    needed = [requirement for requirement in distribution.requires or [] if "extra ==" not in requirement]
    assert needed == ["pytest>=7.4,<10"]
    assert "Framework :: Pytest" in distribution.metadata.get_all("Classifier", [])
    assert {"Homepage", "Documentation", "Changelog", "Issues"} == {
        url.partition(",")[0] for url in distribution.metadata.get_all("Project-URL", [])
    }
