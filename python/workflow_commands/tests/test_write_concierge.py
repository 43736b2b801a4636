"""The file for concierge, of each cloud."""

from __future__ import annotations

import re
import socket
from importlib import util
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from workflow_commands.prepare.cloud import write_concierge as main

if TYPE_CHECKING:
    from collections.abc import Callable

STAND_IN = Path(__file__).parents[3] / "tests/e2e/stand_ins/concierge.py"
LXD = """\
juju:
  channel: 3.6/stable
  model-defaults:
    logging-config: <root>=INFO; unit=DEBUG
  bootstrap-constraints:
    arch: amd64
  extra-bootstrap-args: --config=model-logs-size=10G
  agent-version: 3.6.12
providers:
  lxd:
    enable: true
    bootstrap: true
    channel: latest/stable
"""
MICROK8S = """\
juju:
  channel: 3.6/stable
  model-defaults:
    logging-config: <root>=INFO; unit=DEBUG
  bootstrap-constraints:
    arch: amd64
  extra-bootstrap-args: --config=model-logs-size=10G
  agent-version: 3.6.12
providers:
  microk8s:
    enable: true
    bootstrap: true
    channel: 1.34-strict/stable
    addons:
    - dns
    - hostpath-storage
"""
K8S = """\
juju:
  channel: 3/edge
  model-defaults:
    logging-config: <root>=INFO; unit=DEBUG
  bootstrap-constraints:
    arch: arm64
  extra-bootstrap-args: --config=model-logs-size=10G --config=bootstrap-timeout=1800
providers:
  k8s:
    enable: true
    bootstrap: true
    bootstrap-constraints:
      root-disk: 2G
    features:
      load-balancer:
        l2-mode: 'true'
        cidrs: 10.43.45.0/28
      local-storage: {}
      network: {}
"""


@pytest.fixture(scope="module")
def refuse() -> Callable[[Any], None]:
    """Return a function that raises ValueError for what concierge would ignore."""
    spec = util.spec_from_file_location("concierge_stand_in", STAND_IN)
    assert spec is not None
    assert spec.loader is not None
    stand_in = util.module_from_spec(spec)
    spec.loader.exec_module(stand_in)
    return lambda plan: stand_in.check(plan, stand_in.KNOWN, "the file")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"cloud": "lxd"}, LXD),
        ({"cloud": "lxd", "lxd_snap_channel": "5.21", "metallb_addon": True}, LXD.replace("latest/stable", "'5.21'")),
        ({"cloud": "microk8s", "microk8s_snap_channel": "1.34-strict/stable"}, MICROK8S),
        ({"cloud": "k8s", "architecture": "arm64", "juju_agent_version": "", "juju_snap_channel": "3/edge"}, K8S),
        (
            {
                "cloud": "k8s",
                "architecture": "arm64",
                "juju_agent_version": "",
                "juju_snap_channel": "3/edge",
                "k8s_snap_channel": "1.33-classic/stable",
            },
            K8S.replace("    bootstrap: true\n", "    bootstrap: true\n    channel: 1.33-classic/stable\n"),
        ),
    ],
)
def test_file_of_each_cloud(
    give: Callable[..., object],
    refuse: Callable[[Any], None],
    capsys: pytest.CaptureFixture[str],
    given: dict[str, object],
    expected: str,
) -> None:
    give(**given)
    assert main([]) == 0
    printed = capsys.readouterr().out
    assert printed == expected
    refuse(yaml.safe_load(printed))


def test_load_balancer_of_microk8s(
    give: Callable[..., object], refuse: Callable[[Any], None], capsys: pytest.CaptureFixture[str]
) -> None:
    give(cloud="microk8s", microk8s_snap_channel="1.34-strict/stable", metallb_addon=True)
    assert main([]) == 0
    printed = capsys.readouterr().out
    refuse(yaml.safe_load(printed))
    match = re.fullmatch(r"    - metallb:(.+)-(.+)\n", printed.removeprefix(MICROK8S))
    assert match is not None
    assert match[1] == match[2]
    assert not ip_address(match[1]).is_unspecified
    with socket.socket() as listener:
        listener.bind((match[1], 0))  # only an address of this machine can be bound


def test_own_file(give: Callable[..., object], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = "# 100 % our own: ä\njuju: {channel: 3.6/edge}"
    (tmp_path / "own.yaml").write_text(own, encoding="utf-8")
    give(concierge_file=str(tmp_path / "own.yaml"))
    assert main([]) == 0
    assert capsys.readouterr().out == own


def test_inputs_that_are_not_valid(give: Callable[..., object], fail: Callable[..., str]) -> None:
    give(cloud="vmware", architecture="s390x")
    assert fail(main) == (
        "::error title=An input of integration_test_charm.yaml::"
        '`cloud`: "vmware" isn\'t valid. It must be lxd, microk8s, k8s or none\n'
    )


def test_proxies_of_the_runner(
    give: Callable[..., object],
    refuse: Callable[[Any], None],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    give()
    proxies = {"HTTP_PROXY": "http://proxy:1", "HTTPS_PROXY": "http://proxy:2", "NO_PROXY": "10.0.0.0/8"}
    for name, value in proxies.items():
        for each in proxies:
            monkeypatch.setenv(each, value if each == name else "")
        assert main([]) == 0
        plan = yaml.safe_load(capsys.readouterr().out)
        refuse(plan)
        assert plan["juju"]["model-defaults"] == {
            "logging-config": "<root>=INFO; unit=DEBUG",
            name.lower().replace("_", "-"): value,
        }


@pytest.mark.parametrize("cloud", ["lxd", "microk8s", "k8s"])
def test_mirror_of_docker_hub(
    give: Callable[..., object],
    refuse: Callable[[Any], None],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    cloud: str,
) -> None:
    give(cloud=cloud, microk8s_snap_channel="1.34-strict/stable")
    monkeypatch.setenv("DOCKERHUB_MIRROR", "https://mirror.internal:5000")
    assert main([]) == 0
    plan = yaml.safe_load(capsys.readouterr().out)
    refuse(plan)
    registry = None if cloud == "lxd" else {"url": "https://mirror.internal:5000"}
    assert plan["providers"][cloud].get("image-registry") == registry
