"""The charms that were packed on this machine, each under a key: kept whole or not at all, and checked when taken."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAX_BYTES = 2 * 1024**3
_KEY = re.compile(r"[0-9a-f]{64}")
_TEMPORARY = ".keeping-"
# No copy takes as long: what is older was left by a process that was killed.
_ABANDONED_AFTER = 3600
_CHUNK = 65536


class CorruptError(Exception):
    """What is kept under a key is not what was put there. It has been removed."""


@dataclass(frozen=True)
class Kept:
    """The charms of a key.

    Attributes:
        charms: The paths that they were copied to.
        seconds: How long it took to pack them.
    """

    charms: list[Path]
    seconds: float


class Store:
    """Keeps packed charms, one file for each key, and lets go of those that were not used for longest.

    The file is the SHA-256 of what follows, a line of JSON, and the charms: several processes may read and write it,
    since it appears whole, and nothing else is believed.

    Args:
        folder: Where to keep them.
        max_bytes: How much to keep.
    """

    def __init__(self, folder: Path, max_bytes: int = MAX_BYTES) -> None:
        self.folder = folder
        self.max_bytes = max_bytes

    def take(self, key: str, destination: Path) -> Kept | None:
        """Copy what is kept under a key to a folder, and return it; None if there is nothing.

        Raises:
            CorruptError: It is not what was kept.
            OSError: It can't be read or copied.
        """
        entry = self.folder / key
        try:
            file = entry.open("rb")
        except FileNotFoundError:
            return None
        with file:
            expected = file.read(64).decode(errors="replace")
            hasher = hashlib.sha256()
            kept = None
            # Until the hash is known, what is read may be anything.
            with suppress(KeyError, TypeError, ValueError):
                hasher.update(header := file.readline(_CHUNK))
                facts = json.loads(header)
                charms = [destination / Path(name).name for name, _ in facts["charms"]]
                for charm, (_, size) in zip(charms, facts["charms"], strict=True):
                    with charm.open("wb") as copy:
                        _copy(file, copy, hasher, size)
                hasher.update(file.read(1))
                kept = Kept(charms, facts["seconds"])
        if kept is None or hasher.hexdigest() != expected:
            entry.unlink()
            raise CorruptError
        with suppress(OSError):
            os.utime(entry)
        return kept

    def keep(self, key: str, kept: Kept) -> None:
        """Keep charms under a key.

        Raises:
            OSError: There is no room, or they can't be read or written. Nothing is kept then.
        """
        sizes = [charm.stat().st_size for charm in kept.charms]
        if sum(sizes) > self.max_bytes:
            raise OSError(f"{sum(sizes) / 1e6:,.0f} MB are more than the {self.max_bytes / 1e6:,.0f} MB that are kept")
        facts = {
            "charms": [(charm.name, size) for charm, size in zip(kept.charms, sizes, strict=True)],
            "seconds": kept.seconds,
        }
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(prefix=_TEMPORARY, dir=self.folder)
        try:
            with os.fdopen(descriptor, "wb") as file:
                _write(file, json.dumps(facts).encode() + b"\n", zip(kept.charms, sizes, strict=True))
            Path(temporary).replace(self.folder / key)
        except BaseException:
            Path(temporary).unlink()
            raise
        self._let_go()

    def clear(self) -> tuple[int, int]:
        """Remove all that is kept, and return how many files, and how many bytes, that were."""
        removed = [(entry, status.st_size) for entry, status in self._files() if _remove(entry)]
        return len(removed), sum(size for _, size in removed)

    def lock_file(self, folder: Path) -> Path:
        """Return the file to lock while a charm's folder is packed: charmcraft can't pack one twice at a time.

        Raises:
            OSError: The store can't be written.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self.folder / f"{hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:16]}.lock"

    def _let_go(self) -> None:
        files = sorted(self._files(), key=lambda file: file[1].st_mtime, reverse=True)
        total = 0
        for entry, status in files:
            total += status.st_size
            is_temporary = entry.name.startswith(_TEMPORARY)
            if time.time() - status.st_mtime > _ABANDONED_AFTER if is_temporary else total > self.max_bytes:
                _remove(entry)

    def _files(self) -> Iterator[tuple[Path, os.stat_result]]:
        """Yield the files of this store, and nothing that someone else has put there."""
        with suppress(FileNotFoundError), os.scandir(self.folder) as entries:
            for entry in entries:
                if _KEY.fullmatch(entry.name) or entry.name.startswith(_TEMPORARY):
                    with suppress(FileNotFoundError):
                        yield Path(entry.path), entry.stat(follow_symlinks=False)


def _write(file: BinaryIO, header: bytes, charms: Iterable[tuple[Path, int]]) -> None:
    hasher = hashlib.sha256(header)
    file.write(b" " * 64 + header)
    for charm, size in charms:
        with charm.open("rb") as original:
            if _copy(original, file, hasher, size) != size:
                raise OSError(f"{charm.name} has become shorter")
    file.seek(0)
    file.write(hasher.hexdigest().encode())


def _copy(source: BinaryIO, destination: BinaryIO, hasher: hashlib._Hash, size: int) -> int:
    """Copy so many bytes, hash them, and return how many there were."""
    left = size
    while left > 0 and (chunk := source.read(min(left, _CHUNK))):
        hasher.update(chunk)
        destination.write(chunk)
        left -= len(chunk)
    return size - left


def _remove(path: Path) -> bool:
    # Another process may have been faster, and a folder of this name is not the store's.
    with suppress(OSError):
        path.unlink()
        return True
    return False
