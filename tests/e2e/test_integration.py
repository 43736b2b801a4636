"""integration_test_charm.yaml: every group on a runner of its own, and one report of them all."""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING

import pytest
from pytest_github_secrets._mask import forms

from e2e.act import CHARM, ROOT, WORKFLOWS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from e2e.act import Machine, Run

    Tests = Callable[..., dict[str, str]]

# The example of the documentation.
USAGE = re.findall(r"```yaml\n(.*?)```", (WORKFLOWS / "integration_test_charm.md").read_text(), flags=re.DOTALL)[0]
WORKFLOW = """\
name: Test
on: [pull_request, schedule]
permissions: {}
jobs:
  test:
    uses: canonical/data-platform-workflows/.github/workflows/integration_test_charm.yaml@v1.0.0
    permissions:
      contents: read
    with:
"""
SECRETS = """\
    secrets:
      integration-test: |
        { "TOKEN": ${{ toJSON(secrets.TOKEN) }},
          "KEY": ${{ toJSON(secrets.KEY) }}, }
"""
PROJECT = (ROOT / "examples/service_suite/pyproject.toml").read_text().replace('filterwarnings = ["error"]\n', "")
UV = "uv run --quiet --group integration pytest"
MANY_SECRETS = {
    "TOKEN": 'it\'s "quoted", 100%, `back`, $HOME, \\ and <xml/>',
    "KEY": "\n".join(
        ["-----BEGIN KEY-----", *(f"line {n:02} of the key, {n * 7919:x}" for n in range(28)), "-----END KEY-----"]
    ),
}


def suite(**inputs: str) -> str:
    """Return a workflow that runs the suite of its repository."""
    values = {"cloud": "none", "test_command": UV} | inputs
    return WORKFLOW + "".join(f"      {name.replace('_', '-')}: {value}\n" for name, value in values.items())


@pytest.fixture(scope="module")
def tests(machine: Machine) -> Callable[..., dict[str, str]]:
    """Return a function that returns the files of a suite of one file."""
    project = {"pyproject.toml": PROJECT, "uv.lock": machine.lock(PROJECT)}

    def make(text: str, name: str = "test_it") -> dict[str, str]:
        text = f"import os, subprocess\nimport pytest\ngroup = pytest.mark.group\n{text}"
        return {**project, f"tests/integration/{name}.py": text}

    return make


def report(run: Run) -> list[tuple[str, ...]]:
    """Return the rows of the report: group, result, tests."""
    rows = re.findall(
        r"^(.+?\.py \| group .+?)  +(.*?)  +(\S+(?:, \d+ skipped)?)  +\S+.*$", run.output("Report"), flags=re.MULTILINE
    )
    return [(name, result, tests) for name, result, tests in rows]


def test_charm(machine: Machine, caller: Callable[..., Path]) -> None:
    secrets = {"AWS_ACCESS_KEY": "a key of AWS", "GCP_ACCESS_KEY": "a key of GCP"}
    run = machine.run(caller(USAGE, example="machine_charm"), secrets=secrets)
    assert run.code == 0, run.log
    assert set(run.jobs.values()) == {"success"}
    groups = [
        "test_backup.py | group AWS",
        "test_backup.py | group GCP",
        "test_charm.py | group 1",
        "test_charm.py | group scale",
        "test_relations.py | group 1",
        "test_relations.py | group bundle",
    ]
    assert [job for job in sorted(run.jobs) if " | group " in job] == [
        f"juju 3.6.1 | amd64 | {name}" for name in groups
    ]
    assert report(run) == [(name, "passed", "1" if "bundle" in name else "2") for name in groups]
    assert "juju 3.6.1 | amd64: 6 groups passed, 0 failed" in run.output("Report")
    assert len(re.findall("^stand-in: charmcraft pack", run.log, flags=re.MULTILINE)) == 3
    for group in groups:
        output = run.output(group)
        assert "1 artifacts have been downloaded" in output
        assert "stand-in: charmcraft" not in output
        assert "pytest_operator_cache" in output
        assert ":_charms.py" in output
        assert "Found charm journal: " in output
        assert "  agent-version: 3.6.1\n" in output
    logs = "logs-integration-test-charm-lxd-juju-3.6.1-amd64-test_relations.py-group-bundle"
    (another,) = (text for text in saved(run, logs, "status.txt") if "application/0" in text)
    assert "application:journal journal:journal" in another
    assert any("unit-journal-0: running start hook" in text for text in saved(run, logs, "debug-log.txt"))
    assert run.logs(logs)["junit.xml"].read_text().count("<testcase ") == 1
    for text in contents(run):
        assert "a key of" not in text


