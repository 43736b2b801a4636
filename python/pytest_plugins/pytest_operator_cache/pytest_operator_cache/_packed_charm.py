"""The fixture `packed_charm` outside CI: packs the charms of a run, each once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pytest_operator_cache.cache.build import Build, Cache
from pytest_operator_cache.charm.charmcraft import file_states, pack, select_argument
from pytest_operator_cache.charm.packed import Search

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from pytest_operator_cache.charm.packed import Options


class Packer:
    """Packs the charms of a run, each once.

    Args:
        options: What the user asks for in the whole run.
        cache: Where builds are cached.
        make_folder: Makes a folder for what comes from the cache.
    """

    def __init__(self, options: Options, cache: Cache, make_folder: Callable[[], Path]) -> None:
        self._options = options
        self._cache = cache
        self._make_folder = make_folder
        self._packed: dict[tuple[Path, str | None], Path] = {}

    def pack(self, charm_path: str | os.PathLike[str], base: str | None) -> Path:
        """Pack a charm, or take it from the cache, and return where it is.

        Args:
            charm_path: The charm's folder.
            base: The base to pack it for, if not that of the options.

        Raises:
            CharmError: The charm can't be read or packed, it is unclear what to pack, or charmcraft left no such charm.
        """
        folder = Path(charm_path).absolute()
        if (folder, base) not in self._packed:
            # Which platform a base means is in charmcraft.yaml, which is part of the digest.
            bases = [base or "", *(f"{charm}={its_base}" for charm, its_base in sorted(self._options.bases.items()))]
            with Build(self._cache, folder, [*self._options.arguments, *bases], self._make_folder()) as build:
                if not build.charms:
                    build.charms = [self._pack_anew(folder, base)]
            (self._packed[folder, base],) = build.charms
        return self._packed[folder, base]

    def _pack_anew(self, folder: Path, base: str | None) -> Path:
        search = Search(folder, self._options, base=base)
        requirement = search.requirement
        argument = [] if requirement.platform else select_argument(search.charm, requirement)
        before = file_states(folder)
        pack(folder, [*self._options.arguments, *argument])
        # If nothing has changed since it packed last, charmcraft leaves that file as it is.
        new = [path for path, version in sorted(file_states(folder).items()) if version != before.get(path)]
        return search.path_in_folder(new or None)
