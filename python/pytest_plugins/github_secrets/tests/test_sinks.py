"""No secret reaches anything that pytest and its plugins write, in any form: each sink with each form."""

from __future__ import annotations

import html
import json
import os
import re
import subprocess
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_github_secrets._redact_secrets import main as redact_secrets

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# A password with a character for each kind of escape, and a private key.
SECRETS = {
    "PASSWORD": 'hunter2-<tag>&"quoted"/it\'s+100%\\d é=',
    "KEY": "-----BEGIN KEY-----\nMIIEvgIBADANBgkqhkiG9w0BAQEF\nAASCBKgwggSkAgEAAoIBAQC7VJTU\n-----END KEY-----\n",
}
FORMS_MODULE = """
import base64, html, json
from urllib.parse import quote, quote_plus

FORMS = {
    "plain": lambda text: text,
    "repr": lambda text: repr(text)[1:-1],
    "json": lambda text: json.dumps(text)[1:-1],
    "xml": lambda text: html.escape(text),
    "url": lambda text: quote(text, safe=""),
    "form": lambda text: quote_plus(text),
    "base64-0": lambda text: base64.b64encode(text.encode()).decode(),
    "base64-1": lambda text: base64.b64encode(b"1" + text.encode()).decode(),
    "base64-2": lambda text: base64.urlsafe_b64encode(b"22" + text.encode()).decode(),
    "line": lambda text: text.split("\\n")[1 if "\\n" in text else 0],
}
"""
SUITE = """
import json, logging, os, sys, unittest, warnings
import pytest
from forms import FORMS

SECRETS = json.loads(os.environ["SECRETS_FROM_GITHUB"])

@pytest.fixture
def text(request, github_secrets):
    form, key = request.param
    return f"{form}-{key}: {FORMS[form](github_secrets[key])} :end"

@pytest.fixture
def fails_in_setup(text):
    raise RuntimeError(text)

@pytest.fixture
def fails_in_teardown(text):
    yield
    raise RuntimeError(text)

each = pytest.mark.parametrize("text", [(form, key) for form in FORMS for key in ("PASSWORD", "KEY")], indirect=True,
                               ids=lambda pair: "-".join(pair))

@each
def test_everything(text, record_property, request):
    print(text)
    print(text, file=sys.stderr)
    logging.getLogger("charm").error("it is %s", text)
    warnings.warn(text)
    record_property("property", text)
    request.node.user_properties.append((text, "value"))
    local = {"key": [text]}
    assert text == "", f"message {text}"

@each
def test_comparison(text): assert text == text[:-3] + "another " + text

@each
def test_lists(text): assert [text, "a"] == [text + "b", "a"]

@each
def test_setup(fails_in_setup): ...

@each
def test_teardown(fails_in_teardown): ...

@each
def test_skip(text): pytest.skip(text)

@each
def test_xfail(text): pytest.xfail(text)

@each
def test_exit_reason(text): pytest.fail(text, pytrace=False)

@pytest.mark.parametrize("value", [*SECRETS.values(), SECRETS["PASSWORD"].encode()])
def test_parameter(value): assert not value

@pytest.mark.parametrize("value", [pytest.param(1, id=SECRETS["PASSWORD"])])
def test_parameter_with_an_id(value): assert not value

def test_without_the_fixture():
    logging.getLogger("charm").error("it is %s", SECRETS)
    assert not SECRETS

@pytest.mark.parametrize("key", SECRETS)
def test_types(key, record_property):
    value = SECRETS[key]
    record_property("bytes", value.encode())
    record_property("set", {value})
    record_property("keys", {value: 1, value[:20] + "...": 2})
    record_property("error", ValueError(value))
    logging.getLogger("charm").error("with more", extra={"cause": ValueError(value), "data": value.encode()})
    assert not value

class TestSubTests(unittest.TestCase):
    def test_subtest(self):
        for key, value in SECRETS.items():
            with self.subTest(value, value=value):
                print(value)
                assert not value

if hasattr(pytest, "Subtests"):  # of pytest 9
    def test_subtests(subtests):
        for key, value in SECRETS.items():
            with subtests.test(value, value=value):
                print(value)
                logging.getLogger("charm").error("it is %s", value)
                assert not value

def test_attachments(tmp_path, monkeypatch):
    import allure
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_bytes(b"attached file: \\xff" + SECRETS["PASSWORD"].encode())
    allure.attach.file("file", "file")
    allure.attach(b"attached data: \\xff" + SECRETS["KEY"].encode(), "data")
    allure.attach(b"attached, without a secret:\\r\\n\\xff", "clean")
    if hasattr(allure, "global_error"):
        allure.global_error(SECRETS["PASSWORD"])

def test_suite_property(github_secrets, record_testsuite_property):
    for form in FORMS:
        for key in ("PASSWORD", "KEY"):
            record_testsuite_property(f"{form}-{key}", f"{form}-{key}: {FORMS[form](github_secrets[key])} :end")
"""
CONFTEST = """
import json, os, warnings
import pytest

SECRETS = json.loads(os.environ["SECRETS_FROM_GITHUB"])

def pytest_sessionstart():
    warnings.warn_explicit("it", UserWarning, SECRETS["PASSWORD"], 3)

@pytest.hookimpl(optionalhook=True)
def pytest_html_results_summary(prefix): prefix.append(SECRETS["PASSWORD"])
"""
SINKS = {
    "terminal": [],
    "junit": ["--junit-xml=junit"],
    "log-file": ["--log-file=log-file", "--log-file-level=DEBUG"],
    "report-log": ["--report-log=report-log"],
    "allure": ["--alluredir=allure"],
    "html": ["--html=html", "--self-contained-html"],
    "json-report": ["--json-report", "--json-report-file=json-report"],
}
PLUGINS = ["allure-pytest", "pytest-html", "pytest-json-report", "pytest-reportlog", "pytest-xdist"]


