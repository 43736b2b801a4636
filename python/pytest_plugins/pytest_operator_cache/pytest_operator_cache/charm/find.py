"""Finds packed charms. It reads inside the `.charm` files, because their names don't tell which charm they are."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_operator_cache.charm.charmcraft import file_names, host_architecture, pack_command, platform_of
from pytest_operator_cache.charm.contents import Packed, UnreadableError, check, read_packed
from pytest_operator_cache.charm.source import Charm, Requirement, check_base, read
from pytest_operator_cache.common.errors import CharmError, CharmNotFoundError, SeveralCharmsError, WrongCharmError
from pytest_operator_cache.common.folders import walk

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ARTIFACT = "charms-packed-with-cache"
# A packed charm is in the first one for suites that `charmcraft init` creates, in the second one for `charmcraft test`.
VARIABLES = ("CHARM_PATH", "CRAFT_ARTIFACT")
_ANOTHER_CHARM = "another charm"
_LOGGER = logging.getLogger("pytest_operator_cache")


@dataclass(frozen=True)
class Options:
    """What the user asks for in a whole run.

    Attributes:
        bases: The base to choose, by the charm's name; under an empty name, for all other charms.
        arguments: The arguments of every `charmcraft pack`.
    """

    bases: dict[str, str] = field(default_factory=dict)
    arguments: list[str] = field(default_factory=list)

    def requirement(self, charm: Charm, bases_index: int | None = None, base: str | None = None) -> Requirement:
        """Return what a packed charm must be.

        Args:
            charm: The charm's source.
            bases_index: An index into `bases` in its charmcraft.yaml.
            base: The base that it must run on, if not that of the options.

        Raises:
            CharmError: The charm has no such base or platform, or its platforms can't be read.
        """
        base = base or self.bases.get(charm.name) or self.bases.get("")
        bases = frozenset([check_base(base)] if base else [])
        if bases_index is not None:
            bases = charm.bases_at(bases_index)
        if not (name := platform_of(self.arguments)):
            return Requirement(host_architecture(), bases)
        platform = charm.platform(name, host_architecture())
        architecture = host_architecture() if platform.build_for == "all" else platform.build_for
        return Requirement(architecture, platform.bases | bases, name)


def find_one(
    charm_path: str | Path,
    options: Options,
    bases_index: int | None = None,
    base: str | None = None,
    refused: Mapping[str, str] | None = None,
) -> Path:
    """Return the packed charm in a charm's folder.

    Args:
        charm_path: The charm's folder.
        options: What the user asks for in the whole run.
        bases_index: See `Options.requirement`.
        base: See `Options.requirement`.
        refused: What `find_named` returns.

    Raises:
        CharmNotFoundError: None fits.
        CharmError: Several fit, it is corrupt, or the charm's source can't be read or doesn't have that base.
    """
    charm = read(Path(charm_path))
    requirement = options.requirement(charm, bases_index, base)
    path = select_one(charm, requirement, find(charm, requirement, refused=refused))
    _LOGGER.info("Found charm %s: %s", charm.name, path)
    return path


def find_named(charm_path: str | Path, options: Options, base: str | None = None) -> tuple[Path | None, dict[str, str]]:
    """Look at the packed charms that CHARM_PATH and CRAFT_ARTIFACT name; arguments are those of `find_one`.

    Returns:
        The one that fits, if any; and for each that doesn't, the variable with its value, and the reason.

    Raises:
        CharmError: A variable doesn't name a packed charm, the charm is corrupt, or the source can't be read.
    """
    refused: dict[str, str] = {}
    for variable in VARIABLES:
        if not (value := os.environ.get(variable)):
            continue
        charm = read(Path(charm_path))
        named = f"{variable}={value}"
        try:
            packed = read_packed(Path(value).absolute())
        except UnreadableError as error:
            advice = "It must be the path of a packed charm. Correct it, or unset it."
            raise CharmError(str(error), where=named, advice=advice) from error
        if not (reason := _refuse(packed, charm, options.requirement(charm, base=base))):
            check(packed)
            return packed.path, refused
        _LOGGER.info("%s is not used for charm %s: %s", named, charm.name, reason)
        refused[named] = reason
    return None, refused


def find_all(charm_path: str | Path, options: Options, bases_index: int | None = None) -> list[Path]:
    """Return all packed charms in a charm's folder that fit; raises what `find_one` does."""
    charm = read(Path(charm_path))
    fitting = find(charm, options.requirement(charm, bases_index))
    for packed in fitting:
        check(packed)
    return [packed.path for packed in fitting]


