"""`ops_test.build_charm()` with a stand-in for pytest-operator: see test_operator.py for the real one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pytest_operator_cache.charm.charmcraft import host_architecture

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import MakeCharm, MakePacked, Run, StandIn

FILE = f"demo_{host_architecture()}.charm"

# As in pytest-operator 0.43: it packs, moves what it finds, and returns it.
OPERATOR = """
import subprocess
from pathlib import Path


class OpsTest:
    def __init__(self, tmp_path):
        self.tmp_path = tmp_path

    async def build_charm(self, charm_path, bases_index=None, verbosity=None, return_all=False):
        subprocess.run(["charmcraft", "pack"], cwd=charm_path, check=True)
        (self.tmp_path / "charms").mkdir(exist_ok=True)
        charms = [
            path.rename(self.tmp_path / "charms" / path.name) for path in sorted(Path(charm_path).glob("demo*.charm"))
        ]
        return charms if return_all else charms[0]


def check_deps(*deps):
    print("needs", *deps)


def pytest_addoption(parser):
    parser.addoption("--charmcraft-args", action="append", default=[])
    parser.addoption("--destructive-mode", action="store_true", default=False)
"""
TEST = """
import asyncio
import json
from pathlib import Path

import pytest
from pytest_operator import plugin


def test_build(tmp_path, pytestconfig):
    plugin.check_deps("juju", "charmcraft")
    built = []
    for arguments in json.loads(Path("builds").read_text()):
        try:
            built.append(asyncio.run(plugin.OpsTest(tmp_path).build_charm("charm", **arguments)))
        except Exception as error:
            built.append(f"{type(error).__name__}: {error}")
    Path("built").write_text(json.dumps(built, default=str))


def test_at_once(tmp_path):
    async def build():
        builds = (plugin.OpsTest(tmp_path / str(number)).build_charm("charm") for number in range(3))
        return await asyncio.gather(*builds)

    for number in range(3):
        (tmp_path / str(number)).mkdir()
    assert len(set(asyncio.run(build()))) == 3
