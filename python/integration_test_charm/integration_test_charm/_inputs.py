"""What a caller of the workflow asks for: read, checked, and named."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CLOUDS = ("lxd", "microk8s", "k8s", "none")
ARCHITECTURES = ("amd64", "arm64")
# https://snapcraft.io/docs/channels
_CHANNEL = r"\w[\w.-]*(/(stable|candidate|beta|edge)(/[\w.-]+)?)?"
_VERSION = r"(\d+\.\d+)(\.\d+|-(alpha|beta|rc)\d+)(\.\d+)?"
# What an artifact's name can't hold (https://github.com/actions/toolkit/tree/main/packages/artifact), and what is a
# pattern where artifacts are downloaded by their prefix.
_ARTIFACT = r"[^\x00-\x1f\\/\"':<>|*?\[\]{}!]+"
# Of the six hours that GitHub gives a job, what is left when the machine is set up and logs are kept.
_MAX_MINUTES = 240


@dataclass(frozen=True)
class Inputs:
    """What the inputs of `integration_test_charm.yaml` say of Juju and the machine; "" where there is none."""

    cloud: str
    architecture: str
    juju_agent_version: str
    juju_snap_channel: str
    microk8s_snap_channel: str
    metallb_addon: bool
    lxd_snap_channel: str

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Inputs:
        """Return the inputs, where each is what it may be.

        Args:
            values: The context `inputs` of the workflow.

        Raises:
            ValueError: Some are not.
        """
        if found := [*problems(values)]:
            raise ValueError("\n".join(found))
        return cls(**{name: values[name.replace("_", "-")] for name in cls.__dataclass_fields__})

    @property
    def juju_channel(self) -> str:
        """Return the channel of Juju's snap: the one that was asked for, or that of the agent's version."""
        if self.juju_snap_channel:
            return self.juju_snap_channel
        match = re.fullmatch(_VERSION, self.juju_agent_version)
        return f"{match[1]}/stable" if match else ""

    @property
    def artifact(self) -> str:
        """Return how the names of the groups' artifacts begin."""
        version = self.juju_agent_version or self.juju_snap_channel.replace("/", "-")
        juju = "" if self.cloud == "none" else f"-juju-{version}"
        return f"logs-integration-test-charm-{self.cloud}{juju}-{self.architecture}"


def without_effect(values: Mapping[str, Any]) -> Iterator[str]:
    """Yield a line for each input that says something of another cloud."""
    of_clouds = {
        "metallb-addon": ("microk8s",),
        "microk8s-snap-channel": ("microk8s",),
        "juju-agent-version": CLOUDS[:-1],
        "juju-snap-channel": CLOUDS[:-1],
        "concierge-file": CLOUDS[:-1],
    }
    for name, clouds in of_clouds.items():
        if values[name] and values["cloud"] not in clouds:
            yield f"`{name}` has no effect where `cloud` is {values['cloud']}"


def problems(values: Mapping[str, Any]) -> Iterator[str]:
    """Yield a line for each thing that is wrong with the inputs."""
    for name, choices in {"cloud": CLOUDS, "architecture": ARCHITECTURES}.items():
        if values[name] not in choices:
            yield f"`{name}` is {_quote(values[name])}: it may be {', '.join(choices[:-1])} or {choices[-1]}"
    if values["artifact-name"] and values["artifact-prefix"]:
        yield "`artifact-name` and `artifact-prefix` are both given: give one of them, or neither to download no charm"
    shapes = {
        "artifact-name": (_ARTIFACT, "a name without control characters and \\ / \" ' : < > | * ? [ ] { } !"),
        "artifact-prefix": (_ARTIFACT, "a name without control characters and \\ / \" ' : < > | * ? [ ] { } !"),
        "juju-agent-version": (_VERSION, "a version of Juju's agent, such as 3.6.1"),
        "juju-snap-channel": (_CHANNEL, "a channel of a snap, such as 3.6/stable"),
        "microk8s-snap-channel": (_CHANNEL, "a channel of a snap, such as 1.32-strict/stable"),
        "lxd-snap-channel": (_CHANNEL, "a channel of a snap, such as latest/stable"),
        "libjuju-version-constraint": (r"[\d<>=!~^][\w.,<>=!~^*+ -]*", "the versions of a package, such as ==3.6.1.0"),
    }
    for name, (shape, what) in shapes.items():
        if values[name] and not re.fullmatch(shape, values[name], flags=re.ASCII):
            yield f"`{name}` is {_quote(values[name])}: it may be {what}"
    if values["cloud"] in CLOUDS[:-1] and not (values["juju-agent-version"] or values["juju-snap-channel"]):
        yield (
            "neither `juju-agent-version` nor `juju-snap-channel` is given: "
            "give one of them, such as juju-agent-version: 3.6.1, or cloud: none for a suite without Juju"
        )
    if values["cloud"] == "microk8s" and "-strict" not in values["microk8s-snap-channel"].partition("/")[0]:
        yield (
            f"`microk8s-snap-channel` is {_quote(values['microk8s-snap-channel'])}: where `cloud` is microk8s, it has "
            "to be a strict channel, such as 1.32-strict/stable, for Juju's snap can't reach another one"
        )
    if not values["test-command"].strip():
        yield "`test-command` is empty: it has to be the command that runs pytest, such as tox run -e integration --"
    if not (1 <= values["test-timeout"] <= _MAX_MINUTES and values["test-timeout"] % 1 == 0):
        yield f"`test-timeout` is {values['test-timeout']:g}: it may be 1 to {_MAX_MINUTES} whole minutes"


def _quote(text: str) -> str:
    """Return text in quotes, on one line."""
    return '"' + "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text) + '"'
