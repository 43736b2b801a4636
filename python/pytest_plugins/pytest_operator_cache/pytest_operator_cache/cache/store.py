"""The packed charms that are kept on this machine, each under a key: whole or not at all, and checked when read."""

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
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

MAX_BYTES = 2_000_000_000
_KEY = re.compile(r"[0-9a-f]{64}")
_HITS = ".hits"
_LOCK = ".lock"
_TEMPORARY = ".keeping-"
# A charm, its number of hits, what a build was made of, and what is being written.
_FILE_NAME = re.compile(rf"[0-9a-f]{{64}}({_HITS})?|[0-9a-f]{{16}}\.json|{re.escape(_TEMPORARY)}.*")
# In seconds. No copy takes as long: an older file was left by a process that was killed.
_ABANDONED_AFTER = 3600
_CHUNK = 65536
# What it may raise to read a header that was damaged.
_MALFORMED = (KeyError, RecursionError, TypeError, ValueError)


class CorruptError(Exception):
    """The entry of a key is not what was put there. It has been removed, if that is possible."""


@dataclass(frozen=True)
class Entry:
    """The charms of a key: after `Store.get` the paths of the copies, after `Store.entries` only their names."""

    charms: list[Path]
    # How long it took to pack them.
    seconds: float
    # In seconds since 1970.
    packed: float = 0
    # In bytes.
    size: int = 0
    hits: int = 0


