"""What a charm is packed from, and what has changed since it was packed last."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_operator_cache.charm import charmcraft
from pytest_operator_cache.common.digest import combine, digest, read_files

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(frozen=True)
class Inputs:
    """What a charm is packed from: the same inputs make the same charm.

    Attributes:
        files: What `read_files` returns.
        settings: The hash of everything else, by its name for people.
    """

    files: dict[str, str] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)

    @classmethod
    def load(cls, record: object) -> Inputs | None:
        """Return the inputs that a record holds; None if it holds none."""
        parts = [record.get("files"), record.get("settings")] if isinstance(record, dict) else [None]
        if not all(isinstance(part, dict) and all(isinstance(text, str) for text in part.values()) for part in parts):
            return None
        return cls(*parts)

    def key(self, arguments: Sequence[str]) -> str:
        """Return the digest of these inputs with the arguments of charmcraft."""
        return combine(digest(self.files), self.settings, arguments)


def read_inputs(folder: Path, arguments: Sequence[str], ignore: Sequence[str]) -> Inputs:
    """Read what charmcraft would pack.

    Args:
        folder: The charm's folder.
        arguments: The arguments of charmcraft.
        ignore: More patterns of what it doesn't pack.

    Raises:
        CharmError: charmcraft does not start, or git does not answer.
        OSError: A file can't be read.
    """
    files = read_files(folder, ignore=[*ignore, *charmcraft.work_folders(arguments)])
    # A variable may hold a secret, and records of inputs are kept.
    settings = {
        name: hashlib.sha256(value.encode(errors="surrogateescape")).hexdigest()
        for name, value in charmcraft.settings(arguments).items()
    }
    return Inputs(files, settings)


def describe_changes(before: Inputs, after: Inputs, limit: int = 1) -> str:
    """Return what has changed, in words; empty if nothing has.

    Args:
        before: Earlier inputs.
        after: Later inputs.
        limit: How many changes to name. Of the others, only the number is told.
    """
    changes = [f"{name} changed" for name in _changed(before.settings, after.settings)]
    # A path with a NUL leads behind a link.
    for path in dict.fromkeys(path.partition("\0")[0] for path in _changed(before.files, after.files)):
        what = "the git commit" if path == ".git" else path if path.isprintable() else ascii(path)
        how = "added" if path not in before.files else "removed" if path not in after.files else "changed"
        changes.append(f"{what} {how}")
    more = f", and {len(changes) - limit} more" if len(changes) > limit else ""
    return ", ".join(changes[:limit]) + more


def _changed(before: dict[str, str], after: dict[str, str]) -> list[str]:
    return sorted({name for name, _ in before.items() ^ after.items()})
