"""The main job on one machine: pack the examples' charms, collect their groups, and run them as CI does, all at once.

`demo.py PYTHON [run-groups' options]`: the suite on jubilant runs with PYTHON, the other one with this Python.
"""

from __future__ import annotations

import json
import os
import platform
import shlex
import shutil
import signal
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
# The examples are copied, packed and run here, and stay here to be read.
WORK = ROOT / ".demo"
ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
# The commands of the plugins, which are beside this Python.
COMMANDS = Path(sys.executable).parent
SECRETS = {"AWS_ACCESS_KEY": "a key of the demo", "GCP_ACCESS_KEY": "another key of the demo"}
# Marks the process that stands for pytest.
PYTEST = "--pytest"
DEFAULTS = ["--jobs=9"]


@dataclass(frozen=True)
class Suite:
    """An example.

    Attributes:
        name: Its folder.
        python: The Python with what it needs.
        arguments: What pytest gets.
    """

    name: str
    python: str
    arguments: tuple[str, ...]

    def command(self, arguments: list[str]) -> list[str]:
        """Return the command that runs pytest with the suite's arguments."""
        return [self.python, "-u", "-m", "pytest", *self.arguments, *arguments]


def main(arguments: list[str]) -> int:
    """Return the exit code: 0 if every group passed."""
    if arguments[0] == PYTEST:
        return run_pytest(find_suites(arguments[1]), arguments[2:])
    python, options = str(Path(arguments[0]).absolute()), arguments[1:] or DEFAULTS
    for name in ("results", "tmp"):
        shutil.rmtree(WORK / name, ignore_errors=True)
    suites = find_suites(python)
    for suite in suites:
        shutil.rmtree(WORK / suite.name, ignore_errors=True)
        ignored = shutil.ignore_patterns(".*", "*.charm", "__pycache__")
        shutil.copytree(ROOT / "examples" / suite.name, WORK / suite.name, ignore=ignored)
        os.chdir(WORK / suite.name)
        if (code := pack()) != 0:
            return code
    # The suites need different versions of pytest, so a group's path decides which Python runs it.
    pytest = shlex.join([sys.executable, __file__, PYTEST, python])
    command = [str(COMMANDS / "run-groups"), f"--results={WORK / 'results'}", f"--test-command={pytest}"]
    command += [*(f"{suite.name}/tests/integration" for suite in suites), *options]
    # When pytest ends, it deletes what earlier runs have left in its temporary folder, and that can take minutes.
    (temporary := WORK / "tmp").mkdir()
    variables = {
        "CI": "true",
        "SECRETS_FROM_GITHUB": json.dumps(SECRETS),
        "PYTEST_DEBUG_TEMPROOT": str(temporary),
    }
    if shutil.which("juju"):
        log("Juju: the controller that `juju` is connected to")
    else:
        log("Juju: there is no `juju` on PATH; the simulator stands for a controller")
        simulator = [sys.executable, "-m", "juju_simulator", f"--actions={ROOT / 'examples/actions.yaml'}", "--"]
        command = [*simulator, *command]
        variables["PYTHONPATH"] = str(ROOT / "tests")
    # A terminal sends Ctrl-C to the command as well. It ends when its groups have torn down.
    signal.signal(signal.SIGINT, lambda *_: None)
    return subprocess.run(command, cwd=WORK, env=os.environ | variables, check=False).returncode


def find_suites(python: str) -> list[Suite]:
    """Return the examples on pytest-operator and on jubilant. They need different versions of pytest."""
    machine = Suite("machine_charm", sys.executable, ())
    return [machine, Suite("kubernetes_charm", python, ("--juju-cloud=microk8s",))]


def run_pytest(suites: list[Suite], arguments: list[str]) -> int:
    """Run pytest for each suite that a path among the arguments is in, and return the exit code."""
    paths = {suite: [path for path in arguments if path.startswith(f"{suite.name}/")] for suite in suites}
    option = "--groups-file="
    others = [each for each in arguments if each not in chain(*paths.values()) and not each.startswith(option)]
    groups_file = next((each.removeprefix(option) for each in arguments if each.startswith(option)), None)
    groups = []
    for suite, found in paths.items():
        if not found:
            continue
        os.chdir(WORK / suite.name)
        command = suite.command([*(path.partition("/")[2] for path in found), *others])
        if groups_file is None:
            os.execv(command[0], command)  # noqa: S606 - signals reach pytest itself
        if code := subprocess.run([*command, f"{option}{groups_file}"], check=False).returncode:
            return code
        groups += [
            group
            | {
                "path_to_test_file": f"{suite.name}/{group['path_to_test_file']}",
                "job_name": f"{suite.name.removesuffix('_charm')}/{group['job_name']}",
                "artifact_group_id": f"{suite.name}-{group['artifact_group_id']}",
            }
            for group in json.loads(Path(groups_file).read_bytes())
        ]
    if groups_file is not None:
        Path(groups_file).write_text(json.dumps(groups), encoding="utf-8")
    return 0


def pack() -> int:
    """Pack the charms that a runner of this architecture would, and return the exit code."""
    charmcraft = shutil.which("charmcraft")
    log(f"charmcraft: {charmcraft or 'not on PATH; a stand-in writes files of the same layout'}")
    if charmcraft and "plugin: uv\n" in Path("charmcraft.yaml").read_text(encoding="utf-8"):
        uv = os.environ.get("UV") or "uv"
        if code := subprocess.run([uv, "lock", "--quiet"], check=False).returncode:
            return code
    environment = {name: value for name, value in os.environ.items() if name != "GITHUB_OUTPUT"}
    collected = subprocess.run(
        [COMMANDS / "collect-charms"], env=environment, stdout=subprocess.PIPE, text=True, check=False
    )
    if collected.returncode:
        return collected.returncode
    for job in json.loads(collected.stdout.removeprefix("charms=")):
        if job["architecture"] != ARCHITECTURE:
            continue
        log(f"packing {job['job_name']}")
        if not charmcraft:
            write_charm(Path(job["path"]), job)
        else:
            command = [charmcraft, "pack", f"--platform={job['platform']}"]
            if code := subprocess.run(command, cwd=job["path"], check=False).returncode:
                return code
            # If it packs on this machine, they have the dependencies' tests, which pytest would collect.
            for work in ("parts", "prime", "stage"):
                shutil.rmtree(Path(job["path"], work), ignore_errors=True)
    return 0


def write_charm(folder: Path, job: dict[str, str]) -> None:
    """Stand for charmcraft: write a zip file of the same layout."""
    project = yaml.safe_load((folder / "charmcraft.yaml").read_text(encoding="utf-8"))
    name, _, channel = job["base"].partition("@")
    keys = ("name", "summary", "description", "provides", "requires", "containers", "resources")
    files = {
        "metadata.yaml": {key: project[key] for key in keys if key in project},
        "manifest.yaml": {"bases": [{"name": name, "channel": channel, "architectures": [ARCHITECTURE]}]},
        "config.yaml": project.get("config", {}),
        "actions.yaml": project.get("actions", {}),
    }
    with zipfile.ZipFile(folder / f"{job['charm']}_{job['platform'].replace(':', '-')}.charm", "w") as archive:
        archive.write(folder / "src/charm.py", "src/charm.py")
        for file, content in files.items():
            archive.writestr(file, yaml.safe_dump(content))


def log(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
