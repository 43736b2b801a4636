"""`packed_charm` in CI, and what is said if no packed charm can be chosen."""

from __future__ import annotations

import ast
import json
import logging
import os
import re
import sys
import tempfile
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_operator_cache.charm.charmcraft import host_architecture
from pytest_operator_cache.charm.packed import Options, Search
from pytest_operator_cache.charm.source import read
from pytest_operator_cache.common.errors import CharmError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import MakeCharm, MakePacked, Run, StandIn

ARCHITECTURE = host_architecture()
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
        f"{folder}: no packed charm 'demo' for {ARCHITECTURE} and ubuntu@24.04:\n"
        "  a.charm: another charm, 'other'\n"
        f"  b.charm: for another architecture, {OTHER}\n"
        "  c.charm: for another base, ubuntu@22.04\n"
        "  d.charm: not a zip file, or only a part of one\n"
        "  e.charm: not a zip file, or only a part of one\n"
        "  f.charm: no manifest.yaml in it\n"
        "  g.charm: no metadata.yaml in it\n"
        "  h.charm: its metadata.yaml has no name, or its manifest.yaml no bases\n"
        "  i.charm: its metadata.yaml or its manifest.yaml is not YAML\n"
        "  j.charm: not a file\n"
        "In CI: build_charms_with_cache.yaml packs it into an artifact ('charms-packed-with-cache' by default), "
        "and integration_test_charm.yaml downloads that to the root of the repository. Give both the same "
        f"`artifact-name`, and check that charmcraft.yaml has a platform for {ARCHITECTURE} and ubuntu@24.04.\n"
        f"On a laptop: run `charmcraft pack --platform=ubuntu@24.04:{ARCHITECTURE}` in {folder}, "
        "or unset the variable CI."
    )


def test_suites_may_catch_what_pytest_operator_raises(
    pytester: pytest.Pytester, make_charm: MakeCharm, run: Run
) -> None:
    make_charm()
    pytester.makepyfile(
        """
        import pytest

        def test_charm(packed_charm):
            with pytest.raises(FileNotFoundError, match="no packed charm 'demo'"):
                packed_charm()
        """
    )
    run().assert_outcomes(passed=1)


def test_none_is_there_but_elsewhere(
    make_charm: MakeCharm, make_packed: MakePacked, error_of: Callable[..., str], pytester: pytest.Pytester
) -> None:
    folder = make_charm("application")
    nowhere = error_of(call="packed_charm('application')")
    assert f"CharmNotFoundError: {folder}: no packed charm 'demo' for {ARCHITECTURE}. In CI: " in nowhere
    make_packed("artifact/demo.charm")
    message = error_of(call="packed_charm('application')").splitlines()
    assert message[0].endswith(f"CharmNotFoundError: {folder}: no packed charm 'demo' for {ARCHITECTURE}.")
    assert message[1] == f"There are others below {pytester.path}: artifact/demo.charm"
    assert message[-1] == f"On a laptop: run `charmcraft pack` in {folder}, or unset the variable CI."


