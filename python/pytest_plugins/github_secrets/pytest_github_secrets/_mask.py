"""Finds secrets in text and in files, in whatever encodings, and masks them."""

from __future__ import annotations

import base64
import os
import shutil
import sys
import tempfile
from collections import defaultdict
from itertools import chain, starmap
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from pytest_github_secrets import _decode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

MASK = b"***"
# A shorter value is part of ordinary words. Blanks don't count.
MIN_LENGTH = 4
# A truncated repr or a difference shows parts of a secret. Parts of this length are found.
FRAGMENT = 8
# A part has a seed of this length wherever a word of this length is in an array of them.
_SEED = 4
# How many words are looked up at once.
_BATCH = 64
# How many encodings may be in each other.
_LEVELS = 3
# How many runs that aren't base64 are remembered, and how long they may be.
_MAX_WORDS, _MAX_WORD = 50_000, 100
# A text is searched piece by piece: decoding takes memory.
_PIECE = 1 << 17
# How much of a file is read at once.
_BLOCK = 1 << 18


def is_maskable(value: str | bytes) -> bool:
    """Return whether a value is too long to be part of ordinary words."""
    return sum(map(len, value.split())) >= MIN_LENGTH


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
            for layer in _decode.without_breaks(_encode(text)):
                # Some encoders leave a % as it is: what follows can look like an escape.
                yield from filter(is_maskable, {layer.data, unquote_to_bytes(layer.data)})


def _encode(text: str) -> bytes:
    # A secret or a text of Python's can contain half a surrogate pair.
    return text.encode("utf-8", "surrogatepass")


def _base64(data: bytes) -> Iterator[bytes]:
    """Yield the base64 of data that is part of longer data: what the bytes around it can't change."""
    for offset in range(3):
        encoded = base64.b64encode(bytes(offset) + data)[-(-8 * offset // 6) : 8 * (offset + len(data)) // 6]
        yield from (encoded, encoded.replace(b"+", b"-").replace(b"/", b"_"))


class Matcher:
    """Finds strings as a whole, and every part of FRAGMENT bytes that has enough bytes that aren't blanks."""

    def __init__(self, strings: Iterable[bytes]) -> None:
        self._parts: set[bytes] = set()
        whole = set()
        for string in strings:
            parts = [string[start : start + FRAGMENT] for start in range(len(string) - FRAGMENT + 1)]
            enough = list(filter(is_maskable, parts))
            self._parts.update(enough)
            if not parts or len(enough) < len(parts):
                whole.add(string)
        self._whole = sorted(whole)
        self._seeds = {
            int.from_bytes(part[start : start + _SEED], sys.byteorder)
            for part in self._parts
            for start in range(FRAGMENT - _SEED + 1)
        }
        # The longest string that isn't found by its parts.
        self.max_length = max([FRAGMENT, *map(len, whole)])

    def find(self, data: bytes) -> Iterator[tuple[int, int]]:
        """Yield where strings and their parts are in data: spans in no order, which may overlap."""
        for whole in self._whole:
            start = data.find(whole)
            while start >= 0:
                yield _extend_to_characters(data, start, start + len(whole))
                start = data.find(whole, start + len(whole))
        first, last = 0, 0
        for start in self._find_parts(data):
            if start >= last:
                if last:
                    yield _extend_to_characters(data, first, last)
                first = start
            last = start + FRAGMENT
        if last:
            yield _extend_to_characters(data, first, last)

    def _find_parts(self, data: bytes) -> Iterator[int]:
        """Yield where parts begin, in order."""
        words = memoryview(data)[: len(data) // _SEED * _SEED].cast("I")
        next_start = 0
        for batch in range(0, len(words), _BATCH):
            # Most batches have no seed, which C finds out quickly.
            if self._seeds.isdisjoint(words[batch : batch + _BATCH]):
                continue
            for number, word in enumerate(words[batch : batch + _BATCH], batch):
                if word in self._seeds:
                    seed = number * _SEED
                    for start in range(max(seed + _SEED - FRAGMENT, next_start), seed + 1):
                        if data[start : start + FRAGMENT] in self._parts:
                            yield start
                    next_start = seed + 1


def _extend_to_characters(data: bytes, start: int, end: int) -> tuple[int, int]:
    """Return a span that begins and ends where characters of UTF-8 do: a part may begin and end within one."""
    lead = start
    while lead and 0x80 <= data[lead] < 0xC0:
        lead -= 1
    if data[lead] >= 0xC0:
        start = lead
    while data[end - 1] >= 0x80 and end < len(data) and 0x80 <= data[end] < 0xC0:
        end += 1
    return start, end


class Masker:
    """Masks secrets in text and in data. Those that are too short to be told from ordinary words are left out."""

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
        data = _encode(text)
        masked = self.mask_bytes(data)
        # The same object, if nothing is masked.
        return text if masked == data else masked.decode("utf-8", "surrogatepass")

    def mask_bytes(self, data: bytes) -> bytes:
        """Return the data with each secret masked, as in text. Everything else stays, whether it is text or not."""
        return data if len(data) < self._shortest else b"".join([masked for _, masked in self.mask_blocks([data])])

    def mask_blocks(self, blocks: Iterable[bytes]) -> Iterator[tuple[bytes, bytes]]:
        """Yield pieces of data, each as it was and with its secrets masked. This takes little memory for any size."""
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
        for layer in _decode.without_breaks(data):
            found = chain(self._matcher.find(layer.data), self._find_encoded(layer.data, levels))
            yield from starmap(layer.locate, found)

    def _find_encoded(self, data: bytes, levels: int) -> Iterator[tuple[int, int]]:
        if levels:
            escapes = _decode.escapes(data, plus=self._plus, quotes=self._quotes)
            for layer in chain(escapes, _decode.decode_hex(data, self._hex_run)):
                yield from starmap(layer.locate, self._find(layer.data, levels - 1))
        if levels > 1:
            yield from self._find_in_base64(data, levels)

    def _find_in_base64(self, data: bytes, levels: int) -> Iterator[tuple[int, int]]:
        words = self._words[levels]
        spans = _decode.find_runs(data, _decode.BASE64, self._base64_run)
        spans = [(start, end) for start, end in spans if data[start:end] not in words]
        if not spans:
            return
        runs = _decode.Selection(data, spans, b"AAAA")
        found = False
        for layer in _decode.decode_base64(runs):
            # It is noise for the most part: ordinary words look like base64.
            text_spans = _decode.find_runs(layer.data, self._text, self._shortest)
            text = _decode.Selection(layer.data, text_spans, b"\0")
            for span in self._find(text.data, levels - 1):
                found = True
                yield layer.locate(*text.locate(*span))
        if not found:
            if len(words) > _MAX_WORDS:
                words.clear()
            words.update(run for run in runs.parts if len(run) <= _MAX_WORD)


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


def mask_file(path: Path, mask: Masker) -> bool:
    """Mask the secrets in a file. Return whether there were any. If not, or after an OSError, it is as it was."""
    with path.open("rb") as source:
        clean = 0
        pieces = mask.mask_blocks(iter(lambda: source.read(_BLOCK), b""))
        for original, masked in pieces:
            if masked != original:
                break
            clean += len(original)
        else:
            return False
        descriptor, temporary = tempfile.mkstemp(dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as target, path.open("rb") as start:
                while clean:
                    clean -= target.write(start.read(min(clean, _BLOCK)))
                target.write(masked)
                target.writelines(masked for _, masked in pieces)
            shutil.copymode(path, temporary)
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink()
            raise
    return True
