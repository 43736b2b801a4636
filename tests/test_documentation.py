"""The documentation is true: what it says to type is run, and what it shows is what comes out."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from ruamel.yaml import YAML

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[1]
DOCUMENTS = [
    document
    for pattern in (
        "*.md",
        "python/pytest_plugins/*/*.md",
        "examples/**/*.md",
        ".github/workflows/*.md",
        "tests/*/*.md",
    )
    for document in sorted(ROOT.glob(pattern))
]
# Values that break a string unless they are escaped.
SECRETS = {"AWS_ACCESS_KEY_ID": 'AKIA"%\\', "AWS_SECRET_ACCESS_KEY": "-----BEGIN-----\n'hunter22'\n-----END-----\n"}
# What charmcraft needs to pack a charm without installing anything.
CHARM = """\
    name: demo
    type: charm
    summary: A charm
    description: A charm of the tests
    parts: {files: {plugin: dump, source: ., stage: [-charmcraft.yaml]}}
    platforms:
      ubuntu@22.04:amd64:
    """
ACTIONLINT = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12"


@dataclass(frozen=True)
class Block:
    """A fenced block of code in a document."""

    document: Path
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.document.relative_to(ROOT)}: {self.text.strip().splitlines()[0][:60]}"


def read_blocks(document: Path) -> list[Block]:
    found = re.findall(r"^( *)```(\w*)\n(.*?)^\1```$", document.read_text(), flags=re.MULTILINE | re.DOTALL)
    return [
        Block(document, language, re.sub(rf"^{indentation}", "", text, flags=re.MULTILINE))
        for indentation, language, text in found
    ]


BLOCKS = [block for document in DOCUMENTS for block in read_blocks(document)]
LINES = [
    Block(block.document, "shell", line)
    for block in BLOCKS
    if block.language == "shell"
    for line in block.text.splitlines()
]


def blocks(language: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("block", [block for block in BLOCKS if block.language == language], ids=str)


def lines(program: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("line", [line for line in LINES if line.text.split()[0] == program], ids=str)


def run(
    command: str | list[str],
    directory: Path,
    environment: Mapping[str, str] | None = None,
    step: Mapping[str, str] | None = None,
) -> str:
    """Run a shell line, or a command, with this environment's programs, and return what it prints."""
    variables = {**os.environ, **(environment or {})}
    variables["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{variables['PATH']}"
    for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "MAKEFLAGS", "PYTEST_ADDOPTS", "VIRTUAL_ENV"):
        variables.pop(name, None)
    variables |= step or {}
    result = subprocess.run(
        command,
        shell=isinstance(command, str),
        cwd=directory,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, f"{result.stdout}\n{result.stderr}"
    return result.stdout


@pytest.fixture
def suite(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """Write the Python block of the document at hand to the file that it names, for a run with its secrets."""
    document = (request.node.callspec.params.get("block") or request.node.callspec.params["line"]).document
    (code,) = [block.text for block in BLOCKS if block.document == document and block.language == "python"]
    (name,) = set(re.findall(r"`(tests/integration/\w+\.py)`", document.read_text()))
    (tmp_path / name).parent.mkdir(parents=True)
    (tmp_path / name).write_text(code)
    monkeypatch.setenv("SECRETS_FROM_GITHUB", json.dumps(SECRETS))
    if "packed_charm" in code:
        if not (ROOT / ".tools/charmcraft/bin/charmcraft").exists():
            pytest.skip("the real charmcraft is not here: make charmcraft")
        (tmp_path / "charmcraft.yaml").write_text(textwrap.dedent(CHARM))
        monkeypatch.delenv("CI", raising=False)
        monkeypatch.setenv("PATH", str(ROOT / "tests/bin"), prepend=os.pathsep)
        monkeypatch.setenv("CRAFT_BUILD_ENVIRONMENT", "host")
        for variable, kind in (("XDG_CACHE_HOME", "cache"), ("XDG_STATE_HOME", "state")):
            monkeypatch.setenv(variable, str(tmp_path_factory.mktemp(kind)))
    return tmp_path


def test_every_block_is_tested() -> None:
    assert {block.language for block in BLOCKS} == {"ini", "json", "python", "shell", "text", "yaml"}
    assert {line.text.split()[0] for line in LINES} == {
        "charm-digest", "collect-charms", "make", "pip", "poetry", "pytest", "run-groups",
        "SECRETS_FROM_GITHUB='{\"AWS_ACCESS_KEY_ID\":", "uv",
    }  # fmt: skip


@pytest.mark.parametrize("line", [line for line in LINES if " pytest " in f" {line.text}"], ids=str)
def test_pytest_line(line: Block, suite: Path) -> None:
    assert run(line.text, suite)


@lines("run-groups")
def test_run_groups_line(line: Block, suite: Path) -> None:
    assert " groups passed, 0 failed in " in run(line.text, suite)


@blocks("python")
def test_python_block(block: Block, suite: Path) -> None:
    assert " passed" in run("pytest -p no:randomly -W error --strict-markers", suite)


@blocks("text")
def test_shown_output(block: Block, suite: Path) -> None:
    assert block.text in run("pytest tests/integration --collect-groups", suite)


@blocks("json")
def test_shown_json(block: Block, suite: Path) -> None:
    if "digest" in block.text:
        shown = json.loads(block.text)
        (collected,) = json.loads(run("collect-charms", suite).removeprefix("charms="))
        assert len(collected.pop("digest")) == len(shown.pop("digest"))
        assert shown == collected
    else:
        assert json.loads(block.text) in json.loads(run("pytest tests/integration --collect-groups -qq", suite))


@pytest.mark.parametrize("line", [line for line in LINES if re.match("charm-|collect-", line.text)], ids=str)
def test_command_of_a_workflow(line: Block, suite: Path) -> None:
    assert re.search("[0-9a-f]{64}", run(line.text, suite))


@pytest.mark.parametrize("line", [line for line in LINES if line.text.split()[0] in {"pip", "poetry", "uv"}], ids=str)
def test_installation(line: Block, suite: Path, served: dict[str, str]) -> None:
    environment = served | {
        "POETRY_VIRTUALENVS_IN_PROJECT": "true",
        "POETRY_SYSTEM_GIT_CLIENT": "true",
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        "SECRETS_FROM_GITHUB": json.dumps(SECRETS),
    }
    (suite / "pyproject.toml").write_text('[project]\nname = "charm"\nversion = "0"\nrequires-python = ">=3.10,<4"\n')
    if line.text.startswith("pip"):
        run("uv venv --quiet --seed", suite, environment)
    elif line.text.startswith("poetry"):
        # As it is, Poetry can't read a mirror of PyPI that answers in HTML alone; as a source of the project's, it can.
        index = "from poetry.repositories.pypi_repository import PyPiRepository as Index; print(Index().url)"
        run(f"poetry source add --priority=primary index $(python -c '{index}')", suite, environment)
    run(line.text.replace("pip install", ".venv/bin/pip install"), suite, environment)
    assert run(".venv/bin/pytest tests/integration --strict-markers", suite, environment)


@lines("make")
def test_make_line(line: Block) -> None:
    assert run(f"{line.text} --dry-run", ROOT)


def test_make_lists_the_commands_that_are_documented() -> None:
    listed = re.findall(r"^  make ([a-z-]+)", run("make", ROOT), flags=re.MULTILINE)
    documented = re.findall(r"^\| `make ([a-z-]+)`", (ROOT / "CONTRIBUTING.md").read_text(), flags=re.MULTILINE)
    assert sorted(listed) == sorted(["help", *documented])


@blocks("yaml")
def test_workflow(block: Block, tmp_path: Path) -> None:
    workflow = tmp_path / ".github/workflows/workflow.yaml"
    workflow.parent.mkdir(parents=True)
    workflow.write_text(block.text)
    assert run(["check-jsonschema", "--builtin-schema=vendor.github-workflows", str(workflow)], tmp_path)
    run(["zizmor", "--offline", "--no-config", "--persona=auditor", str(workflow)], tmp_path)


@blocks("yaml")
def test_workflow_by_actionlint(block: Block, tmp_path: Path) -> None:
    if not shutil.which("go"):
        pytest.skip("actionlint is built with Go, which is not here")
    workflow = tmp_path / "workflow.yaml"
    workflow.write_text(block.text)
    assert run(["go", "run", ACTIONLINT, "-no-color", str(workflow)], tmp_path) == ""


@blocks("yaml")
def test_workflow_passes_secrets(block: Block, tmp_path: Path) -> None:
    def to_json(match: re.Match[str]) -> str:
        return json.dumps(SECRETS[match[1]])

    passed = [
        (step["run"], {name: re.sub(r"\$\{\{ toJSON\(secrets\.(\w+)\) \}\}", to_json, value)})
        for job in YAML(typ="safe").load(block.text)["jobs"].values()
        for step in job["steps"]
        for name, value in step.get("env", {}).items()
        if name in {"SECRETS", "SECRETS_FROM_GITHUB"}
    ]
    if "github_secrets" in str(block.document):
        (redact, secrets), (test, secrets_from_github) = passed
        assert run(redact, tmp_path, step=secrets).endswith("\n2 secrets masked\n")
        (tmp_path / "tests/integration").mkdir(parents=True)
        (tmp_path / "tests/integration/test_secrets.py").write_text(
            f"def test_secrets(github_secrets):\n    assert github_secrets == {SECRETS!r}"
        )
        assert "1 passed" in run(test, tmp_path, step=secrets_from_github)
    else:
        assert not passed


@pytest.mark.parametrize("block", [block for block in BLOCKS if "[pytest]" in block.text], ids=str)
def test_pytest_ini(block: Block, suite: Path) -> None:
    (suite / "pytest.ini").write_text(block.text)
    assert " kept, packed in " in run("pytest -W error --strict-config tests", suite)
    assert " taken from the cache, " in run("pytest -W error --strict-config tests", suite)


@pytest.mark.parametrize("block", [block for block in BLOCKS if "[testenv:integration]" in block.text], ids=str)
def test_tox(block: Block, suite: Path, served: dict[str, str], tmp_path: Path) -> None:
    (suite / "tox.ini").write_text(block.text)
    (workflow,) = [other.text for other in BLOCKS if other.document == block.document and other.language == "yaml"]
    collect, test = (
        # The stand-in for GitHub is in variables that tox does not pass on.
        line.replace(" -- ", " --override testenv:integration.pass_env+=GIT_CONFIG_* -- ")
        for line in re.findall(r"run: (tox run .*)", workflow)
    )
    output = tmp_path / "output"
    run(collect, suite, served, {"GITHUB_OUTPUT": str(output)})
    groups = json.loads(output.read_text().removeprefix("groups="))
    assert [group["group_id"] for group in groups] == ["1", "AWS", "GCP", "backup"]
    shown = run(test, suite, served, {"TEST_FILE": groups[0]["path_to_test_file"], "GROUP": groups[0]["group_id"]})
    assert "2 passed, 4 deselected" in shown


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: str(document.relative_to(ROOT)))
def test_links(document: Path) -> None:
    text = document.read_text()
    for target in re.findall(r"\]\(([^)]+)\)", text):
        if not target.startswith("https://"):
            path, _, anchor = target.partition("#")
            linked = (document.parent / path).resolve() if path else document
            assert linked.exists(), target
            if anchor:
                readme = linked / "README.md" if linked.is_dir() else linked
                headings = re.findall(r"^#+ (.*)", readme.read_text(), flags=re.MULTILINE)
                assert anchor in [re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings]
