"""The digest of a charm: it changes with all that may be packed, and with nothing else."""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pytest_operator_cache.common import digest as digest_module
from pytest_operator_cache.common.digest import IGNORED, combine, digest, ignored_by, read_files
from pytest_operator_cache.common.errors import CharmError

if TYPE_CHECKING:
    from collections.abc import Iterator

# Names that a charm's files may have, and some that look like what is left out.
NAMES = st.one_of(
    st.sampled_from(
        ["charm.py", "git", "charm", "a.charms", "pycache", "tox.ini", ".gitignore", "-", " ", "é", "\udcff"]
    ),
    st.text(st.characters(blacklist_characters="/\0", blacklist_categories=["Cs"]), min_size=1, max_size=8),
).filter(lambda name: name not in {".", ".."} and not ignored_by(IGNORED)(name, name) and len(os.fsencode(name)) < 200)
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
FILES = st.tuples(st.binary(max_size=40), st.booleans())
LINKS = PATHS
TREES = st.dictionaries(PATHS, st.one_of(FILES, LINKS), max_size=6)

properties = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


class Tree:
    """A charm's folder."""

    def __init__(self, files: dict[str, tuple[bytes, bool] | str]) -> None:
        self.folder = Path(tempfile.mkdtemp())
        for path, content in files.items():
            # A path may have been taken for a folder by another one.
            if not os.path.lexists(self.folder / path) and not any(
                os.path.lexists(parent) and not parent.is_dir() for parent in self.parents(path)
            ):
                self.write(path, content)

    def parents(self, path: str) -> list[Path]:
        parents = [parent for parent in (self.folder / path).parents if parent.is_relative_to(self.folder)]
        return [*parents, *(parent for parent in parents if parent.is_symlink())]

    def write(self, path: str, content: tuple[bytes, bool] | str) -> None:
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            (self.folder / path).symlink_to(content)
        else:
            (self.folder / path).write_bytes(content[0])
            (self.folder / path).chmod(0o755 if content[1] else 0o644)

    def paths(self) -> list[Path]:
        """Return what is neither a folder nor behind a link."""
        return [
            Path(folder, name)
            for folder, folders, files in os.walk(self.folder)
            for name in [*files, *(name for name in folders if Path(folder, name).is_symlink())]
        ]

    def digest(self) -> str:
        return digest(read_files(self.folder))


@contextmanager
def tree_of(files: dict[str, tuple[bytes, bool] | str]) -> Iterator[Tree]:
    tree = Tree(files)
    yield tree
    shutil.rmtree(tree.folder)


@properties
@given(TREES, st.data())
def test_any_change_changes_it(files: dict[str, tuple[bytes, bool] | str], data: st.DataObject) -> None:
    with tree_of(files) as tree:
        paths = tree.paths()
        assume(paths)
        before = tree.digest()
        path = data.draw(st.sampled_from(paths))
        kind = data.draw(st.sampled_from(["name", "remove", "link" if path.is_symlink() else "bytes", "kind", "bit"]))
        if kind == "name":
            name = data.draw(NAMES)
            assume(not os.path.lexists(path.with_name(name)))
            path.rename(path.with_name(name))
        elif kind == "remove":
            path.unlink()
        elif kind == "link":
            target = data.draw(LINKS)
            assume(target != str(path.readlink()))
            path.unlink()
            path.symlink_to(target)
        elif kind == "bytes":
            content = data.draw(st.binary(max_size=40))
            assume(content != path.read_bytes())
            path.write_bytes(content)
        elif kind == "kind":
            content = os.fsencode(path.readlink()) if path.is_symlink() else path.read_bytes()
            assume(content)
            assume(b"\0" not in content)
            # A link to / or to .. leads to everything on this machine.
            target = os.path.realpath(path.parent / os.fsdecode(content))
            assume(target.startswith(f"{os.path.realpath(tree.folder)}/"))
            was_link = path.is_symlink()
            path.unlink()
            path.write_bytes(content) if was_link else path.symlink_to(os.fsdecode(content))
        else:
            assume(not path.is_symlink())
            path.chmod(path.stat().st_mode ^ 0o100)
        assert tree.digest() != before


@properties
@given(TREES, PATHS, st.one_of(FILES, LINKS))
def test_new_file_changes_it(
    files: dict[str, tuple[bytes, bool] | str], path: str, content: tuple[bytes, bool] | str
) -> None:
    with tree_of(files) as tree:
        assume(not os.path.lexists(tree.folder / path))
        assume(
            all(parent.is_dir() and not parent.is_symlink() for parent in tree.parents(path) if os.path.lexists(parent))
        )
        before = tree.digest()
        tree.write(path, content)
        assert tree.digest() != before


