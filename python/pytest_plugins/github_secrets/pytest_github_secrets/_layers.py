"""Data made from other data, with a map of its positions to those of its source."""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import re
    from collections.abc import Callable


class Layer(Protocol):
    """What data decodes to."""

    data: bytes

    def locate(self, start: int, end: int) -> tuple[int, int]:
        """Return the span of the source that a span of the decoded data stands for."""


class Selection:
    """Some spans of data, with a separator between them. Positions are only mapped if anything is found."""

    def __init__(self, source: bytes, spans: list[tuple[int, int]], separator: bytes) -> None:
        self.parts = [source[start:end] for start, end in spans]
        self.data = separator.join(self.parts)
        self._spans = spans
        self._separator = len(separator)

    @cached_property
    def _starts(self) -> list[int]:
        lengths = (end - start + self._separator for start, end in self._spans)
        return list(accumulate(lengths, initial=0))

    def locate(self, start: int, end: int) -> tuple[int, int]:
        return self._source(start), self._source(end)

    def _source(self, position: int) -> int:
        index = bisect_right(self._starts, position, hi=len(self._spans)) - 1
        start, end = self._spans[index]
        return min(start + position - self._starts[index], end)


class Substitution:
    """Data with each match of a pattern replaced. Positions are only mapped if anything is found.

    Args:
        source: The data.
        pattern: What is replaced: one group, which is all that the pattern matches.
        decode: Returns what replaces a match.
        context: How much is kept on each side of a match, or None for all.
    """

    def __init__(
        self,
        source: bytes,
        pattern: re.Pattern[bytes],
        decode: Callable[[bytes], bytes],
        context: int | None = None,
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
        self.data = b"".join(self._decoded)
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


class Bits:
    """The bytes that runs of characters stand for."""

    def __init__(self, data: bytes, runs: Layer, bits: int, shift: int) -> None:
        self.data = data
        self._runs = runs
        self._bits = bits
        self._shift = shift

    def locate(self, start: int, end: int) -> tuple[int, int]:
        first = start * 8 // self._bits - self._shift
        last = -(-end * 8 // self._bits) - self._shift
        return self._runs.locate(max(first, 0), min(last, len(self._runs.data)))
