"""`find-charm`: the packed charm for shells, Makefiles and spread tasks, by the rules of `packed_charm`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pytest_operator_cache import _find_charm
from pytest_operator_cache._charmcraft import host_architecture

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import MakeCharm, MakePacked

ARCHITECTURE = host_architecture()


@pytest.fixture
def find(pytester: pytest.Pytester, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run the command in the folder of the test, and return its exit code, stdout and stderr."""

    def run(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = _find_charm.main(arguments)
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
    assert (code, printed) == (1, "")
    assert message.startswith(
        f"find-charm: {folder}: no packed charm 'demo' for {ARCHITECTURE} and ubuntu@24.04:\n"
        "  demo.charm: for another base, ubuntu@22.04\n"
    )
    assert "\nOn a laptop: run `charmcraft pack` in " in message


def test_bad_arguments(make_charm: MakeCharm, find: Callable[..., tuple[int, str, str]]) -> None:
    folder = make_charm()
    message = "find-charm: 'jammy' is not a base. Write NAME@CHANNEL, such as ubuntu@24.04.\n"
    assert find("--base=jammy") == (1, "", message)
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


def test_command_of_the_package(make_charm: MakeCharm, make_packed: MakePacked) -> None:
    folder, packed = make_charm("charm"), make_packed("charm/demo.charm")
    command = [str(Path(sys.executable).with_name("find-charm"))]
    found = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    assert found.stdout == f"{packed}\n"
