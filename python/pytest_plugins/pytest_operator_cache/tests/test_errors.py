"""All errors read alike: where, what is wrong, what to do."""

from __future__ import annotations

import pytest
from pytest_operator_cache.common.errors import CharmError, CharmNotFoundError


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (CharmError("broken"), "broken"),
        (CharmError("broken", where="a.yaml"), "a.yaml: broken"),
        (CharmError("broken", advice="Mend it."), "broken. Mend it."),
        (CharmError("broken.", where="a.yaml", advice="Mend it."), "a.yaml: broken. Mend it."),
        (CharmError("broken:\n  here", where="a.yaml", advice="Mend it."), "a.yaml: broken:\n  here\nMend it."),
    ],
)
def test_parts_of_a_message(error: CharmError, text: str) -> None:
    assert str(error) == text


def test_suites_may_catch_what_pytest_operator_raises() -> None:
    with pytest.raises(FileNotFoundError, match=r"^charm: none fits\. Pack it\.$"):
        raise CharmNotFoundError("none fits", where="charm", advice="Pack it.")
