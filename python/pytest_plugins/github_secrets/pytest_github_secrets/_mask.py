"""Finds secrets in text, in every form that a value commonly takes, and masks them."""

from __future__ import annotations

import base64
import html
import json
import re
from bisect import bisect_right
from heapq import merge
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape, quoteattr

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

MASK = "***"
# Shorter values are parts of ordinary words. Blanks don't count.
MIN_LENGTH = 4
# A part of a secret, as a truncated repr or a difference shows it, is masked from this length on.
FRAGMENT = 8
_SEED = 4

_ESCAPE_SEQUENCE = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def is_maskable(value: str) -> bool:
    """Return whether a value is long enough to be told from ordinary words."""
    return len("".join(value.split())) >= MIN_LENGTH


def too_short(secrets: Mapping[str, str]) -> list[str]:
    """Return the keys of the values that are not masked: text comes line by line, and no line is long enough."""
    return [key for key, value in secrets.items() if value and not any(map(is_maskable, value.splitlines()))]


def forms(value: str) -> set[str]:
    """Return what a value looks like: as it is, and as a repr, in JSON, in XML, in a URL and in base64.

    A repr of JSON, as a failed comparison shows it, and the like are among them.
    """
    found = set()
    for text in filter(is_maskable, {value, *value.splitlines()}):
        encoded = {text, *_base64(text.encode()), quote(text), quote(text, safe=""), quote_plus(text), *_xml(text)}
        once = {form for one in encoded for form in _escaped(one)}
        twice = {form for one in once for form in _escaped(one)}
        found |= {form for one in encoded | once | twice for form in (one, *_xml(one))}
    return found


def _escaped(text: str) -> set[str]:
    """Return the text as Python and JSON write it between quotes."""
    both_quotes = repr(f"'{text}\"")[3:-2]
    return {
        repr(text)[1:-1],
        ascii(text)[1:-1],
        both_quotes,
        json.dumps(text)[1:-1],
        json.dumps(text, ensure_ascii=False)[1:-1],
    }


def _xml(text: str) -> set[str]:
    return {escape(text), _attribute(text), html.escape(text)}


def _attribute(text: str) -> str:
    return quoteattr(text)[1:-1]


def _base64(data: bytes) -> Iterator[str]:
    """Yield the base64 of data that stands at any place of longer data: what its neighbours can't change."""
    for offset in range(3):
        encoded = base64.b64encode(bytes(offset) + data).decode()
        start = -(-8 * offset // 6)
        end = 8 * (offset + len(data)) // 6
        yield from (encoded[start:end], encoded[start:end].replace("+", "-").replace("/", "_"))


class Masker:
    """Masks secrets in text.

    Args:
        values: The secrets. Those that are too short to be told from ordinary words are left out.
    """

    def __init__(self, values: Iterable[str]) -> None:
        self._grams: set[str] = set()
        whole = set()
        for form in {form for value in values for form in forms(value) if is_maskable(form)}:
            grams = {form[start : start + FRAGMENT] for start in range(len(form) - FRAGMENT + 1)}
            maskable = set(filter(is_maskable, grams))
            self._grams |= maskable
            if len(form) < FRAGMENT or maskable != grams:
                whole.add(form)
        self._seeds = {gram[start : start + _SEED] for gram in self._grams for start in range(FRAGMENT - _SEED + 1)}
        longest_first = sorted(whole, key=len, reverse=True)
        self._whole = re.compile("|".join(map(re.escape, longest_first))) if whole else None

    def __call__(self, text: str) -> str:
        """Return the text with each secret, and each part of one that is long enough to matter, masked."""
        if "\x1b" in text:
            text = self._mask_between_colours(text)
        return _replace(text, self._spans(text))

    def _mask_between_colours(self, text: str) -> str:
        """Mask what is a secret without the terminal's escape sequences, which may stand between any two characters."""
        positions: list[int] = []
        removed = [0]
        for match in _ESCAPE_SEQUENCE.finditer(text):
            positions.append(match.start() - removed[-1])
            removed.append(removed[-1] + len(match.group()))

        def in_text(position: int) -> int:
            return position + removed[bisect_right(positions, position)]

        spans = self._spans(_ESCAPE_SEQUENCE.sub("", text))
        return _replace(text, [(in_text(start), in_text(end - 1) + 1) for start, end in spans])

    def _spans(self, text: str) -> list[tuple[int, int]]:
        """Return where secrets are: starts and ends, in order, none touching another."""
        step = FRAGMENT - _SEED + 1
        # Neither is a list: a file that is full of secrets has more of them than fit into memory.
        parts = (
            (start, start + FRAGMENT)
            # Every part of FRAGMENT characters has _SEED of them from a multiple of the step on.
            for seed in range(0, len(text), step)
            if text[seed : seed + _SEED] in self._seeds
            for start in range(max(seed - step + 1, 0), seed + 1)
            if text[start : start + FRAGMENT] in self._grams
        )
        whole = (match.span() for match in self._whole.finditer(text)) if self._whole else ()
        spans: list[tuple[int, int]] = []
        for start, end in merge(parts, whole):
            if spans and start <= spans[-1][1]:
                spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
            else:
                spans.append((start, end))
        return spans


def _replace(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """Mask spans of the text, and keep the colours that begin or end in them."""
    pieces = []
    position = 0
    for start, end in spans:
        pieces += [text[position:start], MASK, *_ESCAPE_SEQUENCE.findall(text[start:end])]
        position = end
    return "".join([*pieces, text[position:]])
