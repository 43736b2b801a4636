"""From when on, in which processes, and past which paths secrets are masked."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Run

PASSWORD = "hunter22-K9mQ4-hunter23"
SECRETS = json.dumps({"USER": "admin", "PASSWORD": PASSWORD})
READ = "import json, os\nSECRETS = json.loads(os.environ['SECRETS_FROM_GITHUB'])\nPASSWORD = SECRETS['PASSWORD']\n"
EACH = "@pytest.mark.parametrize('value', [PASSWORD])\n"


def written(pytester: pytest.Pytester, result: pytest.RunResult) -> str:
    """Return what is on the terminal and in all files of a run, except the tests."""
    files = [file for file in pytester.path.rglob("*") if file.suffix not in {".py", ".pyc"} and file.is_file()]
    shown = [file.read_text(errors="replace") for file in files if file.name not in {"stdout", "stderr"}]
    return "\n".join([result.stdout.str(), result.stderr.str(), *shown, *map(str, files)])


def has_secret(text: str) -> bool:
    return any(part in text for part in ("admin", "hunter22", "hunter23"))


@pytest.mark.parametrize("options", ["--color=yes", pytest.param("--tb=short -n 1", marks=pytest.mark.slow)])
def test_reports_without_a_secret_look_the_same(run: Run, options: str) -> None:
    code = """
import logging, pytest

def test_compares(): assert {"a": 1, "b": [1, 2]} == {"a": 1, "b": [1, 3]}

def test_prints():
    print("printed")
    logging.warning("logged")
    raise RuntimeError("one\\ntwo") from ValueError("three")

def test_asks_for_a_fixture(missing): ...

def test_is_skipped(): pytest.skip("skipped")
"""
    shown = (run(code, secrets, "-rA", *options.split()).stdout.str() for secrets in (None, SECRETS))
    plain, masked = (re.sub(r"=+|\d+\.\d+s", "", output).partition(" ERRORS ")[2] for output in shown)
    assert "ValueError: three" in plain
    assert masked == plain


@pytest.mark.parametrize(
    ("conftest", "options"),
    [
        pytest.param("print('it is', PASSWORD)", "-n 1", marks=pytest.mark.slow),
        ("print('it is', PASSWORD)", "--markers"),
        ("print('it is', PASSWORD)\ndef pytest_configure(): raise pytest.UsageError('no')", ""),
        ("print('it is', PASSWORD)\ndef pytest_configure(): raise SystemExit('no')", ""),
        ("print('it is', PASSWORD)\ndef pytest_configure(): pytest.exit('no')", ""),
        ("subprocess.run(['echo', 'it is', PASSWORD])\npytest.exit('no')", ""),
        ("subprocess.run(['echo', 'it is', PASSWORD])", "--unknown"),
        (
            "print('it is', PASSWORD)\ndef pytest_addoption(parser): parser.addoption('--number', type=int)",
            "--number=a",
        ),
        ("def pytest_collection(): print('it is', PASSWORD); raise KeyboardInterrupt", ""),
    ],
    ids=[
        "controller of xdist",
        "no run",
        "usage error",
        "system exit",
        "exit",
        "exit at import",
        "unknown option",
        "bad option",
        "interrupted",
    ],
)
def test_output_that_no_report_has(run_process: Run, pytester: pytest.Pytester, conftest: str, options: str) -> None:
    pytester.makeconftest(f"import pytest, subprocess\n{READ}{conftest}")
    shown = written(pytester, run_process("def test_1(): ...", SECRETS, *options.split()))
    assert "***" in shown
    assert not has_secret(shown)


def test_trace_of_pytest(run_process: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DEBUG", "1")
    result = run_process(f"import pytest\n{READ}{EACH}def test_1(value): assert value == 1", SECRETS)
    result.assert_outcomes(failed=1)
    result.stderr.fnmatch_lines(["*pytest_runtest_makereport*", "*pytest_assertrepr_compare*"])
    assert not has_secret(result.stdout.str() + result.stderr.str())


@pytest.mark.parametrize(
    ("option", "target"), [("--junit-xml", "/dev/stderr"), ("--junit-xml", "pipe"), ("--html", "/dev/fd/1")]
)
def test_report_that_is_no_file(run_process: Run, pytester: pytest.Pytester, option: str, target: str) -> None:
    os.mkfifo(pytester.path / "pipe")
    if option == "--html":
        pytester.makeconftest("def pytest_addoption(parser): parser.addoption('--html', dest='htmlpath')")
    result = run_process("def test_1(): ...", SECRETS, f"{option}={target}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {option}={target}: secrets can only be masked in a file. Name one."])


def test_report_behind_a_link(run: Run, pytester: pytest.Pytester) -> None:
    (pytester.path / "link").symlink_to("junit.xml")
    code = f"{READ}def test_1(record_testsuite_property): record_testsuite_property('password', PASSWORD)"
    run(code, SECRETS, "--junit-xml=link").assert_outcomes(passed=1)
    assert (pytester.path / "link").is_symlink()
    assert 'value="***"' in (pytester.path / "junit.xml").read_text()
    run(code, SECRETS, f"--junit-xml={os.devnull}").assert_outcomes(passed=1)


def test_log_file_if_a_fixture_sets_the_variable(run_process: Run, pytester: pytest.Pytester) -> None:
    code = f"""
