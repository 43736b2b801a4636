"""The fixture `packed_charm` outside CI: packs a charm, or takes it from the cache."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_operator_cache.cache.build import Build
from pytest_operator_cache.charm import charmcraft

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_operator_cache.cache.build import Cache
    from pytest_operator_cache.charm.packed import Search


def pack(search: Search, cache: Cache, destination: Path) -> Path:
    """Return where the charm is, which is the destination if it comes from the cache."""
    options = search.options
    # Which platform a base means is in charmcraft.yaml, which is part of the digest.
    bases = [search.base or "", *(f"{charm}={base}" for charm, base in sorted(options.bases.items()))]
    with Build(cache, search.folder, [*options.arguments, *bases], destination) as build:
        if not build.charms:
            build.charms = [_pack_anew(search)]
    (charm,) = build.charms
    return charm


def _pack_anew(search: Search) -> Path:
    requirement = search.requirement
    argument = [] if requirement.platform else charmcraft.select_argument(search.charm, requirement)
    before = charmcraft.file_states(search.folder)
    charmcraft.pack(search.folder, [*search.options.arguments, *argument])
    # If nothing has changed since it packed last, charmcraft leaves that file as it is.
    after = sorted(charmcraft.file_states(search.folder).items())
    return search.path_in_folder([path for path, state in after if state != before.get(path)] or None)
