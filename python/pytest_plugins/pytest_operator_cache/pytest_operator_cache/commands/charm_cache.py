"""The command `charm-cache`: what is in the cache, where it is, and how to empty it."""

from __future__ import annotations

import argparse
import sys
import time
from typing import TYPE_CHECKING

from pytest_operator_cache.cache.store import open_store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_operator_cache.cache.store import Store


def main(arguments: Sequence[str] | None = None) -> int:
    """List the cache, clear it or print its location, and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="charm-cache",
        description="Show or clear the packed charms that are cached on this machine.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "action",
        nargs="?",
        choices=("list", "clear", "location"),
        default="list",
        help="list the charms, the most recently used first; remove all of them; or print the folder (default: list)",
    )
    action = parser.parse_args(arguments).action
    store = open_store()
    try:
        if action == "list":
            print("\n".join(_list(store)))
        elif action == "clear":
            print(store.clear())
        else:
            print(store.folder)
    except OSError as error:
        print(f"charm-cache: {error}", file=sys.stderr)
        return 1
    return 0


def _list(store: Store) -> list[str]:
    rows = [("CHARM", "SIZE", "AGE", "HITS")]
    entries = store.entries()
    for entry in entries:
        names = ", ".join(charm.name for charm in entry.charms)
        names = names if names.isascii() and names.isprintable() else ascii(names)
        rows.append((names, f"{entry.size / 1e6:,.1f} MB", _describe_age(time.time() - entry.packed), str(entry.hits)))
    first, *others = (max(map(len, column)) for column in zip(*rows, strict=True))
    total = sum(entry.size for entry in entries)
    sizes = f"{total / 1e6:,.0f} MB of at most {store.max_bytes / 1e6:,.0f} MB"
    lines = [
        "  ".join([row[0].ljust(first), *(cell.rjust(width) for cell, width in zip(row[1:], others, strict=True))])
        for row in (rows if entries else [])
    ]
    return [*lines, f"{len(entries)} in {store.folder}, {sizes}"]


def _describe_age(seconds: float) -> str:
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if (count := int(seconds // length)) > 0:
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return "new"
