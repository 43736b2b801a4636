"""What the package's commands share: arguments for pytest after --, the message for a missing extra, and stdout."""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Sequence


def split(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the arguments of a command, and those for pytest after the first --."""
    own = list(arguments)
    if "--" not in own:
        return own, []
    separator = own.index("--")
    return own[:separator], own[separator + 1 :]


def check_paths(parser: argparse.ArgumentParser, paths: Iterable[str]) -> None:
    """End the process with exit code 2 if a path is only a part of a file."""
    for path in paths:
        if "::" in path:
            parser.error(
                f"{path} is a part of a file, and a group always runs whole. Select tests with: -- -k EXPRESSION"
            )


def describe_missing_extra(command: str, extra: str, error: ImportError) -> str:
    """Return the message of a command whose extra isn't installed."""
    return (
        f"{command} needs more than pytest ({error}). Install it:\n"
        f'pip install "pytest-operator-groups[{extra}] @ git+https://github.com/canonical/data-platform-workflows@v51.0.0'
        '#subdirectory=python/pytest_plugins/pytest_operator_groups"'
    )


def prepare_stdout() -> None:
    """Let stdout escape the characters that its encoding doesn't have, and be there if it was closed (`>&-`)."""
    if sys.stdout is None:
        # The first file that a process opens takes the place of stdout, where other processes would write into it.
        sys.stdout = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8", closefd=False)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