import logging, os, pytest

@pytest.fixture(scope="session")
def secrets(): os.environ["SECRETS_FROM_GITHUB"] = {SECRETS!r}

def test_1(secrets, github_secrets): logging.error("it is %s", github_secrets["PASSWORD"])

def test_2(github_secrets): logging.error("it is %s", github_secrets["PASSWORD"])
"""
    run_process(code, None, "--log-file=log").assert_outcomes(passed=2)
    assert (pytester.path / "log").read_text().count("it is ***") == 2
    assert not has_secret((pytester.path / "log").read_text())


@pytest.mark.parametrize("options", ["", "-s", "--capture=sys", "--capture=tee-sys"])
def test_captured_output_that_no_test_reads(run_process: Run, pytester: pytest.Pytester, options: str) -> None:
    tests = (f"def test_{fixture}({fixture}): print('it is', PASSWORD)\n" for fixture in ("capfd", "capfdbinary"))
    result = run_process(READ + "".join(tests), SECRETS, *options.split())
    result.assert_outcomes(passed=2)
    assert not has_secret(written(pytester, result))


# So late, Python may not flush its streams any more.
@pytest.mark.parametrize("code", ["print(self.password, flush=True)", "raise RuntimeError(self.password)"])
def test_end_of_python(run_process: Run, pytester: pytest.Pytester, code: str) -> None:
    last = f"class Last:\n    password = 'it is ' + PASSWORD\n    def __del__(self): {code}\n"
    result = run_process(f"{READ}{last}last = Last()\ndef test_1(): ...", SECRETS)
    assert "it is ***" in result.stdout.str() + result.stderr.str()
    assert not has_secret(written(pytester, result))


def test_secret_of_digits(run: Run, pytester: pytest.Pytester) -> None:
    # Times contain it, and plugins calculate with them.
    pytester.makeconftest("""
import pytest

@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport():
    outcome = yield
    outcome.get_result().duration = 5432.5
""")
    result = run("def test_1(): ...", '{"PORT": "5432"}', "--junit-xml=junit.xml", "-vv", "--durations=0")
    result.assert_outcomes(passed=1)
    assert "INTERNALERROR" not in result.stdout.str()


def test_variable_that_a_fixture_sets(run: Run) -> None:
    code = """
import os, pytest

@pytest.fixture(autouse=True, scope="session")
def vault():
    os.environ["SECRETS_FROM_GITHUB"] = '{"PASSWORD": "%s-%s"}' % ("hunter22", "hunter23")

def test_1(github_secrets): assert github_secrets["PASSWORD"] == "x"
"""
    result = run(code, None)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*'[*][*][*]' == 'x'*"])
    assert not has_secret(result.stdout.str().replace('("hunter22", "hunter23")', ""))


SUITE = f"""{READ}
import logging, unittest
import pytest

def test_compares(): assert PASSWORD == SECRETS

def test_with_the_fixture(github_secrets): ...

@pytest.mark.parametrize("value", [PASSWORD, "other", PASSWORD[:-1]])
def test_login(value): assert value in ("other", PASSWORD[:20])

