"""The commands for secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

from juju_simulator.cli.command import Caller, command, dump, parse_pairs, split
from juju_simulator.world.entities import JujuError
from juju_simulator.world.secrets import Secret, find_secret

if TYPE_CHECKING:
    from juju_simulator.world.model import Model


@command
def add_secret(caller: Caller, model: Model, name: str, *pairs: str, file: str = "", info: str = "") -> str:
    if name in {secret.name for secret in model.secrets.values()}:
        raise JujuError(f'secret with name "{name}" already exists', "already exists")
    secret = Secret(name, description=info)
    secret.add_revision(_read_content(caller, pairs, file))
    model.secrets[secret.key] = secret
    return f"secret:{secret.key}\n"


def _read_content(caller: Caller, pairs: tuple[str, ...], file: str) -> dict[str, str]:
    content = parse_pairs(pairs)
    if file:
        content |= yaml.safe_load((caller.folder / file).read_text(encoding="utf-8"))
    if not content:
        raise JujuError("missing secret value or filename")
    return content


@command
def update_secret(
    caller: Caller,
    model: Model,
    identifier: str,
    *pairs: str,
    auto_prune: bool = False,
    file: str = "",
    info: str = "",
    name: str = "",
) -> str:
    secret = find_secret(model.secrets, identifier)
    secret.name, secret.description = name or secret.name, info or secret.description
    if pairs or file:
        secret.add_revision(_read_content(caller, pairs, file))
        if auto_prune:
            secret.revisions = {secret.latest: secret.revisions[secret.latest]}
        for application in secret.applications:
            model.run_hooks(application, "secret-changed")
    return ""


@command
def secrets(_caller: Caller, model: Model, *, format_: str = "tabular", owner: str = "") -> str:
    kind, _, name = owner.partition("-")
    if owner and kind not in {"application", "model", "unit"}:
        raise JujuError(f'invalid owner "{owner}"')
    name = "<model>" if name == model.uuid else name
    shown = {secret.key: secret.describe() for secret in model.secrets.values() if not owner or secret.owner == name}
    if format_ == "tabular":
        return "".join(f"{key}  {about.get('name', '-')}  {about['owner']}\n" for key, about in shown.items())
    return dump(shown, format_)


@command
def show_secret(
    _caller: Caller,
    model: Model,
    identifier: str,
    *,
    format_: str = "yaml",
    reveal: bool = False,
    revision: int = 0,
    revisions: bool = False,
) -> str:
    if revisions and (reveal or revision):
        raise JujuError("specify either --revisions or --reveal and --revision, not both")
    secret = find_secret(model.secrets, identifier)
    access = [
        {"target": f"application-{name}", "scope": f"model-{model.uuid}", "role": "view"}
        for name in secret.applications
    ]
    content = secret.reveal(revision or secret.latest)
    about = {
        **secret.describe(),
        **({"access": access} if access else {}),
        **({"revisions": secret.describe_revisions()} if revisions else {}),
        **(content if reveal else {}),
    }
    return dump({secret.key: about}, format_)


@command
def grant_secret(_caller: Caller, model: Model, identifier: str, applications: str) -> str:
    secret = find_secret(model.secrets, identifier)
    for name in split(applications):
        model.get("application", name)
    secret.applications += [name for name in split(applications) if name not in secret.applications]
    return ""


@command
def remove_secret(_caller: Caller, model: Model, identifier: str, *, revision: int = 0) -> str:
    secret = find_secret(model.secrets, identifier)
    if revision:
        secret.reveal(revision)  # raises if there is no such revision
        del secret.revisions[revision]
    if not revision or not secret.revisions:
        del model.secrets[secret.key]
    else:
        secret.latest = max(secret.revisions)
    return ""
