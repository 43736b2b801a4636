"""The groups of a suite as JSON: a list with an object for each group."""

from __future__ import annotations

import json
import os
import shlex
from collections import Counter
from typing import TYPE_CHECKING, Any

from pytest_operator_groups.common.errors import GroupsError
from pytest_operator_groups.formats.records import Key

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pytest_operator_groups.suite.groups import Group

# https://docs.github.com/actions/reference/limits#existing-system-limits
MAX_JOBS_IN_A_MATRIX = 256
# GitHub refuses an artifact's name of over 256 characters. A workflow may add to ours, so half of them are left to it.
MAX_ARTIFACT_NAME = 128
# Every version of the plugin writes them.
_KEYS = ("job_name", "artifact_group_id")


def write_matrix(groups: Sequence[Group], max_groups: int) -> str:
    """Return the groups as JSON. It is a GroupsError if there are more than `max_groups`. 0 stands for any number."""
    if 0 < max_groups < len(groups):
        per_file = Counter(group.path for group in groups)
        commands = [
            f"  pytest {shlex.quote(path)} --collect-groups  # {n} groups" for path, n in per_file.most_common(3)
        ]
        raise GroupsError(
            f"{len(groups)} groups are more than the {max_groups} jobs that GitHub starts for one matrix"
            if max_groups == MAX_JOBS_IN_A_MATRIX
            else f"{len(groups)} groups are more than --max-groups={max_groups}",
            advice="Give more tests the same @pytest.mark.group(ID), let groups share runners (in "
            "integration_test_charm.yaml: max-runners: 60; elsewhere: --max-groups=0, and then plan-groups "
            "--max-runners 60), or collect the suite in parts, for example:\n" + "\n".join(commands),
        )
    names = [group.artifact_name for group in groups]
    # Some file systems don't tell upper case from lower case.
    uses = Counter(map(str.casefold, names))
    return json.dumps(
        [
            {
                "path_to_test_file": group.path,
                "group_number": group.number,
                "job_name": group.name,
                "group_id": group.id,
                "artifact_group_id": name
                if uses[name.casefold()] == 1 and len(name) <= MAX_ARTIFACT_NAME
                else _unique_artifact_name(group),
                "runner": group.runner,
            }
            for group, name in zip(groups, names, strict=True)
        ]
    )


def read_groups(path: Path | None) -> list[dict[str, Any]]:
    """Return the groups in JSON of `write_matrix`, also of earlier versions. Without a path, TEST_GROUPS has it.

    It is a GroupsError if it can't be read, or is something else.
    """
    if path is None:
        if text := os.environ.get("TEST_GROUPS"):
            return _parse(text, "TEST_GROUPS")
        raise GroupsError(
            "this environment variable is not set",
            where="TEST_GROUPS",
            advice="Set it to the JSON list that pytest --collect-groups writes, or name a file with it: --groups FILE",
        )
    try:
        content = path.read_bytes()
    except OSError as error:
        raise GroupsError(
            f"this file can't be read: {error.strerror}",
            where=str(path),
            advice="Name the file with the JSON list that pytest --collect-groups writes: --groups FILE",
        ) from None
    return _parse(content, str(path))


def group_key(group: Mapping[str, Any]) -> Key:
    """Return what tells a group of the JSON from all others."""
    # Earlier versions had fewer keys.
    group_id = group.get("group_id", group.get("group_number", ""))
    return Key(str(group.get("path_to_test_file", group["job_name"])), str(group_id))


def runner_kind(group: Mapping[str, Any]) -> frozenset[str]:
    """Return the labels of a group's runner, in no order; empty for the workflow's default."""
    labels = group.get("runner") or []
    return frozenset([labels] if isinstance(labels, str) else labels)


def _parse(text: str | bytes, where: str) -> list[dict[str, Any]]:
    problem = "this is not the JSON list that pytest --collect-groups writes"
    try:
        groups = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise GroupsError(f"{problem} ({error})", where=where) from None
    if not isinstance(groups, list) or not all(
        isinstance(group, dict) and all(isinstance(group.get(key), str) for key in _KEYS) for group in groups
    ):
        raise GroupsError(f"{problem} (each group is an object with {' and '.join(_KEYS)})", where=where)
    for group in groups:
        labels = group.get("runner") or []
        if not isinstance(labels, (str, list)) or not all(isinstance(label, str) for label in labels):
            raise GroupsError(f"{problem} (runner is null, a label or a list of labels)", where=where)
    return groups


def _unique_artifact_name(group: Group) -> str:
    return f"{group.artifact_name[: MAX_ARTIFACT_NAME - 9]}-{Key(group.path, group.id).digest}"
