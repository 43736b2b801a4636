"""What the source of a charm says: its name, and the platforms that charmcraft packs it for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

DOCUMENTATION = "https://documentation.ubuntu.com/charmcraft/stable/reference/platforms"


class CharmError(ValueError):
    """The source of a charm that can't be read; the message says what is wrong, and where."""


class NotACharmError(CharmError):
    """A charmcraft.yaml of something else, such as a bundle."""


@dataclass(frozen=True)
class Platform:
    """One `.charm` file that charmcraft packs.

    Attributes:
        name: As charmcraft names it; see `Charm.pack_argument` for how to choose it.
        build_on: The Debian architectures that it can be packed on.
        build_for: The Debian architecture that it runs on, or "all".
        bases: What it runs on, such as "ubuntu@24.04".
    """

    name: str
    build_on: tuple[str, ...]
    build_for: str
    bases: frozenset[str]

    def is_for(self, architecture: str) -> bool:
        """Return whether it runs on an architecture."""
        return self.build_for in {architecture, "all"}


@dataclass(frozen=True)
class Charm:
    """The source of a charm.

    Attributes:
        folder: Where it is, absolute.
        name: The charm's name, as Juju knows it.
        project: What charmcraft.yaml holds; empty for a charm that has metadata.yaml alone.
    """

    folder: Path
    name: str
    project: dict[str, Any]

    def platforms(self, machine: str = "amd64") -> list[Platform]:
        """Return what charmcraft packs of it, in the order of charmcraft.yaml.

        Args:
            machine: The architecture of the machine that packs: what `bases` that name no architecture are for.

        Raises:
            CharmError: charmcraft.yaml says it in no way that charmcraft documents.
        """
        import craft_platforms

        platforms: dict[str, Platform] = {}
        try:
            for project, bases in _parts(self.project, machine):
                for info in craft_platforms.get_build_plan("charmcraft", project_data=project):
                    other = platforms.get(info.platform)
                    platforms[info.platform] = Platform(
                        name=info.platform,
                        build_on=tuple(dict.fromkeys([*(other.build_on if other else ()), str(info.build_on)])),
                        build_for=str(info.build_for),
                        bases=(other.bases if other else frozenset()) | (bases or {str(info.build_base)}),
                    )
        except (AttributeError, KeyError, NotImplementedError, TypeError, ValueError) as error:
            # craft-platforms takes it that the file has been validated: its other errors say nothing to people.
            is_said = isinstance(error, (NotImplementedError, ValueError))
            said = f"{error} {getattr(error, 'resolution', None) or ''}".strip() if is_said else "they are malformed."
            raise CharmError(
                f"{self.folder / 'charmcraft.yaml'}: can't tell its platforms: {said} See {DOCUMENTATION}"
            ) from error
        return list(platforms.values())

    def platform(self, name: str, machine: str = "amd64") -> Platform:
        """Return the platform of a name; arguments and errors as of `platforms`.

        Raises:
            CharmError: There is none.
        """
        platforms = {platform.name: platform for platform in self.platforms(machine)}
        if name not in platforms:
            raise CharmError(f"{self.folder / 'charmcraft.yaml'}: no platform {name!r}. It has {', '.join(platforms)}.")
        return platforms[name]

    def pack_argument(self, name: str, machine: str) -> str:
        """Return the argument that makes charmcraft pack one platform alone; empty if it packs no other.

        Args:
            name: The platform's name.
            machine: The architecture of the machine that packs.

        Raises:
            CharmError: It packs others, and takes no argument that chooses this one.
        """
        here = [platform.name for platform in self.platforms(machine) if machine in platform.build_on]
        if here == [name]:
            return ""
        # charmcraft 4 takes --bases-index, and ignores it: https://github.com/canonical/charmcraft/issues/1983
        if "platforms" not in self.project and name not in _choices(self.project["bases"], machine):
            raise CharmError(
                f"{self.folder / 'charmcraft.yaml'}: charmcraft can't pack {name!r} alone, for its entry of `bases` "
                "runs on several bases, or on another one than it is built on. Give each base an entry of its own, or "
                f"write `platforms` instead of `bases`. See {DOCUMENTATION}"
            )
        return f"--platform={name}"

    def bases_of(self, index: int) -> frozenset[str]:
        """Return what the charm of an index into `bases` runs on.

        Raises:
            CharmError: There are no `bases`, not so many, or one without a name or a channel.
        """
        entries = self.project.get("bases")
        if not entries or not isinstance(entries, list):
            raise CharmError(
                f"bases_index={index!r} is an index into `bases`, and {self.folder / 'charmcraft.yaml'} has none: "
                f"leave it out, and choose with --charm-base=NAME@CHANNEL."
            )
        try:
            bases = [_run_on(entry) for entry in entries]
        except ValueError as error:
            raise CharmError(f"{self.folder / 'charmcraft.yaml'}: {error}") from error
        if type(index) is not int or not 0 <= index < len(bases):
            listed = ", ".join(f"{i} ({', '.join(sorted(names))})" for i, names in enumerate(bases))
            raise CharmError(f"bases_index={index!r}: `bases` of {self.folder / 'charmcraft.yaml'} has {listed}.")
        return bases[index]


