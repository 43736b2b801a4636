"""What a caller gives to the workflows, as their commands get it, and programs that record how they are called."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML

if TYPE_CHECKING:
    from collections.abc import Callable

WORKFLOWS = Path(__file__).parents[3] / ".github/workflows"


def read_inputs(workflow: str) -> dict[str, dict[str, Any]]:
    """Return the inputs that a workflow declares."""
    inputs: dict[str, dict[str, Any]] = YAML(typ="safe").load(WORKFLOWS / workflow)["on"]["workflow_call"]["inputs"]
    return inputs


@pytest.fixture(scope="session")
def declared() -> dict[str, dict[str, Any]]:
    """Return the inputs that integration_test_charm.yaml declares."""
    return read_inputs("integration_test_charm.yaml")


@pytest.fixture(scope="session")
def declared_build() -> dict[str, dict[str, Any]]:
    """Return the inputs that build_charms_with_cache.yaml declares."""
    return read_inputs("build_charms_with_cache.yaml")


@pytest.fixture
def give(declared: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Any]]:
    """Return a function that sets INPUTS to what GitHub sets it to if a caller tests a charm with these inputs."""

    def give(**given: object) -> dict[str, Any]:
        for name in ("DOCKERHUB_MIRROR", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        charms = {} if "artifact_prefix" in given else {"artifact_name": "charms"}
        return set_inputs(monkeypatch, declared, {"cloud": "lxd", "juju_agent_version": "3.6.12"} | charms | given)

    return give


@pytest.fixture
def give_build(
    declared_build: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., dict[str, Any]]:
    """Return a function that sets INPUTS to what GitHub sets it to if a caller packs charms with these inputs."""
    return lambda **given: set_inputs(monkeypatch, declared_build, given)


def set_inputs(
    monkeypatch: pytest.MonkeyPatch, declared: dict[str, dict[str, Any]], given: dict[str, object]
) -> dict[str, Any]:
    values = {name: each["default"] for name, each in declared.items() if "default" in each}
    values |= {name.replace("_", "-"): value for name, value in given.items()}
    monkeypatch.setenv("INPUTS", json.dumps(values))
    return values


@pytest.fixture
def output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file of a step's outputs."""
    output = tmp_path / "output"
    output.touch()
    monkeypatch.setenv("GITHUB_OUTPUT", str(output))
    return output


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Return a function that puts a program first on PATH. It appends its arguments to a file, and runs a script."""

    def write(name: str, script: str = "") -> Path:
        path = tmp_path / "programs" / name
        record = path.with_suffix(".calls")
        path.parent.mkdir(exist_ok=True)
        path.write_text(f'#!/bin/sh\necho "$*" >> "{record}"\n{script}\n')
        path.chmod(0o755)
        monkeypatch.setenv("PATH", str(path.parent), prepend=os.pathsep)
        return record

    return write


@pytest.fixture
def sudo(program: Callable[..., Path]) -> Path:
    """Put a `sudo` first on PATH that runs its command, like sudo without a password, and return what it records."""
    return program("sudo", 'while [ "${1#-}" != "$1" ]; do shift; done\nexec "$@"')


@pytest.fixture
def fail(capfd: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Return a function that runs a command, which has to end with exit code 1, and returns what it prints."""

    def fail(command: Callable[[list[str]], int], *arguments: str) -> str:
        with pytest.raises(SystemExit) as stop:
            command([*arguments])
        assert stop.value.code == 1
        return capfd.readouterr().out

    return fail
