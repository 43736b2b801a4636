"""pytest-github-secrets: what it costs who doesn't use it, how fast it masks, and whether anything gets through."""

from __future__ import annotations

import base64
import html
import json
import random
import string
import time
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from pytest_github_secrets._mask import Masker, is_maskable
from pytest_github_secrets._parse import Problem, parse

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_benchmark.fixture import BenchmarkFixture

SIZE = 10_000
ALPHABETS = [string.ascii_letters + string.digits, string.printable, "ab'\"\\\n%<&é😀", string.hexdigits + "-=+/"]
FORMS: list[Callable[[str], str]] = [
    str,
    repr,
    ascii,
    json.dumps,
    html.escape,
    quote,
    lambda text: repr(json.dumps(text)),
    lambda text: base64.b64encode(text.encode()).decode(),
]


@pytest.mark.parametrize(
    ("number", "contender"),
    [(number, contender) for number in range(11) for contender in (["pytest", "secrets"][:: 1 if number % 2 else -1])],
)
def test_unused(
    benchmark: BenchmarkFixture,
    make_suite: Callable[[int, int, int], Path],
    prepare: Callable[..., Callable[[], None]],
    number: int,
    contender: str,
) -> None:
    benchmark.extra_info["size"] = SIZE
    run = prepare(contender, make_suite(1, SIZE, 1), "-q")
    benchmark.pedantic(run)  # type: ignore[no-untyped-call]  # pytest-benchmark leaves it untyped


@pytest.mark.parametrize("megabytes", [1, 2, 5, 10])
def test_mask(benchmark: BenchmarkFixture, megabytes: int) -> None:
    dice = random.Random(1)  # noqa: S311, it hides nothing
    secrets = ["".join(dice.choices(ALPHABETS[0], k=dice.randint(12, 60))) for _ in range(50)]
    mask = Masker(secrets)
    line = "2026-01-01 12:00:00 INFO unit.database/0 charm: the relation has changed, {} of {} units are active\n"
    lines = (line.format(dice.choice(secrets) if number % 100 == 0 else number, number) for number in range(20_000_000))
    text = ""
    while len(text) < megabytes * 1_000_000:
        text += "".join(next(lines) for _ in range(1_000))
    masked = benchmark.pedantic(mask, [text], rounds=5)  # type: ignore[no-untyped-call]  # as above
    assert not any(secret in masked for secret in secrets)


def test_leaks(benchmark: BenchmarkFixture) -> None:
    dice = random.Random(2)  # noqa: S311, it hides nothing
    cases, leaks = 0, 0
    start = time.perf_counter()
    while cases < 100_000:
        alphabet = dice.choice(ALPHABETS)
        secrets = {key: "".join(dice.choices(alphabet, k=dice.randint(1, 60))) for key in "ABC"}
        parts = {value[i : i + 8] for value in secrets.values() for i in range(max(1, len(value) - 7))}
        parts = {part for part in parts if is_maskable(part)}
        mask = Masker(secrets.values())
        text = json.dumps(secrets, ensure_ascii=False)
        for _ in range(50):
            noise = "".join(dice.choices(string.printable, k=dice.randint(0, 40)))
            shown = mask(noise + dice.choice(FORMS)(dice.choice([*secrets.values()])) + noise)
            cut = dice.randrange(len(text))
            broken = parse(text[:cut] + dice.choice(["", '"', "\\", "{", "\n", "'"]) + text[cut + 1 :])
            shown += broken.describe("SECRETS") if isinstance(broken, Problem) else ""
            leaks += any(part in shown for part in parts)
            cases += 2
    benchmark.extra_info.update(cases=cases, leaks=leaks, seconds=time.perf_counter() - start)
    benchmark.pedantic(int)  # type: ignore[no-untyped-call]  # as above
    assert leaks == 0
