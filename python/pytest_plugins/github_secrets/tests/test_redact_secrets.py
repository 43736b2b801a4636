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
PEM = "-----BEGIN-----\n50%\r\nMIIE\n\n-----END-----\n"


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
    (folder / ".log").write_text(f"{PEM}, in part {PASSWORD[:8]}")
    (folder / "empty").touch()
    (tmp_path / "status").write_text("1: -----BEGIN-----.\n2: MIIE.\n")
    (tmp_path / "not-named").write_text(PASSWORD)
    secrets = json.dumps({"PASSWORD": PASSWORD, "KEY": PEM})
    run = redact(secrets, tmp_path / "logs", tmp_path / "status", folder, folder / ".log")
    assert (run.returncode, run.stdout, run.stderr) == (0, "2 secrets masked in 2 of 3 files\n", "")
    assert (folder / ".log").read_text() == "***\n, in part ***"
    assert (tmp_path / "status").read_text() == "1: ***.\n2: ***.\n"
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


@pytest.mark.parametrize("limit", ["RLIMIT_FSIZE, (0, 0)", "RLIMIT_NOFILE, (3, 3)"], ids=["writing", "listing"])
def test_a_crash_leaves_a_file_as_it_was(tmp_path: Path, limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)  # it could not write what it has measured
    (tmp_path / "log").write_text("hunter22")
    run = redact('{"A": "hunter22"}', tmp_path, program=f"import resource; resource.setrlimit(resource.{limit})")
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr == (
        "redact-secrets: failed with OSError. It shows no more, because that could contain a secret. "
        "Don't upload these files.\n"
    )
    assert [file.read_text() for file in tmp_path.iterdir()] == ["hunter22"]
