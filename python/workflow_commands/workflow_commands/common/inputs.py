"""The inputs of the reusable workflows: how a command reads them, and what is wrong with those of a caller."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_operator_cache.commands.collect_charms import RUNNERS
from pytest_operator_groups.formats.matrix import MAX_JOBS_IN_A_MATRIX

from workflow_commands.common.github import CommandError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_NOT_STRINGS = (
    "_beta_allure_report",
    "allure-report",
    "build-charms",
    "cache",
    "max-runners",
    "metallb-addon",
    "test-timeout",
)


@dataclass(frozen=True)
class Shape:
    """What a text must look like.

    Attributes:
        pattern: A regular expression that matches the whole text, of ASCII letters and digits.
        description: What it matches, after "It must be".
    """

    pattern: str
    description: str

    def check(self, values: Mapping[str, Any], *names: str) -> Iterator[CommandError]:
        """Yield an error for each of these inputs that is given and doesn't have this shape."""
        for name in names:
            if values[name] and not re.fullmatch(self.pattern, values[name], flags=re.ASCII):
                yield invalid(name, quote(values[name]), f"It must be {self.description}")


def channel(example: str) -> Shape:
    """Return the shape of a snap's channel: https://snapcraft.io/docs/channels."""
    risk = "(stable|candidate|beta|edge)"
    return Shape(rf"(\w[\w.-]*/)?{risk}(/[\w.-]+)?|\w[\w.-]*", f"a channel of a snap, such as {example}")


def invalid(name: str, value: object, advice: str) -> CommandError:
    """Return the error for an input whose value can't be used."""
    return CommandError(f"{value} isn't valid", where=f"`{name}`", advice=advice)


def quote(text: str) -> str:
    """Return a text in quotes, on one line."""
    return '"' + "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text) + '"'


def read_inputs() -> dict[str, Any]:
    """Return the workflow's inputs from the variable INPUTS.

    GitHub turns a number or a boolean into text if the workflow declares a string. act doesn't, so this does it, too.

    Raises:
        CommandError: The variable isn't set, or isn't a JSON object.
    """
    try:
        values = json.loads(os.environ["INPUTS"])
    except (KeyError, ValueError):
        values = None
    if isinstance(values, dict):
        return {
            name: value if isinstance(value, str) or name in _NOT_STRINGS else json.dumps(value)
            for name, value in values.items()
        }
    problem = "it isn't a JSON object" if "INPUTS" in os.environ else "it isn't set"
    raise CommandError(problem, where="INPUTS", advice="Set it to the workflow's inputs: ${{ toJSON(inputs) }}")


TITLE = "An input of integration_test_charm.yaml"
_JUJU_CLOUDS = ("lxd", "microk8s", "k8s")
_VERSION = r"(\d+\.\d+)(\.\d+|-(alpha|beta|rc)\d+)(\.\d+)?"
# GitHub forbids some of these characters in an artifact's name (https://github.com/actions/toolkit/tree/main/packages/artifact).
# The others would make a pattern of the prefix of artifacts that are downloaded.
_ARTIFACT = Shape(
    r"[^\x00-\x1f\\/\"':<>|*?\[\]{}!]+", "a name without control characters and \\ / \" ' : < > | * ? [ ] { } !"
)
_NAME = Shape("[A-Za-z0-9._-]{1,50}", "a name of up to 50 letters, digits and . _ -")
_AGENT = Shape(_VERSION, "a version of Juju's agent, such as 3.6.12")
_FOLDER = Shape(
    r"[^-/\x00-\x1f][^\x00-\x1f]*",
    "the path of a folder, from where `test-command` runs pytest, such as tests/integration",
)
_BASE = Shape(r"[a-z]+@[\w.]+", "a base, such as ubuntu@24.04")
_LIBJUJU = Shape(r"[\d<>=!~^][\w.,<>=!~^*+ -]*", "versions of a package, such as ==3.6.1.0")
# What `build-charms: true` passes on to build_charms_with_cache.yaml.
_BUILD_DEFAULTS = {"charmcraft-snap-channel": "", "ignore": "", "pack-command": "charmcraft pack"}
# What is left of a job's six hours on GitHub after the machine is set up and logs are saved.
_MAX_MINUTES = 240


