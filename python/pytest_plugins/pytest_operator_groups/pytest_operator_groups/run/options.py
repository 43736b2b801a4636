"""The command line of `run-groups`."""

from __future__ import annotations

import argparse
import os
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_operator_groups.common.arguments import check_paths, split
from pytest_operator_groups.run.defaults import set_defaults
from pytest_operator_groups.run.job import PYTEST

if TYPE_CHECKING:
    from collections.abc import Sequence


def read_options(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line. An error in it ends the process with exit code 2."""
    own, of_pytest = split(arguments)
    parser = argparse.ArgumentParser(
        prog="run-groups",
        usage="%(prog)s [PATH ...] [--failed] [--jobs N] [--timeout SECONDS] [--grace SECONDS] [--results DIR] "
        "[--test-command COMMAND] [--follow GROUP] [-- PYTEST ARGUMENTS]",
        description="Collect the groups of a suite, and run each as CI does: pytest FILE --group=ID.",
        epilog="The arguments after -- go to each pytest process. Defaults can be in [tool.run-groups] of "
        "pyproject.toml: the names of the options without the hyphens before them, and paths.",
        allow_abbrev=False,
    )
    parser.add_argument("paths", metavar="PATH", nargs="*", help="a test file or a directory (default: pytest's own)")
    parser.add_argument(
        "--jobs",
        metavar="N",
        type=_number_of_jobs,
        default=os.cpu_count() or 1,
        help="how many groups run at the same time (default: the number of CPUs)",
    )
    parser.add_argument(
        "--timeout", metavar="SECONDS", type=_seconds, help="stop a group that takes longer, and count it as failed"
    )
    parser.add_argument(
        "--grace",
        metavar="SECONDS",
        type=_seconds,
        default=60.0,
        help="how long fixtures can tear down after Ctrl-C or the timeout, before SIGTERM (default: %(default)g)",
    )
    parser.add_argument("--failed", action="store_true", help="run only the groups that did not pass in the last run")
    parser.add_argument(
        "--test-command",
        metavar="COMMAND",
        default=shlex.join(PYTEST),
        help="what runs pytest with the arguments after it, for example 'tox run -e integration --' (default: this "
        "Python's pytest)",
    )
    parser.add_argument("--follow", metavar="GROUP", help="show the output of this group while it runs")
    parser.add_argument(
        "--results",
        metavar="DIR",
        # pytest expands the path of a report in the same way.
        type=lambda path: Path(os.path.expandvars(path)).expanduser(),
        default=Path(".run-groups"),
        help="the folder for the output and the results (default: %(default)s)",
    )
    set_defaults(parser, Path("pyproject.toml"))
    options = parser.parse_intermixed_args(own)
    try:
        options.test_command = shlex.split(options.test_command)
    except ValueError as error:
        parser.error(f"--test-command {options.test_command!r}: {error}. Close the quote, or write \\ before it")
    if not options.test_command:
        parser.error("--test-command is empty. Write, for example: --test-command 'tox run -e integration --'")
    check_paths(parser, options.paths)
    if any(re.match("--junit-?xml(=|$)", argument) for argument in of_pytest):
        parser.error(
            "--junit-xml names one file, but every group writes its own. Leave it out: "
            f"the results of all groups are in {options.results / 'results.xml'}"
        )
    if {"--lf", "--last-failed"} & {*of_pytest}:
        parser.error(
            "--lf runs single tests, and a group always runs whole. Run the groups that failed: run-groups --failed"
        )
    options.arguments = of_pytest
    return options


def _number_of_jobs(text: str) -> int:
    if text.isdecimal() and int(text) >= 1:
        return int(text)
    raise argparse.ArgumentTypeError(f"not a number of processes, 1 or more: {text!r}")


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0
    if 0 < seconds < float("inf"):
        return seconds
    raise argparse.ArgumentTypeError(f"not a number of seconds, more than 0: {text!r}")
