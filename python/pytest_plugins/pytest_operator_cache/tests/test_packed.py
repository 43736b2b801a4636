"""`packed_charm` in CI, and what is said if no packed charm can be chosen."""

from __future__ import annotations

import ast
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest
from pytest_operator_cache._packed import machine

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import MakeCharm, MakePacked, Run, StandIn

ARCHITECTURE = machine()
OTHER = {"amd64": "arm64", "arm64": "amd64"}[ARCHITECTURE]

pytestmark = pytest.mark.usefixtures("in_ci")


@pytest.fixture
def error_of(pytester: pytest.Pytester, run: Run) -> Callable[..., str]:
    """Run a test that asks for a packed charm and fails, and return the message that it fails with."""

    def fail(*args: str, call: str = "packed_charm()") -> str:
        (pytester.path / "test_charm.py").write_text(f"def test_charm(packed_charm):\n    {call}\n")
        result = run(*args)
        result.assert_outcomes(failed=1)
        # The test's own line is shown, and none of the plugin's.
        assert f">       {call}" in result.stdout.lines
        assert "/pytest_operator_cache/_" not in result.stdout.str()
        return "\n".join(line[8:] for line in result.stdout.lines if line.startswith("E   "))

    return fail


def test_path_is_absolute_and_nothing_is_run(
    pytester: pytest.Pytester, make_charm: MakeCharm, make_packed: MakePacked, run: Run, charmcraft: StandIn
) -> None:
    make_charm("application")
    packed = make_packed("application/any-name.charm")
    (pytester.path / "test_charm.py").write_text(
        f"""
from pathlib import Path

def test_charm(packed_charm):
    assert packed_charm("application") == packed_charm(Path("application")) == Path({str(packed)!r})
    assert packed_charm({str(packed.parent)!r}, base="ubuntu@22.04") == Path({str(packed)!r})
"""
    )
    run().assert_outcomes(passed=1)
    assert not charmcraft.calls


def test_none_fits(
    pytester: pytest.Pytester, make_charm: MakeCharm, make_packed: MakePacked, error_of: Callable[..., str]
) -> None:
    folder = make_charm(platforms={f"ubuntu@24.04:{ARCHITECTURE}": None, f"ubuntu@22.04:{ARCHITECTURE}": None})
    make_packed("a.charm", name="other")
    make_packed("b.charm", architecture=OTHER)
    make_packed("c.charm", base="ubuntu@22.04")
    (folder / "d.charm").write_bytes(b"not a zip")
    (folder / "e.charm").write_bytes((folder / "c.charm").read_bytes()[:-30])
    for name, files in {
        "f": {"metadata.yaml": "name: demo"},
        "g": {"manifest.yaml": "bases: []"},
        "h": {"metadata.yaml": "name: demo", "manifest.yaml": "{}"},
        "i": {"metadata.yaml": "name: demo", "manifest.yaml": "{"},
    }.items():
        with zipfile.ZipFile(folder / f"{name}.charm", "w") as archive:
            for file, text in files.items():
                archive.writestr(file, text)
    (folder / "j.charm").mkdir()
    assert error_of("--charm-base=ubuntu@24.04").partition(": ")[2] == (
        f"No packed charm 'demo' for {ARCHITECTURE} and ubuntu@24.04 in {folder}:\n"
        "  a.charm: another charm, 'other'\n"
        f"  b.charm: for another architecture, {OTHER}\n"
        "  c.charm: for another base, ubuntu@22.04\n"
        "  d.charm: not a zip file, or only a part of one\n"
        "  e.charm: not a zip file, or only a part of one\n"
        "  f.charm: no manifest.yaml in it\n"
        "  g.charm: no metadata.yaml in it\n"
        "  h.charm: its metadata.yaml has no name, or its manifest.yaml no bases\n"
        "  i.charm: what it says of itself is not YAML\n"
        f"  j.charm: can't be read ([Errno 21] Is a directory: '{folder}/j.charm')\n"
        "In CI, build_charms_with_cache.yaml packs it into an artifact ('charms-packed-with-cache' unless you name it),"
        " and integration_test_charm.yaml downloads that to the root of the repository: give both the same "
        f"`artifact-name`, and see that charmcraft.yaml has a platform for {ARCHITECTURE} and ubuntu@24.04.\n"
        f"On a laptop: run `charmcraft pack --platform=ubuntu@24.04:{ARCHITECTURE}` in {folder}, "
        "or unset the variable CI."
    )