@dataclass(frozen=True)
class Inputs:
    """What the workflow's inputs say about Juju and the machine; "" if an input isn't given."""

    cloud: str
    architecture: str
    runner: str
    juju_agent_version: str
    juju_snap_channel: str
    microk8s_snap_channel: str
    k8s_snap_channel: str
    metallb_addon: bool
    lxd_snap_channel: str
    name: str

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Inputs:
        """Return the inputs, or raise the first of their problems."""
        for problem in problems(values):
            raise problem
        return cls(**{name: values[name.replace("_", "-")] for name in cls.__dataclass_fields__})

    @property
    def juju_channel(self) -> str:
        """Return the channel of Juju's snap: the given one, or the one that contains the agent's version."""
        if self.juju_snap_channel:
            return self.juju_snap_channel
        match = re.fullmatch(_VERSION, self.juju_agent_version)
        return f"{match[1]}/stable" if match else ""

    @property
    def labels(self) -> str | list[str]:
        """Return the `runs-on` of groups without a runner."""
        return _parse_runner(self.runner) or RUNNERS[self.architecture]

    @property
    def title(self) -> str:
        """Return what the jobs' names start with: the call's name and Juju's version, if any, and the architecture."""
        juju = "" if self.cloud == "none" else f"juju {self.juju_agent_version or self.juju_snap_channel} | "
        return f"{self.name and f'{self.name} | '}{juju}{self.architecture}"

    @property
    def artifact(self) -> str:
        """Return what the names of the groups' artifacts start with."""
        version = self.juju_agent_version or self.juju_snap_channel.replace("/", "-")
        juju = "" if self.cloud == "none" else f"-juju-{version}"
        name = self.name and f"{self.name}-"
        return f"logs-integration-test-charm-{name}{self.cloud}{juju}-{self.architecture}"


def warnings(values: Mapping[str, Any]) -> Iterator[str]:
    """Yield a line for each input that is about another cloud, and one if no charm is downloaded."""
    clouds_by_name = {
        "metallb-addon": ("microk8s",),
        "microk8s-snap-channel": ("microk8s",),
        "k8s-snap-channel": ("k8s",),
        "juju-agent-version": _JUJU_CLOUDS,
        "juju-snap-channel": _JUJU_CLOUDS,
        "concierge-file": _JUJU_CLOUDS,
    }
    for name, clouds in clouds_by_name.items():
        if values[name] and values["cloud"] not in clouds:
            yield f"`{name}` has no effect if `cloud` is {values['cloud']}"
    if not values["build-charms"]:
        for name, default in _BUILD_DEFAULTS.items():
            if values[name] != default:
                yield f"`{name}` has no effect without `build-charms: true`"
    # To GitHub, an output that doesn't exist is an empty string.
    sources = ("build-charms", "artifact-name", "artifact-prefix")
    if values["cloud"] != "none" and not any(values[name] for name in sources):
        yield (
            "`artifact-name` and `artifact-prefix`: both are empty, so no packed charm is downloaded. "
            "If the tests deploy your own charm, give build-charms: true, or the output of the job that packs it, and "
            "list that job in `needs`"
        )