def find(
    charm: Charm,
    requirement: Requirement,
    files: Sequence[Path] | None = None,
    refused: Mapping[str, str] | None = None,
) -> list[Packed]:
    """Return the packed charms that fit, sorted by name: at least one.

    Args:
        charm: The charm's source.
        requirement: What they must be.
        files: The files to choose from; without them, those in the charm's folder.
        refused: What `find_named` returns.

    Raises:
        CharmNotFoundError: None fits. If there are packed charms of this name, it is a WrongCharmError.
        CharmError: A file has the name that charmcraft gives, and can't be read.
    """
    found = sorted(charm.folder.glob("*.charm")) if files is None else files
    names = file_names(charm, requirement)
    fitting, reasons = [], {**(refused or {})}
    for path in found:
        try:
            packed = read_packed(path)
        except UnreadableError as error:
            # It is the one that is asked for, so no other may take its place.
            if path.name in names:
                raise CharmError(str(error), where=str(path), advice="Pack or download it again.") from error
            reasons[path.name] = str(error)
            continue
        if reason := _refuse(packed, charm, requirement):
            reasons[path.name] = reason
        else:
            fitting.append(packed)
    if not fitting:
        raise _none_fits(charm, requirement, reasons, [] if found else _find_elsewhere())
    # Among charms that were downloaded or renamed, it is the one with charmcraft's name.
    named = [packed for packed in fitting if packed.path.name in names] or fitting
    # A charm that was packed for exactly these bases fits better than one that was packed for more.
    return [packed for packed in named if packed.bases == requirement.bases] or named


def select_one(charm: Charm, requirement: Requirement, fitting: Sequence[Packed]) -> Path:
    """Return the path of the only packed charm that fits, after reading all of it.

    Raises:
        SeveralCharmsError: Several fit.
        CharmError: It is corrupt.
    """
    if len(fitting) > 1:
        raise _several_fit(charm, requirement, fitting)
    (packed,) = fitting
    check(packed)
    return packed.path


def _refuse(packed: Packed, charm: Charm, requirement: Requirement) -> str:
    """Return why a packed charm doesn't fit; empty if it does."""
    if packed.name != charm.name:
        return f"{_ANOTHER_CHARM}, {packed.name!r}"
    if not packed.architectures & {requirement.architecture, "all"}:
        return f"for another architecture, {', '.join(sorted(packed.architectures))}"
    if not requirement.bases <= packed.bases:
        return f"for another base, {', '.join(sorted(packed.bases))}"
    return ""


def _find_elsewhere() -> list[Path]:
    """Return the first packed charms below this directory. It may be `/`, so not all folders are looked into."""
    folders = islice(walk(Path()), 5_000)
    packed = (folder / name for folder, files in folders for name in files if name.endswith(".charm"))
    return [*islice(packed, 10)]


def _none_fits(
    charm: Charm, requirement: Requirement, refused: Mapping[str, str], elsewhere: Sequence[Path]
) -> CharmNotFoundError:
    problem = f"no packed charm {charm.name!r} for {requirement}"
    if refused:
        problem = "\n  ".join([f"{problem}:", *(f"{name}: {reason}" for name, reason in refused.items())])
    if elsewhere:
        listed = ", ".join(map(str, elsewhere))
        problem = f"{problem}{'' if refused else '.'}\nThere are others below {Path.cwd()}: {listed}"
    in_ci = (
        f"In CI: build_charms_with_cache.yaml packs it into an artifact ({ARTIFACT!r} by default), and "
        "integration_test_charm.yaml downloads that to the root of the repository. Give both the same `artifact-name`, "
        f"and check that charmcraft.yaml has a platform for {requirement}."
    )
    on_laptop = f"On a laptop: run `{pack_command(charm, requirement)}` in {charm.folder}, or unset the variable CI."
    is_wrong = not all(reason.startswith(_ANOTHER_CHARM) for reason in refused.values())
    error = WrongCharmError if is_wrong else CharmNotFoundError
    return error(problem, where=str(charm.folder), advice=f"{in_ci}\n{on_laptop}")


def _several_fit(charm: Charm, requirement: Requirement, fitting: Sequence[Packed]) -> SeveralCharmsError:
    listed = [f"{packed.path.name}: for {', '.join(sorted(packed.bases))}" for packed in fitting]
    bases = _selecting(fitting)
    if choices := " or ".join(f"--charm-base={charm.name}={base}" for base in bases):
        by_index = ", or bases_index to build_charm()" if "bases" in charm.project else ""
        advice = f"Pass {choices} to pytest{by_index}."
    else:
        by_platform = "pass --charmcraft-args=--platform=NAME to pytest"
        advice = f"They are for the same base: remove those you don't need, or {by_platform}."
    problem = "\n  ".join([f"several packed charms {charm.name!r} for {requirement}:", *listed])
    return SeveralCharmsError(problem, where=str(charm.folder), advice=advice, bases=bases)


def _selecting(fitting: Sequence[Packed]) -> list[str]:
    """Return the bases that select one of the charms."""
    bases = sorted({base for packed in fitting for base in packed.bases})
    counts = {
        base: [sum(base in packed.bases for packed in fitting), sum({base} == packed.bases for packed in fitting)]
        for base in bases
    }
    return [base for base in bases if 1 in counts[base]]
