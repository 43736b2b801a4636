"""No secret, in none of its forms, reaches anything that pytest and its plugins write: each sink against each form."""

from __future__ import annotations

import html
import json
import os
import re
import subprocess
from pathlib import Path

import pytest
import uv

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
import logging, sys, warnings
import pytest
from forms import FORMS

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

def test_suite_property(github_secrets, record_testsuite_property):
    for form in FORMS:
        for key in ("PASSWORD", "KEY"):
            record_testsuite_property(f"{form}-{key}", f"{form}-{key}: {FORMS[form](github_secrets[key])} :end")
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
FORM_NAMES = re.findall(r'^    "([\w-]+)": lambda', FORMS_MODULE, flags=re.MULTILINE)
PLUGINS = ["allure-pytest", "pytest-html", "pytest-json-report", "pytest-reportlog", "pytest-xdist"]


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Make an environment with this plugin and every plugin that writes a report, and return its Python."""
    environment = str(tmp_path_factory.mktemp("environment"))
    packages = [f"pytest=={pytest.__version__}", str(Path(__file__).parents[1]), *PLUGINS]
    for command in (["venv", environment], ["pip", "install", "--python", environment, *packages]):
        subprocess.run([uv.find_uv_bin(), "--quiet", *command], check=True)
    return f"{environment}/bin/python"


@pytest.fixture(
    scope="module", params=["", "-n 2", "-vv --showlocals --color=yes", "--tb=short -rA", "--log-cli-level=DEBUG"]
)
def written(python: str, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> dict[str, str]:
    """Run the suite with every sink, and return what each has got, decoded."""
    directory = tmp_path_factory.mktemp("suite")
    (directory / "forms.py").write_text(FORMS_MODULE)
    (directory / "test_suite.py").write_text(SUITE)
    sinks = [option for options in SINKS.values() for option in options]
    terminal = subprocess.run(
        [python, "-m", "pytest", "-p", "no:cacheprovider", "-W", "always", *sinks, *request.param.split()],
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
        written[sink] = "\n".join(file.read_text() for file in files)
    return {sink: decoded(text) for sink, text in written.items()}


def decoded(text: str) -> str:
    """Return the text as it is, without colours, and without the escapes of XML and JSON."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    json_decoded = re.sub(r'\\(["\\/])', r"\1", plain)
    return "\n".join([text, plain, html.unescape(plain), json_decoded, html.unescape(json_decoded)])


def fragments(text: str, length: int) -> set[str]:
    """Return every part of this length, four characters of it no blanks, of each line of a text."""
    parts = {line[start : start + length] for line in text.splitlines() for start in range(len(line) - length + 1)}
    return {part for part in parts if len("".join(part.split())) >= 4}


@pytest.mark.parametrize("form", FORM_NAMES)
@pytest.mark.parametrize("sink", SINKS)
def test_sink_has_no_form_of_a_secret(written: dict[str, str], sink: str, form: str) -> None:
    namespace: dict[str, dict[str, object]] = {}
    exec(FORMS_MODULE, namespace)  # noqa: S102, the forms as the suite makes them
    make = namespace["FORMS"][form]
    assert callable(make)
    text = written[sink]
    for key, value in SECRETS.items():
        # It was on its way to the sink, and was masked.
        assert re.search(rf"{form}-{key}: \S{{0,4}}\*\*\*", text)
        # The ends of base64 depend on their neighbours, and escapes are all alike: the parts that are looked for there
        # are longer.
        whole = make(value)[4:-4] if form.startswith("base64") else make(value)
        leaked = {part for part in fragments(whole, 8 if form in {"plain", "line"} else 12) if part in text}
        assert not leaked
