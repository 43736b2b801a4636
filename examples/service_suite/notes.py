"""The client of the service, as a library and as a command: `notes.py URL TOKEN NOTE`."""

from __future__ import annotations

import json
import sys
from urllib.error import HTTPError
from urllib.request import Request, urlopen


class RefusedError(Exception):
    """The service did not take a note."""


def add(url: str, token: str, note: str) -> str:
    """Add a note, and return it as the service has it.

    Raises:
        RefusedError: The service did not take it.
    """
    request = Request(f"{url}/notes", note.encode(), {"Authorization": f"Bearer {token}"})  # noqa: S310, the user's URL
    try:
        with urlopen(request, timeout=10) as answer:  # noqa: S310, the user's URL
            added: str = json.load(answer)
    except HTTPError as error:
        with error:
            raise RefusedError(json.load(error)) from None
    return added


def notes(url: str) -> list[str]:
    """Return all notes."""
    with urlopen(f"{url}/notes", timeout=10) as answer:  # noqa: S310, the user's URL
        found: list[str] = json.load(answer)
    return found


if __name__ == "__main__":
    try:
        print(add(*sys.argv[1:4]))
    except RefusedError as error:
        sys.exit(f"refused: {error}")
