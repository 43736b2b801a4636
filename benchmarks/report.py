"""Print the tables of a benchmark's results, with the bars that they are held to: `report.py RESULTS.json`."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path
from statistics import median

BARS = {"test_collect": 1.02, "test_run": 1.02}
TITLES = {
    "test_collect": "`--collect-groups` against `pytest --collect-only -q`",
    "test_run": "one file with `--group` against the same file without the plugin",
}


def main(results: Path) -> None:
    """Print a table for each comparison, then the import's time."""
    benchmarks = json.loads(results.read_text())["benchmarks"]
    seconds: dict[str, dict[int, dict[str, list[float]]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    for benchmark in sorted(benchmarks, key=lambda one: (one["params"] or {}).get("number", 0)):
        name = benchmark["name"].partition("[")[0]
        if name in TITLES:
            params = benchmark["params"]
            seconds[name][params["size"]][params["contender"]].append(benchmark["stats"]["median"])
    for name, by_size in seconds.items():
        print_comparison(name, by_size)
    for benchmark in benchmarks:
        if benchmark["name"] == "test_import":
            of_pytest, of_plugin = (
                1000 * median(column) for column in zip(*benchmark["extra_info"]["seconds"], strict=True)
            )
            print(f"\nimport: plugin {of_plugin:.2f} ms {verdict(of_plugin <= 1)} ≤ 1 ms, pytest {of_pytest:.0f} ms")


def print_comparison(name: str, by_size: dict[int, dict[str, list[float]]]) -> None:
    """Print medians, and the medians of each round's ratios, to pytest alone."""
    print(f"\n{TITLES[name]}\n")
    print(f"{'tests':>8}  {'contender':<12} {'median':>8}  {'ratio':>6}  rounds")
    for size, by_contender in sorted(by_size.items()):
        for contender, times in by_contender.items():
            ratio = median(one / base for one, base in zip(times, by_contender["pytest"], strict=True))
            bar = f"  {verdict(ratio <= BARS[name])} ≤ {BARS[name]}" if contender == "groups" else ""
            print(f"{size:>8,}  {contender:<12} {median(times):>7.3f}s  {ratio:>6.3f}  {len(times)}{bar}")
    if {10_000, 50_000} <= by_size.keys():
        growth = {c: median(by_size[50_000][c]) / median(by_size[10_000][c]) for c in ("pytest", "groups")}
        within = verdict(growth["groups"] <= growth["pytest"] * BARS[name])
        print(
            f"growth from 10,000 to 50,000: groups × {growth['groups']:.2f} {within}, pytest × {growth['pytest']:.2f}"
        )


def verdict(is_met: bool) -> str:
    """Return a word for whether a bar is met."""
    return "meets" if is_met else "MISSES"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