def saved(run: Run, artifact: str, file: str) -> list[str]:
    """Return what was saved of each model."""
    return [path.read_text() for name, path in run.logs(artifact).items() if re.fullmatch(rf"juju/[^/]+/{file}", name)]


def contents(run: Run) -> list[str]:
    """Return the log of a run, in which the summary is, too, and all of its files."""
    files = [path.read_text(errors="replace") for name in run.names for path in run.files(name).values()]
    return [run.log, *files]


def test_failures(machine: Machine, caller: Callable[..., Path], tests: Tests) -> None:
    text = """
@group("good")
def test_good(): ...

@group("bad")
def test_bad(): assert 7 == 8

@group("bad")
def test_also(): ...

@group("dies")
def test_never(): ...
"""
    command = f"case $* in *dies*) echo the runner is gone; exit 1;; esac; {UV}"
    run = machine.run(caller(suite(test_command=json.dumps(command)), tests(text)))
    assert run.code == 1, run.log
    assert run.jobs == {
        "amd64 | Collect groups": "success",
        "amd64 | test_it.py | group bad": "failure",
        "amd64 | test_it.py | group dies": "failure",
        "amd64 | test_it.py | group good": "success",
        "amd64 | Report": "success",
    }
    assert report(run) == [
        ("test_it.py | group bad", "failed: 1 failure", "2"),
        ("test_it.py | group dies", "failed: pytest wrote no report", "-"),
        ("test_it.py | group good", "passed", "1"),
    ]
    assert "amd64: 1 group passed, 2 failed" in run.output("Report")
    assert (
        "assert 7 == 8"
        in run.logs("logs-integration-test-charm-none-amd64-test_it.py-group-bad")["junit.xml"].read_text()
    )
    assert json.loads(
        run.logs("logs-integration-test-charm-none-amd64-test_it.py-group-dies")["job.json"].read_text()
    ) == {
        "status": "failure",
        "url": "",
    }


def test_pull_request_from_a_fork_has_no_secrets(machine: Machine, caller: Callable[..., Path], tests: Tests) -> None:
    text = """
@group(1)
def test_with(github_secrets): ...

@group(1)
def test_without(): ...
"""
    run = machine.run(caller(suite() + SECRETS, tests(text)))
    assert run.code == 0, run.log
    assert "no secrets to mask in SECRETS" in run.output("group 1")
    assert "1 passed, 1 skipped" in re.sub(r"\x1b\[[\d;]*m", "", run.output("group 1"))
    assert report(run) == [("test_it.py | group 1", "passed", "2, 1 skipped")]


def test_secrets_stay_secret(machine: Machine, caller: Callable[..., Path], tests: Tests) -> None:
    text = """
import base64, json, warnings

@group(1)
def test_leaks(github_secrets, record_property):
    logs = os.environ["RUNNER_TEMP"] + "/logs"
    os.makedirs(logs, exist_ok=True)
    for value in [str(dict(github_secrets)), *github_secrets.values()]:
        for form in (value, repr(value), json.dumps(value), base64.b64encode(value.encode()).decode()):
            print(form)
            record_property("form", form)
            warnings.warn(form)
            with open(f"{logs}/debug-log.txt", "a") as log:
                print("unit-journal-0: configured with", form, file=log)
    assert value == "another"
"""
    run = machine.run(caller(suite(pytest_arguments="--showlocals -vv") + SECRETS, tests(text)), secrets=MANY_SECRETS)
    assert run.jobs["amd64 | test_it.py | group 1"] == "failure"
    assert "2 secrets masked" in run.output("group 1", "Mask the secrets in the log")
    files = run.logs("logs-integration-test-charm-none-amd64-test_it.py-group-1")
    assert "***" in files["junit.xml"].read_text()
    assert "unit-journal-0: configured with ***" in files["debug-log.txt"].read_text()
    for text in contents(run):
        for value in MANY_SECRETS.values():
            for part in [value, *value.splitlines()]:
                assert not [form for form in {*forms(part), base64.b64encode(part.encode()).decode()} if form in text]


