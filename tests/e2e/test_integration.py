"""integration_test_charm.yaml: every group runs on its own runner, and one report shows them all."""

from __future__ import annotations

import base64
import html
import json
import re
from typing import TYPE_CHECKING

import pytest
from pages import migrate_one_file
from ruamel.yaml import YAML

from e2e.act import CHARM, ROOT, WORKFLOWS, commit
from e2e.act import YAML as WORKFLOWS_TEXT
from e2e.browser import show

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
    uses: canonical/data-platform-workflows/.github/workflows/integration_test_charm.yaml@v51.0.0
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
    repository = caller(USAGE, example="machine_charm")
    # One of its files is on jubilant, the others are on pytest-operator.
    migrate_one_file(repository)
    commit(repository)
    run = machine.run(repository, secrets=secrets)
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
    assert [job for job in sorted(run.jobs) if " | group " in job] == groups
    assert {"juju 3.6.12 | amd64 | Collect groups", "juju 3.6.12 | amd64 | Report"} <= set(run.jobs)
    assert report(run) == [(name, "passed", "1" if "bundle" in name else "2") for name in groups]
    assert "juju 3.6.12 | amd64: 6 groups passed, 0 failed" in run.output("Report")
    assert len(re.findall("^stand-in: charmcraft pack", run.log, flags=re.MULTILINE)) == 3
    for group in groups:
        output = run.output(group)
        assert "1 artifacts have been downloaded" in output
        assert "stand-in: charmcraft" not in output
        assert "pytest_operator_cache" in output
        assert "Found charm journal: " in output
        assert "stand-in: sudo --user=#" in output, "the groups that concierge has added the user to"
        assert "  agent-version: 3.6.12\n" in output
    logs = "logs-integration-test-charm-lxd-juju-3.6.12-amd64-test_relations.py-group-bundle"
    (another,) = (text for text in saved(run, logs, "status.txt") if "application/0" in text)
    assert "application:journal journal:journal" in another
    assert any("unit-journal-0: running start hook" in text for text in saved(run, logs, "debug-log.txt"))
    for group in ("1", "scale"):
        jubilant = f"logs-integration-test-charm-lxd-juju-3.6.12-amd64-test_charm.py-group-{group}"
        models = {
            name.split("/")[1] for name in run.logs(jubilant) if re.fullmatch("juju/jubilant-.*/debug-log.txt", name)
        }
        assert len(models) == 1, "the logs of a model that jubilant has destroyed"
    assert run.logs(logs)["junit.xml"].read_text().count("<testcase ") == 1
    for text in contents(run):
        assert "a key of" not in text


def saved(run: Run, artifact: str, file: str) -> list[str]:
    """Return what was saved of each model."""
    return [path.read_text() for name, path in run.logs(artifact).items() if re.fullmatch(rf"juju/[^/]+/{file}", name)]


def contents(run: Run) -> list[str]:
    """Return the log of a run, which includes the summary, and all of its files."""
    files = [path.read_text(errors="replace") for name in run.names for path in run.files(name).values()]
    return [run.log, *files]


def read_page(page: Path, section: str, expected: str) -> str:
    """Return the text that a browser shows of a section of a page, which takes longer to appear on a busy machine."""

    def text(shown: str) -> str:
        body = re.sub("<script.*?</script>|<[^>]*>", " ", shown.rpartition("<body")[2], flags=re.DOTALL)
        return " ".join(html.unescape(body).split())

    return text(show(page, lambda shown: expected in text(shown), section))


# An earlier run has left its history in the cache.
HISTORY = {
    "uuid": "1",
    "name": "",
    "timestamp": 1794830400000,  # 2026-11-16 in milliseconds
    "knownTestCaseIds": [],
    "testResults": {"1": {"id": "1", "historyId": "1", "name": "test_good", "status": "passed"}},
    "metrics": {},
    "url": "",
}
EARLIER = f"""\
  earlier:
    name: Earlier run
    runs-on: ubuntu-24.04
    steps:
      - run: |
          echo '{json.dumps(HISTORY)}' > allure-history.jsonl
      - uses: {re.findall("actions/cache/save@[0-9a-f]+", WORKFLOWS_TEXT)[0]}
        with:
          path: allure-history.jsonl
          key: allure-history:logs-integration-test-charm-none-amd64:0-1
"""


