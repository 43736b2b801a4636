"""Which packed charm is meant: read from inside the `.charm` files, since their names don't tell."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_operator_cache._charm import Charm, Platform

ARTIFACT = "charms-packed-with-cache"


class CharmNotFoundError(FileNotFoundError):
    """No packed charm fits, or several do; the message lists all of them, and what to do."""


@dataclass(frozen=True)
class Packed:
    """What a `.charm` file says of itself.

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


@dataclass(frozen=True)
class Wanted:
    """What a packed charm has to be.

    Attributes:
        architecture: The Debian architecture that it has to run on.
        bases: The bases that it has to run on; any, if empty.
        platform: The name of the platform that it was packed for; any, if empty.
    """

    architecture: str
    bases: frozenset[str] = field(default_factory=frozenset)
    platform: str = ""

    def __str__(self) -> str:
        return " and ".join([self.architecture, *sorted(self.bases)])


class _UnreadableError(Exception):
    """A file that is no charm; the message says why."""


def find(charm: Charm, wanted: Wanted, files: Sequence[Path] | None = None) -> list[Packed]:
    """Return the packed charms that fit, sorted by name: at least one.

    Args:
        charm: The charm's source; the files are looked for in its folder.
        wanted: What they have to be.
        files: Where they are, if not all that is in the charm's folder counts.

    Raises:
        CharmNotFoundError: None fits.
    """
    found = sorted(charm.folder.glob("*.charm")) if files is None else files
    looked_at = [_look_at(path, charm, wanted) for path in found]
    fitting = [packed for packed in looked_at if isinstance(packed, Packed)]
    if not fitting:
        reasons = zip(found, looked_at, strict=True)
        raise CharmNotFoundError(_none_fits(charm, wanted, [f"{path.name}: {reason}" for path, reason in reasons]))
    # The fewer bases a charm was packed for, the more it is what was asked for.
    exact = [packed for packed in fitting if packed.bases == wanted.bases]
    name = _file_name(charm, wanted.platform)
    named = [packed for packed in exact or fitting if packed.path.name == name]
    return named or exact or fitting


def only(charm: Charm, wanted: Wanted, fitting: Sequence[Packed]) -> Path:
    """Return the path of the one packed charm that fits, when it is whole.

    Raises:
        CharmNotFoundError: Several fit, or it is corrupt.
    """
    if len(fitting) > 1:
        raise CharmNotFoundError(_several_fit(charm, wanted, fitting))
    (packed,) = fitting
    check(packed)
    return packed.path


def check(packed: Packed) -> None:
    """Read all of a packed charm.

    Raises:
        CharmNotFoundError: It is corrupt.
    """
    import zipfile

    try:
        with zipfile.ZipFile(packed.path) as archive:
            broken = archive.testzip()
    except _damages() as error:
        broken = str(error)
    if broken:
        raise CharmNotFoundError(f"{packed.path} is corrupt ({broken}): pack or download it again.")


def _look_at(path: Path, charm: Charm, wanted: Wanted) -> Packed | str:
    """Return the packed charm if it fits, else why not."""
    try:
        packed = _read(path)
    except _UnreadableError as error:
        return str(error)
    if packed.name != charm.name:
        return f"another charm, {packed.name!r}"
    if not packed.architectures & {wanted.architecture, "all"}:
        return f"for another architecture, {', '.join(sorted(packed.architectures))}"
    if not wanted.bases <= packed.bases:
        return f"for another base, {', '.join(sorted(packed.bases))}"
    return packed


def _read(path: Path) -> Packed:
    import zipfile

    import yaml

    try:
        with zipfile.ZipFile(path) as archive:
            for name in ("metadata.yaml", "manifest.yaml"):
                if name not in archive.namelist():
                    raise _UnreadableError(f"no {name} in it")
            metadata, manifest = (yaml.safe_load(archive.read(f"{name}.yaml")) for name in ("metadata", "manifest"))
    except yaml.YAMLError as error:
        raise _UnreadableError("what it says of itself is not YAML") from error
    except zipfile.BadZipFile as error:
        raise _UnreadableError(
            "not a zip file, or only a part of one" if not zipfile.is_zipfile(path) else f"corrupt ({error})"
        ) from error
    except _damages() as error:
        raise _UnreadableError(f"can't be read ({error})") from error
    try:
        return Packed(
            path=path,
            name=metadata["name"],
            bases=frozenset(f"{base['name']}@{base['channel']}" for base in manifest["bases"]),
            architectures=frozenset(name for base in manifest["bases"] for name in base["architectures"]),
        )
    except (KeyError, TypeError) as error:
        raise _UnreadableError("its metadata.yaml has no name, or its manifest.yaml no bases") from error