def test_secrets_of_what_pytest_does_not_write(machine: Machine, caller: Callable[..., Path], tests: Tests) -> None:
    text = """
@group(1)
def test_deploy():
    value = os.environ["SECRETS_FROM_GITHUB"]
    print("not through the plugin:", value)
"""
    run = machine.run(
        caller(suite(pytest_arguments="-o junit_logging=all -rP") + SECRETS, tests(text)), secrets=MANY_SECRETS
    )
    junit = run.logs("logs-integration-test-charm-none-amd64-test_it.py-group-1")["junit.xml"].read_text()
    assert "not through the plugin:" in junit
    for part in MANY_SECRETS["KEY"].splitlines():
        assert part not in junit
        assert part not in run.log


LIBJUJU = """
import importlib.metadata

@group(1)
def test_libjuju():
    assert importlib.metadata.version("juju") == "3.6.1.3"
"""
UNSTABLE = """
@group("steady")
def test_steady(): ...

@group("shaky")
@pytest.mark.unstable
def test_shaky(): ...

@group("steady")
@pytest.mark.unstable
def test_shaky_too(): ...
"""


def test_unstable_tests_run_on_schedule_alone(machine: Machine, caller: Callable[..., Path], tests: Tests) -> None:
    repository = caller(suite(), tests(UNSTABLE))
    assert report(machine.run(repository)) == [("test_it.py | group steady", "passed", "1")]
    assert report(machine.run(repository, event="schedule")) == [
        ("test_it.py | group shaky", "passed", "1"),
        ("test_it.py | group steady", "passed", "2"),
    ]


def test_suite_that_is_unstable_as_a_whole(machine: Machine, caller: Callable[..., Path], tests: Tests) -> None:
    run = machine.run(caller(suite(), tests("pytestmark = [group(1), pytest.mark.unstable]\ndef test_shaky(): ...")))
    assert run.code == 0, run.log
    assert run.jobs == {"amd64 | Collect groups": "success", "amd64 | Report": "success"}
    assert "Every test was deselected" in run.output("Report")


def test_service_suite(machine: Machine, caller: Callable[..., Path]) -> None:
    run = machine.run(caller(suite(), example="service_suite"))
    assert run.code == 0, run.log
    assert [row[:2] for row in report(run)] == [
        ("test_command.py | group command", "passed"),
        ("test_library.py | group 1", "passed"),
        ("test_library.py | group 2", "passed"),
        ("test_library.py | group empty", "passed"),
    ]


