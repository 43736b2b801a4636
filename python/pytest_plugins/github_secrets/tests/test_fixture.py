"""What a test gets from `github_secrets`, and what others see of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Run

PASSWORD = "correct-horse-battery"
SECRETS = json.dumps({"USER": "admin", "PASSWORD": PASSWORD})
WRITE = (
    " Write a Python dict or a JSON object of strings. In a workflow, write one line for each secret: "
    '"NAME": ${{ toJSON(secrets.NAME) }},'
)
LAPTOP = (
    """ On a laptop, type: export SECRETS_FROM_GITHUB='{"NAME": "value"}'."""
    " Or name a dotenv file in the pytest option github_secrets_file."
    " In a workflow, write a Python dict or a JSON object of strings, with one line for each secret:"
    ' "NAME": ${{ toJSON(secrets.NAME) }},'
)
EVERYTHING = ["-vv", "--tb=long", "--showlocals", "--log-level=DEBUG", "--log-cli-level=DEBUG", "-rA"]
USES = "def test_uses(github_secrets): ..."


def test_is_a_dict_of_the_values(run: Run) -> None:
    code = f"""
import copy, json, pickle

def test_dict(github_secrets):
    values = {{"USER": "admin", "PASSWORD": {PASSWORD!r}}}
    assert isinstance(github_secrets, dict)
    assert github_secrets == values
    assert dict(**github_secrets) == values
    assert json.loads(json.dumps(github_secrets)) == values
    assert list(github_secrets.items()) == list(values.items())
    for copied in (copy.copy, copy.deepcopy, lambda secrets: secrets.copy(), lambda secrets: secrets | {{}},
                   lambda secrets: {{}} | secrets, lambda secrets: pickle.loads(pickle.dumps(secrets))):
        assert copied(github_secrets) == values
        assert repr(copied(github_secrets)) == "{{'USER': '***', 'PASSWORD': '***'}}"
        assert copied(github_secrets) is not github_secrets
    assert {{"USER": "other"}} | github_secrets == values
    assert github_secrets | {{"USER": "other"}} == values | {{"USER": "other"}}

def test_session_scope(github_secrets, request):
    assert request.getfixturevalue("github_secrets") is github_secrets
"""
    run(code, SECRETS, "-W", "error").assert_outcomes(passed=2)


def test_text_shows_only_keys(run: Run) -> None:
    code = """
import pprint

def test_text(github_secrets):
    shown = "{'USER': '***', 'PASSWORD': '***', 'OTHER': ''}"
    secrets = github_secrets | {"OTHER": ""}
    assert [repr(secrets), str(secrets), f"{secrets}", "%s" % secrets, pprint.pformat(secrets)] == [shown] * 5
