"""The pages in docs, whose steps tests follow."""

from __future__ import annotations

import re
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"


def read_blocks(page: str, language: str) -> list[str]:
    """Return the blocks of a page in a language."""
    text = (DOCS / page).read_text(encoding="utf-8")
    found = re.findall(rf"^( *)```{language}\n(.*?)^\1```$", text, flags=re.MULTILINE | re.DOTALL)
    return [re.sub(f"^{indentation}", "", block, flags=re.MULTILINE) for indentation, block in found]


def migrate_one_file(charm: Path) -> None:
    """Follow the page about the migration to jubilant, for one file of the example that is on pytest-operator."""
    page = "migrate_to_jubilant.md"
    fixture, test_charm = read_blocks(page, "python")
    (dependency,), (marker,) = read_blocks(page, "ini"), read_blocks(page, "toml")
    (charm / "tests/integration/conftest.py").write_text(fixture)
    (charm / "tests/integration/test_charm.py").write_text(test_charm)
    tox, project = charm / "tox.ini", charm / "pyproject.toml"
    tox.write_text(tox.read_text().replace("deps =\n", f"deps =\n    {dependency}"))
    project.write_text(project.read_text() + marker)
