"""The documentation is true: what it says to type is run, and what it shows is what comes out."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import textwrap
from typing import TYPE_CHECKING, Any

import pytest
from pages import (
    BLOCKS,
    DOCUMENTS,
    IGNORED,
    PASSED,
    ROOT,
    Block,
    blocks,
    lines,
    read_table,
    run,
    secret,
    secrets_of,
)  # fmt: skip
from pytest_operator_groups.run.run_groups import read_options
from ruamel.yaml import YAML

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WORKFLOWS = ROOT / ".github/workflows"
REUSABLE = sorted(WORKFLOWS.glob("[!_]*.yaml"))
# By default, zizmor wants every `uses:` pinned by commit. Only this repository's releases are called by their tags.
ZIZMOR = """\
    rules:
      unpinned-uses:
        config:
          policies:
            canonical/data-platform-workflows/*: ref-pin
            "*": hash-pin
    """


def evaluate(text: str) -> str:
    """Return what GitHub makes of a text with secrets."""
    return re.sub(PASSED, lambda match: json.dumps(secret(match[1])), text)


def read_yaml(text: str) -> Any:
    return YAML(typ="safe").load(text)


@lines("(.* )?pytest")
def test_pytest_line(line: Block, suite: Path) -> None:
    assert run(line.text, suite)


@pytest.mark.slow
@lines("run-groups")
def test_run_groups_line(line: Block, suite: Path) -> None:
    assert " groups passed, 0 failed in " in run(line.text, suite)


@pytest.mark.slow
@lines("write-spread-tasks")
def test_write_spread_tasks_line(line: Block, tmp_path: Path) -> None:
    suite = tmp_path / "suite"
    shutil.copytree(ROOT / "examples/service_suite", suite, ignore=IGNORED)
    assert run(line.text.replace(" --check", ""), suite) == "tests/spread: 4 tasks, 4 written, 0 removed\n"
    if "--check" in line.text:
        assert run(line.text, suite) == "tests/spread: 4 tasks, all up to date\n"


@blocks("yaml", "JUJU_CHANNEL/")
def test_template_of_tasks(block: Block, tmp_path: Path) -> None:
    suite = tmp_path / "suite"
    shutil.copytree(ROOT / "examples/service_suite", suite, ignore=IGNORED)
    (suite / "tests/spread").mkdir()
    (suite / "tests/spread/template.yaml").write_text(block.text)
    options = re.findall("--template [^ `]*", block.document.read_text())
    assert " 4 written" in run(f"write-spread-tasks tests/integration {options[0]}", suite)
    (task, *_) = (suite / "tests/spread").glob("*/task.yaml")
    assert read_yaml(block.text)["environment"].items() <= read_yaml(task.read_text())["environment"].items()


@blocks("yaml", "suites:")
def test_spread_yaml(block: Block) -> None:
    # `make e2e` reads them with the real spread.
    name = "spread.yaml" if block.text.startswith("project:") else "charmcraft-test.yaml"
    assert block.text == (ROOT / "examples/machine_charm" / name).read_text()


@pytest.mark.usefixtures("real_charmcraft")
def test_example_for_charmcraft_test() -> None:
    read = "from craft_application.models import CraftTestYaml as M; print(*M.from_yaml_file(p).suites)"
    command = [
        str(ROOT / ".tools/charmcraft/bin/python"),
        "-c",
        f"import pathlib; p = pathlib.Path('charmcraft-test.yaml'); {read}",
    ]
    assert run(command, ROOT / "examples/machine_charm") == "tests/spread/\n"


@lines("charmcraft")
def test_charmcraft_line(line: Block, tmp_path: Path, real_charmcraft: Path) -> None:
    run(f"{real_charmcraft.parent}/{line.text} --help", tmp_path)


@lines("go")
def test_go_line(line: Block) -> None:
    assert line.text.removeprefix("go install ") in (ROOT / "tests/bin/install").read_text(), "what the tests use"


@blocks("yaml", "# Written by write-spread-tasks")
def test_task_of_spread(block: Block, tmp_path: Path) -> None:
    (tmp_path / "tests/integration").mkdir(parents=True)
    test = "import pytest\n@pytest.mark.group('AWS')\ndef test_one(): ..."
    (tmp_path / "tests/integration/test_backup.py").write_text(test)
    run("write-spread-tasks", tmp_path)
    assert (tmp_path / "tests/spread/test_backup-aws/task.yaml").read_text() == block.text


