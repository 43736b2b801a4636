"""What a packed charm says about itself: it is a zip file with `metadata.yaml` and `manifest.yaml`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_operator_cache.charm.source import parse_yaml
from pytest_operator_cache.common.errors import CharmError

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Packed:
    """What a `.charm` file says about itself.

    Attributes:
        path: Where it is, absolute.
        name: The charm's name.
        bases: What it runs on, such as "ubuntu@24.04".
        architectures: The Debian architectures that it runs on, or "all".
    """

    path: Path
    name: str
    bases: frozenset[str]
    architectures: frozenset[str]


class UnreadableError(Exception):
    """A file is not a charm; the message says why."""


def read_packed(path: Path) -> Packed:
    """Return what a packed charm says about itself.

    Raises:
        UnreadableError: It is no charm.
    """
    import zipfile

    try:
        with zipfile.ZipFile(path) as archive:
            for name in ("metadata.yaml", "manifest.yaml"):
                if name not in archive.namelist():
                    raise UnreadableError(f"no {name} in it")
            metadata, manifest = archive.read("metadata.yaml"), archive.read("manifest.yaml")
    except zipfile.BadZipFile as error:
        raise UnreadableError(
            "not a zip file, or only a part of one" if not zipfile.is_zipfile(path) else f"corrupt ({error})"
        ) from error
    except _damages() as error:
        raise UnreadableError(f"can't be read ({error})") from error
    return _parse(path, metadata, manifest)


def check(packed: Packed) -> None:
    """Read all of a packed charm.

    Raises:
        CharmError: It is corrupt.
    """
    import zipfile

    try:
        with zipfile.ZipFile(packed.path) as archive:
            broken = archive.testzip()
    except _damages() as error:
        broken = str(error)
    if broken:
        raise CharmError(f"corrupt ({broken})", where=str(packed.path), advice="Pack or download it again.")


def _parse(path: Path, metadata: bytes, manifest: bytes) -> Packed:
    """Return what the two files say, if it has the form that charmcraft writes."""
    try:
        name, bases = parse_yaml(metadata), parse_yaml(manifest)
    except ValueError as error:
        raise UnreadableError("its metadata.yaml or its manifest.yaml is not YAML") from error
    try:
        name, bases = name["name"], bases["bases"]
        # Adding to a list fails for anything but a list.
        architectures = [name for base in bases for name in [] + base["architectures"]]
        names = [name for base in bases for name in (base["name"], str(base["channel"]))]
    except (LookupError, TypeError):
        name, architectures, names = None, [], []
    if not all(isinstance(text, str) and text.isprintable() for text in (name, *architectures, *names)):
        raise UnreadableError("its metadata.yaml has no name, or its manifest.yaml no bases")
    channels = zip(names[::2], names[1::2], strict=True)
    return Packed(path, name, frozenset(map("@".join, channels)), frozenset(architectures))


def _damages() -> tuple[type[Exception], ...]:
    """Return what reading a damaged zip file raises: its headers may say anything."""
    import lzma
    import struct
    import zipfile
    import zlib

    # With `-W error`, Python 3.14 raises its warning of overlapping entries.
    errors = (zlib.error, lzma.LZMAError, struct.error, EOFError, OSError, RuntimeError, ValueError, UserWarning)
    return (zipfile.BadZipFile, *errors)
