"""The command ``redact-secrets``, a step of a workflow: it masks secrets in GitHub's log or in files."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_github_secrets._errors import SecretsError
from pytest_github_secrets._files import find_files, mask_file
from pytest_github_secrets._github import add_mask
from pytest_github_secrets._mask import Masker, describe_short, find_short
from pytest_github_secrets._parse import parse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

VARIABLE = "SECRETS"


def main(arguments: Sequence[str] | None = None) -> int:
    """Mask the secrets of the environment variable SECRETS in GitHub's log or in files. Return the exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        return _redact(_parse_paths(arguments))
    except Exception as error:  # noqa: BLE001, a traceback could show a secret
        advice = " Don't upload these files." if arguments else ""
        _report(f"failed with {type(error).__name__}. It shows no more, because that could contain a secret.{advice}")
        return 1


def _parse_paths(arguments: Sequence[str]) -> list[str]:
    parser = argparse.ArgumentParser(
        prog="redact-secrets",
        description=f"Mask the secrets of the environment variable {VARIABLE} in GitHub's log or in files.",
    )
    parser.add_argument(
        "paths", metavar="PATH", nargs="*", help="a file or a folder to mask in place, instead of the log"
    )
    # argparse would show an unknown option, which may contain a secret.
    options, unknown = parser.parse_known_args(arguments)
    return [*options.paths, *unknown]


def _redact(paths: Sequence[str]) -> int:
    text = os.environ.get(VARIABLE, "")
    try:
        secrets = parse(text if text.strip() else "{}", VARIABLE)
    except SecretsError as error:
        _report(str(error))
        if paths:
            _report("The files aren't masked. Don't upload them.")
        return 1
    if not any(secrets.values()):
        print(f"no secrets to mask in {VARIABLE}")
        return 0
    return _mask_files(paths, secrets) if paths else _mask_log(secrets)


def _mask_log(secrets: Mapping[str, str]) -> int:
    values = [value for value in secrets.values() if value]
    for text in dict.fromkeys(form for value in values for form in _forms(value)):
        print(add_mask(text))
    print(f"{_secrets(len(values))} masked")
    return 0


def _mask_files(names: Sequence[str], secrets: Mapping[str, str]) -> int:
    mask = Masker(secrets.values())
    refused = []
    files: set[Path] = set()
    for name in names:
        path = Path(name)
        # An empty name would mean the current folder.
        if not name or not (path.is_file() or path.is_dir()):
            refused.append(SecretsError("there is no such file or folder", where=name or "''"))
        elif path.is_symlink():
            refused.append(SecretsError("it is a symlink", where=name, advice="Give the path that it points to."))
        else:
            files.update(find_files(path))
    changed = sum(mask_file(file, mask) for file in files)
    short = find_short(secrets)
    number = sum(map(bool, secrets.values())) - len(short)
    print(f"{_secrets(number)} masked in {changed} of {len(files)} file{'' if len(files) == 1 else 's'}")
    if short:
        _report(mask(describe_short(short)))
    for error in refused:
        _report(mask(str(error)))
    return 1 if refused else 0


def _forms(value: str) -> list[str]:
    """Return the value and its lines, as they are and as `toJSON` shows them in the log of a step's environment."""
    lines = [line for line in value.splitlines() if line.strip()]
    return [value, *lines, *(json.dumps(text, ensure_ascii=False)[1:-1] for text in [value, *lines])]


def _secrets(number: int) -> str:
    return f"{number} secret{'' if number == 1 else 's'}"


def _report(message: str) -> None:
    print(f"redact-secrets: {message}", file=sys.stderr)
