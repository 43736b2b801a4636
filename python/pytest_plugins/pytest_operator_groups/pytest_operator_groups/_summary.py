"""The command `report-groups`, the last job of a workflow: one table of what became of all groups."""

from __future__ import annotations

import argparse
import io
import json
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from pytest_operator_groups._groups import count
from pytest_operator_groups._junit import failures, read_suites, total
from pytest_operator_groups._output import NO_GROUPS, align, append, code, duration, markdown_row, printable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from xml.etree import ElementTree as ET


class _Row(NamedTuple):
    name: str
    result: str
    tests: str
    time: str
    url: str


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the table of all groups, and return the exit code: 0 whatever became of them."""
    options = _read_options(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A name may hold what this terminal's encoding doesn't.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        groups = _read_groups(os.environ.get("TEST_GROUPS"))
    except ValueError as error:
        print(f"report-groups: {error}", file=sys.stderr)
        return 2
    rows = [
        _row(group["job_name"], options.folder / f"{options.prefix}-{group['artifact_group_id']}", options.run_url)
        for group in groups
    ]
    title = printable(f"{options.title}: " if options.title else "")
    print(*[f"{title}{_sum(rows)}", "", *_text_table(rows)], sep="\n", flush=True)
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    try:
        if path:
            title = re.sub(r"([\\`*_~$&<>\[\]])", r"\\\1", title)
            append(path, [f"### {title}{_sum(rows)}", "", *_markdown_table(rows)])
    except OSError as error:
        print(
            f"report-groups: can't write to {path}, the file that GITHUB_STEP_SUMMARY names: {error.strerror}",
            file=sys.stderr,
        )
        return 1
    return 0


def _read_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line; what is wrong with it ends the process with exit code 2."""
    parser = argparse.ArgumentParser(
        prog="report-groups",
        description="Write one table of the groups that the environment variable TEST_GROUPS lists, as JSON of pytest "
        "--collect-groups: to the file that GITHUB_STEP_SUMMARY names, and to stdout.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "folder", metavar="FOLDER", type=Path, help="holds the artifact of each group, in a folder of its name"
    )
    parser.add_argument(
        "--prefix", required=True, help="an artifact's name is this, a hyphen, and the group's artifact_group_id"
    )
    parser.add_argument("--title", metavar="TEXT", default="", help="is written before the sum (default: nothing)")
    parser.add_argument(
        "--run-url", metavar="URL", default="", help="the link of a group whose job left none (default: no link)"
    )
    return parser.parse_args(arguments)


def _read_groups(text: str | None) -> list[dict[str, str]]:
    what = "the JSON list that pytest --collect-groups writes"
    if not text:
        raise ValueError(f"the environment variable TEST_GROUPS is not set. Set it to {what}")
    try:
        groups = json.loads(text)
    except ValueError as error:
        raise ValueError(f"the environment variable TEST_GROUPS is not {what}: {error}") from None
    keys = ("job_name", "artifact_group_id")
    if not isinstance(groups, list) or not all(
        isinstance(group, dict) and all(isinstance(group.get(key), str) for key in keys) for group in groups
    ):
        raise ValueError(
            f"the environment variable TEST_GROUPS is not {what}: each group is an object with {' and '.join(keys)}"
        )
    return groups


def _row(name: str, folder: Path, run_url: str) -> _Row:
    job = _read_job(folder / "job.json")
    tests, seconds = "-", None
    try:
        suites = read_suites(folder / "junit.xml")
        result = _result(folder, suites, job.get("status"))
        if suites:
            skipped = total(suites, "skipped")
            seconds = sum(float(suite.get("time", 0)) for suite in suites)
            tests = f"{total(suites, 'tests')}{f', {skipped} skipped' if skipped else ''}"
    except (OSError, ValueError):
        # Whatever a test has put in its place, the other groups are to be reported.
        result = _result(folder, [], job.get("status"))
    return _Row(printable(name), result, tests, duration(seconds), _link(job.get("url")) or _link(run_url))


def _read_job(path: Path) -> dict[str, object]:
    try:
        job = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return job if isinstance(job, dict) else {}


def _result(folder: Path, suites: Sequence[ET.Element] | None, status: object) -> str:
    """Return "passed", "cancelled", or why the group failed.

    Args:
        folder: The group's artifact.
        suites: As `read_suites` has them.
        status: What the group's job says of itself, or None.
    """
    if suites and failures(suites):
        return f"failed: {failures(suites)}"
    if status == "cancelled":
        return "cancelled"
    if suites is None:
        return f"failed: {'pytest wrote no report' if folder.is_dir() else 'the job left no logs'}"
    if suites and not total(suites, "tests"):
        return "failed: no tests ran"
    if status == "success":
        return "passed"
    return f"failed: {'the tests passed, but the job did not' if suites else 'the report of pytest is unreadable'}"


def _link(url: object) -> str:
    """Return a URL in characters that end no link and no cell, or "" if it is none."""
    text = url if isinstance(url, str) else ""
    return quote(text, safe="%/:?#=&@", errors="replace") if text.startswith(("https://", "http://")) else ""


def _sum(rows: Sequence[_Row]) -> str:
    kinds = [row.result.partition(":")[0] for row in rows]
    cancelled = f", {kinds.count('cancelled')} cancelled" if "cancelled" in kinds else ""
    return f"{count(kinds.count('passed'), 'group')} passed, {kinds.count('failed')} failed{cancelled}"


def _text_table(rows: Sequence[_Row]) -> list[str]:
    if not rows:
        return [NO_GROUPS]
    heading, *lines = align([("GROUP", "RESULT", "TESTS", "TIME"), *(row[:4] for row in rows)], "<<>>")
    links = [f"\n  {row.url}" if row.url and row.result != "passed" else "" for row in rows]
    return [heading, *map("".join, zip(lines, links, strict=True))]


def _markdown_table(rows: Sequence[_Row]) -> list[str]:
    if not rows:
        return [NO_GROUPS]
    return [
        markdown_row(("Group", "Result", "Tests", "Time", "Log")),
        "| --- | --- | ---: | ---: | --- |",
        *(markdown_row((code(row.name), *row[1:4], f"[log]({row.url})" if row.url else "-")) for row in rows),
    ]


if __name__ == "__main__":
    sys.exit(main())
