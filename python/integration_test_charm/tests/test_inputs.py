"""What a caller may give to the workflow, and what it is told of the rest."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from integration_test_charm._commands import check_inputs
from integration_test_charm._inputs import Inputs

if TYPE_CHECKING:
    from collections.abc import Callable

    Check = Callable[..., tuple[int, list[str], str]]

TITLE = "::error title=An input of integration_test_charm.yaml::"
ARTIFACT = "logs-integration-test-charm"
NAME = "a name without control characters and \\ / \" ' : < > | * ? [ ] { } !"
VERSION = "a version of Juju's agent, such as 3.6.1"
CHANNEL = "a channel of a snap, such as"
CONSTRAINT = "the versions of a package, such as ==3.6.1.0"
STRICT = (
    "where `cloud` is microk8s, it has to be a strict channel, such as 1.32-strict/stable, "
    "for Juju's snap can't reach another one"
)
NEITHER = (
    "neither `juju-agent-version` nor `juju-snap-channel` is given: "
    "give one of them, such as juju-agent-version: 3.6.1, or cloud: none for a suite without Juju"
)
NO_COMMAND = "`test-command` is empty: it has to be the command that runs pytest, such as tox run -e integration --"


@pytest.fixture
def check(
    give: Callable[..., object],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Check:
    """Return a function that checks inputs: the exit code, the lines that are printed, and the step's output."""
    monkeypatch.chdir(tmp_path)
    output = tmp_path / "output"
    monkeypatch.setenv("GITHUB_OUTPUT", str(output))

    def check(**given: object) -> tuple[int, list[str], str]:
        give(**given)
        output.write_text("")
        return check_inputs([]), capsys.readouterr().out.splitlines(), output.read_text()

    return check


def errors(*problems: str) -> tuple[int, list[str], str]:
    return 1, [f"{TITLE}{problem}" for problem in problems], ""


def test_defaults_are_accepted(check: Check) -> None:
    assert check() == (0, [], f"artifact={ARTIFACT}-lxd-juju-3.6.1-amd64\n")


def test_what_is_read_is_what_the_workflow_declares(
    declared: dict[str, dict[str, Any]], give: Callable[..., dict[str, Any]]
) -> None:
    read = {name.replace("_", "-") for name in Inputs.__dataclass_fields__}
    assert read <= declared.keys()
    types = {"string": str, "number": int, "boolean": bool}
    inputs = Inputs.read(give())
    for name in read:
        assert type(getattr(inputs, name.replace("-", "_"))) is types[declared[name]["type"]]


