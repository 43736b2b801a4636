"""No secret and no part of one gets through, for generated secrets, texts and runs."""

from __future__ import annotations

import base64
import html
import itertools
import json
import re
import shlex
import string
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pytest_github_secrets._forms import find_short, is_maskable
from pytest_github_secrets._mask import Masker
from pytest_github_secrets._secrets import SecretsError, parse

if TYPE_CHECKING:
    from collections.abc import Callable

FORMS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "repr": repr,
    "ascii": ascii,
    "repr of bytes": lambda text: repr(text.encode()),
    "json": json.dumps,
    "json of Go": lambda text: json.dumps(text).replace("<", r"\u003c").replace(">", r"\u003e").replace("&", r"\u0026"),
    "xml": html.escape,
    "references": lambda text: "".join(f"&#{ord(character)};" for character in text),
    "hexadecimal references": lambda text: "".join(f"&#x{ord(character):X};" for character in text),
    "url": quote,
    "url, all": lambda text: quote(text, safe=""),
    "url, as requests has it": lambda text: quote(text, safe="!#$%&'()*+,/:;=?@[]~"),
    "url, lower-case": lambda text: re.sub("%..", lambda match: match[0].lower(), quote(text)),
    "form": quote_plus,
    "shell": shlex.quote,
    "shell, with a backslash": lambda text: "'" + text.replace("'", r"'\''") + "'",
    "yaml": lambda text: "'" + text.replace("'", "''") + "'",
    "csv": lambda text: '"' + text.replace('"', '""') + '"',
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64, for URLs": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "base64, within": lambda text: base64.b64encode(f"[{text}]".encode()).decode(),
    "base64, in lines": lambda text: base64.encodebytes(text.encode()).decode(),
    "hex": lambda text: text.encode().hex(),
    "hex, upper-case": lambda text: text.encode().hex().upper(),
    "octal": lambda text: "".join(f"\\{byte:03o}" for byte in text.encode()),
}
COLOURS = ["\x1b[31m", "\x1b[0m", "\x1b[1;38;5;9m", "\x1b(B"]
TEXT = st.text(st.characters(codec="utf-8"), max_size=60)
SECRETS = st.dictionaries(
    st.sampled_from("ABC"), TEXT | st.text(st.sampled_from("ab'\"\\\n%é "), min_size=8), min_size=1
)


def secret_texts(value: str) -> set[str]:
    """Return the value if it has one line, and its lines that are long."""
    lines = [line.strip() for line in value.splitlines()]
    return {line for line in lines if is_maskable(line) and (len(lines) == 1 or len(re.findall("[a-z0-9]", line)) > 9)}


@pytest.mark.slow
@settings(deadline=None)
@given(SECRETS, st.lists(TEXT, max_size=3))
def test_masker(secrets: dict[str, str], noise: list[str]) -> None:
    mask = Masker(secrets.values())
    around = "|".join(noise)
    for value in secrets.values():
        for form in FORMS.values():
            masked = mask(f"{around}{form(value)}{around}")
            assert not {text for text in secret_texts(value) if text in masked}


PASSWORD = 'hunter2-<tag>&"quoted"/it\'s+100%\\d é=😀'


# What is in base64 or in hexadecimal digits is as it is or JSON, or in base64 once more.
BINARY = [form for form in FORMS if form.startswith(("base64", "hex,")) or form == "hex"]
WITHIN = {form: ["plain", "json", "json of Go", *(BINARY[:2] if form in BINARY[:3] else ())] for form in BINARY}


@pytest.mark.long
@pytest.mark.parametrize("outer", FORMS)
def test_forms_in_each_other(outer: str) -> None:
    mask = Masker([PASSWORD])
    for inner, outermost in itertools.product(WITHIN.get(outer, FORMS), ["plain", "json", "xml", "url", "form"]):
        encoded, around, at_line_end = (
            FORMS[outermost](FORMS[outer](FORMS[inner](text))) for text in (PASSWORD, "", "0=\n")
        )
        masked = mask(f"it is {encoded}.")
        # What is left are quotes, brackets, the padding of base64, and a character at a line end within it.
        before, after = re.fullmatch(r"it is (.*)\*\*\*(.*)\.", masked, re.DOTALL).groups()  # type: ignore[union-attr]
        assert len(before) + len(after) <= len(around) + len(at_line_end) + 16


