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

PASSWORD = "hunter22-hunter23"
SECRETS = json.dumps({"USER": "admin", "PASSWORD": PASSWORD})
READ = "import json, os\nSECRETS = json.loads(os.environ['SECRETS_FROM_GITHUB'])\nPASSWORD = SECRETS['PASSWORD']\n"


def written(pytester: pytest.Pytester, result: pytest.RunResult) -> str:
    """Return what is on the terminal and in all files of a run, except the tests."""
    files = [file for file in pytester.path.rglob("*") if file.suffix not in {".py", ".pyc"} and file.is_file()]
    shown = [file.read_text(errors="replace") for file in files if file.name not in {"stdout", "stderr"}]
    return "\n".join([result.stdout.str(), result.stderr.str(), *shown, *map(str, files)])


def has_secret(text: str) -> bool:
    return any(part in text for part in ("admin", "hunter22", "hunter23"))


@pytest.mark.parametrize("options", ["--color=yes", "--tb=short", "-n 1"])
def test_reports_without_a_secret_look_the_same(run_process: Run, options: str) -> None:
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
    shown = (run_process(code, secrets, "-rA", *options.split()).stdout.str() for secrets in (None, SECRETS))
    plain, masked = (re.sub(r"=+|\d+\.\d+s", "", output).partition(" ERRORS ")[2] for output in shown)
    assert "ValueError: three" in plain
    assert masked == plain


@pytest.mark.parametrize("options", ["", "-n 2", "-s"])
def test_masked_without_the_fixture(run_process: Run, pytester: pytest.Pytester, options: str) -> None:
    result = run_process(f"{READ}def test_1(): assert PASSWORD == SECRETS", SECRETS, *options.split(), "--showlocals")
    assert result.ret == 1
    assert not has_secret(written(pytester, result))


def test_masked_in_each_worker(run_process: Run, pytester: pytest.Pytester) -> None:
    code = f"{READ}def test_1(github_secrets): ...\n" + "".join(f"def test_{i}(): assert not PASSWORD\n" for i in "234")
    result = run_process(code, SECRETS, "-n", "2")
    result.assert_outcomes(passed=1, failed=3)
    assert result.stdout.str().count("assert not '***'") >= 3
    assert not has_secret(written(pytester, result))


@pytest.mark.parametrize(
    ("conftest", "options"),
    [
        ("print('it is', PASSWORD)", "-n 1"),
        ("print('it is', PASSWORD)", "--markers"),
        ("print('it is', PASSWORD)\ndef pytest_configure(): raise pytest.UsageError('no')", ""),
        ("def pytest_collection(): print('it is', PASSWORD); raise KeyboardInterrupt", ""),
        ("", "-v --pastebin=all"),
    ],
    ids=["controller of xdist", "no run", "usage error", "interrupted", "pastebin"],
)
def test_output_that_no_report_has(run_process: Run, pytester: pytest.Pytester, conftest: str, options: str) -> None:
    sends = "_pytest.pastebin.create_new_paste = lambda data: open('sent', 'wb').write(data)"
    pytester.makeconftest(f"import pytest, _pytest.pastebin\n{sends}\n{READ}{conftest}")
    code = f"{READ}import pytest\n@pytest.mark.parametrize('a', [pytest.param(1, id=PASSWORD)])\ndef test_1(a): ..."
    shown = written(pytester, run_process(code, SECRETS, *options.split()))
    assert "***" in shown
    assert not has_secret(shown)


@pytest.mark.parametrize("options", ["", "-s", "--capture=sys", "--capture=tee-sys"])
@pytest.mark.parametrize("fixture", ["capfd", "capfdbinary"])
def test_captured_output_that_no_test_reads(
    run_process: Run, pytester: pytest.Pytester, fixture: str, options: str
) -> None:
    result = run_process(f"{READ}def test_1({fixture}): print('it is', PASSWORD)", SECRETS, *options.split())
    result.assert_outcomes(passed=1)
    assert not has_secret(written(pytester, result))


@pytest.mark.parametrize("code", ["print(self.password)", "raise RuntimeError(self.password)"])
def test_end_of_python(run_process: Run, pytester: pytest.Pytester, code: str) -> None:
    last = f"class Last:\n    password = 'it is ' + PASSWORD\n    def __del__(self): {code}\n"
    result = run_process(f"{READ}{last}last = Last()\ndef test_1(): ...", SECRETS)
    assert "it is ***" in result.stdout.str() + result.stderr.str()
    assert not has_secret(written(pytester, result))


