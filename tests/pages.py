"""The pages of the documentation, and what is needed to run what they say."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[1]
IGNORED = shutil.ignore_patterns(".*", "__pycache__", "uv.lock")
DOCUMENTS = [
    document
    for pattern in (
        "*.md",
        "docs/*.md",
        "python/*/*.md",
        "python/pytest_plugins/*/*.md",
        "examples/**/*.md",
        ".github/workflows/*.md",
        "tests/**/*.md",
    )
    for document in sorted(ROOT.glob(pattern))
    if "node_modules" not in document.parts
]
PASSED = r"\$\{\{ toJSON\(secrets\.(\w+)\) \}\}"
POETRY = {
    "POETRY_VIRTUALENVS_IN_PROJECT": "true",
    "POETRY_SYSTEM_GIT_CLIENT": "true",
    "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
}


@dataclass(frozen=True)
class Block:
    """A fenced block of code in a document."""

    document: Path
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.document.relative_to(ROOT)}: {self.text.strip().splitlines()[0][:60]}"


def read_blocks(document: Path) -> list[Block]:
    found = re.findall(r"^( *)```(\w*)\n(.*?)^\1```$", document.read_text(), flags=re.MULTILINE | re.DOTALL)
    return [
        Block(document, language, re.sub(rf"^{indentation}", "", text, flags=re.MULTILINE))
        for indentation, language, text in found
    ]


# Other tests follow the other pages in docs step by step. Only their workflows are checked here.
BLOCKS = [
    block
    for document in DOCUMENTS
    for block in read_blocks(document)
    if document.parent.name != "docs" or document.name == "spread.md" or "jobs:" in block.text
]
LINES = [
    Block(block.document, "shell", line)
    for block in BLOCKS
    if block.language == "shell"
    for line in block.text.splitlines()
]


def blocks(language: str, within: str = "") -> pytest.MarkDecorator:
    """Run a test with each block in a language that has a text in it."""
    return parametrize("block", [block for block in BLOCKS if block.language == language and within in block.text])


def lines(pattern: str) -> pytest.MarkDecorator:
    """Run a test with each line that begins with a pattern, or is a command of this program."""
    return parametrize("line", [line for line in LINES if re.match(f"(?:{pattern})(?: |$)", line.text)])


def parametrize(name: str, found: list[Block]) -> pytest.MarkDecorator:
    packing = {block.document for block in BLOCKS if block.language == "python" and "packed_charm" in block.text}
    long = [pytest.mark.long]
    return pytest.mark.parametrize(
        name, [pytest.param(block, id=str(block), marks=long if block.document in packing else []) for block in found]
    )


def secret(name: str) -> str:
    """Return a value that breaks a string unless it is escaped."""
    return f"\"%\\{name[::-1]}\n-----BEGIN-----\n'hunter22'\n-----END-----\n"


def secrets_of(text: str) -> dict[str, str]:
    """Return the secrets that workflows pass."""
    return {name: secret(name) for name in re.findall(PASSED, text)}


def read_table(document: Path, heading: str) -> dict[str, str]:
    """Return the second column by the first one, without its backticks, of the table that begins with a heading."""
    (table,) = re.findall(
        rf"^\| {heading} \|.*\n\| ---.*\n((?:\|.*\n)+)", document.read_text(), flags=re.MULTILINE
    ) or [""]
    rows = (re.split(r"(?<!\\)\|", row) for row in table.splitlines())
    return {row[1].strip().strip("`"): row[2].strip() for row in rows}


def run(
    command: str | list[str],
    directory: Path,
    environment: Mapping[str, str] | None = None,
    step: Mapping[str, str] | None = None,
) -> str:
    """Run a shell line, or a command, with this environment's programs, and return what it prints."""
    variables = {**os.environ, **(environment or {})}
    variables["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{variables['PATH']}"
    for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "MAKEFLAGS", "VIRTUAL_ENV"):
        variables.pop(name, None)
    # They take long to import.
    variables["PYTEST_ADDOPTS"] = "-p no:hypothesispytest -p no:anyio"
    variables |= step or {}
    result = subprocess.run(
        command,
        shell=isinstance(command, str),
        cwd=directory,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, f"{result.stdout}\n{result.stderr}"
    return result.stdout


def read_texts(page: str, language: str) -> list[str]:
    """Return the blocks of a page of docs in a language."""
    return [block.text for block in read_blocks(ROOT / "docs" / page) if block.language == language]


def migrate_one_file(charm: Path) -> None:
    """Follow the page about the migration to jubilant, for one file of the example that is on pytest-operator."""
    page = "migrate_to_jubilant.md"
    fixture, test_charm = read_texts(page, "python")
    (dependency,), (marker,) = read_texts(page, "ini"), read_texts(page, "toml")
    (charm / "tests/integration/conftest.py").write_text(fixture)
    (charm / "tests/integration/test_charm.py").write_text(test_charm)
    tox, project = charm / "tox.ini", charm / "pyproject.toml"
    tox.write_text(tox.read_text().replace("deps =\n", f"deps =\n    {dependency}"))
    project.write_text(project.read_text() + marker)
