"""No secret, and no part of one, gets through: for secrets, texts and runs that a generator makes up."""

from __future__ import annotations

import base64
import html
import json
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_github_secrets._mask import Masker, is_maskable
from pytest_github_secrets._parse import Problem, parse

if TYPE_CHECKING:
    from collections.abc import Callable

FORMS: list[Callable[[str], str]] = [
    str,
    repr,
    ascii,
    json.dumps,
    html.escape,
    quote,
    lambda text: quote(text, safe=""),
    lambda text: base64.b64encode(text.encode()).decode(),
]
TEXT = st.text(st.characters(codec="utf-8"), max_size=60)
SECRETS = st.dictionaries(
    st.sampled_from("ABC"), TEXT | st.text(st.sampled_from("ab'\"\\\n%é "), min_size=8), min_size=1
)


def parts(value: str) -> set[str]:
    """Return each line of the value, and every part of 8 characters of it, that can be told from ordinary words."""
    lines = value.splitlines()
    found = {*lines, *(line[start : start + 8] for line in lines for start in range(len(line) - 7))}
    return set(filter(is_maskable, found))


@given(SECRETS, st.lists(TEXT))
def test_masker(secrets: dict[str, str], noise: list[str]) -> None:
    mask = Masker(secrets.values())
    around = "|".join(noise)
    for value in secrets.values():
        for form in FORMS:
            masked = mask(f"{around}{form(value)}{around}")
            assert not {part for part in parts(value) if part in masked}


def test_secret_in_another_is_masked_whole() -> None:
    mask = Masker(["horse-battery", "correct-horse-battery-staple", "tapl"])
    assert mask("it is correct-horse-battery-staple.") == "it is ***."
    assert mask("horse-batteries") == "***ies"
    assert mask("stapler") == "s***er"


def test_text_without_secrets_is_left_alone() -> None:
    mask = Masker(["correct-horse-battery", "        {\n          'a': 1\n", "--------------------", "a b c"])
    for text in (
        "",
        "correct",
        "a horse",
        " " * 40,
        "def test_one():\n            pass",
        "a b c",
        "\x1b[31mred\x1b[0m",
    ):
        assert mask(text) == text


@pytest.mark.parametrize("position", range(1, 8))
def test_colours_within_a_secret(position: int) -> None:
    mask = Masker(["hunter22"])
    text = f"\x1b[1mit is {'hunter22'[:position]}\x1b[31m{'hunter22'[position:]}\x1b[0m."
    assert mask(text) == "\x1b[1mit is ***\x1b[31m\x1b[0m."


@given(SECRETS, st.data())
def test_a_broken_string_is_not_shown(secrets: dict[str, str], data: st.DataObject) -> None:
    text = json.dumps(secrets, ensure_ascii=False)
    cut = data.draw(st.integers(0, len(text) - 1))
    broken = text[:cut] + data.draw(st.sampled_from(["", '"', "'", "\\", "{", "\n", "\0", "é", ":"])) + text[cut + 1 :]
    problem = parse(broken)
    if isinstance(problem, Problem):
        assert not {part for value in secrets.values() for part in parts(value) if part in problem.describe("SECRETS")}


SUITE = """
import logging, warnings
import pytest

@pytest.fixture(params="ABC")
def value(request, github_secrets):
    return github_secrets.get(request.param, "")

def test_prints(value):
    print(value, repr(value))
    logging.getLogger().error("%s %r", value, value)
    warnings.warn(value)

def test_raises(value):
    raise RuntimeError(value)

def test_compares(value):
    local = [value]
    assert value == value + "x" and local

def test_skips(value):
    pytest.skip(value or "no reason")
"""


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(SECRETS)
def test_run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, secrets: dict[str, str]) -> None:
    monkeypatch.setenv("SECRETS_FROM_GITHUB", json.dumps(secrets))
    pytester.makepyfile(test_generated=SUITE)
    options = ["-W", "always", "-rA", "--showlocals", "--junit-xml=junit.xml", "--log-file=log"]
    result = pytester.runpytest_inprocess("test_generated.py", "-p", "no:randomly", *options)
    assert result.ret in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}
    everything = result.stdout.str() + "".join(Path(pytester.path, name).read_text() for name in ("junit.xml", "log"))
    source = SUITE + str(pytester.path)
    leaked = {part for value in secrets.values() for part in parts(value) if part in everything and part not in source}
    assert not leaked
