"""A build on a laptop: taken from the store while nothing that goes into the charm has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_operator_cache import _charmcraft
from pytest_operator_cache._digest import WORK_FOLDERS, combine, digest, read_files
from pytest_operator_cache._store import CorruptError, Kept, Store

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path


class Build:
    """One build of a charm: look for it in the store, else pack it and keep it.

    Args:
        store: Where charms are kept.
        folder: The charm's folder.
        arguments: What is passed to charmcraft, and all else that chooses the result.
        ignore: More patterns of what charmcraft doesn't pack.
        tell: Is called with each line that the user should see.
    """

    def __init__(
        self, store: Store, folder: Path, arguments: Sequence[str], ignore: Sequence[str], tell: Callable[[str], None]
    ) -> None:
        self._store = store
        self._folder = folder
        self._arguments = arguments
        self._ignore = ignore
        self._tell = tell
        self._before = self._state()
        try:
            version = _charmcraft.version()
            self._files = self._read_files()
            self._key = combine(digest(self._files), version, arguments, _charmcraft.surroundings(arguments))
        except (OSError, _charmcraft.PackError) as error:
            self._key = ""
            tell(f"{folder} is packed without the cache: {error}")

    def take(self, destination: Path) -> list[Path] | None:
        """Copy the charms that are kept of this build, and return where they are; None if it has to be packed."""
        if not self._key:
            return None
        try:
            kept = self._store.take(self._key, destination)
        except CorruptError:
            self._tell(f"what was kept of {self._folder} was corrupt, and is removed")
            return None
        except OSError as error:
            self._tell(f"what was kept of {self._folder} can't be used: {error}")
            return None
        if kept is None:
            return None
        self._tell(f"{_names(kept.charms)} taken from the cache, {_as_text(kept.seconds)} saved")
        return kept.charms

    def lock_file(self) -> Path | None:
        """Return the file to lock while the charm is packed; None if nothing will be kept."""
        try:
            return self._store.lock_file(self._folder) if self._key else None
        except OSError as error:
            self._tell(f"{self._folder} is packed without the cache: {error}")
            self._key = ""
            return None

    def keep(self, charms: Sequence[Path], seconds: float) -> None:
        """Keep the charms that were packed, unless it is doubtful what they were packed from."""
        if not self._key:
            return
        try:
            changed = sorted({path.split("\0")[0] for path, _ in self._files.items() ^ self._read_files().items()})
            if changed:
                self._tell(
                    f"{_names(charms)} not kept, for this has changed while it was packed: {', '.join(changed[:3])}"
                    f"{f' and {len(changed) - 3} more' if len(changed) > 3 else ''}. "
                    "If it does not go into the charm, name it in charm_cache_ignore."
                )
            elif leftovers := [charm for charm in charms if _identity(charm) in self._before]:
                self._tell(f"{_names(leftovers)} not kept: charmcraft packed it at some time before")
            else:
                self._store.keep(self._key, Kept(list(charms), seconds))
                self._tell(f"{_names(charms)} kept, packed in {_as_text(seconds)}")
        except OSError as error:
            self._tell(f"{_names(charms)} not kept: {error.strerror or error}")

    def _read_files(self) -> dict[str, str]:
        on_machine = _charmcraft.packs_on_machine(self._arguments)
        work_folders = [f"/{name}" for name in WORK_FOLDERS] if on_machine else []
        return read_files(self._folder, ignore=[*self._ignore, *work_folders])

    def _state(self) -> set[tuple[int, int]]:
        return {_identity(charm) for charm in self._folder.glob("*.charm")}


def _identity(charm: Path) -> tuple[int, int]:
    status = charm.stat()
    return status.st_ino, status.st_mtime_ns


def _as_text(seconds: float) -> str:
    """Return a duration as people read it."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.1f} s"


def _names(charms: Sequence[Path]) -> str:
    """Return the names of files."""
    return ", ".join(charm.name for charm in charms)