"""


@pytest.fixture
def build(pytester: pytest.Pytester, run: Run, make_charm: MakeCharm) -> Callable[..., list[Any]]:
    """Run a suite that builds a charm with each of the arguments, and return what it returns or raises."""
    make_charm("charm")
    pytester.makepyfile(**{"operator/pytest_operator/plugin": OPERATOR, "test_build": TEST})
    # Python keeps what it finds for a relative path, also after the test.
    pytester.syspathinsert(pytester.path / "operator")

    def run_and_read(*arguments: str, builds: list[dict[str, Any]]) -> list[Any]:
        (pytester.path / "builds").write_text(json.dumps(builds))
        result = run("-p", "pytest_operator.plugin", "-s", "test_build.py::test_build", *arguments)
        result.assert_outcomes(passed=1)
        said.extend(result.stdout.lines)
        built: list[Any] = json.loads((pytester.path / "built").read_text())
        return built

    said: list[str] = []
    run_and_read.said = said  # type: ignore[attr-defined]  # what pytest has printed
    return run_and_read


@pytest.mark.usefixtures("in_ci")
def test_charm_is_found_in_ci(
    build: Callable[..., list[Any]], make_packed: MakePacked, charmcraft: StandIn, pytester: pytest.Pytester
) -> None:
    packed = make_packed(f"charm/{FILE}")
    one, everything, none = build(builds=[{}, {"return_all": True}, {"bases_index": 0}])
    assert one == str(packed)
    assert everything == [str(packed)]
    assert none == (
        f"CharmError: {pytester.path}/charm/charmcraft.yaml: bases_index=0 needs `bases`, and there are none. "
        "Leave it out, and choose with --charm-base=NAME@CHANNEL."
    )
    assert "needs juju" in "\n".join(build.said).replace("test_build.py ", "")  # type: ignore[attr-defined]
    assert not charmcraft.calls
    packed.write_bytes(packed.read_bytes().replace(b"#!/usr", b"#!/USR"))
    assert build(builds=[{"return_all": True}]) == [
        f"CharmError: {packed}: corrupt (src/charm.py). Pack or download it again."
    ]


@pytest.mark.usefixtures("in_ci")
def test_platform_is_chosen_in_ci(
    build: Callable[..., list[Any]], make_charm: MakeCharm, make_packed: MakePacked
) -> None:
    architecture = host_architecture()
    other = {"amd64": "arm64", "arm64": "amd64"}[architecture]
    platforms = {
        "far": {"build-on": [architecture], "build-for": [other]},
        "any-machine": {"build-on": [architecture], "build-for": ["all"]},
    }
    make_charm("charm", base="ubuntu@22.04", platforms=platforms)
    far = make_packed("charm/far.charm", architecture=other)
    near = make_packed("charm/near.charm", architecture="all")
    assert build("--charmcraft-args=--platform=any-machine", builds=[{}]) == [str(near)]
    assert build("--charmcraft-args=--platform", "--charmcraft-args=far", builds=[{}])[0].startswith(
        f"SeveralCharmsError: {far.parent}: several packed charms 'demo' for {other} and ubuntu@22.04:\n"
    )
    (error,) = build("--charmcraft-args=--platform=near", builds=[{}])
    assert error.endswith("charm/charmcraft.yaml: no platform 'near'. It has any-machine, far.")


@pytest.mark.parametrize("arguments", [[], ["--charm-cache"]])
def test_build_is_shared(build: Callable[..., list[Any]], charmcraft: StandIn, arguments: list[str]) -> None:
    first, again, everything = build(*arguments, builds=[{}, {"verbosity": "debug"}, {"return_all": True}])
    assert first == again
    assert everything == [first]
    assert Path(first).name == FILE
    # Whether it returns all may change what it returns.
    assert len(charmcraft.calls) == 2
    build(*arguments, builds=[{}])
    assert len(charmcraft.calls) == (2 if arguments else 3)
    assert "needs juju charmcraft" in "\n".join(build.said)  # type: ignore[attr-defined]


def test_build_that_leaves_no_charm(
    build: Callable[..., list[Any]], charmcraft: StandIn, pytester: pytest.Pytester
) -> None:
    plugin = pytester.path / "operator/pytest_operator/plugin.py"
    plugin.write_text(plugin.read_text().replace("return charms if return_all else charms[0]", "return None"))
    assert build("--charm-cache", builds=[{}, {"return_all": True}]) == [None, []]
    assert len(charmcraft.calls) == 2


def test_build_with_other_arguments_is_another(build: Callable[..., list[Any]], charmcraft: StandIn) -> None:
    for arguments in ([], ["--destructive-mode"], ["--charmcraft-args=--verbose"]):
        build("--charm-cache", *arguments, builds=[{}, {"bases_index": 0}])
    assert len(charmcraft.calls) == 6


def test_build_that_fails_lets_others_build(
    build: Callable[..., list[Any]], charmcraft: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAND_IN_ERROR", "no heart")
    (error, again) = build(builds=[{}, {}])
    assert error == again
    assert error.startswith("CalledProcessError: ")
    monkeypatch.delenv("STAND_IN_ERROR")
    (built,) = build(builds=[{}])
    assert Path(built).name == FILE
    assert len(charmcraft.calls) == 3


def test_builds_at_once_pack_once(
    build: Callable[..., list[Any]], charmcraft: StandIn, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAND_IN_SECONDS", "0.3")
    result = run("-p", "pytest_operator.plugin", "test_build.py::test_at_once")
    result.assert_outcomes(passed=1)
    said = [line for line in result.stdout.lines if line.startswith("charm cache: ")]
    assert len(said) == 2
    assert len(charmcraft.calls) == 1


GROUPS = """
import asyncio

import pytest
from pytest_operator import plugin


@pytest.mark.parametrize(
    "group", [pytest.param(number, marks=pytest.mark.group(number)) for number in range(3)]
)
def test_group(tmp_path, group):
    assert asyncio.run(plugin.OpsTest(tmp_path).build_charm("charm")).exists()
"""


@pytest.mark.long
@pytest.mark.parametrize("jobs", ["1", "3"])
def test_groups_pack_once(
    build: Callable[..., list[Any]],
    charmcraft: StandIn,
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    jobs: str,
) -> None:
    pytester.makepyfile(test_groups=GROUPS)
    monkeypatch.setenv("STAND_IN_SECONDS", "1")
    monkeypatch.setenv("PYTHONPATH", str(pytester.path / "operator"))
    command = [str(Path(sys.executable).parent / "run-groups"), "test_groups.py", f"--jobs={jobs}"]
    # In each run it is packed again.
    for number in (1, 2):
        result = subprocess.run(
            [*command, "--", "-p", "pytest_operator.plugin"], check=False, capture_output=True, text=True
        )
        assert "3 groups passed, 0 failed in " in result.stdout, result.stdout + result.stderr
        assert len(charmcraft.calls) == number
