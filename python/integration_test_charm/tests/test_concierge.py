"""The file for concierge, of each cloud."""

from __future__ import annotations

from importlib import util
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from integration_test_charm._commands import write_concierge

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
  agent-version: 3.6.1
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
  agent-version: 3.6.1
providers:
  microk8s:
    enable: true
    bootstrap: true
    channel: 1.32-strict/stable
    addons:
    - dns
    - hostpath-storage
    - rbac
"""
K8S = """\
juju:
  channel: 3/edge
  model-defaults:
    logging-config: <root>=INFO; unit=DEBUG
  bootstrap-constraints:
    arch: arm64
  extra-bootstrap-args: --config=model-logs-size=10G
providers:
  k8s:
    enable: true
    bootstrap: true
    features:
      local-storage: {}
      network: {}
"""


@pytest.fixture(scope="module")
def refuse() -> Callable[[Any], None]:
    """Return a function that raises ValueError for what concierge doesn't know."""
    spec = util.spec_from_file_location("concierge_stand_in", STAND_IN)
    assert spec is not None
    assert spec.loader is not None
    stand_in = util.module_from_spec(spec)
    spec.loader.exec_module(stand_in)
    return lambda plan: stand_in.check(plan, stand_in.KNOWN, "the file")


@pytest.mark.parametrize(
    ("given", "arguments", "expected"),
    [
        ({"cloud": "lxd"}, [], LXD),
        (
            {"cloud": "lxd", "lxd_snap_channel": "5.21", "metallb_addon": True},
            [],
            LXD.replace("latest/stable", "'5.21'"),
        ),
        ({"cloud": "microk8s", "microk8s_snap_channel": "1.32-strict/stable"}, ["--address="], MICROK8S),
        (
            {"cloud": "microk8s", "microk8s_snap_channel": "1.32-strict/stable", "metallb_addon": True},
            ["--address=10.1.0.4"],
            f"{MICROK8S}    - metallb:10.1.0.4-10.1.0.4\n",
        ),
        (
            {"cloud": "k8s", "architecture": "arm64", "juju_agent_version": "", "juju_snap_channel": "3/edge"},
            [],
            K8S,
        ),
    ],
)
def test_file_of_each_cloud(
    give: Callable[..., object],
    refuse: Callable[[Any], None],
    capsys: pytest.CaptureFixture[str],
    given: dict[str, object],
    arguments: list[str],
    expected: str,
) -> None:
    give(**given)
    assert write_concierge(arguments) == 0
    printed = capsys.readouterr().out
    assert printed == expected
    refuse(yaml.safe_load(printed))


def test_proxies_of_the_runner(
    give: Callable[..., object],
    refuse: Callable[[Any], None],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    give()
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.internal:3128")
    monkeypatch.setenv("NO_PROXY", "10.0.0.0/8")
    assert write_concierge([]) == 0
    plan = yaml.safe_load(capsys.readouterr().out)
    refuse(plan)
    assert plan["juju"]["model-defaults"] == {
        "logging-config": "<root>=INFO; unit=DEBUG",
        "https-proxy": "http://proxy.internal:3128",
        "no-proxy": "10.0.0.0/8",
    }
