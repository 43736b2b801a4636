"""The command `run-groups`: all groups of a suite on one machine, each in its own pytest process."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import re
import shlex
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_operator_groups.common.arguments import check_paths, describe_missing_extra, prepare_stdout, split
from pytest_operator_groups.common.errors import GroupsError
from pytest_operator_groups.common.text import count
from pytest_operator_groups.formats.durations import Durations, read_durations
from pytest_operator_groups.formats.matrix import group_key
from pytest_operator_groups.formats.records import Record
from pytest_operator_groups.plan.plan import longest_first
from pytest_operator_groups.run.collect import CollectionError, collect_groups
from pytest_operator_groups.run.job import PYTEST, Job
from pytest_operator_groups.run.models import describe_left, list_models
from pytest_operator_groups.run.processes import ProcessPool
from pytest_operator_groups.run.results import (
    group_files,
    read_last_run,
    remove_old_files,
    write_junit,
    write_report,
    write_results,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_operator_groups.formats.records import Key

# What [tool.run-groups] in pyproject.toml can have.
_DEFAULTS = ("paths", "jobs", "timeout", "grace", "test-command", "results")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all groups of a suite, and return the exit code: 0 only if every group ran and passed."""
    options = read_options(sys.argv[1:] if arguments is None else arguments)
    try:
        import rich.live  # noqa: F401, for the message: the display needs it
    except ImportError as error:
        print(describe_missing_extra("run-groups", "run", error), file=sys.stderr)
        return 2
    prepare_stdout()
    try:
        return asyncio.run(_run(options))
    except (GroupsError, OSError) as error:
        print(f"run-groups: {error}", file=sys.stderr)
        _discard_output()
        return 2


def _discard_output() -> None:
    """Discard what is left for stdout if it can't be written. Python would try once more, and exit with 120.

    https://docs.python.org/3/library/signal.html#note-on-sigpipe
    """
    try:
        sys.stdout.flush()
    except OSError:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), sys.stdout.fileno())


async def _run(options: argparse.Namespace) -> int:
    pool = ProcessPool(options.timeout, options.grace)
    pool.interrupt_on_signals()
    with pool.guarded():
        return await _run_guarded(options, pool)


async def _run_guarded(options: argparse.Namespace, pool: ProcessPool) -> int:
    from pytest_operator_groups.run.screen import has_live_table

    _make_folder(options.results)
    environment = {
        name: value for name, value in os.environ.items() if name not in {"GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"}
    }
    # In seconds since 1970. pytest-operator-cache packs a charm once in a run.
    environment.setdefault("RUN_GROUPS_STARTED", str(time.time()))
    if has_live_table():
        # In a new environment of tox, it takes minutes.
        print("Collecting the groups ...", flush=True)
    models = asyncio.ensure_future(list_models())
    try:
        command = [*options.test_command, *options.paths, *options.arguments]
        groups = await collect_groups(command, pool, environment)
    except CollectionError as error:
        if pool.interrupted_by is None:
            print(f"run-groups: {error}.", file=sys.stderr)
        returncode = error.code
    else:
        with tempfile.TemporaryDirectory(prefix="run-groups-") as folder:
            options.progress = Path(folder)
            jobs = [_make_job(group, options) for group in groups]
            before = await models
            returncode = await _run_groups(jobs, options, pool, environment)
            if before is not None:
                for line in describe_left(before, await list_models()):
                    print(line, flush=True)
    finally:
        models.cancel()
    return returncode if pool.interrupted_by is None else 128 + pool.interrupted_by


async def _run_groups(
    jobs: list[Job], options: argparse.Namespace, pool: ProcessPool, environment: dict[str, str]
) -> int:
    from pytest_operator_groups.run.screen import Lines, LiveTable, has_live_table, show_summary

    last_run, durations = _read_earlier(options.results)
    collected = {job.record.key for job in jobs}
    passed = {
        key: group
        for group in last_run
        if options.failed and group["result"] == "passed" and (key := group_key(group)) in collected
    }
    kept = [*passed.values()]
    jobs = [job for job in jobs if job.record.key not in passed]
    remove_old_files(
        options.results, set().union(*map(group_files, last_run)).difference(*map(group_files, kept)), jobs
    )
    for job in jobs:
        job.expected = durations.seconds(*job.record.key)
    jobs = [jobs[position] for position in longest_first([job.expected for job in jobs])]
    if kept and not jobs:
        print("Every group passed in the last run.")
        return 0
    write_results(options.results, 0, options.jobs, jobs, kept)
    if jobs:
        print(f"{count(len(jobs), 'group')}, {options.jobs} at a time")
        # For `tail -f`.
        print(f"The output of each group: {options.results / '*.log'}", flush=True)
    else:
        print("There is no group to run.", flush=True)
    display = LiveTable(jobs, lambda: pool.seconds, options.jobs) if jobs and has_live_table() else Lines()
    pool.log = display.log
    shown = set[str]()

    def changed(job: Job) -> None:
        if job.record.result != "running":
            job.record.write(job.record_file)
            write_results(options.results, pool.seconds, options.jobs, jobs, kept)
            # Groups share the cache of charms, so several may say the same of it.
            for line in _read_lines(job.log):
                if line.startswith("charm cache: ") and line not in shown:
                    shown.add(line)
                    display.log(line)
        display.update(job)

    display.start()
    try:
        await pool.run(jobs, options.jobs, environment, changed)
    finally:
        display.stop()
    write_results(options.results, pool.seconds, options.jobs, jobs, kept)
    write_junit(options.results, jobs, kept)
    notes = _write_reports(jobs, options, durations, collected)
    if jobs:
        show_summary(jobs, pool.seconds, notes)
    return 0 if all(job.record.result == "passed" for job in jobs) else 1