def test_folders_in_which_none_is_looked_for(
    make_charm: MakeCharm, make_packed: MakePacked, error_of: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_charm("application")
    for folder in (".git", ".tox/x", "environment/lib", "vanished", "z"):
        make_packed(f"{folder}/demo.charm")
    Path("environment/pyvenv.cfg").touch()
    scandir = os.scandir

    def scan(folder: str | Path | int) -> Iterator[os.DirEntry[str]]:
        # shutil gives a file descriptor.
        if not isinstance(folder, int) and Path(folder).name == "vanished":
            raise FileNotFoundError(folder)
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", scan)
    message = error_of("test_charm.py", call="packed_charm('application')").splitlines()
    assert message[1] == f"There are others below {Path.cwd()}: z/demo.charm"


def test_only_some_of_the_others_are_shown(
    make_charm: MakeCharm, make_packed: MakePacked, error_of: Callable[..., str]
) -> None:
    make_charm("application")
    for number in range(12):
        make_packed(f"artifact/{number:02}.charm")
    message = error_of(call="packed_charm('application')").splitlines()
    listed = ", ".join(f"artifact/{number:02}.charm" for number in range(10))
    assert message[1] == f"There are others below {Path.cwd()}: {listed}"


def test_several_fit(make_charm: MakeCharm, make_packed: MakePacked, error_of: Callable[..., str]) -> None:
    folder = make_charm(bases=[{"name": "ubuntu", "channel": channel} for channel in ("20.04", "22.04")])
    make_packed("demo_20.charm", base="ubuntu@20.04")
    make_packed("demo_22.charm", base="ubuntu@22.04")
    assert error_of().partition(": ")[2] == (
        f"{folder}: several packed charms 'demo' for {ARCHITECTURE}:\n"
        "  demo_20.charm: for ubuntu@20.04\n"
        "  demo_22.charm: for ubuntu@22.04\n"
        "Pass --charm-base=demo=ubuntu@20.04 or --charm-base=demo=ubuntu@22.04 to pytest, "
        "or bases_index to build_charm()."
    )


@pytest.mark.parametrize(
    ("modules", "other"),
    [({"pytest_operator": pytest}, "pass --charmcraft-args=--platform=NAME to pytest"), ({}, "set CHARM_PATH to one")],
    ids=["pytest-operator", "jubilant"],
)
def test_several_fit_that_say_the_same(
    make_charm: MakeCharm,
    make_packed: MakePacked,
    error_of: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
    modules: dict[str, Any],
    other: str,
) -> None:
    monkeypatch.delitem(sys.modules, "pytest_operator", raising=False)
    monkeypatch.setattr(sys, "modules", sys.modules | modules)
    make_charm()
    make_packed("demo_22.charm")
    make_packed("demo_old-name.charm")
    assert error_of().splitlines()[1:] == [
        "  demo_22.charm: for ubuntu@22.04",
        "  demo_old-name.charm: for ubuntu@22.04",
        f"They are for the same base: remove those you don't need, or {other}.",
    ]


@pytest.mark.parametrize(
    ("project", "name", "base"),
    [
        ({"base": "ubuntu@22.04", "platforms": {ARCHITECTURE: None}}, f"demo_{ARCHITECTURE}.charm", "ubuntu@22.04"),
        (
            {"platforms": {f"ubuntu@24.04:{ARCHITECTURE}": None, f"ubuntu@24.04:{OTHER}": None}},
            f"demo_ubuntu@24.04-{ARCHITECTURE}.charm",
            "ubuntu@24.04",
        ),
        (
            {"bases": [{"name": "ubuntu", "channel": "22.04"}]},
            f"demo_ubuntu-22.04-{ARCHITECTURE}.charm",
            "ubuntu@22.04",
        ),
        (
            {"bases": [{"name": "ubuntu", "channel": "22.04", "architectures": [OTHER, ARCHITECTURE]}]},
            f"demo_ubuntu-22.04-{OTHER}-{ARCHITECTURE}.charm",
            "ubuntu@22.04",
        ),
    ],
)
def test_charm_with_the_name_that_charmcraft_gives_is_taken(
    make_charm: MakeCharm, make_packed: MakePacked, run: Run, project: dict[str, Any], name: str, base: str
) -> None:
    folder = make_charm(**project)
    # A revision that was downloaded, one that was renamed, and one for another base.
    make_packed("demo.charm", base=base)
    make_packed("upgrade.charm", base=base)
    make_packed("local-demo.charm", base="ubuntu@20.04")
    make_packed(name, base=base)
    (folder / "test_charm.py").write_text(f"def test_charm(packed_charm): assert packed_charm().name == {name!r}")
    run().assert_outcomes(passed=1)


def test_several_with_names_that_charmcraft_gives(
    make_charm: MakeCharm, make_packed: MakePacked, error_of: Callable[..., str]
) -> None:
    make_charm(platforms={f"ubuntu@24.04:{ARCHITECTURE}": None, f"ubuntu@22.04:{ARCHITECTURE}": None})
    for channel in ("22.04", "24.04"):
        make_packed(f"demo_ubuntu@{channel}-{ARCHITECTURE}.charm", base=f"ubuntu@{channel}")
    make_packed("upgrade.charm", base="ubuntu@22.04")
    assert error_of().splitlines()[1:] == [
        f"  demo_ubuntu@22.04-{ARCHITECTURE}.charm: for ubuntu@22.04",
        f"  demo_ubuntu@24.04-{ARCHITECTURE}.charm: for ubuntu@24.04",
        "Pass --charm-base=demo=ubuntu@22.04 or --charm-base=demo=ubuntu@24.04 to pytest.",
    ]


def test_several_fit_of_which_one_runs_on_both(
    pytester: pytest.Pytester, make_charm: MakeCharm, error_of: Callable[..., str], run: Run
) -> None:
    make_charm()
    for name, channels in {"both": ["20.04", "22.04"], "old": ["20.04"], "new": ["22.04"]}.items():
        bases = [{"name": "ubuntu", "channel": channel, "architectures": [ARCHITECTURE]} for channel in channels]
        write_packed(pytester.path / f"{name}.charm", json.dumps({"bases": bases}))
    assert error_of().splitlines()[-1] == (
        "Pass --charm-base=demo=ubuntu@20.04 or --charm-base=demo=ubuntu@22.04 to pytest."
    )
    (pytester.path / "test_charm.py").write_text("def test_charm(packed_charm): assert packed_charm().stem == 'old'")
    run("--charm-base=demo=ubuntu@20.04").assert_outcomes(passed=1)


def write_packed(path: Path, manifest: str, metadata: str = "name: demo") -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.yaml", metadata)
        archive.writestr("manifest.yaml", manifest)


DEEP = "[" * 20_000 + "]" * 20_000
NO_BASES = "its metadata.yaml has no name, or its manifest.yaml no bases"
NOT_YAML = "its metadata.yaml or its manifest.yaml is not YAML"


@pytest.mark.parametrize(
    ("manifest", "metadata", "reason"),
    [
        ("bases: [{name: ubuntu, channel: '22.04', architectures: [amd64, 3]}]", "name: demo", NO_BASES),
        ("bases: [{name: ubuntu, channel: '22.04', architectures: [amd64, [3]]}]", "name: demo", NO_BASES),
        ("bases: [{name: ubuntu, channel: '22.04', architectures: amd64}]", "name: demo", NO_BASES),
        ("bases: [{name: 3, channel: '22.04', architectures: [amd64]}]", "name: demo", NO_BASES),
        ("bases: [{name: ubuntu, channel: '22.04', architectures: {amd64: x}}]", "name: demo", NO_BASES),
        ("bases: [ubuntu, 3]", "name: demo", NO_BASES),
        ("bases: {name: ubuntu}", "name: demo", NO_BASES),
        ("bases: []", "name: [demo]", NO_BASES),
        ("bases: []", '- "name"', NO_BASES),
        ("", "", NO_BASES),
        ("!!int ''", "name: demo", NOT_YAML),
        (DEEP, "name: demo", NOT_YAML),
        ("bases: []", "name: other", "another charm, 'other'"),
        ("bases: [{name: ubuntu, channel: 22.04, architectures: [all]}]", "name: demo", ""),
    ],
)
def test_leftover_says_anything(
    pytester: pytest.Pytester,
    make_charm: MakeCharm,
    error_of: Callable[..., str],
    manifest: str,
    metadata: str,
    reason: str,
) -> None:
    folder = make_charm()
    write_packed(folder / "left.charm", manifest, metadata)
    if reason:
        assert error_of().splitlines()[1] == f"  left.charm: {reason}"
    else:
        assert Search(folder).path_in_folder() == pytester.path / "left.charm"


def test_leftover_that_takes_long_to_read(make_charm: MakeCharm, error_of: Callable[..., str]) -> None:
    folder = make_charm()
    os.mkfifo(folder / "a_pipe.charm")
    (folder / "b_folder.charm").mkdir()
    with zipfile.ZipFile(folder / "c_bomb.charm", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("metadata.yaml", "name: demo")
        archive.writestr("manifest.yaml", " " * (1 << 28))
    write_packed(folder / "d_encrypted.charm", "bases: []", "name: demo")
    content = (folder / "d_encrypted.charm").read_bytes()
    for header, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content = re.sub(
            re.escape(header) + b"." * (flags - 4) + b"\0",
            lambda found: found[0][:-1] + b"\1",
            content,
            flags=re.DOTALL,
        )
    (folder / "d_encrypted.charm").write_bytes(content)
    assert error_of().splitlines()[1:5] == [
        "  a_pipe.charm: not a file",
        "  b_folder.charm: not a file",
        "  c_bomb.charm: its manifest.yaml is larger than 1 MiB",
        "  d_encrypted.charm: can't be read (File 'metadata.yaml' is encrypted, password required for extraction)",
    ]


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_no_damage_of_a_packed_charm_is_a_traceback(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "charmcraft.yaml").write_text("name: demo\ntype: charm\n")
        packed = folder / "demo.charm"
        manifest = {"bases": [{"name": "ubuntu", "channel": "22.04", "architectures": [ARCHITECTURE]}]}
        compression = data.draw(
            st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
        )
        with zipfile.ZipFile(packed, "w", compression) as archive:
            archive.writestr("metadata.yaml", "name: demo")
            archive.writestr("manifest.yaml", json.dumps(manifest))
        content = bytearray(packed.read_bytes())
        for _ in range(data.draw(st.integers(1, 3))):
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
        packed.write_bytes(content)
        with suppress(CharmError):
            assert Search(folder).path_in_folder() == packed


def test_chosen_charm_is_corrupt(make_charm: MakeCharm, make_packed: MakePacked, error_of: Callable[..., str]) -> None:
    make_charm()
    packed = make_packed("demo.charm")
    packed.write_bytes(packed.read_bytes().replace(b"#!/usr", b"#!/USR"))
    assert error_of().endswith(f"{packed}: corrupt (src/charm.py). Pack or download it again.")


@pytest.mark.parametrize("size", [0, 100])
def test_no_other_takes_the_place_of_a_corrupt_one(
    make_charm: MakeCharm, make_packed: MakePacked, error_of: Callable[..., str], size: int
) -> None:
    folder = make_charm()
    make_packed("demo.charm")
    packed = make_packed(f"demo_{ARCHITECTURE}.charm")
    packed.write_bytes(packed.read_bytes()[:size])
    message = f"CharmError: {packed}: not a zip file, or only a part of one. Pack or download it again."
    assert error_of().endswith(message)
    with pytest.raises(CharmError) as error:
        Search(folder).paths_in_folder()
    assert str(error.value) in message


def test_corrupt_one_for_another_base(make_charm: MakeCharm, make_packed: MakePacked) -> None:
    folder = make_charm(bases=[{"name": "ubuntu", "channel": channel} for channel in ("20.04", "22.04")])
    good = make_packed(f"demo_ubuntu-20.04-{ARCHITECTURE}.charm", base="ubuntu@20.04")
    bad = make_packed(f"demo_ubuntu-22.04-{ARCHITECTURE}.charm")
    bad.write_bytes(bad.read_bytes()[:100])
    for find in (
        Search(folder).path_in_folder,
        Search(folder).paths_in_folder,
        Search(folder, base="ubuntu@22.04").path,
    ):
        with pytest.raises(CharmError, match=rf"^{bad}: not a zip file, or only a part of one\. Pack or download it "):
            find()
    assert Search(folder, base="ubuntu@20.04").path() == good


def test_charm_that_cannot_be_unpacked(
    make_charm: MakeCharm, make_packed: MakePacked, error_of: Callable[..., str]
) -> None:
    make_charm()
    packed = make_packed("demo.charm")
    content = packed.read_bytes()
    # The method of compression of the last file, in the zip's directory: https://en.wikipedia.org/wiki/ZIP_(file_format)
    method = content.rindex(b"PK\x01\x02") + 10
    packed.write_bytes(content[:method] + b"\x63\0" + content[method + 2 :])
    assert error_of().endswith(
        f"{packed}: corrupt (That compression method is not supported). Pack or download it again."
    )


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "PATH: not the folder of a charm, because it has no charmcraft.yaml"),
        ({"charmcraft.yaml": "type: bundle"}, "PATH/charmcraft.yaml: not a charm, but a bundle"),
        ({"charmcraft.yaml": "type: charm"}, "PATH/charmcraft.yaml: no `name`, neither here nor in metadata.yaml"),
        ({"charmcraft.yaml": "name: 3"}, "PATH/charmcraft.yaml: `name` is not the name of a charm"),
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
    message = "'jammy' is not a base. Write NAME@CHANNEL, such as ubuntu@24.04."
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
    folder = make_charm(platforms={f"ubuntu@24.04:{ARCHITECTURE}": None})
    message = rf"charmcraft.yaml: no platform 'jammy'. It has ubuntu@24.04:{ARCHITECTURE}.$"
    with pytest.raises(CharmError, match=message):
        Search(folder, Options(arguments=["--platform=jammy"])).path()


@pytest.mark.parametrize(
    ("index", "message"),
    [
        (2, "PATH: `bases` has no index 2. It has 0 (ubuntu@20.04), 1 (ubuntu@22.04, ubuntu@24.04)."),
        (-1, "PATH: `bases` has no index -1. It has 0 (ubuntu@20.04), 1 (ubuntu@22.04, ubuntu@24.04)."),
        ("1", "PATH: `bases` has no index '1'. It has 0 (ubuntu@20.04), 1 (ubuntu@22.04, ubuntu@24.04)."),
    ],
)
def test_bases_index_that_is_not_there(make_charm: MakeCharm, index: int, message: str) -> None:
    focal, jammy, noble = ({"name": "ubuntu", "channel": channel} for channel in ("20.04", "22.04", "24.04"))
    folder = make_charm(bases=[focal, {"build-on": [jammy], "run-on": [jammy, noble]}])
    charm = read(folder)
    assert [charm.bases_at(0), charm.bases_at(1)] == [{"ubuntu@20.04"}, {"ubuntu@22.04", "ubuntu@24.04"}]
    with pytest.raises(CharmError) as error:
        charm.bases_at(index)
    assert str(error.value) == message.replace("PATH", str(folder / "charmcraft.yaml"))


def test_bases_index_into_what_is_malformed(make_charm: MakeCharm) -> None:
    folder = make_charm(bases=[{"name": "ubuntu", "channel": "22.04"}, {"name": "ubuntu"}])
    with pytest.raises(CharmError) as error:
        read(folder).bases_at(0)
    assert str(error.value) == f"{folder}/charmcraft.yaml: in `bases`, every base needs a `name` and a `channel`"


@pytest.mark.parametrize("ci", ["true", ""])
@pytest.mark.parametrize("variable", ["CHARM_PATH", "CRAFT_ARTIFACT"])
def test_charm_in_a_variable(
    make_charm: MakeCharm,
    make_packed: MakePacked,
    run: Run,
    charmcraft: StandIn,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    ci: str,
) -> None:
    monkeypatch.setenv("CI", ci)
    folder = make_charm()
    make_charm("application", name="application")
    make_packed("application/application.charm", name="application")
    named = make_packed("elsewhere/any.charm", name="application")
    if ci:
        make_packed("demo.charm")
    monkeypatch.setenv(variable, "elsewhere/any.charm")
    (folder / "test_charm.py").write_text(
        f"""
def test_charm(packed_charm):
    assert str(packed_charm("application")) == {str(named)!r}
    assert str(packed_charm("application", base="ubuntu@22.04")) == {str(named)!r}

def test_another_charm(packed_charm):
    assert packed_charm().name.startswith("demo")
"""
    )
    run().assert_outcomes(passed=2)
    # Only the charm that the variable doesn't name is packed.
    assert [folder for folder, *_ in charmcraft.calls] == ([] if ci else [str(folder)])


def test_charm_in_a_variable_is_for_another_base(
    make_charm: MakeCharm, make_packed: MakePacked, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_charm()
    make_packed("old.charm", base="ubuntu@22.04")
    make_packed("foreign.charm", architecture=OTHER)
    monkeypatch.setenv("CHARM_PATH", str(make_packed("elsewhere/new.charm", base="ubuntu@24.04")))
    monkeypatch.setenv("CRAFT_ARTIFACT", "foreign.charm")
    (folder / "test_charm.py").write_text(
        """
def test_bases(packed_charm):
    assert packed_charm().name == "new.charm"
    assert packed_charm(base="ubuntu@22.04").name == "old.charm"
"""
    )
    run().assert_outcomes(passed=1)
    (folder / "test_charm.py").write_text("def test_base(packed_charm): assert packed_charm().name == 'old.charm'")
    run("--charm-base=ubuntu@22.04").assert_outcomes(passed=1)


def test_error_says_why_a_variable_has_no_effect(
    make_charm: MakeCharm, make_packed: MakePacked, error_of: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_charm("charm")
    foreign = make_packed("elsewhere/foreign.charm", architecture=OTHER)
    other = make_packed("elsewhere/other.charm", name="other")
    monkeypatch.setenv("CHARM_PATH", str(foreign))
    monkeypatch.setenv("CRAFT_ARTIFACT", str(other))
    message = (
        f"CharmNotFoundError: {folder}: no packed charm 'demo' for {ARCHITECTURE}:\n"
        f"  CHARM_PATH={foreign}: for another architecture, {OTHER}\n"
        f"  CRAFT_ARTIFACT={other}: another charm, 'other'\n"
    )
    shown = error_of(call="packed_charm('charm')")
    assert f"{message}There are others below {Path.cwd()}: elsewhere/foreign.charm, elsewhere/other.charm\n" in shown
    make_packed("charm/new.charm", base="ubuntu@24.04")
    shown = error_of(call="packed_charm('charm', base='ubuntu@22.04')")
    assert "\n  new.charm: for another base, ubuntu@24.04\nIn CI: " in shown
    assert f"\n  CHARM_PATH={foreign}: " in shown
    # A variable that names another charm is common, and not wrong.
    monkeypatch.delenv("CHARM_PATH")
    (folder / "new.charm").unlink()
    assert "CharmNotFoundError: " in error_of(call="packed_charm('charm')")


def test_log_says_why_a_variable_has_no_effect(
    make_charm: MakeCharm,
    make_packed: MakePacked,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    folder = make_charm()
    foreign, good = make_packed("foreign.charm", architecture=OTHER), make_packed("good.charm")
    monkeypatch.setenv("CHARM_PATH", str(foreign))
    monkeypatch.setenv("CRAFT_ARTIFACT", "good.charm")
    reason = f"for another architecture, {OTHER}"
    with caplog.at_level(logging.INFO, "pytest_operator_cache"):
        assert Search(folder).path() == good
    assert caplog.messages == [f"CHARM_PATH={foreign} is not used for charm demo: {reason}"]


def test_variable_names_no_charm(
    make_charm: MakeCharm, make_packed: MakePacked, error_of: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_charm()
    packed = make_packed("demo.charm")
    monkeypatch.setenv("CHARM_PATH", "charmcraft.yaml")
    assert error_of().endswith(
        "CharmError: CHARM_PATH=charmcraft.yaml: not a zip file, or only a part of one. "
        "It must be the path of a packed charm. Correct it, or unset it."
    )
    monkeypatch.setenv("CHARM_PATH", "demo.charm")
    packed.write_bytes(packed.read_bytes().replace(b"#!/usr", b"#!/USR"))
    assert error_of().endswith(f"{packed}: corrupt (src/charm.py). Pack or download it again.")


def test_type_of_the_fixture(make_charm: MakeCharm, make_packed: MakePacked, run: Run) -> None:
    folder = make_charm()
    make_packed("demo.charm")
    (folder / "test_charm.py").write_text(
        """
from pytest_operator_cache import PackedCharm

def test_charm(packed_charm: PackedCharm) -> None:
    assert packed_charm()
"""
    )
    run().assert_outcomes(passed=1)


@pytest.mark.parametrize(("value", "packs"), [("1", False), ("True", False), ("", True), ("0", True), ("False", True)])
def test_values_of_ci(
    make_charm: MakeCharm, charmcraft: StandIn, run: Run, monkeypatch: pytest.MonkeyPatch, value: str, packs: bool
) -> None:
    folder = make_charm()
    (folder / "test_charm.py").write_text("def test_charm(packed_charm): assert packed_charm()")
    monkeypatch.setenv("CI", value)
    run().assert_outcomes(passed=int(packs), failed=int(not packs))
    assert len(charmcraft.calls) == int(packs)


def test_plugin_imports_nothing_that_is_heavy(pytester: pytest.Pytester) -> None:
    heavy = {"asyncio", "craft_platforms", "filelock", "platformdirs", "pytest_operator", "yaml", "zipfile"}
    before = "import pytest, sys; before = {*sys.modules}"
    code = f"{before}; import pytest_operator_cache._plugin; print({{*sys.modules}} - before)"
    result = pytester.run(sys.executable, "-c", code)
    assert not heavy & ast.literal_eval(result.stdout.str())
