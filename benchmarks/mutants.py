"""Mutation testing: breaks the packages in a sample of places, one at a time. A change that no test notices survives.

cosmic-ray makes the mutants. It runs any command, so the processes that tests start import the mutant, too.
Its own runner has no sample, and tests all packages for each mutant. Here only the mutant's package is tested, the
closest tests first.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import os
import queue
import random
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names
from cosmic_ray.testing import TestOutcome, run_tests

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
PACKAGES = sorted(path.parent for path in [*ROOT.glob("python/*/tests"), *ROOT.glob("python/pytest_plugins/*/tests")])
MINIMUM = 90  # percent
FAST = "not long"
Position = tuple[tuple[int, int], tuple[int, int]]


class SwapIn:
    """Swaps `in` and `not in`, which cosmic-ray leaves as they are."""

    def mutation_positions(self, node: Any) -> Iterator[Position]:
        if node.type == "comparison" and node.children[1].get_code().split() in (["in"], ["not", "in"]):
            yield node.children[1].start_pos, node.children[1].end_pos

    def mutate(self, node: Any, _index: int) -> Any:
        swapped = " in" if node.children[1].get_code().split() == ["not", "in"] else " not in"
        node.children[1] = get_ast(swapped)
        return node


class RemoveCall:
    """Removes a call whose value nobody uses."""

    def mutation_positions(self, node: Any) -> Iterator[Position]:
        if node.type in {"atom_expr", "power"} and node.parent.type == "simple_stmt":
            yield node.start_pos, node.end_pos

    def mutate(self, node: Any, _index: int) -> Any:
        return get_ast(f"{node.get_first_leaf().prefix}pass")


class ReturnNone:
    """Returns None instead of a value."""

    def mutation_positions(self, node: Any) -> Iterator[Position]:
        if node.type == "return_stmt" and node.children[1].get_code().strip() not in {"None", "False"}:
            yield node.children[1].start_pos, node.children[1].end_pos

    def mutate(self, node: Any, _index: int) -> Any:
        node.children[1] = get_ast(" None")
        return node


@dataclass
class Mutant:
    """A module with one change."""

    package: Path
    module: Path
    code: str
    outcome: str = ""

    @property
    def diff(self) -> str:
        """The change, as git shows it."""
        name = str(self.module.relative_to(ROOT))
        before, after = (text.splitlines(keepends=True) for text in (self.module.read_text(), self.code))
        return "".join(difflib.unified_diff(before, after, f"a/{name}", f"b/{name}", n=2))


def main() -> int:
    """Return the exit code: 0 if enough mutants were killed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sample", type=int, default=100, metavar="N", help="the number of mutants (default: 100)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="another seed draws another sample")
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="how many are tested at a time"
    )
    parser.add_argument(
        "--package", default="", metavar="NAME", help="only the packages whose folder has this in its name"
    )
    options = parser.parse_args()
    packages = [package for package in PACKAGES if options.package in package.name]
    mutants = draw(packages, options.sample, options.seed)
    print(f"{len(mutants)} mutants, seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        copies: queue.SimpleQueue[Path] = queue.SimpleQueue()
        for number in range(options.jobs):
            copies.put(copy_tree(Path(folder, str(number))))
        with ThreadPoolExecutor(options.jobs) as pool:
            limits = dict(pool.map(lambda package: (package, measure(package, copies)), packages))
            started = time.monotonic()
            for mutant in pool.map(lambda mutant: judge(mutant, limits[mutant.package], copies), mutants):
                print(f"{mutant.outcome}: {mutant.module.relative_to(ROOT)}", flush=True)
                if mutant.outcome == "survived":
                    print(mutant.diff, flush=True)
    print(f"\n{(time.monotonic() - started) / 60:.0f} minutes; killed of all, per package:")
    for package in packages:
        outcomes = Counter(mutant.outcome for mutant in mutants if mutant.package == package)
        print(f"  {package.name}: {outcomes.total() - outcomes['survived']} of {outcomes.total()}", end="")
        print(f" ({outcomes['timeout']} ran out of time)" if outcomes["timeout"] else "")
    killed = sum(mutant.outcome != "survived" for mutant in mutants)
    print(f"killed {killed} of {len(mutants)}: {killed / len(mutants):.0%}, at least {MINIMUM} % are required")
    return 0 if killed * 100 >= MINIMUM * len(mutants) else 1


def draw(packages: list[Path], size: int, seed: int) -> list[Mutant]:
    """Draw places of the code, each with one of its mutations. A place with many mutations counts once."""
    places = [
        (package, module, mutations)
        for package in packages
        for module in sorted(package.rglob("*.py"))
        if "tests" not in module.relative_to(package).parts
        for mutations in find_mutations(module.read_text()).values()
    ]
    random.seed(seed)
    random.shuffle(places)
    mutants = []
    for package, module, mutations in places:
        operator, occurrence = random.choice(mutations)  # noqa: S311, a sample is no secret
        code = mutate_code(module.read_text(), operator, occurrence)
        if is_code(code):
            mutants.append(Mutant(package, module, code))
        if len(mutants) == size:
            break
    return sorted(mutants, key=lambda mutant: (mutant.package, mutant.module))


def find_mutations(code: str) -> dict[Position, list[tuple[Any, int]]]:
    """Return the mutations of a module by their places: an operator, and which of its occurrences."""
    operators = [get_operator(name) for name in operator_names()]
    operators = [operator for operator in operators if not operator.arguments()] + [SwapIn, RemoveCall, ReturnNone]
    tree, skipped = get_ast(code), find_skipped(code)
    found: dict[Position, list[tuple[Any, int]]] = {}
    for operator in (operator() for operator in operators):
        positions = (position for node in ast_nodes(tree) for position in operator.mutation_positions(node))
        for occurrence, (start, end) in enumerate(positions):
            if not any(first <= start and end <= last for first, last in skipped):
                found.setdefault((start, end), []).append((operator, occurrence))
    return found


def find_skipped(code: str) -> list[Position]:
    """Return where no test can notice a change: types, which Python doesn't evaluate here."""
    nodes: list[ast.expr | ast.stmt | None] = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.AnnAssign | ast.arg):
            nodes.append(node.annotation)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            nodes.append(node.returns)
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            nodes.append(node)
    # ast counts columns in bytes: none of the lines with types has a wider character.
    return [
        ((node.lineno, node.col_offset), (node.end_lineno or 0, node.end_col_offset or 0)) for node in nodes if node
    ]


