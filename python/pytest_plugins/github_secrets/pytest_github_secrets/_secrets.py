"""Reads secrets from a workflow's string or a dotenv file. Neither their text nor an error ever shows a value."""

from __future__ import annotations

import ast
import json
import os
import re
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_TOKEN = re.compile(
    r"""
    (?P<blank>\s+|\#[^\n]*)
    | (?P<string>[uUrR]?(?:
        \"\"\"(?:\\.|(?!\"\"\")[^\\])*\"\"\" | '''(?:\\.|(?!''')[^\\])*'''
        | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*'
    ))
    | (?P<null>null\b)
    | (?P<mark>[{}:,])
    """,
    re.VERBOSE | re.DOTALL,
)
_OPEN_STRING = re.compile(r"""[uUrR]?["']""")
_MISSING = {
    "{": "it doesn't start with {, so it isn't a dict",
    "key": "a key in quotes or the closing } is missing",
    ":": "a : is missing after a key",
    "value": "a value in quotes is missing after a :",
    ",": "a comma or the closing } is missing after a value. A quote in the value may have ended its string early",
    "end": "there is more text after the closing }",
}
_ADVICE = (
    "Write a Python dict or a JSON object of strings. In a workflow, write one line for each secret: "
    '"NAME": ${{ toJSON(secrets.NAME) }},'
)
# (what is expected, what is found): what is expected next.
_NEXT = {
    ("{", "{"): "key",
    ("key", "}"): "end",
    ("key", "string"): ":",
    (":", ":"): "value",
    ("value", "string"): ",",
    ("value", "null"): ",",
    (",", ","): "key",
    (",", "}"): "end",
}


class SecretsError(Exception):
    """Says where something is wrong, what it is, and what to write or to type instead. No part contains a secret."""

    def __init__(self, where: str, problem: str, advice: str = "") -> None:
        super().__init__(f"{where}: {problem}. {advice}" if advice else f"{where}: {problem}")


class Secrets(dict[str, str]):
    """A dict that shows `***` instead of each value, unless it is empty, in a log, a traceback or a `repr`."""

    def __repr__(self) -> str:
        return "{" + ", ".join(f"{key!r}: {'***' if value else ''!r}" for key, value in self.items()) + "}"

    def copy(self) -> Secrets:
        return Secrets(self)

    def __or__(self, other: Mapping[str, str]) -> Secrets:  # type: ignore[override]  # narrower than dict's
        return Secrets({**self, **other})

    def __ror__(self, other: Mapping[str, str]) -> Secrets:  # type: ignore[override]  # narrower than dict's
        return Secrets({**other, **self})


def load(variable: str, file: Path | None) -> Secrets:
    """Return the secrets in an environment variable, or in a dotenv file if the variable isn't set outside CI."""
    # No local variable contains the text or a plain dict: a traceback may show it.
    is_ci = os.environ.get("CI", "").lower() not in {"", "0", "false", "no"}
    if variable not in os.environ and file is not None and not is_ci:
        return Secrets(read_file(file))
    if not os.environ.get(variable, "").strip():
        advice = (
            f"""On a laptop, type: export {variable}='{{"NAME": "value"}}'. Or name a dotenv file in the pytest """
            "option github_secrets_file. In a workflow, write a Python dict or a JSON object of strings, "
            'with one line for each secret: "NAME": ${{ toJSON(secrets.NAME) }},'
        )
        raise SecretsError(variable, "it is empty" if variable in os.environ else "it is not set", advice)
    return Secrets(parse(os.environ[variable], variable))


def parse(text: str, variable: str) -> dict[str, str]:
    """Return the secrets in a Python dict or a JSON object. `toJSON` writes `null` for a secret that isn't set.

    The message of a SecretsError shows no character of the text, but its traceback keeps the text: never raise or log
    another error while you handle it.
    """
    secrets: dict[str, str] = {}
    key, expected, start = "", "{", 0
    while start < len(text):
        token = _TOKEN.match(text, start)
        if token is None:
            is_open = (expected, "string") in _NEXT and _OPEN_STRING.match(text, start)
            raise _error(variable, text, start, "a string isn't closed on its line" if is_open else _MISSING[expected])
        kind = token[0] if token.lastgroup == "mark" else token.lastgroup
        if kind != "blank":
            following = _NEXT.get((expected, str(kind)))
            if following is None:
                raise _error(variable, text, start, _MISSING[expected])
            if kind in {"string", "null"}:
                string = _read_string(token[0])
                if string is None:
                    problem = "a string contains an escape or a character that can't be read"
                    raise _error(variable, text, start, problem)
                if expected == "key":
                    key = string
                else:
                    secrets[key] = string
            expected = following
        start = token.end()
    if expected != "end":
        raise _error(variable, text, start, _MISSING[expected])
    return secrets


