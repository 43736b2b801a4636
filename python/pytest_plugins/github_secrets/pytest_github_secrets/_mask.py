"""Finds secrets in text, in whatever encodings, and masks them."""

from __future__ import annotations

import base64
from collections import defaultdict
from itertools import starmap
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from pytest_github_secrets import _decode
from pytest_github_secrets._layers import Selection
from pytest_github_secrets._match import FRAGMENT, MIN_LENGTH, Matcher

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pytest_github_secrets._layers import Layer

MASK = b"***"
# How many encodings may be in each other.
_LEVELS = 3
# How many runs that aren't base64 are remembered, and how long they may be.
_MAX_WORDS, _MAX_WORD = 50_000, 100
# A text is searched piece by piece: decoding takes memory.
_PIECE = 1 << 17


def is_maskable(value: str) -> bool:
    """Return whether a value is too long to be part of ordinary words."""
    return len("".join(value.split())) >= MIN_LENGTH


def find_short(secrets: Mapping[str, str]) -> list[str]:
    """Return the keys of the values that aren't masked because none of their lines is long enough."""
    return [key for key, value in secrets.items() if value and not any(_texts(value.splitlines()))]


def describe_short(keys: Iterable[str]) -> str:
    """Return the warning about values that aren't masked."""
    return f"too short to be masked (under {MIN_LENGTH} characters without blanks): {', '.join(keys)}"


def _texts(values: Iterable[str]) -> Iterator[bytes]:
    """Yield the values and their lines as they are searched for: without what breaks them."""
    for value in values:
        for text in filter(is_maskable, [value, *value.splitlines(), *map(str.lstrip, value.splitlines())]):
            data = _encode(text)
            for unbroken in [layer.data for layer in _decode.without_breaks(data)] or [data]:
                # Some encoders leave a % as it is: what follows can look like an escape.
                for found in {unbroken, unquote_to_bytes(unbroken)}:
                    # Without colours and escapes, too little may be left.
                    if len(b"".join(found.split())) >= MIN_LENGTH:
                        yield found


def _encode(text: str) -> bytes:
    # A secret or a text of Python's can contain half a surrogate pair.
    return text.encode("utf-8", "surrogatepass")


def _base64(data: bytes) -> Iterator[bytes]:
    """Yield the base64 of data that is part of longer data: what the bytes around it can't change."""
    for offset in range(3):
        encoded = base64.b64encode(bytes(offset) + data)[-(-8 * offset // 6) : 8 * (offset + len(data)) // 6]
        yield from (encoded, encoded.replace(b"+", b"-").replace(b"/", b"_"))


class Masker:
    """Masks secrets in text and in data.

    Args:
        values: The secrets. Those that are too short to be told from ordinary words are left out.
    """

    def __init__(self, values: Iterable[str]) -> None:
        values = list(values)
        texts = set(_texts(values))
        # Some encodings indent the lines of a value, and a form encodes blanks as +.
        self._plus = any(blank in value for value in values for blank in " \n")
        self._quotes = any(quote in text for text in texts for quote in (b"'", b'"'))
        # Base64 is searched for as it is, because words look like it. It also encodes line ends.
        unbroken = [*texts, *map(_encode, filter(is_maskable, values))]
        self._matcher = Matcher({*texts, *(encoded for text in unbroken for encoded in _base64(text))})
        # The shortest run that a part of a secret can take, or a short secret.
        self._shortest = min([FRAGMENT, *map(len, texts)])
        # What text in base64 is made of, if it has a secret in another encoding in it.
        self._text = _decode.translation({*_decode.ASCII, *b"".join(texts)})
        self._base64_run = -(-8 * self._shortest // 6)
        self._hex_run = 2 * self._shortest
        # What looks like base64 and isn't, for each number of levels: logs repeat words and paths.
        self._words: dict[int, set[bytes]] = defaultdict(set)
        # More than an encoded secret takes.
        self._overlap = min(32 * max(128, self._matcher.max_length), _PIECE)

    def __call__(self, text: str) -> str:
        """Return the text with each secret, and each part of one that is long enough to matter, masked."""
        return self.mask_bytes(_encode(text)).decode("utf-8", "surrogatepass")

    def mask_bytes(self, data: bytes) -> bytes:
        """Return the data with each secret masked, as in text. Everything else stays, whether it is text or not."""
        return data if len(data) < self._shortest else b"".join([masked for _, masked in self.mask_blocks([data])])

    def mask_blocks(self, blocks: Iterable[bytes]) -> Iterator[tuple[bytes, bytes]]:
        """Yield pieces of data, each as it was and with its secrets masked. This takes little memory for any size.

        Args:
            blocks: The data, in blocks of any size.
        """
        # How far the data is masked already, or -1.
        masked = -1
        for data, end in _overlapping(blocks, self._overlap):
            pieces = []
            position = max(masked, 0)
            for start, stop in self._spans(data):
                if start >= end:
                    break
                if start > masked:
                    pieces += [data[position:start], MASK]
                pieces += _decode.COLOUR.findall(data[max(start, position) : stop])
                masked = position = max(stop, position)
            pieces.append(data[position:end])
            yield data[:end], b"".join(pieces)
            masked = masked - end if masked >= end else -1

    def _spans(self, data: bytes) -> list[tuple[int, int]]:
        """Return where secrets are in data: starts and ends, in order, none touching another."""
        spans: list[tuple[int, int]] = []
        for start, end in sorted(self._find(data, _LEVELS)):
            if spans and start <= spans[-1][1]:
                spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
            else:
                spans.append((start, end))
        return spans

    def _find(self, data: bytes, levels: int) -> Iterator[tuple[int, int]]:
        """Yield where secrets are in data and in what it decodes to, up to so many times."""
        for layer in _unbroken(data):
            yield from starmap(layer.locate, self._matcher.find(layer.data))
            if levels:
                yield from starmap(layer.locate, self._find_encoded(layer.data, levels))

    def _find_encoded(self, data: bytes, levels: int) -> Iterator[tuple[int, int]]:
        for layer in _decode.escapes(data, plus=self._plus, quotes=self._quotes):
            yield from starmap(layer.locate, self._find(layer.data, levels - 1))
        for layer in _decode.decode_hex(data, self._hex_run):
            yield from starmap(layer.locate, self._find(layer.data, levels - 1))
        if levels > 1:
            yield from self._find_in_base64(data, levels)

    def _find_in_base64(self, data: bytes, levels: int) -> Iterator[tuple[int, int]]:
        words = self._words[levels]
        runs = _decode.base64_runs(data, self._base64_run, words)
        if not runs:
            return
        found = False
        for layer in _decode.decode_base64(runs):
            # It is noise for the most part: ordinary words look like base64.
            text = _decode.select_runs(layer.data, self._text, self._shortest)
            for span in self._find(text.data, levels - 1):
                found = True
                yield layer.locate(*text.locate(*span))
        if not found:
            if len(words) > _MAX_WORDS:
                words.clear()
            words.update(run for run in runs.parts if len(run) <= _MAX_WORD)


def _unbroken(data: bytes) -> list[Layer]:
    return [*_decode.without_breaks(data)] or [Selection(data, [(0, len(data))], b"")]


def _overlapping(blocks: Iterable[bytes], overlap: int) -> Iterator[tuple[bytes, int]]:
    """Yield data in pieces, and the position in each at which the next one begins."""
    data = b""
    for block in blocks:
        for start in range(0, len(block), _PIECE):
            data += block[start : start + _PIECE]
            if len(data) >= _PIECE + overlap:
                end = len(data) - overlap
                yield data, end
                data = data[end:]
    yield data, len(data)
