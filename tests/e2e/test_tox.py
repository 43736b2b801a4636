"""Suites in the real tox: by `run-groups`, and as users type it."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# tox hides GitHub's variables, and everything else that isn't named here.
TOX = f"""
[testenv:integration]
skip_install = true
deps =
    pytest=={pytest.__version__}
    {ROOT / "python/pytest_plugins/pytest_operator_groups"}
commands =
    pytest {{posargs}}
"""
SUITE = """
import os, time, pytest

@pytest.fixture
def model():
    os.mkdir("model")
    yield
    time.sleep(1.5)  # longer than tox leaves pytest after Ctrl-C
    os.rmdir("model")

@pytest.mark.group("in tox")
def test_environment():
    assert os.environ["TOX_ENV_NAME"] == "integration"
    assert "HIDDEN" not in os.environ

@pytest.mark.group("hangs")
def test_hangs(model):
    if os.path.exists("told"):
        with open("told", "w") as told: told.write("hangs"); told.flush(); [time.sleep(0.05) for _ in range(20_000)]
"""


def test_suite_that_needs_tox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tox.ini").write_text(TOX)
    (tmp_path / "test_a.py").write_text(SUITE)
    monkeypatch.setenv("HIDDEN", "hidden by tox")
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    for name in [name for name in os.environ if name.startswith(("PYTEST_", "TOX_", "GITHUB_"))]:
        monkeypatch.delenv(name)
    command = ["run-groups", "--test-command", "tox run -e integration --", "--jobs=2"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout
    assert outcomes(tmp_path) == {"in tox": "passed", "hangs": "passed"}
    assert "congratulations" in (tmp_path / ".run-groups/test_a.py-group-hangs.log").read_text()
    os.mkfifo(tmp_path / "told")
    told = os.open(tmp_path / "told", os.O_RDWR)
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        assert select.select([told], [], [], 300)[0], "nothing was told"
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=300)
    os.close(told)
    assert process.returncode == 128 + signal.SIGINT, output
    assert not (tmp_path / "model").exists()
    assert outcomes(tmp_path)["hangs"] == "not run"


def test_example_as_users_type_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, served: dict[str, str]) -> None:
    charm = shutil.copytree(ROOT / "examples/machine_charm", tmp_path / "machine_charm")
    (home := tmp_path / "home").mkdir()
    for name in [name for name in os.environ if name.startswith(("PYTEST_", "TOX_", "GITHUB_", "JUJU_"))]:
        monkeypatch.delenv(name)
    variables = {"CI": "true", "HOME": str(home), "PYTHONPATH": str(ROOT / "tests"), **served}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    packs = "import demo, os; os.environ['PATH'] = ''; demo.pack()"
    subprocess.run([sys.executable, "-c", packs], cwd=charm, check=True)
    simulator = [sys.executable, "-m", "juju_simulator", f"--actions={ROOT / 'examples/actions.yaml'}", "--"]
    # The stand-in for GitHub is in variables that tox does not pass on.
    tox = [sys.executable, "-m", "tox", "run", "-e", "integration", "-x", "testenv:integration.pass_env+=GIT_CONFIG_*"]
    command = [*simulator, *tox, "--", "tests/integration/test_charm.py", "--group=1"]
    ended = subprocess.run(command, cwd=charm, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "2 passed, 2 deselected" in ended.stdout


def outcomes(folder: Path) -> dict[str, str]:
    groups = json.loads((folder / ".run-groups/results.json").read_text())["groups"]
    return {group["group_id"]: group["result"] for group in groups}
