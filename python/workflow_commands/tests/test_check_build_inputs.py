"""What a caller of build_charms_with_cache.yaml can give, and the messages about everything else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from workflow_commands.build.check_build_inputs import main

if TYPE_CHECKING:
    from collections.abc import Callable

    Check = Callable[..., tuple[int, list[str], str]]

TITLE = "::error title=An input of build_charms_with_cache.yaml::"
CHANNEL = "It must be a channel of a snap, such as latest/stable"
NAME = "It must be a name of letters, digits and . _ @ -"
NUMBER = "It must be a number, such as 6543"
BOTH = "both are given. Give only one of them, or neither"


@pytest.fixture
def check(give_build: Callable[..., object], output: Path, capsys: pytest.CaptureFixture[str]) -> Check:
    """Return a function that checks inputs: the exit code, the lines that are printed, and the step's outputs."""

    def check(**given: object) -> tuple[int, list[str], str]:
        give_build(**given)
        output.write_text("")
        return main([]), capsys.readouterr().out.splitlines(), output.read_text()

    return check


def test_tools_are_part_of_the_keys_of_a_cache(check: Check) -> None:
    # What `sha256sum` makes of "||||charmcraft pack" and a newline: another digest would empty every caller's cache.
    assert check() == (0, [], "tools=10ff60c13826\n")
    assert check(ignore="tests", artifact_name="another", cache=False)[2] == "tools=10ff60c13826\n"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("charmcraft_snap_channel", "latest/edge"),
        ("charmcraft_snap_channel", "3.x"),
        ("charmcraft_snap_revision", "6543"),
        ("lxd_snap_channel", "5.21/stable/ubuntu-24.04"),
        ("lxd_snap_channel", "edge/fix-1"),
        ("lxd_snap_revision", "0"),
        ("lxd_snap_revision", 31333),
        ("charmcraft_snap_channel", 3.5),
        ("pack_command", True),
        ("pack_command", "tox run -e build --"),
    ],
)
def test_good_values_change_the_tools(check: Check, name: str, value: object) -> None:
    code, lines, output = check(**{name: value})
    assert (code, lines) == (0, [])
    assert output.startswith("tools=")
    assert output != check()[2]


def test_each_value_has_its_own_place_in_the_tools(check: Check) -> None:
    names = ("charmcraft_snap_channel", "charmcraft_snap_revision", "lxd_snap_channel", "lxd_snap_revision")
    assert len({check(**{name: "1"})[2] for name in names}) == 4


def test_good_name(check: Check) -> None:
    assert check(artifact_name="Packed.charms_v2@main-1")[:2] == (0, [])


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (
            {"charmcraft_snap_channel": "latest/edge", "charmcraft_snap_revision": "6543"},
            f"`charmcraft-snap-channel` and `charmcraft-snap-revision`: {BOTH}",
        ),
        (
            {"lxd_snap_channel": "latest/edge", "lxd_snap_revision": "6543"},
            f"`lxd-snap-channel` and `lxd-snap-revision`: {BOTH}",
        ),
        ({"charmcraft_snap_revision": "latest"}, f'`charmcraft-snap-revision`: "latest" isn\'t valid. {NUMBER}'),
        ({"lxd_snap_revision": "x1"}, f'`lxd-snap-revision`: "x1" isn\'t valid. {NUMBER}'),
        ({"lxd_snap_revision": "٣"}, f'`lxd-snap-revision`: "٣" isn\'t valid. {NUMBER}'),
        (
            {"charmcraft_snap_channel": "latest/edge; rm"},
            f'`charmcraft-snap-channel`: "latest/edge; rm" isn\'t valid. {CHANNEL}',
        ),
        ({"lxd_snap_channel": "--dangerous"}, f'`lxd-snap-channel`: "--dangerous" isn\'t valid. {CHANNEL}'),
        ({"lxd_snap_channel": "5.21/solid"}, f'`lxd-snap-channel`: "5.21/solid" isn\'t valid. {CHANNEL}'),
        ({"artifact_name": "a/b"}, f'`artifact-name`: "a/b" isn\'t valid. {NAME}'),
        ({"artifact_name": "a\n::error::b"}, f'`artifact-name`: "a\\n::error::b" isn\'t valid. {NAME}'),
        ({"artifact_name": ""}, f"`artifact-name`: it is empty. {NAME}"),
        (
            {"pack_command": " \n"},
            "`pack-command`: it is empty. It must be the command that packs a charm, such as charmcraft pack",
        ),
    ],
)
def test_bad_values(check: Check, given: dict[str, object], problem: str) -> None:
    assert check(**given) == (1, [f"{TITLE}{problem}"], "")


def test_several_problems_at_once(check: Check) -> None:
    code, lines, output = check(lxd_snap_revision="a", charmcraft_snap_revision="b", artifact_name="", pack_command="")
    assert (code, output) == (1, "")
    assert [line.removeprefix(TITLE).partition(":")[0] for line in lines] == [
        "`charmcraft-snap-revision`",
        "`lxd-snap-revision`",
        "`artifact-name`",
        "`pack-command`",
    ]


def test_console_script(give_build: Callable[..., object], output: Path) -> None:
    give_build()
    subprocess.run([Path(sys.executable).with_name("check-build-inputs")], check=True)
    assert output.read_text() == "tools=10ff60c13826\n"
