"""The command `plan-groups`, between the collection and the matrix: which group runs on which runner, longest first."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING, Any, NamedTuple

from pytest_operator_groups.common.arguments import prepare_stdout
from pytest_operator_groups.common.errors import GroupsError
from pytest_operator_groups.common.github import append
from pytest_operator_groups.common.tables import text_table
from pytest_operator_groups.common.text import count
from pytest_operator_groups.formats.durations import Durations, read_durations_or_warn
from pytest_operator_groups.formats.matrix import MAX_JOBS_IN_A_MATRIX, group_key, read_groups, runner_kind
from pytest_operator_groups.plan.plan import assign, longest_first

if TYPE_CHECKING:
    from collections.abc import Sequence


# https://man7.org/linux/man-pages/man2/execve.2.html, without some room for the variable's name and other characters.
_MAX_ENTRY = 120 * 1024

# A job of integration_test_charm.yaml is cancelled after this time. GitHub kills it after 360 minutes:
# https://docs.github.com/actions/reference/limits#existing-system-limits
_MAX_MINUTES = 350


class Plan(NamedTuple):
    """Who runs what, and when that will end. Times are in seconds."""

    runners: list[list[int]]  # the positions of each one's groups
    seconds: list[float]  # of each group's tests. If it isn't known, it is the mean of the others
    unknown: int  # how many groups' times aren't known
    set_up: float  # what a runner needs before its first group

    @property
    def end(self) -> float:
        """The seconds until the last runner ends, if all start at once."""
        return self.set_up + max((sum(self.seconds[group] for group in runner) for runner in self.runners), default=0)

    @property
    def lower_bound(self) -> float:
        """The lower bound of the end for so many runners of any kind."""
        return self.set_up + max([*self.seconds, sum(self.seconds) / max(len(self.runners), 1)])

    @property
    def runner_seconds(self) -> float:
        """The time that all runners take together."""
        return self.set_up * len(self.runners) + sum(self.seconds)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the matrix, and return the exit code."""
    options = _read_options(arguments)
    prepare_stdout()
    try:
        groups = read_groups(options.groups)
        durations = read_durations_or_warn(options.durations, "plan-groups")
        plan = make_plan(groups, durations, options.max_runners)
        matrix = json.dumps(make_matrix(groups, plan.runners))
        is_written = append("GITHUB_OUTPUT", [f"matrix={matrix}"])
    except GroupsError as error:
        print(f"plan-groups: {error}", file=sys.stderr)
        return 2
    # Without GitHub, stdout has only the matrix, for the next program.
    print(*_expectations(plan), sep="\n", file=sys.stdout if is_written else sys.stderr, flush=True)
    if not is_written:
        print(matrix)
    return 0


def make_plan(groups: Sequence[dict[str, Any]], durations: Durations, max_runners: int = 0) -> Plan:
    """Return which group runs on which runner. `max_runners` is 0 if each group has its own.

    It is a GroupsError if there are too many groups, or too few runners for all kinds.
    """
    known = [durations.seconds(*group_key(group)) for group in groups]
    times = [seconds for seconds in known if seconds is not None]
    guess = mean(times) if times else 0.0
    seconds = [guess if time is None else time for time in known]
    kinds = [runner_kind(group) for group in groups]
    if max_runners == 0:
        if len(groups) > MAX_JOBS_IN_A_MATRIX:
            raise GroupsError(
                f"{len(groups)} groups are more than the {MAX_JOBS_IN_A_MATRIX} jobs that GitHub starts for one matrix",
                advice="Let groups share runners: --max-runners 60, in integration_test_charm.yaml max-runners: 60",
            )
        runners = [[group] for group in longest_first(known)]
    else:
        if max_runners < (needed := len({*kinds})):
            raise GroupsError(
                f"the groups need {count(needed, 'kind')} of runner",
                where=f"--max-runners {max_runners}",
                advice=f"Write --max-runners {needed} or more.",
            )
        # Without any time, all groups count the same.
        runners = assign(seconds if times else [1.0] * len(groups), kinds, max_runners)
        for runner in runners:
            runner.sort(key=lambda group: known[group] is not None)
        runners.sort(key=lambda runner: all(known[group] is not None for group in runner))
    return Plan(runners, seconds, known.count(None), durations.set_up() or 0.0)


