"""The command ``redact-secrets``, a step of a workflow: it masks secrets in GitHub's log or in files."""

from __future__ import annotations

import argparse
import json
import os
import stat
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_github_secrets._forms import describe_short, find_short, find_texts
from pytest_github_secrets._mask import Masker, mask_file
from pytest_github_secrets._secrets import SecretsError, parse

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

VARIABLE = "SECRETS"


def main(arguments: Sequence[str] | None = None) -> int:
    """Mask the secrets of the environment variable SECRETS in GitHub's log or in files. Return the exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        description = f"Mask the secrets of the environment variable {VARIABLE} in GitHub's log or in files."
        parser = argparse.ArgumentParser(prog="redact-secrets", description=description)
        parser.add_argument(
            "paths", metavar="PATH", nargs="*", help="a file or a folder to mask in place, instead of the log"
        )
        # argparse would show an unknown option, which may contain a secret.
        options, unknown = parser.parse_known_args(arguments)
        return _redact([*options.paths, *unknown])
    except Exception as error:  # noqa: BLE001, a traceback could show a secret
        advice = " Don't upload these files." if arguments else ""
        _report(f"failed with {type(error).__name__}. It shows no more, because that could contain a secret.{advice}")
        return 1


def _redact(paths: Sequence[str]) -> int:
    text = os.environ.get(VARIABLE, "")
    try:
        secrets = parse(text if text.strip() else "{}", VARIABLE)
    except SecretsError as error:
        _report(str(error))
        if paths:
            _report("The files aren't masked. Don't upload them.")
        return 1
    secrets = {key: value for key, value in secrets.items() if value}
    if not secrets:
        print(f"no secrets to mask in {VARIABLE}")
        return 0
    if paths:
        return _mask_files(paths, secrets)
    for form in dict.fromkeys(form for value in secrets.values() for form in _forms(value)):
        # https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands#masking-a-value-in-a-log
        # The escapes are those of https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts.
        print("::add-mask::" + form.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A"))
    print(f"{_count(len(secrets), 'secret')} masked")
    return 0


def _forms(value: str) -> list[str]:
    """Return what of a value is secret, as it is and as `toJSON` shows it in the log of a step's environment."""
    texts = [value, *find_texts(value)]
    return [*texts, *(json.dumps(text, ensure_ascii=False)[1:-1] for text in texts)]


def _mask_files(names: Sequence[str], secrets: dict[str, str]) -> int:
    mask = Masker(secrets.values())
    refused = []
    files: set[Path] = set()
    changed = 0
    for name in names:
        path = Path(name)
        # An empty name would mean the current folder.
        if not name or not (path.is_file() or path.is_dir()):
            refused.append(f"{name or repr(name)}: there is no such file or folder")
        elif path.is_symlink():
            refused.append(f"{name}: it is a symlink. Give the path that it points to.")
        else:
            with _refusing(path, refused):
                files.update(_find_files(path))
    for file in sorted(files):
        with _refusing(file, refused):
            changed += mask_file(file, mask)
    short = find_short(secrets)
    print(f"{_count(len(secrets) - len(short), 'secret')} masked in {changed} of {_count(len(files), 'file')}")
    for message in [describe_short(short), *refused] if short else refused:
        _report(mask(message))
    return 1 if refused else 0


@contextmanager
def _refusing(path: Path, refused: list[str]) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        refused.append(f"{path}: {error.strerror}. It isn't masked. Don't upload it.")


def _find_files(path: Path) -> Iterator[Path]:
    """Yield a file, or all files in a folder and its subfolders, hidden ones too. Symlinks aren't followed."""
    if stat.S_ISDIR(mode := path.lstat().st_mode):
        for entry in path.iterdir():
            yield from _find_files(entry)
    elif stat.S_ISREG(mode):
        yield path


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _report(message: str) -> None:
    print(f"redact-secrets: {message}", file=sys.stderr)