IGNORED_NAMES = st.sampled_from([pattern.replace("*", "demo") for pattern in IGNORED])


@properties
@given(TREES, st.lists(NAMES, max_size=2), IGNORED_NAMES, st.booleans(), FILES)
def test_what_is_ignored_does_not_change_it(
    files: dict[str, tuple[bytes, bool] | str],
    folders: list[str],
    name: str,
    is_folder: bool,
    content: tuple[bytes, bool],
) -> None:
    with tree_of(files) as tree:
        path = "/".join([*folders, name, *(["inside"] if is_folder else [])])
        assume(
            all(parent.is_dir() and not parent.is_symlink() for parent in tree.parents(path) if os.path.lexists(parent))
        )
        before = tree.digest()
        tree.write(path, content)
        assert tree.digest() == before


@properties
@given(TREES, st.lists(NAMES, min_size=1, max_size=2), NAMES, FILES)
def test_environment_does_not_change_it(
    files: dict[str, tuple[bytes, bool] | str], folders: list[str], name: str, content: tuple[bytes, bool]
) -> None:
    with tree_of(files) as tree:
        assume(not os.path.lexists(tree.folder / folders[0]))
        before = tree.digest()
        tree.write("/".join([*folders, "pyvenv.cfg"]), (b"", False))
        assume(name != "pyvenv.cfg")
        tree.write("/".join([*folders, name]), content)
        assert tree.digest() == before


@properties
@given(TREES)
def test_times_and_order_do_not_change_it(files: dict[str, tuple[bytes, bool] | str]) -> None:
    with tree_of(files) as tree, tree_of({}) as copy:
        for path in reversed(tree.paths()):
            target = copy.folder / path.relative_to(tree.folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target, follow_symlinks=False)
            os.utime(target, (0, 0), follow_symlinks=False)
        assert copy.digest() == tree.digest()


@properties
@given(st.lists(st.text(max_size=5), max_size=3), st.lists(st.text(max_size=5), max_size=3))
def test_parts_do_not_run_together(parts: list[str], others: list[str]) -> None:
    assert (combine(*parts) == combine(*others)) == (parts == others)


def test_link_that_leads_out_counts_with_what_it_leads_to(tmp_path: Path) -> None:
    (charm := tmp_path / "charms/demo").mkdir(parents=True)
    (tmp_path / "lib/charms").mkdir(parents=True)
    (tmp_path / "lib/charms/tls.py").write_text("LIBPATCH = 1")
    (tmp_path / "LICENSE").write_text("a licence")
    (charm / "lib").symlink_to("../../lib")
    (charm / "LICENSE").symlink_to(tmp_path / "LICENSE")
    # What leads back does not lead round and round.
    (tmp_path / "lib/back").symlink_to("../charms/demo")
    (tmp_path / "lib/round").symlink_to("../lib")
    seen = {digest(read_files(charm))}
    (tmp_path / "lib/charms/tls.py").write_text("LIBPATCH = 2")
    seen.add(digest(read_files(charm)))
    (tmp_path / "LICENSE").write_text("another licence")
    seen.add(digest(read_files(charm)))
    (tmp_path / "lib/charms/tls.py").unlink()
    seen.add(digest(read_files(charm)))
    assert len(seen) == 4
    (tmp_path / "elsewhere").write_text("not led to")
    assert digest(read_files(charm)) in seen


def test_folder_with_many_ways_to_it_is_read_once(tmp_path: Path) -> None:
    (charm := tmp_path / "charm").mkdir()
    folders = [tmp_path / f"folder-{number}" for number in range(30)]
    for folder in folders:
        folder.mkdir()
        (folder / "file").write_text("content")
        for other in folders:
            (folder / f"to-{other.name}").symlink_to(other)
    (charm / "link").symlink_to(folders[0])
    (charm / "other").symlink_to(folders[1])
    files = read_files(charm)
    assert sum(name.endswith("/file") for name in files) == len(folders)
    (folders[-1] / "file").write_text("other content")
    assert digest(read_files(charm)) != digest(files)


@pytest.mark.parametrize("target", ["/", "..", "../.."])
def test_what_is_around_the_charm_is_no_part_of_it(tmp_path: Path, target: str) -> None:
    (charm := tmp_path / "charms/demo").mkdir(parents=True)
    (charm / "link").symlink_to(target)
    (tmp_path / "charms/other").write_text("other")
    assert [*read_files(charm)] == ["link"]


