"""The command `report-groups`, for the last job of a workflow: one report of all groups."""

from __future__ import annotations

import argparse
import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_operator_groups.common.arguments import prepare_stdout
from pytest_operator_groups.common.errors import GroupsError
from pytest_operator_groups.common.github import append
from pytest_operator_groups.common.tables import text_table
from pytest_operator_groups.common.text import duration, printable
from pytest_operator_groups.formats.durations import Durations, read_durations_or_warn
from pytest_operator_groups.formats.matrix import read_groups
from pytest_operator_groups.listing.listing import NO_GROUPS
from pytest_operator_groups.report.outcome import Outcome, read_outcome
from pytest_operator_groups.report.report import advice, changes, markdown_report, totals

if TYPE_CHECKING:
    from collections.abc import Sequence


# With --partial, nobody knows which groups still exist.
_MAX_DAYS = 90


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the report of all groups, and return the exit code: 0 whatever the results are."""
    options = _read_options(arguments)
    prepare_stdout()
    try:
        groups = read_groups(options.groups)
    except GroupsError as error:
        print(f"report-groups: {error}", file=sys.stderr)
        return 2
    outcomes = [
        read_outcome(group, options.folder / f"{options.prefix}-{group['artifact_group_id']}", options.run_url)
        for group in groups
    ]
    title = printable(f"{options.title}: " if options.title else "")
    results = totals([outcome.record.result for outcome in outcomes])
    # GitHub would take it for a command, and would make links of addresses and names.
    shown = re.sub(r"^\s*::", ": :", title).replace("##[", "## [")
    print(*[f"{shown}{results}", "", *_text_report(outcomes)], sep="\n", flush=True)
    title = re.sub(r"([\\`*_~$&<>\[\]@]|:(?=//)|(?<=www)\.)", r"\\\1", title)
    try:
        before = read_durations_or_warn(options.durations, "report-groups")
        report = [f"### {title}{results}", "", NO_GROUPS]
        if outcomes:
            for line in (*advice(outcomes), *changes(outcomes, before)):
                print(line, flush=True)
            report = markdown_report(outcomes, before, f"{title}{results}")
        append("GITHUB_STEP_SUMMARY", report)
        if options.output:
            options.output.write_text("".join(f"{line}\n" for line in report), encoding="utf-8", errors="replace")
        if options.durations:
            _add_durations(options.durations, before, outcomes, options.partial)
    except (GroupsError, OSError) as error:
        print(f"report-groups: {error}", file=sys.stderr)
        return 1
    return 0


def _read_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line. An error in it ends the process with exit code 2."""
    parser = argparse.ArgumentParser(
        prog="report-groups",
        description="Write one report with the results of all groups to the file in GITHUB_STEP_SUMMARY and to stdout. "
        "The groups are in the JSON that pytest --collect-groups writes.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "folder",
        metavar="FOLDER",
        type=Path,
        help="the folder with the groups' artifacts, each in a folder of its name",
    )
    parser.add_argument(
        "--prefix", required=True, help="the start of an artifact's name, before a hyphen and its artifact_group_id"
    )
    parser.add_argument(
        "--groups",
        metavar="FILE",
        type=Path,
        help="the file with the JSON of the groups (default: the environment variable TEST_GROUPS has the JSON)",
    )
    parser.add_argument("--title", metavar="TEXT", default="", help="a text before the totals (default: none)")
    parser.add_argument(
        "--run-url", metavar="URL", default="", help="the link of a group whose job left none (default: no link)"
    )
    parser.add_argument(
        "--durations",
        metavar="FILE",
        type=Path,
        help="durations.json, which plan-groups reads: add how long the groups took, and drop groups that aren't in "
        "the JSON (default: none)",
    )
    parser.add_argument(
        "--output",
        metavar="FILE",
        type=Path,
        help="write the report to this file too, such as report.md (default: none)",
    )
    parser.add_argument(
        "--partial",
        action="store_true",
        help="the JSON has only a part of the suite: keep what --durations FILE has of other groups "
        f"that ran in the last {_MAX_DAYS} days",
    )
    return parser.parse_args(arguments)


def _add_durations(path: Path, durations: Durations, outcomes: Sequence[Outcome], is_partial: bool) -> None:
    groups = {outcome.record.key for outcome in outcomes}
    oldest = time.time() - _MAX_DAYS * 24 * 3600
    durations.add(
        (outcome.record for outcome in outcomes),
        lambda key: key in groups or (is_partial and (durations.last_start(key) or 0) > oldest),
    )
    durations.write(path)


def _text_report(outcomes: Sequence[Outcome]) -> list[str]:
    if not outcomes:
        return [NO_GROUPS]
    rows = [(outcome.name, outcome.result, outcome.tests, duration(outcome.seconds)) for outcome in outcomes]
    heading, *lines = text_table([("GROUP", "RESULT", "TESTS", "TIME"), *rows], "<<>>")
    links = [f"\n  {outcome.url}" if outcome.url and outcome.result != "passed" else "" for outcome in outcomes]
    return [heading, *map("".join, zip(lines, links, strict=True))]


if __name__ == "__main__":
    sys.exit(main())
