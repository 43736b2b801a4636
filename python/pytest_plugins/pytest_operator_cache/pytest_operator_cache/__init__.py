"""Never pack the same charm twice: the packed charm for integration tests, in CI and on a laptop.

The package is a pytest plugin. Its interface: ``ops_test.build_charm()``, the fixture ``packed_charm`` and its type
``PackedCharm``, the options ``--charm-base``, ``--charm-cache`` and ``--charm-cache-clear``, and the commands
``collect-charms``, ``charm-digest``, ``charm-cache`` and ``find-charm``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import os
    from pathlib import Path

__all__ = ["PackedCharm"]


class PackedCharm(Protocol):
    """The type of the fixture `packed_charm`."""

    def __call__(self, charm_path: str | os.PathLike[str] = ".", *, base: str | None = None) -> Path:
        """Return the absolute path of a packed charm.

        Args:
            charm_path: The charm's folder.
            base: The base that it must run on, such as "ubuntu@24.04". By default, the options of pytest decide.
        """
