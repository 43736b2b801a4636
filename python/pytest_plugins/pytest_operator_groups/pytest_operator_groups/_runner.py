"""Processes in sessions of their own: so many at a time, none that takes another one down, none left running."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pytest_operator_groups._junit import judge

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

GRACE = 10.0
_POLL = 0.05


@dataclass
class Job:
    """One group, and what has become of it.

    Attributes:
        name: The group's `job_name`.
        path: Its test file.
        group_id: Its ID.
        command: What runs it.
        log: The file for its output.
        junit: The file for its report.
        state: How far it is. "not run" is also a group that was interrupted.
        reason: Why it failed, or was not run.
        tests: The number of its tests, once its report can be read.
        started: When it started, in seconds from the start of the run.
        seconds: How long it took.
    """

    name: str
    path: str
    group_id: str
    command: list[str]
    log: Path
    junit: Path
    state: Literal["waiting", "running", "passed", "failed", "not run"] = "waiting"
    reason: str = ""
    tests: int | None = None
    started: float | None = None
    seconds: float | None = None


class Runner:
    """Runs processes, and ends all that they have started.

    Args:
        timeout: The seconds that a job may take, or None.
        grace: The seconds between SIGTERM and SIGKILL.

    Attributes:
        interrupted_by: The signal that ended the run, or None.
        tell: Is called with a line about an interruption.
    """

    def __init__(self, timeout: float | None = None, grace: float = GRACE) -> None:
        self.interrupted_by: signal.Signals | None = None
        self.tell: Callable[[str], None] = print
        self._timeout = timeout
        self._grace = grace
        self._start: float | None = None
        self._end = asyncio.Event()
        self._kill = asyncio.Event()

    @property
    def seconds(self) -> float:
        """The time since the start of the run, in seconds."""
        return 0.0 if self._start is None else time.monotonic() - self._start

    def interrupt(self, number: signal.Signals) -> None:
        """Start nothing more and end what runs; if told so again, kill it at once."""
        if self.interrupted_by is None:
            self.interrupted_by = number
            self._end.set()
            self.tell(f"{number.name}: every group is ended; once more, and it is killed at once")
        else:
            self._kill.set()

    async def run(
        self, jobs: Sequence[Job], at_most: int, environment: Mapping[str, str], changed: Callable[[Job], None]
    ) -> None:
        """Run the jobs in their order, a number of them at a time.

        Args:
            jobs: Their states and results are set.
            at_most: How many run at a time.
            environment: The environment variables of the processes.
            changed: Is called with a job whenever its state has changed.

        Raises:
            OSError: The files of last time can't be removed.
        """
        for job in jobs:
            job.log.unlink(missing_ok=True)
            job.junit.unlink(missing_ok=True)
        waiting = deque(jobs)

        async def work() -> None:
            while waiting and self.interrupted_by is None:
                await self._run_job(waiting.popleft(), environment, changed)

        self._start = time.monotonic()
        await asyncio.gather(*(work() for _ in range(min(at_most, len(jobs)))))
        for job in waiting:
            job.state, job.reason = "not run", "interrupted before it started"

    async def _run_job(self, job: Job, environment: Mapping[str, str], changed: Callable[[Job], None]) -> None:
        job.state, job.started = "running", self.seconds
        changed(job)
        ended_by, returncode = "", 0
        try:
            returncode, ended_by, job.seconds = await self.execute(job.command, job.log, environment, self._timeout)
        except OSError as error:
            ended_by, job.seconds = f"can't be started: {error}", self.seconds - job.started
        if ended_by == "interrupted":
            job.state, job.reason = "not run", ended_by
        else:
            reason, job.tests = judge(returncode, job.junit)
            job.reason = ended_by or reason
            job.state = "failed" if job.reason else "passed"
        changed(job)

    async def execute(
        self, command: Sequence[str], log: Path, environment: Mapping[str, str], timeout: float | None = None
    ) -> tuple[int, str, float]:
        """Run a command in a session of its own, and end all processes of that session when it has ended.

        Args:
            command: The program and its arguments.
            log: The file that its output replaces.
            environment: Its environment variables.
            timeout: The seconds that it may take, or None.

        Returns:
            Its exit code, or the negative number of a signal; why it was ended, or ""; the seconds that it took.

        Raises:
            OSError: The log can't be written, or the program can't be started.
        """
        start = time.monotonic()
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=asyncio.subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )
        exited = asyncio.ensure_future(process.wait())
        interrupted = asyncio.ensure_future(self._end.wait())
        ended_by = ""
        try:
            await asyncio.wait({exited, interrupted}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
            if not exited.done():
                ended_by = "interrupted" if interrupted.done() else f"timed out after {timeout:g} s"
        finally:
            # Also where pytest has ended by itself: a test may have left processes behind.
            seconds = time.monotonic() - start
            interrupted.cancel()
            await self._end_session(process.pid)
        return await exited, ended_by, seconds

    async def _end_session(self, session: int) -> None:
        """End the processes of a session: SIGTERM, and after the grace SIGKILL."""
        if not _signal(session, signal.SIGTERM):
            return
        grace_ends = time.monotonic() + self._grace
        while _processes(session) and time.monotonic() < grace_ends and not self._kill.is_set():
            await asyncio.sleep(_POLL)
        # Again and again, for what was forked meanwhile; not forever, for a process can hang in the kernel.
        killing_ends = time.monotonic() + GRACE
        while _signal(session, signal.SIGKILL) and time.monotonic() < killing_ends:
            await asyncio.sleep(_POLL)


def _signal(session: int, number: signal.Signals) -> bool:
    """Send a signal to the processes of a session, and return whether there were any."""
    processes = _processes(session)
    for process in processes:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(process, number)
    return bool(processes)


def _processes(session: int) -> list[int]:
    """Return the processes of a session that run, as `os.kill` takes them."""
    proc = Path("/proc")
    if not (proc / "self/stat").exists():  # macOS
        try:
            os.killpg(session, 0)
        except OSError:
            return []
        return [-session]
    found = []
    for process in proc.glob("[0-9]*"):
        try:
            # https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html: after the name, which may hold anything
            state, _, _, its_session = (process / "stat").read_bytes().rpartition(b")")[2].split()[:4]
        except OSError:  # it has just ended
            continue
        if int(its_session) == session and state != b"Z":
            found.append(int(process.name))
    return found
