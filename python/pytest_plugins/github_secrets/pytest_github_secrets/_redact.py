"""The command ``redact-secrets``, a step of a workflow: GitHub's log masks what it prints."""

from __future__ import annotations

import json
import os
import sys

from pytest_github_secrets._parse import Problem, parse

VARIABLE = "SECRETS"


def main() -> int:
    """Print a workflow command for each secret in the environment variable SECRETS, and return the exit code."""
    try:
        secrets = parse(os.environ.get(VARIABLE) or "{}")
        if isinstance(secrets, Problem):
            print(f"redact-secrets: {secrets.describe(VARIABLE)}", file=sys.stderr)
            return 1
        values = [value for value in secrets.values() if value]
        for text in dict.fromkeys(form for value in values for form in _forms(value)):
            print(f"::add-mask::{_escape(text)}")
        print(f"{len(values)} secrets masked" if values else f"no secrets to mask in {VARIABLE}")
    except Exception as error:  # noqa: BLE001, a traceback could show a secret
        print(
            f"redact-secrets failed: {type(error).__name__}. Nothing more is shown, to keep secrets.", file=sys.stderr
        )
        return 1
    return 0


def _forms(value: str) -> list[str]:
    """Return the value, its lines, and the form in which `toJSON` shows it in the log of a step's environment."""
    lines = [line for line in value.splitlines() if line.strip()]
    return [value, *lines, *(json.dumps(text, ensure_ascii=False)[1:-1] for text in [value, *lines])]


def _escape(text: str) -> str:
    """Escape the text of a workflow command: https://github.com/actions/toolkit, "escapeData"."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


if __name__ == "__main__":
    sys.exit(main())
