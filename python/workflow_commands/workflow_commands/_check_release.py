"""The command `check-release`: finds what prevents a release of this repository, and the release's notes."""

from __future__ import annotations

import argparse
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from workflow_commands._errors import CommandError
from workflow_commands._github import annotated_errors
from workflow_commands._inputs import quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

TITLE = "No release"
_BRANCH = "refs/heads/main"
_VERSION = r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)"


@annotated_errors(TITLE)
def main(arguments: Sequence[str] | None = None) -> int:
    """Check that a version can be released, write its notes to a file, and return the exit code.

    The tags come from `git tag` on stdin, the branch from GITHUB_REF, and the notes from CHANGELOG.md. The workflows in
    .github/workflows have to name the version's tag.
    """
    parser = argparse.ArgumentParser(prog="check-release", description=main.__doc__)
    parser.add_argument("version", metavar="VERSION", help="the version, such as 51.0.0")
    parser.add_argument("--notes", metavar="FILE", type=Path, required=True, help="where to write the notes")
    options = parser.parse_args(arguments)
    if (branch := os.environ.get("GITHUB_REF", "")) != _BRANCH:
        raise CommandError(
            f"the workflow runs on {quote(branch)}", where="GITHUB_REF", advice="Run it on the branch main"
        )
    check_version(options.version, sys.stdin.read().split())
    check_workflows(Path(".github/workflows"), options.version)
    options.notes.write_text(read_notes(Path("CHANGELOG.md"), options.version), encoding="utf-8")
    return 0


def check_version(version: str, tags: Iterable[str]) -> None:
    """Check that a version is the next one: `gh release create` takes an existing tag as it is (cli/cli#9997).

    Args:
        version: Such as 51.0.0.
        tags: All tags of the repository. Those that aren't a `v` and a version are ignored.

    Raises:
        CommandError: It isn't a version, or it isn't higher than all tags, or there is no tag to compare it with.
    """
    if not re.fullmatch(_VERSION, version, flags=re.ASCII):
        raise CommandError(
            "it isn't a version", where=quote(version), advice="Write three numbers without a v, such as 51.0.0"
        )
    numbers = [_parse(tag[1:]) for tag in tags if re.fullmatch(f"v{_VERSION}", tag, flags=re.ASCII)]
    if not numbers:
        raise CommandError(
            "there is no tag such as v1.0.0", where="git tag", advice="Check out all tags, with fetch-depth: 0"
        )
    highest = ".".join(map(str, max(numbers)))
    advice = f"Choose a version above {highest}"
    if _parse(version) in numbers:
        raise CommandError(f"the tag v{version} exists already", where=quote(version), advice=advice)
    if _parse(version) < max(numbers):
        raise CommandError(f"the tag v{highest} is higher", where=quote(version), advice=advice)


def check_workflows(folder: Path, version: str) -> None:
    """Check that the reusable workflows install the version's tag, if GitHub doesn't tell them their own commit.

    Raises:
        CommandError: One of them installs another tag, or none installs any.
    """
    found = False
    for workflow in sorted(folder.glob("[!_]*.yaml")):
        for tag in re.findall(r"^  RELEASE: (\S*)", workflow.read_text(encoding="utf-8"), flags=re.MULTILINE):
            found = True
            if tag != f"v{version}":
                raise CommandError(f"RELEASE is {tag}", where=str(workflow), advice=f"Write RELEASE: v{version}")
    if not found:
        raise CommandError("no reusable workflow has RELEASE", where=str(folder), advice=f"Write RELEASE: v{version}")


def read_notes(changelog: Path, version: str) -> str:
    """Return the section of a version in a changelog, without its heading.

    Raises:
        CommandError: There is no such section, or it is empty.
    """
    sections = re.split(r"^## (.*)\n", changelog.read_text(encoding="utf-8"), flags=re.MULTILINE)
    notes = dict(zip(sections[1::2], sections[2::2], strict=True)).get(version, "").strip()
    if not notes:
        raise CommandError(
            f'it has no notes under "## {version}"', where=changelog.name, advice='Rename "## Unreleased" to that'
        )
    return f"{notes}\n"


def _parse(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))
