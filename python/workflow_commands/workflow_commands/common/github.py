"""How a command talks to GitHub: annotations of the run, and the files that a step appends to.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pytest_operator_groups.common import github
from pytest_operator_groups.common.errors import GroupsError

if TYPE_CHECKING:
    from collections.abc import Iterator


class CommandError(GroupsError):
    """A command can't go on."""


def append(variable: str, *lines: str) -> None:
    """Append lines to the file that a variable names, such as GITHUB_OUTPUT. Where it isn't set, print them."""
    if not github.append(variable, lines):
        print(*lines, sep="\n")


def annotate(level: str, title: str, *texts: str) -> None:
    """Print annotations of the run: errors, warnings or notices under a title. A text can contain anything."""
    title = github.escape(title).replace(":", "%3A").replace(",", "%2C")
    for text in texts:
        print(f"::{level} title={title}::{github.escape(text)}", flush=True)


@contextmanager
def collapsed(title: str, *, when: bool = True) -> Iterator[None]:
    """Let GitHub's log show only this title for what is printed, until somebody unfolds it."""
    if when:
        print(f"::group::{github.escape(title)}", flush=True)
    try:
        yield
    finally:
        if when:
            print("::endgroup::", flush=True)


@contextmanager
def annotated_errors(title: str) -> Iterator[None]:
    """Turn an error into an annotation of the run, and end with exit code 1."""
    try:
        yield
    except GroupsError as error:
        annotate("error", title, str(error))
        sys.exit(1)