def test_files_that_vanish_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "charm.py").write_text("")
    before = read_files(tmp_path)
    (tmp_path / "a-folder").mkdir()
    (tmp_path / "a-file").write_text("")
    (tmp_path / "a-link").symlink_to("charm.py")
    scandir = os.scandir

    @contextmanager
    def scan_and_remove(folder: str) -> Iterator[list[os.DirEntry[str]]]:
        with scandir(folder) as entries:
            listed = list(entries)
        for entry in listed:
            if entry.name.startswith("a-"):
                Path(entry.path).rmdir() if entry.is_dir() else Path(entry.path).unlink()
        yield listed

    monkeypatch.setattr(os, "scandir", scan_and_remove)
    assert read_files(tmp_path) == before
    assert [path.name for path in tmp_path.iterdir()] == ["charm.py"]
    with pytest.raises(FileNotFoundError):
        read_files(tmp_path / "missing")


def test_what_is_no_file_is_left_out(tmp_path: Path) -> None:
    before = digest(read_files(tmp_path))
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        (tmp_path / "empty").mkdir()
        assert digest(read_files(tmp_path)) == before


def test_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/proc/self/mem")
    with pytest.raises(OSError, match="Input/output error"):
        read_files(tmp_path)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Make a repository with text, binary, a program and a link in it, and one file that is committed with CRLF."""
    (repository := tmp_path / "repository").mkdir()
    git(repository, "init", "--quiet")
    (repository / "text").write_bytes(b"one\ntwo\n")
    (repository / "crlf").write_bytes(b"one\r\ntwo\r\n")
    (repository / "binary").write_bytes(b"\0\r\n\n")
    (repository / "program").write_bytes(b"#!/bin/sh\n")
    (repository / "program").chmod(0o755)
    (repository / "link").symlink_to("text")
    (repository / ".gitattributes").write_text("crlf -text\n")
    commit(repository)
    return repository


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.com"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True)


def commit(repository: Path, message: str = "Test") -> None:
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "--allow-empty", f"--message={message}")


def clone(repository: Path, name: str, *settings: str) -> Path:
    options = [option for setting in settings for option in ("-c", setting)]
    git(repository, *options, "clone", "--quiet", *options, repository.as_uri(), name)
    return repository / name


def test_same_commit_has_the_same_digest_on_two_machines(repository: Path, tmp_path: Path) -> None:
    os.umask(umask := os.umask(0o077))
    try:
        clones = [
            clone(repository, str(tmp_path / "linux")),
            clone(repository, str(tmp_path / "windows"), "core.autocrlf=true"),
            clone(repository, str(tmp_path / "eol"), "core.eol=crlf", "core.autocrlf=input"),
        ]
        os.umask(0o077)
        clones.append(clone(repository, str(tmp_path / "private")))
    finally:
        os.umask(umask)
    assert (clones[1] / "text").read_bytes() == b"one\r\ntwo\r\n"
    assert len({digest(read_files(folder, as_committed=True)) for folder in clones}) == 1
    # What would be packed is not the same.
    assert len({digest(read_files(folder)) for folder in clones}) == 2


def test_changes_count_as_committed_or_not(repository: Path, tmp_path: Path) -> None:
    folder = clone(repository, str(tmp_path / "windows"), "core.autocrlf=true")
    seen = {digest(read_files(folder, as_committed=True))}
    for name, content in {
        "text": b"one\r\nthree\r\n",
        "crlf": b"one\ntwo\n",
        "binary": b"\0\n\n",
        "untracked": b"one\r\n",
    }.items():
        (folder / name).write_bytes(content)
        seen.add(digest(read_files(folder, as_committed=True)))
    (folder / "untracked").write_bytes(b"one\n")
    seen.add(digest(read_files(folder, as_committed=True)))
    assert len(seen) == 6


def test_commit_counts_where_git_is_run(repository: Path, tmp_path: Path) -> None:
    recipe = "parts:\n  files:\n    override-build: |\n      git describe --always >version\n"
    for text, count in (("type: charm\nbuild-packages:\n  - git\n", 1), (recipe, 3)):
        (repository / "charmcraft.yaml").write_text(text)
        commit(repository)
        seen = {digest(read_files(repository))}
        git(repository, "tag", f"v{count}")
        seen.add(digest(read_files(repository)))
        commit(repository, "Another commit of the same files")
        seen.add(digest(read_files(repository)))
        assert len(seen) == count
    # In CI, the tags don't count: a checkout may have them or not.
    shallow = clone(repository, str(tmp_path / "shallow"))
    git(shallow, "tag", "another")
    assert digest(read_files(shallow, as_committed=True)) == digest(read_files(repository, as_committed=True))
    assert digest(read_files(shallow)) != digest(read_files(repository))


GIT_RECIPE = "parts:\n  files:\n    override-build: git describe\n"


def test_git_that_refuses_is_an_error(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (repository / "charmcraft.yaml").write_text(GIT_RECIPE)
    commit(repository)
    # As in a container, where the checkout belongs to another user: git's own tests set this.
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    for as_committed in (False, True):
        with pytest.raises(CharmError) as error:
            read_files(repository, as_committed=as_committed)
        assert str(error.value).startswith(
            f"{repository}: git refuses to answer: fatal: detected dubious ownership in repository at '{repository}'\n"
        )
        assert f"git config --global --add safe.directory {repository}" in str(error.value)
    # The line ends are git's to tell, too.
    (repository / "charmcraft.yaml").write_bytes(b"type: charm\r\n")
    with pytest.raises(CharmError, match="dubious ownership"):
        read_files(repository, as_committed=True)
    (repository / "charmcraft.yaml").unlink()
    (repository / "crlf").unlink()
    (repository / "binary").unlink()
    assert digest(read_files(repository, as_committed=True))


@pytest.mark.parametrize("content", ["", "gitdir: /missing"])
def test_repository_that_is_broken_is_an_error(tmp_path: Path, content: str) -> None:
    (charm := tmp_path / "charms/demo").mkdir(parents=True)
    (charm / "charmcraft.yaml").write_text(GIT_RECIPE)
    assert read_files(charm)[".git"] == ""
    (tmp_path / ".git").write_text(content)
    with pytest.raises(CharmError, match=r"charms/demo: git refuses to answer: fatal: "):
        read_files(charm)


def test_git_that_is_missing_is_an_error_in_a_repository(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (repository / "charmcraft.yaml").write_text(GIT_RECIPE)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(CharmError, match=r": git does not start: No such file or directory$"):
        read_files(repository)


def test_git_that_is_killed_is_an_error(repository: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (repository / "charmcraft.yaml").write_text(GIT_RECIPE)
    (tmp_path / "git").write_text("#!/bin/sh\nkill -9 $$\n")
    (tmp_path / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(CharmError, match=r": git refuses to answer: exit code -9$"):
        read_files(repository)


def test_repository_without_a_commit(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    (tmp_path / "charmcraft.yaml").write_text(GIT_RECIPE)
    assert read_files(tmp_path)[".git"] == ""
    commit(tmp_path)
    git(tmp_path, "tag", "é\udcff")
    assert digest(read_files(tmp_path))


@settings(max_examples=60, deadline=None)
@given(st.text("\r\nx", max_size=12), st.integers(1, 4))
def test_pieces_do_not_change_the_digest(text: str, size: int) -> None:
    content = text.encode()
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(digest_module, "_PIECE", size)
        Path(folder, "file").write_bytes(content)
        assert read_files(Path(folder)) == {"file": f"file {hashlib.sha256(content).hexdigest()}"}


LIMITED = """
import resource, sys
from pathlib import Path
from pytest_operator_cache.common.digest import read_files
resource.setrlimit(resource.RLIMIT_AS, (400_000_000, 400_000_000))
print(read_files(Path(sys.argv[1]))["large"])
"""


@pytest.mark.long
def test_file_that_is_larger_than_the_memory(tmp_path: Path) -> None:
    size = 2**29 + 5
    with (tmp_path / "large").open("wb") as file:
        file.truncate(size)
    result = subprocess.run(
        [sys.executable, "-c", LIMITED, tmp_path], check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    hasher, zeros = hashlib.sha256(), bytes(2**20)
    for _ in range(size // 2**20):
        hasher.update(zeros)
    hasher.update(bytes(5))
    assert result == f"file {hasher.hexdigest()}\n"


def test_caches_of_any_name_do_not_count(tmp_path: Path) -> None:
    (tmp_path / "charm.py").write_text("")
    before = read_files(tmp_path)
    (tmp_path / "any/name").mkdir(parents=True)
    (tmp_path / "any/name/content").write_text("cached")
    assert read_files(tmp_path) != before
    (tmp_path / "any/name/CACHEDIR.TAG").write_text("Signature: 8a477f597d28d172789f06886806bc55")
    assert read_files(tmp_path) == before


def test_git_is_not_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "charmcraft.yaml").write_bytes(b"override-build: git describe\r\n")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    without_repository = digest(read_files(tmp_path, as_committed=True))
    monkeypatch.setenv("PATH", "")
    assert digest(read_files(tmp_path, as_committed=True)) == without_repository