@pytest.mark.parametrize(
    ("given", "artifact"),
    [
        ({"cloud": "lxd", "juju_snap_channel": "3.6/edge"}, "lxd-juju-3.6.1-amd64"),
        ({"cloud": "lxd", "juju_agent_version": "", "juju_snap_channel": "3/stable"}, "lxd-juju-3-stable-amd64"),
        (
            {"cloud": "k8s", "juju_agent_version": "", "juju_snap_channel": "3.6/edge/fix-1"},
            "k8s-juju-3.6-edge-fix-1-amd64",
        ),
        ({"cloud": "k8s", "architecture": "arm64"}, "k8s-juju-3.6.1-arm64"),
        (
            {"cloud": "microk8s", "microk8s_snap_channel": "1.32-strict/stable", "metallb_addon": True},
            "microk8s-juju-3.6.1-amd64",
        ),
        ({"cloud": "none", "juju_agent_version": ""}, "none-amd64"),
        ({"cloud": "none", "juju_agent_version": "", "architecture": "arm64"}, "none-arm64"),
    ],
)
def test_artifacts_of_each_cloud(check: Check, given: dict[str, object], artifact: str) -> None:
    assert check(**given) == (0, [], f"artifact={ARTIFACT}-{artifact}\n")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("artifact_name", "charms-packed-with-cache"),
        ("artifact_prefix", "packed charms (ä, 1 & 2)"),
        ("juju_agent_version", "4.0-rc1"),
        ("juju_agent_version", "3.6.1.2"),
        ("juju_snap_channel", "3.6"),
        ("juju_snap_channel", "stable"),
        ("juju_snap_channel", "3.6/candidate"),
        ("lxd_snap_channel", "5.21/stable/ubuntu-24.04"),
        ("libjuju_version_constraint", "3.6.1.0"),
        ("libjuju_version_constraint", "^3.6"),
        ("libjuju_version_constraint", ">=3.5, <4, !=3.6.0.*"),
        ("test_command", "uv run --group=integration pytest"),
        ("pytest_arguments", "--log-cli-level=DEBUG"),
        ("test_timeout", 1),
        ("test_timeout", 240),
    ],
)
def test_good_values(check: Check, name: str, value: object) -> None:
    assert check(**{name: value})[:2] == (0, [])


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"cloud": "vmware"}, '`cloud` is "vmware": it may be lxd, microk8s, k8s or none'),
        ({"cloud": ""}, '`cloud` is "": it may be lxd, microk8s, k8s or none'),
        ({"architecture": "s390x"}, '`architecture` is "s390x": it may be amd64 or arm64'),
        (
            {"artifact_name": "a", "artifact_prefix": "b"},
            "`artifact-name` and `artifact-prefix` are both given: give one of them, or neither to download no charm",
        ),
        ({"artifact_name": "a/b"}, f'`artifact-name` is "a/b": it may be {NAME}'),
        ({"artifact_prefix": "a*"}, f'`artifact-prefix` is "a*": it may be {NAME}'),
        ({"juju_agent_version": "3.6"}, f'`juju-agent-version` is "3.6": it may be {VERSION}'),
        ({"juju_agent_version": "3.6/stable"}, f'`juju-agent-version` is "3.6/stable": it may be {VERSION}'),
        ({"juju_agent_version": "٣.6.1"}, f'`juju-agent-version` is "٣.6.1": it may be {VERSION}'),
        ({"juju_snap_channel": "3.6/solid"}, f'`juju-snap-channel` is "3.6/solid": it may be {CHANNEL} 3.6/stable'),
        (
            {"cloud": "microk8s", "microk8s_snap_channel": "1.32-strict/$(id)"},
            f'`microk8s-snap-channel` is "1.32-strict/$(id)": it may be {CHANNEL} 1.32-strict/stable',
        ),
        ({"cloud": "microk8s"}, f'`microk8s-snap-channel` is "": {STRICT}'),
        (
            {"cloud": "microk8s", "microk8s_snap_channel": "1.32/edge/non-strict"},
            f'`microk8s-snap-channel` is "1.32/edge/non-strict": {STRICT}',
        ),
        (
            {"lxd_snap_channel": "--dangerous"},
            f'`lxd-snap-channel` is "--dangerous": it may be {CHANNEL} latest/stable',
        ),
        (
            {"libjuju_version_constraint": "newest"},
            f'`libjuju-version-constraint` is "newest": it may be {CONSTRAINT}',
        ),
        (
            {"libjuju_version_constraint": "==3.6; id"},
            f'`libjuju-version-constraint` is "==3.6; id": it may be {CONSTRAINT}',
        ),
        ({"juju_agent_version": ""}, NEITHER),
        ({"cloud": "k8s", "juju_agent_version": ""}, NEITHER),
        ({"test_command": " "}, NO_COMMAND),
        ({"test_timeout": 0}, "`test-timeout` is 0: it may be 1 to 240 whole minutes"),
        ({"test_timeout": 90.5}, "`test-timeout` is 90.5: it may be 1 to 240 whole minutes"),
        (
            {"concierge_file": "ci/concierge.yaml"},
            "`concierge-file`: there is no file 'ci/concierge.yaml' in the repository",
        ),
    ],
)
def test_bad_values(check: Check, given: dict[str, object], problem: str) -> None:
    assert check(**given) == errors(problem)


