"""The file that tells concierge which Juju and which cloud to set up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from integration_test_charm._inputs import Inputs


# What self-hosted runners reach the network by, and what Juju calls it.
_PROXIES = {"HTTP_PROXY": "http-proxy", "HTTPS_PROXY": "https-proxy", "NO_PROXY": "no-proxy"}


def plan(inputs: Inputs, address: str, environment: Mapping[str, str]) -> dict[str, Any]:
    """Return what concierge is to set up (https://canonical.com/concierge, "Configuration schema").

    It ignores a key that it doesn't know, so each has to be written as it knows it.

    Args:
        inputs: What the caller asks for.
        address: The machine's own address: the one that a load balancer of MicroK8s gives to services.
        environment: The machine's variables: its proxies are those of the models.
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
        provider |= {"channel": inputs.microk8s_snap_channel, "addons": ["dns", "hostpath-storage", "rbac", *balancer]}
    else:
        provider["features"] = {"local-storage": {}, "network": {}}
    return {"juju": juju, "providers": {inputs.cloud: provider}}
