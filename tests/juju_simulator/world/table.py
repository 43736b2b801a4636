"""What the simulator can't know by itself: clouds, and what running a charm would tell."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

AGENT_VERSION = "3.6.12"
CONTROLLER = "simulator"
USER = "admin"


@dataclass(frozen=True)
class Cloud:
    """A cloud, whose only region has its name. Its models are iaas, with machines, or caas, on Kubernetes."""

    name: str
    provider: str
    model_type: str


CLOUDS = {cloud.name: cloud for cloud in (Cloud("localhost", "lxd", "iaas"), Cloud("microk8s", "kubernetes", "caas"))}


@dataclass
class Table:
    """What can't be known without running a charm.

    Attributes:
        seconds: How long each step of a unit takes on its way to active.
        actions: For each charm and each of its actions, the results; {"fail": MESSAGE} for one that fails. The name
            "$ COMMAND" is for a command that `juju exec` and `juju ssh` run. The name "on NAME" is for what the charm
            does in a hook or an action: the `status` that it sets with a `message`, a line that it writes to the
            `log`, and the label of a `secret` that it adds.
    """

    seconds: float = 0.5
    actions: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
