"""__release.yaml: a version is tagged with the notes that CHANGELOG.md has of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from e2e.act import WORKFLOWS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from e2e.act import Machine

CHANGELOG = """\
# Changelog

## Unreleased

- tomorrow's

## 1.1.0

- today's

## 1.0.0

- yesterday's
"""


def test_release(machine: Machine, caller: Callable[..., Path]) -> None:
    repository = caller((WORKFLOWS / "__release.yaml").read_text(), {"CHANGELOG.md": CHANGELOG})
    run = machine.run(repository, event="workflow_dispatch", inputs={"version": "1.1.0"})
    assert run.code == 0, run.log
    assert "stand-in: gh release create v1.1.0 --target " in run.output()
    assert "- today's" in run.output()
    assert "- tomorrow's" not in run.output()
    assert "- yesterday's" not in run.output()


@pytest.mark.parametrize(
    ("version", "message"),
    [
        ("v1.1.0", '"v1.1.0" is no version: write it as 1.0.0, without a v'),
        ("1.2.0", 'CHANGELOG.md has no section "## 1.2.0": give its "## Unreleased" that name'),
    ],
)
def test_no_release(machine: Machine, caller: Callable[..., Path], version: str, message: str) -> None:
    repository = caller((WORKFLOWS / "__release.yaml").read_text(), {"CHANGELOG.md": CHANGELOG})
    run = machine.run(repository, event="workflow_dispatch", inputs={"version": version})
    assert run.code == 1, run.log
    assert run.errors == [message], run.log
    assert "stand-in: gh" not in run.log
