"""Finds what prevents a release of this repository, and writes the release's notes. It runs in __release.yaml.

The tags come from `git tag` on stdin, the branch from GITHUB_REF, and the notes from CHANGELOG.md.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from pathlib import Path

VERSION = r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)"
WORKFLOWS = Path(".github/workflows")


def check(version: str, tags: list[str], branch: str) -> None:
    """End with an annotation of the run if the version isn't the next one, or a workflow doesn't install its tag."""
    if branch != "refs/heads/main":
        end(f"GITHUB_REF: the workflow runs on {json.dumps(branch)}. Run it on the branch main")
    shown = json.dumps(version)
    if not re.fullmatch(VERSION, version, flags=re.ASCII):
        end(f"{shown}: it isn't a version. Write three numbers without a v, such as 51.0.0")
    numbers = [parse(tag[1:]) for tag in tags if re.fullmatch(f"v{VERSION}", tag, flags=re.ASCII)]
    if not numbers:
        end("git tag: there is no tag such as v1.0.0. Check out all tags, with fetch-depth: 0")
    highest = ".".join(map(str, max(numbers)))
    # `gh release create` takes an existing tag as it is (cli/cli#9997).
    if parse(version) in numbers:
        end(f"{shown}: the tag v{version} exists already. Choose a version above {highest}")
    if parse(version) < max(numbers):
        end(f"{shown}: the tag v{highest} is higher. Choose a version above {highest}")
    # What the reusable workflows install if GitHub doesn't tell them their own commit.
    installed = {
        workflow: tag
        for workflow in sorted(WORKFLOWS.glob("[!_]*.yaml"))
        for tag in re.findall(r"^  RELEASE: (\S*)", workflow.read_text(encoding="utf-8"), flags=re.MULTILINE)
    }
    if not installed:
        end(f"{WORKFLOWS}: no reusable workflow has RELEASE. Write RELEASE: v{version}")
    for workflow, tag in installed.items():
        if tag != f"v{version}":
            end(f"{workflow}: RELEASE is {tag}. Write RELEASE: v{version}")


def read_notes(version: str) -> str:
    """Return the version's section of the changelog, without its heading."""
    sections = re.split(r"^## (.*)\n", Path("CHANGELOG.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    notes = dict(zip(sections[1::2], sections[2::2], strict=True)).get(version, "").strip()
    if not notes:
        end(f'CHANGELOG.md: it has no notes under "## {version}". Rename "## Unreleased" to that')
    return f"{notes}\n"


def parse(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def end(problem: str) -> None:
    print(f"::error title=No release::{problem.replace('%', '%25')}")
    sys.exit(1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("version", metavar="VERSION", help="the version, such as 51.0.0")
    parser.add_argument("--notes", metavar="FILE", type=Path, required=True, help="where to write the notes")
    options = parser.parse_args()
    check(options.version, sys.stdin.read().split(), os.environ.get("GITHUB_REF", ""))
    options.notes.write_text(read_notes(options.version), encoding="utf-8")
