"""Runs callers' workflows with act on this machine. Stand-ins replace what only GitHub has."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[2]
STAND_INS = Path(__file__).parent / "stand_ins"
WORKFLOWS = ROOT / ".github/workflows"
ACT = ROOT / ".tools/go/act"
REPOSITORY = "canonical/data-platform-workflows"
POETRY = Path(sys.executable).with_name("poetry")
LABELS = ("ubuntu-24.04", "ubuntu-24.04-arm", "self-hosted")
# A charm that is packed in a second.
CHARM = """\
name: {name}
type: charm
summary: A charm
description: A charm of the tests
parts: {{files: {{plugin: dump, source: ., stage: [-charmcraft.yaml]}}}}
platforms: {{"{platform}": null}}
"""
# On GitHub, `./` in a workflow is the workflow's own repository. For act, it is the caller's: each gets this file.
CALLED = {".github/workflows/build_charms_with_cache.yaml": (WORKFLOWS / "build_charms_with_cache.yaml").read_text()}
YAML = "".join(path.read_text() for path in sorted(WORKFLOWS.glob("*.yaml")))


@dataclass
class Run:
    """The result of a run on act."""

    code: int
    events: list[dict[str, Any]]
    artifacts: Path

    @cached_property
    def log(self) -> str:
        """All that GitHub would show of the run."""
        return "".join(f"{event.get('msg', '').rstrip()}\n" for event in self.events)

    @cached_property
    def jobs(self) -> dict[str, str]:
        """The result of each job that ran, by the last part of its name."""
        ended = {event["job"] for event in self.events if "jobResult" in event}
        # act gives all jobs of a matrix the worst result of them.
        failed = {event["job"] for event in self.events if event.get("stepResult") == "failure"}
        return {_last_part(job): "failure" if job in failed else "success" for job in ended}

    def output(self, job: str = "", step: str = "") -> str:
        """What the steps of a name printed, in the jobs whose name holds a text."""
        return "".join(
            event["msg"]
            for event in self.events
            if event.get("raw_output") and job in event["job"] and event.get("step", "").startswith(step)
        )

    def files(self, artifact: str) -> dict[str, Path]:
        """The files of an artifact, by their path inside."""
        folder = self.artifacts / artifact
        return {str(path.relative_to(folder)): path for path in sorted(folder.rglob("*")) if path.is_file()}

    def logs(self, artifact: str) -> dict[str, Path]:
        """The files of a group's artifact, by their path in its one folder."""
        return {name.removeprefix(f"{artifact}/"): path for name, path in self.files(artifact).items()}

    @cached_property
    def errors(self) -> list[str]:
        """The annotations that say what went wrong."""
        return re.findall(r"::error title=[^:]*::(.*)", self.log)

    @cached_property
    def names(self) -> list[str]:
        """The names of the artifacts."""
        return sorted(path.name for path in self.artifacts.iterdir())


@dataclass
class Machine:
    """A machine on which act runs jobs.

    Attributes:
        environment: The variables of every job.
        served: The repositories that act doesn't have to fetch, by `OWNER/NAME@REF`.
    """

    folder: Path
    environment: dict[str, str]
    served: dict[str, Path]
    runs: int = 0

    def lock(self, project: str) -> str:
        """Return the uv.lock of a pyproject.toml."""
        folder = self.folder / "lock"
        folder.mkdir(exist_ok=True)
        (folder / "pyproject.toml").write_text(project)
        environment = self.environment | {"HOME": str(self.folder / "home")}
        subprocess.run([environment["E2E_UV"], "lock", "--quiet"], cwd=folder, env=environment, check=True)
        return (folder / "uv.lock").read_text()

    def poetry_lock(self, repository: Path) -> None:
        """Commit a poetry.lock to a repository."""
        environment = self.environment | {"HOME": str(self.folder / "home")}
        # Poetry can read a mirror of PyPI that only answers in HTML if the mirror is a source of the project.
        program = "from poetry.repositories.pypi_repository import PyPiRepository as Index; print(Index().url)"
        index = subprocess.run(
            [sys.executable, "-c", program], check=True, capture_output=True, text=True
        ).stdout.strip()
        for arguments in (["source", "add", "--priority=primary", "index", index], ["lock"]):
            subprocess.run([POETRY, *arguments, "--quiet"], cwd=repository, env=environment, check=True)
        commit(repository)

    def run(
        self,
        caller: Path,
        event: str = "pull_request",
        secrets: Mapping[str, str] | None = None,
        inputs: Mapping[str, str] | None = None,
        variables: Mapping[str, str] | None = None,
        cache: Path | None = None,
    ) -> Run:
        """Run the workflows of a caller's repository for an event."""
        self.runs += 1
        folder = self.folder / str(self.runs)
        artifacts = folder / "artifacts"
        artifacts.mkdir(parents=True)
        payload = folder / "event.json"
        payload.write_text(json.dumps({"inputs": dict(inputs or {})}))
        command = [
            str(ACT),
            event,
            "--json",
            "--eventpath",
            str(payload),
            "--secret-file=",
            "--var-file=",
            "--env-file=",
        ]
        command += [f"--platform={label}=-self-hosted" for label in LABELS]
        command += [f"--local-repository={name}={path}" for name, path in self.served.items()]
        command += ["--cache-server-addr=127.0.0.1", f"--cache-server-path={cache or folder / 'cache'}"]
        command += [f"--secret={name}={value}" for name, value in (secrets or {}).items()]
        command += [f"--var={name}={value}" for name, value in (variables or {}).items()]
        own = {
            "E2E_ARTIFACTS": str(artifacts),
            "E2E_PROCESSES": str(folder / "processes"),
            "HOME": str(shutil.copytree(self.folder / "home", folder / "home", symlinks=True)),
        }
        environment = self.environment | own
        output = folder / "act.jsonl"
        try:
            with output.open("wb") as file:
                code = subprocess.run(
                    command,
                    cwd=caller,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=file,
                    stderr=file,
                    check=False,
                ).returncode
        finally:
            with suppress(FileNotFoundError):
                for process in (folder / "processes").read_text().split():
                    with suppress(ProcessLookupError):
                        os.killpg(int(process), signal.SIGTERM)
        lines = output.read_text().splitlines()
        return Run(code, [json.loads(line) if line.startswith("{") else {"msg": line} for line in lines], artifacts)


def _last_part(job: str) -> str:
    """Return the name of a job, without the names of its callers, and without the number that act adds in a matrix."""
    return re.sub(
        r"-\d+$", "", re.split(r"/(?=[A-Z]|juju |amd64|arm64|runner \d|[^|]*\.py \| group )", job.rstrip())[-1]
    )


def commit(folder: Path) -> None:
    """Commit all files of a repository."""
    git(folder, "add", "--all")
    git(folder, "-c", "user.name=Test", "-c", "user.email=test@example.com", "commit", "--quiet", "--message=Test")


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=folder, check=True)
