"""The inputs of a reusable workflow: how a command reads them, and what both workflows check in the same way."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workflow_commands.common.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


_NOT_STRINGS = (
    "_beta_allure_report",
    "allure-report",
    "build-charms",
    "cache",
    "max-runners",
    "metallb-addon",
    "test-timeout",
)


@dataclass(frozen=True)
class Shape:
    """What a text must look like.

    Attributes:
        pattern: A regular expression that matches the whole text, of ASCII letters and digits.
        description: What it matches, after "It must be".
    """

    pattern: str
    description: str

    def check(self, values: Mapping[str, Any], *names: str) -> Iterator[CommandError]:
        """Yield an error for each of these inputs that is given and doesn't have this shape."""
        for name in names:
            if values[name] and not re.fullmatch(self.pattern, values[name], flags=re.ASCII):
                yield invalid(name, quote(values[name]), f"It must be {self.description}")


def channel(example: str) -> Shape:
    """Return the shape of a snap's channel: https://snapcraft.io/docs/channels."""
    risk = "(stable|candidate|beta|edge)"
    return Shape(rf"(\w[\w.-]*/)?{risk}(/[\w.-]+)?|\w[\w.-]*", f"a channel of a snap, such as {example}")


def invalid(name: str, value: object, advice: str) -> CommandError:
    """Return the error for an input whose value can't be used."""
    return CommandError(f"{value} isn't valid", where=f"`{name}`", advice=advice)


def quote(text: str) -> str:
    """Return a text in quotes, on one line."""
    return '"' + "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text) + '"'


def read_inputs() -> dict[str, Any]:
    """Return the workflow's inputs from the variable INPUTS.

    GitHub turns a number or a boolean into text if the workflow declares a string. act doesn't, so this does it, too.

    Raises:
        CommandError: The variable isn't set, or isn't a JSON object.
    """
    try:
        values = json.loads(os.environ["INPUTS"])
    except (KeyError, ValueError):
        values = None
    if isinstance(values, dict):
        return {
            name: value if isinstance(value, str) or name in _NOT_STRINGS else json.dumps(value)
            for name, value in values.items()
        }
    problem = "it isn't a JSON object" if "INPUTS" in os.environ else "it isn't set"
    raise CommandError(problem, where="INPUTS", advice="Set it to the workflow's inputs: ${{ toJSON(inputs) }}")
