"""The timeline of a run of groups, as a Gantt chart of Mermaid (https://mermaid.js.org/syntax/gantt.html)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_operator_groups.common.text import shorten

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_operator_groups.formats.records import Record

# Mermaid refuses a text of over 50,000 characters.
_MAX_GROUPS = 200
_NAME = 60
# All others mean something to Mermaid, in one place or another.
_HARMLESS = set(" _-./|()[]+=")
_TAGS = {"failed": "crit, ", "passed": "active, "}


def gantt(runs: Sequence[tuple[str, str, Record]]) -> list[str]:
    """Return the lines of a chart: a section for each runner, with set-up and tests. Failed groups are marked.

    Args:
        runs: For each group its name, its runner ("" if it had its own), and its record.
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
