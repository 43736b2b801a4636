"""The output of a group while it runs."""

from __future__ import annotations

import asyncio
import codecs
from typing import TYPE_CHECKING

from pytest_operator_groups.common.errors import GroupsError
from pytest_operator_groups.run.display import Lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_operator_groups.run.job import Job

_POLL = 0.1


def find_job(jobs: Sequence[Job], name: str) -> Job:
    """Return the group with this name, which may be only the end of it, such as its ID.

    Raises:
        GroupsError: No group has this name, or several have.
    """
    found = (
        [job for job in jobs if job.name == name]
        or [job for job in jobs if job.group_id == name]
        or [job for job in jobs if job.name.endswith(name)]
    )
    if len(found) == 1:
        return found[0]
    names = "\n".join(f"  {job.name}" for job in found or jobs)
    raise GroupsError(
        f"several groups have this name:\n{names}"
        if found
        else f"no group that runs has this name. There are:\n{names}",
        where=f"--follow {name!r}",
        advice=f"Write, for example: --follow {(found or jobs)[0].name!r}",
    )


class Followed(Lines):
    """Shows the output of one group while it runs, and a line for each event.

    The output of another group that fails would be in the middle of it, so that is only in its log.

    Args:
        job: The group.
    """

    def __init__(self, job: Job) -> None:
        super().__init__()
        self._job = job
        self._position = 0
        # A read may end in the middle of a character.
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._is_in_line = False
        self._polling: asyncio.Future[None] | None = None

    def start(self) -> None:
        """Show what the group prints, from now on."""
        self._polling = asyncio.ensure_future(self._poll())

    def stop(self) -> None:
        """Stop showing it."""
        if self._polling is not None:
            self._polling.cancel()

    def log(self, line: str) -> None:
        """Show a line, not in the middle of another one."""
        if self._is_in_line:
            print()
        self._is_in_line = False
        super().log(line)

    def update(self, job: Job) -> None:
        """Show a job's new state, after all that the followed group has printed."""
        self._show_new_output()
        super().update(job)

    async def _poll(self) -> None:
        while True:
            self._show_new_output()
            await asyncio.sleep(_POLL)

    def _show_new_output(self) -> None:
        if self._job.state == "waiting" or not self._job.log.exists():
            return
        with self._job.log.open("rb") as log:
            log.seek(self._position)
            read = log.read()
        self._position += len(read)
        if text := self._decoder.decode(read):
            self._is_in_line = not text.endswith("\n")
            print(text, end="", flush=True)

    def _show_output(self, job: Job) -> None:
        """Show nothing: the group's output was shown, or is in its log."""


class CacheLines:
    """What pytest-operator-cache says of charms. Groups share the cache, so each line counts once."""

    def __init__(self) -> None:
        self._shown: set[str] = set()

    def new(self, job: Job) -> Iterator[str]:
        """Yield the lines in the output of a group that no group before it had."""
        if not job.log.exists():
            return
        for line in job.log.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("charm cache: ") and line not in self._shown:
                self._shown.add(line)
                yield line
