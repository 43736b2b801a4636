"""Decides what of a value is secret, and lists the forms in which programs write it."""

from __future__ import annotations

import base64
import json
import re
from itertools import groupby
from string import ascii_lowercase, ascii_uppercase, digits
from typing import TYPE_CHECKING

from pytest_github_secrets import _decode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

# A shorter value is part of ordinary words. Blanks don't count.
MIN_LENGTH = 4
# A part of this length could still be used, if it looks random.
PART = 16
# Of a text that is cut off in its middle, the beginning or the end.
_CUT = 12
# A part looks random if letters, capitals and digits take turns so often. Words, paths and addresses don't.
_MIN_TURNS = 3

_KINDS = str.maketrans(
    {**dict.fromkeys(ascii_lowercase, "a"), **dict.fromkeys(ascii_uppercase, "A"), **dict.fromkeys(digits, "0")}
)
_TURNS = {"aA", "a0", "A0", "0a", "0A"}
# What secrets have in common: -----BEGIN …----- in base64, the header of a JWT, the name of an algorithm in a key.
_COMMON = re.compile(
    r"""LS0tLS1CRUdJTi\w+?(?:LS0tL|S0tLS|0tLS0)\w{0,5} | eyJ(?:hbGci|0eXAi)[\w-]*
    | \w{0,4}(?:kqhkiG9w0|JKoZIhvcN|CSqGSIb3)[\w+/]{0,32}""",
    re.VERBOSE,
)
_ESCAPES_OF_GO = {ord(character): f"\\u{ord(character):04x}" for character in "<>&"}
_NAMES = "pass|pwd|secret|token|key|cred"
# The password in a URL, or the value of a key that names a secret.
_FIELD = re.compile(
    rf"""://[^\s/:@]*:([^\s/@]+)@ | (?:{_NAMES})[\w.-]*["']?\s*[:=]\s*["']?([^\s"',}}]+)""", re.VERBOSE | re.IGNORECASE
)
# A line that says nothing by itself: punctuation, a line of dashes or `kind: Config`.
_STRUCTURE = re.compile(
    rf"""[\W_]* | -{{4,}}.*-{{4,}} | \[\w*\]
    | (?!.*(?:{_NAMES}))[-\s]*["']?[\w.-]+["']?\s*:(?:\s+["'{{\[]*[\w.-]{{0,8}}["'}}\]]*,?)?""",
    re.VERBOSE | re.IGNORECASE,
)


def is_maskable(value: str | bytes) -> bool:
    """Return whether a value is too long to be part of ordinary words."""
    return sum(map(len, value.split())) >= MIN_LENGTH


def find_texts(value: str) -> list[str]:
    """Return what of a value is secret as a whole: the value, its lines that say something, and passwords within it."""
    value = _decode.COLOUR.sub(b"", encode(value)).decode("utf-8", "surrogatepass")
    lines = [line.strip() for line in value.splitlines()]
    if not any(map(is_maskable, lines)):
        return []
    fields = [field for match in _FIELD.finditer(value) for field in match.groups() if field]
    texts = [
        value.strip(),
        # Quotes next to those around a value can be taken for others.
        value.strip().strip("'\""),
        *(line for line in lines if not _STRUCTURE.fullmatch(line)),
        *(field for field in fields if len(field) >= 2 * MIN_LENGTH and re.search(r"\d", field) and "://" not in field),
    ]
    return list(dict.fromkeys(filter(is_maskable, texts)))


def find_random(value: str) -> Iterator[str]:
    """Yield the pieces of a value of which every part of PART characters looks random and has no blank."""
    for run in re.findall(rf"[!-~]{{{PART},}}", _COMMON.sub(" ", value)):
        turns = _find_turns(run)
        starts = range(len(run) - PART + 1)
        looks_random = [sum(turns[start : start + PART - 1]) >= _MIN_TURNS for start in starts]
        for is_random, group in groupby(starts, looks_random.__getitem__):
            first, *others = group
            if is_random:
                yield run[first : [first, *others][-1] + PART]


def find_cut(text: str) -> Iterator[str]:
    """Yield beginnings and ends of a text as pytest shows them if it leaves out the middle: it shows 240 characters.

    Both are next to each other, so less of each counts if it isn't words.
    """
    for length in range(_CUT, min(len(text), 240) if text.isprintable() else 0):
        for part in (f"{text[:length]}...", f"...{text[-length:]}"):
            if length >= PART or any(_find_turns(part)):
                yield part


def _find_turns(text: str) -> list[bool]:
    kinds = text.translate(_KINDS)
    return [kinds[start : start + 2] in _TURNS for start in range(len(text) - 1)]


def encode(text: str) -> bytes:
    # A secret or a text of Python's can contain half a surrogate pair.
    return text.encode("utf-8", "surrogatepass")


def find_forms(text: str, *, nested: bool) -> Iterator[bytes]:
    """Yield a text as it is searched for: as it is, in hexadecimal digits, and in base64, also twice (`nested`)."""
    for plain in {text, text.replace(" ", "+")}:
        yield from _decode.find_plain(encode(plain))
    # What is in base64 is mostly text as it is, or JSON. Go writes some characters of it as escapes.
    jsons = {json.dumps(text, ensure_ascii=is_ascii)[1:-1] for is_ascii in (True, False)}
    of_go = {json_text.translate(_ESCAPES_OF_GO) for json_text in jsons}
    for data in map(encode, {text, *jsons, *of_go}):
        yield from (data.hex().encode(), data.hex().upper().encode())
        for encoded in _base64(data):
            yield encoded
            yield from _base64(encoded) if nested else ()


def _base64(data: bytes) -> Iterator[bytes]:
    """Yield the base64 of data that is part of longer data: what the bytes around it can't change."""
    for offset in range(3):
        encoded = base64.b64encode(bytes(offset) + data)[-(-8 * offset // 6) : 8 * (offset + len(data)) // 6]
        yield from {encoded, encoded.replace(b"+", b"-").replace(b"/", b"_")}


def find_short(secrets: Mapping[str, str]) -> list[str]:
    """Return the keys of the values that aren't masked because no text of them is long enough."""
    return [key for key, value in secrets.items() if value and not find_texts(value)]


def describe_short(keys: Iterable[str]) -> str:
    """Return the warning about values that aren't masked."""
    return f"too short to be masked (under {MIN_LENGTH} characters without blanks): {', '.join(keys)}"
