"""Reads secrets from a dotenv file, for runs on a laptop."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from pytest_github_secrets._errors import SecretsError

if TYPE_CHECKING:
    from pathlib import Path


def read_file(path: Path) -> dict[str, str]:
    """Return the secrets in a dotenv file.

    Raises:
        SecretsError: The file can't be read, has a line that isn't `NAME=value`, or is tracked by git.
    """
    from dotenv.parser import parse_stream

    if is_tracked(path):
        raise SecretsError(
            "git tracks this file, so everyone who has the repository can read it",
            where=str(path),
            advice=f"Type: git rm --cached '{path.name}'. Add it to .gitignore, and replace the secrets in it.",
        )
    try:
        with path.open(encoding="utf-8") as file:
            bindings = list(parse_stream(file))
    except UnicodeDecodeError:
        bindings = None
    except OSError as error:
        advice = "The pytest option github_secrets_file names this file."
        raise SecretsError(error.strerror or "it can't be read", where=str(path), advice=advice) from None
    # Not while the error is handled: it contains the text.
    if bindings is None:
        raise SecretsError("it isn't UTF-8", where=str(path), advice="Save it as UTF-8.")
    for binding in bindings:
        if binding.error or (binding.key is not None and binding.value is None):
            statement = binding.original.string
            blank = statement[: len(statement) - len(statement.lstrip())].count("\n")
            where = f"{path}:{binding.original.line + blank}"
            raise SecretsError("this isn't an assignment", where=where, advice="Write NAME='value'.")
    return {binding.key: binding.value or "" for binding in bindings if binding.key is not None}


def is_tracked(path: Path) -> bool:
    """Return whether git tracks a file, or the file that a link leads to.

    Raises:
        SecretsError: git refuses to answer, as in a repository of another user.
    """
    for file in (path, path.resolve()):
        command = ["git", "--literal-pathspecs", "ls-files", "--error-unmatch", "--", file.name]
        try:
            git = subprocess.run(command, cwd=file.parent, env=_environment(), capture_output=True, check=False)
        except OSError:  # there is no git, or no such folder
            return False
        if git.returncode == 0:
            return True
        if git.returncode != 1 and any((parent / ".git").exists() for parent in file.parents):
            problem = f"git can't tell whether it tracks this file: {git.stderr.decode(errors='replace').strip()}"
            raise SecretsError(problem, where=str(path))
    return False


def _environment() -> dict[str, str]:
    """Return the environment without the repository of a git hook, which may be another one."""
    return {
        key: value for key, value in os.environ.items() if key not in {"GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"}
    }