def test_bad_inputs(machine: Machine, caller: Callable[..., Path], tests: Tests) -> None:
    bad = {
        "artifact_name": "one",
        "artifact_prefix": "a/b",
        "cloud": "vmware",
        "architecture": "s390x",
        "juju_agent_version": "three",
        "juju_snap_channel": "3.6/solid",
        "microk8s_snap_channel": "'; rm'",
        "lxd_snap_channel": "--dangerous",
        "libjuju_version_constraint": "newest",
        "test_command": "' '",
        "test_timeout": "0",
    }
    run = machine.run(caller(suite(**bad), tests("")))
    assert run.code == 1, run.log
    assert [*run.jobs.values()] == ["failure"]
    assert run.errors == [
        '`cloud` is "vmware": it may be lxd, microk8s, k8s or none',
        '`architecture` is "s390x": it may be amd64 or arm64',
        "`artifact-name` and `artifact-prefix` are both given: give one of them, or neither to download no charm",
        '`artifact-prefix` is "a/b": it may be a name without control characters and \\ / " \' : < > | * ? [ ] { } !',
        '`juju-agent-version` is "three": it may be a version of Juju\'s agent, such as 3.6.1',
        '`juju-snap-channel` is "3.6/solid": it may be a channel of a snap, such as 3.6/stable',
        '`microk8s-snap-channel` is "; rm": it may be a channel of a snap, such as 1.32-strict/stable',
        '`lxd-snap-channel` is "--dangerous": it may be a channel of a snap, such as latest/stable',
        '`libjuju-version-constraint` is "newest": it may be the versions of a package, such as ==3.6.1.0',
        "`test-command` is empty: it has to be the command that runs pytest, such as tox run -e integration --",
        "`test-timeout` is 0: it may be 1 to 240 whole minutes",
    ], run.log


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (
            {"cloud": "lxd"},
            (
                "neither `juju-agent-version` nor `juju-snap-channel` is given: give one of them, such as "
                "juju-agent-version: 3.6.1, or cloud: none for a suite without Juju"
            ),
        ),
        (
            {"cloud": "microk8s", "juju_agent_version": "3.6.1", "microk8s_snap_channel": "1.32/stable"},
            (
                '`microk8s-snap-channel` is "1.32/stable": where `cloud` is microk8s, it has to be a strict '
                "channel, such as 1.32-strict/stable, for Juju's snap can't reach another one"
            ),
        ),
        (
            {"cloud": "lxd", "juju_agent_version": "3.6.1", "concierge_file": "no/concierge.yaml"},
            "`concierge-file`: there is no file 'no/concierge.yaml' in the repository",
        ),
    ],
)
def test_inputs_that_do_not_fit(
    machine: Machine, caller: Callable[..., Path], tests: Tests, inputs: dict[str, str], message: str
) -> None:
    run = machine.run(caller(suite(**inputs), tests("")))
    assert run.code == 1, run.log
    assert [*run.jobs.values()] == ["failure"]
    assert run.errors == [message], run.log


def test_prefix_of_no_artifact(machine: Machine, caller: Callable[..., Path], tests: Tests) -> None:
    run = machine.run(caller(suite(artifact_prefix="packed"), tests("@group(1)\ndef test_it(): ...")))
    assert run.code == 1, run.log
    assert run.errors == [
        (
            'no artifact of this run whose name starts with "packed-" holds a .charm: `artifact-prefix` has to be the '
            "beginning of their names"
        )
    ], run.log


def test_command_that_hides_the_variables(machine: Machine, caller: Callable[..., Path], tests: Tests) -> None:
    command = f"env -u GITHUB_OUTPUT -u GITHUB_STEP_SUMMARY {UV}"
    run = machine.run(caller(suite(test_command=command), tests("@group(1)\ndef test_it(): ...")))
    assert run.code == 1, run.log
    assert run.errors == [
        (
            "pytest ended well, but wrote no groups for GitHub. Let the command pass the variables GITHUB_OUTPUT and "
            "GITHUB_STEP_SUMMARY on to pytest: in tox.ini, list them in pass_env"
        )
    ], run.log


def touch(what: str) -> str:
    """Return a name that makes a file outside of all workspaces, if a shell takes it for code."""
    return f"$(touch ${{E2E_PROCESSES}}-pwned-by-{what})"


def test_names_are_no_shell_code(machine: Machine, caller: Callable[..., Path], tests: Tests) -> None:
    files = tests(f"@group({touch('group')!r})\ndef test_it(): ...\n", f"test_{touch('file')}")
    platform = "{build-on: ['ubuntu@24.04:amd64'], build-for: ['ubuntu@24.04:amd64']}"
    charm = CHARM.format(name="demo", platform=touch("platform")).replace("null", platform)
    files[f"{touch('folder')}/charmcraft.yaml"] = charm
    build = """\
  build:
    uses: canonical/data-platform-workflows/.github/workflows/build_charms_with_cache.yaml@v1.0.0
    permissions:
      contents: read
    with:
      pack-command: bash "$GITHUB_WORKSPACE/pack.sh"
"""
    # charmcraft can't stand such a folder where it packs without a container.
    files["pack.sh"] = """\
cp -r . "$RUNNER_TEMP/charm" && cd "$RUNNER_TEMP/charm" && charmcraft pack "$@" && cp ./*.charm "$OLDPWD"
"""
    workflow = suite().replace("jobs:\n", f"jobs:\n{build}")
    run = machine.run(caller(workflow, files, branch=touch("branch").replace(" ", "${IFS}")))
    name = f"test_{touch('file')}.py | group {touch('group')}"
    assert report(run) == [(name, "passed", "1")], run.log
    assert [*run.files("charms-packed-with-cache")] == [f"{touch('folder')}/demo_{touch('platform')}.charm"]
    assert not list(machine.folder.glob("*/processes-pwned-by-*"))


