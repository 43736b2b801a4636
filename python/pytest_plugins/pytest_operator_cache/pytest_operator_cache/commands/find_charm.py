"""The command `find-charm`: prints the path of a packed charm."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_operator_cache.charm.packed import Search
from pytest_operator_cache.common.errors import CharmError, ExitCode, SeveralCharmsError

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the absolute path of the packed charm in a folder, and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="find-charm",
        description="Print the absolute path of the packed charm in a folder, for the architecture of this machine. "
        f"The exit code is {ExitCode.NO_CHARM:d} if there is none, {ExitCode.SEVERAL_CHARMS:d} if several fit, and "
        f"{ExitCode.WRONG:d} if there is one for another architecture or base, or anything else is wrong.",
    )
    parser.add_argument(
        "folder", metavar="FOLDER", type=Path, nargs="?", default=Path(), help="the charm's folder (default: this one)"
    )
    parser.add_argument("--base", metavar="BASE", help="the base that the charm must run on, such as ubuntu@24.04")
    options = parser.parse_args(arguments)
    try:
        print(Search(options.folder, base=options.base).path())
    except CharmError as error:
        if isinstance(error, SeveralCharmsError):
            error.advise("Pass", "--base=")
        print(f"find-charm: {error}", file=sys.stderr)
        return error.exit_code
    return 0
