"""Masks secrets in text and in files."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import tempfile
from collections import defaultdict
from contextlib import suppress
from itertools import starmap
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from xml.etree import ElementTree as ET

from pytest_github_secrets import _decode
from pytest_github_secrets._forms import PART, encode, find_cut, find_forms, find_random, find_texts, is_maskable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

MASK = b"***"
# What is searched for is looked up by words of this length. One is in every part, wherever it begins.
_WORD = 8
# How many words are looked up at once.
_BATCH = 64
# A text is searched piece by piece: decoding takes memory.
_PIECE = 1 << 17
# How much pieces overlap: more than an encoded secret takes.
_OVERLAP = 1 << 14
# A string or a number in JSON.
_JSON_VALUE = re.compile(r'"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*')
# How much of a file is read at once.
_BLOCK = 1 << 18


class _Matcher:
    """Finds strings as a whole (`wholes`), and every part of PART bytes of others (`random`)."""

    def __init__(self, wholes: set[bytes], random: set[bytes]) -> None:
        self._parts = {text[start : start + PART] for text in random for start in range(len(text) - PART + 1)}
        self._short = sorted(whole for whole in wholes if len(whole) < 2 * _WORD - 1)
        # Where in which string a word is.
        self._long: dict[int, list[tuple[int, bytes]]] = defaultdict(list)
        for whole in wholes.difference(self._short, random):
            for offset in range(_WORD):
                self._long[_to_word(whole, offset)].append((offset, whole))
        self._words = {_to_word(text, offset) for text in random for offset in range(len(text) - _WORD + 1)}.union(
            self._long
        )

    def find(self, data: bytes) -> Iterator[tuple[int, int]]:
        """Yield where strings and parts are in data: spans in no order, which may overlap."""
        for whole in self._short:
            start = data.find(whole)
            while start >= 0:
                yield start, start + len(whole)
                start = data.find(whole, start + len(whole))
        words = memoryview(data)[: len(data) // _WORD * _WORD].cast("Q")
        for batch in range(0, len(words), _BATCH):
            # Most batches have no such word, which C finds out quickly.
            if not self._words.isdisjoint(words[batch : batch + _BATCH]):
                for number, word in enumerate(words[batch : batch + _BATCH], batch):
                    if word in self._words:
                        yield from self._find_at(data, number * _WORD, word)

    def _find_at(self, data: bytes, position: int, word: int) -> Iterator[tuple[int, int]]:
        for offset, whole in self._long.get(word, ()):
            if offset <= position and data.startswith(whole, position - offset):
                yield position - offset, position - offset + len(whole)
        for start in range(max(0, position - PART + _WORD), position + 1):
            if data[start : start + PART] in self._parts:
                yield start, start + PART


def _to_word(data: bytes, offset: int) -> int:
    return int.from_bytes(data[offset : offset + _WORD], sys.byteorder)


def _merge(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return spans in order, none in another. Two that touch stay two: there may have been a line end between them."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


class Masker:
    """Masks secrets in text and in data. Those that are too short to be told from ordinary words are left out."""

    def __init__(self, values: Collection[str]) -> None:
        self._quotes = any(quote in value for value in values for quote in "'\"")
        wholes: set[bytes] = set()
        random: set[bytes] = set()
        for value in values:
            for text in find_texts(value):
                wholes.update(find_forms(text, nested=True), map(encode, find_cut(text)))
            for text in find_random(value):
                random.update(find_forms(text, nested=False))
        wholes = set(filter(is_maskable, wholes))
        self._matcher = _Matcher(wholes, random)
        self._shortest = min(map(len, wholes), default=0)

    def __call__(self, text: str) -> str:
        """Return the text with each secret, and each part of one that could still be used, masked."""
        data = encode(text)
        masked = self.mask_bytes(data)
        if masked == data:
            return text
        try:
            return masked.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:  # What a secret with a % stands for may have been found within a character.
            return masked.decode(errors="replace")

    def mask_bytes(self, data: bytes) -> bytes:
        """Return the data with each secret masked, as in text. Everything else stays, whether it is text or not."""
        return data if len(data) < self._shortest else b"".join([masked for _, masked in self.mask_blocks([data])])

    def mask_blocks(self, blocks: Iterable[bytes]) -> Iterator[tuple[bytes, bytes]]:
        """Yield pieces of data, each as it was and with its secrets masked. This takes little memory for any size."""
        # How far the data is masked already, or -1.
        masked = -1
        for data, end in _overlapping(blocks):
            pieces = []
            position = max(masked, 0)
            for start, stop in _merge(self._find(data, _decode.LEVELS)):
                if start >= end:
                    break
                if start > masked:
                    pieces += [data[position:start], MASK]
                pieces += _decode.COLOUR.findall(data[max(start, position) : stop])
                masked = position = max(stop, position)
            pieces.append(data[position:end])
            yield data[:end], b"".join(pieces)
            masked = masked - end if masked >= end else -1

    def _find(self, data: bytes, levels: int) -> Iterator[tuple[int, int]]:
        """Yield where secrets are in data and in what its escapes stand for, so many times in each other."""
        for unbroken in _decode.without_breaks(data):
            yield from starmap(unbroken.locate, _merge(self._matcher.find(unbroken.data)))
            for layer in _decode.unescape(unbroken.data, quotes=self._quotes) if levels else ():
                for span in self._find(layer.data, levels - 1):
                    yield unbroken.locate(*layer.locate(*span))


def _overlapping(blocks: Iterable[bytes]) -> Iterator[tuple[bytes, int]]:
    """Yield data in pieces, and the position in each at which the next one begins."""
    data = b""
    for block in blocks:
        for start in range(0, len(block), _PIECE):
            data += block[start : start + _PIECE]
            if len(data) >= _PIECE + _OVERLAP:
                end = len(data) - _OVERLAP
                yield data, end
                data = data[end:]
    yield data, len(data)


def mask_file(path: Path, mask: Masker) -> bool:
    """Mask the secrets in a file. Return whether there were any. If not, or after an OSError, it is as it was.

    JSON and XML stay what they are: each text in them is masked by itself.
    """
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
                structured = _mask_structured(start, mask)
                if structured is not None:
                    target.write(structured)
                else:
                    # The file may have become shorter.
                    while block := start.read(min(clean, _BLOCK)):
                        clean -= target.write(block)
                    target.write(masked)
                    target.writelines(masked for _, masked in pieces)
            shutil.copymode(path, temporary)
            Path(temporary).replace(path)
        except BaseException:
            with suppress(OSError):  # not over the error itself
                Path(temporary).unlink()
            raise
    return True


def _mask_structured(file: BinaryIO, mask: Masker) -> bytes | None:
    """Return JSON, JSON Lines or XML with each text masked, or None if the file is something else."""
    first = file.read(_BLOCK).lstrip()[:5]
    file.seek(0)
    masked = None
    if first[:1] in {b"{", b"[", b'"'}:
        masked = _mask_json(file.read(), mask)
    elif first == b"<?xml":
        masked = _mask_xml(file.read(), mask)
    file.seek(0)
    return masked


def _mask_json(data: bytes, mask: Masker) -> bytes | None:
    text = data.decode(errors="replace")
    if encode(text) != data or not (_is_json([text]) or _is_json(text.strip().split("\n"))):
        return None

    def replace(match: re.Match[str]) -> str:
        value = json.loads(match[0]) if match[0].startswith('"') else match[0]
        masked = mask(value)
        return match[0] if masked == value else json.dumps(masked)

    return encode(_JSON_VALUE.sub(replace, text))


def _is_json(documents: Iterable[str]) -> bool:
    with suppress(ValueError, RecursionError):
        for document in documents:
            json.loads(document)
        return True
    return False


def _mask_xml(data: bytes, mask: Masker) -> bytes | None:
    try:
        root = ET.fromstring(data, ET.XMLParser(target=ET.TreeBuilder(insert_comments=True)))  # noqa: S314, a test's own file
    except ET.ParseError:  # pytest 7 writes control characters as they are
        return None
    for element in root.iter():
        element.attrib.update({name: mask(value) for name, value in element.attrib.items()})
        element.text = element.text and mask(element.text)
        element.tail = element.tail and mask(element.tail)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))
