"""The folders in which a charm may be: not those of version control, of caches and of virtual environments."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_operator_cache.common.digest import IGNORE_MARKERS, IGNORED, ignored_by

if TYPE_CHECKING:
    from collections.abc import Iterator


def walk(root: Path) -> Iterator[tuple[Path, list[str]]]:
    """Yield a folder and all below with the names of their files, sorted, without those that can't be read."""
    is_ignored = ignored_by(IGNORED)
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not is_ignored(name, name))
        if IGNORE_MARKERS.intersection(files):
            folders.clear()
        else:
            yield Path(folder), sorted(files)
