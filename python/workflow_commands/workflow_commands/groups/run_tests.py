"""The groups of a runner, one after the other, and what is left of them: `run-tests` and `finish-groups`."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import chain, repeat
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_operator_groups.formats.records import JobFile

from workflow_commands.common.command import pytest_command, select_tests
from workflow_commands.common.github import CommandError, annotate, annotated_errors, collapsed
from workflow_commands.common.inputs import read_inputs
from workflow_commands.groups.process import Cancelled, Processes, end_session
from workflow_commands.juju import models

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workflow_commands.groups.process import Ended

# tox kills pytest half a second after SIGINT, unless told otherwise: https://tox.wiki/en/stable/config.html#suicide_timeout
_LET_TOX_WAIT = "testenv.suicide_timeout=55;env_run_base.suicide_timeout=55"
_RESULTS = {"success": "passed", "failure": "failed", "timed_out": "timed out", "cancelled": "cancelled"}
# The seconds from SIGTERM to SIGKILL for what a group has left running.
_KILL_AFTER = 5.0


@annotated_errors("No tests")
def run_tests(arguments: Sequence[str] | None = None) -> int:
    """Run each group of the runner in a pytest process of its own, and return the exit code: 1 if a group failed.

    With a cloud, they run in the groups of this user that can use it. The entry of the matrix is in the variable
    RUNNER. Each group's logs become a folder in RUNNER_TEMP/artifact. The processes that a group leaves are ended.
    Before the next group, the models are destroyed that were not there before the first one.
    """
    parser = argparse.ArgumentParser(prog="run-tests", description=run_tests.__doc__)
    parser.add_argument("--model-options", default="", help="from `collect-groups`")
    parser.add_argument("--allure", default="", help="`true` to write results for Allure, from `collect-groups`")
    parser.add_argument("--juju-shim", type=Path, help="the folder of `keep-juju-logs`, whose `juju` the tests use")
    options = parser.parse_args(arguments)
    values, runner = read_inputs(), Runner.read()
    models = Models(options.juju_shim, shlex.split(options.model_options)) if values["cloud"] != "none" else None
    # The caller's own come last: tox takes the last one of a setting.
    os.environ["TOX_OVERRIDE"] = ";".join(filter(None, [_LET_TOX_WAIT, os.environ.get("TOX_OVERRIDE", "").strip(";")]))
    processes = Processes(runner.temp / "process")
    results: list[str] = []
    with suppress(Cancelled):
        for group in runner.groups:
            if models and results:
                models.restore()
            with collapsed(group.name, when=len(runner.groups) > 1):
                command = pytest_command(values, _pytest_arguments(runner, group, options))
                ended = processes.run(command, 60 * values["test-timeout"], in_new_groups=models is not None)
                results.append(_RESULTS[ended.status])
                try:
                    if left := end_session(ended.session, _KILL_AFTER):
                        print(f"Ended {left} process{'es' * (left > 1)} that {group.name} had left running", flush=True)
                    if models and not processes.is_cancelled:
                        models.save(runner.logs)
                finally:
                    runner.take_logs(group)
                    runner.write_record(group, ended.status, ended)
            if ended.status == "timed_out":
                problem = f"the tests took more than {values['test-timeout']:g} minutes, and were stopped"
                advice = "Split the group, or raise `test-timeout`"
                annotate("error", "Timeout", str(CommandError(problem, where=group.name, advice=advice)))
            if processes.is_cancelled:
                break
    if runner.name:
        for group, result in zip(runner.groups, chain(results, repeat("did not run")), strict=False):
            print(f"{group.name}: {result}")
    return 0 if results == ["passed"] * len(runner.groups) else 1


@annotated_errors("No artifact")
def finish_groups(arguments: Sequence[str] | None = None) -> int:
    """Write job.json for each group of the runner, and return the exit code.

    A group that didn't run to its end gets the job's status, which is in STATUS, and the first of them gets the logs
    that are left. URL has the link of the job's log. Secrets must be masked before: a number in job.json isn't one.
    The outcomes of the tests and the slowest ones are in junit.xml beside it, from which `report-groups` takes them.
    """
    argparse.ArgumentParser(prog="finish-groups", description=finish_groups.__doc__).parse_args(arguments)
    runner = Runner.read()
    status = "cancelled" if os.environ["STATUS"] == "cancelled" else "failure"
    for group in runner.groups:
        if not group.folder.exists():
            runner.take_logs(group)
        if not group.record.exists():
            runner.write_record(group, status)
        replace(JobFile.read(group.record), url=os.environ["URL"]).write(group.folder / "job.json")
    return 0


@dataclass(frozen=True)
class Group:
    """A group of tests, and its files in the job."""

    name: str
    path: str
    id: str
    folder: Path  # in the artifact
    record: Path  # for `finish-groups`


@dataclass(frozen=True)
class Runner:
    """What a job runs: the entry of the matrix, which `plan-groups` made. The name is "" if it has only one group."""

    name: str
    groups: list[Group]
    temp: Path

    @classmethod
    def read(cls) -> Runner:
        """Return the runner in the variable RUNNER. Its groups' folders have names that start with ARTIFACT."""
        try:
            entry = json.loads(os.environ["RUNNER"])
            temp = Path(os.environ["RUNNER_TEMP"])
            groups = []
            for group in entry["groups"]:
                folder = f"{os.environ['ARTIFACT']}-{group['artifact_group_id']}"
                files = temp / "artifact" / folder, temp / "records" / f"{folder}.json"
                groups.append(Group(group["job_name"], group["path_to_test_file"], group["group_id"], *files))
            name = entry["artifact_runner_id"].removeprefix("runner-") if len(groups) > 1 else ""
        except (KeyError, TypeError, ValueError) as error:
            problem = f"it isn't an entry of the matrix ({type(error).__name__}: {error})"
            advice = "Set it to what plan-groups has written: ${{ toJSON(matrix.runner) }}"
            raise CommandError(problem, where="RUNNER", advice=advice) from None
        return cls(name, groups, temp)

    @property
    def logs(self) -> Path:
        """The folder for the logs of the group that runs now."""
        return self.temp / "logs"

    def take_logs(self, group: Group) -> None:
        """Make the folder of a group in the artifact out of the logs, whatever the tests have made of them."""
        group.folder.parent.mkdir(exist_ok=True)
        if self.logs.is_dir() and not self.logs.is_symlink():
            shutil.move(self.logs, group.folder)
        else:
            self.logs.unlink(missing_ok=True)
            group.folder.mkdir()

    def write_record(self, group: Group, status: str, ended: Ended | None = None) -> None:
        """Keep what the report needs to know of a group, in addition to what its junit.xml says."""
        attempt, commit = int(os.environ.get("GITHUB_RUN_ATTEMPT", "1")), os.environ.get("GITHUB_SHA", "")
        job = JobFile(group.path, group.id, status, attempt=attempt, commit=commit, runner=self.name)
        if ended:
            # The set-up of a shared runner belongs to its first group.
            started = float((self.temp / "started").read_text()) if group == self.groups[0] else None
            job = replace(job, started=started, tests_started=ended.started, tests_ended=ended.ended)
        group.record.parent.mkdir(exist_ok=True)
        job.write(group.record)


