"""Options whose names another plugin, or the suite itself, has too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Run


@pytest.mark.parametrize(
    ("option", "arguments"),
    [("--charm-base", []), ("--charm-cache", ["-p", "suite_options"]), ("--charm-cache-clear", [])],
)
def test_name_of_an_option_is_taken(pytester: pytest.Pytester, run: Run, option: str, arguments: list[str]) -> None:
    source = f"def pytest_addoption(parser):\n    parser.addoption({option!r})\n"
    pytester.makepyfile(**{"suite_options" if arguments else "conftest": source})
    pytester.makepyfile("def test(): pass")
    # In this process, pytest 7.4 would fail by a warning of pluggy's, as it does for each of its own usage errors.
    result = pytester.runpytest_subprocess(*arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert (
        f"ERROR: a conftest.py or another plugin has an option {option}, as pytest-operator-cache has. Rename it "
        "there, or switch one of them off with pytest -p no:NAME: pytest --trace-config lists the plugins' names, and "
        "this one's is pytest_operator_cache."
    ) in result.stderr.lines
    assert "Traceback" not in result.stderr.str()
    pytester.syspathinsert()
    run("-p", "no:pytest_operator_cache", *arguments).assert_outcomes(passed=1)


def test_name_of_another_option_is_taken(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        """
        def pytest_addoption(parser):
            parser.getgroup("one").addoption("--my-charm-base")
            parser.getgroup("two").addoption("--my-charm-base")
        """
    )
    result = pytester.runpytest_subprocess()
    assert "--my-charm-base" in result.stderr.str()
    assert "pytest-operator-cache has" not in result.stderr.str()
