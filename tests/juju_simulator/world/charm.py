"""Charms: what their files say, and what an application's configuration and resources may be with them."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from juju_simulator.world.entities import JujuError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

_PARSERS: dict[str, Callable[[str], Any]] = {
    "string": str,
    "secret": str,
    "int": int,
    "float": float,
    "boolean": lambda text: {"true": True, "false": False}[text.lower()],
}


@dataclass
class Charm:
    """A local charm in a model: its URL, and what its files say."""

    url: str
    metadata: dict[str, Any]
    config: dict[str, Any]
    actions: dict[str, Any]
    base: dict[str, str]

    @property
    def name(self) -> str:
        """The charm's name."""
        return str(self.metadata["name"])

    @property
    def options(self) -> dict[str, dict[str, Any]]:
        """The options of its configuration."""
        return self.config.get("options") or {}

    def endpoints(self) -> dict[str, dict[str, str]]:
        """Return the charm's endpoints by name, with their roles and interfaces."""
        roles = {"provides": "provider", "requires": "requirer", "peers": "peer"}
        return {
            name: {"name": name, "role": role, "interface": endpoint["interface"]}
            for section, role in roles.items()
            for name, endpoint in (self.metadata.get(section) or {}).items()
        }

    def parse_config(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values of options as the types that the charm declares.

        Raises:
            JujuError: The charm has no such option, or it has another type.
        """
        values = {}
        for name, value in config.items():
            if name not in {*self.options, "trust"}:
                raise JujuError(f'unknown option "{name}"')
            kind = self.options[name]["type"] if name in self.options else "boolean"
            try:
                values[name] = _PARSERS[kind](str(value))
            except (KeyError, ValueError):
                raise JujuError(f'option "{name}" expected {kind}, got "{value}"') from None
        return values

    def check_resources(self, given: Mapping[str, str], folder: Path, known: Iterable[str] = ()) -> None:
        """Check new resources of an application, which are images and paths of files in a folder.

        Raises:
            JujuError: The charm has no such resource, or a file or an image is missing.
        """
        names = [*known, *given]
        resources = self.metadata.get("resources") or {}
        if unknown := [name for name in names if name not in resources]:
            raise JujuError(f'unrecognized resource "{unknown[0]}"')
        for name, value in given.items():
            if resources[name]["type"] == "file" and not (folder / value).is_file():
                raise JujuError(f'file for resource "{name}": stat {value}: no such file or directory', "not found")
        images = [name for name, about in resources.items() if about["type"] == "oci-image" and name not in names]
        if images:
            raise JujuError(f"local charm missing OCI images for: {', '.join(images)}")


def read_charm(content: bytes, next_revision: Callable[[str], int], base: str = "") -> Charm:
    """Read a packed charm, to deploy it on its first base, or on one such as ubuntu@22.04.

    Raises:
        JujuError: It isn't a charm, or it doesn't have this base.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = set(archive.namelist())
            files = {
                name: yaml.safe_load(archive.read(f"{name}.yaml")) or {} if f"{name}.yaml" in names else {}
                for name in ("metadata", "manifest", "config", "actions")
            }
        bases = {
            f"{each['name']}@{each['channel']}": {"name": each["name"], "channel": each["channel"]}
            for each in files["manifest"]["bases"]
        }
        name = files["metadata"]["name"]
    except (zipfile.BadZipFile, LookupError, yaml.YAMLError) as error:
        raise JujuError(f"cannot process charm archive: {error}") from error
    base = base.partition("/")[0]  # without the risk
    if base and base not in bases:
        raise JujuError(f'base "{base}" not supported by charm, the charm supported bases are: {", ".join(bases)}')
    return Charm(
        f"local:{name}-{next_revision(name)}",
        files["metadata"],
        files["config"],
        files["actions"],
        bases[base] if base else next(iter(bases.values())),
    )


def pack_charm(path: Path, **files: dict[str, Any]) -> Path:
    """Write a packed charm for tests, and return its path. Its manifest is by default for Ubuntu 22.04."""
    base = {"name": "ubuntu", "channel": "22.04", "architectures": ["amd64"]}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in {"manifest": {"bases": [base]}, **files}.items():
            archive.writestr(f"{name}.yaml", yaml.safe_dump(content))
    return path
