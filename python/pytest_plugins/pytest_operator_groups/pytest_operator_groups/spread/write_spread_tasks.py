"""The command `write-spread-tasks`: a task of spread for each group of a suite."""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_operator_groups.common.arguments import check_paths, describe_missing_extra, prepare_stdout, split
from pytest_operator_groups.common.errors import GroupsError
from pytest_operator_groups.common.text import count
from pytest_operator_groups.run.collect import CollectionError, collect_groups
from pytest_operator_groups.run.processes import ProcessPool

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the tasks, and return the exit code: with --check, 1 if a task is out of date."""
    arguments = sys.argv[1:] if arguments is None else arguments
    options = _read_options(arguments)
    try:
        import ruamel.yaml  # noqa: F401, for the message: the tasks need it
    except ImportError as error:
        print(describe_missing_extra("write-spread-tasks", "spread", error), file=sys.stderr)
        return 2
    prepare_stdout()
    try:
        return _run(options, arguments)
    except CollectionError as error:
        print(f"write-spread-tasks: {error}. Nothing was written.", file=sys.stderr)
        return error.code
    except GroupsError as error:
        print(f"write-spread-tasks: {error}", file=sys.stderr)
    except OSError as error:
        print(f"write-spread-tasks: {error}. No task was changed. Name another folder: --folder DIR", file=sys.stderr)
    return 2


def _read_options(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line. An error in it ends the process with exit code 2."""
    own, of_pytest = split(arguments)
    parser = argparse.ArgumentParser(
        prog="write-spread-tasks",
        usage="%(prog)s [PATH ...] [--folder DIR] [--check] [OPTIONS] [-- PYTEST ARGUMENTS]",
        description="Collect the groups of a suite, and write a task of spread for each: DIR/NAME/task.yaml.",
        epilog="The arguments after -- go to pytest, for the collection and in each task.",
        allow_abbrev=False,
    )
    parser.add_argument("paths", metavar="PATH", nargs="*", help="a test file or a directory (default: pytest's own)")
    parser.add_argument(
        "--folder",
        metavar="DIR",
        type=Path,
        default=Path("tests/spread"),
        help="the folder of the tasks, which is a suite in spread.yaml (default: %(default)s)",
    )
    parser.add_argument(
        "--check", action="store_true", help="write nothing; show what is out of date, and exit with 1 if anything is"
    )
    parser.add_argument(
        "--test-command",
        metavar="COMMAND",
        default="tox run -e integration --",
        help="the shell command that runs pytest. The file, the group and other arguments of pytest are added to it "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--template", metavar="FILE", type=Path, help="a file with other keys for each task, such as variants, restore"
    )
    parser.add_argument(
        "--system",
        metavar="LABEL=SYSTEM",
        dest="systems",
        type=_system,
        action="append",
        default=[],
        help="the system of the groups whose runner has this label. Give it again for other labels: the first that a "
        "group has counts",
    )
    parser.add_argument(
        "--durations",
        metavar="FILE",
        type=Path,
        help="durations.json, as report-groups and run-groups write it: spread starts the longest group first "
        "(default: each task keeps its priority)",
    )
    parser.add_argument(
        "--kill-timeout",
        metavar="TIME",
        type=_time,
        help="when spread stops a task, such as 90m (default: what spread.yaml says, or 15m)",
    )
    options = parser.parse_intermixed_args(own)
    check_paths(parser, options.paths)
    if any(re.match("--junit-?xml(=|$)", argument) for argument in of_pytest):
        parser.error("--junit-xml is in each task already. Leave it out: the report is an artifact of the task")
    options.arguments = of_pytest
    return options


def _system(text: str) -> tuple[str, str]:
    label, _, system = text.partition("=")
    if label and system:
        return label, system
    raise argparse.ArgumentTypeError(f"not LABEL=SYSTEM, such as large=ubuntu-24.04: {text!r}")


def _time(text: str) -> str:
    # https://pkg.go.dev/time#ParseDuration
    if re.fullmatch(r"(\d+(\.\d+)?(h|m|s))+", text):
        return text
    raise argparse.ArgumentTypeError(f"not a time that spread reads, such as 1h30m: {text!r}")


def _run(options: argparse.Namespace, arguments: Sequence[str]) -> int:
    from pytest_operator_groups.formats.durations import Durations, read_durations
    from pytest_operator_groups.spread.tasks import SpreadFolder, TaskOptions, make_all, name_tasks, write_task

    start = Path(os.path.relpath(Path(), options.folder / "NAME")).as_posix()
    task_options = TaskOptions(
        options.test_command,
        options.arguments,
        start=start,
        kill_timeout=options.kill_timeout,
        systems=options.systems,
        template=_read(options.template) if options.template else "",
        template_path=options.template,
    )
    task_options.read_template()
    durations = read_durations(options.durations) if options.durations else Durations()
    command = [sys.executable, "-m", "pytest", *options.paths, *options.arguments]
    groups = asyncio.run(_collect(command))
    if not groups:
        raise GroupsError(
            "every test was deselected, so there is no group. Nothing was written",
            advice="Change the arguments after --",
        )
    _check_labels(options.systems, groups)
    folder = SpreadFolder(options.folder, start)
    tasks = {}
    for name, group in zip(name_tasks(groups), groups, strict=True):
        known = durations.seconds(group["path_to_test_file"], group["group_id"])
        # At least 1: a task without a priority has 0.
        priority = folder.priority(name) if known is None else max(1, round(known))
        tasks[name] = write_task(group, priority, task_options)
    changes = folder.compare(tasks, options.paths)
    if options.check:
        print("".join(change.diff for change in changes), end="", flush=True)
        if changes:
            again = shlex.join(["write-spread-tasks", *(word for word in arguments if word != "--check")])
            print(f"write-spread-tasks: {count(len(changes), 'task')} out of date. Run: {again}", file=sys.stderr)
            return 1
        print(f"{options.folder}: {count(len(tasks), 'task')}, all up to date")
        return 0
    make_all(changes)
    removed = sum(change.new is None for change in changes)
    print(f"{options.folder}: {count(len(tasks), 'task')}, {len(changes) - removed} written, {removed} removed")
    return 0


async def _collect(command: Sequence[str]) -> list[dict[str, Any]]:
    pool = ProcessPool()
    pool.interrupt_on_signals()
    pool.log = lambda _: None  # no fixture runs
    with pool.guarded():
        return await collect_groups(command, pool, os.environ)


def _check_labels(systems: Sequence[tuple[str, str]], groups: Sequence[dict[str, Any]]) -> None:
    runners = [group["runner"] or [] for group in groups]
    labels = {label for runner in runners for label in ([runner] if isinstance(runner, str) else runner)}
    for label, system in systems:
        if label not in labels:
            raise GroupsError(
                f"no group has a runner with this label. The labels are: {', '.join(sorted(labels)) or 'none'}",
                where=f"--system={label}={system}",
                advice="Correct the label, or leave the option out",
            )


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise GroupsError(f"can't read this file: {reason}", where=str(path), advice="Name another file") from None
