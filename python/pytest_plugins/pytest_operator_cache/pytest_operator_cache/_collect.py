"""The matrix of the build workflow: every charm of a repository, and every platform of it."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_operator_cache._charm import CharmError, NotACharmError, Platform, read
from pytest_operator_cache._digest import ENVIRONMENT, IGNORED, combine, digest, ignored_by, read_files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

# https://docs.github.com/en/actions/reference/runners/github-hosted-runners
RUNNERS = {"amd64": "ubuntu-latest", "arm64": "ubuntu-24.04-arm"}
# https://docs.github.com/en/actions/reference/limits
MAX_JOBS = 256


def collect(root: Path, ignore: Iterable[str], tell: Callable[[str], None]) -> list[dict[str, str]]:
    """Return a job for every charm below a folder and every platform of it, sorted by path.

    Args:
        root: The folder; paths are relative to it.
        ignore: More patterns of what does not go into a charm, for its digest.
        tell: Is called with what is left out, and why.

    Raises:
        CharmError: A charm can't be read, no runner can pack it, charmcraft can't pack a platform alone, there is no
            charm at all, or there are too many jobs.
        OSError: A charm's files can't be read.
    """
    jobs: list[dict[str, str]] = []
    for folder in find_folders(root):
        try:
            charm = read(folder)
        except NotACharmError as error:
            tell(f"{error}; left out")
            continue
        platforms = charm.platforms()
        without_runner = [_describe(platform) for platform in platforms if not machine_for(platform)]
        if len(without_runner) == len(platforms):
            raise CharmError(
                f"{folder / 'charmcraft.yaml'}: none of its platforms can be packed, for GitHub has runners for "
                f"{' and '.join(RUNNERS)} alone: {', '.join(without_runner) or 'it has none'}"
            )
        for platform in without_runner:
            tell(f"{folder / 'charmcraft.yaml'}: left out, for GitHub has no runner: {platform}")
        path = folder.relative_to(root).as_posix()
        files = digest(read_files(folder, ignore=ignore, as_committed=True))
        jobs += [
            {
                "path": path,
                "charm": charm.name,
                "platform": platform.name,
                "base": ", ".join(sorted(platform.bases)),
                "architecture": platform.build_for,
                "runner": RUNNERS[machine],
                "job_name": f"{charm.name} | {platform.name}" if path == "." else f"{path} | {platform.name}",
                "artifact_name": _artifact_name(path, charm.name, platform.name),
                "digest": combine(files, platform.name),
                "pack_argument": charm.pack_argument(platform.name, machine),
            }
            for platform in platforms
            if (machine := machine_for(platform))
        ]
    if not jobs:
        raise CharmError(f"no charm: there is no charmcraft.yaml of `type: charm` in {root} or below")
    if len(jobs) > MAX_JOBS:
        raise CharmError(f"{len(jobs)} charms and platforms: GitHub takes {MAX_JOBS} jobs at most in one matrix")
    return jobs


def find_folders(root: Path) -> Iterator[Path]:
    """Yield every folder with a charmcraft.yaml, sorted, without caches and virtual environments."""
    is_ignored = ignored_by(IGNORED)
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not is_ignored(name, name))
        if ENVIRONMENT in files:
            folders.clear()
        elif "charmcraft.yaml" in files:
            yield Path(folder)


def machine_for(platform: Platform) -> str:
    """Return the architecture of a runner that can pack a platform, if possible its own; empty if none can."""
    own = [name for name in platform.build_on if name == platform.build_for]
    return next((name for name in [*own, *platform.build_on] if name in RUNNERS), "")


def _describe(platform: Platform) -> str:
    return f"{platform.name!r} is packed on {' or '.join(platform.build_on)}"


def _artifact_name(path: str, charm: str, platform: str) -> str:
    """Return a name that is valid for an artifact, and no other charm's and platform's."""
    # What upload-artifact refuses, and what a shell or a URL could take for something else.
    readable = re.sub(r"[^A-Za-z0-9._@-]+", "-", f"{charm}-{platform}")[:100]
    return f"packed-charm-{readable}-{hashlib.sha256(f'{path}:{platform}'.encode()).hexdigest()[:8]}"
