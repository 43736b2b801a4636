"""The command `finish-groups`: makes the artifact of a runner complete, whatever has happened to its groups."""

from __future__ import annotations

import argparse
import json
import os
from typing import TYPE_CHECKING

from workflow_commands.common.github import annotated_errors
from workflow_commands.groups.runner import Runner

if TYPE_CHECKING:
    from collections.abc import Sequence


@annotated_errors("No artifact")
def main(arguments: Sequence[str] | None = None) -> int:
    """Write job.json for each group of the runner, and return the exit code.

    A group that didn't run to its end gets the job's status, which is in STATUS, and the first of them gets the logs
    that are left. URL has the link of the job's log. Secrets must be masked before: a number in job.json isn't one.
    The outcomes of the tests and the slowest ones are in junit.xml beside it, from which `report-groups` takes them.
    """
    argparse.ArgumentParser(prog="finish-groups", description=main.__doc__).parse_args(arguments)
    runner = Runner.read()
    status = "cancelled" if os.environ["STATUS"] == "cancelled" else "failure"
    for group in runner.groups:
        if not runner.folder(group).exists():
            runner.take_logs(group)
        record = runner.read_record(group) or runner.make_record(group, status=status)
        text = json.dumps({**record, "url": os.environ["URL"]})
        (runner.folder(group) / "job.json").write_text(f"{text}\n", encoding="utf-8")
    return 0