@pytest.mark.parametrize("value", [pytest.param(1, id=PASSWORD), 2, 3, PASSWORD.encode(), 4.5, None])
def test_param(value): assert value != 1

@pytest.mark.parametrize("value", [1, 2], ids=[PASSWORD, PASSWORD[:-1]])
def test_ids(value): assert value > 1

class TestIt(unittest.TestCase):
    def test_subtest(self):
        with self.subTest("of " + PASSWORD, password=PASSWORD):
            print(PASSWORD)
            assert not PASSWORD

# pytest 9 has the fixture. An older one has an error, which shows no secret either.
def test_subtests(subtests):
    with subtests.test("of " + PASSWORD, password=PASSWORD):
        print(PASSWORD)
        logging.error(PASSWORD)
        assert not PASSWORD
"""


@pytest.mark.slow
@pytest.mark.parametrize("options", ["", "-n 2 --dist loadscope -v --showlocals", "-s -rA -v", "--collect-only"])
def test_tests_and_their_names(run_process: Run, pytester: pytest.Pytester, options: str) -> None:
    # pytest's cache isn't masked.
    result = run_process(SUITE, SECRETS, "--junit-xml=junit.xml", "-p", "no:cacheprovider", *options.split())
    if options != "--collect-only":
        assert result.ret == 1
        assert result.parseoutcomes()["passed"] >= 8
        assert "AssertionError: assert '***' == {'" in result.stdout.str()
        # The two that look alike now are both run.
        names = re.findall(r'name="(test_login\[.*?\])"', Path("junit.xml").read_text())
        assert sorted(names) == ["test_login[***0]", "test_login[***1]", "test_login[other]"]
        if hasattr(pytest, "Subtests"):
            result.stdout.fnmatch_lines(["SUBFAILED*of [*][*][*]*"])
    assert not has_secret(written(pytester, result))


def test_last_failed_finds_masked_tests(run: Run) -> None:
    code = f"""{READ}
import pytest

@pytest.mark.parametrize("value", [PASSWORD, "other"])
def test_login(value): assert value == "other"
"""
    run(code, SECRETS).assert_outcomes(passed=1, failed=1)
    run(code, SECRETS, "--last-failed").assert_outcomes(failed=1)


@pytest.mark.parametrize(
    "options", ["", pytest.param("-n 1", marks=pytest.mark.slow), "-s", "--capture=tee-sys", "--capture=sys"]
)
def test_streams(run_process: Run, pytester: pytest.Pytester, options: str) -> None:
    code = f"""{READ}
import logging, sys

def test_1(capsys):
    print("OUT", PASSWORD, flush=True)
    print("ERR", PASSWORD, file=sys.stderr)
    with capsys.disabled():
        print("DISABLED", PASSWORD)
        sys.stdout.writelines(["LINES ", PASSWORD, chr(10)])
        logging.StreamHandler(sys.stderr).handle(logging.makeLogRecord({{"msg": PASSWORD}}))
        sys.stdout.buffer.write(b"BYTES " + PASSWORD.encode() + b"\\n")
        sys.stdout.buffer.writelines([b"BUFFER ", PASSWORD.encode()])

def test_2():
    print("PRINTED", PASSWORD)
"""
    result = run_process(code, SECRETS, *options.split())
    result.assert_outcomes(passed=2)
    if "-n" not in options:
        result.stdout.fnmatch_lines_random(["*DISABLED [*][*][*]", "LINES [*][*][*]"])
        assert "BYTES ***" in result.stdout.str()
        assert "BUFFER ***" in result.stdout.str()
    if options in {"-s", "--capture=tee-sys"}:
        assert "PRINTED ***" in result.stdout.str()
    assert not has_secret(written(pytester, result))


def test_streams_are_what_they_were(run_process: Run) -> None:
    code = """
import array, contextlib, io, sys

