"""Results for Allure of tests that haven't run, so that a report can show the tests of a group that died."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

_allure_hook = pluggy.HookimplMarker("allure")
_pytest_hook = pluggy.HookimplMarker("pytest")


def write_unknown_results(config: pytest.Config, items: Sequence[pytest.Item]) -> None:
    """Write a result with the status unknown for each test, into the folder in allure-pytest's option --alluredir.

    allure-pytest writes them itself, so each has the `historyId` of the result that a run of the test writes. Without
    the option, nothing is written.
    """
    if (listener := config.pluginmanager.get_plugin("allure_listener")) is None:
        return
    import allure_commons

    # Only allure-pytest sees these tests start and end. No other plugin does, and no test runs.
    manager = pluggy.PluginManager("pytest")
    manager.register(listener)
    manager.register(_NoRun(manager.hook))
    unknown = _Unknown()
    allure_commons.plugin_manager.register(unknown)
    try:
        for item in items:
            manager.hook.pytest_runtest_protocol(item=item, nextitem=None)
    finally:
        allure_commons.plugin_manager.unregister(unknown)


class _NoRun:
    def __init__(self, hook: Any) -> None:
        self.hook = hook

    @_pytest_hook
    def pytest_runtest_protocol(self, item: pytest.Item) -> None:
        self.hook.pytest_runtest_setup(item=item)
        self.hook.pytest_runtest_teardown(item=item, nextitem=None)


class _Unknown:
    @_allure_hook(tryfirst=True)
    def report_result(self, result: Any) -> None:
        result.status = "unknown"
        # allure-pytest reads the clock twice, so a test that never ran could take a millisecond.
        result.stop = result.start
