"""Finds byte strings, and parts of them, in data."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# A shorter value is part of ordinary words. Blanks don't count.
MIN_LENGTH = 4
# A truncated repr or a difference shows parts of a secret. Parts of this length are found.
FRAGMENT = 8
# A part has a seed of this length wherever a word of this length is in an array of them.
_SEED = 4
# How many words are looked up at once.
_BATCH = 64


class Matcher:
    """Finds strings as a whole, and every part of FRAGMENT bytes that has enough bytes that aren't blanks."""

    def __init__(self, strings: Iterable[bytes]) -> None:
        self._parts: set[bytes] = set()
        whole = set()
        for string in strings:
            covered, has_gap = 0, False
            for start in range(len(string) - FRAGMENT + 1):
                part = string[start : start + FRAGMENT]
                if len(b"".join(part.split())) >= MIN_LENGTH:
                    self._parts.add(part)
                    has_gap = has_gap or start > covered
                    covered = start + FRAGMENT
            if has_gap or covered < len(string):
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
