"""A digest of everything that charmcraft could pack. A file counts, unless charmcraft certainly doesn't pack it."""

from __future__ import annotations

import fnmatch
import hashlib
import json
import os
import re
import stat
import subprocess
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_operator_cache.common.errors import CharmError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

# What charmcraft never packs, or what nobody wants in a charm: version control, packed charms, caches of tools.
IGNORED = (
    ".git",
    "*.charm",
    "__pycache__",
    "*.pyc",
    "*.egg-info",
    ".coverage",
    ".coverage.*",
    ".demo",
    ".hypothesis",
    ".mypy_cache",
    ".nox",
    ".pytest_cache",
    ".ruff_cache",
    ".run-groups",
    ".tox",
    "pytest-cache-files-*",
    "pytestdebug.log",
)
# A folder with one of these files doesn't count, whatever its name: a virtual environment
# (https://docs.python.org/3/library/venv.html#how-venvs-work), or a cache, such as pytest's and uv's
# (https://bford.info/cachedir/).
IGNORE_MARKERS = frozenset({"pyvenv.cfg", "CACHEDIR.TAG"})

_PIECE = 1 << 20
_RUNS_GIT = re.compile(rb"\bgit[ \t]+[\w-]")


def read_files(folder: Path, *, ignore: Iterable[str] = (), as_committed: bool = False) -> dict[str, str]:
    """Return everything that counts in a charm's folder: for each path, its kind and the hash of its content.

    Content, the executable bit and the target of a link count. Times and owners don't. If a link leads out of the
    folder, the content of its target counts, unless the folder is in the target. If charmcraft.yaml runs git, the
    commit counts, as a path ".git".

    Args:
        folder: The charm's folder.
        ignore: More patterns to leave out: of names at any depth, or of paths from the folder if there is a `/` in it.
        as_committed: Take the line endings that are committed to git, not those that git made of them at checkout, and
            no tags: checkouts in CI are shallow, and differ in the tags that they have.
    """
    root = os.path.realpath(folder)
    reader = _Reader(root, ignored_by([*IGNORED, *ignore]), as_committed=as_committed)
    files = dict(reader.records(root, ""))
    project = Path(root, "charmcraft.yaml")
    if project.is_file() and _RUNS_GIT.search(project.read_bytes()):
        commit = _git(root, "rev-parse", "--verify", "--quiet", "HEAD")
        # There is none before the first commit.
        if commit and not as_committed:
            commit = _git(root, "describe", "--always", "--long", "--tags", "--abbrev=40")
        files[".git"] = os.fsdecode(commit)
    return files


def digest(files: dict[str, str]) -> str:
    """Return the SHA-256 of what `read_files` returns, in whatever order."""
    hasher = hashlib.sha256()
    for path in sorted(files):
        name = os.fsencode(path)
        hasher.update(b"%d:%s%s\n" % (len(name), name, os.fsencode(files[path])))
    return hasher.hexdigest()


def combine(*parts: object) -> str:
    """Return one digest of several parts, which JSON can hold."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def walk(root: Path) -> Iterator[tuple[Path, list[str]]]:
    """Yield each folder in which a charm may be with the names of its files, sorted, without what can't be read."""
    is_ignored = ignored_by(IGNORED)
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not is_ignored(name, name))
        if IGNORE_MARKERS.intersection(files):
            folders.clear()
        else:
            yield Path(folder), sorted(files)


def ignored_by(patterns: Iterable[str]) -> Callable[[str, str], bool]:
    """Return whether patterns leave something out, as a function of its path from the charm's folder and its name."""
    stripped = [pattern.rstrip("/") for pattern in patterns]
    names = _any_of([pattern for pattern in stripped if "/" not in pattern])
    paths = _any_of([pattern.lstrip("/") for pattern in stripped if "/" in pattern])
    return lambda path, name: bool(names(name) or paths(path))


def _any_of(patterns: Sequence[str]) -> Callable[[str], re.Match[str] | None]:
    return re.compile("|".join(map(fnmatch.translate, patterns)) or r"(?!)").match


