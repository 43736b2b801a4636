"""Which versions can be released, and the messages about all others."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    Release = Callable[..., subprocess.CompletedProcess[str]]

SCRIPT = Path(__file__).parents[1] / "bin/check_release.py"
CHANGELOG = """\
# Changelog

## Unreleased

- tomorrow's

## 51.0.0

- today's

  with 100 % more ä

## 50.10.0

"""
TAGS = ("v1.0.0", "v50.2.1", "v9.99.9", "50.9.9", "v60.0", "v70.0.0-rc1", "latest")
NUMBERS = "Write three numbers without a v, such as 51.0.0"


@pytest.fixture
def release(tmp_path: Path) -> Release:
    """Return a function that checks a version, in a folder with a changelog."""
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG, encoding="utf-8")
    workflows = tmp_path / ".github/workflows"
    workflows.mkdir(parents=True)
    (workflows / "build.yaml").write_text("env:\n  RELEASE: v51.0.0 # a comment\n")
    (workflows / "thin.yaml").write_text("jobs: {}\n")
    environment = {name: value for name, value in os.environ.items() if name != "GITHUB_REF"} | {"LC_ALL": "C"}

    def check(
        version: str, tags: tuple[str, ...] = TAGS, branch: str | None = "refs/heads/main"
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, SCRIPT, "--notes=notes.md", "--", version],
            cwd=tmp_path,
            env=environment | ({} if branch is None else {"GITHUB_REF": branch}),
            input="".join(f"{tag}\n" for tag in tags),
            encoding="utf-8",
            capture_output=True,
            check=False,
        )

    return check


def name_release(folder: Path, version: str) -> None:
    (folder / ".github/workflows/build.yaml").write_text(f"env:\n  RELEASE: v{version}\n")


def test_notes_are_written(release: Release, tmp_path: Path) -> None:
    done = release("51.0.0")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / "notes.md").read_text(encoding="utf-8") == "- today's\n\n  with 100 % more ä\n"


@pytest.mark.parametrize(
    ("version", "tags", "message"),
    [
        ("v51.0.0", TAGS, f'"v51.0.0": it isn\'t a version. {NUMBERS}'),
        ("51.0", TAGS, f'"51.0": it isn\'t a version. {NUMBERS}'),
        ("051.0.0", TAGS, f'"051.0.0": it isn\'t a version. {NUMBERS}'),
        ("51.0.0\n", TAGS, f'"51.0.0\\n": it isn\'t a version. {NUMBERS}'),
        ("-1.0.0", TAGS, f'"-1.0.0": it isn\'t a version. {NUMBERS}'),
        ("50.2.1", TAGS, '"50.2.1": the tag v50.2.1 exists already. Choose a version above 50.2.1'),
        ("1.0.0", TAGS, '"1.0.0": the tag v1.0.0 exists already. Choose a version above 50.2.1'),
        ("10.0.0", TAGS, '"10.0.0": the tag v50.2.1 is higher. Choose a version above 50.2.1'),
        ("50.1.9", TAGS, '"50.1.9": the tag v50.2.1 is higher. Choose a version above 50.2.1'),
        ("51.0.0", (), "git tag: there is no tag such as v1.0.0. Check out all tags, with fetch-depth: 0"),
        (
            "51.0.0",
            ("50.9.9", "v60"),
            "git tag: there is no tag such as v1.0.0. Check out all tags, with fetch-depth: 0",
        ),
        ("51.0.1", TAGS, 'CHANGELOG.md: it has no notes under "## 51.0.1". Rename "## Unreleased" to that'),
        ("50.10.0", TAGS, 'CHANGELOG.md: it has no notes under "## 50.10.0". Rename "## Unreleased" to that'),
    ],
)
def test_version_that_is_not_released(
    release: Release, tmp_path: Path, version: str, tags: tuple[str, ...], message: str
) -> None:
    name_release(tmp_path, version)
    done = release(version, tags)
    message = message.replace("%", "%25")
    assert (done.returncode, done.stdout, done.stderr) == (1, f"::error title=No release::{message}\n", "")
    assert not (tmp_path / "notes.md").exists()


@pytest.mark.parametrize(("branch", "shown"), [("refs/heads/fix", "refs/heads/fix"), (None, "")])
def test_release_is_made_from_main(release: Release, branch: str | None, shown: str) -> None:
    done = release("51.0.0", branch=branch)
    message = f'GITHUB_REF: the workflow runs on "{shown}". Run it on the branch main'
    assert (done.returncode, done.stdout) == (1, f"::error title=No release::{message}\n")


def test_workflow_that_installs_another_release(release: Release, tmp_path: Path) -> None:
    name_release(tmp_path, "50.2.1")
    done = release("51.0.0")
    message = ".github/workflows/build.yaml: RELEASE is v50.2.1. Write RELEASE: v51.0.0"
    assert (done.returncode, done.stdout) == (1, f"::error title=No release::{message}\n")
    (tmp_path / ".github/workflows/build.yaml").unlink()
    message = ".github/workflows: no reusable workflow has RELEASE. Write RELEASE: v51.0.0"
    done = release("51.0.0")
    assert (done.returncode, done.stdout) == (1, f"::error title=No release::{message}\n")
