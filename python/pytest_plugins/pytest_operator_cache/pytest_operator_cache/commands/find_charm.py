"""The command `find-charm`: prints the path of a packed charm."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_operator_cache.charm.find import Options, find_named, find_one
from pytest_operator_cache.common.errors import (
    CharmError,
    CharmNotFoundError,
    NotACharmError,
    SeveralCharmsError,
    WrongCharmError,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

# 2 is an error in the command line. A program can ask for the base if several fit, and must not go on if one is wrong.
THERE_IS_NONE, SEVERAL_FIT, IS_WRONG = 1, 3, 4


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the absolute path of the packed charm in a folder, and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="find-charm",
        description="Print the absolute path of the packed charm in a folder, for the architecture of this machine. "
        f"The exit code is {THERE_IS_NONE} if there is none, {SEVERAL_FIT} if several fit, and {IS_WRONG} if there is "
        "one for another architecture or base, or anything else is wrong.",
    )
    parser.add_argument(
        "folder", metavar="FOLDER", type=Path, nargs="?", default=Path(), help="the charm's folder (default: this one)"
    )
    parser.add_argument("--base", metavar="BASE", help="the base that the charm must run on, such as ubuntu@24.04")
    options = parser.parse_args(arguments)
    try:
        named, refused = find_named(options.folder, Options(), options.base)
        print(named or find_one(options.folder, Options(), base=options.base, refused=refused))
    except SeveralCharmsError as error:
        choices = " or ".join(f"--base={base}" for base in error.bases)
        error.advice = f"Pass {choices}." if choices else "They are for the same base: remove those you don't need."
        print(f"find-charm: {error}", file=sys.stderr)
        return SEVERAL_FIT
    except CharmError as error:
        print(f"find-charm: {error}", file=sys.stderr)
        is_wrong = isinstance(error, WrongCharmError) or not isinstance(error, CharmNotFoundError | NotACharmError)
        return IS_WRONG if is_wrong else THERE_IS_NONE
    return 0
