"""What a caller of integration_test_charm.yaml can give, and the messages about everything else."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from workflow_commands.common.inputs import Inputs, read_inputs
from workflow_commands.prepare.check_inputs import main

if TYPE_CHECKING:
    from collections.abc import Callable

    Check = Callable[..., tuple[int, list[str], str]]

TITLE = "::error title=An input of integration_test_charm.yaml::"
ARTIFACT = "logs-integration-test-charm"
NAME = "a name without control characters and \\ / \" ' : < > | * ? [ ] { } !"
CALL = "a name of up to 50 letters, digits and . _ -"
VERSION = "a version of Juju's agent, such as 3.6.12"
CHANNEL = "a channel of a snap, such as"
CONSTRAINT = "versions of a package, such as ==3.6.1.0"
STRICT = "It must be one, such as 1.34-strict/stable: Juju's snap can't reach any other MicroK8s"
NEITHER = (
    "`juju-agent-version` and `juju-snap-channel`: neither is given. "
    "Give one of them, such as juju-agent-version: 3.6.12. For a suite without Juju, give cloud: none"
)
BOTH = "`artifact-name` and `artifact-prefix`: both are given. Give only one of them, or neither to download no charm"
PACKED_TWICE = "both are given. Give only one of them: build-charms: true packs the charms in this call"
NO_COMMAND = "`test-command`: it is empty. It must be the command that runs pytest, such as tox run -e integration --"
RUNNER = 'It must be a label, such as ubuntu-24.04, or a JSON list of labels, such as ["self-hosted", "large"]'
FOLDER = "It must be the path of a folder, from where `test-command` runs pytest, such as tests/integration"
VARIABLE = "Write a variable, such as REGION=any. A value can't have several lines"
RUNNERS = "It must be a number of runners up to 256, or 0: each group has its own"
NO_FILE = "It must be the path of a file, from the repository's root"


@pytest.fixture
def check(
    give: Callable[..., object],
    tmp_path: Path,
    output: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Check:
    """Return a function that checks inputs: the exit code, the lines that are printed, and the step's outputs."""
    monkeypatch.chdir(tmp_path)

    def check(**given: object) -> tuple[int, list[str], str]:
        give(**given)
        output.write_text("")
        return main([]), capsys.readouterr().out.splitlines(), output.read_text()

    return check


def errors(*problems: str) -> tuple[int, list[str], str]:
    return 1, [f"{TITLE}{problem}" for problem in problems], ""


def outputs(artifact: str, title: str, runner: str = '"ubuntu-24.04"') -> str:
    return f"artifact={ARTIFACT}-{artifact}\nrunner={runner}\ntitle={title}\n"


def test_defaults_are_accepted(check: Check) -> None:
    assert check() == (0, [], outputs("lxd-juju-3.6.12-amd64", "juju 3.6.12 | amd64"))


def test_what_is_read_is_what_the_workflow_declares(
    declared: dict[str, dict[str, Any]], give: Callable[..., dict[str, Any]]
) -> None:
    read = {name.replace("_", "-") for name in Inputs.__dataclass_fields__}
    assert read <= declared.keys()
    types = {"string": str, "number": int, "boolean": bool}
    inputs = Inputs.read(give())
    for name in read:
        assert type(getattr(inputs, name.replace("-", "_"))) is types[declared[name]["type"]]


