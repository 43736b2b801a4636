"""The commands that bring charms into a model: `juju deploy` and `juju refresh`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from juju_simulator._cli import Caller, command, parse_pairs, split
from juju_simulator._constraints import parse_constraints
from juju_simulator._errors import JujuError
from juju_simulator._relations import relate

if TYPE_CHECKING:
    from pathlib import Path

    from juju_simulator._model import Model


_IN_BUNDLE = {"base", "channel", "charm", "constraints", "num_units", "options", "resources", "scale", "trust"}


@command
def deploy(
    caller: Caller,
    model: Model,
    charm: str,
    application: str | None = None,
    *,
    base: str = "",
    channel: str = "",
    config: tuple[str, ...] = (),
    constraints: tuple[str, ...] = (),
    force: bool = False,
    num_units: int = 1,
    resource: tuple[str, ...] = (),
    to: str = "",
    trust: bool = False,
) -> str:
    path = _find_file(caller, charm)
    if path.suffix in {".yaml", ".yml"}:
        if application or base or config or constraints or resource or to or num_units != 1:
            raise JujuError("flags for a charm provided, but not supported when deploying a bundle")
        _deploy_bundle(model, path, trust=trust)
        return ""
    if num_units < 1:
        raise JujuError("--num-units must be a positive integer")
    about = {
        "options": parse_pairs(config),
        "constraints": " ".join(constraints),
        "num_units": num_units,
        "resources": parse_pairs(resource),
        "to": split(to),
        "trust": trust,
        "base": base,
    }
    _deploy_charm(model, path, application, about, caller.folder)
    return ""


def _find_file(caller: Caller, name: str) -> Path:
    if not name.startswith((".", "/")):
        raise JujuError(f'simulator: no charm "{name}": without Charmhub, it deploys a file such as ./{name}.charm')
    path = caller.folder / name
    if not path.is_file():
        raise JujuError(f'no charm was found at "{name}"', "not found")
    return path


def _deploy_charm(model: Model, path: Path, application: str | None, about: dict[str, Any], folder: Path) -> None:
    """Deploy one charm.

    Args:
        model: Where to.
        path: The charm.
        application: Its name; that of the charm by default.
        about: What a bundle says of an application.
        folder: What the paths of its resources are relative to.
    """
    charm = model.add_charm(path.read_bytes(), about.get("base") or "")
    resources = about.get("resources") or {}
    charm.check_resources(resources, folder)
    model.deploy(
        application or charm.name,
        charm,
        {**(about.get("options") or {}), **({"trust": True} if about.get("trust") else {})},
        about["num_units"] if "num_units" in about else about.get("scale", 1),
        constraints=parse_constraints([about.get("constraints") or ""]),
        resources=resources,
        placement=about.get("to") or [],
    )


def _deploy_bundle(model: Model, path: Path, *, trust: bool) -> None:
    bundle = yaml.safe_load(path.read_text(encoding="utf-8"))
    for name, about in bundle["applications"].items():
        if unknown := about.keys() - _IN_BUNDLE:
            raise JujuError(f"simulator: bundle: application {name}: no {', '.join(sorted(unknown))}")
        if name not in model.entities("application"):
            charm = path.parent / about["charm"]
            if not charm.is_file():
                raise JujuError(f'no charm was found at "{charm}"', "not found")
            _deploy_charm(model, charm, name, {**about, "trust": trust or about.get("trust")}, path.parent)
    for first, second in bundle.get("relations") or []:
        relate(model, first, second)


@command
def refresh(
    caller: Caller,
    model: Model,
    application: str,
    *,
    base: str = "",
    channel: str = "",
    config: tuple[str, ...] = (),
    force: bool = False,
    force_base: bool = False,
    force_units: bool = False,
    path: str = "",
    resource: tuple[str, ...] = (),
    trust: bool = False,
) -> str:
    model.get("application", application)
    if not path:
        raise JujuError(f'simulator: no newer charm of "{application}": without Charmhub, it needs --path')
    charm = model.add_charm(_find_file(caller, path).read_bytes(), base)
    resources = parse_pairs(resource)
    charm.check_resources(resources, caller.folder, model.get("application", application)["resources"])
    values = charm.parse_config({**parse_pairs(config), **({"trust": True} if trust else {})})
    model.refresh(application, charm, resources)
    if values:
        model.configure(application, values)
    return ""
