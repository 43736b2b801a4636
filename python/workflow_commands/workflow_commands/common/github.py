"""How a command talks to GitHub: annotations of the run, and the files that a step appends to.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from workflow_commands.common.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Iterator


def append(variable: str, *lines: str) -> None:
    """Append lines to a file of GitHub's, in one write.

    The first one starts a new line, even if the file doesn't end in a newline.

    Args:
        variable: It contains the file's path, such as GITHUB_OUTPUT. If it isn't set, the lines are printed.
        lines: The lines, without their newlines.
    """
    text = "".join(f"{line}\n" for line in lines)
    if not (path := os.environ.get(variable)):
        sys.stdout.write(text)
        return
    with Path(path).open("a+b") as file:
        if file.seek(0, os.SEEK_END):
            file.seek(-1, os.SEEK_END)
            if file.read() != b"\n":
                text = f"\n{text}"
        file.write(text.encode())


def annotate(level: str, title: str, *texts: str) -> None:
    """Print annotations of the run.

    Args:
        level: error, warning or notice.
        title: What GitHub shows above each text.
        texts: One for each annotation. They can contain anything.
    """
    title = _escape(title).replace(":", "%3A").replace(",", "%2C")
    for text in texts:
        print(f"::{level} title={title}::{_escape(text)}", flush=True)


@contextmanager
def fold(title: str, *, when: bool = True) -> Iterator[None]:
    """Fold what is printed in the log under a title.

    Args:
        title: It can contain anything.
        when: Whether to do so.
    """
    if when:
        print(f"::group::{_escape(title)}", flush=True)
    try:
        yield
    finally:
        if when:
            print("::endgroup::", flush=True)


@contextmanager
def annotated_errors(title: str) -> Iterator[None]:
    """Turn a CommandError into an annotation of the run, and end with exit code 1."""
    try:
        yield
    except CommandError as error:
        annotate("error", title, str(error))
        sys.exit(1)


def _escape(text: str) -> str:
    """Escape the text of a workflow command: https://github.com/actions/toolkit, "escapeData"."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