@pytest.fixture(scope="module")
def python(make_environment: Callable[..., Path]) -> str:
    """Return the Python of an environment with every plugin that writes a report."""
    return str(make_environment("github_secrets", *PLUGINS))


def run_suite(python: str, directory: Path, arguments: str) -> dict[str, str]:
    """Run the suite with every sink. Return what each received, decoded."""
    (directory / "forms.py").write_text(FORMS_MODULE)
    (directory / "test_suite.py").write_text(SUITE)
    (directory / "conftest.py").write_text(CONFTEST)
    sinks = [option for options in SINKS.values() for option in options]
    terminal = subprocess.run(
        [python, "-m", "pytest", "-p", "no:cacheprovider", "-W", "always", *sinks, *arguments.split()],
        cwd=directory,
        env=os.environ | {"SECRETS_FROM_GITHUB": json.dumps(SECRETS)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert terminal.returncode == 1, terminal.stderr
    assert "failed" in terminal.stdout
    written = {"terminal": terminal.stdout + terminal.stderr}
    for sink in list(SINKS)[1:]:
        path = directory / sink
        files = sorted(path.iterdir()) if path.is_dir() else [path]
        # Bytes of an attachment that aren't UTF-8.
        written[sink] = "\n".join(file.read_bytes().decode(errors="backslashreplace") for file in files)
    return {sink: decoded(text) for sink, text in written.items()}


def decoded(text: str) -> str:
    """Return the text as it is, without colours, and without the escapes of XML and JSON."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    json_decoded = re.sub(r'\\(["\\/])', r"\1", plain)
    # Most lines are the same in all of them, and a report of pytest-html is long.
    others = "\n".join([plain, html.unescape(plain), json_decoded, html.unescape(json_decoded)])
    return "\n".join([text, *{*others.split("\n")}.difference(text.split("\n"))])


def fragments(text: str, length: int) -> set[str]:
    """Return every part of this length, with at least four characters that aren't blanks, of each line."""
    parts = {line[start : start + length] for line in text.splitlines() for start in range(len(line) - length + 1)}
    return {part for part in parts if len("".join(part.split())) >= 4}


# Two workers would overwrite each other's --log-file.
@pytest.mark.parametrize("arguments", ["", "-n 1 --tb=short -rA", "-vv --showlocals --color=yes --log-cli-level=DEBUG"])
def test_no_sink_has_any_form_of_a_secret(python: str, tmp_path: Path, arguments: str) -> None:
    namespace: dict[str, dict[str, Callable[[str], str]]] = {}
    exec(FORMS_MODULE, namespace)  # noqa: S102, the forms as the suite makes them
    for sink, text in run_suite(python, tmp_path, arguments).items():
        for form, make in namespace["FORMS"].items():
            for key, value in SECRETS.items():
                # It was on its way to the sink, and was masked.
                assert re.search(rf"{form}-{key}: \S{{0,4}}\*\*\*", text), f"{sink} has no {form}"
                # The ends of base64 depend on their neighbours.
                whole = make(value)[4:-4] if form.startswith("base64") else make(value)
                whole = re.sub(r"-----(BEGIN|END)(\s|%20|\+)KEY-----", "\n", whole)
                leaked = {part for part in fragments(whole, 16) if part in text}
                assert not leaked, f"{sink} has {form}"
        if sink == "allure":  # It changes attachments only where secrets are.
            for shown in ("attached file: \\xff***", "attached data: \\xff***", "attached, without a secret:\r\n\\xff"):
                assert shown in text


def shape(value: object) -> object:
    """Return JSON with each key, text and number replaced: a number may become a text."""
    if isinstance(value, dict):
        return [shape(element) for element in value.values()]
    return [*map(shape, value)] if isinstance(value, list) else isinstance(value, bool) or value is None


def read_report(path: Path) -> object:
    """Return the shape of a report, in JSON or XML. It is an error if it is neither."""
    if path.name == "junit":
        return [(element.tag, *element.attrib) for element in ElementTree.parse(path).iter()]  # noqa: S314, pytest's own
    # An object with the same key twice would lose one.
    text = path.read_text()
    return [
        shape(json.loads(line, object_pairs_hook=list))
        for line in ([text] if path.name != "report-log" else text.split("\n"))
        if line
    ]


@pytest.mark.long
def test_masked_report_is_still_a_report(python: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_suite(python, tmp_path, "")
    reports = [
        tmp_path / "junit",
        tmp_path / "report-log",
        tmp_path / "json-report",
        *(tmp_path / "allure").glob("*.json"),
    ]
    texts = {report: report.read_text() for report in reports}
    words = [*{word for text in texts.values() for word in re.findall(r"\w{4,}|[\W\d]{4,}", text[:20_000])}]
    longest = max(texts.values(), key=len)
    parts = st.integers(0, len(longest) - 100).flatmap(
        lambda start: st.integers(4, 100).map(lambda length: longest[start : start + length])
    )

    @settings(max_examples=100, suppress_health_check=list(HealthCheck), deadline=None)
    @given(st.sampled_from(reports), st.lists(st.sampled_from(words) | parts | st.integers(1000).map(str), min_size=1))
    def check(report: Path, values: list[str]) -> None:
        report.write_text(texts[report])
        before = read_report(report)
        monkeypatch.setenv("SECRETS", json.dumps({str(number): value for number, value in enumerate(values)}))
        assert redact_secrets([str(report)]) == 0
        assert read_report(report) == before

    check()
