"""The arguments of the caller's pack command, and the charms that are taken from it."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from workflow_commands.build.pack_charm import main as pack_charm
from workflow_commands.prepare.charms import check_packed_charms

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(autouse=True)
def _sudo(sudo: Path) -> None:
    pass


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a repository with a charm in `charms/a b` the working directory."""
    repository = tmp_path / "repository"
    (repository / "charms/a b").mkdir(parents=True)
    monkeypatch.chdir(repository)
    return repository


def packed(repository: Path) -> dict[str, str]:
    """Return the charms that were taken, by their path."""
    return {str(path.relative_to(repository / "out")): path.read_text() for path in repository.glob("out/**/*.charm")}


@pytest.mark.parametrize("argument", ["", "--platform=$(id) a:b"])
def test_new_charms_are_taken(
    repository: Path,
    give_build: Callable[..., object],
    program: Callable[..., Path],
    sudo: Path,
    capfd: pytest.CaptureFixture[str],
    argument: str,
) -> None:
    charm = repository / "charms/a b"
    (charm / "old.charm").write_text("old")
    (charm / "again.charm").write_text("before")
    (charm / "dangling.charm").symlink_to("nowhere")
    (charm / "folder.charm").mkdir()
    give_build(pack_command="echo in $PWD; my-pack\n")
    calls = program("my-pack", "echo new > new.charm; echo after > again.charm; echo text > other.txt")
    assert pack_charm([f"--argument={argument}", "--to=out", "--", "charms/a b"]) == 0
    assert calls.read_text() == f"{argument}\n"
    assert sudo.read_text().startswith(f"--user=#{os.getuid()} --preserve-env=")
    assert " -- env -- bash " in sudo.read_text()
    assert packed(repository) == {"charms/a b/again.charm": "after\n", "charms/a b/new.charm": "new\n"}
    assert capfd.readouterr().out == f"in {charm}\nout/charms/a b/again.charm\nout/charms/a b/new.charm\n"
    assert sorted(path.name for path in (repository / "out/charms/a b").iterdir()) == ["again.charm", "new.charm"]


def test_charm_in_the_root(repository: Path, give_build: Callable[..., object]) -> None:
    give_build(pack_command="echo new > new.charm #")
    for _ in range(2):
        assert pack_charm(["--to=out", "--", "."]) == 0
    assert packed(repository) == {"new.charm": "new\n"}


def test_no_argument_is_no_empty_argument(repository: Path, give_build: Callable[..., object]) -> None:
    give_build(pack_command="touch $#.charm; true")
    assert pack_charm(["--argument=", "--to=out", "--", "."]) == 0
    assert [*packed(repository)] == ["0.charm"]


def test_wrapper_of_only_some_charms(
    repository: Path, give_build: Callable[..., object], program: Callable[..., Path]
) -> None:
    document = Path(__file__).parents[3] / ".github/workflows/build_charms_with_cache.md"
    (command,) = re.findall(r"`pack-command: (\$.*)`", document.read_text())
    give_build(pack_command=command)
    tox, charmcraft = (program(name, "touch new.charm") for name in ("tox", "charmcraft"))
    (repository / "tox.ini").touch()
    for folder in (".", "charms/a b"):
        assert pack_charm(["--argument=--platform=a", "--to=out", "--", folder]) == 0
    assert tox.read_text() == "run -e build -- --platform=a\n"
    assert charmcraft.read_text() == "pack --platform=a\n"
    assert [*packed(repository)] == ["new.charm", "charms/a b/new.charm"]


def test_pack_command_fails(repository: Path, give_build: Callable[..., object]) -> None:
    give_build(pack_command="touch new.charm; exit 3 | true #")
    assert pack_charm(["--to=out", "--", "charms/a b"]) == 3
    assert packed(repository) == {}


@pytest.mark.usefixtures("repository")
def test_nothing_is_packed(give_build: Callable[..., object], fail: Callable[..., str]) -> None:
    Path("charms/a b/old.charm").touch()
    give_build(pack_command="true")
    assert fail(pack_charm, "--to=out", "--", "charms/a b") == (
        '::error title=No packed charm::charms/a b: "true" succeeded, but left no new .charm in the charm\'s folder. '
        "Let `pack-command` put the packed charm there\n"
    )


def test_packed_charms_are_there(repository: Path, give: Callable[..., object], fail: Callable[..., str]) -> None:
    give(artifact_prefix="packed-100%")
    (repository / "charms/a b/a.charm.txt").touch()
    assert fail(check_packed_charms) == (
        "::error title=No packed charms::`artifact-prefix`: no artifact of this run whose name starts with "
        '"packed-100%25-" contains a .charm. It must be what their names start with, without the - after it\n'
    )
    (repository / "charms/a b/a.charm").touch()
    assert check_packed_charms([]) == 0
