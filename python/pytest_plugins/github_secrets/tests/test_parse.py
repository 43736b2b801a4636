"""Which strings are read as secrets, and which error the others get, without any part of them."""

from __future__ import annotations

import json
import warnings
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_github_secrets._secrets import SecretsError, parse

VALUES = st.dictionaries(st.text(st.characters(codec="utf-8")), st.text(st.characters(codec="utf-8")))


@pytest.mark.parametrize(
    ("text", "secrets"),
    [
        ("{}", {}),
        ('{"A": "b"}', {"A": "b"}),
        ("{'A': 'b', 'C': 'd',}", {"A": "b", "C": "d"}),
        ('{ "A": "b",\n  "C": "d", }\n', {"A": "b", "C": "d"}),
        ('{  # of the team\n "A": "b" }', {"A": "b"}),
        ('{"A": "", "B": null, }', {"A": "", "B": ""}),
        (r'{"A": "\"\\\/\n\u00e9\ud83d\ude00"}', {"A": '"\\/\né😀'}),
        (r"""{'A': 'it\'s "b"', "C": 'tab\t\x41'}""", {"A": 'it\'s "b"', "C": "tab\tA"}),
        ('{"KEY": """one\ntwo "quoted"\n"""}', {"KEY": 'one\ntwo "quoted"\n'}),
        ("{'KEY': '''one\ntwo'''}", {"KEY": "one\ntwo"}),
        (r'{r"A": r"\n", u"B": u"b"}', {"A": r"\n", "B": "b"}),
        (r'{"A": "\d"}', {"A": r"\d"}),
        ('{"A": "{not} a, dict: #"}', {"A": "{not} a, dict: #"}),
        ('{"A": "b", "A": "c"}', {"A": "c"}),
    ],
)
def test_accepts(text: str, secrets: dict[str, str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert parse(text, "SECRETS") == secrets


@given(VALUES)
def test_accepts_every_dict_of_strings_as_json_and_as_a_repr(secrets: dict[str, str]) -> None:
    assert parse(json.dumps(secrets), "SECRETS") == secrets
    assert parse(json.dumps(secrets, ensure_ascii=False, indent=1), "SECRETS") == secrets
    assert parse(repr(secrets), "SECRETS") == secrets


@given(VALUES)
def test_accepts_json_strings_with_a_trailing_comma(secrets: dict[str, str]) -> None:
    lines = "".join(f"  {json.dumps(key)}: {json.dumps(value)},\n" for key, value in secrets.items())
    assert parse(f"{{\n{lines}}}", "SECRETS") == secrets


AFTER_A_VALUE = (
    "a comma or the closing } is missing after a value. A quote in the value may have ended its string early"
)
NO_DICT = "it doesn't start with {, so it isn't a dict"
NO_KEY = "a key in quotes or the closing } is missing"
NO_VALUE = "a value in quotes is missing after a :"
NOT_CLOSED = "a string isn't closed on its line"
NOT_READ = "a string contains an escape or a character that can't be read"


@pytest.mark.parametrize(
    ("text", "problem", "line"),
    [
        ("hunter22", NO_DICT, 1),
        ('"hunter22"', NO_DICT, 1),
        ("\n['hunter22']", NO_DICT, 2),
        ("{'hunter22'}", "a : is missing after a key", 1),
        ("{'A' 'hunter22'}", "a : is missing after a key", 1),
        ("{hunter22: 'A'}", NO_KEY, 1),
        ("{,}", NO_KEY, 1),
        ("{'A': 'b',, }", NO_KEY, 1),
        ("{22: 'A'}", NO_KEY, 1),
        ("{'A': hunter22}", NO_VALUE, 1),
        ("{\n'A': 22}", NO_VALUE, 2),
        ("{'A': None}", NO_VALUE, 1),
        ("{'A': ['hunter22']}", NO_VALUE, 1),
        ("{'A': b'hunter22'}", NO_VALUE, 1),
        ("{'A': f'hunter22'}", NO_VALUE, 1),
        ('{\n"A": "hunt"er22"}', AFTER_A_VALUE, 2),
        ("{'A': 'hunter22' 'B'}", AFTER_A_VALUE, 1),
        ("{'A': 'hunter22'", AFTER_A_VALUE, 1),
        ("{'A': 'hunter\n22'}", NOT_CLOSED, 1),
        ("{'A':\n 'hunter22}", NOT_CLOSED, 2),
        ("{'A': 'hunter22'} + {}", "there is more text after the closing }", 1),
        (r"{'A': 'hunter\x2'}", NOT_READ, 1),
        ("{'A': 'hunter\x0022'}", NOT_READ, 1),
        (r'{"A": "hunter\ud800"}', NOT_READ, 1),
        ("{", NO_KEY, 1),
    ],
)
def test_error(text: str, problem: str, line: int) -> None:
    with pytest.raises(SecretsError) as caught:
        parse(text, "SECRETS")
    assert str(caught.value).startswith(f"SECRETS, line {line}: {problem}. Write a Python dict or a JSON object ")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("{" * 100_000, id="braces"),
        pytest.param("-" * 100_000, id="minus"),
        pytest.param('{"A": ' + "[" * 100_000, id="brackets"),
        pytest.param("\0" * 100_000, id="NUL"),
        pytest.param('{"A": "' + "\\" * 99_999, id="backslashes"),
        pytest.param('{"A": """' + "\\" * 99_999, id="backslashes in triple quotes"),
        pytest.param("{" + "'A': 'b', " * 9_000, id="entries"),
        pytest.param("'''" * 30_000, id="quotes"),
    ],
)
def test_hostile_input(text: str) -> None:
    # Recursion would overflow Python's stack, and backtracking would take forever.
    with pytest.raises(SecretsError, match="SECRETS"):
        parse(text, "SECRETS")


@given(st.text(st.sampled_from("{}:,'\"\\ \n#nullrxA1\0é")))
def test_raises_no_other_error(text: str) -> None:
    with suppress(SecretsError):
        parse(text, "SECRETS")


def test_message() -> None:
    with pytest.raises(SecretsError) as caught:
        parse('{\n"A": "hunter22', "SECRETS")
    assert str(caught.value) == (
        "SECRETS, line 2: a string isn't closed on its line. Write a Python dict or a JSON object of strings. In a "
        'workflow, write one line for each secret: "NAME": ${{ toJSON(secrets.NAME) }},'
    )
    assert caught.value.__context__ is None
