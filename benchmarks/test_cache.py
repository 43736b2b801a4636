"""pytest-operator-cache: what a hit costs, and the digest beside what git and coreutils take to read the same files."""

from __future__ import annotations

import json
import random
import statistics
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_benchmark.fixture import BenchmarkFixture

FILES, FOLDERS, SIZE = 1_000, 20, 20_000
# Each runs in a new process, and is timed inside it: its imports count, the start of Python doesn't.
DIGEST = """
import time
start = time.perf_counter()
from pathlib import Path
from pytest_operator_cache.common.digest import digest, read_files
digest(read_files(Path()))
print(time.perf_counter() - start)
"""
# The memory is the most that the process had, Python included.
LARGE = """
import json, resource, time
from pathlib import Path
from pytest_operator_cache.common.digest import digest, read_files
start = time.perf_counter()
digest(read_files(Path()))
seconds = time.perf_counter() - start
print(json.dumps([seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000]))
"""
TEST = """
import json, time

def test_hit(packed_charm):
    start = time.perf_counter()
    packed_charm()
    print(json.dumps(["took", time.perf_counter() - start]))
"""
CONTENDERS = {
    "digest": "",
    "git ls-files -s": "git ls-files -s",
    "git hash-object": "git ls-files | git hash-object --stdin-paths",
    "sha256sum": "git ls-files -z | xargs -0 sha256sum",
}


@pytest.fixture(scope="session")
def charm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a charm of 1,000 files and 20 MB in a repository."""
    folder = tmp_path_factory.mktemp("charm")
    dice = random.Random(1)  # noqa: S311, it hides nothing
    for number in range(FILES):
        path = folder / f"src/{number % FOLDERS}/{number}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(dice.randbytes(SIZE))
    (folder / "charmcraft.yaml").write_text(
        "name: demo\ntype: charm\nbase: ubuntu@24.04\nplatforms: {amd64: , arm64: }\n"
    )
    (folder / "test_hit.py").write_text(TEST)
    for command in (["init", "--quiet"], ["add", "."]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    return folder


@pytest.fixture(scope="session")
def variables(tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]) -> dict[str, str]:
    """Return the variables of a laptop, where a snap of charmcraft packs 20 MB at once."""
    root = tmp_path_factory.mktemp("snap")
    (root / "bin").mkdir()
    (root / "charmcraft").mkdir()
    (root / "snap").write_text(
        """#!/usr/bin/env python3
import os, platform, zipfile
architecture = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
with zipfile.ZipFile(f"demo_{architecture}.charm", "w") as archive:
    archive.writestr("metadata.yaml", "name: demo")
    archive.writestr("manifest.yaml", "bases: [{name: ubuntu, channel: '24.04', architectures: [%s]}]" % architecture)
    archive.writestr("src/content", os.urandom(20_000_000))
"""
    )
    (root / "snap").chmod(0o755)
    (root / "bin/charmcraft").symlink_to(root / "snap")
    (root / "charmcraft/current").symlink_to("1")
    without_ci = {name: value for name, value in environment.items() if name != "CI"}
    return without_ci | {"PATH": f"{root / 'bin'}:{environment['PATH']}", "XDG_CACHE_HOME": str(root / "cache")}


def test_hit(
    benchmark: BenchmarkFixture, python_of: Callable[[str], Path], charm: Path, variables: dict[str, str]
) -> None:
    command = [str(python_of("cache")), "-m", "pytest", "--charm-cache", "-q", "-s", "-p", "no:cacheprovider"]

    def run() -> str:
        return subprocess.run(command, cwd=charm, env=variables, capture_output=True, text=True, check=True).stdout

    assert " kept, packed in " in run()
    seconds = []
    for _ in range(21):
        output = run()
        assert " taken from the cache, " in output
        (line,) = (line for line in output.splitlines() if "took" in line)
        seconds.append(json.loads(line[line.index("[") : line.index("]") + 1])[1])
    benchmark.extra_info["seconds"] = statistics.median(seconds)
    benchmark.pedantic(run)  # type: ignore[no-untyped-call]  # pytest-benchmark leaves it untyped


@pytest.mark.parametrize(
    ("number", "contender"),
    [
        (number, contender)
        for number in range(21)
        for contender in [*CONTENDERS][number % len(CONTENDERS) :] + [*CONTENDERS][: number % len(CONTENDERS)]
    ],
)
def test_digest(
    benchmark: BenchmarkFixture,
    python_of: Callable[[str], Path],
    charm: Path,
    environment: dict[str, str],
    number: int,
    contender: str,
) -> None:
    program = [str(python_of("cache")), "-c", DIGEST] if contender == "digest" else ["sh", "-c", CONTENDERS[contender]]

    def run() -> str:
        return subprocess.run(program, cwd=charm, env=environment, capture_output=True, text=True, check=True).stdout

    output = run()
    benchmark.extra_info["inside"] = float(output) if contender == "digest" else None
    benchmark.pedantic(run)  # type: ignore[no-untyped-call]  # as above


def test_large_file(
    benchmark: BenchmarkFixture,
    python_of: Callable[[str], Path],
    environment: dict[str, str],
    tmp_path: Path,
) -> None:
    with (tmp_path / "large").open("wb") as file:
        file.truncate(3_000_000_000)
    command = [str(python_of("cache")), "-c", LARGE]

    def run() -> str:
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True).stdout

    seconds, megabytes = json.loads(run())
    benchmark.extra_info.update(seconds=seconds, megabytes=megabytes)
    benchmark.pedantic(run)  # type: ignore[no-untyped-call]  # as above
