"""What a job runs: the entry of the matrix, which `plan-groups` made, and the files of its groups."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workflow_commands.common.errors import CommandError


@dataclass(frozen=True)
class Group:
    """A group of tests.

    Attributes:
        name: Its `job_name`.
        path: Its test file.
        id: Its ID.
        folder: The name of its folder in the artifact.
    """

    name: str
    path: str
    id: str
    folder: str


@dataclass(frozen=True)
class Runner:
    """A runner and the groups that it runs one after the other.

    Attributes:
        name: Its name in the report, or "" if it has only one group.
        groups: The groups.
        temp: GitHub's folder for the files of a job.
    """

    name: str
    groups: list[Group]
    temp: Path

    @classmethod
    def read(cls) -> Runner:
        """Return the runner in the variable RUNNER, whose folders start with the text in ARTIFACT.

        Raises:
            CommandError: RUNNER isn't an entry of the matrix.
        """
        try:
            entry = json.loads(os.environ["RUNNER"])
            groups = [
                Group(
                    group["job_name"],
                    group["path_to_test_file"],
                    group["group_id"],
                    f"{os.environ['ARTIFACT']}-{group['artifact_group_id']}",
                )
                for group in entry["groups"]
            ]
            name = entry["artifact_runner_id"].removeprefix("runner-") if len(groups) > 1 else ""
        except (KeyError, TypeError, ValueError) as error:
            problem = f"it isn't an entry of the matrix ({type(error).__name__}: {error})"
            advice = "Set it to what plan-groups has written: ${{ toJSON(matrix.runner) }}"
            raise CommandError(problem, where="RUNNER", advice=advice) from None
        return cls(name, groups, Path(os.environ["RUNNER_TEMP"]))

    @property
    def logs(self) -> Path:
        """The folder for the logs of the group that runs now."""
        return self.temp / "logs"

    def folder(self, group: Group) -> Path:
        """Return the folder of a group in the artifact."""
        return self.temp / "artifact" / group.folder

    def take_logs(self, group: Group) -> None:
        """Make the folder of a group in the artifact out of the logs, whatever the tests have made of them."""
        folder = self.folder(group)
        folder.parent.mkdir(exist_ok=True)
        if self.logs.is_dir() and not self.logs.is_symlink():
            shutil.move(self.logs, folder)
        else:
            self.logs.unlink(missing_ok=True)
            folder.mkdir()

    def make_record(self, group: Group, **values: Any) -> dict[str, Any]:
        """Return what the report needs to know of a group, in addition to these values."""
        key = {"path_to_test_file": group.path, "group_id": group.id}
        shared = {"runner": self.name} if self.name else {}
        attempt = int(os.environ.get("GITHUB_RUN_ATTEMPT", "1"))
        return {**key, **values, "attempt": attempt, "commit": os.environ.get("GITHUB_SHA", ""), **shared}

    def write_record(self, group: Group, record: dict[str, Any]) -> None:
        """Keep the record of a group for `finish-groups`."""
        path = self._record_path(group)
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(record), encoding="utf-8")

    def read_record(self, group: Group) -> dict[str, Any] | None:
        """Return the record of a group, or None if it didn't run to its end."""
        path = self._record_path(group)
        record: dict[str, Any] | None = json.loads(path.read_bytes()) if path.exists() else None
        return record

    def _record_path(self, group: Group) -> Path:
        return self.temp / "records" / f"{group.folder}.json"
