"""The command `check-build-inputs`: finds what is wrong with the inputs of build_charms_with_cache.yaml."""

from __future__ import annotations

import argparse
import hashlib
from typing import TYPE_CHECKING, Any

from workflow_commands.common.github import CommandError, annotate, annotated_errors, append
from workflow_commands.common.inputs import Shape, channel, read_inputs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_TITLE = "An input of build_charms_with_cache.yaml"
_ARTIFACT = Shape("[A-Za-z0-9._@-]+", "a name of letters, digits and . _ @ -")
_CHANNEL = channel("latest/stable")
_REVISION = Shape("[0-9]+", "a number, such as 6543")
# What could change a packed charm, besides its files.
_TOOLS = (
    "charmcraft-snap-channel",
    "charmcraft-snap-revision",
    "lxd-snap-channel",
    "lxd-snap-revision",
    "pack-command",
)


@annotated_errors(_TITLE)
def main(arguments: Sequence[str] | None = None) -> int:
    """Annotate the run with what is wrong with the workflow's inputs, and return the exit code.

    If nothing is wrong, `tools=` is appended to GITHUB_OUTPUT: a digest of the inputs that could change a packed charm.
    The cache's keys contain it.
    """
    argparse.ArgumentParser(prog="check-build-inputs", description=main.__doc__).parse_args(arguments)
    values = read_inputs()
    found = [*_problems(values)]
    annotate("error", _TITLE, *map(str, found))
    if found:
        return 1
    tools = "|".join(values[name] for name in _TOOLS) + "\n"
    append("GITHUB_OUTPUT", f"tools={hashlib.sha256(tools.encode()).hexdigest()[:12]}")
    return 0


def _problems(values: Mapping[str, Any]) -> Iterator[CommandError]:
    """Yield an error for each thing that is wrong with the inputs."""
    for snap in ("charmcraft", "lxd"):
        names = f"{snap}-snap-channel", f"{snap}-snap-revision"
        if all(values[name] for name in names):
            yield CommandError(
                "both are given",
                where=f"`{names[0]}` and `{names[1]}`",
                advice="Give only one of them, or neither",
            )
        yield from _CHANNEL.check(values, names[0])
        yield from _REVISION.check(values, names[1])
    if not values["artifact-name"]:
        yield CommandError("it is empty", where="`artifact-name`", advice=f"It must be {_ARTIFACT.description}")
    yield from _ARTIFACT.check(values, "artifact-name")
    if not values["pack-command"].strip():
        yield CommandError(
            "it is empty",
            where="`pack-command`",
            advice="It must be the command that packs a charm, such as charmcraft pack",
        )