JUJU = """
@group(1)
def test_models():
    subprocess.run(["juju", "add-model", "kept"], check=True)
    subprocess.run(["juju", "add-model", "gone"], check=True)
    subprocess.run(["juju", "destroy-model", "gone", "--no-prompt"], check=True)
"""


def test_matrix_of_the_caller(machine: Machine, caller: Callable[..., Path], tests: Tests) -> None:
    matrix = """\
    strategy:
      fail-fast: false
      matrix:
        juju: [3.6.1, 2.9.49]
"""
    workflow = suite(cloud="lxd", juju_agent_version="${{ matrix.juju }}").replace(
        "    permissions:", f"{matrix}    permissions:"
    )
    run = machine.run(caller(workflow, tests(JUJU)))
    assert run.code == 0, run.log
    assert sorted(run.jobs) == sorted(
        f"juju {version} | amd64 | {job}"
        for version in ("2.9.49", "3.6.1")
        for job in ("Collect groups", "Report", "test_it.py | group 1")
    )
    assert run.names == [
        f"logs-integration-test-charm-lxd-juju-{version}-amd64-test_it.py-group-1" for version in ("2.9.49", "3.6.1")
    ]
    for version in ("2.9", "3.6"):
        assert f"  channel: {version}/stable\n" in run.output()
    for name in run.names:
        folders = {file.split("/")[1] for file in run.logs(name) if file.startswith("juju/")}
        assert folders == {"gone", "simulator-admin-kept", "simulator-admin-testing"}


def test_own_file_for_concierge(machine: Machine, caller: Callable[..., Path], tests: Tests) -> None:
    inputs = {
        "cloud": "k8s",
        "architecture": "arm64",
        "juju_snap_channel": "3.6/edge",
        "concierge_file": "ci/concierge.yaml",
    }
    own = "juju: {channel: 3.6/edge}\nproviders: {k8s: {enable: true, bootstrap: true}}\n"
    run = machine.run(caller(suite(**inputs), tests(JUJU) | {"ci/concierge.yaml": own}))
    assert run.code == 0, run.log
    assert "stand-in: the simulator stands for Juju on k8s" in run.output()
    assert run.names == ["logs-integration-test-charm-k8s-juju-3.6-edge-arm64-test_it.py-group-1"]


def test_poetry(machine: Machine, caller: Callable[..., Path], tests: Tests) -> None:
    source = "https://github.com/canonical/data-platform-workflows"
    project = f"""\
[project]
name = "suite"
version = "0"
requires-python = ">=3.10,<4"

[tool.poetry]
package-mode = false

[tool.poetry.group.integration.dependencies]
pytest = "*"
juju = "3.6.1.2"

[tool.poetry.group.integration.dependencies.pytest-operator-groups]
git = "{source}"
tag = "v1.0.0"
subdirectory = "python/pytest_plugins/pytest_operator_groups"
"""
    files = tests(LIBJUJU)
    del files["uv.lock"]
    repository = caller(
        suite(
            test_command=json.dumps("poetry install --quiet --only=integration && poetry run pytest"),
            libjuju_version_constraint="==3.6.1.3",
        ),
        files | {"pyproject.toml": project},
    )
    machine.poetry_lock(repository)
    run = machine.run(repository)
    assert run.code == 0, run.log
    assert report(run) == [("test_it.py | group 1", "passed", "1")]


def test_uv_with_another_libjuju(machine: Machine, caller: Callable[..., Path], tests: Tests) -> None:
    project = PROJECT.replace('"pytest>=7.4",', '"pytest>=7.4",\n    "juju==3.6.1.2",')
    files = tests(LIBJUJU) | {"pyproject.toml": project, "uv.lock": machine.lock(project)}
    run = machine.run(caller(suite(libjuju_version_constraint="==3.6.1.3"), files))
    assert run.code == 0, run.log
    assert report(run) == [("test_it.py | group 1", "passed", "1")]


