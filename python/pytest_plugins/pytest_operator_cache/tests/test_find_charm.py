"""`find-charm`: the packed charm for shells, Makefiles and spread tasks, by the rules of `packed_charm`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pytest_operator_cache.charm.charmcraft import host_architecture
from pytest_operator_cache.commands import find_charm

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import MakeCharm, MakePacked

ARCHITECTURE = host_architecture()
OTHER = {"amd64": "arm64", "arm64": "amd64"}[ARCHITECTURE]


@pytest.fixture
def find(pytester: pytest.Pytester, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run the command in the folder of the test, and return its exit code, stdout and stderr."""

    def run(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = find_charm.main(arguments)
        return (code, *capsys.readouterr())

    assert pytester.path == Path.cwd()
    return run


def test_path(
    make_charm: MakeCharm, make_packed: MakePacked, find: Callable[..., tuple[int, str, str]], pytester: pytest.Pytester
) -> None:
    make_charm()
    make_charm("other", name="other")
    packed, other = make_packed("any.charm"), make_packed("other/any.charm", name="other")
    assert find() == find(".", "--base=ubuntu@22.04") == (0, f"{packed}\n", "")
    assert find("other") == find(str(pytester.path / "other")) == (0, f"{other}\n", "")


def test_several_fit(make_charm: MakeCharm, make_packed: MakePacked, find: Callable[..., tuple[int, str, str]]) -> None:
    folder = make_charm(platforms={f"ubuntu@{channel}:{ARCHITECTURE}": None for channel in ("22.04", "24.04")})
    make_packed("new.charm", base="ubuntu@24.04")
    old = make_packed("old.charm", base="ubuntu@22.04")
    message = (
        f"find-charm: {folder}: several packed charms 'demo' for {ARCHITECTURE}:\n"
        "  new.charm: for ubuntu@24.04\n"
        "  old.charm: for ubuntu@22.04\n"
    )
    assert find() == (3, "", f"{message}Pass --base=ubuntu@22.04 or --base=ubuntu@24.04.\n")
    assert find("--base=ubuntu@22.04") == (0, f"{old}\n", "")
    old.unlink()
    make_packed("old.charm", base="ubuntu@24.04")
    message = message.replace("22.04", "24.04")
    assert find() == (3, "", f"{message}They are for the same base: remove those you don't need.\n")


def test_none_fits(make_charm: MakeCharm, make_packed: MakePacked, find: Callable[..., tuple[int, str, str]]) -> None:
    folder = make_charm()
    make_packed("demo.charm")
    code, printed, message = find("--base=ubuntu@24.04")
    assert (code, printed) == (4, "")
    assert message.startswith(
        f"find-charm: {folder}: no packed charm 'demo' for {ARCHITECTURE} and ubuntu@24.04:\n"
        "  demo.charm: for another base, ubuntu@22.04\n"
    )
    assert "\nOn a laptop: run `charmcraft pack` in " in message
    make_packed("demo.charm", architecture=OTHER)
    code, printed, message = find()
    assert (code, printed) == (4, "")
    assert f"\n  demo.charm: for another architecture, {OTHER}\n" in message


def test_there_is_none(
    make_charm: MakeCharm, make_packed: MakePacked, find: Callable[..., tuple[int, str, str]]
) -> None:
    folder = make_charm()
    for line in ("find-charm: {}: no packed charm 'demo' for {}. In CI: ", "\n  other.charm: another charm, 'other'\n"):
        code, printed, message = find()
        assert (code, printed) == (1, "")
        assert line.format(folder, ARCHITECTURE) in message
        make_packed("other.charm", name="other")


def test_corrupt(make_charm: MakeCharm, make_packed: MakePacked, find: Callable[..., tuple[int, str, str]]) -> None:
    make_charm()
    packed = make_packed("demo.charm")
    content = packed.read_bytes()
    packed.write_bytes(content.replace(b"#!/usr", b"#!/USR"))
    again = "Pack or download it again.\n"
    assert find() == (4, "", f"find-charm: {packed}: corrupt (src/charm.py). {again}")
    packed.write_bytes(content[:100])
    code, printed, message = find()
    assert (code, printed) == (4, "")
    assert "\n  demo.charm: not a zip file, or only a part of one\n" in message
    packed = packed.rename(f"demo_{ARCHITECTURE}.charm").absolute()
    assert find() == (4, "", f"find-charm: {packed}: not a zip file, or only a part of one. {again}")


def test_bad_arguments(make_charm: MakeCharm, find: Callable[..., tuple[int, str, str]]) -> None:
    folder = make_charm()
    message = "find-charm: 'jammy' is not a base. Write NAME@CHANNEL, such as ubuntu@24.04.\n"
    assert find("--base=jammy") == (4, "", message)
    message = f"find-charm: {folder}/src: not the folder of a charm, because it has no charmcraft.yaml\n"
    assert find("src") == (1, "", message)


def test_charm_in_a_variable(
    make_charm: MakeCharm,
    make_packed: MakePacked,
    find: Callable[..., tuple[int, str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_charm()
    make_packed("demo.charm")
    named = make_packed("elsewhere/other.charm")
    monkeypatch.setenv("CHARM_PATH", "elsewhere/other.charm")
    assert find() == (0, f"{named}\n", "")
    monkeypatch.setenv("CHARM_PATH", "none.charm")
    code, printed, message = find()
    assert (code, printed) == (4, "")
    assert message.startswith("find-charm: CHARM_PATH=none.charm: can't be read ([Errno 2] No such file or directory: ")


def test_charm_in_a_variable_does_not_fit(
    make_charm: MakeCharm,
    make_packed: MakePacked,
    find: Callable[..., tuple[int, str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_charm()
    make_packed("elsewhere/foreign.charm", architecture=OTHER)
    monkeypatch.setenv("CHARM_PATH", "elsewhere/foreign.charm")
    code, printed, message = find()
    assert (code, printed) == (4, "")
    assert f"\n  CHARM_PATH=elsewhere/foreign.charm: for another architecture, {OTHER}\n" in message


def test_command_of_the_package(make_charm: MakeCharm, make_packed: MakePacked) -> None:
    folder, packed = make_charm("charm"), make_packed("charm/demo.charm")
    command = [str(Path(sys.executable).with_name("find-charm"))]
    found = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    assert found.stdout == f"{packed}\n"