def _read_lines(log: Path) -> Iterator[str]:
    """Yield the lines of a log. A line can be as long as the log: it has several parts then."""
    with contextlib.suppress(FileNotFoundError), log.open(encoding="utf-8", errors="replace") as file:
        while line := file.readline(10_000):
            yield line.rstrip("\n")


def _read_earlier(results: Path) -> tuple[list[dict[str, Any]], Durations]:
    last_run, durations = list[dict[str, Any]](), Durations()
    try:
        last_run = read_last_run(results)
    except GroupsError as error:
        print(error)
    try:
        durations = read_durations(results / "durations.json")
    except GroupsError as error:
        print(error)
    return last_run, durations


def _write_reports(
    jobs: list[Job], options: argparse.Namespace, durations: Durations, collected: set[Key]
) -> list[str]:
    """Write the report and the durations, and return what to show of them."""
    from pytest_operator_groups.run.screen import describe_outcomes, make_console

    outcomes = [job.outcome for job in jobs]
    runners = min(options.jobs, max(len(jobs), 1))
    write_report(path := options.results / "report.md", outcomes, durations, runners)
    notes = describe_outcomes(outcomes, durations, runners, make_console().width)
    files = {key.path for key in collected}
    if any(job.record.result != "passed" for job in jobs):
        notes.append(f"report: {path}")
    durations.add(
        [job.record for job in jobs],
        # With other arguments, the groups of a file may be only a part of them.
        lambda key: Path(key.path).exists() and (bool(options.arguments) or key in collected or key.path not in files),
    )
    durations.write(options.results / "durations.json")
    return notes


def _make_folder(results: Path) -> None:
    try:
        results.mkdir(parents=True)
    except FileExistsError:
        if not results.is_dir():
            raise GroupsError(
                "this is a file", where=str(results), advice="Name a folder for the results: --results DIR"
            ) from None
    else:
        # A folder that existed before may contain more than results.
        (results / ".gitignore").write_text("*\n")
        # For tools that read the whole folder of a charm: https://bford.info/cachedir/
        (results / "CACHEDIR.TAG").write_text("Signature: 8a477f597d28d172789f06886806bc55\n# By run-groups\n")


def _make_job(group: dict[str, str], options: argparse.Namespace) -> Job:
    name = _file_name(group["artifact_group_id"])
    junit, progress = options.results / f"{name}.xml", options.progress / name
    path, group_id = group["path_to_test_file"], group["group_id"]
    return Job(
        name=group["job_name"],
        record=Record(path, group_id),
        # A test's conftest.py may change the directory.
        command=[
            *options.test_command,
            path,
            f"--group={group_id}",
            *options.arguments,
            f"--junit-xml={os.path.abspath(junit)}",  # noqa: PTH100, Path.absolute keeps ".."
            f"--group-progress={progress}",
        ],
        log=options.results / f"{name}.log",
        junit=junit,
        record_file=options.results / f"{name}.json",
        progress=progress,
    )


def _file_name(artifact: str) -> str:
    """Return an artifact's name as a file name: short, as it is ASCII only, and without what pytest expands."""
    import hashlib

    name = re.sub("[^ -#%-~]", "_", artifact)
    return name if name == artifact else f"{name}-{hashlib.sha256(artifact.encode()).hexdigest()[:8]}"


def read_options(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line. An error in it ends the process with exit code 2."""
    own, of_pytest = split(arguments)
    parser = argparse.ArgumentParser(
        prog="run-groups",
        usage="%(prog)s [PATH ...] [--failed] [--jobs N] [--timeout SECONDS] [--grace SECONDS] [--results DIR] "
        "[--test-command COMMAND] [-- PYTEST ARGUMENTS]",
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
    parser.add_argument(
        "--results",
        metavar="DIR",
        # pytest expands the path of a report in the same way.
        type=lambda path: Path(os.path.expandvars(path)).expanduser(),
        default=Path(".run-groups"),
        help="the folder for the output and the results (default: %(default)s)",
    )
    defaults, paths = _read_defaults(parser, Path("pyproject.toml"))
    options = parser.parse_intermixed_args([*defaults, *own])
    options.paths = options.paths or paths
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


def _read_defaults(parser: argparse.ArgumentParser, path: Path) -> tuple[list[str], list[str]]:
    """Return the options and the paths in [tool.run-groups] of a file. There may be none."""
    options, paths = [], []
    for key, value in _read_table(parser, path).items():
        if key not in _DEFAULTS:
            parser.error(f"{path}: [tool.run-groups] has no {key}. It can have: {', '.join(_DEFAULTS)}")
        if key == "paths":
            if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
                parser.error(f"{path}: [tool.run-groups]: paths must be a list of str")
            paths = value
        elif isinstance(value, bool) or not isinstance(value, str | int | float):
            parser.error(f"{path}: [tool.run-groups]: {key} must be a number or a str")
        else:
            options.append(f"--{key}={value}")
    return options, paths


def _read_table(parser: argparse.ArgumentParser, path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        parser.error(f"{path}: can't be read ({error})")
    if "run-groups" not in text:
        return {}
    if sys.version_info >= (3, 11):
        import tomllib
    else:  # where pytest needs it
        import tomli as tomllib  # type: ignore[import-not-found, unused-ignore]  # only that Python has it
    try:
        table = tomllib.loads(text).get("tool", {}).get("run-groups", {})
    except (ValueError, AttributeError) as error:
        parser.error(f"{path}: not valid TOML ({error})")
    if not isinstance(table, dict):
        parser.error(f"{path}: tool.run-groups must be a table. Write: [tool.run-groups]")
    return table


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


if __name__ == "__main__":
    sys.exit(main())