def test_none_is_there_but_elsewhere(
    make_charm: MakeCharm, make_packed: MakePacked, error_of: Callable[..., str], pytester: pytest.Pytester
) -> None:
    folder = make_charm("application")
    make_packed("artifact/demo.charm")
    message = error_of(call="packed_charm('application')").splitlines()
    assert message[0].endswith(f"No packed charm 'demo' for {ARCHITECTURE} in {folder}.")
    assert message[1] == f"Elsewhere below {pytester.path}: artifact/demo.charm."
    assert message[-1] == f"On a laptop: run `charmcraft pack` in {folder}, or unset the variable CI."


def test_several_fit(make_charm: MakeCharm, make_packed: MakePacked, error_of: Callable[..., str]) -> None:
    folder = make_charm(bases=[{"name": "ubuntu", "channel": channel} for channel in ("20.04", "22.04")])
    make_packed("demo_20.charm", base="ubuntu@20.04")
    make_packed("demo_22.charm", base="ubuntu@22.04")
    assert error_of().partition(": ")[2] == (
        f"Several packed charms 'demo' for {ARCHITECTURE} in {folder}:\n"
        "  demo_20.charm: for ubuntu@20.04\n"
        "  demo_22.charm: for ubuntu@22.04\n"
        "Pass --charm-base=demo=ubuntu@20.04 or --charm-base=demo=ubuntu@22.04 to pytest, "
        "or bases_index to build_charm()."
    )


def test_several_fit_that_say_the_same(
    make_charm: MakeCharm, make_packed: MakePacked, error_of: Callable[..., str]
) -> None:
    make_charm()
    make_packed("demo_22.charm")
    make_packed("demo_old-name.charm")
    assert error_of().splitlines()[1:] == [
        "  demo_22.charm: for ubuntu@22.04",
        "  demo_old-name.charm: for ubuntu@22.04",
        "They are for the same: remove what is left over, or pass --charmcraft-args=--platform=NAME to pytest.",
    ]


def test_chosen_charm_is_corrupt(make_charm: MakeCharm, make_packed: MakePacked, error_of: Callable[..., str]) -> None:
    make_charm()
    packed = make_packed("demo.charm")
    packed.write_bytes(packed.read_bytes().replace(b"#!/usr", b"#!/USR"))
    assert error_of().endswith(f"{packed} is corrupt (src/charm.py): pack or download it again.")


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "PATH: not the folder of a charm, for it has no charmcraft.yaml"),
        ({"charmcraft.yaml": "type: bundle"}, "PATH/charmcraft.yaml: not a charm, but a bundle"),
        ({"charmcraft.yaml": "type: charm"}, "PATH/charmcraft.yaml: no `name`, neither here nor in metadata.yaml"),
        ({"charmcraft.yaml": "name: 3"}, "PATH/charmcraft.yaml: `name` is not a charm's name"),
        ({"charmcraft.yaml": "- name"}, "PATH/charmcraft.yaml: not a mapping of keys to values"),
        ({"charmcraft.yaml": "name: ["}, "PATH/charmcraft.yaml: can't be read: while parsing a flow node"),
        ({"charmcraft.yaml": "name: \x00"}, "PATH/charmcraft.yaml: can't be read: unacceptable character"),
    ],
)
def test_source_is_broken(
    pytester: pytest.Pytester, error_of: Callable[..., str], files: dict[str, str], message: str
) -> None:
    for name, text in files.items():
        (pytester.path / name).write_text(text)
    assert message.replace("PATH", str(pytester.path)) in error_of()


def test_name_in_metadata(pytester: pytest.Pytester, make_packed: MakePacked, run: Run) -> None:
    (pytester.path / "charmcraft.yaml").write_text("type: charm")
    (pytester.path / "metadata.yaml").write_text("name: demo")
    make_packed("demo.charm")
    (pytester.path / "test_charm.py").write_text("def test_charm(packed_charm): assert packed_charm()")
    run().assert_outcomes(passed=1)


