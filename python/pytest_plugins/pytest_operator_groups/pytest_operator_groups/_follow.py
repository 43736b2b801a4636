"""The output of a group while it runs."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from pytest_operator_groups._errors import GroupsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_operator_groups._job import Job

_POLL = 0.1


def find_job(jobs: Sequence[Job], name: str) -> Job:
    """Return the group with this name, which may be only the end of it, such as its ID.

    Raises:
        GroupsError: No group has this name, or several have.
    """
    found = [job for job in jobs if job.name == name] or [
        job for job in jobs if job.group_id == name or job.name.endswith(name)
    ]
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


async def follow(job: Job) -> None:
    """Show the output of a group until it ends."""
    position = 0
    while True:
        has_ended = job.state not in {"waiting", "running"}
        if job.log.exists():
            with job.log.open("rb") as log:
                log.seek(position)
                read = log.read()
            position += len(read)
            sys.stdout.write(read.decode(errors="replace"))
            sys.stdout.flush()
        if has_ended:
            return
        await asyncio.sleep(_POLL)


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
