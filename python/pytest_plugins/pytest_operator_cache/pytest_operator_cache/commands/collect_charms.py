"""The command `collect-charms`: the matrix of the build workflow, a job for each charm and each platform of it."""

from __future__ import annotations

import argparse
import errno
import hashlib
import io
import json
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_operator_cache.charm.charmcraft import pack_argument
from pytest_operator_cache.charm.source import Charm, Platform, read
from pytest_operator_cache.common.digest import combine, digest, read_files, walk
from pytest_operator_cache.common.errors import CharmError, NotACharmError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

# https://docs.github.com/en/actions/reference/runners/github-hosted-runners
RUNNERS = {"amd64": "ubuntu-24.04", "arm64": "ubuntu-24.04-arm"}
# https://docs.github.com/en/actions/reference/limits
MAX_JOBS = 256


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the jobs that pack this repository's charms, and return the exit code.

    The line `charms=JSON` is appended to the file that GITHUB_OUTPUT names. Without that variable, it is printed.
    """
    parser = argparse.ArgumentParser(
        prog="collect-charms",
        description="Write a matrix for GitHub: every charm in this directory and below, and every platform of it.",
    )
    add_ignore(parser)
    parser.add_argument(
        "--charm",
        default="",
        metavar="FOLDER",
        help="only the charm in this folder (default: all below this directory)",
    )
    options = parser.parse_args(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A name may have a character that the encoding of stdout doesn't have.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        jobs = collect(Path.cwd(), options.ignore, lambda line: print(line, file=sys.stderr), options.charm)
        line = f"charms={json.dumps(jobs)}"
        if output := os.environ.get("GITHUB_OUTPUT"):
            _append_output(output, line)
            line = "\n".join(job["job_name"] for job in jobs)
        print(line)
    except (CharmError, OSError) as error:
        print(f"collect-charms: {error}", file=sys.stderr)
        return 1
    return 0


def _append_output(path: str, line: str) -> None:
    """Append a line to the file that GITHUB_OUTPUT names, in one write, or nothing.

    The file of another step may lack its last line end: the line then starts on a new line all the same. See
    https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#setting-an-output-parameter
    """
    data = f"{line}\n".encode()
    with Path(path).open("ab+", buffering=0) as file:
        if file.seekable() and file.tell():
            file.seek(-1, os.SEEK_END)
            data = data if file.read() == b"\n" else b"\n" + data
        # On a disk that gets full, the system writes what fits. Another process may have written before it.
        if (written := file.write(data)) != len(data):
            if file.seekable():
                file.truncate(file.tell() - written)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)


def add_ignore(parser: argparse.ArgumentParser) -> None:
    """Add the option for what does not go into a charm."""
    parser.add_argument(
        "--ignore",
        action="extend",
        type=lambda text: [line.strip() for line in text.splitlines() if line.strip()],
        default=[],
        metavar="PATTERN",
        help="leave this out of the digest, such as tests or docs/*.md; it can have several lines and be given again",
    )


def collect(
    root: Path, ignore: Iterable[str], log: Callable[[str], None], charm_folder: str = ""
) -> list[dict[str, str]]:
    """Return a job for every charm below a folder, or for one at a path from there, and every platform of it, sorted.

    `ignore` is for its digest. `log` is called with what is left out, and why.
    """
    jobs: list[dict[str, str]] = []
    folders = (folder for folder, files in walk(root) if "charmcraft.yaml" in files)
    for folder in [_find_folder(root, charm_folder)] if charm_folder else folders:
        try:
            str(folder).encode()
            charm = read(folder)
        except UnicodeEncodeError:
            raise CharmError(
                f"the path of the charm in {str(folder)!a} is not UTF-8, so GitHub can't pass it on",
                advice="Rename the folder.",
            ) from None
        except NotACharmError as error:
            # What was asked for can't be left out.
            if charm_folder:
                raise
            log(f"{error}; left out")
            continue
        path = folder.relative_to(root).as_posix()
        files = digest(read_files(folder, ignore=ignore, as_committed=True))
        jobs += [_job(path, charm, *platform, files) for platform in _platforms_with_runner(charm, log)]
    if not jobs:
        raise CharmError("no charmcraft.yaml with `type: charm` here or below", where=str(root))
    if len(jobs) > MAX_JOBS:
        raise CharmError(f"{len(jobs)} charms and platforms, but a matrix on GitHub has at most {MAX_JOBS} jobs")
    return jobs


def _find_folder(root: Path, charm_folder: str) -> Path:
    """Return a charm's folder, without `.` and `..` in its path."""
    folder = Path(os.path.normpath(root / charm_folder))
    if not folder.is_relative_to(root):
        raise CharmError(
            "this folder is outside the repository",
            where=charm_folder,
            advice="Write a path from the repository's root.",
        )
    return folder


def _platforms_with_runner(charm: Charm, log: Callable[[str], None]) -> list[tuple[Platform, str]]:
    """Return the platforms that a runner can pack, with the runner's architecture, and log the others."""
    found, without = [], []
    for platform in charm.platforms():
        # If possible, its own.
        own = [name for name in platform.build_on if name == platform.build_for]
        if fitting := [name for name in [*own, *platform.build_on] if name in RUNNERS]:
            found.append((platform, fitting[0]))
        else:
            without.append(f"{platform.name!r} is packed on {' or '.join(platform.build_on)}")
    if not found:
        raise CharmError(
            f"none of its platforms can be packed, because GitHub has runners only for {' and '.join(RUNNERS)}: "
            f"{', '.join(without) or 'it has none'}",
            where=charm.file,
        )
    for reason in without:
        log(f"{charm.file}: left out, because GitHub has no runner for it: {reason}")
    return found


def _job(path: str, charm: Charm, platform: Platform, architecture: str, files: str) -> dict[str, str]:
    return {
        "path": path,
        "charm": charm.name,
        "platform": platform.name,
        "base": ", ".join(sorted(platform.bases)),
        "architecture": platform.build_for,
        "runner": RUNNERS[architecture],
        "job_name": f"{charm.name if path == '.' else path} | {platform.name}",
        "artifact_name": _artifact_name(path, charm.name, platform.name),
        "digest": combine(files, platform.name),
        "pack_argument": "".join(pack_argument(charm, platform.name, architecture)),
    }


def _artifact_name(path: str, charm: str, platform: str) -> str:
    """Return a name that is valid for an artifact, and that only this charm and platform have."""
    # Without what upload-artifact refuses, and what a shell or a URL could take for something else.
    readable = re.sub(r"[^A-Za-z0-9._@-]+", "-", f"{charm}-{platform}")[:100]
    return f"packed-charm-{readable}-{hashlib.sha256(f'{path}:{platform}'.encode()).hexdigest()[:8]}"