def make_matrix(groups: Sequence[dict[str, Any]], runners: Sequence[Sequence[int]]) -> list[dict[str, Any]]:
    """Return an object for each runner, with the list of its groups. It is a GroupsError if a runner has too many."""
    # The next attempt of the run may share them in another way: its artifacts must replace all of this one's.
    are_shared = len(runners) < len(groups)
    matrix = [
        {
            "job_name": groups[runner[0]]["job_name"]
            if len(runner) == 1
            else f"runner {number} | {count(len(runner), 'group')}",
            "artifact_runner_id": f"runner-{number}" if are_shared else groups[runner[0]]["artifact_group_id"],
            "runner": groups[runner[0]].get("runner"),
            "groups": [_for_job(groups[group]) for group in runner],
        }
        for number, runner in enumerate(runners, 1)
    ]
    for entry in matrix:
        # As ${{ toJSON(matrix.runner) }} writes it.
        if len(json.dumps(entry, indent=2)) > _MAX_ENTRY:
            raise GroupsError(
                f"{entry['job_name']} are more than a job can read from a variable, which Linux limits to 128 KiB",
                where="--max-runners",
                advice="Let more runners share the groups.",
            )
    return matrix


def _for_job(group: dict[str, Any]) -> dict[str, str]:
    """Return what a job needs to know of a group: a matrix has not much room."""
    key = group_key(group)
    return {
        "path_to_test_file": key.path,
        "job_name": group["job_name"],
        "group_id": key.group_id,
        "artifact_group_id": group["artifact_group_id"],
    }


def _expectations(plan: Plan) -> list[str]:
    """Return the lines that say when the run will end, and what it costs."""
    groups = len(plan.seconds)
    if not groups:
        return ["There is no group to run."]
    if plan.unknown == groups:
        return [
            f"{count(len(plan.runners), 'runner')} for {count(groups, 'group')}. No time of an earlier run is known."
        ]
    rows = [("", "END", "LOWER BOUND", "RUNNER-MINUTES"), _row("this plan", plan)]
    if len(plan.runners) < groups:
        rows.append(_row("one runner per group", plan._replace(runners=[[group] for group in range(groups)])))
    lines = [f"{count(len(plan.runners), 'runner')} for {count(groups, 'group')}", "", *text_table(rows, "<>>>")]
    if plan.unknown:
        guess = f"{mean(plan.seconds) / 60:.1f} min, the mean of the others"
        lines += ["", f"The time of {count(plan.unknown, 'group')} isn't known: each counts as {guess}."]
    if plan.end > (_MAX_MINUTES - 15) * 60:
        lines += ["", f"A job is cancelled after {_MAX_MINUTES} min: use more runners, or split the longest group."]
    return lines


def _row(name: str, plan: Plan) -> tuple[str, str, str, str]:
    end, lower_bound, runners = (f"{time / 60:.1f}" for time in (plan.end, plan.lower_bound, plan.runner_seconds))
    return name, f"{end} min", f"{lower_bound} min", runners


def _read_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line. An error in it ends the process with exit code 2."""
    parser = argparse.ArgumentParser(
        prog="plan-groups",
        description="Write the matrix of a workflow, longest groups first, as matrix=JSON to the file in "
        "GITHUB_OUTPUT. Without that variable, write the JSON to stdout. The groups are in the JSON that pytest "
        "--collect-groups writes.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--groups",
        metavar="FILE",
        type=Path,
        help="the file with the JSON of the groups (default: the environment variable TEST_GROUPS has the JSON)",
    )
    parser.add_argument(
        "--durations",
        metavar="FILE",
        type=Path,
        help="durations.json, as report-groups and run-groups write it (default: none, so the order stays)",
    )
    parser.add_argument(
        "--max-runners",
        metavar="N",
        type=_number_of_runners,
        default=0,
        help="let the groups share at most N runners; 0: each group has its own (default: %(default)s)",
    )
    return parser.parse_args(arguments)


def _number_of_runners(text: str) -> int:
    if text.isdecimal() and int(text) <= MAX_JOBS_IN_A_MATRIX:
        return int(text)
    raise argparse.ArgumentTypeError(f"not a number of runners, from 0 to {MAX_JOBS_IN_A_MATRIX}: {text!r}")
