"""Processes, each in its own session: a limited number at a time, and none is left running."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_operator_groups.common.text import printable
from pytest_operator_groups.formats.progress import describe_end, read_progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import IO

    from pytest_operator_groups.run.job import Job

# In seconds: the time for fixtures to tear down, for example to destroy models; and from SIGTERM to SIGKILL.
GRACE = 60.0
_KILL_AFTER = 10.0
_POLL = 0.05
# Those that would end this process at once, and can be handled.
_SIGNALS = [getattr(signal, f"SIG{name}") for name in ("ALRM", "HUP", "INT", "QUIT", "TERM", "USR1", "USR2", "XCPU")]


class ProcessPool:
    """Runs processes, and ends everything that they have started. Times are in seconds.

    After `grace`, SIGTERM follows SIGINT, which lets fixtures tear down. `interrupted_by` is the signal that ended the
    run, and `log` is called with a line about it.
    """

    def __init__(self, timeout: float | None = None, grace: float = GRACE) -> None:
        self.interrupted_by: signal.Signals | None = None
        self.log: Callable[[str], None] = print
        self._timeout = timeout
        self._grace = grace
        self._start: float | None = None
        self._error: OSError | None = None
        self._end = asyncio.Event()
        self._terminate = asyncio.Event()
        self._kill = asyncio.Event()
        self._guard: IO[bytes] | None = None

    @property
    def seconds(self) -> float:
        """The time since the start of the run, in seconds."""
        return 0.0 if self._start is None else time.monotonic() - self._start

    def interrupt_on_signals(self) -> None:
        """Let every signal that would end this process interrupt what runs. An event loop must be running."""
        for number in _SIGNALS:
            # nohup ignores SIGHUP, and a shell SIGQUIT in the background.
            if number == signal.SIGINT or signal.getsignal(number) != signal.SIG_IGN:
                asyncio.get_running_loop().add_signal_handler(number, self.interrupt, number)

    @contextlib.contextmanager
    def guarded(self) -> Iterator[None]:
        """Let another process end what runs if this one is killed, which nothing can handle."""
        command = [sys.executable, __file__, f"{self._grace}"]
        nowhere = subprocess.DEVNULL
        with subprocess.Popen(
            command, bufsize=0, stdin=subprocess.PIPE, stdout=nowhere, stderr=nowhere, start_new_session=True
        ) as guard:
            self._guard = guard.stdin
            yield

    def _tell_guard(self, session: int, progress: str | None) -> None:
        """Name the file in which pytest writes its ID, "" if the session is interrupted already, or None at its end."""
        with contextlib.suppress(OSError):  # the guard has been killed itself
            if self._guard:
                self._guard.write(f"{json.dumps([session, progress])}\n".encode())

    def interrupt(self, number: signal.Signals) -> None:
        """Start nothing more, and interrupt what runs. The second time, end it. The third time, kill it."""
        if self.interrupted_by is None:
            self.interrupted_by = number
            self._end.set()
            self._log(f"Stopping: fixtures have {self._grace:g} s to tear down. Press Ctrl-C again to stop at once.")
        elif not self._terminate.is_set():
            self._terminate.set()
            self._log("Stopping at once. Press Ctrl-C again to kill all groups.")
        else:
            self._kill.set()

    def _log(self, line: str) -> None:
        # SIGHUP says that the terminal is closed.
        with contextlib.suppress(OSError):
            self.log(line)

    async def run(
        self, jobs: Sequence[Job], max_jobs: int, environment: Mapping[str, str], on_change: Callable[[Job], None]
    ) -> None:
        """Run the jobs in their order, and set their states and results. `on_change` gets each job whose state changes.

        Raises:
            OSError: The first one of on_change, after all jobs have ended as if interrupted.
        """
        waiting = deque(jobs)

        async def work(worker: int) -> None:
            while waiting and not self._end.is_set():
                job = waiting.popleft()
                job.worker = worker
                await self._run_job(job, environment, on_change)

        self._start = time.monotonic()
        await asyncio.gather(*(work(worker) for worker in range(1, min(max_jobs, len(jobs)) + 1)))
        for job in waiting:
            job.record.result, job.record.reason = "not run", "interrupted before it started"
        if self._error:
            raise self._error

    async def _run_job(self, job: Job, environment: Mapping[str, str], on_change: Callable[[Job], None]) -> None:
        def notify() -> None:
            try:
                on_change(job)
            except OSError as error:  # The terminal is closed, or the disk is full: fixtures tear down all the same.
                self._error = self._error or error
                self._end.set()

        record = job.record
        record.result, job.started = "running", self.seconds
        # On a machine that is set up already, pytest starts at once.
        record.started, record.set_up = round(time.time(), 3), 0.0
        notify()
        ended_by, returncode = "", 0
        try:
            returncode, ended_by, record.seconds = await self.execute(
                job.command, job.log, environment, self._timeout, job.progress
            )
        except OSError as error:
            ended_by, record.seconds = f"can't be started: {error}", self.seconds - job.started
        if ended_by == "interrupted":
            record.result, record.reason = "not run", ended_by
        else:
            job.finish(returncode)
            if ended_by:
                record.result, record.reason = "failed", ended_by
        # pytest's own output doesn't say how it ended.
        if (ended_by or job.report is None) and job.log.exists():
            with contextlib.suppress(OSError), job.log.open("a", encoding="utf-8", errors="replace") as log:
                log.write(describe_end(job.progress, record.reason, printable))
        notify()

    async def execute(
        self,
        command: Sequence[str],
        output: Path,
        environment: Mapping[str, str],
        timeout: float | None = None,
        progress: Path | None = None,
    ) -> tuple[int, str, float]:
        """Run a command in its own session, with its output in a file. At its end, end all processes of that session.

        Return its exit code, or the negative number of a signal; why it was ended, or ""; the seconds that it took.
        pytest writes its ID to `progress`. It is an OSError if a file can't be written, or the program not started.
        """
        start = time.monotonic()
        with output.open("wb") as file:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=file,
                stderr=asyncio.subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )
        self._tell_guard(process.pid, str(progress or os.devnull))
        exited = asyncio.ensure_future(process.wait())
        interrupted = asyncio.ensure_future(self._end.wait())
        ended_by = ""
        try:
            await asyncio.wait({exited, interrupted}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
            if not exited.done():
                ended_by = "interrupted" if interrupted.done() else f"timed out after {timeout:g} s"
                self._tell_guard(process.pid, "")
                await self._interrupt(process.pid, exited, progress)
        finally:
            # A test may leave processes behind, even if pytest has ended by itself.
            seconds = time.monotonic() - start
            interrupted.cancel()
            await self._end_session(process.pid)
            self._tell_guard(process.pid, None)
        return await exited, ended_by, seconds

    async def _interrupt(self, session: int, exited: asyncio.Future[Any], progress: Path | None) -> None:
        """Interrupt pytest, which then tears its fixtures down, and wait for its end."""
        pid, is_sent, ends = None, False, time.monotonic() + self._grace
        while not (exited.done() or self._terminate.is_set()) and time.monotonic() < ends:
            # Python can lose SIGINT while it imports modules: send it again when pytest has written its ID.
            if pid is None:
                pid = _find_pytest(session, progress)
                with contextlib.suppress(OSError):
                    if pid is not None:
                        # Not what is around it: after Ctrl-C, tox leaves pytest less than a second.
                        os.kill(pid, signal.SIGINT)
                    elif not is_sent:
                        os.killpg(session, signal.SIGINT)
                is_sent = True
            await asyncio.wait({exited}, timeout=_POLL)

    async def end(self, session: int, progress: str) -> None:
        """End a session of another process: interrupt pytest, and then end what is left."""

        async def wait() -> None:
            with contextlib.suppress(OSError):  # its first process has ended
                while os.getsid(session):
                    await asyncio.sleep(_POLL)

        exited = asyncio.ensure_future(wait())
        if progress:
            await self._interrupt(session, exited, Path(progress))
        else:  # a second SIGINT would interrupt the teardown
            await asyncio.wait({exited}, timeout=self._grace)
        await self._end_session(session)

    async def _end_session(self, session: int) -> None:
        """End the processes of a session: with SIGTERM, and after some seconds with SIGKILL."""
        if not signal_session(session, signal.SIGTERM):
            return
        grace_ends = time.monotonic() + _KILL_AFTER
        while signal_session(session, 0) and time.monotonic() < grace_ends and not self._kill.is_set():
            await asyncio.sleep(_POLL)
        # Repeatedly, because of processes that are forked meanwhile, but not forever: one may hang in the kernel.
        killing_ends = time.monotonic() + _KILL_AFTER
        while signal_session(session, signal.SIGKILL) and time.monotonic() < killing_ends:
            await asyncio.sleep(_POLL)


def _find_pytest(session: int, progress: Path | None) -> int | None:
    """Return the process that pytest has named as its own, if it is in the session, or else None."""
    pid = read_progress(progress).pid if progress else None
    try:
        return pid if pid is not None and os.getsid(pid) == session else None
    except OSError:  # it has ended
        return None


def signal_session(session: int, number: int) -> int:
    """Send a signal to this user's running processes of a session, and return how many there were. 0 only counts."""
    proc = Path("/proc")
    if not (proc / "self/stat").exists():  # macOS
        try:
            os.killpg(session, number)
        except OSError:
            return 0
        return 1
    sent = 0
    for process in proc.glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has just ended, or is another user's
            # https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html: the name may contain anything, even a ")".
            state, _, _, its_session = (process / "stat").read_bytes().rpartition(b")")[2].split()[:4]
            if int(its_session) == session and state != b"Z":
                os.kill(int(process.name), number)
                sent += 1
    return sent


async def _guard(grace: float) -> None:
    """End the sessions that a killed process leaves. It writes to stdin what it tells of them."""
    sessions: dict[int, str | None] = dict(map(json.loads, sys.stdin))
    pool = ProcessPool(grace=grace)
    await asyncio.gather(
        *(pool.end(session, progress) for session, progress in sessions.items() if progress is not None)
    )


if __name__ == "__main__":
    asyncio.run(_guard(float(sys.argv[1])))
