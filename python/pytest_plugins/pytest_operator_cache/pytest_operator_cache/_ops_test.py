"""pytest-operator's `ops_test`, made to find packed charms in CI, and to keep its builds on a laptop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from pytest_operator_cache._charms import Charms


def find_charms(operator: Any, charms: Charms, patch: pytest.MonkeyPatch) -> None:
    """Let `ops_test.build_charm()` find charms and never pack them, and `ops_test` do without charmcraft.

    Args:
        operator: The module `pytest_operator.plugin`.
        charms: Finds them.
        patch: Undoes it.
    """
    check_deps = operator.check_deps

    async def build_charm(
        _ops_test: Any,
        charm_path: str | Path,
        bases_index: int | None = None,
        verbosity: str | None = None,  # noqa: ARG001, it is part of the signature
        return_all: bool = False,
    ) -> Path | list[Path]:
        __tracebackhide__ = True
        return charms.find_all(charm_path, bases_index) if return_all else charms.find(charm_path, bases_index)

    def check_other_deps(*deps: str) -> None:
        check_deps(*(dep for dep in deps if dep != "charmcraft"))

    patch.setattr(operator.OpsTest, "build_charm", build_charm)
    patch.setattr(operator, "check_deps", check_other_deps)


def keep_charms(operator: Any, charms: Charms, patch: pytest.MonkeyPatch) -> None:
    """Let `ops_test.build_charm()` take from the store what it has packed before; arguments as of `find_charms`."""
    build = operator.OpsTest.build_charm

    async def build_charm(
        ops_test: Any,
        charm_path: str | Path,
        bases_index: int | None = None,
        verbosity: str | None = None,
        **others: Any,
    ) -> Path | list[Path]:
        destination = ops_test.tmp_path / "charms"
        destination.mkdir(exist_ok=True)
        result: Path | list[Path] = await charms.build(
            lambda: build(ops_test, charm_path, bases_index, verbosity, **others),
            charm_path,
            [bases_index, others.get("return_all", False)],
            destination,
        )
        return result

    patch.setattr(operator.OpsTest, "build_charm", build_charm)
