"""One group's process: it ends after a time, and when GitHub cancels the job. Nothing that it started is left."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_operator_groups.run.processes import signal_session

from workflow_commands.common.command import with_new_groups

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

# How long the tests have for their teardown.
_GRACE = 60
# In seconds: how long SIGKILL is repeated, because of processes that are forked meanwhile, or hang in the kernel.
_KILL_FOR = 5
_POLL = 0.05
# `timeout` becomes the leader of a process group. Its process ID is known, whoever starts it.
_KNOWN_BY_ITS_ID = 'echo $$ > "$0" && exec "$@"'


class Cancelled(Exception):  # noqa: N818 - it isn't an error
    """GitHub has cancelled the job."""


@dataclass(frozen=True)
class Ended:
    """How a process ended, with its times in seconds since 1970, and the session of all processes that it started."""

    status: str  # success, failure, timed_out or cancelled
    started: float
    ended: float
    session: int


@dataclass
class Processes:
    """Runs processes one after the other. The signals with which GitHub cancels a job end them.

    GitHub sends SIGINT, 7.5 s later SIGTERM, and then SIGKILL, but only to the process of the step:
    https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-cancellation
    """

    # It gets the ID of the process that runs.
    id_file: Path
    is_cancelled: bool = False
    _is_running: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        signal.signal(signal.SIGINT, self._cancel)
        signal.signal(signal.SIGTERM, self._cancel)

    def run(self, command: Sequence[str], seconds: float, *, in_new_groups: bool) -> Ended:
        """Run a command. After some seconds it gets SIGINT, and a minute later SIGKILL.

        With `in_new_groups`, it runs in all groups of this user, also in those that the user has just joined.
        """
        # Inside of sudo: this user can't send a signal to sudo itself.
        limited = ["timeout", "--signal=INT", f"--kill-after={_GRACE}s", f"{seconds:.3f}s", *command]
        whole = ["sh", "-c", _KNOWN_BY_ITS_ID, str(self.id_file), *limited]
        self.id_file.unlink(missing_ok=True)
        started, clock = time.time(), time.monotonic()
        # From now on, SIGINT doesn't raise: the command may run before Popen returns.
        self._is_running = True
        process = subprocess.Popen(with_new_groups(whole) if in_new_groups else whole, start_new_session=True)
        try:
            code = process.wait()
        except Cancelled:
            end_session(process.pid, grace=0)
            code = -signal.SIGKILL
        finally:
            self._is_running = False
        is_late = time.monotonic() - clock >= seconds
        failure = "cancelled" if self.is_cancelled else "timed_out" if is_late else "failure"
        return Ended("success" if code == 0 else failure, started, time.time(), process.pid)

    def _cancel(self, number: int, _: object) -> None:
        self.is_cancelled = True
        if not (self._is_running and number == signal.SIGINT):
            raise Cancelled
        with suppress(OSError, ValueError):  # it has just started, or ended
            os.kill(int(self.id_file.read_text()), signal.SIGINT)


def end_session(session: int, grace: float) -> int:
    """End the processes of a session, and return how many there were. SIGKILL comes `grace` seconds after SIGTERM."""
    left = running = signal_session(session, signal.SIGTERM)
    start = time.monotonic()
    while running and (waited := time.monotonic() - start) < grace + _KILL_FOR:
        time.sleep(_POLL)
        running = signal_session(session, signal.SIGKILL if waited >= grace else 0)
    return left
