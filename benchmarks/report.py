"""Print the tables of a benchmark's results, with the bars that they are held to: `report.py RESULTS.json`."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path
from statistics import median
from typing import Any

# What is compared, which contender is held to a bar, and the bar: its time against that of pytest alone.
COMPARISONS = {
    "test_collect": ("`--collect-groups -q` against `--collect-only -q` without the plugin", "groups", 1.02),
    "test_run": ("one file with `--group` against the same file without the plugin", "groups", 1.02),
    "test_unused": ("a suite that doesn't use `github_secrets` against the same without the plugin", "secrets", 1.01),
}


def main(results: Path) -> None:
    """Print what is in the results of pytest-benchmark."""
    by_test: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for benchmark in json.loads(results.read_text())["benchmarks"]:
        by_test[benchmark["name"].partition("[")[0]].append(benchmark)
    for test, (title, contender, bar) in COMPARISONS.items():
        print(f"\n{title}\n")
        print_comparison(by_test[test], contender, bar)
    print()
    for benchmark in by_test["test_import"]:
        columns = zip(*benchmark["extra_info"]["seconds"], strict=True)
        of_pytest, of_plugin = (1000 * median(column) for column in columns)
        module = benchmark["params"]["module"]
        print(f"import of {module}: {of_plugin:.2f} ms {verdict(of_plugin, 1)} ms, of pytest: {of_pytest:.0f} ms")
    print_cache(by_test["test_hit"], by_test["test_digest"])
    print("\nmasking with 50 secrets:", end="")
    for benchmark in by_test["test_mask"]:
        print(f" {benchmark['params']['megabytes']} MB {benchmark['stats']['median']:.3f} s", end="")
    (leaks,) = by_test["test_leaks"]
    print("\n\n{cases:,} generated cases, leaks: {leaks} ({seconds:.0f} s)".format(**leaks["extra_info"]))


def print_comparison(benchmarks: list[dict[str, Any]], contender: str, bar: float) -> None:
    """Print each contender's median, and the median of its ratios to pytest alone, round by round."""
    seconds: dict[int, dict[str, dict[int, float]]] = defaultdict(lambda: defaultdict(dict))
    for benchmark in benchmarks:
        params = benchmark["params"]
        size = params.get("size") or benchmark["extra_info"]["size"]
        seconds[size][params["contender"]][params["number"]] = benchmark["stats"]["median"]
    print(f"{'tests':>8}  {'contender':<12} {'median':>8}  {'ratio':>6}  rounds")
    for size, by_contender in sorted(seconds.items()):
        for name, rounds in by_contender.items():
            ratio = median(rounds[number] / by_contender["pytest"][number] for number in rounds)
            held = f"  {verdict(ratio, bar)}" if name == contender else ""
            print(f"{size:>8,}  {name:<12} {median(rounds.values()):>7.3f}s  {ratio:>6.3f}  {len(rounds)}{held}")
    if {10_000, 50_000} <= seconds.keys():
        growth, of_pytest = (
            median(seconds[50_000][name].values()) / median(seconds[10_000][name].values())
            for name in (contender, "pytest")
        )
        print(f"growth from 10,000 to 50,000 tests: × {growth:.2f}, of pytest alone: × {of_pytest:.2f}")


def print_cache(hits: list[dict[str, Any]], digests: list[dict[str, Any]]) -> None:
    """Print what a hit takes, and the digest beside what else reads the same files."""
    (hit,) = hits
    milliseconds = 1000 * hit["extra_info"]["seconds"]
    print(f"\na hit in the charm cache, 1,000 files and 20 MB: {milliseconds:.0f} ms {verdict(milliseconds, 60)} ms")
    print("the digest of these files, each time in a process of its own:")
    seconds: dict[str, list[float]] = defaultdict(list)
    for benchmark in digests:
        seconds[benchmark["params"]["contender"]].append(benchmark["stats"]["median"])
    inside = median(benchmark["extra_info"]["inside"] for benchmark in digests if benchmark["extra_info"]["inside"])
    for contender, taken in seconds.items():
        ratios = (digest / other for digest, other in zip(seconds["digest"], taken, strict=True))
        alone = f", without the start of Python {1000 * inside:.0f} ms" if contender == "digest" else ""
        print(f"{contender:>18} {1000 * median(taken):>5.0f} ms  digest / this: {median(ratios):.2f}{alone}")


def verdict(value: float, bar: float) -> str:
    """Return whether a value keeps to its bar, in words."""
    return f"{'meets' if value <= bar else 'MISSES'} ≤ {bar}"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
