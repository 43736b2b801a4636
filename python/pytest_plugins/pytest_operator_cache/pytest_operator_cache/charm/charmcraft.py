"""The charmcraft on this machine: its version, its arguments, what changes its result, and what it names its files."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_operator_cache.charm.source import DOCUMENTATION, find_choices
from pytest_operator_cache.common.errors import CharmError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_operator_cache.charm.source import Charm, Requirement


def host_architecture() -> str:
    """Return the Debian architecture of this machine."""
    import craft_platforms

    return str(craft_platforms.DebianArchitecture.from_host())


def version() -> str:
    """Return the version of charmcraft. If it is a snap, return its revision, which needs no process."""
    program = _find()
    # snap/bin/charmcraft is a link to snap itself, and snap/charmcraft/current one to the revision.
    revision = Path(program).parent.parent / "charmcraft/current"
    if Path(program).resolve().name == "snap" and revision.is_symlink():
        return f"revision {revision.readlink()}"
    return _run([program, "version"], Path.cwd()).strip()


def settings(arguments: Sequence[str]) -> dict[str, str]:
    """Return what charmcraft's result depends on besides its arguments and the files, by its name for people."""
    found = {"charmcraft": version(), "the machine's architecture": os.uname().machine}
    for name, value in os.environ.items():
        if name.startswith(("CRAFT_", "CHARMCRAFT_")) and name != "CHARMCRAFT_AUTH":
            found[f"the variable {name}"] = value
    if _packs_on_host(arguments):
        found["the machine's base"] = Path("/etc/os-release").read_text(encoding="utf-8")
    return found


def work_folders(arguments: Sequence[str]) -> list[str]:
    """Return the folders of a charm in which charmcraft works, and which it doesn't pack."""
    return ["/parts", "/stage", "/prime", "/overlay"] if _packs_on_host(arguments) else []


def platform_of(arguments: Sequence[str]) -> str:
    """Return the platform that charmcraft's arguments ask for; empty if they ask for none."""
    for argument, following in zip(arguments, [*arguments, ""][1:], strict=True):
        option, equals, value = argument.partition("=")
        if option == "--platform":
            return value if equals else following
    return ""


def pack_argument(charm: Charm, platform: str, architecture: str) -> list[str]:
    """Return the argument that makes charmcraft pack only one platform, on a machine with this architecture.

    It is empty if charmcraft packs no other platform there. If no argument chooses this one, it is a CharmError.
    """
    packed = [other.name for other in charm.platforms(architecture) if architecture in other.build_on]
    if packed == [platform]:
        return []
    # charmcraft 4 takes --bases-index, and ignores it: https://github.com/canonical/charmcraft/issues/1983
    if "platforms" not in charm.project and platform not in _choices(charm.project["bases"], architecture):
        raise CharmError(
            f"charmcraft can't pack only {platform!r}: its entry in `bases` runs on several bases, or on another one "
            "than it is built on",
            where=charm.file,
            advice=f"Give each base a separate entry, or write `platforms` instead of `bases`. See {DOCUMENTATION}",
        )
    return [f"--platform={platform}"]


def select_argument(charm: Charm, requirement: Requirement) -> list[str]:
    """Return the argument that makes charmcraft pack only the charm that fits, as `pack_argument` does."""
    architecture = host_architecture()
    platforms = charm.platforms(architecture)
    fitting = [platform for platform in requirement.select(platforms) if architecture in platform.build_on]
    names = (f"\n  {platform.name}: on {', '.join(sorted(platform.bases))}" for platform in fitting or platforms)
    listed = f"Its platforms:{''.join(names)}"
    if not fitting:
        raise CharmError(f"no platform for {requirement}", where=charm.file, advice=listed)
    if len(fitting) > 1:
        bases = find_choices([platform.bases for platform in fitting])
        options = " or ".join(f"--charm-base={charm.name}={base}" for base in bases)
        choose = f"Pass {options} to pytest, or base= to packed_charm()." if bases else "They are for the same base."
        raise CharmError(f"several platforms for {requirement}", where=charm.file, advice=f"{choose} {listed}")
    return pack_argument(charm, fitting[0].name, architecture)


def pack_command(charm: Charm, requirement: Requirement) -> str:
    """Return the command that packs the charm that fits, as people type it."""
    try:
        return " ".join(["charmcraft", "pack", *select_argument(charm, requirement)])
    except CharmError:
        return "charmcraft pack"


def file_names(charm: Charm, requirement: Requirement) -> set[str]:
    """Return how charmcraft names the files of the platforms that fit."""
    try:
        platforms = charm.platforms(host_architecture())
    except CharmError:
        return set()
    return {f"{charm.name}_{platform.name.replace(':', '-')}.charm" for platform in requirement.select(platforms)}


def pack(folder: Path, arguments: Sequence[str]) -> None:
    _run([_find(), "pack", *arguments], folder)


def file_states(folder: Path) -> dict[Path, tuple[int, int]]:
    """Return the packed charms in a folder, with what changes when charmcraft writes one."""
    found = {}
    for path in folder.glob("*.charm"):
        # Another process may have removed it, and a link may lead nowhere.
        with suppress(OSError):
            found[path] = file_state(path)
    return found


def file_state(charm: Path) -> tuple[int, int]:
    """Return what stays the same when a file is moved, and changes when it is written."""
    status = charm.stat()
    return status.st_ino, status.st_mtime_ns


def _packs_on_host(arguments: Sequence[str]) -> bool:
    return "--destructive-mode" in arguments or os.environ.get("CRAFT_BUILD_ENVIRONMENT") == "host"


def _choices(entries: list[dict[str, Any]], architecture: str) -> set[str]:
    """Return what charmcraft's --platform takes for `bases`: it makes that of all that an entry runs on."""
    return {
        "_".join(
            f"{base['name']}-{base['channel']}-{'-'.join(base.get('architectures', [architecture]))}"
            for base in entry.get("run-on", [entry])
        )
        for entry in entries
    }


def _find() -> str:
    program = shutil.which("charmcraft")
    if program is None:
        raise CharmError("charmcraft is not on PATH", advice="Install it: sudo snap install --classic charmcraft")
    return program


def _run(command: Sequence[str], folder: Path) -> str:
    shown = f"`{' '.join(['charmcraft', *command[1:]])}`"
    try:
        result = subprocess.run(
            command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
    except OSError as error:
        raise CharmError(f"{shown} did not start: {error.strerror}", where=str(folder)) from error
    if result.returncode:
        said = result.stderr or result.stdout
        raise CharmError(f"{shown} failed with exit code {result.returncode}:\n{said}", where=str(folder))
    return result.stdout
