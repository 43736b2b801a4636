"""The packed charms of a test run: found in CI, packed on a laptop."""

from __future__ import annotations

import logging
import re
import time
from contextlib import nullcontext
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from pytest_operator_cache import _charmcraft
from pytest_operator_cache._cache import Build
from pytest_operator_cache._charm import Charm, CharmError, read
from pytest_operator_cache._packed import (
    CharmNotFoundError,
    Wanted,
    check,
    find,
    machine,
    only,
    packed_here,
    wanted_platform,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from pytest_operator_cache._store import Store

logger = logging.getLogger("pytest_operator_cache")
P = ParamSpec("P")
T = TypeVar("T")


def for_people(function: Callable[P, T]) -> Callable[P, T]:
    """Let errors whose message says it all be shown with it, and without a traceback through this package."""

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        __tracebackhide__ = True
        try:
            return function(*args, **kwargs)
        except (CharmError, CharmNotFoundError, _charmcraft.PackError) as error:
            raise error.with_traceback(None) from None

    return call


class Charms:
    """Finds or packs the charms of a test run.

    Args:
        bases: Which base to choose, by the name of the charm; under an empty name, for all others.
        arguments: What is passed to charmcraft in every build.
        store: Where built charms are kept, if they are.
        ignore: More patterns of what charmcraft doesn't pack.
        tell: Is called with each line that the user should see.
    """

    def __init__(
        self,
        *,
        bases: dict[str, str],
        arguments: Sequence[str],
        store: Store | None,
        ignore: Sequence[str],
        tell: Callable[[str], None],
    ) -> None:
        self._bases = bases
        self._arguments = list(arguments)
        self._store = store
        self._ignore = ignore
        self._tell = tell
        self._packed: dict[tuple[Path, str | None], Path] = {}

    @for_people
    def find(self, charm_path: str | Path, bases_index: int | None = None, base: str | None = None) -> Path:
        """Return the packed charm that lies in a charm's folder.

        Raises:
            CharmError: The charm's source can't be read, or has no such base.
            CharmNotFoundError: None fits, several do, or it is corrupt.
        """
        charm, wanted = self._wanted(charm_path, bases_index, base)
        path = only(charm, wanted, find(charm, wanted))
        logger.info("Found charm %s: %s", charm.name, path)
        return path

    @for_people
    def find_all(self, charm_path: str | Path, bases_index: int | None = None) -> list[Path]:
        """Return all packed charms that lie in a charm's folder and fit; raises what `find` does."""
        charm, wanted = self._wanted(charm_path, bases_index, None)
        fitting = find(charm, wanted)
        for packed in fitting:
            check(packed)
        return [packed.path for packed in fitting]

    @for_people
    def pack(self, charm_path: str | Path, base: str | None, make_folder: Callable[[], Path]) -> Path:
        """Pack a charm, or take it from the store, and return where it is.

        Args:
            charm_path: The charm's folder.
            base: The base to pack it for, if not what the options say.
            make_folder: Makes a folder for what is taken from the store.

        Raises:
            CharmError: The charm's source can't be read, or it is not clear what to pack.
            PackError: charmcraft can't pack it.
            CharmNotFoundError: charmcraft left no charm that fits.
        """
        folder = Path(charm_path).absolute()
        if (folder, base) not in self._packed:
            self._packed[folder, base] = self._pack(folder, base, make_folder)
        return self._packed[folder, base]

    def _pack(self, folder: Path, base: str | None, make_folder: Callable[[], Path]) -> Path:
        if self._store is None:
            return self._pack_anew(folder, base)
        # What a base comes to is in charmcraft.yaml: a hit does without reading it.
        choice = [base or "", *(f"{charm}={of_charm}" for charm, of_charm in sorted(self._bases.items()))]
        build = Build(self._store, folder, [*self._arguments, *choice], self._ignore, self._tell)
        if charms := build.take(destination := make_folder()):
            return charms[0]
        from filelock import FileLock

        lock_file = build.lock_file()
        with FileLock(lock_file) if lock_file else nullcontext():
            if charms := build.take(destination):
                return charms[0]
            start = time.monotonic()
            path = self._pack_anew(folder, base)
            build.keep([path], time.monotonic() - start)
            return path

    def _pack_anew(self, folder: Path, base: str | None) -> Path:
        charm, wanted = self._wanted(folder, None, base)
        arguments = [*self._arguments, *_platform_argument(charm, wanted)]
        before = {path: path.stat().st_mtime_ns for path in folder.glob("*.charm")}
        _charmcraft.pack(folder, arguments)
        # If nothing has changed since it packed last, charmcraft leaves that file as it is.
        new = [path for path in sorted(folder.glob("*.charm")) if path.stat().st_mtime_ns != before.get(path)]
        return only(charm, wanted, find(charm, wanted, new or None))

    async def build(
        self,
        original: Callable[[], Awaitable[Any]],
        charm_path: str | Path,
        choice: Sequence[object],
        destination: Path,
    ) -> Any:
        """Return what pytest-operator's build would, from the store where it is kept.

        Args:
            original: That build; it returns one path, or a list.
            charm_path: The charm's folder.
            choice: What was passed to it that chooses its result; last, whether it returns a list.
            destination: Where to copy what is taken from the store.
        """
        if self._store is None:
            return await original()
        return_all = bool(choice[-1])
        arguments = [*self._arguments, *map(str, choice)]
        build = Build(self._store, Path(charm_path).absolute(), arguments, self._ignore, self._tell)
        if not (charms := build.take(destination)):
            from filelock import AsyncFileLock

            lock_file = build.lock_file()
            async with AsyncFileLock(lock_file) if lock_file else nullcontext():
                if not (charms := build.take(destination)):
                    start = time.monotonic()
                    built = await original()
                    charms = built if return_all else [built]
                    build.keep(charms, time.monotonic() - start)
        return charms if return_all else charms[0]

    def _wanted(self, charm_path: str | Path, bases_index: int | None, base: str | None) -> tuple[Charm, Wanted]:
        charm = read(Path(charm_path))
        base = base or self._bases.get(charm.name) or self._bases.get("")
        bases = (
            charm.bases_of(bases_index) if bases_index is not None else frozenset([check_base(base)] if base else [])
        )
        if platform := _charmcraft.platform_of(self._arguments):
            packed_for = wanted_platform(charm, platform)
            return charm, Wanted(packed_for.architecture, packed_for.bases | bases, platform)
        return charm, Wanted(machine(), bases)


def check_base(base: str) -> str:
    """Return a base if it is written as one.

    Raises:
        CharmError: It isn't.
    """
    if not re.fullmatch(r"[a-z]+@[\w.]+", base):
        raise CharmError(f"{base!r} is not a base: write NAME@CHANNEL, such as ubuntu@24.04.")
    return base


def _platform_argument(charm: Charm, wanted: Wanted) -> list[str]:
    """Return the argument that charmcraft needs to pack one charm alone."""
    if wanted.platform:
        return []
    platforms = charm.platforms(machine())
    fitting = packed_here(platforms, wanted)
    listed = "".join(f"\n  {platform.name}: on {', '.join(sorted(platform.bases))}" for platform in platforms)
    if not fitting:
        raise CharmError(f"{charm.folder / 'charmcraft.yaml'} packs nothing for {wanted}. Its platforms:{listed}")
    if len(fitting) > 1:
        raise CharmError(
            f"{charm.folder / 'charmcraft.yaml'} packs several charms for {wanted}: pass "
            f"--charm-base={charm.name}=NAME@CHANNEL to pytest, or base= to packed_charm(). Its platforms:{listed}"
        )
    argument = charm.pack_argument(fitting[0].name, machine())
    return [argument] if argument else []