def test_secret_of_digits(run_process: Run, pytester: pytest.Pytester) -> None:
    # Times contain it, and plugins calculate with them.
    pytester.makeconftest("""
import pytest

@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport():
    outcome = yield
    outcome.get_result().duration = 5432.5
""")
    result = run_process("def test_1(): ...", '{"PORT": "5432"}', "--junit-xml=junit.xml", "-vv", "--durations=0")
    result.assert_outcomes(passed=1)
    assert "INTERNALERROR" not in result.stdout.str()


def test_variable_that_a_fixture_sets(run_process: Run) -> None:
    code = """
import os, pytest

@pytest.fixture(autouse=True, scope="session")
def vault():
    os.environ["SECRETS_FROM_GITHUB"] = '{"PASSWORD": "%s-%s"}' % ("hunter22", "hunter23")

def test_1(github_secrets): assert github_secrets["PASSWORD"] == "x"
"""
    result = run_process(code, None)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*'[*][*][*]' == 'x'*"])
    assert not has_secret(result.stdout.str().replace('("hunter22", "hunter23")', ""))


@pytest.mark.parametrize("options", ["", "-n 2", "-n 2 --dist loadscope", "-v", "--collect-only", "-s", "-rA"])
def test_parameters(run_process: Run, pytester: pytest.Pytester, options: str) -> None:
    code = f"""{READ}
import pytest

@pytest.mark.parametrize("value", [PASSWORD, "other", PASSWORD[:-1]])
def test_login(value):
    assert value in ("other", PASSWORD[:8])
"""
    result = run_process(code, SECRETS, "--junit-xml=junit.xml", *options.split())
    if options != "--collect-only":
        # The two that look alike now are both run.
        result.assert_outcomes(passed=1, failed=2)
        names = re.findall(r'name="(test_\w+\[.*?\])"', Path("junit.xml").read_text())
        assert sorted(names) == ["test_login[***0]", "test_login[***1]", "test_login[other]"]
    assert not has_secret(written(pytester, result))


@pytest.mark.parametrize("options", ["", "-n 2", "-n 2 --dist loadscope", "-v"])
def test_parameters_with_an_id(run_process: Run, pytester: pytest.Pytester, options: str) -> None:
    code = f"""{READ}
import pytest

@pytest.mark.parametrize("value", [pytest.param(1, id=PASSWORD), 2, 3, PASSWORD.encode(), 4.5, None])
def test_param(value): assert value != 1

@pytest.mark.parametrize("value", [1, 2], ids=[PASSWORD, PASSWORD[:-1]])
def test_ids(value): assert value > 1
"""
    result = run_process(code, SECRETS, "--junit-xml=junit.xml", *options.split())
    result.assert_outcomes(passed=6, failed=2)
    assert not has_secret(written(pytester, result))


def test_last_failed_finds_masked_tests(run_process: Run) -> None:
    code = f"""{READ}
import pytest

@pytest.mark.parametrize("value", [PASSWORD, "other"])
def test_login(value): assert value == "other"
"""
    run_process(code, SECRETS).assert_outcomes(passed=1, failed=1)
    run_process(code, SECRETS, "--last-failed").assert_outcomes(failed=1)


@pytest.mark.parametrize("options", ["", "-n 1", "-rA", "-s"])
def test_subtests_of_unittest(run_process: Run, pytester: pytest.Pytester, options: str) -> None:
    code = f"""{READ}
import unittest

class TestIt(unittest.TestCase):
    def test_1(self):
        with self.subTest("of " + PASSWORD, password=PASSWORD):
            print(PASSWORD)
            assert not PASSWORD
"""
    result = run_process(code, SECRETS, "--junit-xml=junit.xml", *options.split())
    assert result.ret == 1
    assert not has_secret(written(pytester, result))


@pytest.mark.parametrize("options", ["", "-n 1", "-rA", "-s"])
def test_subtests(run_process: Run, pytester: pytest.Pytester, options: str) -> None:
    # pytest 9 has the fixture. An older one has an error, which shows no secret either.
    code = f"""{READ}
import logging

def test_1(subtests):
    with subtests.test("of " + PASSWORD, password=PASSWORD):
        print(PASSWORD)
        logging.error(PASSWORD)
        assert not PASSWORD
"""
    result = run_process(code, SECRETS, "--junit-xml=junit.xml", *options.split())
    assert result.ret == 1
    if hasattr(pytest, "Subtests"):
        result.stdout.fnmatch_lines(["SUBFAILED*of [*][*][*]*"])
    assert not has_secret(written(pytester, result))


