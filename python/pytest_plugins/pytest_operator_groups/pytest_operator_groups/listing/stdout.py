"""stdout for programs: it gets one text and nothing else."""

from __future__ import annotations

import os
import sys


class ReservedStdout:
    """Sends what is written to stdout to stderr, and writes one text to the real stdout at the end.

    Attributes:
        text: The text, or None.
    """

    def __init__(self) -> None:
        self.text: str | None = None
        self._stdout = sys.stdout
        self._descriptor: int | None = None
        try:
            sys.stdout.flush()
            number = sys.stdout.fileno()
            descriptor = os.dup(number)
            os.dup2(sys.stderr.fileno(), number)
        except (OSError, ValueError):
            pass  # one of the two isn't a file: only what Python writes can be sent elsewhere
        else:
            self._descriptor = descriptor
        sys.stdout = sys.stderr

    def close(self) -> None:
        """Give stdout back, and write the text."""
        self._stdout.flush()
        sys.stdout = self._stdout
        if self._descriptor is not None:
            os.dup2(self._descriptor, sys.stdout.fileno())
            os.close(self._descriptor)
        if self.text is not None:
            print(self.text, flush=True)
