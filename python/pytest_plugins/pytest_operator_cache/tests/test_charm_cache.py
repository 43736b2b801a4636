"""`charm-cache`: what is kept, where it is, and how to empty it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import filelock
import pytest
from pytest_operator_cache.cache.store import Entry, Store, open_store
from pytest_operator_cache.commands import charm_cache

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def show(capsys: pytest.CaptureFixture[str]) -> Callable[..., list[str]]:
    """Run the command, which succeeds, and return its lines."""

    def run(*arguments: str) -> list[str]:
        capsys.readouterr()
        assert charm_cache.main(arguments) == 0
        return capsys.readouterr().out.splitlines()

    return run


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Keep four charms of another age each, of which one was used."""
    store = open_store()
    now = time.time()
    for key, (name, size, age) in {
        "a": ("demo_amd64.charm", 12_345_678, 2 * 86400 + 7200),
        "b": ("other_ubuntu@22.04-amd64.charm", 1_000, 3600),
        "c": ("new.charm", 0, 0),
        "d": ("older.charm", 0, 3599),
    }.items():
        (charm := tmp_path / name).write_bytes(b"x" * size)
        monkeypatch.setattr(time, "time", lambda age=age: now - age)
        store.put(key * 64, Entry([charm], 1.0))
        os.utime(store.folder / (key * 64), (now - age, now - age))
    monkeypatch.setattr(time, "time", lambda: now)
    for _ in range(2):
        store.get("a" * 64, tmp_path)
    return store


def test_list(show: Callable[..., list[str]], store: Store) -> None:
    assert show() == [
        "CHARM                              SIZE         AGE  HITS",
        "demo_amd64.charm                12.3 MB      2 days     2",
        "new.charm                        0.0 MB         new     0",
        "older.charm                      0.0 MB  59 minutes     0",
        "other_ubuntu@22.04-amd64.charm   0.0 MB      1 hour     0",
        f"4 in {store.folder}, 12 MB of at most 2,000 MB",
    ]
    assert show("list") == show()


def test_list_of_nothing(show: Callable[..., list[str]]) -> None:
    assert show() == [f"0 in {open_store().folder}, 0 MB of at most 2,000 MB"]


def test_clear(show: Callable[..., list[str]], store: Store) -> None:
    (store.folder / "of-someone-else").touch()
    assert show("clear") == [f"4 removed from {store.folder}, 12 MB"]
    assert sorted(path.name for path in store.folder.iterdir()) == ["CACHEDIR.TAG", "of-someone-else"]
    assert show("clear") == [f"0 removed from {store.folder}, 0 MB"]


def test_clear_leaves_held_locks(show: Callable[..., list[str]], store: Store, tmp_path: Path) -> None:
    held, left = store.lock_file(tmp_path), store.lock_file(tmp_path / "other")
    left.touch()
    with filelock.FileLock(held):
        show("clear")
        assert {path.name for path in store.folder.iterdir()} == {held.name, "CACHEDIR.TAG"}
    show("clear")
    assert [path.name for path in store.folder.iterdir()] == ["CACHEDIR.TAG"]


def test_location(show: Callable[..., list[str]]) -> None:
    assert show("location") == [str(Path(os.environ["XDG_CACHE_HOME"], "pytest-operator-cache"))]


def test_file_in_place_of_the_cache(capsys: pytest.CaptureFixture[str]) -> None:
    folder = open_store().folder
    folder.touch()
    for action in ("list", "clear"):
        assert charm_cache.main([action]) == 1
        assert capsys.readouterr().err == f"charm-cache: [Errno 20] Not a directory: '{folder}'\n"


def test_command_is_installed() -> None:
    command = [str(Path(sys.executable).parent / "charm-cache"), "shrink"]
    result = subprocess.run(command, check=False, capture_output=True, text=True)
    assert result.returncode == 2
    assert "invalid choice: 'shrink' (choose from " in result.stderr