def test_debug(run_process: Run, pytester: pytest.Pytester) -> None:
    pytester.makeconftest("def pytest_addoption(parser): parser.addoption('--password')")
    code = f"{READ}def test_1(): assert PASSWORD == 1"
    result = run_process(code, SECRETS, "--debug", f"--password={PASSWORD}")
    trace = (pytester.path / "pytestdebug.log").read_text()
    assert "assert '***' == 1" in trace
    assert not has_secret(written(pytester, result))


@pytest.mark.parametrize("options", ["", "-n 1", "-s", "--capture=tee-sys", "--capture=sys"])
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
    "hook", ["pytest_sessionfinish", "pytest_unconfigure", "pytest_configure", "pytest_sessionstart"]
)
@pytest.mark.parametrize("options", ["", "-n 1"])
def test_exception_in_a_hook(run_process: Run, pytester: pytest.Pytester, hook: str, options: str) -> None:
    pytester.makeconftest(f"{READ}def {hook}():\n    raise RuntimeError('it is ' + PASSWORD)")
    result = run_process("def test_1(): ...", SECRETS, *options.split())
    assert result.ret != 0
    assert "it is ***" in result.stdout.str() + result.stderr.str()
    assert not has_secret(written(pytester, result))


@pytest.mark.parametrize("options", ["", "-s", "-n 1"])
def test_exception_in_a_conftest_or_a_module(run_process: Run, pytester: pytest.Pytester, options: str) -> None:
    result = run_process(f"{READ}raise RuntimeError('it is ' + PASSWORD)", SECRETS, *options.split())
    assert result.ret == (1 if "-n" in options else 2)
    assert "it is ***" in result.stdout.str()
    pytester.makeconftest(f"{READ}raise RuntimeError('it is ' + PASSWORD)")
    other = run_process("def test_1(): ...", SECRETS, *options.split())
    assert other.ret == 4
    assert "it is ***" in other.stderr.str()
    assert not has_secret(written(pytester, result) + written(pytester, other))


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
    "mapping": types.MappingProxyType({PASSWORD: PASSWORD}), "keys": {PASSWORD: 1, PASSWORD[:8]: 2},
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
    assert VALUES["keys"] == {{PASSWORD: 1, PASSWORD[:8]: 2}}
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


def test_terminal_writer_takes_the_arguments_of_pytest(run_process: Run, pytester: pytest.Pytester) -> None:
    pytester.makeconftest(f"""{READ}
def pytest_sessionfinish(session):
    writer = session.config.get_terminal_writer()
    writer.write(msg="it is " + PASSWORD, flush=True, red=True)
""")
    result = run_process("def test_1(github_secrets): ...", SECRETS)
    result.assert_outcomes(passed=1)
    assert "it is ***" in result.stdout.str()


def test_paths_of_a_test_that_changes_directory(run_process: Run, pytester: pytest.Pytester) -> None:
    code = f"""{READ}
import os

def test_1(record_testsuite_property, tmp_path):
    record_testsuite_property("password", PASSWORD)
    os.chdir(tmp_path)
"""
    result = run_process(code, SECRETS, "--junit-xml=junit.xml", "--log-file=log")
    result.assert_outcomes(passed=1)
    assert 'value="***"' in (pytester.path / "junit.xml").read_text()
    assert not has_secret(written(pytester, result))


def test_junit_file_without_secrets_is_left_alone(run: Run, pytester: pytest.Pytester) -> None:
    run("def test_1(): ...", SECRETS, "--junit-xml=junit.xml")
    # pytest writes it like this, and this plugin otherwise.
    assert (pytester.path / "junit.xml").read_text().startswith('<?xml version="1.0" encoding="utf-8"?>')


def test_loaded_by_a_conftest(pytester: pytest.Pytester, run_process: Run) -> None:
    pytester.makeconftest("pytest_plugins = ['pytest_github_secrets._plugin']")
    code = f"{READ}def test_1(): assert PASSWORD == 1"
    result = run_process(code, SECRETS, "-p", "no:pytest_github_secrets")
    assert result.ret == 1
    assert "'***' == 1" in result.stdout.str()
    assert not has_secret(written(pytester, result))


def test_runs_in_one_process(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRETS_FROM_GITHUB", SECRETS)
    pytester.makepyfile(test_it=f"{READ}def test_1(): assert PASSWORD == 1")
    code = """
import pytest, sys
for _ in range(3):
    pytest.main(["-p", "no:randomly", "test_it.py"])
assert type(sys.stdout._stream).__module__ == "_io"
"""
    result = pytester.run(sys.executable, "-c", code)
    assert result.ret == 0
    assert result.stdout.str().count("'***' == 1") >= 3
    assert not has_secret(written(pytester, result))
