"""Decodes data that may be encoded, and knows which span of it each decoded span stands for."""

from __future__ import annotations

import binascii
import re
import string
import sys
from bisect import bisect_right
from functools import cached_property, lru_cache
from html.entities import html5
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator


def _whole(pattern: bytes) -> re.Pattern[bytes]:
    """Compile a pattern with one group, which is all that it matches: Substitution needs it."""
    return re.compile(b"(%b)" % pattern)


# ECMA-48 control sequences and the designation of character sets: https://www.ecma-international.org/publications-and-standards/standards/ecma-48
COLOUR = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|[()*+][0-9A-Z])")
# What may stand anywhere in a secret: colours, and line ends with the next line's indentation.
_BREAK = _whole(COLOUR.pattern + rb"|\r?\n[ \t]*")
_LINE_END = _whole(rb"\n[ \t]*")
_CONTINUATION = _whole(COLOUR.pattern + rb"|\\?\r?\n[ \t]*")

# How much is decoded on each side of an escape: more than what encodes 8 bytes twice.
_CONTEXT = 64

# With {2}, the pattern takes twice as long.
_PERCENTS = rb"%[0-9A-Fa-f][0-9A-Fa-f](?:%[0-9A-Fa-f][0-9A-Fa-f])*"
_PERCENT = _whole(_PERCENTS)
_PERCENT_OR_PLUS = _whole(_PERCENTS + rb"|\+")
_REFERENCE = _whole(rb"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
# Python, JSON, Go, C and the shell. A JSON string has a character beyond \uffff as two escapes.
_BACKSLASH = _whole(
    rb"\\(?:u[dD][89abAB][0-9A-Fa-f]{2}\\u[dD][c-fC-F][0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U00(?:0[0-9A-Fa-f]|10)[0-9A-Fa-f]{4}"
    rb"|x[0-9A-Fa-f]{2}|[0-3][0-7]{2}|[abefnrtv0]|[^0-9A-Za-z])"
)
_HIGH_BYTE = re.compile(rb"\\(?:x[89a-fA-F][0-9A-Fa-f]|[23][0-7]{2})")
# A quote within quotes: YAML and SQL, CSV, and two ways of the shell.
_QUOTES = [_whole(pattern) for pattern in (rb"''", rb'""', rb"""'"'"'|'\\''""")]
_LETTERS = dict(zip(b"abefnrtv0", b"\a\b\x1b\f\n\r\t\v\0", strict=True))


def translation(alphabet: Collection[int]) -> bytes:
    """Return a table for bytes.translate: an "a" for each byte of an alphabet, and a blank for all others."""
    return bytes(ord("a" if byte in alphabet else " ") for byte in range(256))


# What encodings consist of: printable characters, blanks, line ends and colours.
ASCII = b"\t\n\r\x1b" + bytes(range(32, 127))
BASE64 = translation(f"{string.ascii_letters}{string.digits}+/-_".encode())
_HEX = translation(string.hexdigits.encode())
_STANDARD_BASE64 = bytes.maketrans(b"-_", b"+/")


class Layer:
    """What data decodes to: here, the data itself."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def locate(self, start: int, end: int) -> tuple[int, int]:
        """Return the span of the source that a span of the decoded data stands for."""
        return start, end


class Selection(Layer):
    """Some spans of data, with a separator between them. Positions are only mapped if anything is found."""

    def __init__(self, source: bytes, spans: list[tuple[int, int]], separator: bytes) -> None:
        self.parts = [source[start:end] for start, end in spans]
        super().__init__(separator.join(self.parts))
        self._spans = spans
        self._separator = len(separator)

    @cached_property
    def _starts(self) -> list[int]:
        return list(accumulate((end - start + self._separator for start, end in self._spans), initial=0))

    def locate(self, start: int, end: int) -> tuple[int, int]:
        return self._source(start), self._source(end)

    def _source(self, position: int) -> int:
        index = bisect_right(self._starts, position, hi=len(self._spans)) - 1
        start, end = self._spans[index]
        return min(start + position - self._starts[index], end)


class Substitution(Layer):
    """Data with each match of a pattern replaced. Positions are only mapped if anything is found.

    The pattern is one group. `context` bytes are kept on each side of a match, or all.
    """

    def __init__(
        self, source: bytes, pattern: re.Pattern[bytes], decode: Callable[[bytes], bytes], context: int | None = None
    ) -> None:
        # By turns: what is between matches, and a match. All that is done for each of them is done by C.
        self._source = pattern.split(source)
        self._decoded = self._source.copy()
        self._decoded[1::2] = map(decode, self._source[1::2])
        if context is not None:
            self._decoded[::2] = [
                text if len(text) <= 2 * context else b"%b\0%b" % (text[:context], text[-context:])
                for text in self._source[::2]
            ]
        super().__init__(b"".join(self._decoded))
        self.is_changed = len(self._source) > 1

    @cached_property
    def _starts(self) -> tuple[list[int], list[int]]:
        """Return where each part of the source begins, and where it does in the decoded data."""
        source, decoded = (list(accumulate(map(len, parts), initial=0)) for parts in (self._source, self._decoded))
        return source, decoded

    def locate(self, start: int, end: int) -> tuple[int, int]:
        return self._source_span(start)[0], self._source_span(end - 1)[1]

    def _source_span(self, position: int) -> tuple[int, int]:
        """Return the span that a byte of the decoded data stands for."""
        sources, starts = self._starts
        index = bisect_right(starts, position) - 1
        offset, start, end = position - starts[index], sources[index], sources[index + 1]
        length = len(self._decoded[index])
        if index % 2:
            factor, rest = divmod(end - start, length)
            return (start, end) if rest else (start + offset * factor, start + (offset + 1) * factor)
        if offset > length // 2:
            offset += end - start - length
        return start + offset, start + offset + 1


class Bits(Layer):
    """The bytes that runs of characters stand for."""

    def __init__(self, data: bytes, runs: Layer, bits: int, shift: int) -> None:
        super().__init__(data)
        self._runs = runs
        self._bits = bits
        self._shift = shift

    def locate(self, start: int, end: int) -> tuple[int, int]:
        first = start * 8 // self._bits - self._shift
        last = -(-end * 8 // self._bits) - self._shift
        return self._runs.locate(max(first, 0), min(last, len(self._runs.data)))


def without_breaks(data: bytes) -> list[Layer]:
    """Return the data without colours, line ends and the blanks that follow them, or as it is if it has none.

    A backslash at the end of a line may continue the string of a program, or be part of an escape: each has a layer.
    """
    layers: list[Layer] = []
    if b"\x1b" in data or b"\r" in data:
        layers.append(Substitution(data, _BREAK, lambda _: b""))
    elif b"\n" in data:
        layers.append(Substitution(data, _LINE_END, lambda _: b""))
    if b"\\\n" in data or b"\\\r\n" in data:
        layers.append(Substitution(data, _CONTINUATION, lambda _: b""))
    return layers or [Layer(data)]


def escapes(data: bytes, *, plus: bool, quotes: bool) -> Iterator[Layer]:
    """Yield what percent escapes, backslashes and references of HTML stand for, with the text around them.

    A + may stand for a blank (`plus`), and two quotes for one (`quotes`).
    """
    if b"%" in data:
        yield from _replace(data, _PERCENT, _percent)
    if plus and b"+" in data:
        yield from _replace(data, _PERCENT_OR_PLUS, _percent)
    if b"&" in data:
        yield from _replace(data, _REFERENCE, _reference)
    if b"\\" in data:
        yield from _replace(data, _BACKSLASH, _backslash)
        if _HIGH_BYTE.search(data):
            yield from _replace(data, _BACKSLASH, _backslash_of_character)
    for pattern in _QUOTES if quotes else ():
        yield from _replace(data, pattern, lambda escape: escape[-1:])


def _replace(data: bytes, pattern: re.Pattern[bytes], decode: Callable[[bytes], bytes]) -> Iterator[Layer]:
    """Yield the data around escapes, with each of them decoded."""
    layer = Substitution(data, pattern, decode, _CONTEXT)
    if layer.is_changed:
        yield layer


@lru_cache(1024)
def _percent(escape: bytes) -> bytes:
    return b" " if escape == b"+" else bytes.fromhex(escape.replace(b"%", b"").decode())


@lru_cache(1024)
def _reference(escape: bytes) -> bytes:
    name = escape[1:-1].decode()
    if not name.startswith("#"):
        return html5.get(f"{name};", "").encode() or escape
    number = int(name[1:]) if name[1:].isdigit() else int(f"0{name[1:]}", 16)
    return chr(number).encode("utf-8", "surrogatepass") if number <= sys.maxunicode else escape


@lru_cache(1024)
def _backslash(escape: bytes) -> bytes:
    if escape[1:2] in b"uU":
        text = escape.decode("unicode-escape").encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
        return text.encode("utf-8", "surrogatepass")
    if escape[1:2] == b"x":
        return bytes.fromhex(escape[2:].decode())
    if len(escape) == 4:
        return bytes([int(escape[1:], 8)])
    return bytes([_LETTERS.get(escape[1], escape[1])])


@lru_cache(1024)
def _backslash_of_character(escape: bytes) -> bytes:
    r"""Decode as Python writes a str, where \xe9 is a character and not a byte."""
    data = _backslash(escape)
    return data.decode("latin-1").encode() if len(escape) == 4 else data


def decode_base64(runs: Selection) -> Iterator[Layer]:
    """Yield the bytes that runs of base64 stand for, once for each of the four characters that may be the first."""
    data = runs.data.translate(_STANDARD_BASE64)
    for shift in range(4):
        padded = b"A" * shift + data + b"A" * (-(shift + len(data)) % 4)
        yield Bits(binascii.a2b_base64(padded), runs, 6, shift)


def decode_hex(data: bytes, length: int) -> Iterator[Layer]:
    """Yield the bytes that runs of hexadecimal digits stand for, once for each of the two that may be the first."""
    spans = find_runs(data, _HEX, length)
    runs = Selection(data, spans, b"00")
    for shift in range(2) if spans else ():
        shifted = b"0" * shift + runs.data
        yield Bits(binascii.a2b_hex(shifted[: len(shifted) // 2 * 2]), runs, 4, shift)


def find_runs(data: bytes, alphabet: bytes, length: int) -> list[tuple[int, int]]:
    """Return the spans of the runs of bytes of an alphabet that have this length or more."""
    # A pattern takes longer.
    translated = data.translate(alphabet)
    wanted = b"a" * length
    spans = []
    start = translated.find(wanted)
    while start >= 0:
        end = translated.find(b" ", start)
        end = len(data) if end < 0 else end
        spans.append((start, end))
        start = translated.find(wanted, end)
    return spans
