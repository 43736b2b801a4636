"""Replaces concierge: refuses a file with keys that concierge would ignore, and starts the simulator of Juju."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import yaml

TESTS = Path(__file__).resolve().parents[2]
# What concierge knows (https://github.com/canonical/concierge, docs/reference/configuration.md). It ignores other keys.
_WORDS = {"*": str}
_PROVIDER = {
    "enable": bool,
    "bootstrap": bool,
    "channel": str,
    "model-defaults": _WORDS,
    "bootstrap-constraints": _WORDS,
}
KNOWN = {
    "juju": {
        "disable": bool,
        "channel": str,
        "revision": str,
        "agent-version": str,
        "model-defaults": _WORDS,
        "bootstrap-constraints": _WORDS,
        "extra-bootstrap-args": str,
    },
    "providers": {
        "lxd": _PROVIDER,
        "microk8s": {**_PROVIDER, "addons": list, "image-registry": _WORDS},
        "k8s": {**_PROVIDER, "features": {"*": _WORDS}, "image-registry": _WORDS},
    },
    "host": {"packages": list, "snaps": {"*": {"channel": str, "connections": list}}},
}


def check(value: Any, known: Any, path: str) -> None:
    """Raise ValueError for a key or a value that concierge doesn't know."""
    if not isinstance(known, dict):
        if not isinstance(value, known):
            raise ValueError(f"{path} isn't a {known.__name__}: {value!r}")
        return
    if not isinstance(value, dict):
        raise ValueError(f"{path} isn't a mapping: {value!r}")
    for key, inner in value.items():
        if key not in known and "*" not in known:
            raise ValueError(f"{path} has no key {key!r}")
        check(inner, known.get(key, known.get("*")), f"{path}.{key}")


def main() -> None:
    """Do what the next steps need from `concierge prepare --config FILE`."""
    parser = argparse.ArgumentParser(prog="concierge")
    parser.add_argument("command", choices=["prepare"])
    parser.add_argument("-c", "--config", type=Path, required=True)
    parser.add_argument("--trace", action="store_true")
    given = parser.parse_args()
    plan = yaml.safe_load(given.config.read_text())
    try:
        check(plan, KNOWN, "the file")
        (provider,) = (name for name, values in plan["providers"].items() if values["bootstrap"])
    except ValueError as error:
        sys.exit(f"stand-in for concierge{', with trace' if given.trace else ''}: {error}")
    folder = Path(os.environ["RUNNER_TEMP"], "juju-simulator")
    folder.mkdir()
    # Writes what `juju` and libjuju need, and lives as long as the job.
    script = 'printf "%s\\n" "$JUJU_DATA" "${PATH%%:*}" > ready.new && mv ready.new ready && exec sleep 3600'
    actions = TESTS.parent / "examples/actions.yaml"
    cloud = "localhost" if provider == "lxd" else "microk8s"
    options = [f"--actions={actions}", f"--cloud={cloud}"]
    simulator = [sys.executable, "-m", "juju_simulator", *options, "--", "sh", "-c", script]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            simulator,
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(TESTS)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    with Path(os.environ["E2E_PROCESSES"]).open("a") as processes:
        processes.write(f"{process.pid}\n")
    while not (folder / "ready").exists():
        if process.poll() is not None:
            sys.exit((folder / "log").read_text())
        time.sleep(0.05)
    juju_data, programs = (folder / "ready").read_text().splitlines()
    subprocess.run([f"{programs}/juju", "add-model", "testing"], env=os.environ | {"JUJU_DATA": juju_data}, check=True)
    with Path(os.environ["GITHUB_ENV"]).open("a") as variables, Path(os.environ["GITHUB_PATH"]).open("a") as path:
        variables.write(f"JUJU_DATA={juju_data}\n")
        path.write(f"{programs}\n")
    print(f"stand-in: the simulator stands for Juju on {provider}")


if __name__ == "__main__":
    main()