def read(folder: Path) -> Charm:
    """Read the source of a charm.

    Raises:
        NotACharmError: charmcraft.yaml is of another type.
        CharmError: There is none, or it can't be read.
    """
    folder = folder.absolute()
    project = _read_yaml(folder / "charmcraft.yaml")
    if project is not None and project.get("type", "charm") != "charm":
        raise NotACharmError(f"{folder / 'charmcraft.yaml'}: not a charm, but a {project['type']}")
    for source, file in ((project, "charmcraft.yaml"), (_read_yaml(folder / "metadata.yaml"), "metadata.yaml")):
        if source and "name" in source:
            if not isinstance(source["name"], str) or not source["name"]:
                raise CharmError(f"{folder / file}: `name` is not a charm's name")
            return Charm(folder, source["name"], project or {})
    if project is not None:
        raise CharmError(f"{folder / 'charmcraft.yaml'}: no `name`, neither here nor in metadata.yaml")
    raise CharmError(f"{folder}: not the folder of a charm, for it has no charmcraft.yaml")


def _read_yaml(path: Path) -> dict[str, Any] | None:
    import yaml

    try:
        content = yaml.safe_load(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise CharmError(f"{path}: can't be read: {error}") from error
    if not isinstance(content, dict):
        raise CharmError(f"{path}: not a mapping of keys to values")
    return content


def _parts(project: dict[str, Any], machine: str) -> list[tuple[dict[str, Any], frozenset[str]]]:
    """Return what craft-platforms plans one by one, each with the bases that it runs on if not on its build base."""
    if "platforms" in project or "bases" not in project:
        base = project.get("base")
        return [(project, frozenset([base]) if base else frozenset())]
    return [({"bases": [_with_architectures(entry, machine)]}, _run_on(entry)) for entry in project["bases"]]


def _with_architectures(entry: dict[str, Any], machine: str) -> dict[str, Any]:
    if "build-on" not in entry:
        return {"architectures": [machine], **entry}
    return {**entry, "build-on": [{"architectures": [machine], **base} for base in entry["build-on"]]}


def _run_on(entry: dict[str, Any]) -> frozenset[str]:
    try:
        return frozenset(f"{base['name']}@{base['channel']}" for base in entry.get("run-on", [entry]))
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError("in `bases`, every base has a `name` and a `channel`.") from error


def _choices(entries: list[dict[str, Any]], machine: str) -> set[str]:
    """Return what charmcraft's --platform takes for `bases`: it makes that of all that an entry runs on."""
    return {
        "_".join(
            f"{base['name']}-{base['channel']}-{'-'.join(base.get('architectures', [machine]))}"
            for base in entry.get("run-on", [entry])
        )
        for entry in entries
    }