def test_numbers_and_booleans_become_text_as_on_github(
    declared: dict[str, dict[str, Any]],
    declared_build: dict[str, dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for given, text in ((3.6, "3.6"), (6543, "6543"), (True, "true")):
        inputs = declared | declared_build
        monkeypatch.setenv("INPUTS", json.dumps(dict.fromkeys(inputs, given)))
        assert read_inputs() == {name: text if values["type"] == "string" else given for name, values in inputs.items()}


@pytest.mark.parametrize(
    ("given", "artifact", "title"),
    [
        ({"cloud": "lxd", "juju_snap_channel": "3.6/edge"}, "lxd-juju-3.6.12-amd64", "juju 3.6.12 | amd64"),
        (
            {"cloud": "lxd", "juju_agent_version": "", "juju_snap_channel": "3/stable"},
            "lxd-juju-3-stable-amd64",
            "juju 3/stable | amd64",
        ),
        (
            {"cloud": "k8s", "juju_agent_version": "", "juju_snap_channel": "3.6/edge/fix-1"},
            "k8s-juju-3.6-edge-fix-1-amd64",
            "juju 3.6/edge/fix-1 | amd64",
        ),
        ({"cloud": "k8s", "architecture": "arm64"}, "k8s-juju-3.6.12-arm64", "juju 3.6.12 | arm64"),
        (
            {"cloud": "microk8s", "microk8s_snap_channel": "1.34-strict/stable", "metallb_addon": True},
            "microk8s-juju-3.6.12-amd64",
            "juju 3.6.12 | amd64",
        ),
        (
            {"cloud": "microk8s", "microk8s_snap_channel": "latest/edge/strict"},
            "microk8s-juju-3.6.12-amd64",
            "juju 3.6.12 | amd64",
        ),
        ({"name": "up.grade_2-1"}, "up.grade_2-1-lxd-juju-3.6.12-amd64", "up.grade_2-1 | juju 3.6.12 | amd64"),
        ({"cloud": "none", "juju_agent_version": "", "name": "x"}, "x-none-amd64", "x | amd64"),
        ({"cloud": "none", "juju_agent_version": ""}, "none-amd64", "amd64"),
        ({"cloud": "none", "juju_agent_version": "", "architecture": "arm64"}, "none-arm64", "arm64"),
    ],
)
def test_names_of_each_cloud(check: Check, given: dict[str, object], artifact: str, title: str) -> None:
    runner = "ubuntu-24.04-arm" if "arm64" in artifact else "ubuntu-24.04"
    assert check(**given) == (0, [], outputs(artifact, title, f'"{runner}"'))


@pytest.mark.parametrize(
    ("runner", "architecture", "labels"),
    [
        ("", "amd64", '"ubuntu-24.04"'),
        ("", "arm64", '"ubuntu-24.04-arm"'),
        ("ubuntu-22.04", "arm64", '"ubuntu-22.04"'),
        ('["self-hosted", "two words"]', "amd64", '["self-hosted", "two words"]'),
    ],
)
def test_runner(check: Check, runner: str, architecture: str, labels: str) -> None:
    names = f"lxd-juju-3.6.12-{architecture}", f"juju 3.6.12 | {architecture}"
    assert check(runner=runner, architecture=architecture) == (0, [], outputs(*names, labels))


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
        ("juju_snap_channel", "edge/fix-1"),
        ("lxd_snap_channel", "5.21/stable/ubuntu-24.04"),
        ("charm_base", "ubuntu@24.04"),
        ("libjuju_version_constraint", "3.6.1.0"),
        ("libjuju_version_constraint", "^3.6"),
        ("libjuju_version_constraint", ">=3.5, <4, !=3.6.0.*"),
        ("test_command", "uv run --group=integration pytest"),
        ("pytest_arguments", "--log-cli-level=DEBUG"),
        ("test_directory", "packages/integration_tests/tests"),
        ("collect_environment", "REGION=any\n\n  URL=http://a/?b=c  \n"),
        ("max_runners", 1),
        ("max_runners", 256),
        ("test_timeout", 0.5),
        ("test_timeout", 240),
    ],
)
def test_good_values(check: Check, name: str, value: object) -> None:
    assert check(**{name: value})[:2] == (0, [])


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"cloud": "vmware"}, '`cloud`: "vmware" isn\'t valid. It must be lxd, microk8s, k8s or none'),
        ({"cloud": ""}, '`cloud`: "" isn\'t valid. It must be lxd, microk8s, k8s or none'),
        ({"architecture": "s390x"}, '`architecture`: "s390x" isn\'t valid. It must be amd64 or arm64'),
        *(
            ({"runner": runner}, f"`runner`: {shown} isn't valid. {RUNNER}")
            for runner, shown in {
                "self-hosted, large": '"self-hosted, large"',
                "[]": '"[]"',
                "[large]": '"[large]"',
                '["large", 1]': '"["large", 1]"',
                '["large", " "]': '"["large", " "]"',
                '{"group": "large"}': '"{"group": "large"}"',
                "two\nlines": '"two\\nlines"',
            }.items()
        ),
        ({"artifact_name": "a", "artifact_prefix": "b"}, BOTH),
        (
            {"build_charms": True, "artifact_name": "a"},
            f"`build-charms` and `artifact-name`: {PACKED_TWICE}",
        ),
        (
            {"build_charms": True, "artifact_prefix": "a"},
            f"`build-charms` and `artifact-prefix`: {PACKED_TWICE}",
        ),
        ({"artifact_name": "a/b"}, f'`artifact-name`: "a/b" isn\'t valid. It must be {NAME}'),
        ({"artifact_prefix": "a*"}, f'`artifact-prefix`: "a*" isn\'t valid. It must be {NAME}'),
        ({"name": "a b"}, f'`name`: "a b" isn\'t valid. It must be {CALL}'),
        ({"name": 51 * "a"}, f'`name`: "{51 * "a"}" isn\'t valid. It must be {CALL}'),
        ({"juju_agent_version": "3.6"}, f'`juju-agent-version`: "3.6" isn\'t valid. It must be {VERSION}'),
        (
            {"juju_agent_version": "3.6/stable"},
            f'`juju-agent-version`: "3.6/stable" isn\'t valid. It must be {VERSION}',
        ),
        ({"juju_agent_version": "٣.6.1"}, f'`juju-agent-version`: "٣.6.1" isn\'t valid. It must be {VERSION}'),
        (
            {"juju_snap_channel": "3.6/solid"},
            f'`juju-snap-channel`: "3.6/solid" isn\'t valid. It must be {CHANNEL} 3.6/stable',
        ),
        (
            {"cloud": "microk8s", "microk8s_snap_channel": "1.34-strict/$(id)"},
            f'`microk8s-snap-channel`: "1.34-strict/$(id)" isn\'t valid. It must be {CHANNEL} 1.34-strict/stable',
        ),
        (
            {"cloud": "k8s", "k8s_snap_channel": "1.32 classic"},
            f'`k8s-snap-channel`: "1.32 classic" isn\'t valid. It must be {CHANNEL} 1.32-classic/stable',
        ),
        ({"cloud": "microk8s"}, f'`microk8s-snap-channel`: "" isn\'t a strict channel. {STRICT}'),
        (
            {"cloud": "microk8s", "microk8s_snap_channel": "1.34/stable"},
            f'`microk8s-snap-channel`: "1.34/stable" isn\'t a strict channel. {STRICT}',
        ),
        (
            {"lxd_snap_channel": "--dangerous"},
            f'`lxd-snap-channel`: "--dangerous" isn\'t valid. It must be {CHANNEL} latest/stable',
        ),
        ({"charm_base": "24.04"}, '`charm-base`: "24.04" isn\'t valid. It must be a base, such as ubuntu@24.04'),
        (
            {"libjuju_version_constraint": "newest"},
            f'`libjuju-version-constraint`: "newest" isn\'t valid. It must be {CONSTRAINT}',
        ),
        (
            {"libjuju_version_constraint": "==3.6; id"},
            f'`libjuju-version-constraint`: "==3.6; id" isn\'t valid. It must be {CONSTRAINT}',
        ),
        ({"juju_agent_version": ""}, NEITHER),
        ({"cloud": "k8s", "juju_agent_version": ""}, NEITHER),
        ({"test_command": " "}, NO_COMMAND),
        ({"test_directory": ""}, f"`test-directory`: it is empty. {FOLDER}"),
        ({"test_directory": "/tests"}, f'`test-directory`: "/tests" isn\'t valid. {FOLDER}'),
        ({"test_directory": "--pdb"}, f'`test-directory`: "--pdb" isn\'t valid. {FOLDER}'),
        ({"collect_environment": "A=1\nhunter22\n"}, f"`collect-environment`, line 2: it isn't NAME=VALUE. {VARIABLE}"),
        ({"collect_environment": "2A=1"}, f"`collect-environment`, line 1: it isn't NAME=VALUE. {VARIABLE}"),
        ({"max_runners": -1}, f"`max-runners`: -1 isn't valid. {RUNNERS}"),
        ({"max_runners": 2.5}, f"`max-runners`: 2.5 isn't valid. {RUNNERS}"),
        ({"max_runners": 257}, f"`max-runners`: 257 isn't valid. {RUNNERS}"),
        ({"test_timeout": 0}, "`test-timeout`: 0 isn't valid. It must be more than 0, and at most 240 minutes"),
        ({"test_timeout": 241}, "`test-timeout`: 241 isn't valid. It must be more than 0, and at most 240 minutes"),
        (
            {"concierge_file": "ci/concierge.yaml"},
            f'`concierge-file`: the repository has no file "ci/concierge.yaml". {NO_FILE}',
        ),
        ({"concierge_file": "."}, f'`concierge-file`: the repository has no file ".". {NO_FILE}'),
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
        '`cloud`: "vmware" isn\'t valid. It must be lxd, microk8s, k8s or none',
        BOTH,
        f'`artifact-name`: "a:b" isn\'t valid. It must be {NAME}',
        "`test-timeout`: -1 isn't valid. It must be more than 0, and at most 240 minutes",
        f'`concierge-file`: the repository has no file "none". {NO_FILE}',
    )


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (
            {"juju_agent_version": "3.6.12\n::error::mine"},
            f'`juju-agent-version`: "3.6.12\\n::error::mine" isn\'t valid. It must be {VERSION}',
        ),
        (
            {"cloud": "a\r\u2028\x1b%0A"},
            '`cloud`: "a\\r\\u2028\\x1b%250A" isn\'t valid. It must be lxd, microk8s, k8s or none',
        ),
        (
            {"concierge_file": "a\n::error::mine"},
            f'`concierge-file`: the repository has no file "a\\n::error::mine". {NO_FILE}',
        ),
    ],
)
def test_value_is_no_command_of_the_workflow(check: Check, given: dict[str, object], problem: str) -> None:
    assert check(**given) == errors(problem)


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({"metallb_addon": True, "microk8s_snap_channel": "1.34-strict"}, ["metallb-addon", "microk8s-snap-channel"]),
        (
            {
                "cloud": "none",
                "metallb_addon": True,
                "k8s_snap_channel": "1.32-classic/stable",
                "juju_snap_channel": "3.6/stable",
                "concierge_file": "concierge.yaml",
            },
            ["metallb-addon", "k8s-snap-channel", "juju-agent-version", "juju-snap-channel", "concierge-file"],
        ),
    ],
)
def test_inputs_without_effect(check: Check, tmp_path: Path, given: dict[str, object], names: list[str]) -> None:
    (tmp_path / "concierge.yaml").touch()
    code, lines, output = check(**given)
    cloud = given.get("cloud", "lxd")
    assert lines == [
        f"::warning title=An input of integration_test_charm.yaml::`{name}` has no effect if `cloud` is {cloud}"
        for name in names
    ]
    assert code == 0
    assert output.startswith(f"artifact={ARTIFACT}-{cloud}-")