def is_code(code: str | None) -> bool:
    """Tell whether this is valid Python: a mutation may not fit its place."""
    try:
        compile(code or "?", "", "exec")
    except SyntaxError:
        return False
    return True


def copy_tree(copy: Path) -> Path:
    """Copy what git would commit, with an environment that imports the packages from the copy."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    for name in filter(None, names):
        if os.path.lexists(ROOT / name):
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, copy / name, follow_symlinks=False)
    (copy / ".tools").symlink_to(ROOT / ".tools")
    subprocess.run(["git", "init", "--quiet"], cwd=copy, check=True)
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    subprocess.run(["uv", "sync", "--quiet", "--locked", "--all-packages"], cwd=copy, env=environment, check=True)
    return copy


def measure(package: Path, copies: queue.SimpleQueue[Path]) -> float:
    """Return how many seconds a mutant of a package gets: several times what the fast tests take without any mutant."""
    copy = copies.get()
    started = time.monotonic()
    outcome, output = run_package_tests(copy, package, "", FAST, 3600)
    if outcome != TestOutcome.SURVIVED:
        sys.exit(f"The tests of {package.name} fail without a mutant:\n{output}")
    copies.put(copy)
    return 60 + 3 * (time.monotonic() - started)


def judge(mutant: Mutant, limit: float, copies: queue.SimpleQueue[Path]) -> Mutant:
    """Run the tests of a mutant's package: first the fast ones. If it survives them, run those that take long."""
    copy = copies.get()
    module = copy / mutant.module.relative_to(ROOT)
    module.write_text(mutant.code)
    # The long tests take a few times as long as the fast ones. A killed mutant rarely needs them.
    for marked, seconds in ((FAST, limit), ("long", 5 * limit)):
        outcome, output = run_package_tests(copy, mutant.package, mutant.module.stem, marked, seconds)
        if outcome != TestOutcome.SURVIVED:
            mutant.outcome = "timeout" if output == "timeout" else "killed"
            break
    else:
        mutant.outcome = "survived"
    shutil.copy(mutant.module, module)
    copies.put(copy)
    return mutant


def run_package_tests(copy: Path, package: Path, module: str, marked: str, limit: float) -> tuple[TestOutcome, str]:
    """Run the tests of a package up to the first failure: first those in files that are named after a module."""
    folder = copy / package.relative_to(ROOT)
    for cache in folder.rglob("__pycache__"):
        shutil.rmtree(cache)
    files = sorted(folder.glob("tests/test_*.py"), key=lambda file: relation(file, module))
    # pytest's exit code 5: no test has such a mark.
    shell = 'cd "$0" && { .venv/bin/pytest -x -q -p no:randomly -m "$@" || [ $? = 5 ]; }'
    command = ["env", "--unset=VIRTUAL_ENV", "sh", "-c", shell, str(copy), marked, *map(str, files)]
    outcome, output = run_tests(shlex.join(command), limit)
    return outcome, output


def relation(file: Path, module: str) -> tuple[bool, int]:
    """Order test files: the one that is named after the module, then those that name it most often."""
    text = file.read_text()
    return file.stem != f"test_{module.lstrip('_')}", -text.count(module) if module else 0


if __name__ == "__main__":
    sys.exit(main())
