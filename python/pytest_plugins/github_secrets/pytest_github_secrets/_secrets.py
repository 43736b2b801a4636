"""The dictionary of secrets: its text shows only its keys."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pytest_github_secrets._errors import SecretsError
from pytest_github_secrets._parse import parse

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Secrets(dict[str, str]):
    """A dict that shows `***` instead of each value, unless it is empty, in a log, a traceback or a `repr`."""

    def __repr__(self) -> str:
        return "{" + ", ".join(f"{key!r}: {'***' if value else ''!r}" for key, value in self.items()) + "}"

    def copy(self) -> Secrets:
        """Return a copy, which hides its values too."""
        return Secrets(self)

    def __or__(self, other: Mapping[str, str]) -> Secrets:  # type: ignore[override]  # narrower than dict's
        return Secrets({**self, **other})

    def __ror__(self, other: Mapping[str, str]) -> Secrets:  # type: ignore[override]  # narrower than dict's
        return Secrets({**other, **self})


def load(variable: str, file: Path | None) -> Secrets:
    """Return the secrets in an environment variable, or in a dotenv file if the variable isn't set outside CI.

    Raises:
        SecretsError: There are none, or they can't be read.
    """
    # No local variable contains the text or a plain dict: a traceback may show it.
    if variable not in os.environ:
        if file is None or os.environ.get("CI") == "true":
            raise SecretsError("it is not set", where=variable, advice=_describe_ways(variable))
        from pytest_github_secrets._secrets_file import read_file

        return Secrets(read_file(file))
    if not os.environ[variable].strip():
        raise SecretsError("it is empty", where=variable, advice=_describe_ways(variable))
    return Secrets(parse(os.environ[variable], variable))


def _describe_ways(variable: str) -> str:
    return (
        f"""On a laptop, type: export {variable}='{{"NAME": "value"}}'. Or name a dotenv file in the pytest option """
        "github_secrets_file. In a workflow, write a Python dict or a JSON object of strings, with one line for each "
        'secret: "NAME": ${{ toJSON(secrets.NAME) }},'
    )


def compare(op: str, left: object, right: object) -> list[str] | None:
    """Return lines that explain a failed comparison without any value, or None if neither side is `Secrets`."""
    if op not in {"==", "!="} or not (isinstance(left, Secrets) or isinstance(right, Secrets)):
        return None
    if not (isinstance(left, dict) and isinstance(right, dict)):
        return [f"secrets {op} {type(right if isinstance(left, Secrets) else left).__name__}"]
    lines = [f"{Secrets(left)!r} {op} {Secrets(right)!r}"]
    differing = [key for key in left if key in right and left[key] != right[key]]
    lines += [f"only on the left: {key!r}" for key in left if key not in right]
    lines += [f"only on the right: {key!r}" for key in right if key not in left]
    lines += [f"different value (not shown): {key!r}" for key in differing]
    return lines
