"""Charms, packed by the real charmcraft and by hand, and pytest as charm authors run it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import filelock
import pytest
import yaml
from pytest_operator_cache.charm.charmcraft import host_architecture

ROOT = Path(__file__).parents[4]
CHARMCRAFT = ROOT / "tests/bin/charmcraft"

# What shuffles the tests, what can't be imported again and again in one process, and what takes long to import.
WITHOUT = "-p no:randomly -p no:hypothesispytest -p no:anyio"
# What charmcraft needs to pack a charm without installing anything.
SOURCE = {
    "type": "charm",
    "summary": "A charm",
    "description": "A charm of the tests",
    "parts": {"files": {"plugin": "dump", "source": ".", "stage": ["-charmcraft.yaml"]}},
}
STAND_IN = Path(__file__).parent / "charmcraft_stand_in.py"
# charmcraft is asked for its version often, and a shell starts faster than Python.
SHELL = """#!/bin/sh
[ "$1" != version ] || exec echo "charmcraft ${STAND_IN_VERSION:-4.5.0}"
"""

MakeCharm: TypeAlias = Callable[..., Path]
MakePacked: TypeAlias = Callable[..., Path]
RealCharm: TypeAlias = Callable[..., Path]
Run: TypeAlias = Callable[..., pytest.RunResult]
MakeEnvironment: TypeAlias = Callable[..., Path]


OPERATOR_SUITE = """
import asyncio
import json
import os
from pathlib import Path

import pytest
from pytest_operator.plugin import OpsTest


@pytest.fixture
def ops_test(request, tmp_path_factory):
    return OpsTest(request, tmp_path_factory)  # the fixture of this name asks for a controller


def test_build_charm(ops_test):
    results = []
    for charm, arguments in json.loads(os.environ["BUILDS"]):
        try:
            built = asyncio.run(ops_test.build_charm(charm, **arguments))
            results.append([str(path) for path in built] if isinstance(built, list) else str(built))
        except Exception as error:
            results.append(f"{type(error).__name__}: {error}")
    Path("results").write_text(json.dumps(results))


def test_build_charms(ops_test):
    built = asyncio.run(ops_test.build_charms(*json.loads(os.environ["BUILDS"])))
    Path("results").write_text(json.dumps({name: str(path) for name, path in built.items()}))
"""


@dataclass
class OperatorSuite:
    """A suite that builds charms with a version of the real pytest-operator, in processes of its own."""

    folder: Path
    python: Path

    def run(self, *args: str, **variables: str) -> str:
        """Run pytest, and return what it prints."""
        result = subprocess.run(
            [self.python, "-m", "pytest", *args],
            cwd=self.folder,
            env=os.environ | variables,
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return result.stdout

    def build(self, builds: list[tuple[str, dict[str, Any]]], *args: str) -> Any:
        """Call build_charm with each charm and its arguments, and return what it returns or raises."""
        return self._call("test_build_charm", builds, *args)

    def build_charms(self, *charms: str) -> Any:
        """Call build_charms, and return what it returns."""
        return self._call("test_build_charms", charms)

    def _call(self, test: str, builds: object, *args: str) -> Any:
        (self.folder / "test_build.py").write_text(OPERATOR_SUITE)
        output = self.run(f"test_build.py::{test}", *args, BUILDS=json.dumps(builds))
        assert "1 passed" in output, output
        self.output = output
        return json.loads((self.folder / "results").read_text())


@dataclass
class StandIn:
    """The stand-in for charmcraft: where it writes down what it was asked to pack."""

    folder: Path

    @property
    def calls(self) -> list[list[str]]:
        """The folder and the arguments of each time that it has packed."""
        log = self.folder / "calls"
        return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


@pytest.fixture
def pytester(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """Run pytest in the order of the file, and start it quickly."""
    monkeypatch.setenv("PYTEST_ADDOPTS", WITHOUT)
    return pytester


@pytest.fixture(autouse=True)
def on_laptop(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Be on no CI, and with an empty cache: never with that of the user who runs the tests."""
    for name in ("CI", "GITHUB_OUTPUT", "PYTEST_ADDOPTS", "CHARM_PATH", "CRAFT_ARTIFACT", "CRAFT_BUILD_ENVIRONMENT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")


@pytest.fixture
def make_charm(pytester: pytest.Pytester) -> MakeCharm:
    """Write the source of a charm below the directory that pytest is started in."""

    def make(path: str = ".", name: str = "demo", **project: Any) -> Path:
        return write_charm(pytester.path / path, name, **project)

    return make


