"""The command `check-inputs`: finds what is wrong with the inputs of integration_test_charm.yaml."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from workflow_commands.common.github import CommandError, annotate, annotated_errors, append
from workflow_commands.common.inputs import TITLE, Inputs, problems, quote, read_inputs, warnings

if TYPE_CHECKING:
    from collections.abc import Sequence


@annotated_errors(TITLE)
def main(arguments: Sequence[str] | None = None) -> int:
    """Annotate the run with what is wrong with the workflow's inputs, and return the exit code.

    If nothing is wrong, three lines are appended to GITHUB_OUTPUT: `artifact=`, what the artifacts' names start with,
    `runner=`, the `runs-on` of groups without a runner as JSON, and `title=`, what the jobs' names start with.
    """
    argparse.ArgumentParser(prog="check-inputs", description=main.__doc__).parse_args(arguments)
    values = read_inputs()
    found = [*problems(values)]
    if values["concierge-file"] and not Path(values["concierge-file"]).is_file():
        problem = f"the repository has no file {quote(values['concierge-file'])}"
        advice = "It must be the path of a file, from the repository's root"
        found.append(CommandError(problem, where="`concierge-file`", advice=advice))
    annotate("error", TITLE, *map(str, found))
    if found:
        return 1
    annotate("warning", TITLE, *warnings(values))
    if values["_beta_allure_report"]:
        annotate("notice", TITLE, "`_beta_allure_report`: its new name is `allure-report`. Rename it")
    inputs = Inputs.read(values)
    runner = json.dumps(inputs.labels)
    append("GITHUB_OUTPUT", f"artifact={inputs.artifact}", f"runner={runner}", f"title={inputs.title}")
    return 0