def problems(values: Mapping[str, Any]) -> Iterator[CommandError]:
    """Yield an error for each thing that is wrong with the inputs."""
    for name, choices in {"cloud": (*_JUJU_CLOUDS, "none"), "architecture": tuple(RUNNERS)}.items():
        if values[name] not in choices:
            yield invalid(name, quote(values[name]), f"It must be {', '.join(choices[:-1])} or {choices[-1]}")
    if values["runner"] and _parse_runner(values["runner"]) is None:
        advice = 'It must be a label, such as ubuntu-24.04, or a JSON list of labels, such as ["self-hosted", "large"]'
        yield invalid("runner", quote(values["runner"]), advice)
    if values["artifact-name"] and values["artifact-prefix"]:
        yield CommandError(
            "both are given",
            where="`artifact-name` and `artifact-prefix`",
            advice="Give only one of them, or neither to download no charm",
        )
    for name in ("artifact-name", "artifact-prefix"):
        if values["build-charms"] and values[name]:
            yield CommandError(
                "both are given",
                where=f"`build-charms` and `{name}`",
                advice="Give only one of them: build-charms: true packs the charms in this call",
            )
    yield from _ARTIFACT.check(values, "artifact-name", "artifact-prefix")
    yield from _BASE.check(values, "charm-base")
    yield from _NAME.check(values, "name")
    yield from _AGENT.check(values, "juju-agent-version")
    yield from channel("3.6/stable").check(values, "juju-snap-channel")
    yield from channel("1.34-strict/stable").check(values, "microk8s-snap-channel")
    yield from channel("1.32-classic/stable").check(values, "k8s-snap-channel")
    yield from channel("latest/stable").check(values, "lxd-snap-channel")
    yield from _LIBJUJU.check(values, "libjuju-version-constraint")
    if values["cloud"] in _JUJU_CLOUDS and not (values["juju-agent-version"] or values["juju-snap-channel"]):
        yield CommandError(
            "neither is given",
            where="`juju-agent-version` and `juju-snap-channel`",
            advice="Give one of them, such as juju-agent-version: 3.6.12. For a suite without Juju, give cloud: none",
        )
    if values["cloud"] == "microk8s" and "strict" not in values["microk8s-snap-channel"]:
        yield CommandError(
            f"{quote(values['microk8s-snap-channel'])} isn't a strict channel",
            where="`microk8s-snap-channel`",
            advice="It must be one, such as 1.34-strict/stable: Juju's snap can't reach any other MicroK8s",
        )
    yield from _problems_of_the_tests(values)


def _problems_of_the_tests(values: Mapping[str, Any]) -> Iterator[CommandError]:
    if not values["test-command"].strip():
        yield CommandError(
            "it is empty",
            where="`test-command`",
            advice="It must be the command that runs pytest, such as tox run -e integration --",
        )
    if not values["test-directory"]:
        yield CommandError("it is empty", where="`test-directory`", advice=f"It must be {_FOLDER.description}")
    yield from _FOLDER.check(values, "test-directory")
    for number, line in enumerate(values["collect-environment"].split("\n"), start=1):
        # The line isn't shown: it could be a secret by mistake.
        if line.strip() and not re.fullmatch(r"[A-Za-z_]\w*=.*", line.strip(), flags=re.ASCII):
            yield CommandError(
                "it isn't NAME=VALUE",
                where=f"`collect-environment`, line {number}",
                advice="Write a variable, such as REGION=any. A value can't have several lines",
            )
    if not 0 < values["test-timeout"] <= _MAX_MINUTES:
        yield invalid(
            "test-timeout", f"{values['test-timeout']:g}", f"It must be more than 0, and at most {_MAX_MINUTES} minutes"
        )
    if not (0 <= values["max-runners"] <= MAX_JOBS_IN_A_MATRIX and values["max-runners"] % 1 == 0):
        advice = f"It must be a number of runners up to {MAX_JOBS_IN_A_MATRIX}, or 0: each group has its own"
        yield invalid("max-runners", f"{values['max-runners']:g}", advice)


def wants_allure(values: Mapping[str, Any]) -> bool:
    """Return whether the caller asks for an Allure report, by the input's name or by its name in v29."""
    return bool(values["allure-report"] or values["_beta_allure_report"])


def read_environment(values: Mapping[str, Any]) -> dict[str, str]:
    """Return the variables in `collect-environment`, which has been checked."""
    lines = (line.strip() for line in values["collect-environment"].split("\n"))
    return dict(line.split("=", 1) for line in lines if line)


def _parse_runner(text: str) -> str | list[str] | None:
    """Return a label, or a list of labels. Return None if the text is neither."""
    if re.fullmatch(r"\w[\w.:-]*", text, flags=re.ASCII):
        return text
    try:
        labels = json.loads(text)
    except ValueError:
        return None
    is_list = isinstance(labels, list) and all(isinstance(label, str) and label.strip() for label in labels)
    return labels or None if is_list else None
