"""Secrets from a dotenv file, for runs on a laptop."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from pytest_github_secrets._secrets import SecretsError, read_file

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Run

PASSWORD = "correct-horse-battery"
FILE = f"""\
# of the test account
PASSWORD={PASSWORD}
export QUOTED='a "b" $PASSWORD'
KEY="one
two"
EMPTY=
"""
CODE = f"""
def test_1(github_secrets):
    assert github_secrets == {{
        "PASSWORD": {PASSWORD!r}, "QUOTED": 'a "b" $PASSWORD', "KEY": "one\\ntwo", "EMPTY": ""}}

def test_2(github_secrets):
    assert github_secrets["PASSWORD"] == "other"
"""


@pytest.fixture(autouse=True)
def file(pytester: pytest.Pytester) -> Path:
    pytester.makeini("[pytest]\ngithub_secrets_file = .secrets.env")
    file = pytester.path / ".secrets.env"
    file.write_text(FILE)
    return file


@pytest.mark.parametrize("options", ["", "-n 1"])
def test_is_read_and_masked(run: Run, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, options: str) -> None:
    # The path belongs to the file that has the option.
    monkeypatch.chdir(pytester.mkdir("folder"))
    result = run(CODE, None, "..", "-W", "ignore", *options.split())
    result.assert_outcomes(passed=1, failed=1)
    assert "'***' == 'other'" in result.stdout.str()
    assert PASSWORD not in result.stdout.str()


def test_the_variable_wins(run: Run) -> None:
    code = "def test_1(github_secrets): assert github_secrets == {'A': 'from the variable'}"
    run(code, '{"A": "from the variable"}').assert_outcomes(passed=1)


def test_is_not_read_in_ci(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    result = run(CODE, None)
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(["SECRETS_FROM_GITHUB: it is not set. *"])


def test_nothing_uses_it(run: Run, file: Path) -> None:
    file.unlink()
    run("def test_1(): ...", None).assert_outcomes(passed=1)


def test_is_tracked_by_git(run: Run, file: Path) -> None:
    for command in (["init", "--quiet"], ["add", "--force", file.name]):
        subprocess.run(["git", *command], cwd=file.parent, check=True)
    result = run(CODE, None, "--tb=long", "--showlocals")
    result.assert_outcomes(errors=2)
    message = (
        f"{file}: git tracks this file, so everyone who has the repository can read it. "
        "Type: git rm --cached '.secrets.env'. Add it to .gitignore, and replace the secrets in it."
    )
    result.stdout.fnmatch_lines([message])
    assert PASSWORD not in result.stdout.str()
    subprocess.run(["git", "rm", "--quiet", "--cached", file.name], cwd=file.parent, check=True)
    run(CODE, None, "-W", "ignore").assert_outcomes(passed=1, failed=1)


def test_every_file_that_git_tracks(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = file.with_name("link")
    link.symlink_to(file)
    magic = file.with_name(":(top)a*")
    for path in (file, magic):
        path.write_text("A=b")
    assert read_file(link) == {"A": "b"}
    for command in (["init", "--quiet"], ["--literal-pathspecs", "add", "--force", file.name, magic.name]):
        subprocess.run(["git", *command], cwd=file.parent, check=True)
    # As in a hook of another repository.
    monkeypatch.setenv("GIT_DIR", "/missing")
    for path in (file, link, magic):
        with pytest.raises(SecretsError, match="git tracks this file"):
            read_file(path)


def test_git_that_refuses(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    subprocess.run(["git", "init", "--quiet"], cwd=file.parent, check=True)
    # As in a container, where the checkout belongs to another user: git's own tests set this.
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(SecretsError) as error:
        read_file(file)
    message = f"{file}: git can't tell whether it tracks this file: fatal: detected dubious ownership in repository"
    assert str(error.value).startswith(message)
    assert "git config --global --add safe.directory" in str(error.value)


def test_without_git(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    run(CODE, None, "-W", "ignore").assert_outcomes(passed=1, failed=1)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, ": No such file or directory. The pytest option github_secrets_file names this file."),
        (f"A=b\n{PASSWORD}\n".encode(), ":2: this isn't an assignment. Write NAME='value'."),
        (f"A=b\n\nB='{PASSWORD}\n".encode(), ":3: this isn't an assignment. Write NAME='value'."),
        (f"A={PASSWORD}".encode("utf-16"), ": it isn't UTF-8. Save it as UTF-8."),
    ],
)
@pytest.mark.parametrize("option", ["", "--full-trace --showlocals -s"])
def test_errors_show_no_value(run: Run, file: Path, content: bytes | None, message: str, option: str) -> None:
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    result = run(CODE, None, *option.split())
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines([f"*{file}{message}"])
    shown = result.stdout.str() + result.stderr.str()
    assert not any(PASSWORD[start : start + 8] in shown for start in range(len(PASSWORD) - 7))
    assert "Traceback" not in shown
    assert "During handling" not in shown


def test_a_folder(run: Run, file: Path) -> None:
    file.unlink()
    file.mkdir()
    result = run(CODE, None)
    result.stdout.fnmatch_lines([f"{file}: Is a directory. The pytest option github_secrets_file names this file."])
