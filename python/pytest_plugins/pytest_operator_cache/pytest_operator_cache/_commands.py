"""The commands that the workflows run."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def collect_charms(arguments: Sequence[str] | None = None) -> int:
    """Write the jobs that pack this repository's charms; return the exit code.

    The line `charms=JSON` is appended to the file that GITHUB_OUTPUT names, or printed without it
    (https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#setting-an-output-parameter).
    """
    from pytest_operator_cache._charm import CharmError
    from pytest_operator_cache._collect import collect

    parser = argparse.ArgumentParser(
        prog="collect-charms",
        description="Write a matrix for GitHub: every charm below this directory, and every platform of it.",
    )
    _add_ignore(parser)
    options = parser.parse_args(arguments)
    try:
        jobs = collect(Path.cwd(), options.ignore, lambda line: print(line, file=sys.stderr))
        line = f"charms={json.dumps(jobs)}\n"
        if output := os.environ.get("GITHUB_OUTPUT"):
            _append(output, line)
            for job in jobs:
                print(job["job_name"])
        else:
            sys.stdout.write(line)
    except (CharmError, OSError) as error:
        print(f"collect-charms: {error}", file=sys.stderr)
        return 1
    return 0


def charm_digest(arguments: Sequence[str] | None = None) -> int:
    """Print the digest of one platform of a charm; return the exit code."""
    from pytest_operator_cache._charm import CharmError, read
    from pytest_operator_cache._digest import combine, digest, read_files

    parser = argparse.ArgumentParser(
        prog="charm-digest",
        description="Print a digest of all that goes into a charm: the same on every machine, for the same commit. It "
        "does not know charmcraft's version: make that part of a cache's key, too.",
    )
    parser.add_argument("path", metavar="PATH", type=Path, help="the charm's folder")
    parser.add_argument(
        "--platform", metavar="NAME", required=True, help="its platform, as charmcraft pack --platform has it"
    )
    _add_ignore(parser)
    options = parser.parse_args(arguments)
    try:
        platform = read(options.path).platform(options.platform).name
        files = read_files(options.path, ignore=options.ignore, as_committed=True)
        print(combine(digest(files), platform))
    except (CharmError, OSError) as error:
        print(f"charm-digest: {error}", file=sys.stderr)
        return 1
    return 0


def _append(path: str, line: str) -> None:
    with Path(path).open("ab+", buffering=0) as file:
        if file.seekable() and file.tell():
            file.seek(-1, os.SEEK_END)
            # The last line of another step may lack its end.
            line = line if file.read() == b"\n" else f"\n{line}"
        file.write(line.encode())


def _add_ignore(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--ignore",
        action="append",
        default=[],
        metavar="PATTERN",
        help="leave this out of the digest, such as tests or docs/*.md; may be given several times",
    )