class _Reader:
    """Reads what counts below a charm's folder, the root, which is a real path."""

    def __init__(self, root: str, is_ignored: Callable[[str, str], bool], *, as_committed: bool) -> None:
        self.root = root
        self.is_ignored = is_ignored
        self.as_committed = as_committed
        self.seen: set[str] = set()

    def records(self, folder: str, prefix: str) -> Iterator[tuple[str, str]]:
        """Yield every path in a folder, a real path, after a prefix, with its kind and the hash of its content.

        Links may lead to a folder in many ways, and round in circles: its content is yielded once.
        """
        if folder in self.seen:
            return
        self.seen.add(folder)
        with os.scandir(folder) as scanned:
            # The first link to a folder is the same one on every machine.
            entries = sorted(scanned, key=lambda entry: entry.name)
        if prefix and any(entry.name in IGNORE_MARKERS for entry in entries):
            return
        for entry in entries:
            path = prefix + entry.name
            if self.is_ignored(path, entry.name):
                continue
            # Another process may remove it meanwhile.
            with suppress(FileNotFoundError):
                if entry.is_file(follow_symlinks=False):
                    yield path, self.file(entry.path)
                else:
                    yield from self.folder_or_link(entry, path)

    def folder_or_link(self, entry: os.DirEntry[str], path: str) -> Iterator[tuple[str, str]]:
        if entry.is_dir(follow_symlinks=False):
            yield from self.records(entry.path, f"{path}/")
        elif entry.is_symlink():
            yield path, f"link {hashlib.sha256(os.fsencode(os.readlink(entry.path))).hexdigest()}"
            target = os.path.realpath(entry.path)
            # Neither what is in the charm, nor the folders around it, up to /.
            if not _is_in(target, self.root) and not _is_in(self.root, target):
                # A path can't hold a NUL: what is behind a link can't be taken for what is in the folder.
                if os.path.isfile(target):
                    yield f"{path}\0", self.file(target)
                elif os.path.isdir(target):
                    yield from self.records(target, f"{path}\0/")

    def file(self, path: str) -> str:
        """Return the kind of a file, and the hash of its content."""
        try:
            descriptor = os.open(path, os.O_RDONLY)
            try:
                status = os.fstat(descriptor)
                hasher, has_cr = _hash_content(descriptor, status.st_size)
            finally:
                os.close(descriptor)
            if has_cr and self.as_committed and path in self.converted:
                hasher = hashlib.sha256(Path(path).read_bytes().replace(b"\r\n", b"\n"))
        except OSError as error:
            # An error of reading names no file.
            raise OSError(error.errno, error.strerror, path) from error
        # The owner's bit is the one that git keeps.
        return f"{'program' if status.st_mode & stat.S_IXUSR else 'file'} {hasher.hexdigest()}"

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


def _is_in(path: str, folder: str) -> bool:
    return f"{path}/".startswith(f"{folder.rstrip('/')}/")


def _hash_content(descriptor: int, size: int) -> tuple[hashlib._Hash, bool]:
    """Return the hash of a file's content, and whether there is a CR in it.

    It is read in pieces: the file may be larger than the memory, and one read returns at most 2 GiB.
    """
    content = os.read(descriptor, min(size, _PIECE) + 1)
    hasher, has_cr = hashlib.sha256(content), b"\r" in content
    if len(content) != size:
        while piece := os.read(descriptor, _PIECE):
            hasher.update(piece)
            has_cr = has_cr or b"\r" in piece
    return hasher, has_cr


def _git(root: str, *arguments: str) -> bytes:
    """Return what git prints; nothing if there is no repository. If there is one, git has to answer."""
    if not any(os.path.lexists(folder / ".git") for folder in (Path(root), *Path(root).parents)):
        return b""
    try:
        result = subprocess.run(["git", *arguments], cwd=root, capture_output=True, check=False)  # noqa: S607, git is found on PATH
    except OSError as error:
        raise CharmError(f"git does not start: {error.strerror}", where=root) from error
    said = result.stderr.decode(errors="replace").strip()
    # `rev-parse --quiet` ends with 1 and says nothing if there is no commit.
    if result.returncode and (said or result.returncode != 1):
        raise CharmError(f"git refuses to answer: {said or f'exit code {result.returncode}'}", where=root)
    return result.stdout
