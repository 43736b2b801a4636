"""The command `charm-digest`: a key for a cache of packed charms."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_operator_cache.charm.source import read
from pytest_operator_cache.commands.collect_charms import add_ignore
from pytest_operator_cache.common.digest import combine, digest, read_files
from pytest_operator_cache.common.errors import CharmError

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the digest of one platform of a charm, and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="charm-digest",
        description="Print a digest of everything that goes into a charm. It is the same on every machine for the same "
        "commit. It does not include charmcraft's version: add that to a cache's key.",
    )
    parser.add_argument("path", metavar="PATH", type=Path, help="the charm's folder")
    parser.add_argument(
        "--platform", metavar="NAME", required=True, help="its platform, as for `charmcraft pack --platform`"
    )
    add_ignore(parser)
    options = parser.parse_args(arguments)
    try:
        platform = read(options.path).platform(options.platform).name
        files = read_files(options.path, ignore=options.ignore, as_committed=True)
        print(combine(digest(files), platform))
    except (CharmError, OSError) as error:
        print(f"charm-digest: {error}", file=sys.stderr)
        return 1
    return 0
