from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(scope="session")
def charm(packed_charm: Callable[..., Path]) -> Path:
    """The charm of this folder."""
    return packed_charm()


@pytest.fixture(scope="session")
def resources(pytestconfig: pytest.Config) -> dict[str, str]:
    """The images that the charm is deployed with."""
    charmcraft = yaml.safe_load((pytestconfig.rootpath / "charmcraft.yaml").read_text())
    return {name: resource["upstream-source"] for name, resource in charmcraft["resources"].items()}
