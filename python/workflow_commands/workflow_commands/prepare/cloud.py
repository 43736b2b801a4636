"""The cloud: `write-concierge` says what to set up, `inspect-microk8s` saves why MicroK8s doesn't start."""

from __future__ import annotations

import argparse
import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workflow_commands.common.github import CommandError, annotated_errors
from workflow_commands.common.inputs import TITLE, Inputs, read_inputs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


# The runner's proxies, and what Juju calls them.
_PROXIES = {"HTTP_PROXY": "http-proxy", "HTTPS_PROXY": "https-proxy", "NO_PROXY": "no-proxy"}

# As in concierge's preset: https://github.com/canonical/concierge/blob/main/internal/config/presets.go
# Juju's default for the controller's volume, 20 GiB, doesn't fit on GitHub's runners.
_K8S = {
    "bootstrap-constraints": {"root-disk": "2G"},
    "features": {
        "load-balancer": {"l2-mode": "true", "cidrs": "10.43.45.0/28"},
        "local-storage": {},
        "network": {},
    },
}


@annotated_errors(TITLE)
def write_concierge(arguments: Sequence[str] | None = None) -> int:
    """Print the file for concierge, and return the exit code.

    If the input `concierge-file` is given, it is that file. Otherwise, it is made from the other inputs.
    """
    import yaml

    argparse.ArgumentParser(prog="write-concierge", description=write_concierge.__doc__).parse_args(arguments)
    values = read_inputs()
    inputs = Inputs.read(values)
    if values["concierge-file"]:
        sys.stdout.write(Path(values["concierge-file"]).read_text(encoding="utf-8"))
    else:
        address = _find_address() if inputs.metallb_addon else ""
        yaml.safe_dump(_make_config(inputs, address, os.environ), sys.stdout, sort_keys=False)
    return 0


@annotated_errors("No archive of MicroK8s")
def inspect_microk8s(arguments: Sequence[str] | None = None) -> int:
    """Run `microk8s inspect`, save its archive as microk8s-inspect.tar.gz, and return the exit code."""
    parser = argparse.ArgumentParser(prog="inspect-microk8s", description=inspect_microk8s.__doc__)
    parser.add_argument("logs", metavar="LOGS", type=Path, help="the folder for the archive")
    logs = parser.parse_args(arguments).logs
    command = ["sudo", "microk8s", "inspect"]
    printed = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False).stdout
    print(printed, end="", flush=True)
    archives = re.findall(r"/\S+\.tar\.gz", printed)
    if not archives:
        raise CommandError("`microk8s inspect` made none", advice="Read what it printed above")
    logs.mkdir(parents=True, exist_ok=True)
    # Only root can read it, and a later step has to change it.
    install = ["sudo", "install", f"--owner={os.getuid()}", "--mode=600", archives[-1]]
    subprocess.run([*install, str(logs / "microk8s-inspect.tar.gz")], check=True)
    return 0


def _make_config(inputs: Inputs, address: str, environment: Mapping[str, str]) -> dict[str, Any]:
    """Return what concierge sets up (https://canonical.com/juju/docs/concierge/reference/configuration/).

    concierge ignores a key that it doesn't know, so each has to be written exactly as it knows it. MicroK8s' load
    balancer gives the address to services. From the environment, models get the proxies, and Kubernetes the mirror of
    Docker Hub.
    """
    proxies = {key: environment[name] for name, key in _PROXIES.items() if environment.get(name)}
    juju: dict[str, Any] = {
        "channel": inputs.juju_channel,
        "model-defaults": {"logging-config": "<root>=INFO; unit=DEBUG", **proxies},
        "bootstrap-constraints": {"arch": inputs.architecture},
        "extra-bootstrap-args": "--config=model-logs-size=10G",
    }
    if inputs.juju_agent_version:
        juju["agent-version"] = inputs.juju_agent_version
    provider: dict[str, Any] = {"enable": True, "bootstrap": True}
    if inputs.cloud == "lxd":
        provider["channel"] = inputs.lxd_snap_channel
    elif inputs.cloud == "microk8s":
        balancer = [f"metallb:{address}-{address}"] if inputs.metallb_addon else []
        provider |= {"channel": inputs.microk8s_snap_channel, "addons": ["dns", "hostpath-storage", *balancer]}
    else:
        juju["extra-bootstrap-args"] += " --config=bootstrap-timeout=1800"
        if inputs.k8s_snap_channel:
            provider["channel"] = inputs.k8s_snap_channel
        provider |= _K8S
    if inputs.cloud != "lxd" and (mirror := environment.get("DOCKERHUB_MIRROR")):
        provider["image-registry"] = {"url": mirror}
    return {"juju": juju, "providers": {inputs.cloud: provider}}


def _find_address() -> str:
    """Return the address from which this machine reaches the internet. Nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connection:
        connection.connect(("2.2.2.2", 9))
        address: str = connection.getsockname()[0]
    return address
