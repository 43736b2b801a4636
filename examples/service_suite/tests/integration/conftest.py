from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def token() -> str:
    return "for tests alone"


@pytest.fixture(scope="module")
def url(token: str) -> Iterator[str]:
    """Start the service in a process of its own, and return where it listens."""
    command = [sys.executable, str(Path(__file__).parents[2] / "service.py"), token]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as service:
        assert service.stdout
        yield service.stdout.readline().strip()
        service.terminate()
