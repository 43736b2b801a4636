"""Masks secrets in files that other programs have written."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_github_secrets._mask import Masker

_BLOCK = 1 << 18


def find_files(path: Path) -> Iterator[Path]:
    """Yield a file, or all files in a folder and its subfolders, hidden ones too. Symlinks aren't followed.

    Raises:
        OSError: There is no such path, or a folder can't be listed.
    """
    mode = path.lstat().st_mode
    if stat.S_ISDIR(mode):
        for entry in path.iterdir():
            yield from find_files(entry)
    elif stat.S_ISREG(mode):
        yield path


def mask_file(path: Path, mask: Masker) -> bool:
    """Mask the secrets in a file. Return whether there were any. A file without secrets is not written.

    Raises:
        OSError: The file can't be read or written. It keeps its content.
    """
    with path.open("rb") as source:
        clean = 0
        pieces = mask.mask_blocks(iter(lambda: source.read(_BLOCK), b""))
        for original, masked in pieces:
            if masked != original:
                break
            clean += len(original)
        else:
            return False
        descriptor, temporary = tempfile.mkstemp(dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as target, path.open("rb") as start:
                while clean:
                    clean -= target.write(start.read(min(clean, _BLOCK)))
                target.write(masked)
                target.writelines(masked for _, masked in pieces)
            shutil.copymode(path, temporary)
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink()
            raise
    return True
