"""The service through its client library."""

from __future__ import annotations

import notes
import pytest


@pytest.mark.group(1)
def test_note_is_kept(url: str, token: str) -> None:
    assert notes.add(url, token, "buy milk") == "buy milk"
    assert notes.notes(url)[-1] == "buy milk"


@pytest.mark.group(1)
def test_notes_keep_their_order(url: str, token: str) -> None:
    notes.add(url, token, "feed the cat")
    assert notes.notes(url)[-2:] == ["buy milk", "feed the cat"]


@pytest.mark.group(2)
class TestRefused:
    @pytest.mark.parametrize(
        ("wrong_token", "note", "reason"),
        [
            ("", "", "unknown token"),
            ("guessed", "buy milk", "unknown token"),
            pytest.param(None, "", "empty note", marks=pytest.mark.group("empty")),
        ],
    )
    def test_note(self, url: str, token: str, wrong_token: str | None, note: str, reason: str) -> None:
        before = notes.notes(url)
        with pytest.raises(notes.RefusedError, match=reason):
            notes.add(url, token if wrong_token is None else wrong_token, note)
        assert notes.notes(url) == before
