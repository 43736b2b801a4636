"""How a step talks to GitHub Actions: through files, and by warnings."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_operator_groups.common.errors import GroupsError

if TYPE_CHECKING:
    from collections.abc import Sequence


def escape(text: str) -> str:
    """Escape the text of a workflow command.

    https://docs.github.com/actions/reference/workflow-commands-for-github-actions#setting-a-warning-message
    """
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def warn(command: str, text: str) -> None:
    """Print a warning to stderr. On GitHub, it is an annotation of the run."""
    if os.environ.get("GITHUB_ACTIONS") == "true":
        print(f"::warning title={command}::{escape(text)}", file=sys.stderr)
    else:
        print(f"{command}: warning: {text}", file=sys.stderr)


def append(variable: str, lines: Sequence[str]) -> bool:
    """Append lines to the file that an environment variable names, and return whether the variable is set.

    All lines are written at once, on a new line even if the file doesn't end in one, or none and it is a GroupsError.
    """
    path = os.environ.get(variable)
    if not path:
        return False
    try:
        _append_all(Path(path), "".join(f"{line}\n" for line in lines).encode(errors="backslashreplace"))
    except OSError as error:
        raise GroupsError(
            f"can't write to {path}: {error.strerror}",
            where=variable,
            advice=f"Outside GitHub Actions, unset the variable: unset {variable}",
        ) from None
    return True


def _append_all(path: Path, data: bytes) -> None:
    with path.open("ab+", buffering=0) as file:
        if file.seekable() and file.seek(0, os.SEEK_END) > 0:
            file.seek(-1, os.SEEK_END)
            data = data if file.read(1) == b"\n" else b"\n" + data
        # On a disk that gets full, the system writes what fits. Another process may have written before it.
        if (written := file.write(data)) != len(data):
            if file.seekable():
                file.truncate(file.tell() - written)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
