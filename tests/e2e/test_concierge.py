"""snapd is a stand-in here: what the real concierge would run, and that charmcraft doesn't ask it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from e2e.act import CHARM, ROOT, STAND_INS, WORKFLOWS

SPREAD = (ROOT / "docs/spread.md").read_text()
WITH_SNAPD = ["unshare", "--map-root-user", "--mount", sys.executable, str(STAND_INS / "snapd.py")]
VARIABLES = {
    "DOCKERHUB_MIRROR": "https://mirror.internal:5000",
    "HTTP_PROXY": "http://proxy:1",
    "HTTPS_PROXY": "http://proxy:2",
    "NO_PROXY": "10.0.0.0/8",
}
LOGGING = "--model-default 'logging-config=<root>=INFO; unit=DEBUG'"
PROXIES = (
    f"--model-default http-proxy=http://proxy:1 --model-default https-proxy=http://proxy:2 {LOGGING} "
    "--model-default no-proxy=10.0.0.0/8"
)
# The inputs, the channel of Juju's snap, the option of `juju bootstrap`, and whether the other inputs are given, too.
JUJU = [
    ({"juju-agent-version": "3.6.12"}, "3.6/stable", " --agent-version 3.6.12", True),
    ({"juju-snap-channel": "4/edge"}, "4/edge", "", False),
    (
        {"juju-agent-version": "2.9.51", "juju-snap-channel": "2.9/candidate"},
        "2.9/candidate",
        " --agent-version 2.9.51",
        True,
    ),
]
K8S_FEATURES = [
    "k8s set load-balancer.cidrs=10.43.45.0/28",
    "k8s set load-balancer.l2-mode=true",
    "k8s enable load-balancer",
    "k8s enable local-storage",
    "k8s enable network",
]
REGISTRY = {
    "microk8s": "# Write file: /var/snap/microk8s/current/args/certs.d/docker.io/hosts.toml",
    "k8s": "# Write file: /etc/containerd/hosts.d/docker.io/hosts.toml",
}
# What the inputs decide. The rest of what concierge runs is its own business.
DECIDED = (
    "snap install (lxd|microk8s|k8s|juju) |(microk8s|k8s) (set|enable) |# Write file: .*/hosts.toml|juju bootstrap "
)


def provider(cloud: str, *, is_full: bool) -> tuple[dict[str, object], list[str], str]:
    """Return inputs about a cloud, what concierge has to run for them, and the options of `juju bootstrap`."""
    registry = [REGISTRY[cloud]] if is_full and cloud in REGISTRY else []
    if cloud == "lxd":
        channel = "5.21/stable" if is_full else "latest/stable"
        return {"lxd-snap-channel": channel}, [f"snap install lxd --channel {channel}"], ""
    if cloud == "microk8s":
        inputs = {"microk8s-snap-channel": "1.34-strict/stable", "metallb-addon": is_full}
        addons = ["dns", "hostpath-storage", *(["metallb:ADDRESS-ADDRESS"] if is_full else [])]
        enabled = [f"microk8s enable {addon}" for addon in addons]
        return inputs, ["snap install microk8s --channel 1.34-strict/stable", *registry, *enabled], ""
    channel = "1.33-classic/stable" if is_full else ""
    installed = f"snap install k8s --channel {channel or '1.32-classic/stable'} --classic"
    options = " --bootstrap-constraints root-disk=2G"
    return {"k8s-snap-channel": channel}, [installed, *registry, *K8S_FEATURES], options


@cache
def read_defaults() -> dict[str, Any]:
    """Return the defaults of the workflow's inputs."""
    call = YAML(typ="safe").load(WORKFLOWS / "integration_test_charm.yaml")["on"]["workflow_call"]
    return {name: each.get("default") for name, each in call["inputs"].items()}


def concierge(inputs: dict[str, object], variables: dict[str, str], folder: Path) -> list[str]:
    """Return what concierge would run, of what the inputs decide."""
    environment = {name: value for name, value in os.environ.items() if name not in VARIABLES} | variables
    file = folder / "concierge.yaml"
    with file.open("wb") as stdout:
        write = Path(sys.executable).with_name("write-concierge")
        given = environment | {"INPUTS": json.dumps(read_defaults() | inputs)}
        subprocess.run([write], env=given, stdout=stdout, check=True)
    program = shutil.which("concierge")
    assert program
    command = [*WITH_SNAPD, program, "prepare", "--dry-run", "--config", str(file)]
    run = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True, text=True)
    return [line for line in run.stdout.splitlines() if re.match(DECIDED, line)]


@pytest.mark.needs("concierge")
@pytest.mark.parametrize("cloud", ["lxd", "microk8s", "k8s"])
@pytest.mark.parametrize(("juju", "channel", "version", "is_full"), JUJU)
def test_inputs_take_effect(
    tmp_path: Path, cloud: str, juju: dict[str, str], channel: str, version: str, is_full: bool
) -> None:
    architecture = "arm64" if is_full else "amd64"
    inputs, commands, constraints = provider(cloud, is_full=is_full)
    inputs |= {"cloud": cloud, "architecture": architecture, **juju}
    ran = concierge(inputs, VARIABLES if is_full else {}, tmp_path)
    timeout = " --config=bootstrap-timeout=1800" if cloud == "k8s" else ""
    bootstrap = (
        f"juju bootstrap {cloud.replace('lxd', 'localhost')} concierge-{cloud} --verbose{version} "
        f"{PROXIES if is_full else LOGGING} --bootstrap-constraints arch={architecture}{constraints} "
        f"--config=model-logs-size=10G{timeout}"
    )
    # concierge sets up features in any order.
    assert sorted(re.sub(r"(?<=metallb:)([\d.]+)-\1$", "ADDRESS-ADDRESS", command) for command in ran) == sorted(
        [*commands, f"snap install juju --channel {channel}", bootstrap]
    )


@pytest.mark.needs("concierge")
@pytest.mark.parametrize("line", sorted({*re.findall(r"^ *(concierge .*)$", SPREAD, re.MULTILINE)}))
def test_documented_line(line: str) -> None:
    # An option that concierge doesn't know is an error even with --help.
    subprocess.run(["bash", "-c", f"{line} --help"], check=True)


def test_charmcraft_does_not_ask_snapd(tmp_path: Path) -> None:
    # So `make e2e` passes on any machine. charmcraft fails if snapd doesn't list its snaps, as this stand-in.
    (tmp_path / "charmcraft.yaml").write_text(CHARM.format(name="demo", platform="ubuntu@24.04:amd64"))
    command = [*WITH_SNAPD, str(ROOT / "tests/bin/charmcraft"), "pack", "--destructive-mode"]
    subprocess.run(command, cwd=tmp_path, check=True)
    assert [path.name for path in tmp_path.glob("*.charm")] == ["demo_ubuntu@24.04-amd64.charm"]
