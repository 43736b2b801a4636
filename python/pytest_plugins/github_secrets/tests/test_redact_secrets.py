"""What the command `redact-secrets` masks in GitHub's log and in files."""

from __future__ import annotations

import base64
import html
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote
from xml.etree import ElementTree

import pytest

PASSWORD = 'hunter2-<tag>&"it\'s"/100%\\d é'
FORMS = [
    PASSWORD,
    repr(PASSWORD),
    json.dumps(PASSWORD),
    html.escape(PASSWORD),
    quote(PASSWORD, safe=""),
    *(base64.b64encode(before + PASSWORD.encode()).decode() for before in (b"", b"1", b"22")),
]
PEM = "-----BEGIN KEY-----\n50%\r\nMIIEv9xQ2rT7uW4z\n\n-----END KEY-----\n"


WRITE = (
    " Write a Python dict or a JSON object of strings. In a workflow, write one line for each secret: "
    '"NAME": ${{ toJSON(secrets.NAME) }},\n'
)


def redact(secrets: str | None, *paths: str | Path, program: str = "pass") -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "SECRETS"}
    code = f"import sys; from pytest_github_secrets import _redact_secrets; {program}; sys.exit(_redact_secrets.main())"
    return subprocess.run(
        [sys.executable, "-c", code, *paths],
        env=environment | ({} if secrets is None else {"SECRETS": secrets}),
        capture_output=True,
        text=True,
        check=False,
    )


def test_masks_each_value() -> None:
    run = redact('{"A": "hunter22", "B": "100%", "C": "", "D": "hunter22"}')
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout == "::add-mask::hunter22\n::add-mask::100%25\n3 secrets masked\n"


def test_masks_each_line_and_what_tojson_shows() -> None:
    run = redact(json.dumps({"KEY": PEM, "QUOTED": 'a"b\\c'}))
    assert run.returncode == 0
    assert run.stdout.splitlines() == [
        "::add-mask::-----BEGIN KEY-----%0A50%25%0D%0AMIIEv9xQ2rT7uW4z%0A%0A-----END KEY-----%0A",
        "::add-mask::-----BEGIN KEY-----%0A50%25%0D%0AMIIEv9xQ2rT7uW4z%0A%0A-----END KEY-----",
        "::add-mask::MIIEv9xQ2rT7uW4z",
        r"::add-mask::-----BEGIN KEY-----\n50%25\r\nMIIEv9xQ2rT7uW4z\n\n-----END KEY-----\n",
        r"::add-mask::-----BEGIN KEY-----\n50%25\r\nMIIEv9xQ2rT7uW4z\n\n-----END KEY-----",
        '::add-mask::a"b\\c',
        r"::add-mask::a\"b\\c",
        "2 secrets masked",
    ]


@pytest.mark.parametrize("secrets", [None, "", " \n", "{}", '{"A": "", "B": null}'])
def test_no_secret(secrets: str | None) -> None:
    run = redact(secrets)
    assert (run.returncode, run.stdout, run.stderr) == (0, "no secrets to mask in SECRETS\n", "")


@pytest.mark.parametrize(
    ("secrets", "message"),
    [
        ("hunter22", "SECRETS, line 1: it doesn't start with {, so it isn't a dict."),
        ('{"A":\n "hunter22}', "SECRETS, line 2: a string isn't closed on its line."),
    ],
)
def test_bad_input(secrets: str, message: str) -> None:
    run = redact(secrets)
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr == f"redact-secrets: {message}{WRITE}"


def test_a_crash_shows_nothing() -> None:
    run = redact('{"A": "hunter22"}', program="_redact_secrets._forms = lambda text: 1 / 0 if text else text")
    assert (run.returncode, run.stdout) == (1, "")
    assert (
        run.stderr
        == "redact-secrets: failed with ZeroDivisionError. It shows no more, because that could contain a secret.\n"
    )


