"""Builds of charms outside CI: one process packs a folder at a time, and the others take the result from the cache."""

from __future__ import annotations

import hashlib
import os
import time
from contextlib import suppress
from dataclasses import dataclass
from glob import escape
from typing import TYPE_CHECKING

from pytest_operator_cache.cache.store import CorruptError, Entry, Store
from pytest_operator_cache.charm import charmcraft
from pytest_operator_cache.common.digest import combine, digest, read_files
from pytest_operator_cache.common.errors import CharmError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from filelock import BaseFileLock
    from typing_extensions import Self

# In seconds.
_POLL = 0.05


@dataclass(frozen=True)
class Cache:
    """Where and how builds are cached."""

    store: Store
    # More patterns of what charmcraft doesn't pack.
    ignore: Sequence[str]
    # Is called with each line that the user should see.
    log: Callable[[str], None]
    # Whether the user wants builds of earlier runs, too, and lines about the cache.
    is_asked_for: bool
    # In seconds since 1970.
    run_start: float
    # The files and folders that this run writes, as real paths: they aren't packed either.
    written: Sequence[Path] = ()


class Build:
    """One build of a charm, as a context manager for `with` and `async with`.

    Inside, `charms` has the paths of the cached charms. If it is empty, pack them and assign their paths: they are put
    into the cache at the end. Only one process at a time packs a folder. The arguments are those of charmcraft, and
    everything else that chooses the result; the destination is for what comes from the cache.
    """

    def __init__(self, cache: Cache, folder: Path, arguments: Sequence[str], destination: Path) -> None:
        self.charms: Sequence[Path] = []
        self._cache = cache
        self._folder = folder
        self._arguments = arguments
        self._destination = destination
        root = folder.resolve()
        written = [path.relative_to(root).as_posix() for path in cache.written if root in path.parents]
        self._ignore = [*cache.ignore, *(f"/{escape(path)}" for path in written)]
        self._inputs: dict[str, str] = {}
        # Of the inputs; empty if they can't be read or nothing can be kept.
        self._key = ""
        self._leftovers: set[tuple[int, int]] = set()
        self._lock: BaseFileLock | None = None
        self._start = 0.0
        self._logged: set[str] = set()

    def __enter__(self) -> Self:
        for _ in self._enter():
            time.sleep(_POLL)
        return self

    async def __aenter__(self) -> Self:
        import asyncio

        for _ in self._enter():
            await asyncio.sleep(_POLL)
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        try:
            if self._start and self._key and self.charms and error is None:
                self._put(time.monotonic() - self._start)
        finally:
            if self._lock:
                self._lock.release()

    async def __aexit__(self, error: type[BaseException] | None, *_: object) -> None:
        self.__exit__(error)

    def _enter(self) -> Iterator[None]:
        """Get the cached charms, or else the lock for packing them; yield while another process has it."""
        self._get()
        if self.charms:
            return
        yield from self._acquire()
        # Another process may have packed it meanwhile.
        self._get()
        if not self.charms:
            self._log_reason()
            self._leftovers = {*charmcraft.file_states(self._folder).values()}
            self._start = time.monotonic()

    def _get(self) -> None:
        """Read the inputs, and get the charms that were packed from them."""
        self._key = ""
        try:
            self._inputs = read_inputs(self._folder, self._arguments, self._ignore)
            self._key = combine(digest(self._inputs), self._arguments)
            oldest = 0 if self._cache.is_asked_for else self._cache.run_start
            entry = self._cache.store.get(self._key, self._destination, oldest)
        except CorruptError:
            self._log_if_asked(f"the cached charm of {self._folder} was corrupt, and has been removed")
        except (CharmError, OSError) as error:
            self._log_if_asked(f"{self._folder} is packed without the cache: {error}")
        else:
            if entry:
                self.charms = entry.charms
                is_asked_for = self._cache.is_asked_for
                how = "taken from the cache" if is_asked_for else "packed by another process of this run"
                self._log(f"{_names(entry.charms)} {how}, {_duration(entry.seconds)} saved")

    def _acquire(self) -> Iterator[None]:
        """Acquire the lock of the folder, and yield while another process has it."""
        from filelock import FileLock, Timeout

        try:
            lock = FileLock(self._cache.store.lock_file(self._folder))
            while True:
                with suppress(Timeout):
                    lock.acquire(blocking=False)
                    break
                yield
            self._lock = lock
        # filelock raises NotImplementedError on a file system without locks.
        except (NotImplementedError, OSError) as error:
            self._log(f"{self._folder} is packed without a lock: {error}")

    def _log_reason(self) -> None:
        """Log why a charm that was packed before has to be packed again."""
        before = self._cache.store.get_record(self._record)
        if self._key and before and all(isinstance(value, str) for value in before.values()):
            changes = describe_changes(before, self._inputs)
            self._log_if_asked(f"{self._folder} repacked: {changes or 'the cache no longer has it'}")

    def _put(self, seconds: float) -> None:
        """Cache the charms that were packed, unless it is doubtful what they were packed from."""
        names = _names(self.charms)
        try:
            inputs = read_inputs(self._folder, self._arguments, self._ignore)
            leftovers = [path for path in self.charms if charmcraft.file_state(path) in self._leftovers]
            if changes := describe_changes(self._inputs, inputs, limit=3):
                self._log(
                    f"{names} not kept, because files changed while it was packed: {changes}. "
                    "If they don't go into the charm, name them in charm_cache_ignore."
                )
            elif leftovers:
                self._log(f"{_names(leftovers)} not kept, because charmcraft packed it earlier")
            else:
                self._cache.store.put(self._key, Entry([*self.charms], seconds))
                self._log_if_asked(f"{names} kept, packed in {_duration(seconds)}")
                self._cache.store.put_record(self._record, self._inputs)
        except (CharmError, OSError) as error:
            self._log(f"{names} not kept: {getattr(error, 'strerror', None) or error}")

    @property
    def _record(self) -> str:
        """What this build and the earlier ones with other inputs have in common."""
        return "\0".join([os.fspath(self._folder), *self._arguments])

    def _log_if_asked(self, line: str) -> None:
        if self._cache.is_asked_for:
            self._log(line)

    def _log(self, line: str) -> None:
        if line not in self._logged:
            self._logged.add(line)
            # A path that isn't UTF-8 can't be sent to another process.
            self._cache.log(line.encode(errors="backslashreplace").decode())