class Models:
    """Juju's models, between the groups of a runner.

    Args:
        shim: The folder of a `juju` that saves the logs of models that it destroys, or None.
        options: pytest-operator's. With --model, all groups would use the same model.
    """

    def __init__(self, shim: Path | None, options: Sequence[str]) -> None:
        self._juju = models.find_juju()
        # The logs are saved already when models are destroyed here.
        self._real_juju = models.find_juju(behind=shim)
        self._given = next((option.removeprefix("--model=") for option in options if option.startswith("--model=")), "")
        self._before = {*models.list_models(self._juju)}
        self._current = models.current_model(self._juju)

    def save(self, logs: Path) -> None:
        """Save the logs of all models."""
        try:
            models.save_all(self._juju, logs)
        except OSError as error:  # the disk can be full, and the results are still worth something
            annotate("warning", "No logs", f"the logs of models are lost: {error}")

    def restore(self) -> None:
        """Destroy the models that the last group left, and select the model of the beginning."""
        for model in [*models.list_models(self._juju)]:
            if model in self._before and model.rpartition("/")[2] != self._given:
                continue
            print(f"destroying {model}", flush=True)
            if not models.destroy(self._real_juju, model):
                annotate("warning", "A model is left", f"`juju` can't destroy {model}. The next group finds it")
            elif model in self._before:
                models.add(self._juju, model)
        if self._current:
            models.switch(self._juju, self._current)


def _pytest_arguments(runner: Runner, group: Group, options: argparse.Namespace) -> list[str]:
    arguments = [group.path, f"--group={group.id}", f"--junit-xml={runner.logs}/junit.xml"]
    arguments += [*select_tests(), *shlex.split(options.model_options)]
    return [*arguments, f"--alluredir={runner.logs}/allure-results"] if options.allure == "true" else arguments
