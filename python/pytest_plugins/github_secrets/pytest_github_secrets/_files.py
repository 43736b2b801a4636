"""Masks secrets in files that others have written."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def find_files(path: Path) -> Iterator[Path]:
    """Yield a file, or the files in a folder and below it, hidden ones too. Symlinks are not followed.

    Raises:
        OSError: There is no such path, or a folder can't be listed.
    """
    mode = path.lstat().st_mode
    if stat.S_ISDIR(mode):
        for entry in path.iterdir():
            yield from find_files(entry)
    elif stat.S_ISREG(mode):
        yield path


def mask_file(path: Path, mask: Callable[[str], str]) -> bool:
    """Mask the secrets in a file, and return whether there were any: a file without is not written.

    Raises:
        OSError: It can't be read or written. It is as it was then.
    """
    # Every byte that is no UTF-8 comes out as it went in.
    text = path.read_bytes().decode(errors="surrogateescape")
    masked = mask(text)
    if masked == text:
        return False
    descriptor, temporary = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(masked.encode(errors="surrogateescape"))
        shutil.copymode(path, temporary)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink()
        raise
    return True
