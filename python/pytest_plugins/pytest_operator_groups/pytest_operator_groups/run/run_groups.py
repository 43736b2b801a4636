"""The command `run-groups`: all groups of a suite on one machine, each in its own pytest process."""

from __future__ import annotations

import os
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_operator_groups.common.arguments import allow_any_character, describe_missing_extra
from pytest_operator_groups.common.errors import GroupsError
from pytest_operator_groups.formats.durations import Durations, read_durations
from pytest_operator_groups.run.options import read_options

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from pytest_operator_groups.formats.records import Key
    from pytest_operator_groups.run.job import Job
    from pytest_operator_groups.run.processes import ProcessPool
    from pytest_operator_groups.run.results import LastRun


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all groups of a suite, and return the exit code: 0 only if every group ran and passed."""
    import asyncio

    options = read_options(sys.argv[1:] if arguments is None else arguments)
    try:
        import rich.live  # noqa: F401, for the message: the display needs it
    except ImportError as error:
        print(describe_missing_extra("run-groups", "run", error), file=sys.stderr)
        return 2
    allow_any_character()
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
    from pytest_operator_groups.run.collect import CollectionError, collect_groups
    from pytest_operator_groups.run.display import has_live_table
    from pytest_operator_groups.run.processes import ProcessPool

    pool = ProcessPool(options.timeout, options.grace)
    pool.interrupt_on_signals()
    _make_folder(options.results)
    environment = {
        name: value for name, value in os.environ.items() if name not in {"GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"}
    }
    # In seconds since 1970. pytest-operator-cache packs a charm once in a run.
    environment.setdefault("RUN_GROUPS_STARTED", str(time.time()))
    if has_live_table():
        # In a new environment of tox, it takes minutes.
        print("Collecting the groups ...", flush=True)
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
            returncode = await _run_groups(jobs, options, pool, environment)
    return returncode if pool.interrupted_by is None else 128 + pool.interrupted_by


async def _run_groups(
    jobs: list[Job], options: argparse.Namespace, pool: ProcessPool, environment: dict[str, str]
) -> int:
    from pytest_operator_groups.common.text import count
    from pytest_operator_groups.run.display import Lines, LiveTable, has_live_table
    from pytest_operator_groups.run.follow import CacheLines, Followed, find_job
    from pytest_operator_groups.run.results import Results, group_files, remove_old_files, write_record
    from pytest_operator_groups.run.summary import show_summary

    last_run, durations = _read_earlier(options.results)
    collected = {job.key for job in jobs}
    kept = [group for key, group in last_run.passed.items() if key in collected] if options.failed else []
    if options.failed:
        jobs = [job for job in jobs if job.key not in last_run.passed]
    followed = find_job(jobs, options.follow) if options.follow and jobs else None
    last_run.files.difference_update(*map(group_files, kept))
    remove_old_files(options.results, last_run, jobs)
    for job in jobs:
        job.expected = durations.seconds(*job.key)
    # A group whose time isn't known may be the longest.
    jobs.sort(key=lambda job: float("inf") if job.expected is None else job.expected, reverse=True)
    if kept and not jobs:
        print("Every group passed in the last run.")
        return 0
    results = Results(options.results, jobs, options.jobs, kept)
    results.write_json(0)
    print(f"{count(len(jobs), 'group')}, {options.jobs} at a time" if jobs else "There is no group to run.", flush=True)
    display = Lines()
    if followed:
        display = Followed(followed)
    elif jobs and has_live_table():
        display = LiveTable(jobs, lambda: pool.seconds, options.jobs)
    pool.log = display.log
    start_of_run, cache_lines = time.time(), CacheLines()

    def changed(job: Job) -> None:
        if job.state != "running":
            write_record(job.record, job.make_record(start_of_run))
            results.write_json(pool.seconds)
            for line in cache_lines.new(job):
                display.log(line)
        display.update(job)

    display.start()
    try:
        await pool.run(jobs, options.jobs, environment, changed)
    finally:
        display.stop()
    results.write_json(pool.seconds)
    results.write_junit()
    notes = _write_reports(jobs, options, durations, start_of_run, collected)
    if jobs:
        show_summary(jobs, pool.seconds, notes)
    return 0 if all(job.state == "passed" for job in jobs) else 1


def _read_earlier(results: Path) -> tuple[LastRun, Durations]:
    from pytest_operator_groups.run.results import LastRun, read_last_run

    last_run, durations = LastRun(), Durations()
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
    jobs: list[Job], options: argparse.Namespace, durations: Durations, start_of_run: float, collected: set[Key]
) -> list[str]:
    """Write the report and the durations, and return what to show of them."""
    from pytest_operator_groups.run.display import make_console
    from pytest_operator_groups.run.run_report import RunReport

    report = RunReport(jobs, start_of_run, durations, options.jobs)
    report.write(path := options.results / "report.md")
    notes, files = report.notes(make_console().width), {key.path for key in collected}
    if any(job.state != "passed" for job in jobs):
        notes.append(f"report: {path}")
    durations.add(
        [job.make_record(start_of_run) for job in jobs],
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
    from pytest_operator_groups.run.job import Job

    name = _file_name(group["artifact_group_id"])
    junit, progress = options.results / f"{name}.xml", options.progress / name
    path, group_id = group["path_to_test_file"], group["group_id"]
    return Job(
        name=group["job_name"],
        path=path,
        group_id=group_id,
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
        record=options.results / f"{name}.json",
        progress=progress,
    )


def _file_name(artifact: str) -> str:
    """Return an artifact's name as a file name: short, as it is ASCII only, and without what pytest expands."""
    import hashlib

    name = re.sub("[^ -#%-~]", "_", artifact)
    return name if name == artifact else f"{name}-{hashlib.sha256(artifact.encode()).hexdigest()[:8]}"


if __name__ == "__main__":
    sys.exit(main())
