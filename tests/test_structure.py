"""The code of the packages stays easy to find one's way in."""

from __future__ import annotations

import ast
import graphlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = [
    project.parent / name
    for project in sorted(ROOT.glob("python/**/pyproject.toml"))
    for name in {path.parent.name for path in project.parent.glob("*/__init__.py")} - {"tests"}
]
MODULES = [module for package in PACKAGES for module in sorted(package.glob("*.py"))]


def imports(module: Path) -> set[str]:
    """Return the modules of the same package that a module imports, also within functions and for types."""
    nodes = [node for node in ast.walk(ast.parse(module.read_text())) if isinstance(node, ast.ImportFrom)]
    package = module.parent.name
    from_package = {alias.name for node in nodes if node.module == package for alias in node.names}
    return from_package | {
        node.module.removeprefix(f"{package}.")
        for node in nodes
        if node.module and node.module.startswith(f"{package}.")
    }


def test_packages_are_found() -> None:
    assert len(PACKAGES) == 4


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_no_import_cycle(package: Path) -> None:
    graph = {module.stem: imports(module) for module in package.glob("*.py")}
    assert any(graph.values())
    graphlib.TopologicalSorter(graph).prepare()


@pytest.mark.parametrize("module", MODULES, ids=lambda module: f"{module.parent.name}/{module.name}")
def test_module_is_short(module: Path) -> None:
    assert len(module.read_text().splitlines()) <= 250
