"""`make demo` on a machine with charmcraft and a controller."""

from __future__ import annotations

import os
import shutil
import subprocess
import zipfile
from typing import TYPE_CHECKING

from e2e.act import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import MakePython

SIMULATOR = ["-m", "juju_simulator", f"--actions={ROOT / 'examples/actions.yaml'}", "--"]


def is_started(charm: Path, folder: Path) -> bool:
    """Run a packed charm as Juju does, and return whether its code found ops, which begins by writing to Juju's log."""
    with zipfile.ZipFile(charm) as archive:
        archive.extractall(folder)
    (programs := folder / "programs").mkdir()
    (programs / "juju-log").write_text(f"#!/bin/sh\ntouch {folder / 'logged'}\n")
    (programs / "juju-log").chmod(0o755)
    juju = {
        "JUJU_CHARM_DIR": str(folder),
        "JUJU_DISPATCH_PATH": "hooks/start",
        "JUJU_MODEL_NAME": "testing",
        "JUJU_UNIT_NAME": "app/0",
        "JUJU_VERSION": "3.6.12",
        "PATH": f"{programs}{os.pathsep}/usr/bin:/bin",
    }
    subprocess.run(["sh", folder / "dispatch"], cwd=folder, env=juju, check=False)
    return (folder / "logged").exists()


def test_demo_with_the_real_charmcraft_and_the_juju_on_path(
    tmp_path: Path, make_python: MakePython, real_charmcraft: Path, served: dict[str, str]
) -> None:
    shutil.copytree(
        ROOT / "examples", tmp_path / "examples", ignore=shutil.ignore_patterns(".*", "*.charm", "__pycache__")
    )
    (tmp_path / "tests").mkdir()
    shutil.copy(ROOT / "tests/demo.py", tmp_path / "tests")
    operator_python, jubilant_python = make_python("operator"), make_python("jubilant", "simulator")
    # The simulator is started around it, so that `juju` and a controller are there already.
    # These two groups deploy every charm that was packed.
    options = ["--jobs=2", "--", "-k", "test_deploy_both or test_integrate"]
    command = [operator_python, *SIMULATOR, operator_python, str(tmp_path / "tests/demo.py"), jubilant_python, *options]
    (tmp_path / "home").mkdir()
    variables = {
        "CRAFT_BUILD_ENVIRONMENT": "host",
        "HOME": str(tmp_path / "home"),
        "PATH": f"{real_charmcraft.parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT / "tests"),
        "TMPDIR": str(tmp_path),
    }
    # The charm that is packed with uv is locked with the plugins.
    environment = os.environ | variables | served
    result = subprocess.run(command, cwd=ROOT, env=environment, check=False, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    assert f"charmcraft: {real_charmcraft}\n" in result.stdout
    assert "Juju: the controller that `juju` is connected to\n" in result.stdout
    assert "\n2 groups passed, 0 failed in " in result.stdout
    # The simulator runs no charm.
    packed = [*(tmp_path / ".demo").rglob("*.charm")]
    assert len(packed) > 3
    for charm in packed:
        assert is_started(charm, tmp_path / "units" / charm.stem), charm