@pytest.fixture
def make_packed(pytester: pytest.Pytester) -> MakePacked:
    """Write a packed charm by hand, which says of itself what it is told to."""

    def make(path: str, name: str = "demo", base: str = "ubuntu@22.04", architecture: str = "") -> Path:
        distribution, _, channel = base.partition("@")
        bases = [{"name": distribution, "channel": channel, "architectures": [architecture or host_architecture()]}]
        packed = pytester.path / path
        packed.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("metadata.yaml", yaml.safe_dump({"name": name}))
            archive.writestr("manifest.yaml", yaml.safe_dump({"bases": bases}))
            archive.writestr("src/charm.py", "#!/usr/bin/env python3\n")
        return packed

    return make


@pytest.fixture
def real_charm(request: pytest.FixtureRequest) -> RealCharm:
    """Pack a platform of a charm with the real charmcraft, once for all runs of these tests."""

    def pack(platform: str, name: str = "demo", **project: Any) -> Path:
        skip_without_charmcraft()
        assert request.config.cache is not None
        known = json.dumps([CHARMCRAFT.read_text(), platform, name, project], sort_keys=True)
        folder = request.config.cache.mkdir("charms") / hashlib.sha256(known.encode()).hexdigest()[:16]
        with filelock.FileLock(f"{folder}.lock"):
            if not list(folder.glob("*.charm")):
                shutil.rmtree(folder, ignore_errors=True)
                write_charm(folder, name, **project)
                arguments = [f"--platform={platform}"] if platform else []
                environment = os.environ | {"CRAFT_BUILD_ENVIRONMENT": "host"}
                subprocess.run([CHARMCRAFT, "pack", *arguments], cwd=folder, env=environment, check=True)
        (packed,) = folder.glob("*.charm")
        return packed

    return pack


@pytest.fixture
def run(pytester: pytest.Pytester) -> Run:
    """Run pytest in this process, in the order of the file."""

    def run_pytest(*args: str) -> pytest.RunResult:
        return pytester.runpytest_inprocess("-W", "error", *args)

    return run_pytest


@pytest.fixture
def charmcraft(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """Put the stand-in for charmcraft on PATH."""
    folder = tmp_path_factory.mktemp("bin")
    (folder / "charmcraft").write_text(f'{SHELL}exec python3 -S "{STAND_IN}" "{folder}/calls" "$@"\n')
    (folder / "charmcraft").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    return StandIn(folder)


@pytest.fixture
def real_charmcraft(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Put the real charmcraft on PATH, as it packs on the machine itself, with a home outside the charm."""
    skip_without_charmcraft()
    assert pytester.path != tmp_path  # it has made itself the home
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(CHARMCRAFT.parent), prepend=os.pathsep)
    monkeypatch.setenv("CRAFT_BUILD_ENVIRONMENT", "host")


@pytest.fixture(scope="session", params=["0.28.0", "0.39.0", "0.43.2"])
def operator_python(request: pytest.FixtureRequest, make_environment: MakeEnvironment) -> Path:
    """Return a Python with a version of the real pytest-operator, and with run-groups."""
    groups = Path(__file__).parents[2] / "pytest_operator_groups"
    # The newest pytest that it works with.
    version = min(pytest.__version__, "8.4.2")
    return make_environment(
        "pytest_operator_cache",
        f"pytest-operator-groups[run] @ {groups.as_uri()}",
        f"pytest-operator=={request.param}",
        "pytest-asyncio==0.21.2",
        pytest_version=version,
    )


@pytest.fixture
def operator_suite(pytester: pytest.Pytester, operator_python: Path) -> OperatorSuite:
    return OperatorSuite(pytester.path, operator_python)


def skip_without_charmcraft() -> None:
    if not (ROOT / ".tools/charmcraft/bin/charmcraft").exists():
        pytest.skip("the real charmcraft is not here: make charmcraft")


def write_charm(folder: Path, name: str, **project: Any) -> Path:
    (folder / "src").mkdir(parents=True, exist_ok=True)
    (folder / "src/charm.py").write_text("#!/usr/bin/env python3\n")
    if not {"bases", "platforms"} & project.keys():
        project |= {"base": "ubuntu@22.04", "platforms": {host_architecture(): None}}
    (folder / "charmcraft.yaml").write_text(yaml.safe_dump({"name": name, **SOURCE, **project}))
    return folder
