"""Masks secrets in what pytest and its plugins keep of a test, before any of them writes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

# What a report is found by, and what is no text.
_KEPT = {"nodeid", "location", "keywords", "outcome", "when"}


def mask_report(report: Any, mask: Callable[[str], str]) -> None:
    """Mask a report of a test in place: its traceback, its sections, its properties and what plugins added."""
    for name, value in vars(report).items():
        if name == "longrepr" and not (value is None or isinstance(value, (str, tuple)) or _is_text_in_parts(value)):
            setattr(report, name, mask(str(value)))
        elif name not in _KEPT:
            setattr(report, name, masked(value, mask))


def masked(value: Any, mask: Callable[[str], str]) -> Any:
    """Return a value with all of its text masked. What isn't a str or a tuple changes in place."""
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, tuple):
        return tuple(masked(element, mask) for element in value)
    if isinstance(value, list):
        value[:] = [masked(element, mask) for element in value]
    elif isinstance(value, dict):
        for key in list(value):
            value[masked(key, mask)] = masked(value.pop(key), mask)
    elif _is_text_in_parts(value):
        for name, attribute in vars(value).items():
            setattr(value, name, masked(attribute, mask))
    return value


def _is_text_in_parts(value: object) -> bool:
    module = type(value).__module__
    return module == "allure_commons.model2" or (module.startswith("_pytest.") and hasattr(value, "toterminal"))
