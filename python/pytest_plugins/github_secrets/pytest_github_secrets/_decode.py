"""Decodes text in which escapes, line ends and colours may be, and knows which span each decoded span stands for."""

from __future__ import annotations

import re
import sys
from bisect import bisect_right
from functools import cached_property, lru_cache
from html.entities import html5
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# How many escapes may be in each other.
LEVELS = 3
# ECMA-48 control sequences and the designation of character sets: https://www.ecma-international.org/publications-and-standards/standards/ecma-48
COLOUR = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|[()*+][0-9A-Z])")
# What may stand anywhere in a secret: colours, and line ends with the next line's indentation.
_BREAK = re.compile(rb"(%b|\r?\n[ \t]*)" % COLOUR.pattern)
_LINE_END = re.compile(rb"(\n[ \t]*)")
# pytest shows a long text as several, one in each line, which may begin with an E and the mark of a difference.
_BREAK_OF_STRING = re.compile(
    rb"""(['"](?:%(colour)b)*\r?\n(?:%(colour)b|[E \t+-])*b?['"]|%(colour)b|\r?\n[ \t]*)"""
    % {b"colour": COLOUR.pattern}
)
_PERCENT = re.compile(rb"(%[0-9A-Fa-f][0-9A-Fa-f])")
_REFERENCE = re.compile(rb"(&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});)")
# Two quotes for one: YAML and SQL, CSV, and two ways of the shell.
_QUOTES = re.compile(rb"""(''(?!"'"')|""|'"'"'|'\\'')""")
# Python, JSON, Go, C and the shell. A JSON string has a character beyond \uffff as two escapes.
_BACKSLASH = re.compile(
    rb"""(\\(?:u[dD][89abAB][0-9A-Fa-f]{2}\\u[dD][c-fC-F][0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}"""
    rb"""|U00(?:0[0-9A-Fa-f]|10)[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|[0-3][0-7]{2}|[abefnrtv0]|[^0-9A-Za-z]))"""
)
_HIGH_BYTE = re.compile(rb"\\(?:x[89a-fA-F][0-9A-Fa-f]|[23][0-7]{2})")
_LETTERS = dict(zip(b"abefnrtv0", b"\a\b\x1b\f\n\r\t\v\0", strict=True))


class Substitution:
    """Data with each match of a pattern, which is one group, replaced. Positions are mapped once anything is found."""

    def __init__(self, source: bytes, pattern: re.Pattern[bytes], decode: Callable[[bytes], bytes]) -> None:
        # By turns: what is between matches, and a match. All that is done for each of them is done by C.
        self._source = pattern.split(source)
        self._decoded = self._source.copy()
        self._decoded[1::2] = map(decode, self._source[1::2])
        self.is_changed = len(self._source) > 1
        self.data = b"".join(self._decoded) if self.is_changed else source

    @cached_property
    def _starts(self) -> tuple[list[int], list[int]]:
        """Return where each part of the source begins, and where it does in the decoded data."""
        source, decoded = (list(accumulate(map(len, parts), initial=0)) for parts in (self._source, self._decoded))
        return source, decoded

    def locate(self, start: int, end: int) -> tuple[int, int]:
        """Return the span of the source that a span of the decoded data stands for."""
        return self._source_span(start)[0], self._source_span(end - 1)[1]

    def _source_span(self, position: int) -> tuple[int, int]:
        """Return the span that a byte of the decoded data stands for."""
        sources, starts = self._starts
        index = bisect_right(starts, position) - 1
        if index % 2:
            return sources[index], sources[index + 1]
        start = sources[index] + position - starts[index]
        return start, start + 1


def without_breaks(data: bytes) -> Iterator[Substitution]:
    """Yield data without colours, line ends and indentation, and then also without quotes around line ends."""
    has_more = b"\x1b" in data or b"\r" in data
    yield Substitution(data, _BREAK if has_more else _LINE_END, lambda _: b"")
    if has_more or b"'\n" in data or b'"\n' in data:
        yield Substitution(data, _BREAK_OF_STRING, lambda _: b"")


def unescape(data: bytes, *, quotes: bool) -> Iterator[Substitution]:
    r"""Yield what escapes in data stand for, once for each kind. Two quotes may stand for one (`quotes`).

    Python writes a str with \xe9 for a character, and other programs with \xe9 for a byte.
    """
    substitutions: list[tuple[re.Pattern[bytes], Callable[[bytes], bytes]]] = []
    if b"%" in data:
        substitutions.append((_PERCENT, _unescape))
    if b"&" in data:
        substitutions.append((_REFERENCE, _unescape))
    if b"\\" in data:
        substitutions.append((_BACKSLASH, _unescape_backslash))
        if _HIGH_BYTE.search(data):
            substitutions.append((_BACKSLASH, _unescape_character))
    if quotes:
        substitutions.append((_QUOTES, lambda quotes: quotes[-1:]))
    for pattern, decode in substitutions:
        layer = Substitution(data, pattern, decode)
        if layer.is_changed:
            yield layer


def find_plain(data: bytes, levels: int = LEVELS) -> Iterator[bytes]:
    """Yield a secret as it is searched for: without breaks, and without what looks like an escape to the search."""
    plain = next(without_breaks(data)).data
    yield plain
    for layer in unescape(plain, quotes=True) if levels else ():
        yield from find_plain(layer.data, levels - 1)


@lru_cache(1024)
def _unescape(escape: bytes) -> bytes:
    if escape.startswith(b"%"):
        return bytes.fromhex(escape[1:].decode())
    name = escape[1:-1].decode()
    if not name.startswith("#"):
        return html5.get(f"{name};", "").encode() or escape
    number = int(name[1:]) if name[1:].isdigit() else int(f"0{name[1:]}", 16)
    return chr(number).encode("utf-8", "surrogatepass") if number <= sys.maxunicode else escape


@lru_cache(1024)
def _unescape_backslash(escape: bytes) -> bytes:
    if escape[1:2] in b"uU":
        text = escape.decode("unicode-escape").encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
        return text.encode("utf-8", "surrogatepass")
    if escape[1:2] == b"x":
        return bytes.fromhex(escape[2:].decode())
    if len(escape) == 4:
        return bytes([int(escape[1:], 8)])
    return bytes([_LETTERS.get(escape[1], escape[1])])


@lru_cache(1024)
def _unescape_character(escape: bytes) -> bytes:
    data = _unescape_backslash(escape)
    return data.decode("latin-1").encode() if len(escape) == 4 else data