class Store:
    """Keeps packed charms, one file for each key, and evicts the least recently used.

    The file is the SHA-256 of what follows, a line of JSON, and the charms. Several processes may read and write it,
    because it appears whole, and a file with another hash is not used.
    """

    def __init__(self, folder: Path, max_bytes: int = MAX_BYTES) -> None:
        self.folder = folder
        self.max_bytes = max_bytes

    def get(self, key: str, destination: Path, oldest: float = 0) -> Entry | None:
        """Copy the charms of a key to a folder, and return them; None if there are none, or they are older."""
        path = self.folder / key
        try:
            file = path.open("rb")
        except FileNotFoundError:
            return None
        with file:
            expected, hasher = file.read(64).decode(errors="replace"), hashlib.sha256()
            entry = None
            # Until the hash is known, the content may be anything.
            with suppress(*_MALFORMED):
                hasher.update(header := file.readline(_CHUNK))
                facts = json.loads(header)
                if facts["packed"] < oldest:
                    return None
                charms = [destination / Path(name).name for name, _ in facts["charms"]]
                for charm, (_, size) in zip(charms, facts["charms"], strict=True):
                    with charm.open("wb") as copy:
                        _copy(file, copy, hasher, size)
                hasher.update(file.read(1))
                entry = Entry(charms, facts["seconds"])
        if entry is None or hasher.hexdigest() != expected:
            _remove(path)
            raise CorruptError
        # A store that can't be written can be read all the same.
        with suppress(OSError):
            os.utime(path)
            with path.with_suffix(_HITS).open("ab") as hits:
                hits.write(b".")
        return entry

    def put(self, key: str, entry: Entry) -> None:
        """Keep charms under a key, and evict others to make room for them. After an OSError, nothing is kept."""
        charms = [(charm, charm.stat().st_size) for charm in entry.charms]
        names = [(charm.name, size) for charm, size in charms]
        header = json.dumps({"charms": names, "seconds": entry.seconds, "packed": time.time()}).encode() + b"\n"
        size = 64 + len(header) + sum(size for _, size in charms)
        self._write(self.folder / key, size, lambda file: _write_charms(file, header, charms))

    def get_record(self, build: str) -> Any:
        """Return the JSON that was put for a build; None if there is none."""
        with suppress(OSError, ValueError):
            return json.loads(self._path(build, ".json").read_bytes())
        return None

    def put_record(self, build: str, record: object) -> None:
        """Keep JSON for a build; raises what `put` does."""
        content = json.dumps(record).encode()
        self._write(self._path(build, ".json"), len(content), lambda file: file.write(content))

    def entries(self) -> list[Entry]:
        """Return what is kept, the most recently used first."""
        entries = []
        sizes = {path: status.st_size for path, status in self._files()}
        for path, size in sizes.items():
            if _KEY.fullmatch(path.name):
                # Another process may evict it, and a corrupt one is removed when it is used.
                with suppress(OSError, *_MALFORMED), path.open("rb") as file:
                    file.seek(64)
                    facts = json.loads(file.readline(_CHUNK))
                    charms = [Path(name) for name, _ in facts["charms"]]
                    hits = sizes.get(path.with_suffix(_HITS), 0)
                    entries.append(Entry(charms, facts["seconds"], float(facts["packed"]), size, hits))
        return entries

    def evict(self, room: int = 0) -> None:
        """Remove the least recently used until there is room for so many bytes, and what killed processes have left."""
        total = room
        for path, status in self._files():
            is_temporary = path.name.startswith(_TEMPORARY)
            total += status.st_size
            if time.time() - status.st_mtime > _ABANDONED_AFTER if is_temporary else total > self.max_bytes:
                _remove(path)

    def clear(self) -> str:
        """Remove all charms, and return how many and how large they were, in words."""
        from filelock import FileLock, Timeout

        removed = [(path, status.st_size) for path, status in self._files() if _remove(path)]
        for lock in self.folder.glob(f"*{_LOCK}"):
            # One that another process holds stays.
            with suppress(NotImplementedError, OSError, Timeout), FileLock(lock).acquire(blocking=False):
                lock.unlink()
        count = sum(bool(_KEY.fullmatch(path.name)) for path, _ in removed)
        return f"{count} removed from {self.folder}, {sum(size for _, size in removed) / 1e6:,.0f} MB"

    def lock_file(self, folder: Path) -> Path:
        """Return the file to lock while a charm's folder is packed: charmcraft can't pack one twice at a time."""
        self._make_folder()
        return self._path(os.path.realpath(folder), _LOCK)

    def _make_folder(self) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Marks a cache, so that a charm whose folder it is in stays the same: https://bford.info/cachedir/
        if not (tag := self.folder / "CACHEDIR.TAG").exists():
            tag.write_text("Signature: 8a477f597d28d172789f06886806bc55\n# By pytest-operator-cache\n")

    def _path(self, text: str, suffix: str) -> Path:
        return self.folder / f"{hashlib.sha256(os.fsencode(text)).hexdigest()[:16]}{suffix}"

    def _write(self, path: Path, size: int, write: Callable[[BinaryIO], object]) -> None:
        """Write a file of the store: whole or not at all."""
        if size > self.max_bytes:
            raise OSError(f"{size / 1e6:,.0f} MB is more than the cache's limit, {self.max_bytes / 1e6:,.0f} MB")
        self._make_folder()
        self.evict(size)
        descriptor, temporary = tempfile.mkstemp(prefix=_TEMPORARY, dir=self.folder)
        try:
            with os.fdopen(descriptor, "wb") as file:
                write(file)
            Path(temporary).replace(path)
        except BaseException:
            # Not over the error itself.
            _remove(Path(temporary))
            raise

    def _files(self) -> list[tuple[Path, os.stat_result]]:
        """Return the files of this store, the most recently used first, and none that someone else has put there."""
        files = []
        with suppress(FileNotFoundError), os.scandir(self.folder) as entries:
            for entry in entries:
                if _FILE_NAME.fullmatch(entry.name):
                    with suppress(FileNotFoundError):
                        files.append((Path(entry.path), entry.stat(follow_symlinks=False)))
        return sorted(files, key=lambda file: file[1].st_mtime, reverse=True)


def open_store() -> Store:
    """Return the store in the user's cache directory."""
    import platformdirs

    return Store(platformdirs.user_cache_path("pytest-operator-cache"))


def _write_charms(file: BinaryIO, header: bytes, charms: Iterable[tuple[Path, int]]) -> None:
    hasher = hashlib.sha256(header)
    file.write(b" " * 64 + header)
    for charm, size in charms:
        with charm.open("rb") as original:
            if _copy(original, file, hasher, size) != size:
                raise OSError(f"{charm.name} has become shorter")
    file.seek(0)
    file.write(hasher.hexdigest().encode())


def _copy(source: BinaryIO, destination: BinaryIO, hasher: hashlib._Hash, size: int) -> int:
    """Copy a number of bytes, hash them, and return how many there were."""
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
