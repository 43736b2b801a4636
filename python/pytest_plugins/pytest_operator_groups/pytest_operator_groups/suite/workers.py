"""pytest-xdist's workers: each collects the tests itself, and only the controller can show an error."""

from __future__ import annotations

from typing import Any

import pytest


class Workers:
    """Brings an error of a worker to the controller."""

    _KEY = "pytest_operator_groups_error"

    def __init__(self, config: pytest.Config) -> None:
        config.pluginmanager.register(self)

    def raise_in_controller(self, session: pytest.Session, message: str) -> None:
        """Raise a usage error, or, in a worker, leave it to the controller and run nothing."""
        output = getattr(session.config, "workeroutput", None)
        if output is None:
            raise pytest.UsageError(message)
        output[self._KEY] = message
        session.items.clear()

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        message = getattr(node, "workeroutput", {}).get(self._KEY)
        if message:
            raise pytest.UsageError(message)