def test_several_problems_at_once(check: Check) -> None:
    given = {
        "cloud": "vmware",
        "artifact_name": "a:b",
        "artifact_prefix": "b",
        "test_timeout": -1,
        "concierge_file": "none",
    }
    assert check(**given) == errors(
        '`cloud` is "vmware": it may be lxd, microk8s, k8s or none',
        "`artifact-name` and `artifact-prefix` are both given: give one of them, or neither to download no charm",
        f'`artifact-name` is "a:b": it may be {NAME}',
        "`test-timeout` is -1: it may be 1 to 240 whole minutes",
        "`concierge-file`: there is no file 'none' in the repository",
    )


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (
            {"juju_agent_version": "3.6.1\n::error::mine"},
            f'`juju-agent-version` is "3.6.1\\n::error::mine": it may be {VERSION}',
        ),
        ({"cloud": "a\r\u2028\x1b%0A"}, '`cloud` is "a\\r\\u2028\\x1b%250A": it may be lxd, microk8s, k8s or none'),
        (
            {"concierge_file": "a\n::error::mine"},
            "`concierge-file`: there is no file 'a\\n::error::mine' in the repository",
        ),
    ],
)
def test_value_is_no_command_of_the_workflow(check: Check, given: dict[str, object], problem: str) -> None:
    assert check(**given) == errors(problem)


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({"metallb_addon": True, "microk8s_snap_channel": "1.32-strict"}, ["metallb-addon", "microk8s-snap-channel"]),
        (
            {
                "cloud": "none",
                "metallb_addon": True,
                "juju_snap_channel": "3.6/stable",
                "concierge_file": "concierge.yaml",
            },
            ["metallb-addon", "juju-agent-version", "juju-snap-channel", "concierge-file"],
        ),
    ],
)
def test_inputs_without_effect(check: Check, tmp_path: Path, given: dict[str, object], names: list[str]) -> None:
    (tmp_path / "concierge.yaml").touch()
    code, lines, output = check(**given)
    cloud = given.get("cloud", "lxd")
    assert lines == [
        f"::warning title=An input of integration_test_charm.yaml::`{name}` has no effect where `cloud` is {cloud}"
        for name in names
    ]
    assert code == 0
    assert output.startswith(f"artifact={ARTIFACT}-{cloud}-")


@pytest.mark.parametrize(
    ("version", "channel"),
    [
        ("3.6.1", "3.6/stable"),
        ("3.6.1.2", "3.6/stable"),
        ("2.9.49", "2.9/stable"),
        ("10.12.3", "10.12/stable"),
        ("4.0-rc1", "4.0/stable"),
        ("3.6-beta2.1", "3.6/stable"),
        ("", ""),
    ],
)
def test_channel_of_a_version(give: Callable[..., dict[str, Any]], version: str, channel: str) -> None:
    cloud = "lxd" if version else "none"
    assert Inputs.read(give(cloud=cloud, juju_agent_version=version)).juju_channel == channel
    asked = give(cloud=cloud, juju_agent_version=version, juju_snap_channel="3/edge")
    assert Inputs.read(asked).juju_channel == "3/edge"


@pytest.mark.parametrize(
    ("cloud", "code", "printed"),
    [
        ("k8s", 0, f"artifact={ARTIFACT}-k8s-juju-3.6.1-amd64\n"),
        ("any", 1, f'{TITLE}`cloud` is "any": it may be lxd, microk8s, k8s or none\n'),
    ],
)
def test_console_script(
    give: Callable[..., object], monkeypatch: pytest.MonkeyPatch, cloud: str, code: int, printed: str
) -> None:
    give(cloud=cloud)
    monkeypatch.delenv("GITHUB_OUTPUT", raising=False)
    result = subprocess.run(
        [Path(sys.executable).with_name("check-inputs")], check=False, capture_output=True, text=True
    )
    assert (result.returncode, result.stdout, result.stderr) == (code, printed, "")