@blocks("toml", "[tool.run-groups]")
def test_defaults_of_run_groups(block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pyproject.toml").write_text(block.text)
    monkeypatch.chdir(tmp_path)
    options = read_options([])
    assert (options.paths, options.jobs, options.timeout) == (["tests/integration"], 4, 3600)
    assert options.test_command == ["tox", "run", "-e", "integration", "--"]


@blocks("python")
def test_python_block(block: Block, suite: Path) -> None:
    assert " passed" in run("pytest -p no:randomly -W error --strict-markers", suite)


@blocks("text", "LOWER BOUND")
def test_shown_plan(block: Block, tmp_path: Path) -> None:
    minutes = {"a": 10, "b": 40, "c": 30, "d": 20, "e": 5, "f": 5}
    groups: dict[str, dict[str, object]] = {
        name: {
            "path_to_test_file": name,
            "group_id": "1",
            "job_name": name,
            "artifact_group_id": name,
            "runner": "large" if name in "ef" else None,
        }
        for name in minutes
    }
    known = [groups[name] | {"runs": [{"set_up": 360, "seconds": 60 * minutes[name]}]} for name in minutes]
    (tmp_path / "groups.json").write_text(json.dumps([*groups.values()]))
    (tmp_path / "durations.json").write_text(json.dumps({"groups": known}))
    files = "--groups groups.json --durations durations.json"
    assert run(f"plan-groups {files} --max-runners 3 2>&1 >/dev/null", tmp_path) == block.text


@blocks("text", "COMMAND")
def test_shown_output(block: Block, suite: Path) -> None:
    assert block.text in run("pytest tests/integration --collect-groups", suite)


@blocks("json", '"digest"')
def test_shown_charm(block: Block, suite: Path) -> None:
    shown = json.loads(block.text)
    (collected,) = json.loads(run("collect-charms", suite).removeprefix("charms="))
    assert len(collected.pop("digest")) == len(shown.pop("digest"))
    assert shown == collected


@blocks("json", '"group_id"')
def test_shown_group(block: Block, suite: Path) -> None:
    lines = run("pytest tests/integration --collect-groups", suite).splitlines()
    (groups,) = [json.loads(line) for line in lines if line.startswith("[{")]
    assert json.loads(block.text) in groups


@blocks("json", "renovate")
def test_renovate(block: Block, tmp_path: Path) -> None:
    (tmp_path / "renovate.json").write_text(block.text)
    assert run(["check-jsonschema", "--builtin-schema=vendor.renovate", "renovate.json"], tmp_path)
    (manager,) = json.loads(block.text)["customManagers"]
    (files,), (dependency,) = (
        # JavaScript writes the names of groups in another way, and slashes around a pattern that isn't a glob.
        [re.compile(pattern.replace("(?<", "(?P<").strip("/")) for pattern in manager[key]]
        for key in ("managerFilePatterns", "matchStrings")
    )
    for name, count in {"machine_charm/tox.ini": 3, "service_suite/pyproject.toml": 2}.items():
        assert files.search(name)
        found = [match.groupdict() for match in dependency.finditer((ROOT / "examples" / name).read_text())]
        assert found == count * [{"depName": "canonical/data-platform-workflows", "currentValue": "v51.0.0"}]


@lines("charm-digest|collect-charms")
def test_command_of_a_workflow(line: Block, suite: Path) -> None:
    assert re.search("[0-9a-f]{64}", run(line.text, suite))


@lines("find-charm")
def test_find_charm_line(line: Block, suite: Path) -> None:
    run("charmcraft pack", suite)
    assert run(line.text, suite) == f"{suite}/demo_ubuntu@22.04-amd64.charm\n"


@lines("charm-cache")
def test_charm_cache_line(line: Block, suite: Path) -> None:
    assert "0 in " in run(line.text, suite)


@lines("make")
def test_make_line(line: Block) -> None:
    assert run(f"{line.text} --dry-run", ROOT)


def test_make_lists_the_commands_that_are_documented() -> None:
    listed = re.findall(r"^  make ([a-z0-9-]+)", run("make", ROOT), flags=re.MULTILINE)
    documented = re.findall(r"^\| `make ([a-z0-9-]+)`", (ROOT / "CONTRIBUTING.md").read_text(), flags=re.MULTILINE)
    assert sorted(listed) == sorted(["help", *documented])


@pytest.fixture
def workflows(tmp_path: Path) -> list[str]:
    """Write the documentation's workflows to files: to start what checks them takes longer than to check one."""
    found = [block for block in BLOCKS if block.language == "yaml" and "jobs:" in block.text]
    files = [tmp_path / f".github/workflows/{block.document.stem}-{number}.yaml" for number, block in enumerate(found)]
    files[0].parent.mkdir(parents=True)
    for file, block in zip(files, found, strict=True):
        file.write_text(block.text)
    return [str(file) for file in files]


def test_workflows(workflows: list[str], tmp_path: Path) -> None:
    assert run(["check-jsonschema", "--builtin-schema=vendor.github-workflows", *workflows], tmp_path)
    (tmp_path / "zizmor.yml").write_text(textwrap.dedent(ZIZMOR))
    run(["zizmor", "--offline", "--config=zizmor.yml", "--persona=auditor", *workflows], tmp_path)


@pytest.mark.long
def test_workflows_by_actionlint(workflows: list[str], tmp_path: Path) -> None:
    if not shutil.which("go"):
        pytest.skip("actionlint is built with Go, which is not here")
    run([str(ROOT / "tests/bin/install"), "actionlint"], tmp_path)
    assert run([str(ROOT / ".tools/go/actionlint"), "-no-color", *workflows], tmp_path) == ""


@blocks("yaml", "jobs:")
def test_workflow_passes_secrets(block: Block, tmp_path: Path) -> None:
    names = {"SECRETS": "redact-secrets", "SECRETS_FROM_GITHUB": "pytest tests/integration"}
    passed = []
    for job in read_yaml(block.text)["jobs"].values():
        for step in job.get("steps", []):
            passed += [(step["run"], {name: text}) for name, text in step.get("env", {}).items() if name in names]
        for text in job.get("secrets", {}).values():
            passed += [(command, {name: text}) for name, command in names.items()]
    secrets = secrets_of(block.text)
    assert set(re.findall(r"secrets\.(\w+)", block.text)) == set(secrets)
    assert bool(passed) == bool(secrets)
    (tmp_path / "tests/integration").mkdir(parents=True)
    (tmp_path / "tests/integration/test_secrets.py").write_text(
        f"def test_secrets(github_secrets):\n    assert github_secrets == {secrets!r}"
    )
    for command, variables in passed:
        shown = run(command, tmp_path, step={name: evaluate(text) for name, text in variables.items()})
        masked = f"\n{len(secrets)} secret{'s' if len(secrets) > 1 else ''} masked\n"
        assert (masked if "SECRETS" in variables else "1 passed") in shown


def permissions(workflow: dict[str, Any]) -> dict[str, str]:
    """Return what the jobs of a workflow need. Those without `permissions` check out the repository."""
    checkout = {"contents": "read"}
    jobs = workflow["jobs"].values()
    return {name: value for job in jobs for name, value in job.get("permissions", checkout).items()}


def cell(default: object) -> str:
    """Return what a table has for the default of an input."""
    text = default if isinstance(default, str) else json.dumps(default)
    return f"`{text}`" if text else ""


@blocks("yaml", "uses: canonical/")
def test_workflow_calls_ours(block: Block) -> None:
    for job in read_yaml(block.text)["jobs"].values():
        called = re.fullmatch(
            r"canonical/data-platform-workflows/\.github/workflows/(\w+\.yaml)@v51\.0\.0", job.get("uses", "")
        )
        if called:
            workflow = read_yaml((WORKFLOWS / called[1]).read_text())
            call = workflow["on"]["workflow_call"]
            required = {name for name, values in call["inputs"].items() if values.get("required")}
            assert required <= set(job.get("with", {})) <= set(call["inputs"])
            assert set(job.get("secrets", {})) <= set(call.get("secrets", {}))
            assert job["permissions"] == permissions(workflow)


@blocks("yaml", "integration_test_charm.yaml@")
def test_inputs_of_a_workflow(block: Block, tmp_path: Path) -> None:
    for inputs in calls(block):
        shown = run("check-inputs", tmp_path, step={"INPUTS": json.dumps(inputs)})
        assert shown.startswith("artifact=logs-integration-test-charm-")


@blocks("yaml", "providers:")
def test_file_for_concierge(block: Block, tmp_path: Path) -> None:
    usage = next(other for other in BLOCKS if other.document == block.document and other.language == "yaml")
    (inputs,) = calls(usage)
    without = dict.fromkeys(("DOCKERHUB_MIRROR", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"), "")
    assert run("write-concierge", tmp_path, without, step={"INPUTS": json.dumps(inputs)}) == block.text


def calls(block: Block) -> Iterator[dict[str, Any]]:
    """Yield the inputs of each call of the workflow for integration tests, as GitHub has them."""
    call = read_yaml((WORKFLOWS / "integration_test_charm.yaml").read_text())["on"]["workflow_call"]
    defaults = {name: values.get("default", "") for name, values in call["inputs"].items()}
    (job,) = (job for job in read_yaml(block.text)["jobs"].values() if "integration_test_charm" in job.get("uses", ""))
    matrix = job.get("strategy", {}).get("matrix", {})
    for values in itertools.product(*matrix.values()):
        context = {f"matrix.{name}": value for name, value in zip(matrix, values, strict=True)}
        context["needs.build.outputs.artifact-name"] = "charms-packed-with-cache"
        context["needs.build.outputs.artifact-prefix"] = "packed-charm"
        yield defaults | {
            name: context[value.strip("${} ")] if str(value).startswith("${{") else value
            for name, value in job["with"].items()
        }


@pytest.mark.parametrize("workflow", REUSABLE, ids=lambda workflow: workflow.name)
def test_tables_of_a_workflow(workflow: Path) -> None:
    document, content = workflow.with_suffix(".md"), read_yaml(workflow.read_text())
    call = content["on"]["workflow_call"]
    assert read_table(document, "input") == {
        name: "required" if values.get("required") else cell(values["default"])
        for name, values in call["inputs"].items()
    }
    assert set(read_table(document, "secret")) == set(call.get("secrets", {}))
    assert set(read_table(document, "output")) == set(call.get("outputs", {}))
    asked = {f"{name}: {value}" for name, value in permissions(content).items()}
    assert set(read_table(document, "permission")) == asked


@blocks("ini", "default_group")
def test_default_group(block: Block, suite: Path) -> None:
    (suite / "pytest.ini").write_text(block.text)
    (suite / "tests/integration/test_unmarked.py").write_text("def test_one(): ...")
    assert "1 passed" in run("pytest --strict-config tests/integration/test_unmarked.py --group=1", suite)


@blocks("ini", "charm_cache")
def test_pytest_ini(block: Block, suite: Path) -> None:
    (suite / "pytest.ini").write_text(block.text)
    assert " kept, packed in " in run("pytest -W error --strict-config tests", suite)
    assert " taken from the cache, " in run("pytest -W error --strict-config tests", suite)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: str(document.relative_to(ROOT)))
def test_links(document: Path) -> None:
    # What a README says on PyPI needs whole URLs, also of this repository.
    for target in re.findall(r"\]\(([^)]+)\)", document.read_text()):
        in_repository = re.fullmatch(
            r"https://github\.com/canonical/data-platform-workflows/(?:blob|tree)/main/(.*)", target
        )
        if target.startswith("https://") and not in_repository:
            continue
        path, _, anchor = (in_repository[1] if in_repository else target).partition("#")
        folder = ROOT if in_repository else document.parent
        linked = (folder / path).resolve() if path else document
        assert linked.exists(), target
        if anchor:
            readme = linked / "README.md" if linked.is_dir() else linked
            prose = re.sub(r"^( *)```.*?^\1```$", "", readme.read_text(), flags=re.MULTILINE | re.DOTALL)
            headings = re.findall(r"^#+ (.*)", prose, flags=re.MULTILINE)
            assert anchor in [re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings]
