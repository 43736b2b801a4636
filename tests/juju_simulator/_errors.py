"""What goes wrong."""

from __future__ import annotations


class JujuError(Exception):
    """An error that Juju answers with.

    Args:
        message: What it says.
        code: Its code, as clients know it.
    """

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code