def test_is_a_command() -> None:
    command = Path(sys.executable).with_name("redact-secrets")
    run = subprocess.run(
        [str(command)], env={"SECRETS": '{"A": "hunter22"}'}, capture_output=True, text=True, check=True
    )
    assert run.stdout.endswith("1 secret masked\n")


@pytest.mark.parametrize("form", FORMS)
def test_masks_each_form_in_a_file(tmp_path: Path, form: str) -> None:
    (tmp_path / "log").write_text(f"before\n{form}:after")
    run = redact(json.dumps({"PASSWORD": PASSWORD}), tmp_path / "log")
    assert (run.returncode, run.stdout, run.stderr) == (0, "1 secret masked in 1 of 1 file\n", "")
    # Quotes stay, and the ends of base64, which depend on its neighbours.
    assert re.fullmatch(r"before\n\S{0,4}\*\*\*\S{0,4}:after", (tmp_path / "log").read_text())


def test_masks_all_files_of_folders(tmp_path: Path) -> None:
    folder = tmp_path / "logs" / ".hidden"
    folder.mkdir(parents=True)
    (folder / ".log").write_text(f"{PEM}, cut off {PASSWORD[:20]}...")
    (folder / "empty").touch()
    (tmp_path / "status").write_text("1: -----BEGIN KEY-----.\n2: MIIEv9xQ2rT7uW4z.\n")
    (tmp_path / "not-named").write_text(PASSWORD)
    secrets = json.dumps({"PASSWORD": PASSWORD, "KEY": PEM})
    run = redact(secrets, tmp_path / "logs", tmp_path / "status", folder, folder / ".log")
    assert (run.returncode, run.stdout, run.stderr) == (0, "2 secrets masked in 2 of 3 files\n", "")
    assert (folder / ".log").read_text() == "***\n, cut off ***"
    assert (tmp_path / "status").read_text() == "1: -----BEGIN KEY-----.\n2: ***.\n"
    assert (tmp_path / "not-named").read_text() == PASSWORD


def test_keeps_everything_else_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "binary"
    around = bytes(range(256)) + b"\r\n\xff\xe2\x82"
    file.write_bytes(around + PASSWORD.encode() + around)
    file.chmod(0o640)
    run = redact(json.dumps({"PASSWORD": PASSWORD}), tmp_path)
    assert (run.returncode, run.stdout) == (0, "1 secret masked in 1 of 1 file\n")
    assert file.read_bytes() == around + b"***" + around
    assert file.stat().st_mode & 0o777 == 0o640
    assert [*tmp_path.iterdir()] == [file]


def test_writes_only_files_with_secrets(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text(PASSWORD)
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "clean").write_bytes(b"no secret\xff")
    (folder / "link").symlink_to(outside / "secret")
    (folder / "link-to-folder").symlink_to(outside)
    os.mkfifo(folder / "pipe")
    before = (folder / "clean").stat()
    run = redact(json.dumps({"PASSWORD": PASSWORD}), folder)
    assert (run.returncode, run.stdout, run.stderr) == (0, "1 secret masked in 0 of 1 file\n", "")
    assert (folder / "clean").stat().st_ino == before.st_ino
    assert (folder / "link").is_symlink()
    assert (outside / "secret").read_text() == PASSWORD