VALUE = (
    st.text(st.sampled_from("abcXYZ0189-_/+=<>&%\"'\\ é😀"), min_size=8, max_size=40).map(str.strip).filter(is_maskable)
)
NESTED = [(inner, outer) for outer in FORMS for inner in WITHIN.get(outer, FORMS)]
BREAKS = st.sampled_from([*COLOURS, "\n", "\r\n", "\n    "])


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(VALUE, st.sampled_from(NESTED), st.lists(st.tuples(st.integers(0), BREAKS)), TEXT)
def test_broken_forms(value: str, nested: tuple[str, str], breaks: list[tuple[int, str]], noise: str) -> None:
    inner, outer = nested
    encoded = FORMS[outer](FORMS[inner](value))
    positions = [position for position, character in enumerate(encoded) if not character.isspace()]
    inserted = {positions[number % len(positions)]: text for number, text in breaks[:6]}
    broken = "".join(inserted.get(position, "") + character for position, character in enumerate(encoded))
    masked = re.sub(r"\x1b(\[[\d;]*m|\(B)|\r?\n *", "", Masker([value])(f"{noise}|{broken}|{noise}"))
    shown = masked.removeprefix(re.sub(r"\r?\n *", "", f"{noise}|")).removesuffix(re.sub(r"\r?\n *", "", f"|{noise}"))
    allowed = len(FORMS[outer](FORMS[inner](""))) + len(FORMS[outer]("0==\n")) + 4
    assert "***" in shown
    assert max(map(len, shown.split("***"))) <= allowed


def test_every_position_in_a_large_text() -> None:
    mask = Masker([PASSWORD, "tiny"])
    encoded = json.dumps(base64.b64encode(PASSWORD.encode()).decode()) + "tiny"
    # A text is masked piece by piece.
    end = len(next(mask.mask_blocks([b"." * 270_000]))[0])
    for position in (*range(end - 150, end + 10, 4), *range(260_000, 264_500, 100)):
        text = "." * position + encoded + "." * (270_000 - position)
        masked = mask(text)
        assert masked.count("***") == 2
        assert len(masked) < len(text) - 40


@pytest.mark.slow
def test_text_full_of_secrets() -> None:
    mask = Masker([PASSWORD])
    assert mask(PASSWORD * 20_000) == "***"
    assert mask(f"{PASSWORD}\n" * 20_000) == "***\n" * 20_000


@settings(deadline=None)
@given(st.lists(st.binary(max_size=300)))
def test_data_without_secrets_is_left_alone(blocks: list[bytes]) -> None:
    mask = Masker([PASSWORD])
    assert [original for original, _ in mask.mask_blocks(blocks)] == [masked for _, masked in mask.mask_blocks(blocks)]
    assert mask.mask_bytes(b"".join(blocks)) == b"".join(blocks)


@pytest.mark.parametrize(
    "text", ["\\U00110000", "&#1114112;", "&#xFFFFFF;", "&unknown;", "\\ud800", "%zz", "&#x0;", "A" * 99]
)
def test_what_looks_encoded(text: str) -> None:
    assert Masker([PASSWORD])(f"{text} {PASSWORD} {text}") == f"{text} *** {text}"


def test_secret_in_another_is_masked_whole() -> None:
    mask = Masker(["horse-battery", "correct-horse-battery-staple", "tapl"])
    assert mask("it is correct-horse-battery-staple.") == "it is ***."
    assert mask("horse-batteries") == "horse-batteries"
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


# The messages contain words, which Hypothesis also takes from the code. So these secrets have no letters.
@settings(deadline=None)
@given(
    st.dictionaries(
        st.sampled_from("ABC"),
        st.text(st.characters(codec="utf-8", exclude_characters=string.ascii_letters), max_size=60)
        | st.text(st.sampled_from("12'\"\\\n%é "), min_size=8),
        min_size=1,
    ),
    st.data(),
)
def test_a_broken_string_is_not_shown(secrets: dict[str, str], data: st.DataObject) -> None:
    text = json.dumps(secrets, ensure_ascii=False)
    cut = data.draw(st.integers(0, len(text) - 1))
    broken = text[:cut] + data.draw(st.sampled_from(["", '"', "'", "\\", "{", "\n", "\0", "é", ":"])) + text[cut + 1 :]
    try:
        parse(broken, "SECRETS")
    except SecretsError as error:
        message = str(error)
        assert not {text for value in secrets.values() for text in secret_texts(value) if text in message}


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


def run_suite(pytester: pytest.Pytester, secrets: dict[str, str]) -> str:
    """Return everything that pytest writes."""
    options = ["-W", "always", "-rA", "--showlocals", "--junit-xml=junit.xml", "--log-file=log"]
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SECRETS_FROM_GITHUB", json.dumps(secrets))
        result = pytester.runpytest_inprocess("test_generated.py", "-p", "no:randomly", *options)
    assert result.ret in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}
    return result.stdout.str() + "".join(Path(pytester.path, name).read_text() for name in ("junit.xml", "log"))


