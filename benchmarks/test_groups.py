"""pytest-operator-groups next to pytest without plugins, and next to the plugins that split a suite by number.

Every round runs each contender once, so that other work on the machine slows all of them equally.
"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_benchmark.fixture import BenchmarkFixture

SUITES = {1_000: (10, 100, 5), 10_000: (25, 400, 10), 50_000: (25, 2_000, 10)}
ROUNDS = {1_000: 21, 10_000: 7, 50_000: 3}
COLLECT = {
    "pytest": ["--collect-only", "-q"],
    "groups": ["--collect-groups", "-q"],
    "split": ["--collect-only", "-q", "--splits=10", "--group=1"],
    "shard": ["--collect-only", "-q", "--num-shards=10", "--shard-id=0"],
    "test-groups": ["--collect-only", "-q", "--test-group-count=10", "--test-group=1"],
}
RUN = {"pytest": [], "groups": ["--group=1"]}


def rounds(contenders: list[str]) -> pytest.MarkDecorator:
    """Parametrize with size, round and contender, the contender changing fastest."""
    return pytest.mark.parametrize(
        ("size", "number", "contender"),
        [
            (size, number, contender)
            for size in SUITES
            for number in range(ROUNDS[size])
            for contender in contenders[number % len(contenders) :] + contenders[: number % len(contenders)]
        ],
    )


@rounds(list(COLLECT))
def test_collect(
    benchmark: BenchmarkFixture,
    make_suite: Callable[[int, int, int], Path],
    prepare: Callable[..., Callable[[], None]],
    size: int,
    number: int,
    contender: str,
) -> None:
    run = prepare(contender, make_suite(*SUITES[size]), *COLLECT[contender])
    benchmark.pedantic(run)  # type: ignore[no-untyped-call]  # pytest-benchmark leaves it untyped


@rounds(list(RUN))
def test_run(
    benchmark: BenchmarkFixture,
    make_suite: Callable[[int, int, int], Path],
    prepare: Callable[..., Callable[[], None]],
    size: int,
    number: int,
    contender: str,
) -> None:
    run = prepare(contender, make_suite(1, size, 1), "-q", "tests/integration/test_0.py", *RUN[contender])
    benchmark.pedantic(run)  # type: ignore[no-untyped-call]  # pytest-benchmark leaves it untyped


@pytest.mark.parametrize(
    ("contender", "module"),
    [("groups", "pytest_operator_groups"), ("secrets", "pytest_github_secrets"), ("cache", "pytest_operator_cache")],
)
def test_import(
    benchmark: BenchmarkFixture,
    python_of: Callable[[str], Path],
    environment: dict[str, str],
    contender: str,
    module: str,
) -> None:
    program = f"""
import time
start = time.perf_counter(); import pytest
middle = time.perf_counter(); import {module}._plugin
print(middle - start, time.perf_counter() - middle)
"""
    command = [str(python_of(contender)), "-c", program]

    def run() -> str:
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout

    run()
    benchmark.extra_info["seconds"] = [[float(seconds) for seconds in run().split()] for _ in range(31)]
    benchmark.pedantic(run)  # type: ignore[no-untyped-call]  # pytest-benchmark leaves it untyped