def test_names_secrets_that_are_too_short(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("abc hunter22")
    run = redact('{"A": "abc", "B": "hunter22", "C": "", "hunter22": "a\\nb\\nc\\nd"}', tmp_path)
    assert (run.returncode, run.stdout) == (0, "1 secret masked in 1 of 1 file\n")
    assert run.stderr == ("redact-secrets: too short to be masked (under 4 characters without blanks): A, ***\n")
    assert (tmp_path / "log").read_text() == "abc ***"


def test_refused_paths(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("hunter22")
    (tmp_path / "link").symlink_to(tmp_path / "log")
    os.mkfifo(tmp_path / "pipe")
    paths = ["missing", "", "link", "hunter22", "pipe", "--hunter22", "log/file"]
    program = f"import os; os.chdir({str(tmp_path)!r})"
    run = redact('{"A": "hunter22"}', *paths, "log", program=program)
    assert (run.returncode, run.stdout) == (1, "1 secret masked in 1 of 1 file\n")
    assert run.stderr.splitlines() == [
        "redact-secrets: missing: there is no such file or folder",
        "redact-secrets: '': there is no such file or folder",
        "redact-secrets: link: it is a symlink. Give the path that it points to.",
        "redact-secrets: ***: there is no such file or folder",
        "redact-secrets: pipe: there is no such file or folder",
        "redact-secrets: --***: there is no such file or folder",
        "redact-secrets: log/file: there is no such file or folder",
    ]
    assert (tmp_path / "log").read_text() == "***"


@pytest.mark.parametrize("secrets", [None, " \n", '{"A": ""}'])
def test_no_secret_in_files(tmp_path: Path, secrets: str | None) -> None:
    (tmp_path / "log").write_text("hunter22")
    run = redact(secrets, tmp_path)
    assert (run.returncode, run.stdout, run.stderr) == (0, "no secrets to mask in SECRETS\n", "")
    assert (tmp_path / "log").read_text() == "hunter22"


def test_bad_input_leaves_files_alone(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("hunter22")
    run = redact("hunter22", tmp_path)
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr == (
        f"redact-secrets: SECRETS, line 1: it doesn't start with {{, so it isn't a dict.{WRITE}"
        "redact-secrets: The files aren't masked. Don't upload them.\n"
    )
    assert (tmp_path / "log").read_text() == "hunter22"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("plain", "times"),
    [
        ("unit-database-0: 12:00:00 INFO unit.database/0.juju-log the relation has changed 😀\n" * 100, 2_000),
        (r"a\n" * 3_000 + "\n", 100),
    ],
    ids=["a log", "escapes"],
)
def test_takes_little_memory(tmp_path: Path, plain: str, times: int) -> None:
    line = f"it is {base64.b64encode(PASSWORD.encode()).decode()} in base64\n"
    (tmp_path / "log").write_text((plain + line) * times)
    # This isn't enough memory to read the log as a whole.
    limit = "import resource; resource.setrlimit(resource.RLIMIT_DATA, (64_000_000, 64_000_000))"
    run = redact(json.dumps({"PASSWORD": PASSWORD}), tmp_path, program=limit)
    assert (run.returncode, run.stdout, run.stderr) == (0, "1 secret masked in 1 of 1 file\n", "")
    lines = (tmp_path / "log").read_text().splitlines()
    assert len(lines) == times * (plain.count("\n") + 1)
    assert len({line for line in lines if line.startswith("it is ***")}) == 1


@pytest.mark.parametrize(
    ("limit", "named", "problem", "files"),
    [
        ("RLIMIT_FSIZE, (0, 0)", "log", "File too large", "1 file"),
        ("RLIMIT_NOFILE, (3, 3)", "", "Too many open files", "0 files"),
    ],
    ids=["writing", "listing"],
)
def test_file_that_cannot_be_masked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, named: str, problem: str, files: str
) -> None:
    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)  # it could not write what it has measured
    (tmp_path / "log").write_text("hunter22")
    # Not before: Python still imports modules.
    program = (
        "import resource; find = _redact_secrets._find_files; "
        f"_redact_secrets._find_files = lambda path: resource.setrlimit(resource.{limit}) or find(path)"
    )
    run = redact('{"A": "hunter22"}', tmp_path, program=program)
    assert (run.returncode, run.stdout) == (1, f"1 secret masked in 0 of {files}\n")
    assert run.stderr == f"redact-secrets: {tmp_path / named}: {problem}. It isn't masked. Don't upload it.\n"
    assert [file.read_text() for file in tmp_path.iterdir()] == ["hunter22"]


