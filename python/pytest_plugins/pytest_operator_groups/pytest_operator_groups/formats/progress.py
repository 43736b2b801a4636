"""Which test a group's pytest runs: pytest tells it to `run-groups` through a file."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


class Progress(NamedTuple):
    """How far pytest has come. What it hasn't told is None or empty."""

    pid: int | None = None  # its process
    tests: int | None = None
    number: int = 0  # of the tests that it has started
    test: str = ""  # the last one of them


class ProgressWriter:
    """The hooks of pytest that write the file.

    Args:
        path: The file. Where the interpreter is when SIGTERM ends it is written to a file beside it.
    """

    def __init__(self, path: str) -> None:
        self._file = Path(path).open("w", encoding="utf-8", errors="replace")  # noqa: SIM115, pytest's run uses it
        self._write(pid=os.getpid())
        self._watch_sigterm(stack_file(Path(path)))

    def pytest_collection_finish(self, session: Any) -> None:
        """Write how many tests there are."""
        self._write(tests=len(session.items))

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Write which test starts."""
        self._write(test=nodeid)

    def _write(self, **values: object) -> None:
        print(json.dumps(values), file=self._file, flush=True)

    def _watch_sigterm(self, path: Path) -> None:
        import faulthandler
        import signal

        # It writes even if the test doesn't return from C.
        self._stack = path.open("w", encoding="utf-8")
        faulthandler.register(signal.SIGTERM, self._stack, chain=True)


def stack_file(path: Path) -> Path:
    """Return the file for the stack, beside the one for the progress."""
    return path.with_name(f"{path.name}.stack")


def read_progress(path: Path) -> Progress:
    """Return what is in the file by now."""
    progress = Progress()
    try:
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    except (OSError, ValueError):
        return progress
    for line in lines:
        try:
            values = json.loads(line)
        except ValueError:  # it is being written
            break
        if "test" in values:
            values["number"] = progress.number + 1
        progress = progress._replace(**values)
    return progress


def describe_end(path: Path, reason: str, show: Callable[[str], str]) -> str:
    """Return which test was running when a group was ended, and where, for the end of its log."""
    test = read_progress(path).test
    try:
        stack = stack_file(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        stack = ""
    place = f", in {show(test)}" if test else ", before its first test"
    return f"\nrun-groups: {reason}{place}\n{stack}"