def test_1():
    for number, stream in enumerate((sys.stdout, sys.stderr), 1):
        assert stream.fileno() == number
        assert not stream.isatty()
        assert stream.encoding == "utf-8"
        assert isinstance(stream, io.TextIOWrapper)
        assert stream.write("four") == 4
        assert stream.buffer.write(b"four") == 4
        assert stream.buffer.write(array.array("I", [1, 2])) == 8
        with contextlib.suppress(io.UnsupportedOperation):
            assert list(stream) == []
        assert stream.flush() is None
        try:
            stream.write(4)
        except TypeError as error:
            assert "must be str" in str(error)
        else:
            raise AssertionError
"""
    run_process(code, SECRETS, "-s").assert_outcomes(passed=1)


def test_debugger(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRETS_FROM_GITHUB", SECRETS)
    pytester.makepyfile(f"{READ}def test_1():\n    assert PASSWORD == 1")
    controller, terminal = pty.openpty()
    command = [sys.executable, "-m", "pytest", "-p", "no:randomly", "--pdb", "--color=yes"]
    with subprocess.Popen(command, stdin=terminal, stdout=terminal, stderr=terminal) as process:
        os.close(terminal)
        os.write(controller, b"p 'it is ' + PASSWORD\np 6 * 7\ncontinue\n")
        shown = b""
        with suppress(OSError):  # the process has ended
            while True:
                shown += os.read(controller, 1024)
    os.close(controller)
    text = shown.decode()
    assert process.returncode == 1
    assert "(Pdb)" in text
    assert "'it is ***'" in text
    assert "\r\n42\r\n" in text
    assert "\x1b[31m" in text
    assert not has_secret(text)


@pytest.mark.parametrize(
    ("hook", "options"),
    [
        ("pytest_configure", ""),
        ("pytest_sessionstart", ""),
        ("pytest_sessionfinish", ""),
        pytest.param("pytest_sessionfinish", "-n 1", marks=pytest.mark.slow),
        ("pytest_unconfigure", ""),
        pytest.param("pytest_unconfigure", "-n 1", marks=pytest.mark.slow),
    ],
)
def test_exception_in_a_hook(run_process: Run, pytester: pytest.Pytester, hook: str, options: str) -> None:
    pytester.makeconftest(f"{READ}def {hook}():\n    raise RuntimeError('it is ' + PASSWORD)")
    result = run_process("def test_1(): ...", SECRETS, *options.split())
    assert result.ret != 0
    assert "it is ***" in result.stdout.str() + result.stderr.str()
    assert not has_secret(written(pytester, result))


@pytest.mark.slow
@pytest.mark.parametrize("options", ["", "-s -n 1"])
def test_exception_in_a_conftest_or_a_module(run_process: Run, pytester: pytest.Pytester, options: str) -> None:
    result = run_process(f"{READ}raise RuntimeError('it is ' + PASSWORD)", SECRETS, *options.split())
    assert result.ret == (1 if "-n" in options else 2)
    assert "it is ***" in result.stdout.str()
    pytester.makeconftest(f"{READ}raise RuntimeError('it is ' + PASSWORD)")
    other = run_process("def test_1(): ...", SECRETS, *options.split())
    assert other.ret == 4
    assert "it is ***" in other.stderr.str()
    assert not has_secret(written(pytester, result) + written(pytester, other))


@pytest.mark.slow
def test_crash_of_a_worker(run_process: Run, pytester: pytest.Pytester) -> None:
    code = f"""{READ}
import os, pytest

@pytest.mark.parametrize("value", [PASSWORD])
def test_login(value): os._exit(1)
"""
    result = run_process(code, SECRETS, "-n", "1")
    result.stdout.fnmatch_lines(["*worker 'gw0' crashed while running *test_login[[][*][*][*]]*"])
    assert not has_secret(written(pytester, result))


VALUES = """
import collections, dataclasses, pathlib, time, types

Pair = collections.namedtuple("Pair", "key value")

@dataclasses.dataclass(frozen=True)
class Login:
    password: str

class Hostile:
    def __repr__(self):
        raise RuntimeError(PASSWORD)

