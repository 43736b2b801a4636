"""Reads secrets from the one string that a workflow passes: the form of a Python dict, or JSON.

Nothing here raises: an exception keeps what it was raised over, and a traceback shows it.
"""

from __future__ import annotations

import ast
import json
import re
import warnings
from typing import NamedTuple

# Far above what GitHub and an environment variable can hold.
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
    "{": "it doesn't start with {, so it is no dict",
    "key": "a key in quotes, or the closing }, is missing",
    ":": "a : is missing after a key",
    "value": "a value in quotes is missing after a :",
    ",": "a comma, or the closing }, is missing after a value, whose string may have ended at a quote in it",
    "end": "there is more after the closing }",
}


# What is expected, and what is found: what is expected then.
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


class Problem(NamedTuple):
    """What is wrong with the string, without a character of it."""

    kind: str
    line: int | None = None

    def describe(self, variable: str) -> str:
        """Return the message for the user of an environment variable: what is wrong, where, and what to write."""
        place = variable if self.line is None else f"{variable}, line {self.line}"
        return (
            f"{place}: {self.kind}. Write a Python dict or JSON of strings; in a workflow, with one line for each "
            'secret: "NAME": ${{ toJSON(secrets.NAME) }},'
        )


def parse(text: str) -> dict[str, str] | Problem:
    """Return the secrets, or what is wrong with the text.

    `null`, which `toJSON` makes of a secret that a workflow doesn't have, is an empty secret.
    """
    if len(text) > MAX_LENGTH:
        return Problem(f"it is longer than {MAX_LENGTH:,} characters")
    secrets: dict[str, str] = {}
    key = ""
    expected = "{"
    position = 0
    while position < len(text):
        start = position
        match = _TOKEN.match(text, start)
        if match is None:
            is_open = ((expected, "string") in _NEXT) and _OPEN_STRING.match(text, start)
            return _problem("a string is not closed on its line" if is_open else _MISSING[expected], text, start)
        position = match.end()
        kind, found = match.lastgroup, match.group()
        if kind == "blank":
            continue
        following = _NEXT.get((expected, found if kind == "mark" else kind))
        if following is None:
            return _problem(_MISSING[expected], text, start)
        if kind != "mark":
            string = "" if kind == "null" else _read_string(found)
            if string is None:
                return _problem("a string holds an escape or a character that can't be read", text, start)
            if expected == "key":
                key = string
            else:
                secrets[key] = string
        expected = following
    return secrets if expected == "end" else _problem(_MISSING[expected], text, len(text))


def _problem(kind: str, text: str, position: int) -> Problem:
    return Problem(kind, text.count("\n", 0, position) + 1)


def _read_string(literal: str) -> str | None:
    try:
        # toJSON's escapes first: Python reads \/ and the two halves of a character beyond \uffff otherwise.
        value = json.loads(literal)
    except ValueError:
        try:
            with warnings.catch_warnings():
                # The warning of an escape that Python doesn't know would show it.
                warnings.simplefilter("ignore")
                value = ast.literal_eval(literal)
        except (ValueError, SyntaxError, MemoryError):
            return None
    try:
        value.encode()
    except UnicodeEncodeError:
        return None
    return str(value)
