"""What `charmcraft init` creates runs in groups after the steps of docs/start_from_charmcraft_init.md, unchanged."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import uv
from pages import read_texts

from e2e.act import CALLED, ROOT, commit, git

if TYPE_CHECKING:
    from collections.abc import Callable

    from e2e.act import Machine, Run

    Init = Callable[..., Path]

SECOND_CALL = """
  another-base:
    uses: canonical/data-platform-workflows/.github/workflows/integration_test_charm.yaml@v51.0.0
    with:
      build-charms: true
      name: Another
      charm-base: ubuntu@22.04
      cloud: lxd
      juju-agent-version: 3.6.11
      pytest-arguments: -o default_group=1
    permissions:
      contents: read
"""
# A part that is packed in a second.
FAST = "parts: {files: {plugin: dump, source: ., stage: [src]}}\n\n"


CREATE, ADD_PLUGIN, LIST = read_texts("start_from_charmcraft_init.md", "shell")
WORKFLOW, KUBERNETES = read_texts("start_from_charmcraft_init.md", "yaml")
(TWO_GROUPS,) = read_texts("start_from_charmcraft_init.md", "python")

GROUPS = ["test_charm.py | group 1", "test_scale.py | group add", "test_scale.py | group remove"]


@pytest.fixture
def init(machine: Machine, tmp_path: Path) -> Init:
    """Return a function that follows the steps of the page, and returns the repository."""
    home = shutil.copytree(machine.folder / "home", tmp_path / "home", symlinks=True)
    # The author has uv.
    path = os.pathsep.join([str(ROOT / "tests/bin"), machine.environment["PATH"], str(Path(uv.find_uv_bin()).parent)])
    environment = machine.environment | {"HOME": str(home), "PATH": path}
    (folder := tmp_path / "my-charm").mkdir()

    def run(line: str) -> str:
        done = subprocess.run(["bash", "-c", line], cwd=folder, env=environment, check=True, stdout=subprocess.PIPE)
        return done.stdout.decode()

    def init(profile: str, workflow: str, files: dict[str, str] | None = None) -> Path:
        run(CREATE.replace("machine", profile))
        created = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and ".git" not in path.parts}
        run(ADD_PLUGIN)
        changed = {path.name for path, content in created.items() if path.read_bytes() != content}
        assert changed == {"pyproject.toml"}
        for name, text in {".github/workflows/integration_test.yaml": workflow, **CALLED, **(files or {})}.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        if files:
            for check in ("check", "format --check"):  # as its own `tox run -e lint` does
                run(f"{Path(sys.executable).with_name('ruff')} {check} tests/integration")
            assert re.findall(r"^(\S+\.py \| group \w+)", run(LIST), flags=re.MULTILINE) == GROUPS
        # This machine packs only for its own architecture.
        project = folder / "charmcraft.yaml"
        project.write_text(project.read_text().replace("\n  arm64:\n", "\n"))
        git(folder, "remote", "add", "origin", "https://github.com/canonical/my-charm")
        commit(folder)
        return folder

    return init


def report(run: Run) -> dict[str, str]:
    """Return the result of each group in the report."""
    rows = r"^(\S+\.py \| group \w+)  +(.*?)  "
    return dict(re.findall(rows, run.output("Report"), flags=re.MULTILINE))


def logged(run: Run, group: str) -> list[str]:
    """Return the logs of the models of a group, which its tests have destroyed."""
    (artifact,) = (name for name in run.names if name.endswith(group))
    logs = run.logs(artifact).items()
    return [path.read_text() for name, path in logs if re.fullmatch(r"juju/jubilant-[^/]+/debug-log\.txt", name)]


def test_machine(machine: Machine, init: Init) -> None:
    repository = init("machine", WORKFLOW, {"tests/integration/test_scale.py": TWO_GROUPS})
    run = machine.run(repository)
    assert run.code == 0, run.log
    assert report(run) == dict.fromkeys(GROUPS, "passed")
    assert "juju 3.6.12 | amd64: 3 groups passed, 0 failed" in run.output("Report")
    for group in GROUPS:
        assert len(logged(run, group.replace(" | ", "-").replace(" ", "-"))) == 1


def test_kubernetes(machine: Machine, init: Init) -> None:
    run = machine.run(init("kubernetes", WORKFLOW.replace("      cloud: lxd\n", KUBERNETES)))
    assert run.code == 0, run.log
    assert "stand-in: the simulator stands for Juju on microk8s" in run.log
    assert report(run) == {"test_charm.py | group 1": "passed"}
    (log,) = logged(run, "test_charm.py-group-1")
    assert "api-token resolved (25 chars)" in log


def test_second_base(machine: Machine, init: Init) -> None:
    repository = init("machine", WORKFLOW + SECOND_CALL)
    project = repository / "charmcraft.yaml"
    text = re.sub(r"^parts:.*?^\n", FAST, project.read_text(), flags=re.MULTILINE | re.DOTALL)
    one, two = (
        "base: ubuntu@24.04\nplatforms:\n  amd64:\n",
        "platforms:\n  ubuntu@22.04:amd64:\n  ubuntu@24.04:amd64:\n",
    )
    assert one in text
    project.write_text(text.replace(one, two))
    commit(repository)
    run = machine.run(repository)
    assert run.code == 1, run.log
    (error,) = run.errors
    assert re.fullmatch(
        r"`charm-base`: \S+: several packed charms 'my-charm' for amd64:"
        r"%0A  my-charm_ubuntu@22\.04-amd64\.charm: for ubuntu@22\.04"
        r"%0A  my-charm_ubuntu@24\.04-amd64\.charm: for ubuntu@24\.04"
        r"%0AGive ubuntu@22\.04 or ubuntu@24\.04\.",
        error,
    )
    assert "juju 3.6.12 | amd64: 0 groups passed, 1 failed" in run.output("Report")
    assert "juju 3.6.11 | amd64: 1 group passed, 0 failed" in run.output("Report")
