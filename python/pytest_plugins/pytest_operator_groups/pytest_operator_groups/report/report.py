"""The report of a run of groups, in Markdown: what failed, where the time went, what to do about it, what changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_operator_groups.common.tables import code, markdown_table
from pytest_operator_groups.common.text import count, duration, minutes, printable, shorten
from pytest_operator_groups.plan.plan import longest_first

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from pytest_operator_groups.formats.durations import Durations
    from pytest_operator_groups.formats.junit import Case
    from pytest_operator_groups.formats.records import Record
    from pytest_operator_groups.report.outcome import Outcome

# https://docs.github.com/actions/reference/workflow-commands-for-github-actions#step-isolation-and-limits
MAX_BYTES = 1024 * 1024
_FAILURES = 10
# What is slower by less is chance.
_SLOWER, _SECONDS = 1.25, 10
# A split that saves less isn't worth it.
_MIN_SHARE, _MIN_SECONDS = 0.1, 60
# Mermaid refuses a text of over 50,000 characters.
_MAX_GROUPS = 200
_NAME = 60
# All others mean something to Mermaid, in one place or another.
_HARMLESS = set(" _-./|()[]+=")
_TAGS = {"failed": "crit, ", "passed": "active, "}


def totals(results: Sequence[str]) -> str:
    """Return how many groups passed, failed, were cancelled or didn't run."""
    others = [f", {results.count(result)} {result}" for result in ("cancelled", "not run") if result in results]
    return f"{count(results.count('passed'), 'group')} passed, {results.count('failed')} failed{''.join(others)}"


def markdown_report(
    outcomes: Sequence[Outcome], before: Durations, heading: str, *, runners: int | None = None
) -> list[str]:
    """Return the lines of the report, at most 1 MiB. `heading` is Markdown. `runners` is None for a run on GitHub."""
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
        ("", [f"### {heading}", "", sentence(outcomes, format_name=code)]),
        ("table", markdown_table([("Group", "Result", "Tests", "Time", "Log"), *cells], "<<>><")),
        ("advice", [*advice(outcomes, runners, format_name=code)]),
        ("changes", [f"- {line}" for line in changes(outcomes, before, format_name=code)]),
        ("costs", [*costs(outcomes, runners)]),
        ("failed groups", [*failures(outcomes)]),
        ("timeline", gantt([(outcome.name, outcome.runner, outcome.record) for outcome in outcomes])),
    ]
    return _limit(sections)


def sentence(outcomes: Sequence[Outcome], format_name: Callable[[str], str] = str) -> str:
    """Return what failed, or how long it took, in one sentence."""
    failed = [format_name(outcome.name) for outcome in outcomes if outcome.failed]
    if failed:
        more = f" and {len(failed) - 3} more" if len(failed) > 3 else ""
        return f"Failed: {', '.join(failed[:3])}{more}."
    seconds = _end(outcomes)
    return f"It took {minutes(seconds)}." if seconds else "The time isn't known."


def advice(
    outcomes: Sequence[Outcome], runners: int | None = None, format_name: Callable[[str], str] = str
) -> Iterator[str]:
    """Yield what makes the run shorter, if anything does. `runners` is None for a run on GitHub."""
    known = [outcome for outcome in outcomes if outcome.seconds]
    if not known:
        return
    longest = max(known, key=lambda outcome: outcome.seconds or 0)
    set_up = longest.record.set_up or 0
    if runners is None and any(outcome.runner for outcome in known):
        # Groups that need another kind of runner can't take the time that a split frees.
        if len({outcome.kind for outcome in known}) > 1:
            return
        runners = len({outcome.runner or outcome.name for outcome in known})
        set_up = max(outcome.record.set_up or 0 for outcome in known)
    times = [(outcome.seconds or 0) for outcome in known]
    others = [(outcome.seconds or 0) for outcome in known if outcome is not longest]
    now = set_up + _end_of(times, runners)
    first, best = 0.0, (now - max(now * _MIN_SHARE, _MIN_SECONDS), "")
    for case, following in zip(longest.cases, longest.cases[1:], strict=False):
        first += case.seconds
        if (test := _function(case)) == _function(following):
            continue
        end = set_up + _end_of([*others, first, max((longest.seconds or 0) - first, 0)], runners)
        best = min(best, (end, test))
    if best[1]:
        yield (
            f"{minutes(now)}, because of {format_name(longest.name)} ({minutes(longest.seconds or 0)}). "
            f"If you split it after {format_name(printable(best[1]))}: {minutes(best[0])}"
        )


