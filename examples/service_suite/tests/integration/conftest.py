"""The service under test: the instance that SERVICE_URL names, or else one for each file."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def deployed() -> str:
    return os.environ.get("SERVICE_URL", "")


@pytest.fixture(scope="session")
def token(request: pytest.FixtureRequest, deployed: str) -> str:
    secrets: dict[str, str] = (
        request.getfixturevalue("github_secrets") if deployed else {"SERVICE_TOKEN": "only for tests"}
    )
    return secrets["SERVICE_TOKEN"]


@pytest.fixture(scope="module")
def url(token: str, deployed: str) -> Iterator[str]:
    """Return the URL of the service. Unless it is deployed, it is started for these tests."""
    if deployed:
        yield deployed
        return
    command = [sys.executable, str(Path(__file__).parents[2] / "service.py"), token]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as service:
        assert service.stdout
        yield service.stdout.readline().strip()
        service.terminate()
