"""Patches pytest-operator's `ops_test`: it finds packed charms in CI, and caches its builds on a laptop.

`operator` is the module `pytest_operator.plugin`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

    from pytest_operator_cache.cache.build import Cache
    from pytest_operator_cache.charm.packed import Options


def find_charms(operator: Any, options: Options, patch: pytest.MonkeyPatch) -> None:
    """Let `ops_test.build_charm()` find charms and never pack them, and let `ops_test` work without charmcraft."""
    from pytest_operator_cache.charm.packed import Search
    from pytest_operator_cache.common.errors import without_traceback

    check_deps = operator.check_deps

    @without_traceback
    def find(charm_path: str | Path, bases_index: int | None, return_all: bool) -> Path | list[Path]:
        search = Search(Path(charm_path), options, bases_index)
        return search.paths_in_folder() if return_all else search.path_in_folder()

    async def build_charm(
        _ops_test: Any,
        charm_path: str | Path,
        bases_index: int | None = None,
        verbosity: str | None = None,  # noqa: ARG001, it is part of the signature
        return_all: bool = False,
    ) -> Path | list[Path]:
        __tracebackhide__ = True
        return find(charm_path, bases_index, return_all)

    def check_other_deps(*deps: str) -> None:
        check_deps(*(dep for dep in deps if dep != "charmcraft"))

    patch.setattr(operator.OpsTest, "build_charm", build_charm)
    patch.setattr(operator, "check_deps", check_other_deps)


def cache_builds(operator: Any, options: Options, cache: Cache, patch: pytest.MonkeyPatch) -> None:
    """Let `ops_test.build_charm()` take from the cache what was packed before."""
    from pytest_operator_cache.cache.build import Build

    original = operator.OpsTest.build_charm

    async def build_charm(
        ops_test: Any,
        charm_path: str | Path,
        bases_index: int | None = None,
        verbosity: str | None = None,
        **others: Any,
    ) -> Path | list[Path] | None:
        return_all = others.get("return_all", False)
        destination = ops_test.tmp_path / "charms"
        destination.mkdir(exist_ok=True)
        arguments = [*options.arguments, f"bases_index={bases_index}", f"return_all={return_all}"]
        async with Build(cache, Path(charm_path).absolute(), arguments, destination) as build:
            if not build.charms:
                built = await original(ops_test, charm_path, bases_index, verbosity, **others)
                # Older versions return None if charmcraft left no charm.
                build.charms = (built if return_all else [built]) if built else []
        return [*build.charms] if return_all else next(iter(build.charms), None)

    patch.setattr(operator.OpsTest, "build_charm", build_charm)