def test_other_files_are_masked_all_the_same(tmp_path: Path) -> None:
    for name in ("a", "hunter22", "z"):
        (tmp_path / name).write_text("hunter22")
    # Not even root can write a file that is marked so. Here, another program deletes it.
    program = (
        "mask = _redact_secrets.mask_file\n"
        "def delete(path, masker):\n"
        "    path.name == 'hunter22' and path.unlink()\n"
        "    return mask(path, masker)\n"
        "_redact_secrets.mask_file = delete"
    )
    run = redact('{"A": "hunter22"}', tmp_path, program=f"exec({program!r})")
    assert (run.returncode, run.stdout) == (1, "1 secret masked in 2 of 3 files\n")
    assert run.stderr == (
        f"redact-secrets: {tmp_path}/***: No such file or directory. It isn't masked. Don't upload it.\n"
    )


def test_file_that_gets_shorter_meanwhile(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("clean\n" * 100_000 + "hunter22\n")
    # Before it is copied, and after it was searched.
    program = (
        "import os, tempfile; make = tempfile.mkstemp; "
        f"tempfile.mkstemp = lambda **names: (os.truncate({str(log)!r}, 12), make(**names))[1]"
    )
    run = redact('{"A": "hunter22"}', log, program=program)
    assert (run.returncode, run.stdout, run.stderr) == (0, "1 secret masked in 1 of 1 file\n", "")
    assert re.fullmatch(r"clean\nclean\n\w*\n(clean\n)*\*\*\*\n", log.read_text())


KEY = json.dumps({"type": "service_account", "password": "S3cr3t-pass", "pin": 12345678}, indent=2)
SECRETS = json.dumps({"KEY": KEY, "PIN": "12345678", "WORD": 'abc": "def'})


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (KEY, '{\n  "type": "service_account",\n  "password": "***",\n  "pin": "***"\n}'),
        ('{"pin": 12345678, "pin": 1.50}', '{"pin": "***", "pin": 1.50}'),
        ('{"a": "abc", "abc": "def"}\n{"a": "S3cr3t-pass"}\n\n', '{"a": "abc", "abc": "def"}\n{"a": "***"}\n\n'),
        (json.dumps([KEY, "é"]), '["***", "\\u00e9"]'),
        ('["\\ud83d\\ude00 S3cr3t-pass"]', '["\\ud83d\\ude00 ***"]'),
        ("[INFO] S3cr3t-pass", "[INFO] ***"),
        ('{"cut": "S3cr3t-pass', '{"cut": "***'),
        ("[" * 20_000 + "S3cr3t-pass", "[" * 20_000 + "***"),
    ],
    ids=["pretty", "numbers", "lines", "a key in it", "surrogates", "a log", "cut", "deep"],
)
def test_json_stays_json(tmp_path: Path, text: str, masked: str) -> None:
    (tmp_path / "report").write_text(text)
    run = redact(SECRETS, tmp_path)
    assert (run.returncode, run.stderr) == (0, "")
    assert (tmp_path / "report").read_text() == masked


def test_xml_stays_xml(tmp_path: Path) -> None:
    head = '<?xml version="1.0" encoding="utf-8"?>\n'
    report = tmp_path / "report"
    report.write_text(
        f'{head}<!-- of -->\n<suite name="suite">S3cr3t-pass<name>"name=" &lt;suite</name>tail suite</suite>'
    )
    run = redact(json.dumps({"A": "suite", "B": "S3cr3t-pass", "C": '"name="', "D": "<suite"}), report)
    assert (run.returncode, run.stderr) == (0, "")
    root = ElementTree.parse(report).getroot()  # noqa: S314, just written
    assert (root.tag, root.attrib, root.text, root[0].tag, root[0].text, root[0].tail) == (
        "suite", {"name": "***"}, "***", "name", "*** ***", "tail ***",
    )  # fmt: skip


@pytest.mark.parametrize("text", ["<?xml version='1.0'?><open>hunter22", "<!DOCTYPE html><br>hunter22"])
def test_other_markup_is_masked_as_text(tmp_path: Path, text: str) -> None:
    (tmp_path / "report").write_text(text)
    redact('{"A": "hunter22"}', tmp_path)
    assert (tmp_path / "report").read_text() == text.replace("hunter22", "***")