def test_pip(machine: Machine, caller: Callable[..., Path], tests: Tests) -> None:
    install = "uv venv --quiet --seed venv && venv/bin/pip install --quiet --requirement=requirements.txt"
    # As YAML has it behind `|`.
    command = f"{install} && venv/bin/pytest\n"
    files = tests("@group(1)\ndef test_it(): ...")
    del files["uv.lock"], files["pyproject.toml"]
    files["requirements.txt"] = (
        "pytest\npytest-operator-groups @ git+https://github.com/canonical/data-platform-workflows@v1.0.0"
        "#subdirectory=python/pytest_plugins/pytest_operator_groups\n"
    )
    run = machine.run(caller(suite(test_command=json.dumps(command)), files))
    assert run.code == 0, run.log
    assert report(run) == [("test_it.py | group 1", "passed", "1")]


def test_libjuju_without_a_lock(machine: Machine, caller: Callable[..., Path], tests: Tests) -> None:
    files = tests("@group(1)\ndef test_it(): ...")
    del files["uv.lock"]
    run = machine.run(caller(suite(libjuju_version_constraint="==3.6.1.3"), files))
    assert run.code == 1, run.log
    assert run.errors == [
        (
            "`libjuju-version-constraint` is given, but the repository has neither a poetry.lock nor a uv.lock that it "
            "could change"
        )
    ], run.log
    assert report(run) == [("test_it.py | group 1", "failed: pytest wrote no report", "-")]


def test_load_balancer_of_microk8s(machine: Machine, caller: Callable[..., Path], tests: Tests) -> None:
    inputs = {
        "cloud": "microk8s",
        "juju_agent_version": "3.6.1",
        "microk8s_snap_channel": "1.32-strict/stable",
        "metallb_addon": "true",
    }
    run = machine.run(caller(suite(**inputs), tests(JUJU)))
    assert run.code == 0, run.log
    assert "  microk8s:\n" in run.output()
    assert re.search(r"^    - metallb:([\d.]+)-\1$", run.output(), flags=re.MULTILINE)


def test_artifact_prefix(machine: Machine, caller: Callable[..., Path], tests: Tests) -> None:
    text = """
@group(1)
def test_charms():
    assert os.path.exists("charms/one/one_ubuntu@24.04-amd64.charm")
    assert os.path.exists("charms/two/two_ubuntu@24.04-amd64.charm")
"""
    build = """\
  build:
    strategy:
      matrix:
        charm: [one, two]
    uses: canonical/data-platform-workflows/.github/workflows/build_charms_with_cache.yaml@v1.0.0
    permissions:
      contents: read
    with:
      artifact-name: packed-${{ matrix.charm }}
      ignore: "*"
"""
    workflow = suite(artifact_prefix="packed").replace("jobs:\n", f"jobs:\n{build}")
    workflow = workflow.replace("  test:\n", "  test:\n    needs: build\n")
    platform = "ubuntu@24.04:amd64"
    files = {f"charms/{name}/charmcraft.yaml": CHARM.format(name=name, platform=platform) for name in ("one", "two")}
    run = machine.run(caller(workflow, tests(text) | files))
    assert run.code == 0, run.log
    assert {"packed-one", "packed-two"} <= set(run.names)
    assert report(run) == [("test_it.py | group 1", "passed", "1")]


def test_options_of_pytest_operator(machine: Machine, caller: Callable[..., Path], tests: Tests) -> None:
    options = """\
def pytest_addoption(parser):
    for option in ("--keep-models", "--model-alias"):
        parser.addoption(option, action="store_true")
    parser.addoption("--model")
"""
    text = """
@group(1)
def test_options(pytestconfig):
    assert pytestconfig.getoption("--keep-models")
    assert pytestconfig.getoption("--model") == "testing"
"""
    files = tests(text) | {"conftest.py": options}
    run = machine.run(caller(suite(cloud="lxd", juju_agent_version="3.6.1", architecture="arm64"), files))
    assert run.code == 0, run.log
    assert report(run) == [("test_it.py | group 1", "passed", "1")]