def read_inputs(folder: Path, arguments: Sequence[str], ignore: Sequence[str]) -> dict[str, str]:
    """Return what a charm is packed from: what `read_files` returns, and after a NUL, settings with a hash of each."""
    inputs = read_files(folder, ignore=[*ignore, *charmcraft.work_folders(arguments)])
    for name, value in charmcraft.settings(arguments).items():
        # A variable may hold a secret, and inputs are kept.
        inputs[f"\0{name}"] = hashlib.sha256(value.encode(errors="surrogateescape")).hexdigest()
    return inputs


def describe_changes(before: dict[str, str], after: dict[str, str], limit: int = 1) -> str:
    """Return what has changed between two inputs, in words, and of more than the limit only the number; or nothing."""
    changes = {}
    for name in sorted({name for name, _ in before.items() ^ after.items()}):
        # A path with a NUL leads behind a link.
        path, _, setting = name.partition("\0")
        what = "the git commit" if path == ".git" else path if path.isprintable() else ascii(path)
        how = "added" if path not in before else "removed" if path not in after else "changed"
        changes[f"{what} {how}" if path else f"{setting} changed"] = True
    more = f", and {len(changes) - limit} more" if len(changes) > limit else ""
    return ", ".join([*changes][:limit]) + more


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.1f} s"


def _names(charms: Sequence[Path]) -> str:
    return ", ".join(charm.name for charm in charms)