def test_name_of_an_input_in_v29(
    check: Check,
    give: Callable[..., dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert check(allure_report=True)[:2] == (0, [])
    monkeypatch.setenv("INPUTS", json.dumps(give() | {"_beta_allure_report": True}))
    assert main([]) == 0
    assert capsys.readouterr().out == (
        "::notice title=An input of integration_test_charm.yaml::"
        "`_beta_allure_report`: its new name is `allure-report`. Rename it\n"
    )


@pytest.mark.parametrize("cloud", ["k8s", "none"])
def test_no_charm_is_downloaded(check: Check, cloud: str) -> None:
    given = {"cloud": cloud, "artifact_name": ""} | ({"juju_agent_version": ""} if cloud == "none" else {})
    warning = (
        "::warning title=An input of integration_test_charm.yaml::`artifact-name` and `artifact-prefix`: both are "
        "empty, so no packed charm is downloaded. If the tests deploy your own charm, give build-charms: true, or the "
        "output of the job that packs it, and list that job in `needs`"
    )
    assert check(**given)[:2] == (0, [warning] if cloud == "k8s" else [])


def test_charms_are_packed(check: Check) -> None:
    given = {"ignore": "tests", "pack_command": "tox run -e build --", "charmcraft_snap_channel": "latest/edge"}
    assert check(build_charms=True, artifact_name="", **given)[:2] == (0, [])
    warning = "::warning title=An input of integration_test_charm.yaml::"
    names = ("charmcraft-snap-channel", "ignore", "pack-command")
    lines = [f"{warning}`{name}` has no effect without `build-charms: true`" for name in names]
    assert check(**given)[:2] == (0, lines)


@pytest.mark.parametrize(
    ("version", "channel"),
    [
        ("3.6.12", "3.6/stable"),
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


@pytest.mark.parametrize("inputs", ["", "[]", "{", None])
def test_no_inputs(monkeypatch: pytest.MonkeyPatch, fail: Callable[..., str], inputs: str | None) -> None:
    if inputs is None:
        monkeypatch.delenv("INPUTS", raising=False)
    else:
        monkeypatch.setenv("INPUTS", inputs)
    problem = "it isn't set" if inputs is None else "it isn't a JSON object"
    advice = "Set it to the workflow's inputs: ${{ toJSON(inputs) }}"
    assert fail(main) == f"{TITLE}INPUTS: {problem}. {advice}\n"


@pytest.mark.parametrize(
    ("cloud", "code", "printed"),
    [
        ("k8s", 0, outputs("k8s-juju-3.6.12-amd64", "juju 3.6.12 | amd64")),
        ("any", 1, f'{TITLE}`cloud`: "any" isn\'t valid. It must be lxd, microk8s, k8s or none\n'),
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
