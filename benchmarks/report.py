"""Print the tables of a benchmark's results, with the bars that they are held to: `report.py RESULTS.json`."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path
from statistics import median
from typing import Any

# What is compared, which contender has a limit, and the limit: its time divided by the time of pytest without plugins.
COMPARISONS = {
    "test_collect": ("`--collect-groups -q` against `--collect-only -q` without the plugin", "groups", 1.02),
    "test_run": ("one file with `--group` against the same file without the plugin", "groups", 1.02),
    "test_unused": ("a suite that doesn't use `github_secrets` against the same without the plugin", "secrets", 1.01),
}


def main(results: Path) -> None:
    """Print the results of pytest-benchmark."""
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
    for benchmark in by_test["test_large_file"]:
        print(
            "the digest of a file of 3 GB: {seconds:.1f} s, {megabytes:.0f} MB of memory".format(
                **benchmark["extra_info"]
            )
        )
    print_plans(by_test["test_plans"][0]["extra_info"])
    print("\nmasking with 50 secrets:", end="")
    for benchmark in by_test["test_mask"]:
        print(
            " {megabytes} MB ({content})".format(**benchmark["params"]), f"{benchmark['stats']['median']:.3f} s", end=""
        )
    print("\n\nredact-secrets, memory at its peak beyond Python itself:")
    for benchmark in by_test["test_memory"]:
        more, seconds = benchmark["extra_info"]["more"], benchmark["extra_info"]["seconds"]
        print(f"{benchmark['params']['megabytes']:>6,} MB {more:>4.0f} MB {verdict(more, 64)} MB ({seconds:.0f} s)")
    (leaks,) = by_test["test_leaks"]
    print("\n{cases:,} generated cases, leaks: {leaks} ({seconds:.0f} s)".format(**leaks["extra_info"]))
    (ordinary,) = by_test["test_ordinary_text"]
    print(
        "{megabytes:.1f} MB of ordinary text, {kinds} kinds of secrets, masked by mistake: {wrong}".format(
            **ordinary["extra_info"]
        )
    )


def print_comparison(benchmarks: list[dict[str, Any]], contender: str, bar: float) -> None:
    """Print each contender's median time, and the median of its ratios to pytest without plugins in the same round."""
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
        print(f"growth from 10,000 to 50,000 tests: × {growth:.2f}, of pytest without plugins: × {of_pytest:.2f}")


def print_cache(hits: list[dict[str, Any]], digests: list[dict[str, Any]]) -> None:
    """Print how long a hit takes, and the digest next to other tools that read the same files."""
    (hit,) = hits
    milliseconds = 1000 * hit["extra_info"]["seconds"]
    print(f"\na hit in the charm cache, 1,000 files and 20 MB: {milliseconds:.0f} ms {verdict(milliseconds, 60)} ms")
    print("the digest of these files, each time in a new process:")
    seconds: dict[str, list[float]] = defaultdict(list)
    for benchmark in digests:
        seconds[benchmark["params"]["contender"]].append(benchmark["stats"]["median"])
    inside = median(benchmark["extra_info"]["inside"] for benchmark in digests if benchmark["extra_info"]["inside"])
    for contender, taken in seconds.items():
        ratios = (digest / other for digest, other in zip(seconds["digest"], taken, strict=True))
        without_start = f", without the start of Python {1000 * inside:.0f} ms" if contender == "digest" else ""
        print(f"{contender:>18} {1000 * median(taken):>5.0f} ms  digest / this: {median(ratios):.2f}{without_start}")


def print_plans(info: dict[str, Any]) -> None:
    """Print how much later a run ends than it could, if the groups' times are known exactly or only roughly."""
    print(
        "\nthe end of a run, divided by a lower bound: median and worst 1 % of 600 suites, by how exact the times are\n"
    )
    print(f"{'':<42} {'exact':>12}  {'± 5 %':>12}  {'± 20 %':>12}")
    for name, columns in info["ratios"].items():
        cells = "  ".join(f"{median(values):>6.3f} {sorted(values)[-6]:>5.2f}" for values in columns)
        print(f"{name:<42} {cells}")
    print(f"\nplan-groups uses {info['used']:,} of {info['allowed']:,} runners: more would not make a run end earlier")
    slowest = max(info["milliseconds"])
    print(f"1,000 groups are planned in {slowest:.0f} ms {verdict(slowest, 100)} ms")


def verdict(value: float, bar: float) -> str:
    """Return whether a value meets its limit, in words."""
    return f"{'meets' if value <= bar else 'MISSES'} ≤ {bar}"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