recursive = [PASSWORD]
recursive.append(recursive)
VALUES = {
    "bytes": PASSWORD.encode(), "bytearray": bytearray(PASSWORD.encode()), "set": {PASSWORD}, "tuple": (PASSWORD,),
    "frozenset": frozenset([PASSWORD]), "exception": ValueError(PASSWORD), "path": pathlib.Path("/", PASSWORD),
    "named": Pair("key", PASSWORD), "dataclass": Login(PASSWORD), "class": Login, "recursive": recursive,
    "mapping": types.MappingProxyType({PASSWORD: PASSWORD}), "keys": {PASSWORD: 1, PASSWORD[:-1]: 2},
    "hostile": Hostile(),
    "ordered": collections.OrderedDict(key=PASSWORD), "none": None, "number": 1, "deque": collections.deque([PASSWORD]),
    "time": time.gmtime(0), "counter": collections.Counter("a"),
}
"""


def test_values_of_other_types(run_process: Run, pytester: pytest.Pytester) -> None:
    pytester.makeconftest(f"""{READ}{VALUES}
def pytest_runtest_logreport(report):
    if report.when == "call":
        shown = dict(report.user_properties)
        assert shown["time"].tm_year == 1970
        assert shown["counter"]["b"] == 0
        shown["hostile"] = type(shown["hostile"]).__name__
        for name, value in shown.items():
            print(f"{{name}}: {{value!r}}")
""")
    code = f"""{READ}
from conftest import VALUES

def test_1(record_property):
    for name, value in VALUES.items():
        record_property(name, value)

def test_2():
    # What belongs to a test stays as it is.
    assert VALUES["keys"] == {{PASSWORD: 1, PASSWORD[:-1]: 2}}
    assert VALUES["set"] == {{PASSWORD}}
    assert VALUES["dataclass"].password == PASSWORD
"""
    result = run_process(code, SECRETS, "-s")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines_random(
        [
            "*bytes: b'***'", "bytearray: b'***'", "set: {'***'}", "tuple: ('***',)", "frozenset: frozenset({'***'})",
            "exception: '***'", "path: '/***'", "named: Pair(key='key', value='***')", "ordered: {'key': '***'}",
            "dataclass: Login(password='***')", "mapping: {'***': '***'}", "keys: {'***': 1, '***-2': 2}",
            "hostile: 'Hostile'", "none: None", "number: 1", "deque: \"deque(['***'])\"",
        ]
    )  # fmt: skip
    assert not has_secret(written(pytester, result))


def test_terminal_writer_takes_the_arguments_of_pytest(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makeconftest(f"""{READ}
def pytest_sessionfinish(session):
    writer = session.config.get_terminal_writer()
    writer.write(msg="it is " + PASSWORD, flush=True, red=True)
""")
    result = run("def test_1(github_secrets): ...", SECRETS)
    result.assert_outcomes(passed=1)
    assert "it is ***" in result.stdout.str()


def test_paths_of_a_test_that_changes_directory(run: Run, pytester: pytest.Pytester) -> None:
    code = f"""{READ}
import os

def test_1(record_testsuite_property, tmp_path):
    record_testsuite_property("password", PASSWORD)
    os.chdir(tmp_path)
"""
    result = run(code, SECRETS, "--junit-xml=junit.xml", "--log-file=log")
    result.assert_outcomes(passed=1)
    assert 'value="***"' in (pytester.path / "junit.xml").read_text()
    assert not has_secret(written(pytester, result))


def test_junit_file_without_secrets_is_left_alone(run: Run, pytester: pytest.Pytester) -> None:
    run("def test_1(): ...", SECRETS, "--junit-xml=junit.xml")
    # pytest writes it like this, and this plugin otherwise.
    assert (pytester.path / "junit.xml").read_text().startswith('<?xml version="1.0" encoding="utf-8"?>')


def test_loaded_by_a_conftest(pytester: pytest.Pytester, run_process: Run) -> None:
    # With --markers, pytest writes what it has captured when it ends.
    prints = f"{READ}print('it is', PASSWORD)"
    pytester.makeconftest(f"pytest_plugins = ['pytest_github_secrets._plugin']\n{prints}")
    code = f"{READ}def test_1(): assert PASSWORD == 1"
    for option, shown in ((), "'***' == 1"), (("--markers",), "it is ***"):
        result = run_process(code, SECRETS, "-p", "no:pytest_github_secrets", *option)
        assert shown in result.stdout.str()
        assert not has_secret(written(pytester, result))


def test_errors_of_other_plugins(pytester: pytest.Pytester, run: Run) -> None:
    pytester.makeconftest(f"""{READ}
