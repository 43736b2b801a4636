"""Writing outputs for the later steps of a GitHub workflow."""

from __future__ import annotations

import os
from pathlib import Path


def append_output(path: str, line: str) -> None:
    """Append a line to the file that GITHUB_OUTPUT names, in one write.

    The file of another step may lack its last line end: the line then starts on a new line all the same. See
    https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#setting-an-output-parameter

    Raises:
        OSError: The file can't be written.
    """
    with Path(path).open("ab+", buffering=0) as file:
        start = ""
        if file.seekable() and file.tell():
            file.seek(-1, os.SEEK_END)
            start = "" if file.read() == b"\n" else "\n"
        file.write(f"{start}{line}\n".encode())
