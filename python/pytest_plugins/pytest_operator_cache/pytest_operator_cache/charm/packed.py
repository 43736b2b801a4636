"""Packed charms: what one says about itself, and which one is wanted. File names don't tell which charm it is."""

from __future__ import annotations

import logging
import os
import sys
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_operator_cache.charm.charmcraft import file_names, host_architecture, pack_command, platform_of
from pytest_operator_cache.charm.source import Charm, Requirement, check_base, find_choices, parse_yaml, read
from pytest_operator_cache.common.digest import walk
from pytest_operator_cache.common.errors import CharmError, CharmNotFoundError, ExitCode, SeveralCharmsError

if TYPE_CHECKING:
    from collections.abc import Sequence

ARTIFACT = "charms-packed-with-cache"
# A packed charm is in the first one for suites that `charmcraft init` creates, in the second one for `charmcraft test`.
VARIABLES = ("CHARM_PATH", "CRAFT_ARTIFACT")
_ANOTHER_CHARM = "another charm"
# In bytes. Those of real charms have some thousands.
_MAX_YAML = 1 << 20
_PACK_AGAIN = "Pack or download it again."
_LOGGER = logging.getLogger("pytest_operator_cache")


@dataclass(frozen=True)
class Packed:
    """What a `.charm` file says about itself: bases such as "ubuntu@24.04", Debian's architectures or "all"."""

    path: Path
    name: str
    bases: frozenset[str]
    architectures: frozenset[str]


@dataclass(frozen=True)
class Options:
    """What the user asks for in a whole run.

    Attributes:
        bases: The base to choose, by the charm's name; under an empty name, for all other charms.
        arguments: The arguments of every `charmcraft pack`.
    """

    bases: dict[str, str] = field(default_factory=dict)
    arguments: list[str] = field(default_factory=list)


@dataclass
class Search:
    """Looks for the packed charm of a folder, which has the charm's source.

    A method raises CharmNotFoundError if none fits, SeveralCharmsError if several do, or another CharmError if the one
    that fits is corrupt, the source can't be read, or it has no such base or platform.
    """

    folder: Path
    options: Options = field(default_factory=Options)
    bases_index: int | None = None
    # If not that of the options.
    base: str | None = None
    # Why what was looked at earlier doesn't fit.
    refused: dict[str, str] = field(default_factory=dict)

    @cached_property
    def charm(self) -> Charm:
        return read(self.folder)

    @cached_property
    def requirement(self) -> Requirement:
        base = self.base or self.options.bases.get(self.charm.name) or self.options.bases.get("")
        bases = frozenset([check_base(base)] if base else [])
        if self.bases_index is not None:
            bases = self.charm.bases_at(self.bases_index)
        if not (name := platform_of(self.options.arguments)):
            return Requirement(host_architecture(), bases)
        platform = self.charm.platform(name, host_architecture())
        architecture = host_architecture() if platform.build_for == "all" else platform.build_for
        return Requirement(architecture, platform.bases | bases, name)

    def path(self) -> Path:
        """Return the path of the packed charm, in a variable or in the folder."""
        return self.path_in_variables() or self.path_in_folder()

    def path_in_variables(self) -> Path | None:
        """Return the path in CHARM_PATH or CRAFT_ARTIFACT, if it is that of this charm."""
        for variable in VARIABLES:
            if not (value := os.environ.get(variable)):
                continue
            named = f"{variable}={value}"
            charm = self.charm
            try:
                packed = read_packed(Path(value).absolute())
            except CharmError as error:
                advice = "It must be the path of a packed charm. Correct it, or unset it."
                raise CharmError(error.problem, where=named, advice=advice) from error
            if not (reason := self._refuse(packed)):
                check(packed)
                return packed.path
            _LOGGER.info("%s is not used for charm %s: %s", named, charm.name, reason)
            self.refused[named] = reason
        return None

    def path_in_folder(self, files: Sequence[Path] | None = None) -> Path:
        """Return the path of the only one that fits, of these files or of all in the folder."""
        packed, *others = self._fitting(files)
        if others:
            raise self._several_fit([packed, *others])
        check(packed)
        _LOGGER.info("Found charm %s: %s", self.charm.name, packed.path)
        return packed.path

    def paths_in_folder(self) -> list[Path]:
        """Return the paths of all in the folder that fit, sorted: at least one."""
        fitting = self._fitting()
        for packed in fitting:
            check(packed)
        return [packed.path for packed in fitting]

    def _fitting(self, files: Sequence[Path] | None = None) -> list[Packed]:
        found = sorted(self.charm.folder.glob("*.charm")) if files is None else files
        names = file_names(self.charm, self.requirement)
        fitting = []
        for path in found:
            try:
                packed = read_packed(path)
            except CharmError as error:
                # It is the one that is asked for, so no other may take its place.
                if path.name in names:
                    raise
                self.refused[path.name] = error.problem
                continue
            if reason := self._refuse(packed):
                self.refused[path.name] = reason
            else:
                fitting.append(packed)
        if not fitting:
            raise self._none_fits([] if found else _find_elsewhere())
        # Among charms that were downloaded or renamed, it is the one with charmcraft's name.
        named = [packed for packed in fitting if packed.path.name in names] or fitting
        # A charm that was packed for exactly these bases fits better than one that was packed for more.
        return [packed for packed in named if packed.bases == self.requirement.bases] or named

    def _refuse(self, packed: Packed) -> str:
        """Return why a packed charm doesn't fit; empty if it does."""
        if packed.name != self.charm.name:
            return f"{_ANOTHER_CHARM}, {packed.name!r}"
        if not packed.architectures & {self.requirement.architecture, "all"}:
            return f"for another architecture, {', '.join(sorted(packed.architectures))}"
        if not self.requirement.bases <= packed.bases:
            return f"for another base, {', '.join(sorted(packed.bases))}"
        return ""

    def _none_fits(self, elsewhere: Sequence[Path]) -> CharmNotFoundError:
        charm, requirement = self.charm, self.requirement
        problem = f"no packed charm {charm.name!r} for {requirement}"
        if self.refused:
            problem = "\n  ".join([f"{problem}:", *(f"{name}: {reason}" for name, reason in self.refused.items())])
        if elsewhere:
            listed = ", ".join(map(str, elsewhere))
            problem = f"{problem}{'' if self.refused else '.'}\nThere are others below {Path.cwd()}: {listed}"
        in_ci = (
            f"In CI: build_charms_with_cache.yaml packs it into an artifact ({ARTIFACT!r} by default), and "
            "integration_test_charm.yaml downloads that to the root of the repository. Give both the same "
            f"`artifact-name`, and check that charmcraft.yaml has a platform for {requirement}."
        )
        on_laptop = (
            f"On a laptop: run `{pack_command(charm, requirement)}` in {charm.folder}, or unset the variable CI."
        )
        error = CharmNotFoundError(problem, where=str(charm.folder), advice=f"{in_ci}\n{on_laptop}")
        if all(reason.startswith(_ANOTHER_CHARM) for reason in self.refused.values()):
            error.exit_code = ExitCode.NO_CHARM
        return error

    def _several_fit(self, fitting: Sequence[Packed]) -> SeveralCharmsError:
        charm = self.charm
        listed = [f"{packed.path.name}: for {', '.join(sorted(packed.bases))}" for packed in fitting]
        bases = find_choices([packed.bases for packed in fitting])
        if choices := " or ".join(f"--charm-base={charm.name}={base}" for base in bases):
            by_index = ", or bases_index to build_charm()" if "bases" in charm.project else ""
            advice = f"Pass {choices} to pytest{by_index}."
        else:
            has_arguments = "pytest_operator" in sys.modules
            other = (
                "pass --charmcraft-args=--platform=NAME to pytest" if has_arguments else f"set {VARIABLES[0]} to one"
            )
            advice = f"They are for the same base: remove those you don't need, or {other}."
        problem = "\n  ".join([f"several packed charms {charm.name!r} for {self.requirement}:", *listed])
        return SeveralCharmsError(problem, where=str(charm.folder), advice=advice, bases=bases)


