"""The report of a run of groups, in Markdown: what failed, where the time went, what to do about it, what changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_operator_groups.common.tables import code, markdown_table
from pytest_operator_groups.common.text import count, duration, minutes, printable
from pytest_operator_groups.report.advice import advice
from pytest_operator_groups.report.timeline import gantt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from pytest_operator_groups.formats.durations import Durations
    from pytest_operator_groups.report.outcome import Outcome

# https://docs.github.com/actions/reference/workflow-commands-for-github-actions#step-isolation-and-limits
MAX_BYTES = 1024 * 1024
_FAILURES = 10
# What is slower by less is chance.
_SLOWER, _SECONDS = 1.25, 10


def totals(results: Sequence[str]) -> str:
    """Return how many groups passed, failed, were cancelled or didn't run."""
    others = [f", {results.count(result)} {result}" for result in ("cancelled", "not run") if result in results]
    return f"{count(results.count('passed'), 'group')} passed, {results.count('failed')} failed{''.join(others)}"


def markdown_report(
    outcomes: Sequence[Outcome], before: Durations, heading: str, *, runners: int | None = None
) -> list[str]:
    """Return the lines of the report, at most 1 MiB.

    Args:
        outcomes: The groups.
        before: What was known before this run.
        heading: The heading, in Markdown.
        runners: How many groups ran at the same time, or None for a run on GitHub.
    """
    cells = [
        (
            code(outcome.name),
            outcome.result,
            outcome.tests,
            duration(outcome.seconds),
            f"[log]({outcome.url})" if outcome.url else code(outcome.log) if outcome.log else "-",
        )
        for outcome in outcomes
    ]
    sections = [
        ("", [f"### {heading}", "", sentence(outcomes, mark=code)]),
        ("table", markdown_table([("Group", "Result", "Tests", "Time", "Log"), *cells], "<<>><")),
        ("advice", [*advice(outcomes, runners, mark=code)]),
        ("changes", [f"- {line}" for line in changes(outcomes, before, mark=code)]),
        ("costs", [*costs(outcomes, runners)]),
        ("failed groups", [*failures(outcomes)]),
        ("timeline", gantt([(outcome.name, outcome.runner, outcome.record) for outcome in outcomes])),
    ]
    return _limit(sections)


def sentence(outcomes: Sequence[Outcome], mark: Callable[[str], str] = str) -> str:
    """Return what failed, or how long it took, in one sentence."""
    failed = [mark(outcome.name) for outcome in outcomes if outcome.failed]
    if failed:
        more = f" and {len(failed) - 3} more" if len(failed) > 3 else ""
        return f"Failed: {', '.join(failed[:3])}{more}."
    seconds = _end(outcomes)
    return f"It took {minutes(seconds)}." if seconds else "The time isn't known."


def changes(outcomes: Sequence[Outcome], before: Durations, mark: Callable[[str], str] = str) -> Iterator[str]:
    """Yield what changed since the last run."""
    for outcome in outcomes:
        record = outcome.record
        runs = [run for run in before.runs.get(record.key, []) if run["started"] != record.started]
        if not runs or record.result not in {"passed", "failed"}:
            continue
        same = [run for run in runs if record.commit and run["commit"] == record.commit]
        if any(run["attempt"] != record.attempt and run["result"] != record.result for run in same):
            yield f"{mark(outcome.name)} is flaky: it failed and passed in two attempts of the same commit"
        elif record.result != runs[-1]["result"]:
            yield f"{mark(outcome.name)} {'is newly failing' if outcome.failed else 'passes again'}"
        usual = before.seconds(*record.key)
        seconds = outcome.seconds or 0
        if usual and seconds > _SLOWER * usual and seconds > usual + _SECONDS:
            yield f"{mark(outcome.name)} is slower: {minutes(seconds)}, before {minutes(usual)}"


def failures(outcomes: Iterable[Outcome]) -> Iterator[str]:
    """Yield for each failed group the command that repeats it, its log, and the first line of each failure."""
    for outcome in outcomes:
        if not outcome.failed:
            continue
        log = f" ([log]({outcome.url}))" if outcome.url else f" (log: {code(outcome.log)})" if outcome.log else ""
        yield f"- {code(outcome.name)}{log}: {code(printable(outcome.command))}"
        for message in messages(outcome, _FAILURES, mark=code):
            yield f"  - {message}"


def messages(outcome: Outcome, most: int, mark: Callable[[str], str] = str) -> Iterator[str]:
    """Yield the first line of each failure, at most so many, and how many more there are."""
    failed = [case for case in outcome.cases if case.outcome in {"failed", "error"}]
    for case in failed[:most]:
        yield f"{mark(printable(case.name)[:200])}: {mark(printable(case.message)[:300] or 'no message')}"
    if len(failed) > most:
        yield f"and {len(failed) - most} more"


def costs(outcomes: Sequence[Outcome], runners: int | None = None) -> Iterator[str]:
    """Yield the runner-minutes."""
    tests = sum(outcome.seconds or 0 for outcome in outcomes)
    if not tests:
        return
    by_runner: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        key = f"runner {outcome.runner}" if outcome.runner else f"group {outcome.name}"
        by_runner.setdefault(key, []).append(outcome)
    set_up, idle = 0.0, 0.0
    for members in by_runner.values():
        # The groups of one runner share its set-up, and wait until what the last one left is removed.
        of_runner = max(outcome.record.set_up or 0 for outcome in members)
        set_up += of_runner
        if members[0].runner:
            busy = of_runner + sum(outcome.seconds or 0 for outcome in members)
            idle += max(_end(members) - busy, 0)
    if runners:
        idle = max(runners * _end(outcomes) - tests - set_up, 0)
    yield (
        f"Runner-minutes: {set_up / 60:.1f} of set-up, {tests / 60:.1f} of tests, {idle / 60:.1f} idle, "
        f"{(set_up + tests + idle) / 60:.1f} in all"
    )


def _end(outcomes: Iterable[Outcome]) -> float:
    """Return the seconds from the first start to the last end."""
    records = [outcome.record for outcome in outcomes if outcome.seconds is not None]
    spans = [
        (record.started, record.started + (record.set_up or 0) + (record.seconds or 0))
        for record in records
        if record.started is not None
    ]
    if not spans:
        return max(((record.set_up or 0) + (record.seconds or 0) for record in records), default=0)
    return max(end for _, end in spans) - min(start for start, _ in spans)


def _limit(sections: Iterable[tuple[str, list[str]]]) -> list[str]:
    """Return the lines of the sections that fit into what GitHub shows, and what was cut."""
    report: list[str] = []
    # The lines that say what was cut need some of it.
    left = MAX_BYTES - 1024
    cut = []
    for name, lines in sections:
        sizes = [len(line.encode(errors="replace")) + 1 for line in lines]
        fitting = 0
        while fitting < len(lines) and sizes[fitting] < left:
            left -= sizes[fitting]
            fitting += 1
        if fitting < len(lines):
            cut.append(f"{len(lines) - fitting} lines of the {name}")
            fitting = 0 if name == "timeline" else fitting
        if fitting:
            report += [*([""] if report else []), *lines[:fitting]]
    if cut:
        report += ["", f"Cut, because GitHub shows 1 MiB: {', '.join(cut)}."]
    return report