def _end_of(times: Sequence[float], runners: int | None) -> float:
    """Return when the last group ends, longest first."""
    free = [0.0] * (runners or len(times))
    for group in longest_first(times):
        free.sort()
        free[0] += times[group]
    return max(free)


def _function(case: Case) -> str:
    return case.name.partition("[")[0]


def changes(outcomes: Sequence[Outcome], before: Durations, format_name: Callable[[str], str] = str) -> Iterator[str]:
    """Yield what changed since the last run."""
    for outcome in outcomes:
        record = outcome.record
        runs = [run for run in before.runs.get(record.key, []) if run["started"] != record.started]
        if not runs or record.result not in {"passed", "failed"}:
            continue
        same = [run for run in runs if record.commit and run["commit"] == record.commit]
        if any(run["attempt"] != record.attempt and run["result"] != record.result for run in same):
            yield f"{format_name(outcome.name)} is flaky: it failed and passed in two attempts of the same commit"
        elif record.result != runs[-1]["result"]:
            yield f"{format_name(outcome.name)} {'is newly failing' if outcome.failed else 'passes again'}"
        usual = before.seconds(*record.key)
        seconds = outcome.seconds or 0
        if usual and seconds > _SLOWER * usual and seconds > usual + _SECONDS:
            yield f"{format_name(outcome.name)} is slower: {minutes(seconds)}, before {minutes(usual)}"


def failures(outcomes: Iterable[Outcome]) -> Iterator[str]:
    """Yield for each failed group the command that repeats it, its log, and the first line of each failure."""
    for outcome in outcomes:
        if not outcome.failed:
            continue
        log = f" ([log]({outcome.url}))" if outcome.url else f" (log: {code(outcome.log)})" if outcome.log else ""
        yield f"- {code(outcome.name)}{log}: {code(printable(outcome.command))}"
        for message in messages(outcome, _FAILURES, format_name=code):
            yield f"  - {message}"


def messages(outcome: Outcome, most: int, format_name: Callable[[str], str] = str) -> Iterator[str]:
    """Yield the first line of each failure, at most so many, and how many more there are."""
    failed = [case for case in outcome.cases if case.outcome in {"failed", "error"}]
    for case in failed[:most]:
        yield f"{format_name(printable(case.name)[:200])}: {format_name(printable(case.message)[:300] or 'no message')}"
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


def gantt(runs: Sequence[tuple[str, str, Record]]) -> list[str]:
    """Return a Gantt chart of Mermaid: a section for each runner, with set-up and tests. Failed groups are marked.

    A runner "" is the group's own. https://mermaid.js.org/syntax/gantt.html
    """
    known = [
        (name, runner, record)
        for name, runner, record in runs
        if record.started is not None and record.seconds is not None
    ]
    known.sort(key=lambda run: run[2].started or 0)
    if not known:
        return []
    shown = known[:_MAX_GROUPS]
    by_runner: dict[str, list[tuple[str, Record]]] = {}
    for name, runner, record in shown:
        by_runner.setdefault(f"runner {runner}" if runner else name, []).append((name, record))
    # In milliseconds: Mermaid reads a start with the format X, which is seconds, as milliseconds too.
    lines = ["```mermaid", "gantt", "dateFormat x", "axisFormat %H:%M"]
    for runner, groups in by_runner.items():
        lines.append(f"section {_harmless(runner)}")
        is_set_up = False
        for name, record in groups:
            start = record.started or 0
            tests = start + (record.set_up or 0)
            if record.set_up and not is_set_up:
                lines.append(f"set-up :done, {1000 * start:.0f}, {1000 * tests:.0f}")
            is_set_up = True
            # A bar of no length isn't shown.
            end = tests + max(record.seconds or 0, 1)
            tag = _TAGS.get(record.result, "")
            # A word before the name, because a name may be a word of Mermaid.
            lines.append(f"{record.result} {_harmless(name)} :{tag}{1000 * tests:.0f}, {1000 * end:.0f}")
    lines.append("```")
    if len(known) > len(shown):
        lines += ["", f"The timeline has the first {len(shown)} of {len(known)} groups."]
    return lines


def _harmless(name: str) -> str:
    """Return a name without the characters that mean something to Mermaid."""
    text = "".join(character if character.isalnum() or character in _HARMLESS else "_" for character in name)
    return shorten(text, _NAME).strip() or "_"


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
