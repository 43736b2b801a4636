"""Constraints, from the words of a command to what the API and a status say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from juju_simulator.world.entities import JujuError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_SIZES = ("mem", "root-disk")
_NUMBERS = ("cores", "cpu-power")
_LISTS = ("tags", "zones", "spaces")
_TEXTS = ("arch", "instance-type", "virt-type", "container", "image-id", "root-disk-source")
_UNITS = {"M": 1, "G": 1024, "T": 1024**2, "P": 1024**3}


def parse_constraints(words: Iterable[str]) -> dict[str, Any]:
    """Return constraints by name, from words of one or several NAME=VALUE: sizes in MiB, numbers as int.

    Raises:
        JujuError: There is no such constraint, or the value isn't one.
    """
    constraints: dict[str, Any] = {}
    for word in " ".join(words).split():
        name, is_pair, value = word.partition("=")
        if not is_pair:
            raise JujuError(f'malformed constraint "{word}"')
        try:
            constraints[name] = _parse(name, value)
        except ValueError:
            raise JujuError(f'bad "{name}" constraint: "{value}" isn\'t a number or a size') from None
    return constraints


def _parse(name: str, value: str) -> Any:
    if name in _SIZES:
        return int(float(value[:-1]) * _UNITS[value[-1]]) if value[-1:] in _UNITS else int(value)
    if name in _NUMBERS:
        return int(value)
    if name in _LISTS:
        return value.split(",")
    if name in _TEXTS:
        return value
    raise JujuError(f'unknown constraint "{name}"')


def format_constraints(constraints: Mapping[str, Any]) -> str:
    """Return constraints as a status shows them."""
    texts = {
        name: f"{value}M" if name in _SIZES else ",".join(value) if name in _LISTS else value
        for name, value in sorted(constraints.items())
    }
    return " ".join(f"{name}={text}" for name, text in texts.items())