import pytest

class Lines:
    def __init__(self): self.lines = ["of lines", PASSWORD]
    def toterminal(self, writer): writer.line(" ".join(self.lines), bold=True)

class Text:
    def __str__(self): return f"of text {{PASSWORD}}"

class Slots:
    __slots__ = ("text",)
    def __init__(self): self.text = f"of slots {{PASSWORD}}"
    def __str__(self): return self.text
    def toterminal(self, writer): writer.line(self.text)

@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    if call.excinfo:
        outcome.get_result().longrepr = dict(test_1=Lines, test_2=Text, test_3=Slots)[item.name]()
""")
    result = run("def test_1(): assert 0\ndef test_2(): assert 0\ndef test_3(): assert 0", SECRETS)
    result.assert_outcomes(failed=3)
    result.stdout.fnmatch_lines(["of lines [*][*][*]", "of text [*][*][*]", "of slots [*][*][*]"])
    assert not has_secret(written(pytester, result))


RUNS = """
import os, sys
import pytest
from _pytest import capture

PASSWORD, OTHER = "hunter22-hunter23", "correct-horse-battery"
STREAMS = sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__
ORIGINAL = capture.FDCapture.writeorg, capture.FDCaptureBinary.writeorg

def show(name):
    for number, stream in enumerate((sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__)):
        print(f"\\n{name} {number}: {PASSWORD} {OTHER}", file=stream, flush=True)

class Conftest:
    # pytest captures it, no report has it, and pytest writes it when it ends.
    def __init__(self, name):
        self.name = name

    def pytest_configure(self):
        print(f"{self.name} captured: {PASSWORD} {OTHER}")

    def pytest_sessionfinish(self, session):
        with session.config.pluginmanager.get_plugin("capturemanager").global_and_fixture_disabled():
            show(self.name)

def run(name, secret):
    os.environ.pop("SECRETS_FROM_GITHUB", None)
    if secret:
        os.environ["SECRETS_FROM_GITHUB"] = '{"A": "%s"}' % secret
    assert pytest.main(["-q", "-p", "no:randomly", "test_it.py"], plugins=[Conftest(name)]) == 0
    assert (capture.FDCapture.writeorg, capture.FDCaptureBinary.writeorg) == ORIGINAL
    show(f"after {name}")

for name, secret in (("first", PASSWORD), ("second", OTHER), ("third", None), ("fourth", PASSWORD)):
    run(name, secret)
run("fifth", None)
assert (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__) == STREAMS
"""


def test_runs_in_one_process(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_it="def test_1(): ...", runs=RUNS)
    result = pytester.run(sys.executable, "runs.py")
    assert result.ret == 0
    shown = [*result.outlines, *result.errlines]
    password, other = "*** correct-horse-battery", "hunter22-hunter23 ***"
    neither = "hunter22-hunter23 correct-horse-battery"
    # What is written after a run, such as a traceback at the end of Python, is masked until the next run.
    for name, text in {
        "first": password,
        "second": other,
        "third": neither,
        "fourth": password,
        "fifth": neither,
    }.items():
        assert f"{name} captured: {text}" in shown
        for number in range(4):
            assert f"{name} {number}: {text}" in shown
            assert f"after {name} {number}: {text}" in shown


@pytest.mark.slow
def test_run_within_a_run(run_process: Run, pytester: pytest.Pytester) -> None:
    code = f"""{READ}
import os

pytest_plugins = ["pytester"]

def test_1(pytester, monkeypatch, capfd):
    pytester.makepyfile("def test_2(): ...")
    for secrets in ('{{"A": "correct-horse-battery"}}', None):
        if secrets:
            monkeypatch.setenv("SECRETS_FROM_GITHUB", secrets)
        else:
            monkeypatch.delenv("SECRETS_FROM_GITHUB")
        pytester.runpytest_inprocess().assert_outcomes(passed=1)
        with capfd.disabled():
            print("it is", PASSWORD)
"""
    result = run_process(code, SECRETS, "-p", "pytester")
    result.assert_outcomes(passed=1)
    assert result.stdout.str().count("it is ***") == 2
    assert not has_secret(written(pytester, result))