"""
    run(code, SECRETS).assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("comparison", "explanation"),
    [
        (
            "github_secrets == {'USER': 'abc', 'OTHER': 'xyz'}",
            ["assert {'USER': '***', 'PASSWORD': '***'} == {'USER': '***', 'OTHER': '***'}",
             "only on the left: 'PASSWORD'", "only on the right: 'OTHER'", "different value (not shown): 'USER'"],
        ),
        ("{'USER': 'abc'} == github_secrets", ["assert {'USER': '***'} == {'USER': '***', 'PASSWORD': '***'}"]),
        ("github_secrets != github_secrets.copy()", ["assert {'USER': '***', 'PASSWORD': '***'} != {'USER'*"]),
        ("github_secrets == ['abc']", ["assert secrets == list"]),
        ("'abc' in github_secrets", ["AssertionError: assert 'abc' in {'USER': '***', 'PASSWORD': '***'}"]),
        ("not github_secrets", ["assert not {'USER': '***', 'PASSWORD': '***'}"]),
        ("len(github_secrets) == 3", ["assert 2 == 3", "where 2 = len({'USER': '***', 'PASSWORD': '***'})"]),
    ],
)  # fmt: skip
def test_failed_assertion(run: Run, comparison: str, explanation: list[str]) -> None:
    # The values are too short to be masked. They must not be shown anyway.
    secrets = '{"USER": "zq7", "PASSWORD": "zq8"}'
    result = run(f"def test_one(github_secrets):\n    assert {comparison}", secrets, *EVERYTHING, "-W", "always")
    result.assert_outcomes(failed=1, warnings=1)
    shown = result.stdout.str()
    for line in explanation:
        result.stdout.fnmatch_lines([f"*{line.replace('[', '[[]')}*"])
    assert "zq" not in shown


@pytest.mark.parametrize(
    ("secrets", "message"),
    [
        (None, f"SECRETS_FROM_GITHUB: it is not set.{LAPTOP}"),
        ("", f"SECRETS_FROM_GITHUB: it is empty.{LAPTOP}"),
        (" \n", f"SECRETS_FROM_GITHUB: it is empty.{LAPTOP}"),
        (PASSWORD, "SECRETS_FROM_GITHUB, line 1: it doesn't start with {, so it isn't a dict."),
        (f"['{PASSWORD}']", "SECRETS_FROM_GITHUB, line 1: it doesn't start with {, so it isn't a dict."),
        (
            f'{{"A": "b",\n "PASSWORD": "{PASSWORD}"{PASSWORD}"}}',
            (
                "SECRETS_FROM_GITHUB, line 2: a comma or the closing } is missing after a value. A quote in the value "
                "may have ended its string early."
            ),
        ),
        (f'{{"{PASSWORD}": 1}}', "SECRETS_FROM_GITHUB, line 1: a value in quotes is missing after a :."),
        (f'{{"A": "{PASSWORD}', "SECRETS_FROM_GITHUB, line 1: a string isn't closed on its line."),
        (
            f'{{"A": "{PASSWORD}\\x"}}',
            "SECRETS_FROM_GITHUB, line 1: a string contains an escape or a character that can't be read.",
        ),
    ],
)
@pytest.mark.parametrize("option", ["", "-W error --full-trace -s"])
def test_error_shows_no_character_of_the_value(run: Run, secrets: str | None, message: str, option: str) -> None:
    result = run(USES, secrets, *EVERYTHING, "--junit-xml=junit.xml", *option.split())
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"*{message}" if LAPTOP in message else f"*{message}{WRITE}"])
    everything = result.stdout.str() + result.stderr.str()
    assert not any(PASSWORD[start : start + 8] in everything for start in range(len(PASSWORD) - 7))
    assert "Traceback" not in everything
    assert "During handling" not in everything


@pytest.mark.parametrize("secrets", ['{"A": "", "B": ""}', '{"A": null}', "{}"])
def test_skipped_if_every_secret_is_empty(run: Run, secrets: str) -> None:
    result = run(f"{USES}\n{USES.replace('uses', 'too')}\ndef test_other(): ...", secrets, "-rs", "-W", "error")
    result.assert_outcomes(skipped=2, passed=1)
    result.stdout.fnmatch_lines(
        ["*every secret in SECRETS_FROM_GITHUB is empty: a pull request from a fork gets no secrets"]
    )


def test_warnings_name_the_keys(run: Run) -> None:
    code = "def test_uses(github_secrets):\n    assert github_secrets['A'] == ''"
    result = run(code, '{"A": "", "B": null, "C": "abc", "D": " a b c ", "E": "abcd"}', "-W", "always")
    result.assert_outcomes(passed=1, warnings=2)
    result.stdout.fnmatch_lines(
        [
            "*PytestWarning: empty in SECRETS_FROM_GITHUB: A, B",
            "*PytestWarning: too short to be masked (under 4 characters without blanks): C, D",
        ]
    )


def test_warnings_as_errors_show_no_value(run: Run) -> None:
    result = run(USES, f'{{"A": "", "PASSWORD": "{PASSWORD}"}}', *EVERYTHING, "-W", "error")
    result.assert_outcomes(errors=1)
    assert PASSWORD not in result.stdout.str()


HOOKS = """
def test_hooks(pytestconfig):
    import sys
    plugins = pytestconfig.pluginmanager
    own = [plugin for plugin in plugins.get_plugins() if "pytest_github_secrets" in (plugins.get_name(plugin) or "")]
    assert len(own) == 1
    assert {caller.name for caller in plugins.get_hookcallers(own[0])} == {
        "pytest_addoption", "pytest_load_initial_conftests", "pytest_configure"}
    assert not [plugin for plugin in plugins.get_plugins() if type(plugin).__module__.startswith("pytest_github")]
    assert not [name for name in sys.modules if name.startswith("pytest_github_secrets._") and "_plugin" not in name]
"""


def test_a_run_without_secrets_has_no_hook_and_imports_nothing(run_process: Run) -> None:
    run_process(HOOKS, None).assert_outcomes(passed=1)


def test_switched_off(run: Run) -> None:
    run(USES, SECRETS, "-p", "no:pytest_github_secrets").assert_outcomes(errors=1)
