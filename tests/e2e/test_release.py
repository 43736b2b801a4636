"""__release.yaml: a new version is tagged with its notes from CHANGELOG.md."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from e2e.act import ROOT, WORKFLOWS, commit, git

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from e2e.act import Machine

CHANGELOG = """\
# Changelog

## Unreleased

- tomorrow's

## 51.1.0

- today's

## 51.0.0

- yesterday's
"""
MAKEFILE = """\
dist:
\tmkdir dist && touch dist/one.tar.gz dist/one.whl
"""
PUBLISHED = ["stand-in: publish one.tar.gz", "stand-in: publish one.whl"]


@pytest.fixture
def released(caller: Callable[..., Path]) -> Path:
    """Return a repository with the workflow and its script, and with tags up to v50.2.1."""
    script = "tests/bin/check_release.py"
    files = {script: (ROOT / script).read_text()}
    workflow = WORKFLOWS / "build_charms_with_cache.yaml"
    files[f".github/workflows/{workflow.name}"] = re.sub(r"RELEASE: \S+", "RELEASE: v51.1.0", workflow.read_text())
    repository = caller((WORKFLOWS / "__release.yaml").read_text(), files | {"Makefile": MAKEFILE})
    for tag in ("v1.0.0", "v50.2.1"):
        git(repository, "tag", tag)
    (repository / "CHANGELOG.md").write_text(CHANGELOG)
    commit(repository)
    return repository


@pytest.mark.parametrize(("variables", "published"), [({}, []), ({"PUBLISH_TO_PYPI": "true"}, PUBLISHED)])
def test_release(machine: Machine, released: Path, variables: dict[str, str], published: list[str]) -> None:
    run = machine.run(released, event="workflow_dispatch", inputs={"version": "51.1.0"}, variables=variables)
    assert run.code == 0, run.log
    assert re.search(r"/git/refs --field ref=refs/tags/v51\.1\.0 --field sha=\w{40}\n", run.output())
    assert "stand-in: gh release create v51.1.0 --verify-tag " in run.output()
    assert "- today's" in run.output()
    assert "- tomorrow's" not in run.output()
    assert "- yesterday's" not in run.output()
    assert [line for line in run.output().splitlines() if line.startswith("stand-in: publish")] == published


@pytest.mark.parametrize(
    ("version", "message"),
    [
        ("v51.1.0", '"v51.1.0": it isn\'t a version. Write three numbers without a v, such as 51.0.0'),
        ("51.2.0", ".github/workflows/build_charms_with_cache.yaml: RELEASE is v51.1.0. Write RELEASE: v51.2.0"),
        ("50.2.1", '"50.2.1": the tag v50.2.1 exists already. Choose a version above 50.2.1'),
    ],
)
def test_no_release(machine: Machine, released: Path, version: str, message: str) -> None:
    run = machine.run(released, event="workflow_dispatch", inputs={"version": version})
    assert run.code == 1, run.log
    assert run.errors == [message], run.log
    assert "stand-in: " not in run.log
