"""The command `run-groups`: the matrix on one machine, each group as a pytest process of its own."""

from __future__ import annotations

import argparse
import io
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_operator_groups._runner import Job, Runner

_INSTALL = (
    'pip install "pytest-operator-groups[run] @ git+https://github.com/canonical/data-platform-workflows'
    '#subdirectory=python/pytest_plugins/pytest_operator_groups"'
)
# Unbuffered: what a group prints is in its log even if it crashes.
_PYTEST = [sys.executable, "-u", "-m", "pytest"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all groups of a suite, and return the exit code: 0 only if every group ran and passed."""
    import asyncio

    options = _read_options(sys.argv[1:] if arguments is None else arguments)
    try:
        import rich.live  # noqa: F401, for the message: _report needs it
    except ImportError as error:
        print(f"run-groups needs more than pytest ({error}). Install it:\n{_INSTALL}", file=sys.stderr)
        return 2
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A name or a log may hold what this terminal's encoding doesn't.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        return asyncio.run(_run(options))
    except OSError as error:
        print(f"run-groups: {error}", file=sys.stderr)
        return 2


def _read_options(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line; what is wrong with it ends the process with exit code 2."""
    own, of_pytest = list(arguments), []
    if "--" in own:
        separator = own.index("--")
        own, of_pytest = own[:separator], own[separator + 1 :]
    parser = argparse.ArgumentParser(
        prog="run-groups",
        usage="%(prog)s [PATH ...] [--jobs N] [--timeout SECONDS] [--results DIR] [-- PYTEST ARGUMENTS]",
        description="Collect the groups of a suite, then run each as CI does: pytest FILE --group=ID.",
        epilog="Pytest's own arguments come after --, and go to each of its processes.",
        allow_abbrev=False,
    )
    parser.add_argument("paths", metavar="PATH", nargs="*", help="a test file, or a directory (default: pytest's own)")
    parser.add_argument(
        "--jobs",
        metavar="N",
        type=_jobs,
        default=os.cpu_count() or 1,
        help="how many groups run at a time (default: the number of CPUs)",
    )
    parser.add_argument(
        "--timeout", metavar="SECONDS", type=_seconds, help="end a group that takes longer, and let it fail"
    )
    parser.add_argument(
        "--results",
        metavar="DIR",
        # As pytest does with the path of a report.
        type=lambda path: Path(os.path.expandvars(path)).expanduser(),
        default=Path(".run-groups"),
        help="the folder for the output and the results (default: %(default)s)",
    )
    options = parser.parse_intermixed_args(own)
    for path in options.paths:
        if "::" in path:
            parser.error(
                f"{path} is a part of a file, and a group runs as a whole. Select tests with: -- -k EXPRESSION"
            )
    if any(re.match("--junit-?xml(=|$)", argument) for argument in of_pytest):
        parser.error(
            "--junit-xml names one file, and every group writes one: leave it out. "
            f"All of them together are in {options.results / 'results.xml'}"
        )
    options.arguments = of_pytest
    return options


def _jobs(text: str) -> int:
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


async def _run(options: argparse.Namespace) -> int:
    import asyncio
    import signal

    from pytest_operator_groups._runner import Runner

    runner = Runner(options.timeout)
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # which nohup asks for
            asyncio.get_running_loop().add_signal_handler(number, runner.interrupt, number)
    _make_folder(options.results)
    environment = {
        name: value for name, value in os.environ.items() if name not in {"GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"}
    }
    returncode, groups = await _collect(options, runner, environment)
    if groups is not None:
        returncode = await _run_groups([_job(group, options) for group in groups], options, runner, environment)
    return returncode if runner.interrupted_by is None else 128 + runner.interrupted_by


async def _run_groups(jobs: list[Job], options: argparse.Namespace, runner: Runner, environment: dict[str, str]) -> int:
    from pytest_operator_groups._groups import count
    from pytest_operator_groups._report import Lines, LiveTable, has_live_table, read_durations, show_end, write_results

    try:
        durations = read_durations(options.results)
    except ValueError as error:
        print(f"The durations of last time can't be read ({error}): the groups run in the order of the collection.")
        durations = {}
    # One that isn't known may be the longest.
    jobs.sort(key=lambda job: durations.get((job.path, job.group_id), float("inf")), reverse=True)
    print(f"{count(len(jobs), 'group')}, {options.jobs} at a time" if jobs else "There is no group to run.", flush=True)
    display = Lines(options.arguments)
    if jobs and has_live_table():
        display = LiveTable(options.arguments, jobs, lambda: runner.seconds)
    runner.tell = display.say
    display.start()
    try:
        await runner.run(jobs, options.jobs, environment, display.changed)
    finally:
        display.stop()
    seconds = runner.seconds
    write_results(options.results, jobs, seconds, options.jobs)
    if jobs:
        show_end(jobs, seconds)
    return 0 if all(job.state == "passed" for job in jobs) else 1


def _make_folder(results: Path) -> None:
    try:
        results.mkdir(parents=True)
    except FileExistsError:
        if not results.is_dir():
            raise
    else:
        # A folder that was there may hold more than results.
        (results / ".gitignore").write_text("*\n")


async def _collect(
    options: argparse.Namespace, runner: Runner, environment: dict[str, str]
) -> tuple[int, list[dict[str, str]] | None]:
    """Return the exit code of pytest's collection and the groups, or None after an error, which has been shown."""
    import json
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        log, output = Path(folder, "log"), Path(folder, "output")
        returncode, _, _ = await runner.execute(
            [*_PYTEST, *options.paths, *options.arguments, "--collect-groups", "-q"],
            log,
            environment | {"GITHUB_OUTPUT": str(output)},
        )
        lines = output.read_text(encoding="utf-8").splitlines() if output.exists() else []
        found = [line.removeprefix("groups=") for line in lines if line.startswith("groups=")]
        if returncode == 0 and found:
            groups: list[dict[str, str]] = json.loads(found[-1])
            return 0, groups
        if runner.interrupted_by is None:
            print(log.read_text(encoding="utf-8", errors="replace"), flush=True)
            print(f"run-groups: pytest did not collect the groups (exit code {returncode}).", file=sys.stderr)
    # As a shell has it for a signal; without groups, pytest's 0 is none.
    return (128 - returncode if returncode < 0 else returncode or 1), None


def _job(group: dict[str, str], options: argparse.Namespace) -> Job:
    from pytest_operator_groups._runner import Job

    name = _file_name(group["artifact_group_id"])
    junit = options.results / f"{name}.xml"
    path, group_id = group["path_to_test_file"], group["group_id"]
    return Job(
        name=group["job_name"],
        path=path,
        group_id=group_id,
        # A test's conftest.py may change the directory.
        command=[
            *_PYTEST,
            path,
            f"--group={group_id}",
            *options.arguments,
            f"--junit-xml={os.path.abspath(junit)}",  # noqa: PTH100, Path.absolute keeps ".."
        ],
        log=options.results / f"{name}.log",
        junit=junit,
    )


def _file_name(artifact: str) -> str:
    """Return an artifact's name without what pytest expands in a path, and in characters that take a byte each."""
    import hashlib

    name = re.sub("[^ -#%-~]", "_", artifact)
    return name if name == artifact else f"{name}-{hashlib.sha256(artifact.encode()).hexdigest()[:8]}"


if __name__ == "__main__":
    sys.exit(main())