def read_packed(path: Path) -> Packed:
    """Return what a packed charm says about itself. It is a CharmError if the file is no charm."""
    import zipfile

    problem: object = None
    try:
        # To open a named pipe would wait for its writer.
        if path.exists() and not path.is_file():
            raise CharmError("not a file", where=str(path), advice=_PACK_AGAIN)
        with zipfile.ZipFile(path) as archive:
            names = ("metadata.yaml", "manifest.yaml")
            if missing := [name for name in names if name not in archive.namelist()]:
                problem = f"no {missing[0]} in it"
            elif large := [name for name in names if archive.getinfo(name).file_size > _MAX_YAML]:
                problem = f"its {large[0]} is larger than 1 MiB"
            else:
                return _parse(path, *map(archive.read, names))
    except zipfile.BadZipFile as error:
        problem = f"corrupt ({error})" if zipfile.is_zipfile(path) else "not a zip file, or only a part of one"
    except _damages() as error:
        problem = f"can't be read ({error})"
    raise CharmError(str(problem), where=str(path), advice=_PACK_AGAIN)


def check(packed: Packed) -> None:
    """Read all of a packed charm. It is a CharmError if it is corrupt."""
    import zipfile

    try:
        with zipfile.ZipFile(packed.path) as archive:
            broken = archive.testzip()
    except _damages() as error:
        broken = str(error)
    if broken:
        raise CharmError(f"corrupt ({broken})", where=str(packed.path), advice=_PACK_AGAIN)


def _parse(path: Path, metadata: bytes, manifest: bytes) -> Packed:
    """Return what the two files say, if it has the form that charmcraft writes."""
    try:
        name, bases = parse_yaml(metadata), parse_yaml(manifest)
    except ValueError as error:
        problem = "its metadata.yaml or its manifest.yaml is not YAML"
        raise CharmError(problem, where=str(path), advice=_PACK_AGAIN) from error
    try:
        name, bases = name["name"], bases["bases"]
        # Adding to a list fails for anything but a list.
        architectures = [name for base in bases for name in [] + base["architectures"]]
        names = [name for base in bases for name in (base["name"], str(base["channel"]))]
    except (LookupError, TypeError):
        name, architectures, names = None, [], []
    if not all(isinstance(text, str) and text.isprintable() for text in (name, *architectures, *names)):
        problem = "its metadata.yaml has no name, or its manifest.yaml no bases"
        raise CharmError(problem, where=str(path), advice=_PACK_AGAIN)
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


def _find_elsewhere() -> list[Path]:
    """Return the first packed charms below this directory. It may be `/`, so not all folders are looked into."""
    folders = islice(walk(Path()), 5_000)
    packed = (folder / name for folder, files in folders for name in files if name.endswith(".charm"))
    return [*islice(packed, 10)]