def test_failures(machine: Machine, caller: Callable[..., Path], tests: Tests) -> None:
    text = """
@group("good")
def test_good(): ...

@group("bad")
def test_bad(github_secrets): assert 7 == 8, github_secrets["KEY"]

@group("bad")
def test_also(): ...

@group("dies")
def test_never(): ...
"""
    command = f"case $* in *dies*) echo the runner is gone; exit 1;; esac; {UV}"
    project = PROJECT.replace('"pytest>=7.4",', '"pytest>=7.4",\n    "allure-pytest",')
    files = tests(text) | {"pyproject.toml": project, "uv.lock": machine.lock(project)}
    workflow = (suite(test_command=json.dumps(command), allure_report="true") + SECRETS).replace(
        "jobs:\n  test:\n", f"jobs:\n{EARLIER}  test:\n    needs: earlier\n"
    )
    run = machine.run(caller(workflow, files), secrets=MANY_SECRETS)
    assert run.code == 1, run.log
    assert run.jobs == {
        "Earlier run": "success",
        "amd64 | Collect groups": "success",
        "test_it.py | group bad": "failure",
        "test_it.py | group dies": "failure",
        "test_it.py | group good": "success",
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
    job = json.loads(run.logs("logs-integration-test-charm-none-amd64-test_it.py-group-dies")["job.json"].read_text())
    assert (job["status"], job["url"], job["attempt"]) == ("failure", "", 1)
    assert job["started"] < job["tests_started"] < job["tests_ended"]
    page = run.files("allure-report-none-amd64")["index.html"]
    results, graphs = read_page(page, "", "Total "), read_page(page, "charts", "Status dynamics ")
    assert "Total 4" in results
    assert "Failed 1 Passed 2 Unknown 1" in results
    assert "test_it 1 2 1 1 test_never 0s" in results
    assert "Status dynamics 11/16/2026 Latest" in graphs
    assert "Cache saved" in run.output("Report")
    for text in contents(run):
        assert "of the key, " not in text


def test_cancelled_run_uploads_only_what_exists() -> None:
    # act can't cancel a job. GitHub kills one five minutes after it is cancelled.
    steps = YAML(typ="safe").load(WORKFLOWS / "integration_test_charm.yaml")["jobs"]["test"]["steps"]
    always = [step for step in steps if "always()" in step.get("if", "")]
    assert [step["name"] for step in always] == ["Mask the secrets in the uploaded files", "Upload the logs"]
    assert {step["timeout-minutes"] for step in always} == {"${{ job.status == 'cancelled' && 1 || 10 }}"}


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
    assert run.jobs["test_it.py | group 1"] == "failure"
    assert "2 secrets masked" in run.output("group 1", "Mask the secrets in the log")
    files = run.logs("logs-integration-test-charm-none-amd64-test_it.py-group-1")
    assert "***" in files["junit.xml"].read_text()
    assert "unit-journal-0: configured with ***" in files["debug-log.txt"].read_text()
    for text in contents(run):
        for value in MANY_SECRETS.values():
            # Every key has a line -----BEGIN KEY-----: it is no secret.
            for part in [value, *(line for line in value.splitlines() if not line.startswith("-----"))]:
                written = {part, repr(part)[1:-1], json.dumps(part)[1:-1], base64.b64encode(part.encode()).decode()}
                assert not [form for form in written if form in text]


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


def test_unstable_tests_run_only_on_schedule(machine: Machine, caller: Callable[..., Path], tests: Tests) -> None:
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
    assert "stand-in: sudo" not in run.log
    assert [row[:2] for row in report(run)] == [
        ("test_command.py | group command", "passed"),
        ("test_library.py | group 1", "passed"),
        ("test_library.py | group 2", "passed"),
        ("test_library.py | group empty", "passed"),
    ]


def test_suite_in_another_folder(machine: Machine, caller: Callable[..., Path], tests: Tests) -> None:
    text = """
if not os.environ.get("SECRETS_FROM_GITHUB"):
    URL, REGION = os.environ["SERVICE_URL"], os.environ["REGION"]

@group(1)
def test_it():
    assert "REGION" not in os.environ
"""
    files = tests(text)
    files["packages/integration_tests/tests/test_it.py"] = files.pop("tests/integration/test_it.py")
    inputs = {
        "test_directory": "packages/integration_tests/tests",
        "collect_environment": r'"SERVICE_URL=a b\nREGION=any\n"',
    }
    run = machine.run(caller(suite(**inputs) + SECRETS, files), secrets=MANY_SECRETS)
    assert run.code == 0, run.log
    assert report(run) == [("packages/integration_tests/tests/test_it.py | group 1", "passed", "1")]


def test_runner_of_groups_without_one(machine: Machine, caller: Callable[..., Path], tests: Tests) -> None:
    run = machine.run(caller(suite(runner="""'["self-made", "large"]'"""), tests("@group(1)\ndef test_it(): ...")))
    # act skips a job if it doesn't know any label of its runner.
    assert "Skipping unsupported platform -- Try running with `-P self-made=" in run.log
    assert not run.output("group 1")


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
    name = "a name without control characters and \\ / \" ' : < > | * ? [ ] { } !"
    assert run.errors == [
        '`cloud`: "vmware" isn\'t valid. It must be lxd, microk8s, k8s or none',
        '`architecture`: "s390x" isn\'t valid. It must be amd64 or arm64',
        "`artifact-name` and `artifact-prefix`: both are given. Give only one of them, or neither to download no charm",
        f'`artifact-prefix`: "a/b" isn\'t valid. It must be {name}',
        "`juju-agent-version`: \"three\" isn't valid. It must be a version of Juju's agent, such as 3.6.12",
        '`juju-snap-channel`: "3.6/solid" isn\'t valid. It must be a channel of a snap, such as 3.6/stable',
        '`microk8s-snap-channel`: "; rm" isn\'t valid. It must be a channel of a snap, such as 1.34-strict/stable',
        '`lxd-snap-channel`: "--dangerous" isn\'t valid. It must be a channel of a snap, such as latest/stable',
        '`libjuju-version-constraint`: "newest" isn\'t valid. It must be versions of a package, such as ==3.6.1.0',
        "`test-command`: it is empty. It must be the command that runs pytest, such as tox run -e integration --",
        "`test-timeout`: 0 isn't valid. It must be more than 0, and at most 240 minutes",
    ], run.log


def test_file_for_concierge_that_is_missing(machine: Machine, caller: Callable[..., Path], tests: Tests) -> None:
    inputs = {"cloud": "lxd", "juju_agent_version": "3.6.12", "concierge_file": "no/concierge.yaml"}
    run = machine.run(caller(suite(**inputs), tests("")))
    assert run.code == 1, run.log
    assert [*run.jobs.values()] == ["failure"]
    assert run.errors == [
        (
            '`concierge-file`: the repository has no file "no/concierge.yaml". '
            "It must be the path of a file, from the repository's root"
        )
    ], run.log


def test_prefix_of_no_artifact(machine: Machine, caller: Callable[..., Path], tests: Tests) -> None:
    run = machine.run(caller(suite(artifact_prefix="packed"), tests("@group(1)\ndef test_it(): ...")))
    assert run.code == 1, run.log
    assert run.errors == [
        (
            '`artifact-prefix`: no artifact of this run whose name starts with "packed-" contains a .charm. '
            "It must be what their names start with, without the - after it"
        )
    ], run.log


def touch(what: str) -> str:
    """Return a name that makes a file outside of all workspaces if a shell runs it as code."""
    return f"$(touch ${{E2E_PROCESSES}}-pwned-by-{what})"


def test_names_are_no_shell_code(machine: Machine, caller: Callable[..., Path], tests: Tests) -> None:
    files = tests(f"@group({touch('group')!r})\ndef test_it(): ...\n", f"test_{touch('file')}")
    platform = "{build-on: ['ubuntu@24.04:amd64'], build-for: ['ubuntu@24.04:amd64']}"
    charm = CHARM.format(name="demo", platform=touch("platform")).replace("null", platform)
    files[f"{touch('folder')}/charmcraft.yaml"] = charm
    build = """\
  build:
    uses: canonical/data-platform-workflows/.github/workflows/build_charms_with_cache.yaml@v51.0.0
    permissions:
      contents: read
    with:
      pack-command: bash "$GITHUB_WORKSPACE/pack.sh"
"""
    # charmcraft fails in such a folder if it packs without a container.
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
        include: [{juju: 3.6.9, name: ""}, {juju: 3.6.12, name: ""}, {juju: 3.6.12, name: Again}]
"""
    inputs = {"cloud": "lxd", "juju_agent_version": "${{ matrix.juju }}", "name": "${{ matrix.name }}"}
    workflow = suite(**inputs).replace("    permissions:", f"{matrix}    permissions:")
    run = machine.run(caller(workflow, tests(JUJU)))
    assert run.code == 0, run.log
    titles = [f"{call} | amd64" for call in ("Again | juju 3.6.12", "juju 3.6.12", "juju 3.6.9")]
    titled = {f"{title} | {job}" for title in titles for job in ("Collect groups", "Report")}
    assert set(run.jobs) == {*titled, "test_it.py | group 1"}
    assert {title for title in titles if f"{title}: 1 group passed, 0 failed" in run.output("Report")} == set(titles)
    calls = [
        f"logs-integration-test-charm-{call}-amd64"
        for call in ("Again-lxd-juju-3.6.12", "lxd-juju-3.6.12", "lxd-juju-3.6.9")
    ]
    assert run.names == [f"{call}-{last}" for call in calls for last in ("groups", "report", "test_it.py-group-1")]
    for version in ("3.6.12", "3.6.9"):
        assert f"  agent-version: {version}\n" in run.output()
    assert "  channel: 3.6/stable\n" in run.output()
    assert "both are empty, so no packed charm is downloaded" in run.log
    for call in calls:
        logs = run.logs(f"{call}-test_it.py-group-1")
        folders = {file.split("/")[1] for file in logs if file.startswith("juju/")}
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
    prefix = "logs-integration-test-charm-k8s-juju-3.6-edge-arm64"
    assert run.names == [f"{prefix}-{last}" for last in ("groups", "report", "test_it.py-group-1")]


def test_concierge_fails(machine: Machine, caller: Callable[..., Path], tests: Tests) -> None:
    inputs = {
        "cloud": "microk8s",
        "juju_agent_version": "3.6.12",
        "microk8s_snap_channel": "1.34-strict/stable",
        "concierge_file": "concierge.yaml",
    }
    run = machine.run(caller(suite(**inputs), tests(JUJU) | {"concierge.yaml": "providers: {microk9s: {}}"}))
    assert run.code == 1, run.log
    assert "stand-in for concierge, with trace: the file.providers has no key 'microk9s'" in run.log
    assert report(run) == [("test_it.py | group 1", "failed: pytest wrote no report", "-")]
    logs = run.logs("logs-integration-test-charm-microk8s-juju-3.6.12-amd64-test_it.py-group-1")
    assert sorted(logs) == ["job.json", "microk8s-inspect.tar.gz"]


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
tag = "v51.0.0"
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
    # It runs twice: first, the workflow asks pytest for its options.
    install = (
        "uv venv --quiet --seed --allow-existing venv && venv/bin/pip install --quiet --requirement=requirements.txt"
    )
    # `|` in YAML ends a text with a newline.
    command = f"{install} && venv/bin/pytest\n"
    files = tests("@group(1)\ndef test_it(): ...")
    del files["uv.lock"], files["pyproject.toml"]
    files["requirements.txt"] = (
        "pytest\npytest-operator-groups @ git+https://github.com/canonical/data-platform-workflows@v51.0.0"
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
            "`libjuju-version-constraint`: there is neither a poetry.lock nor a uv.lock that it could change. "
            "Set the version where the suite's dependencies are listed, such as tox.ini"
        )
    ], run.log
    assert report(run) == [("test_it.py | group 1", "failed: pytest wrote no report", "-")]


def test_load_balancer_of_microk8s(machine: Machine, caller: Callable[..., Path], tests: Tests) -> None:
    inputs = {
        "cloud": "microk8s",
        "juju_agent_version": "3.6.12",
        "microk8s_snap_channel": "1.34-strict/stable",
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
    uses: canonical/data-platform-workflows/.github/workflows/build_charms_with_cache.yaml@v51.0.0
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
    inputs = {"cloud": "k8s", "k8s_snap_channel": "1.32-classic/stable", "juju_agent_version": "3.6.12"}
    run = machine.run(caller(suite(**inputs, architecture="arm64"), files))
    assert run.code == 0, run.log
    assert "    channel: 1.32-classic/stable\n" in run.output()
    assert report(run) == [("test_it.py | group 1", "passed", "1")]


# Stands in for the plugins of v29, which a suite's lock can still pin: the options and the JSON that they write.
PLUGINS_OF_V29 = """\
import json, os

def pytest_addoption(parser):
    parser.addoption("--group", type=int)
    parser.addoption("--collect-groups", action="store_true")

def pytest_runtestloop(session):
    if not session.config.getoption("--collect-groups"):
        return None
    groups = [{
        "path_to_test_file": "tests/integration/test_it.py",
        "group_id": 1,
        "job_name": "test_it.py | group 1",
        "artifact_group_id": "test_it.py-group-1",
        "runner": None,
    }]
    with open(os.environ["GITHUB_OUTPUT"], "a") as file:
        file.write(f"groups={json.dumps(groups)}")
    return True
"""


def test_caller_of_v29(machine: Machine, caller: Callable[..., Path]) -> None:
    workflow = """\
on: pull_request
jobs:
  build:
    strategy:
      fail-fast: false
      matrix:
        path: [., ./charms/two/]
    name: Build charm | ${{ matrix.path }}
    uses: canonical/data-platform-workflows/.github/workflows/build_charm.yaml@v51.0.0
    with:
      path-to-charm-directory: ${{ matrix.path }}
    permissions:
      actions: write # Needed to manage GitHub Actions cache
  integration-test:
    name: Integration test charm
    needs: build
    if: always() # act loses results and outputs of a workflow that only calls another one
    uses: canonical/data-platform-workflows/.github/workflows/integration_test_charm.yaml@v51.0.0
    with:
      artifact-prefix: packed-charm-cache-true
      cloud: microk8s
      microk8s-snap-channel: latest/edge/strict
      juju-agent-version: 3.6.12
    permissions:
      contents: write # Needed for Allure Report beta
"""
    text = """
import glob

def test_charms():
    assert sorted(glob.glob("**/*.charm", recursive=True)) == [
        "charms/two/two_ubuntu@24.04-amd64.charm", "one_ubuntu@24.04-amd64.charm"
    ]
"""
    files = {
        "charmcraft.yaml": CHARM.format(name="one", platform="ubuntu@24.04:amd64"),
        "charms/two/charmcraft.yaml": CHARM.format(name="two", platform="ubuntu@24.04:amd64"),
        "charms/three/charmcraft.yaml": CHARM.format(name="three", platform="ubuntu@24.04:amd64"),
        "tox.ini": "[testenv:integration]\ndeps = pytest\npass_env = GITHUB_OUTPUT\ncommands = pytest {posargs}\n",
        "pytest.ini": "[pytest]\nmarkers = unstable\n",
        "tests/integration/conftest.py": PLUGINS_OF_V29,
        "tests/integration/test_it.py": text,
    }
    run = machine.run(caller(workflow, files))
    assert run.code == 0, run.log
    assert len(re.findall("^stand-in: charmcraft pack", run.log, flags=re.MULTILINE)) == 2
    assert report(run) == [("test_it.py | group 1", "passed", "1")]
    packed = [name for name in run.names if name.startswith("packed-charm")]
    assert [re.sub("[0-9a-f]{8}$", "", name) for name in packed] == [
        f"packed-charm-cache-true--packed-charm-{name}-ubuntu@24.04-amd64-" for name in ("one", "two")
    ]
