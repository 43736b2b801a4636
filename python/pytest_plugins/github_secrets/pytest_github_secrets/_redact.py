"""The command ``redact-secrets``, a step of a workflow: GitHub's log masks what it prints, or it masks files."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_github_secrets._files import find_files, mask_file
from pytest_github_secrets._mask import MIN_LENGTH, Masker, too_short
from pytest_github_secrets._parse import Problem, parse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

VARIABLE = "SECRETS"


def main(arguments: Sequence[str] | None = None) -> int:
    """Mask the secrets in the environment variable SECRETS, in GitHub's log or in files; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="redact-secrets",
        description=f"Mask the secrets in the environment variable {VARIABLE}: in the log of GitHub, or in files.",
    )
    parser.add_argument(
        "paths", metavar="PATH", nargs="*", help="a file, or a folder of files: masked in place instead of the log"
    )
    # An option that it doesn't know, argparse shows as it is.
    options, unknown = parser.parse_known_args(arguments)
    paths = [*options.paths, *unknown]
    try:
        return _run(paths)
    except Exception as error:  # noqa: BLE001, a traceback could show a secret
        advice = " Do not upload these files." if paths else ""
        print(
            f"redact-secrets failed: {type(error).__name__}. Nothing more is shown, to keep secrets.{advice}",
            file=sys.stderr,
        )
        return 1


def _run(paths: Sequence[str]) -> int:
    text = os.environ.get(VARIABLE, "")
    secrets = parse(text if text.strip() else "{}")
    if isinstance(secrets, Problem):
        print(f"redact-secrets: {secrets.describe(VARIABLE)}", file=sys.stderr)
        if paths:
            print("redact-secrets: the files are not masked. Do not upload them.", file=sys.stderr)
        return 1
    if not any(secrets.values()):
        print(f"no secrets to mask in {VARIABLE}")
        return 0
    return _mask_files(paths, secrets) if paths else _mask_log(secrets)


def _mask_log(secrets: Mapping[str, str]) -> int:
    values = [value for value in secrets.values() if value]
    for text in dict.fromkeys(form for value in values for form in _forms(value)):
        print(f"::add-mask::{_escape(text)}")
    print(f"{len(values)} secrets masked")
    return 0


def _mask_files(names: Sequence[str], secrets: Mapping[str, str]) -> int:
    mask = Masker(secrets.values())
    refused = {}
    files: set[Path] = set()
    for name in names:
        path = Path(name)
        # An empty name would be this folder.
        if not name or not (path.is_file() or path.is_dir()):
            refused[name] = "no such file or folder"
        elif path.is_symlink():
            refused[name] = "a symlink is not followed"
        else:
            files.update(find_files(path))
    changed = sum(mask_file(file, mask) for file in files)
    short = too_short(secrets)
    count = sum(map(bool, secrets.values())) - len(short)
    print(f"{count} secrets masked in {changed} of {len(files)} files")
    if short:
        print(
            f"redact-secrets: too short to be masked in files (under {MIN_LENGTH} characters, without blanks): "
            + mask(", ".join(short)),
            file=sys.stderr,
        )
    for name, problem in refused.items():
        print(f"redact-secrets: {problem}: {mask(name)}", file=sys.stderr)
    return 1 if refused else 0


def _forms(value: str) -> list[str]:
    """Return the value, its lines, and the form in which `toJSON` shows it in the log of a step's environment."""
    lines = [line for line in value.splitlines() if line.strip()]
    return [value, *lines, *(json.dumps(text, ensure_ascii=False)[1:-1] for text in [value, *lines])]


def _escape(text: str) -> str:
    """Escape the text of a workflow command: https://github.com/actions/toolkit, "escapeData"."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


if __name__ == "__main__":
    sys.exit(main())
