"""Reads secrets from the single string that a workflow passes: a Python dict or a JSON object."""

from __future__ import annotations

import ast
import json
import re
import warnings

from pytest_github_secrets._errors import SecretsError

# Far more than GitHub's secrets and an environment variable can contain.
MAX_LENGTH = 1024 * 1024

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
ADVICE = (
    "Write a Python dict or a JSON object of strings. In a workflow, write one line for each secret: "
    '"NAME": ${{ toJSON(secrets.NAME) }},'
)

# (what is expected, what is found): what is expected next.
_NEXT: dict[tuple[str, str | None], str] = {
    ("{", "{"): "key",
    ("key", "}"): "end",
    ("key", "string"): ":",
    (":", ":"): "value",
    ("value", "string"): ",",
    ("value", "null"): ",",
    (",", ","): "key",
    (",", "}"): "end",
}


def parse(text: str, where: str) -> dict[str, str]:
    """Return the secrets in a text. A value `null` is an empty secret: `toJSON` writes it for a secret that isn't set.

    Args:
        text: A Python dict or a JSON object.
        where: The name of the variable that contains it, for the error.

    Raises:
        SecretsError: The text is neither. Its message shows no character of the text, but its traceback keeps the
            text: never raise or log another error while you handle it.
    """
    if len(text) > MAX_LENGTH:
        raise SecretsError(f"it is longer than {MAX_LENGTH:,} characters", where=where, advice=ADVICE)
    secrets: dict[str, str] = {}
    key = ""
    expected = "{"
    position = 0
    while position < len(text):
        start = position
        match = _TOKEN.match(text, start)
        if match is None:
            is_open = ((expected, "string") in _NEXT) and _OPEN_STRING.match(text, start)
            problem = "a string isn't closed on its line" if is_open else _MISSING[expected]
            raise _error(problem, where, text, start)
        position = match.end()
        kind, found = match.lastgroup, match.group()
        if kind == "blank":
            continue
        following = _NEXT.get((expected, found if kind == "mark" else kind))
        if following is None:
            raise _error(_MISSING[expected], where, text, start)
        if kind != "mark":
            string = "" if kind == "null" else _read_string(found)
            if string is None:
                raise _error("a string contains an escape or a character that can't be read", where, text, start)
            if expected == "key":
                key = string
            else:
                secrets[key] = string
        expected = following
    if expected != "end":
        raise _error(_MISSING[expected], where, text, len(text))
    return secrets


def _error(problem: str, where: str, text: str, position: int) -> SecretsError:
    line = text.count("\n", 0, position) + 1
    return SecretsError(problem, where=f"{where}, line {line}", advice=ADVICE)


def _read_string(literal: str) -> str | None:
    """Return the value of a string literal, or None: an error here would have the secret in its context."""
    try:
        # JSON first: Python reads two of its escapes differently, \/ and the surrogate pairs beyond \uffff.
        value = json.loads(literal)
    except ValueError:
        try:
            with warnings.catch_warnings():
                # A warning about an unknown escape would show it.
                warnings.simplefilter("ignore")
                value = ast.literal_eval(literal)
        except (ValueError, SyntaxError, MemoryError):
            return None
    try:
        value.encode()
    except UnicodeEncodeError:
        return None
    return str(value)
