"""All errors read alike."""

from __future__ import annotations

import pytest
from workflow_commands._errors import CommandError


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (CommandError("it is empty"), "it is empty"),
        (CommandError("it is empty", where="`name`"), "`name`: it is empty"),
        (CommandError("it is empty", advice="Write one"), "it is empty. Write one"),
        (CommandError("it is empty", where="`name`", advice="Write one"), "`name`: it is empty. Write one"),
        (CommandError("first\nsecond", where="`name`", advice="Write one"), "`name`: first\nsecond\nWrite one"),
    ],
)
def test_parts_are_joined(error: CommandError, text: str) -> None:
    assert str(error) == text