def _damages() -> tuple[type[Exception], ...]:
    """Return what reading a damaged zip file raises: its headers may say anything."""
    import struct
    import zipfile
    import zlib

    return (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, RuntimeError, ValueError)


def _none_fits(charm: Charm, wanted: Wanted, refused: Sequence[str]) -> str:
    elsewhere = [] if refused else [path for path in sorted(Path().rglob("*.charm")) if path.is_file()][:10]
    where = f"No packed charm {charm.name!r} for {wanted} in {charm.folder}"
    in_ci = (
        f"In CI, build_charms_with_cache.yaml packs it into an artifact ({ARTIFACT!r} unless you name it), and "
        "integration_test_charm.yaml downloads that to the root of the repository: give both the same `artifact-name`, "
        f"and see that charmcraft.yaml has a platform for {wanted}."
    )
    on_laptop = f"On a laptop: run `{_pack_command(charm, wanted)}` in {charm.folder}, or unset the variable CI."
    lines = [f"{where}:" if refused else f"{where}.", *(f"  {line}" for line in refused)]
    if elsewhere:
        lines.append(f"Elsewhere below {Path.cwd()}: {', '.join(map(str, elsewhere))}.")
    return "\n".join([*lines, in_ci, on_laptop])


def _several_fit(charm: Charm, wanted: Wanted, fitting: Sequence[Packed]) -> str:
    bases = [", ".join(sorted(packed.bases)) for packed in fitting]
    lines = [
        f"Several packed charms {charm.name!r} for {wanted} in {charm.folder}:",
        *(f"  {packed.path.name}: for {text}" for packed, text in zip(fitting, bases, strict=True)),
    ]
    if len(set(bases)) == len(bases):
        separating = [
            base
            for packed in fitting
            for base in sorted(packed.bases)
            if sum(base in other.bases for other in fitting) == 1
        ]
        choices = " or ".join(f"--charm-base={charm.name}={base}" for base in separating)
        by_index = ", or bases_index to build_charm()" if "bases" in charm.project else ""
        lines.append(f"Pass {choices} to pytest{by_index}.")
    else:
        lines.append(
            "They are for the same: remove what is left over, or pass --charmcraft-args=--platform=NAME to pytest."
        )
    return "\n".join(lines)


def _pack_command(charm: Charm, wanted: Wanted) -> str:
    from pytest_operator_cache._charm import CharmError

    try:
        fitting = packed_here(charm.platforms(machine()), wanted)
        argument = charm.pack_argument(fitting[0].name, machine()) if fitting else ""
    except CharmError:
        argument = ""
    return f"charmcraft pack {argument}".rstrip()


def packed_here(platforms: Sequence[Platform], wanted: Wanted) -> list[Platform]:
    """Return the platforms that fit and that this machine packs."""
    return [
        platform
        for platform in platforms
        if machine() in platform.build_on and platform.is_for(wanted.architecture) and wanted.bases <= platform.bases
    ]


def _file_name(charm: Charm, platform: str) -> str:
    """Return how charmcraft names the file of a platform."""
    return f"{charm.name}_{platform.replace(':', '-')}.charm"


def machine() -> str:
    """Return the Debian architecture of this machine."""
    import craft_platforms

    return str(craft_platforms.DebianArchitecture.from_host())


def wanted_platform(charm: Charm, name: str) -> Wanted:
    """Return what is wanted by the name of a platform.

    Raises:
        CharmError: The charm has no such platform, or its platforms can't be told.
    """
    platform = charm.platform(name, machine())
    architecture = machine() if platform.build_for == "all" else platform.build_for
    return Wanted(architecture, platform.bases, name)
