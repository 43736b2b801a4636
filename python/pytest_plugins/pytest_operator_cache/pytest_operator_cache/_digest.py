"""A digest of all that charmcraft could pack of a charm: what is doubtful is part of it."""

from __future__ import annotations

import fnmatch
import hashlib
import json
import os
import re
import stat
import subprocess
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

# What charmcraft never packs, or what nobody means to: version control, packed charms, caches of tools.
IGNORED = (
    ".git",
    "*.charm",
    "__pycache__",
    "*.pyc",
    ".coverage",
    ".coverage.*",
    ".hypothesis",
    ".mypy_cache",
    ".nox",
    ".pytest_cache",
    ".ruff_cache",
    ".tox",
)
# Virtual environments, whatever their name (https://docs.python.org/3/library/venv.html#how-venvs-work).
ENVIRONMENT = "pyvenv.cfg"
# Where charmcraft works if it packs on the machine itself; it leaves them out of what it packs.
WORK_FOLDERS = ("parts", "stage", "prime", "overlay")


_RUNS_GIT = re.compile(rb"\bgit[ \t]+[\w-]")


def read_files(folder: Path, *, ignore: Iterable[str] = (), as_committed: bool = False) -> dict[str, str]:
    """Return all that counts below a charm's folder: for each path, what tells its kind and its content.

    Content, the executable bit and the target of a link count, times and owners don't. A link that leads out of the
    folder counts with what it leads to. Where charmcraft.yaml runs git, the commit counts too, as a path ".git".

    Args:
        folder: The charm's folder.
        ignore: More patterns to leave out: of names at any depth, or of paths from the folder if there is a `/` in it.
        as_committed: Take the line endings that are committed to git, not those that git made of them at checkout.

    Raises:
        OSError: Something can't be read.
    """
    root = os.path.realpath(folder)
    reader = _Reader(root, ignored_by([*IGNORED, *ignore]), as_committed=as_committed)
    files = dict(reader.records(root, "", (root,)))
    if _RUNS_GIT.search(_file_content(os.path.join(root, "charmcraft.yaml"))):
        # Checkouts in CI are shallow: they differ in the tags that they have.
        version = ["rev-parse", "HEAD"] if as_committed else ["describe", "--always", "--long", "--tags", "--abbrev=40"]
        files[".git"] = _git(root, *version).decode()
    return files


def digest(files: dict[str, str]) -> str:
    """Return the SHA-256 of what `read_files` returns, in whatever order."""
    hasher = hashlib.sha256()
    for path in sorted(files):
        name = os.fsencode(path)
        hasher.update(b"%d:%s%s\n" % (len(name), name, files[path].encode()))
    return hasher.hexdigest()


def combine(*parts: object) -> str:
    """Return one digest of several parts, each of which JSON can tell."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def ignored_by(patterns: Iterable[str]) -> Callable[[str, str], bool]:
    """Return whether patterns leave something out, as a function of its path from the charm's folder and its name."""
    stripped = [pattern.rstrip("/") for pattern in patterns]
    names = _any_of([pattern for pattern in stripped if "/" not in pattern])
    paths = _any_of([pattern.lstrip("/") for pattern in stripped if "/" in pattern])
    return lambda path, name: bool(names(name) or paths(path))


def _any_of(patterns: Sequence[str]) -> Callable[[str], re.Match[str] | None]:
    return re.compile("|".join(map(fnmatch.translate, patterns)) or r"(?!)").match


class _Reader:
    """Reads what counts below a charm's folder.

    Args:
        root: The folder, as a real path.
        is_ignored: Tells of a path from there, and its name, whether it is left out.
        as_committed: Whether to take the line endings that are committed.
    """

    def __init__(self, root: str, is_ignored: Callable[[str, str], bool], *, as_committed: bool) -> None:
        self.root = root
        self.is_ignored = is_ignored
        self.as_committed = as_committed

    def records(self, folder: str, prefix: str, above: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        """Yield the path of all that is in a folder, with what tells its kind and content.

        Args:
            folder: The folder.
            prefix: What its paths begin with.
            above: What has led here by links, for those that lead back.
        """
        with os.scandir(folder) as scanned:
            entries = list(scanned)
        if prefix and any(entry.name == ENVIRONMENT for entry in entries):
            return
        for entry in entries:
            path = prefix + entry.name
            if self.is_ignored(path, entry.name):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from self.records(entry.path, f"{path}/", above)
            elif entry.is_symlink():
                yield path, f"link {hashlib.sha256(os.fsencode(os.readlink(entry.path))).hexdigest()}"
                target = os.path.realpath(entry.path)
                if target != self.root and not target.startswith(f"{self.root}/"):
                    # A path can't hold a NUL: what is behind a link can't be taken for what is in the folder.
                    if os.path.isfile(target):
                        yield f"{path}\0", self.file(target)
                    elif os.path.isdir(target) and target not in above:
                        yield from self.records(target, f"{path}\0/", (*above, target))
            elif entry.is_file(follow_symlinks=False):
                yield path, self.file(entry.path)

    def file(self, path: str) -> str:
        """Return what tells the kind and the content of a file."""
        descriptor = os.open(path, os.O_RDONLY)
        try:
            status = os.fstat(descriptor)
            content = os.read(descriptor, status.st_size + 1)
            if len(content) != status.st_size:
                while part := os.read(descriptor, 1 << 20):
                    content += part
        finally:
            os.close(descriptor)
        if self.as_committed and b"\r\n" in content and path in self.converted:
            content = content.replace(b"\r\n", b"\n")
        # The owner's bit is the one that git keeps.
        return f"{'program' if status.st_mode & stat.S_IXUSR else 'file'} {hashlib.sha256(content).hexdigest()}"

    @cached_property
    def converted(self) -> frozenset[str]:
        """The files that are committed with LF, and that git has checked out with CRLF."""
        listed = _git(self.root, "ls-files", "--eol", "-z")
        facts = (line.partition(b"\t") for line in listed.split(b"\0") if line)
        return frozenset(
            os.path.join(self.root, os.fsdecode(name))
            for fact, _, name in facts
            if fact.split()[:2] == [b"i/lf", b"w/crlf"]
        )


def _git(root: str, *arguments: str) -> bytes:
    """Return what git prints; nothing, where there is no git or no repository."""
    try:
        return subprocess.run(["git", *arguments], cwd=root, capture_output=True, check=True).stdout  # noqa: S607, git is found on PATH
    except (OSError, subprocess.CalledProcessError):
        return b""


def _file_content(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return b""
