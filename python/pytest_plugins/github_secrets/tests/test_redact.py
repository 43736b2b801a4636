"""What the command `redact-secrets` tells GitHub's log to mask."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PEM = "-----BEGIN-----\n50%\r\nMIIE\n\n-----END-----\n"


def redact(secrets: str | None, program: str = "pass") -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "SECRETS"}
    code = f"import sys; from pytest_github_secrets import _redact; {program}; sys.exit(_redact.main())"
    return subprocess.run(
        [sys.executable, "-c", code],
        env=environment | ({} if secrets is None else {"SECRETS": secrets}),
        capture_output=True,
        text=True,
        check=False,
    )


def test_masks_each_value() -> None:
    run = redact('{"A": "hunter22", "B": "100%", "C": "", "D": "hunter22"}')
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout == "::add-mask::hunter22\n::add-mask::100%25\n3 secrets masked\n"


def test_masks_each_line_and_the_form_of_tojson() -> None:
    run = redact(json.dumps({"KEY": PEM, "QUOTED": 'a"b\\c'}))
    assert run.returncode == 0
    assert run.stdout.splitlines() == [
        "::add-mask::-----BEGIN-----%0A50%25%0D%0AMIIE%0A%0A-----END-----%0A",
        "::add-mask::-----BEGIN-----",
        "::add-mask::50%25",
        "::add-mask::MIIE",
        "::add-mask::-----END-----",
        r"::add-mask::-----BEGIN-----\n50%25\r\nMIIE\n\n-----END-----\n",
        '::add-mask::a"b\\c',
        r"::add-mask::a\"b\\c",
        "2 secrets masked",
    ]


@pytest.mark.parametrize("secrets", [None, "", "{}", '{"A": "", "B": null}'])
def test_no_secret(secrets: str | None) -> None:
    run = redact(secrets)
    assert (run.returncode, run.stdout, run.stderr) == (0, "no secrets to mask in SECRETS\n", "")


@pytest.mark.parametrize(
    ("secrets", "message"),
    [
        ("hunter22", "SECRETS, line 1: it doesn't start with {, so it is no dict."),
        ('{"A":\n "hunter22}', "SECRETS, line 2: a string is not closed on its line."),
    ],
)
def test_bad_input(secrets: str, message: str) -> None:
    run = redact(secrets)
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr == (
        f"redact-secrets: {message} Write a Python dict or JSON of strings; in a workflow, with one line for each "
        'secret: "NAME": ${{ toJSON(secrets.NAME) }},\n'
    )


def test_a_crash_shows_nothing() -> None:
    run = redact('{"A": "hunter22"}', "_redact._escape = lambda text: 1 / 0 if text else text")
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr == "redact-secrets failed: ZeroDivisionError. Nothing more is shown, to keep secrets.\n"


def test_is_a_command() -> None:
    command = Path(sys.executable).with_name("redact-secrets")
    run = subprocess.run(
        [str(command)], env={"SECRETS": '{"A": "hunter22"}'}, capture_output=True, text=True, check=True
    )
    assert run.stdout.endswith("1 secrets masked\n")