def _error(variable: str, text: str, position: int, problem: str) -> SecretsError:
    line = text.count("\n", 0, position) + 1
    return SecretsError(f"{variable}, line {line}", problem, _ADVICE)


def _read_string(literal: str) -> str | None:
    """Return the value of a literal, or None: an error here would have the secret in its context."""
    with warnings.catch_warnings():
        # A warning about an unknown escape would show it.
        warnings.simplefilter("ignore")
        # JSON first: Python reads two of its escapes differently, \/ and the surrogate pairs beyond \uffff.
        for read in (json.loads, ast.literal_eval):
            with suppress(ValueError, SyntaxError, MemoryError):
                value = str(read(literal) or "")
                value.encode()
                return value
    return None


def read_file(path: Path) -> dict[str, str]:
    """Return the secrets in a dotenv file. It is an error if git tracks the file."""
    from dotenv.parser import parse_stream

    if _is_tracked(path):
        problem = "git tracks this file, so everyone who has the repository can read it"
        advice = f"Type: git rm --cached '{path.name}'. Add it to .gitignore, and replace the secrets in it."
        raise SecretsError(str(path), problem, advice)
    try:
        with path.open(encoding="utf-8") as file:
            bindings = list(parse_stream(file))
    except UnicodeDecodeError:
        bindings = None
    except OSError as error:
        advice = "The pytest option github_secrets_file names this file."
        raise SecretsError(str(path), error.strerror or "it can't be read", advice) from None
    # Not while the error is handled: it contains the text.
    if bindings is None:
        raise SecretsError(str(path), "it isn't UTF-8", "Save it as UTF-8.")
    for binding in bindings:
        if binding.error or (binding.key is not None and binding.value is None):
            statement = binding.original.string
            line = binding.original.line + statement[: len(statement) - len(statement.lstrip())].count("\n")
            raise SecretsError(f"{path}:{line}", "this isn't an assignment", "Write NAME='value'.")
    return {binding.key: binding.value or "" for binding in bindings if binding.key is not None}


def _is_tracked(path: Path) -> bool:
    """Return whether git tracks a file, or the file that a link leads to. It is an error if git refuses to answer."""
    import subprocess

    # In a git hook, they name the repository of the hook, which may be another one.
    hook = {"GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"}
    environment = {name: value for name, value in os.environ.items() if name not in hook}
    for file in (path, path.resolve()):
        command = ["git", "--literal-pathspecs", "ls-files", "--error-unmatch", "--", file.name]
        try:
            git = subprocess.run(command, cwd=file.parent, env=environment, capture_output=True, check=False)
        except OSError:  # there is no git, or no such folder
            return False
        if git.returncode == 0:
            return True
        if git.returncode != 1 and any((parent / ".git").exists() for parent in file.parents):
            answer = git.stderr.decode(errors="replace").strip()
            raise SecretsError(str(path), f"git can't tell whether it tracks this file: {answer}")
    return False


def compare(op: str, left: object, right: object) -> list[str] | None:
    """Return lines that explain a failed comparison without any value, or None if neither side is `Secrets`."""
    if op not in {"==", "!="} or not (isinstance(left, Secrets) or isinstance(right, Secrets)):
        return None
    if not (isinstance(left, dict) and isinstance(right, dict)):
        return [f"secrets {op} {type(right if isinstance(left, Secrets) else left).__name__}"]
    return [
        f"{Secrets(left)!r} {op} {Secrets(right)!r}",
        *(f"only on the left: {key!r}" for key in left if key not in right),
        *(f"only on the right: {key!r}" for key in right if key not in left),
        *(f"different value (not shown): {key!r}" for key in left if key in right and left[key] != right[key]),
    ]
