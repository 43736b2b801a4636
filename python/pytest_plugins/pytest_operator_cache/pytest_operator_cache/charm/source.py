"""What the source of a charm says: its name, its bases, and the platforms that charmcraft packs it for."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_operator_cache.common.errors import CharmError, NotACharmError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

DOCUMENTATION = "https://documentation.ubuntu.com/charmcraft/stable/reference/platforms"

# Far more than any charm has. With aliases, a few lines stand for millions.
_MAX_VALUES = 100_000


@dataclass(frozen=True)
class Platform:
    """One `.charm` file that charmcraft packs. Bases are such as "ubuntu@24.04", architectures are those of Debian."""

    name: str
    build_on: tuple[str, ...]
    build_for: str  # of several architectures, the first
    bases: frozenset[str]
    architectures: frozenset[str]


@dataclass(frozen=True)
class Requirement:
    """What a packed charm must run on, and the name of the platform that it was packed for; anything, if empty."""

    architecture: str
    bases: frozenset[str] = field(default_factory=frozenset)
    platform: str = ""

    def __str__(self) -> str:
        return " and ".join([self.architecture, *sorted(self.bases)])

    def select(self, platforms: list[Platform]) -> list[Platform]:
        """Return the platforms whose packed charm fits."""
        return [
            platform
            for platform in platforms
            if self.platform in {"", platform.name}
            and platform.architectures & {self.architecture, "all"}
            and self.bases <= platform.bases
        ]


@dataclass(frozen=True)
class Charm:
    """The source of a charm in a folder, whose path is absolute."""

    folder: Path
    name: str
    # The content of charmcraft.yaml; empty for a charm that has only a metadata.yaml.
    project: dict[str, Any]

    @property
    def file(self) -> str:
        """The path of its charmcraft.yaml, for messages."""
        return str(self.folder / "charmcraft.yaml")

    def platforms(self, architecture: str = "amd64") -> list[Platform]:
        """Return what charmcraft packs of it, in the order of charmcraft.yaml.

        Entries of `bases` without an architecture are for that of the machine that packs.
        """
        import craft_platforms

        platforms: dict[str, Platform] = {}
        try:
            for project, bases in _parts(self.project, architecture):
                for info in craft_platforms.get_build_plan("charmcraft", project_data=project):
                    other = platforms.get(info.platform)
                    platforms[info.platform] = Platform(
                        name=info.platform,
                        build_on=tuple(dict.fromkeys([*(other.build_on if other else ()), str(info.build_on)])),
                        build_for=str(info.build_for),
                        bases=(other.bases if other else frozenset()) | (bases or {str(info.build_base)}),
                        architectures=_all_architectures(project, str(info.build_for)),
                    )
        except (AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
            # craft-platforms expects a file that was validated: its other errors mean nothing to people.
            said = "they are malformed"
            if isinstance(error, (NotImplementedError, ValueError)):
                said = f"{error} {getattr(error, 'resolution', None) or ''}".strip()
            raise CharmError(
                f"can't read its platforms: {said}", where=self.file, advice=f"See {DOCUMENTATION}"
            ) from error
        if unprintable := [name for name in platforms if not name.isprintable()]:
            raise CharmError(f"the platform {unprintable[0]!a} has a name that can't be printed", where=self.file)
        return list(platforms.values())

    def platform(self, name: str, architecture: str = "amd64") -> Platform:
        platforms = {platform.name: platform for platform in self.platforms(architecture)}
        if name not in platforms:
            raise CharmError(f"no platform {name!r}", where=self.file, advice=f"It has {', '.join(platforms)}.")
        return platforms[name]

    def bases_at(self, index: int) -> frozenset[str]:
        """Return what the charm at an index into `bases` runs on."""
        entries = self.project.get("bases")
        if not entries or not isinstance(entries, list):
            raise CharmError(
                f"bases_index={index!r} needs `bases`, and there are none",
                where=self.file,
                advice="Leave it out, and choose with --charm-base=NAME@CHANNEL.",
            )
        try:
            bases = [run_on(entry) for entry in entries]
        except ValueError as error:
            raise CharmError(str(error), where=self.file) from error
        if type(index) is not int or not 0 <= index < len(bases):
            listed = ", ".join(f"{i} ({', '.join(sorted(names))})" for i, names in enumerate(bases))
            raise CharmError(f"`bases` has no index {index!r}", where=self.file, advice=f"It has {listed}.")
        return bases[index]


def read(folder: Path) -> Charm:
    """Read the source of a charm. It is a NotACharmError if there is no charmcraft.yaml, or one of another type."""
    folder = folder.absolute()
    project = _read_yaml(folder / "charmcraft.yaml")
    kind = project.get("type", "charm") if project else "charm"
    if kind != "charm":
        what = kind if isinstance(kind, str) else "project of unknown type"
        raise NotACharmError(f"not a charm, but a {what}", where=str(folder / "charmcraft.yaml"))
    for source, file in ((project, "charmcraft.yaml"), (_read_yaml(folder / "metadata.yaml"), "metadata.yaml")):
        if source and "name" in source:
            name = source["name"]
            if not (isinstance(name, str) and name and name.isprintable()):
                raise CharmError("`name` is not the name of a charm", where=str(folder / file))
            return Charm(folder, name, project or {})
    if project is not None:
        raise CharmError("no `name`, neither here nor in metadata.yaml", where=str(folder / "charmcraft.yaml"))
    raise NotACharmError("not the folder of a charm, because it has no charmcraft.yaml", where=str(folder))


def find_choices(bases: Sequence[frozenset[str]]) -> list[str]:
    """Return the bases that choose one of several charms, of which each runs on some bases."""
    return [
        base
        for base in sorted(frozenset().union(*bases))
        # It chooses the only one that runs on it, or the only one that runs on nothing else.
        if 1 in (sum(base in names for names in bases), sum({base} == names for names in bases))
    ]


def check_base(base: str, where: str = "") -> str:
    """Return a base if it is written as one."""
    if not re.fullmatch(r"[a-z]+@[\w.]+", base):
        raise CharmError(f"{base!r} is not a base", where=where, advice="Write NAME@CHANNEL, such as ubuntu@24.04.")
    return base


def run_on(entry: dict[str, Any]) -> frozenset[str]:
    """Return what the charm of an entry of `bases` runs on. It is a ValueError if a base has no name or no channel."""
    try:
        return frozenset(f"{base['name']}@{base['channel']}" for base in entry.get("run-on", [entry]))
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError("in `bases`, every base needs a `name` and a `channel`") from error


def parse_yaml(content: bytes) -> Any:
    """Return what a YAML file of someone else holds. It is a ValueError if it isn't YAML, or Python can't hold it."""
    import yaml

    try:
        loader = yaml.SafeLoader(content)
        node = loader.get_single_node()
        if _count_values(node, {}) < _MAX_VALUES:
            return loader.construct_document(node) if node else None
    except (UnicodeError, yaml.YAMLError) as error:
        raise ValueError(str(error)) from error
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    # pyyaml doesn't check that a value has the form of its tag.
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise ValueError(f"a value doesn't fit its tag, such as !!int or !!timestamp ({error})") from error
    raise ValueError(f"its aliases stand for {_MAX_VALUES:,} values or more")


def _count_values(node: Any, known: dict[int, int]) -> int:
    """Return how many values a node has if each alias is written out, or at least that they are too many."""
    if id(node) not in known:
        # Until it is known: an alias may stand for what it is in.
        known[id(node)] = _MAX_VALUES
        children = node.value if isinstance(getattr(node, "value", ""), list) else []
        pairs = (child if isinstance(child, tuple) else (child,) for child in children)
        known[id(node)] = 1 + sum(_count_values(value, known) for pair in pairs for value in pair)
    return known[id(node)]


def _read_yaml(path: Path) -> dict[str, Any] | None:
    try:
        content = parse_yaml(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise CharmError(f"can't be read: {error}", where=str(path)) from error
    if not isinstance(content, dict):
        raise CharmError("not a mapping of keys to values", where=str(path))
    return content


def _parts(project: dict[str, Any], architecture: str) -> list[tuple[dict[str, Any], frozenset[str]]]:
    """Return what craft-platforms plans one by one, each with the bases that it runs on if not on its build base."""
    if "platforms" in project or "bases" not in project:
        base = project.get("base")
        return [(project, frozenset([base]) if base else frozenset())]
    return [({"bases": [_with_architectures(entry, architecture)]}, run_on(entry)) for entry in project["bases"]]


def _all_architectures(project: dict[str, Any], first: str) -> frozenset[str]:
    """Return what a platform runs on. Of a list in `bases`, craft-platforms tells only the first."""
    entries = [] if "platforms" in project else project.get("bases", [])
    lists = [base.get("architectures", []) for entry in entries for base in entry.get("run-on", [entry])]
    return frozenset({first}.union(*(names for names in lists if first in names[:1])))


def _with_architectures(entry: dict[str, Any], architecture: str) -> dict[str, Any]:
    if "build-on" not in entry:
        return {"architectures": [architecture], **entry}
    return {**entry, "build-on": [{"architectures": [architecture], **base} for base in entry["build-on"]]}
