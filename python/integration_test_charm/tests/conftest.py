"""What a caller gives to the workflow, as its commands get it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML

if TYPE_CHECKING:
    from collections.abc import Callable

WORKFLOW = Path(__file__).parents[3] / ".github/workflows/integration_test_charm.yaml"


@pytest.fixture(scope="session")
def declared() -> dict[str, dict[str, Any]]:
    """Return the inputs that the workflow declares."""
    inputs: dict[str, dict[str, Any]] = YAML(typ="safe").load(WORKFLOW)["on"]["workflow_call"]["inputs"]
    return inputs


@pytest.fixture
def give(declared: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Any]]:
    """Return a function that sets INPUTS to what GitHub would, where a caller gives these inputs."""

    def give(**given: object) -> dict[str, Any]:
        defaults = {name: each["default"] for name, each in declared.items() if "default" in each}
        values = defaults | {"cloud": "lxd", "juju-agent-version": "3.6.1"}
        values |= {name.replace("_", "-"): value for name, value in given.items()}
        monkeypatch.setenv("INPUTS", json.dumps(values))
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        return values

    return give
