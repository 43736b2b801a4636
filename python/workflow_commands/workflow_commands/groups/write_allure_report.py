"""The command `write-allure-report`: one HTML file with the Allure results of all groups."""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workflow_commands.common.github import annotate, append

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_TITLE = "No Allure report"
# The folder of the results that `collect-groups` lets pytest write: of each test, with the status unknown.
COLLECTED = "allure-collected"
# How many runs the trends show.
_RUNS = 50


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the report, and return the exit code: 0 also without a report, because the tests decide about the run.

    ALLURE_PACKAGE has the npm package with its version. If there is a report, `artifact=` is appended to GITHUB_OUTPUT:
    the name of its artifact.
    """
    parser = argparse.ArgumentParser(prog="write-allure-report", description=main.__doc__)
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="the artifacts, each in a folder of its name")
    parser.add_argument("--prefix", required=True, help="what the names of the groups' artifacts start with")
    parser.add_argument("--title", required=True, help="the report's title")
    parser.add_argument(
        "--history", type=Path, required=True, help="the file with earlier runs, which gets this one too"
    )
    parser.add_argument("--output", type=Path, required=True, help="the folder of the report")
    options = parser.parse_args(arguments)
    _drop_replaced(options.folder)
    if not any(options.folder.glob("*/allure-results/*-result.json")):
        annotate("warning", _TITLE, "there are no Allure results: no test was collected, or pytest wrote none")
        return 0
    with tempfile.NamedTemporaryFile("w", suffix=".json") as config:
        json.dump({"historyLimit": _RUNS}, config)
        config.flush()
        command = ["npx", "--yes", os.environ["ALLURE_PACKAGE"], "awesome", "--single-file"]
        command += [f"--config={config.name}", f"--cwd={options.folder}", f"--report-name={options.title}"]
        command += [f"--history-path={options.history.absolute()}", f"--output={options.output.absolute()}"]
        environment = os.environ | {"npm_config_ignore_scripts": "true"}
        failed = subprocess.run(command, env=environment, check=False).returncode != 0
    if failed:
        problem = "Allure failed, but the results are in the artifacts of the groups. Read what it printed above"
        annotate("warning", _TITLE, problem)
        return 0
    name = options.prefix.removeprefix("logs-integration-test-charm-")
    append("GITHUB_OUTPUT", f"artifact=allure-report-{name}")
    return 0


def _drop_replaced(folder: Path) -> None:
    """Delete the results with the status unknown of all tests that ran. The folder has one for each artifact."""
    collected = {*folder.glob(f"{COLLECTED}/allure-results/*-result.json")}
    ran = {key for path in {*folder.glob("*/allure-results/*-result.json")} - collected for key in _keys(path)}
    for path in collected:
        if ran.intersection(_keys(path)):
            path.unlink()


def _keys(path: Path) -> Iterator[Any]:
    """Yield what two results of the same test have in common: one is enough."""
    try:
        result = json.loads(path.read_bytes())
    except ValueError:
        return  # pytest was killed while it wrote the file, and Allure ignores it
    yield result.get("historyId")
    yield result.get("fullName"), _values(result.get("parameters", []))


def _values(parameters: Iterable[dict[str, str]]) -> tuple[str, ...]:
    """Return the values of a test's parameters. An object's address is another one in each process."""
    return tuple(re.sub(r"\b0x[0-9a-f]+", "", f"{each['name']}={each['value']}") for each in parameters)