@pytest.fixture
def ordinary(pytester: pytest.Pytester) -> str:
    """Return what a run writes whatever the secrets are. The names of XML, such as "testcase", stay as they are."""
    pytester.makepyfile(test_generated=SUITE)
    return SUITE + str(pytester.path) + run_suite(pytester, {"A": "0f4c1d7e"})


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(SECRETS)
@example({"A": "testcase", "B": " version"})
@pytest.mark.long
def test_run(pytester: pytest.Pytester, ordinary: str, secrets: dict[str, str]) -> None:
    everything = run_suite(pytester, secrets)
    found = {text for value in secrets.values() for text in secret_texts(value) if text in everything}
    assert not {text for text in found if text not in ordinary}


@pytest.mark.parametrize("value", ["\x1b[0m\n", "\x1b[31mx", "x%20", "%61%20", "ab\n\x1b[31;1m"])
def test_too_little_is_left_without_colours_and_escapes(value: str) -> None:
    assert find_short({"A": value}) == ([] if "%" in value else ["A"])
    assert Masker([value, "hunter22"])("a test of hunter22 and x y") == "a test of *** and x y"


def test_part_of_a_character() -> None:
    assert Masker(["%A9abcd"])("éabcd %A9abcd") == "\ufffd*** ***"


# Secrets with ordinary text in them, and what of them is secret.
KEY = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKjMzEfYyjiWA4R4m2xN8vQ5tZ7wL3"
PEM = f"-----BEGIN PRIVATE KEY-----\n{KEY}\n-----END PRIVATE KEY-----\n"
GCP = json.dumps(
    {"type": "service_account", "private_key": PEM, "token_uri": "https://oauth2.googleapis.com/token"}, indent=2
)
KUBECONFIG = f"""apiVersion: v1
kind: Config
clusters:
- cluster:
    certificate-authority-data: {base64.b64encode(PEM.encode()).decode()}
    server: https://10.0.0.1:16443
  name: microk8s-cluster
contexts:
- context: {{}}
users:
- name: admin
  user:
    password: hunter22-2
"""
URL = "postgresql://admin:hunter22-2@database.example.com:5432/postgres"
JWT = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
INI = "[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\nregion = us-east-1\n"


@pytest.mark.parametrize("secret", [GCP, KUBECONFIG, PEM, URL, JWT, INI, "correct horse battery staple"])
def test_ordinary_text_stays(secret: str) -> None:
    mask = Masker([secret])
    for text in (
        '{"name": "test_1", "type": "text/plain", "token_uri": "https://example.com"}',
        "| charm | base |\n| --- | --- |\n-----BEGIN CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----",
        "postgresql://localhost:5432/postgres of https://charmhub.io/postgresql and https://oauth2.googleapis.com/tokeninfo",
        "apiVersion: v1\nkind: Config\nclusters:\n- cluster:\nusers:\n- name: admin\nkind: Config\ncontexts:",
        f"another key: {KEY[:50]} {base64.b64encode(b'-----BEGIN PRIVATE KEY-----').decode()}",
        "another token: eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.x [default]",
        "the horse was correct, the battery wasn't. 'correct hor...' and 'https://...'",
    ):
        assert mask(text) == text


@pytest.mark.parametrize(
    ("secret", "text", "masked"),
    [
        (GCP, f"{KEY[62:]} or {KEY[62:78]} or {KEY[62:77]}", f"*** or *** or {KEY[62:77]}"),
        (KUBECONFIG, "hunter22-2", "***"),
        (KUBECONFIG, base64.b64encode(PEM.encode()).decode()[120:140], "***"),
        (URL, "password hunter22-2, psql: hunter22%2D2", "password ***, psql: ***"),
        (URL, f"{URL[:20]}... and ...{URL[-16:]}", "*** and ***"),
        ("xK9!mP2vL5-nQ8.rT4", "'xK9!mP2vL5-n...2vL5-nQ8.rT4'", "'***'"),
        (INI, "AKIAIOSFODNN7EXAMPLE and region = us-east-1", "*** and ***"),
        (JWT, JWT.split(".")[2][:20], "***"),
        ("correct horse battery staple", "['correct horse '\n 'battery staple']", "['***']"),
        (
            "correct horse battery staple",
            "'correct horse '\x1b[0m\n\x1b[31mE  - 'battery staple'",
            "'***\x1b[0m\x1b[31m'",
        ),
        ("correct horse battery\nhorse staple", "horse staple", "***"),
    ],
)
def test_what_is_secret(secret: str, text: str, masked: str) -> None:
    assert Masker([secret])(text) == masked
