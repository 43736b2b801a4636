"""Masks secrets in values of any type, such as those of a test's report."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Mapping
from enum import Enum
from itertools import count
from operator import is_
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_github_secrets._mask import Masker

# An ID finds a test, and pytest 9.2 keeps it in _id. The others are no text to show: plugins calculate with the times.
_KEPT = {"_id", "duration", "nodeid", "outcome", "result", "start", "stop", "when"}
# A value within a value within a value...: deeper ones are masked as text.
_MAX_DEPTH = 50
_KINDS = (list, tuple, set, frozenset)


def mask_report(report: object, mask: Masker) -> None:
    """Mask the report of a test or a collector in place, except its ID, by which pytest-xdist finds the test."""
    for name, value in list(vars(report).items()):
        if name == "longrepr" and not (value is None or isinstance(value, (str, tuple)) or _has_text(value)):
            setattr(report, name, mask(str(value)))
        elif name not in _KEPT:
            setattr(report, name, masked(value, mask))


def mask_attributes(value: object, mask: Masker, depth: int = 0) -> None:
    """Mask all attributes of an object in place."""
    for name, attribute in list(vars(value).items()):
        setattr(value, name, masked(attribute, mask, depth))


def mask_id(value: object, mask: Masker) -> str | None:
    """Return the ID of a test's parameter if pytest's own would show a secret, else None."""
    if not isinstance(value, (str, bytes, int, float, Enum)):
        return None
    text = value.decode(errors="backslashreplace") if isinstance(value, bytes) else str(value)
    shown = mask(text)
    return None if shown == text else shown.encode("unicode_escape").decode()


def masked(value: Any, mask: Masker, depth: int = 0) -> Any:
    """Return a value with all of its text masked.

    Containers are copied, because they may belong to a test. Objects of pytest and Allure that consist of text are
    changed in place. Any other object becomes a text if it would show a secret.
    """
    result = value
    if isinstance(value, str):
        # The same object, if nothing is masked.
        result = value if (shown := mask(value)) == value else shown
    elif isinstance(value, (bytes, bytearray)):
        result = mask.mask_bytes(bytes(value))
    elif depth == _MAX_DEPTH:
        result = _masked_object(value, mask)
    elif isinstance(value, Mapping):
        result = _masked_mapping(value, mask, depth + 1)
        is_clean = type(value) is not dict and all(key in result and result[key] is value[key] for key in value)
        result = value if is_clean else result
    elif isinstance(value, _KINDS):
        kind = next(kind for kind in _KINDS if isinstance(value, kind))
        elements = [masked(element, mask, depth + 1) for element in value]
        # Other kinds of containers can't be made again in the same way, but for named tuples.
        is_clean = type(value) is not kind and all(map(is_, elements, value))
        result = value if is_clean else getattr(value, "_make", kind)(elements)
    elif _has_text(value):
        mask_attributes(value, mask, depth + 1)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        # Such as the context of a subtest. It may belong to a test, too.
        result = copy.copy(value)
        for field in dataclasses.fields(value):
            object.__setattr__(result, field.name, masked(getattr(value, field.name), mask, depth + 1))
    elif value is not None and not isinstance(value, bool):
        result = _masked_object(value, mask)
    return result


def _masked_mapping(value: Mapping[Any, Any], mask: Masker, depth: int) -> dict[Any, Any]:
    result: dict[Any, Any] = {}
    for key, element in value.items():
        shown = masked(key, mask, depth) if isinstance(key, (str, bytes, tuple)) else key
        if shown in result and isinstance(shown, str):
            # Two keys look alike when they are masked.
            shown = next(numbered for number in count(2) if (numbered := f"{shown}-{number}") not in result)
        result[shown] = masked(element, mask, depth)
    return result


def _masked_object(value: object, mask: Masker) -> object:
    try:
        texts = [str(value), repr(value)]
    except Exception:  # noqa: BLE001, a test's class may raise anything. Then nobody can show it
        return value
    return value if all(mask(text) == text for text in texts) else mask(texts[0])


def _has_text(value: object) -> bool:
    module = type(value).__module__
    return module == "allure_commons.model2" or (module.startswith("_pytest.") and hasattr(value, "toterminal"))
