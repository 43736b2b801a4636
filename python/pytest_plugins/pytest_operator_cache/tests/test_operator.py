"""`ops_test.build_charm()` of the real pytest-operator: in CI it chooses among what the real charmcraft has packed."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from pytest_operator_cache.charm.charmcraft import host_architecture

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import MakeCharm, MakePacked, OperatorSuite, RealCharm, Run, StandIn

ARCHITECTURE = host_architecture()
OTHER = {"amd64": "arm64", "arm64": "amd64"}[ARCHITECTURE]
JAMMY, NOBLE, FOCAL = ({"name": "ubuntu", "channel": channel} for channel in ("22.04", "24.04", "20.04"))


def built_for(target: str, base: str = "") -> dict[str, list[str]]:
    return {"build-on": [f"{base}{ARCHITECTURE}"], "build-for": [f"{base}{target}"]}


# What charmcraft.yaml says, and for every platform the file that charmcraft makes of it.
CHARMS: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "bases": (
        {"bases": [JAMMY, FOCAL]},
        {
            f"ubuntu-22.04-{ARCHITECTURE}": f"demo_ubuntu-22.04-{ARCHITECTURE}.charm",
            f"ubuntu-20.04-{ARCHITECTURE}": f"demo_ubuntu-20.04-{ARCHITECTURE}.charm",
        },
    ),
    # The name tells one of its bases. charmcraft does not take the name of this platform: it is packed without.
    "run-on": (
        {"bases": [{"build-on": [JAMMY], "run-on": [JAMMY, FOCAL]}]},
        {"": f"demo_ubuntu-22.04-{ARCHITECTURE}.charm"},
    ),
    "shorthand": (
        {"platforms": {f"ubuntu@22.04:{ARCHITECTURE}": None, f"ubuntu@24.04:{ARCHITECTURE}": None}},
        {
            f"ubuntu@22.04:{ARCHITECTURE}": f"demo_ubuntu@22.04-{ARCHITECTURE}.charm",
            f"ubuntu@24.04:{ARCHITECTURE}": f"demo_ubuntu@24.04-{ARCHITECTURE}.charm",
        },
    ),
    # The names tell neither base nor architecture.
    "named": (
        {
            "platforms": {
                "old": built_for(ARCHITECTURE, "ubuntu@22.04:"),
                "new": built_for(ARCHITECTURE, "ubuntu@24.04:"),
                "far": built_for(OTHER, "ubuntu@24.04:"),
            }
        },
        {"old": "demo_old.charm", "new": "demo_new.charm", "far": "demo_far.charm"},
    ),
    "base": ({"base": "ubuntu@24.04", "platforms": {ARCHITECTURE: None}}, {ARCHITECTURE: f"demo_{ARCHITECTURE}.charm"}),
    "all": (
        {"base": "ubuntu@22.04", "platforms": {"any-machine": built_for("all")}},
        {"any-machine": "demo_any-machine.charm"},
    ),
    # What is inside does not tell these apart.
    "sizes": (
        {"base": "ubuntu@22.04", "platforms": {size: built_for(ARCHITECTURE) for size in ("small", "large")}},
        {"small": "demo_small.charm", "large": "demo_large.charm"},
    ),
}

# What is asked for by arguments of build_charm, and what it returns.
BY_ARGUMENT: list[tuple[str, dict[str, Any], str]] = [
    ("bases", {"bases_index": 0}, f"demo_ubuntu-22.04-{ARCHITECTURE}.charm"),
    ("bases", {"bases_index": 1, "verbosity": "debug"}, f"demo_ubuntu-20.04-{ARCHITECTURE}.charm"),
    ("run-on", {"bases_index": 0}, f"demo_ubuntu-22.04-{ARCHITECTURE}.charm"),
    ("run-on", {}, f"demo_ubuntu-22.04-{ARCHITECTURE}.charm"),
    ("base", {}, f"demo_{ARCHITECTURE}.charm"),
    ("all", {}, "demo_any-machine.charm"),
]
NOBLE_PLATFORM = f"ubuntu@24.04:{ARCHITECTURE}"
BY_BASE = "--charm-base=demo=ubuntu@24.04"
# What is asked for by an option of pytest, and what is returned.
BY_OPTION = [
    ("bases", ["--charm-base=ubuntu@20.04"], f"demo_ubuntu-20.04-{ARCHITECTURE}.charm"),
    ("run-on", ["--charm-base=ubuntu@20.04"], f"demo_ubuntu-22.04-{ARCHITECTURE}.charm"),
    ("shorthand", ["--charm-base=ubuntu@22.04"], f"demo_ubuntu@22.04-{ARCHITECTURE}.charm"),
    ("shorthand", ["--charm-base=ubuntu@22.04", BY_BASE], f"demo_ubuntu@24.04-{ARCHITECTURE}.charm"),
    ("named", ["--charm-base=ubuntu@22.04"], "demo_old.charm"),
    ("named", ["--charm-base=ubuntu@24.04", "--charm-base=other=ubuntu@22.04"], "demo_new.charm"),
    ("base", ["--charm-base=ubuntu@24.04"], f"demo_{ARCHITECTURE}.charm"),
]
# The same, by an option of pytest-operator's newest versions.
BY_PLATFORM = [
    ("sizes", ["--charmcraft-args=--platform=large"], "demo_large.charm"),
    ("sizes", ["--charmcraft-args=--platform", "--charmcraft-args=small"], "demo_small.charm"),
    ("named", ["--charmcraft-args=--platform=far"], "demo_far.charm"),
    ("shorthand", [f"--charmcraft-args=--platform={NOBLE_PLATFORM}"], f"demo_ubuntu@24.04-{ARCHITECTURE}.charm"),
]


@pytest.fixture
def packed_charms(pytester: pytest.Pytester, make_charm: MakeCharm, real_charm: RealCharm) -> Path:
    """Lay all charms, packed by the real charmcraft, and what is left over in their folders."""
    application = real_charm("", "application", base="ubuntu@22.04", platforms={ARCHITECTURE: None})
    foreign = real_charm("foreign", base="ubuntu@22.04", platforms={"foreign": built_for(OTHER)})
    for name, (project, platforms) in CHARMS.items():
        folder = make_charm(name, **project)
        for platform, file in platforms.items():
            packed = real_charm(platform, **project)
            assert packed.name == file
            shutil.copy(packed, folder)
        shutil.copy(application, folder / "demo_another-charm.charm")
        shutil.copy(foreign, folder)
    shutil.copy(application, make_charm("application", "application"))
    return pytester.path


@pytest.mark.usefixtures("in_ci")
def test_build_charm_chooses_by_its_arguments(packed_charms: Path, operator_suite: OperatorSuite) -> None:
    others: list[tuple[str, dict[str, Any]]] = [
        ("named", {"return_all": True}),
        ("bases", {"return_all": True, "bases_index": 1}),
        ("shorthand", {}),
        ("base", {"bases_index": 0}),
    ]
    # All in one process: pytest-operator takes long to import.
    *built, everything, one, several, none = operator_suite.build(
        [*((charm, arguments) for charm, arguments, _ in BY_ARGUMENT), *others]
    )
    assert built == [str(packed_charms / charm / file) for charm, _, file in BY_ARGUMENT]
    assert everything == [str(packed_charms / "named/demo_new.charm"), str(packed_charms / "named/demo_old.charm")]
    assert one == [str(packed_charms / f"bases/demo_ubuntu-20.04-{ARCHITECTURE}.charm")]
    assert several.startswith(f"SeveralCharmsError: {packed_charms}/shorthand: several packed charms 'demo' ")
    assert "Pass --charm-base=demo=ubuntu@22.04 or --charm-base=demo=ubuntu@24.04 to pytest." in several
    assert none == (
        f"CharmError: {packed_charms}/base/charmcraft.yaml: bases_index=0 needs `bases`, and there are none. "
        "Leave it out, and choose with --charm-base=NAME@CHANNEL."
    )


@pytest.mark.usefixtures("in_ci")
def test_build_charm_chooses_by_option(packed_charms: Path, operator_suite: OperatorSuite) -> None:
    built = operator_suite.build([("named", {}), ("shorthand", {})], "--charm-base=ubuntu@24.04")
    assert built == [
        str(packed_charms / "named/demo_new.charm"),
        str(packed_charms / f"shorthand/demo_ubuntu@24.04-{ARCHITECTURE}.charm"),
    ]


@pytest.mark.usefixtures("in_ci")
def test_build_charms_follows(packed_charms: Path, operator_suite: OperatorSuite) -> None:
    assert operator_suite.build_charms("base", "application") == {
        "demo": str(packed_charms / f"base/demo_{ARCHITECTURE}.charm"),
        "application": str(packed_charms / f"application/application_{ARCHITECTURE}.charm"),
    }


@pytest.mark.usefixtures("in_ci")
@pytest.mark.parametrize(("charm", "options", "file"), BY_OPTION)
def test_packed_charm_chooses_by_option(
    packed_charms: Path, run: Run, charm: str, options: list[str], file: str
) -> None:
    test = f"def test_charm(packed_charm): assert str(packed_charm({charm!r})) == {str(packed_charms / charm / file)!r}"
    (packed_charms / "test_charm.py").write_text(test)
    run(*options).assert_outcomes(passed=1)


@pytest.mark.usefixtures("in_ci")
@pytest.mark.parametrize("operator_python", ["0.43.2"], indirect=True)
@pytest.mark.parametrize(("charm", "options", "file"), BY_PLATFORM)
def test_build_charm_chooses_by_platform(
    packed_charms: Path, operator_suite: OperatorSuite, charm: str, options: list[str], file: str
) -> None:
    assert operator_suite.build([(charm, {})], *options) == [str(packed_charms / charm / file)]


@pytest.mark.usefixtures("in_ci")
def test_ops_test_does_without_charmcraft_but_not_without_juju(
    operator_suite: OperatorSuite, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    (pytester.path / "test_charm.py").write_text("def test_model(ops_test): assert ops_test.model\n")
    for program in ("which", "git"):
        (pytester.path / "bin" / program).parent.mkdir(exist_ok=True)
        (pytester.path / "bin" / program).symlink_to(shutil.which(program) or "")
    monkeypatch.setenv("PATH", str(pytester.path / "bin"))
    assert "Missing dependency: juju\n" in operator_suite.run()
    (pytester.path / "bin/juju").symlink_to("/bin/true")
    assert "Missing dependenc" not in operator_suite.run()


def test_build_charm_packs_outside_ci(
    operator_suite: OperatorSuite, make_charm: MakeCharm, make_packed: MakePacked, charmcraft: StandIn
) -> None:
    folder = make_charm()
    (folder / "metadata.yaml").write_text("name: demo\n")
    make_packed("leftover.charm")
    (built,) = operator_suite.build([(".", {})], "--destructive-mode")
    assert built.endswith(f"/charms/demo_{ARCHITECTURE}.charm")
    assert charmcraft.calls == [[str(folder), "--destructive-mode"]]


@pytest.mark.usefixtures("in_ci")
def test_pytest_operator_is_switched_off(
    operator_suite: OperatorSuite, make_charm: MakeCharm, make_packed: MakePacked
) -> None:
    make_charm()
    packed = make_packed("demo.charm")
    test = f"def test_charm(packed_charm): assert str(packed_charm()) == {str(packed)!r}"
    (packed.parent / "test_charm.py").write_text(test)
    assert "1 passed" in operator_suite.run("-p", "no:pytest-operator", "-p", "no:asyncio")


GROUPS = """
import asyncio
from pathlib import Path

import pytest
from pytest_operator.plugin import OpsTest


@pytest.fixture
def ops_test(request, tmp_path_factory):
    return OpsTest(request, tmp_path_factory)  # the fixture of this name asks for a controller


@pytest.mark.parametrize("group", [pytest.param(number, marks=pytest.mark.group(number)) for number in range(3)])
def test_group(ops_test, group):
    assert Path(asyncio.run(ops_test.build_charm("charm"))).exists()
"""


@pytest.mark.parametrize("operator_python", ["0.43.2"], indirect=True)
def test_groups_of_a_suite_pack_once(
    operator_python: Path,
    make_charm: MakeCharm,
    charmcraft: StandIn,
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_charm("charm")
    (pytester.path / "test_groups.py").write_text(GROUPS)
    monkeypatch.setenv("STAND_IN_SECONDS", "1")
    command = [str(operator_python.with_name("run-groups")), "--jobs=3", "--", "--destructive-mode"]
    for number in (1, 2):
        result = subprocess.run(command, check=False, capture_output=True, text=True)
        assert "3 groups passed, 0 failed in " in result.stdout, result.stdout + result.stderr
        assert len(charmcraft.calls) == number
