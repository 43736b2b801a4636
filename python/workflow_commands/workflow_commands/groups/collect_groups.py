"""The command `collect-groups`: finds the groups, and the options that their runs need."""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from workflow_commands.common.command import pytest_command, read_help, select_tests
from workflow_commands.common.github import CommandError, annotate, annotated_errors, append
from workflow_commands.common.inputs import read_environment, read_inputs, wants_allure
from workflow_commands.groups.write_allure_report import COLLECTED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


@annotated_errors("No groups")
def main(arguments: Sequence[str] | None = None) -> int:
    """Let the caller's pytest collect the groups, and return its exit code.

    pytest writes their JSON to a file. The plugins of earlier releases append the line `groups=JSON` to GITHUB_OUTPUT,
    or print the JSON if they don't know that variable, and this command writes the file. If there are groups, and they
    need Juju, `model-options=` is appended to GITHUB_OUTPUT: the options that keep the models of pytest-operator, for
    `run-tests`. For an Allure report, pytest also writes a result of each test, and `allure=true` is appended.
    """
    parser = argparse.ArgumentParser(prog="collect-groups", description=main.__doc__)
    # The JSON of many groups is too long for a variable: https://man7.org/linux/man-pages/man2/execve.2.html
    parser.add_argument("file", metavar="FILE", type=Path, help="where to write the JSON of the groups, for the report")
    file = parser.parse_args(arguments).file.absolute()
    file.unlink(missing_ok=True)
    values = read_inputs()
    environment = os.environ | read_environment(values)
    pytest_help = read_help(values, environment)
    options = [values["test-directory"], "--collect-groups", *select_tests()]
    if pytest_help and "--groups-file" in pytest_help:
        options.append(f"--groups-file={file}")
    # Groups that share runners may be more than the jobs of a matrix. The plugins of v29 have no limit, and no option.
    if values["max-runners"] and pytest_help and "--max-groups" in pytest_help:
        options.append("--max-groups=0")
    has_allure = wants_allure(values) and _has_allure(pytest_help)
    if has_allure:
        options.append(f"--alluredir={os.environ['RUNNER_TEMP']}/collected/{COLLECTED}/allure-results")
    code, printed = _run(pytest_command(values, options), environment)
    if code != 0:
        return code
    if not file.exists():
        if not (groups := _read_output() or printed):
            raise CommandError(
                "pytest succeeded, but wrote no groups for GitHub",
                advice="Let `test-command` print what pytest prints, or pass the variable GITHUB_OUTPUT on to pytest",
            )
        file.write_text(f"{groups}\n", encoding="utf-8")
    if has_allure:
        append("GITHUB_OUTPUT", "allure=true")
    if values["cloud"] != "none" and file.read_text(encoding="utf-8") != "[]\n":
        append("GITHUB_OUTPUT", f"model-options={' '.join(_select_model_options(pytest_help, values['architecture']))}")
    return 0


def _run(command: Sequence[str], environment: Mapping[str, str]) -> tuple[int, str]:
    """Run a command, pass on what it prints, and return its exit code and the groups in what it printed."""
    groups = ""
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as process:
        for line in process.stdout or ():
            sys.stdout.buffer.write(line)
            sys.stdout.buffer.flush()
            groups = _parse_groups(line) or groups
    return process.returncode, groups


def _parse_groups(line: bytes) -> str:
    """Return the JSON of a line that contains nothing but the groups. tox, uv and the suite print other lines."""
    # A terminal's colours can be around it.
    text = re.sub(r"\x1b\[[\d;]*m", "", line.decode(errors="replace")).strip().removeprefix("groups=")
    try:
        groups = json.loads(text)
    except ValueError:
        return ""
    is_list = isinstance(groups, list) and all(isinstance(group, dict) for group in groups)
    return text if is_list and all("path_to_test_file" in group for group in groups) else ""


def _read_output() -> str:
    """Return the JSON in GITHUB_OUTPUT; "" if pytest wrote none."""
    if path := os.environ.get("GITHUB_OUTPUT"):
        for line in Path(path).read_text(encoding="utf-8").splitlines():
            if line.startswith("groups="):
                return line.removeprefix("groups=")
    return ""


def _has_allure(pytest_help: str | None) -> bool:
    """Return whether pytest's help has allure-pytest's option. Without it, a warning says so."""
    if "--alluredir" in (pytest_help or ""):
        return True
    problem = "`allure-report`: pytest has no option --alluredir. Install allure-pytest where the tests run"
    annotate("warning", "No Allure report", problem)
    return False


def _select_model_options(pytest_help: str | None, architecture: str) -> Iterator[str]:
    """Yield the options in pytest's help that keep the models of pytest-operator until their logs are saved."""
    if pytest_help is None:
        problem = "`test-command` fails with --help, so the logs of models that pytest-operator destroys are lost"
        annotate("warning", "No options", problem)
    # Only pytest-operator has the first one. Another suite's pytest would refuse them, or take them for something else.
    elif "--model-alias" in pytest_help and "--keep-models" in pytest_help:
        yield "--keep-models"
        # Juju deploys for amd64 in all models but this one: concierge makes it for the machine's architecture.
        if architecture != "amd64":
            yield "--model=testing"