def test_base_is_none(make_charm: MakeCharm, error_of: Callable[..., str], run: Run) -> None:
    make_charm()
    message = "'jammy' is not a base: write NAME@CHANNEL, such as ubuntu@24.04."
    assert message in error_of(call="packed_charm(base='jammy')")
    result = run("--charm-base=demo=jammy")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert f"ERROR: --charm-base=demo=jammy: {message}" in result.stderr.lines


def test_argument_goes_before_option(make_charm: MakeCharm, make_packed: MakePacked, run: Run) -> None:
    folder = make_charm(platforms={f"ubuntu@24.04:{ARCHITECTURE}": None, f"ubuntu@22.04:{ARCHITECTURE}": None})
    make_packed("old.charm", base="ubuntu@22.04")
    make_packed("new.charm", base="ubuntu@24.04")
    (folder / "test_charm.py").write_text(
        "def test_charm(packed_charm): assert packed_charm(base='ubuntu@22.04').name == 'old.charm'"
    )
    run("--charm-base=ubuntu@24.04").assert_outcomes(passed=1)


def test_platform_that_is_not_there(make_charm: MakeCharm) -> None:
    from pytest_operator_cache._charm import CharmError
    from pytest_operator_cache._charms import Charms

    folder = make_charm(platforms={f"ubuntu@24.04:{ARCHITECTURE}": None})
    charms = Charms(bases={}, arguments=["--platform=jammy"], store=None, ignore=[], tell=print)
    message = rf"charmcraft.yaml: no platform 'jammy'. It has ubuntu@24.04:{ARCHITECTURE}.$"
    with pytest.raises(CharmError, match=message):
        charms.find(folder)


@pytest.mark.parametrize(
    ("index", "message"),
    [
        (2, "bases_index=2: `bases` of PATH has 0 (ubuntu@20.04), 1 (ubuntu@22.04, ubuntu@24.04)."),
        (-1, "bases_index=-1: `bases` of PATH has 0 (ubuntu@20.04), 1 (ubuntu@22.04, ubuntu@24.04)."),
        ("1", "bases_index='1': `bases` of PATH has 0 (ubuntu@20.04), 1 (ubuntu@22.04, ubuntu@24.04)."),
    ],
)
def test_bases_index_that_is_not_there(make_charm: MakeCharm, index: int, message: str) -> None:
    from pytest_operator_cache._charm import CharmError, read

    focal, jammy, noble = ({"name": "ubuntu", "channel": channel} for channel in ("20.04", "22.04", "24.04"))
    folder = make_charm(bases=[focal, {"build-on": [jammy], "run-on": [jammy, noble]}])
    with pytest.raises(CharmError) as error:
        read(folder).bases_of(index)
    assert str(error.value) == message.replace("PATH", str(folder / "charmcraft.yaml"))


def test_bases_index_into_what_is_malformed(make_charm: MakeCharm) -> None:
    from pytest_operator_cache._charm import CharmError, read

    folder = make_charm(bases=[{"name": "ubuntu", "channel": "22.04"}, {"name": "ubuntu"}])
    with pytest.raises(CharmError) as error:
        read(folder).bases_of(0)
    assert str(error.value) == f"{folder}/charmcraft.yaml: in `bases`, every base has a `name` and a `channel`."


def test_other_values_of_ci_are_none(
    make_charm: MakeCharm, charmcraft: StandIn, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_charm()
    (folder / "test_charm.py").write_text("def test_charm(packed_charm): assert packed_charm()")
    monkeypatch.setenv("CI", "1")
    run().assert_outcomes(passed=1)
    assert len(charmcraft.calls) == 1


def test_plugin_imports_nothing_that_is_heavy(pytester: pytest.Pytester) -> None:
    heavy = {"asyncio", "craft_platforms", "filelock", "platformdirs", "pytest_operator", "yaml", "zipfile"}
    before = "import pytest, sys; before = {*sys.modules}"
    code = f"{before}; import pytest_operator_cache._plugin; print({{*sys.modules}} - before)"
    result = pytester.run(sys.executable, "-c", code)
    assert not heavy & ast.literal_eval(result.stdout.str())
