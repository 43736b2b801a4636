"""The dictionary of secrets, whose text shows its keys alone."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pytest_github_secrets._parse import Problem, parse

if TYPE_CHECKING:
    from collections.abc import Mapping


class Secrets(dict[str, str]):
    """A dict whose `repr`, and so its text in a log or a traceback, has `***` for each value that isn't empty."""

    def __repr__(self) -> str:
        return "{" + ", ".join(f"{key!r}: {'***' if value else ''!r}" for key, value in self.items()) + "}"

    def copy(self) -> Secrets:
        """Return a copy that hides its values, too."""
        return Secrets(self)

    def __or__(self, other: Mapping[str, str]) -> Secrets:  # type: ignore[override]  # narrower than dict's
        return Secrets({**self, **other})

    def __ror__(self, other: Mapping[str, str]) -> Secrets:  # type: ignore[override]  # narrower than dict's
        return Secrets({**other, **self})


def read(variable: str) -> Secrets | Problem:
    """Return the secrets in an environment variable, or what is wrong with it.

    A caller has neither the text nor a plain dict of it in a variable of its own, since a traceback may show those.
    """
    if variable not in os.environ:
        return Problem("it is not set")
    if not os.environ[variable].strip():
        return Problem("it is empty")
    parsed = parse(os.environ[variable])
    return parsed if isinstance(parsed, Problem) else Secrets(parsed)


def compare(op: str, left: object, right: object) -> list[str] | None:
    """Return the lines that explain a failed comparison with secrets, without a value, or None for any other."""
    if op not in {"==", "!="} or not (isinstance(left, Secrets) or isinstance(right, Secrets)):
        return None
    if not (isinstance(left, dict) and isinstance(right, dict)):
        return [f"secrets {op} {type(right if isinstance(left, Secrets) else left).__name__}"]
    lines = [f"{Secrets(left)!r} {op} {Secrets(right)!r}"]
    differing = [key for key in left if key in right and left[key] != right[key]]
    lines += [f"only on the left: {key!r}" for key in left if key not in right]
    lines += [f"only on the right: {key!r}" for key in right if key not in left]
    lines += [f"other value (values are secret): {key!r}" for key in differing]
    return lines
