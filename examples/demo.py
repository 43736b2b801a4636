"""The main job on one machine: pack the example's charms, collect its groups, and run each as CI does, side by side."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import yaml
from pytest_operator_cache._collect import collect

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples/machine_charm"
# Where the example is copied to, packed and run: what is left of it is for reading.
WORK = ROOT / ".demo/machine_charm"
ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
SECRETS = {"AWS_ACCESS_KEY": "a key of the demo", "GCP_ACCESS_KEY": "another key of the demo"}


def main(arguments: list[str]) -> int:
    """Return the exit code: 0 if every group passed."""
    shutil.rmtree(WORK, ignore_errors=True)
    shutil.copytree(EXAMPLE, WORK, ignore=shutil.ignore_patterns(".*", "*.charm", "__pycache__"))
    os.chdir(WORK)
    if (code := pack()) != 0:
        return code
    command = [sys.executable, "-m", "pytest_operator_groups._run", "tests/integration", *(arguments or ["--jobs=6"])]
    variables = {"CI": "true", "SECRETS_FROM_GITHUB": json.dumps(SECRETS)}
    if shutil.which("juju"):
        say("Juju: the controller that `juju` is connected to")
    else:
        say("Juju: there is no `juju` on PATH; the simulator stands for a controller")
        simulator = [sys.executable, "-m", "juju_simulator", f"--actions={ROOT / 'examples/actions.yaml'}", "--"]
        command = [*simulator, *command]
        variables["PYTHONPATH"] = str(ROOT / "tests")
    return subprocess.run(command, env=os.environ | variables, check=False).returncode


def pack() -> int:
    """Pack the charms that a runner of this architecture would, and return the exit code."""
    charmcraft = shutil.which("charmcraft")
    say(f"charmcraft: {charmcraft or 'not on PATH; a stand-in writes files of the same layout'}")
    for job in collect(Path.cwd(), [], say):
        if job["architecture"] != ARCHITECTURE:
            continue
        say(f"packing {job['job_name']}")
        if not charmcraft:
            write_charm(Path(job["path"]), job)
        else:
            command = [charmcraft, "pack", f"--platform={job['platform']}"]
            if code := subprocess.run(command, cwd=job["path"], check=False).returncode:
                return code
    return 0


def write_charm(folder: Path, job: dict[str, str]) -> None:
    """Stand for charmcraft: write a zip file of the same layout."""
    project = yaml.safe_load((folder / "charmcraft.yaml").read_text(encoding="utf-8"))
    name, _, channel = job["base"].partition("@")
    files = {
        "metadata.yaml": {
            key: project[key] for key in ("name", "summary", "description", "provides", "requires") if key in project
        },
        "manifest.yaml": {"bases": [{"name": name, "channel": channel, "architectures": [ARCHITECTURE]}]},
        "config.yaml": project.get("config", {}),
        "actions.yaml": project.get("actions", {}),
    }
    with zipfile.ZipFile(folder / f"{job['charm']}_{job['platform'].replace(':', '-')}.charm", "w") as archive:
        archive.write(folder / "src/charm.py", "src/charm.py")
        for file, content in files.items():
            archive.writestr(file, yaml.safe_dump(content))


def say(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
