"""`collect-charms` and `charm-digest`: what the build workflow is told."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pytest_operator_cache import _commands
from pytest_operator_cache._charm import read
from pytest_operator_cache._collect import RUNNERS
from pytest_operator_cache._packed import Wanted, find, machine

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import MakeCharm

UBUNTU = {"name": "ubuntu"}
JAMMY, FOCAL = {**UBUNTU, "channel": "22.04"}, {**UBUNTU, "channel": "20.04"}
ON_AMD64, ON_ARM64 = {"architectures": ["amd64"]}, {"architectures": ["arm64"]}
ON_BOTH = {"architectures": ["amd64", "arm64"]}

# What packs each platform of a charm alone, on a runner of its architecture.
PACK_ARGUMENTS = [
    ({"platforms": {"ubuntu@22.04:amd64": None, "ubuntu@24.04:arm64": None}}, ["", ""]),
    (
        {"platforms": {"ubuntu@22.04:amd64": None, "ubuntu@24.04:amd64": None, "ubuntu@24.04:arm64": None}},
        ["--platform=ubuntu@22.04:amd64", "--platform=ubuntu@24.04:amd64", ""],
    ),
    (
        {"base": "ubuntu@22.04", "platforms": {"amd64": None, "foreign": {"build-on": "amd64", "build-for": "arm64"}}},
        ["--platform=amd64", "--platform=foreign"],
    ),
    ({"bases": [JAMMY]}, [""]),
    ({"bases": [JAMMY, FOCAL]}, ["--platform=ubuntu-22.04-amd64", "--platform=ubuntu-20.04-amd64"]),
    ({"bases": [{**JAMMY, **ON_AMD64}, {**FOCAL, **ON_ARM64}]}, ["", ""]),
    # On arm64, the first entry is for arm64.
    ({"bases": [JAMMY, {**FOCAL, **ON_ARM64}]}, ["", "--platform=ubuntu-20.04-arm64"]),
    (
        {"bases": [{**JAMMY, **ON_BOTH}, FOCAL]},
        ["--platform=ubuntu-22.04-amd64-arm64", "--platform=ubuntu-20.04-amd64"],
    ),
    (
        {"bases": [{"build-on": [{**JAMMY, **ON_BOTH}], "run-on": [JAMMY]}, {**FOCAL, **ON_AMD64}]},
        ["--platform=ubuntu-22.04-amd64", "", "--platform=ubuntu-20.04-amd64"],
    ),
    ({"bases": [{"build-on": [JAMMY], "run-on": [JAMMY, FOCAL]}]}, [""]),
    ({"bases": [{"build-on": [JAMMY], "run-on": [FOCAL]}]}, [""]),
    (
        {"bases": [{"build-on": [{**JAMMY, **ON_AMD64}], "run-on": [JAMMY, FOCAL]}, {**JAMMY, **ON_ARM64}]},
        ["", ""],
    ),
]


@pytest.fixture
def collect(pytester: pytest.Pytester, capsys: pytest.CaptureFixture[str]) -> Callable[..., list[dict[str, str]]]:
    """Run collect-charms, which succeeds, and return what it writes."""

    def run(*arguments: str) -> list[dict[str, str]]:
        capsys.readouterr()
        assert _commands.collect_charms(arguments) == 0
        name, _, value = capsys.readouterr().out.partition("=")
        assert name == "charms"
        jobs: list[dict[str, str]] = json.loads(value)
        return jobs

    assert pytester.path.exists()
    return run


@pytest.fixture
def error_of(pytester: pytest.Pytester, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run a command, which fails, and return its message."""

    def run(command: Callable[..., int] = _commands.collect_charms, *arguments: str) -> str:
        capsys.readouterr()
        assert command(arguments) == 1
        output = capsys.readouterr()
        assert not output.out
        return output.err.replace(str(pytester.path), "ROOT").rstrip("\n")

    return run


def test_all_that_a_job_needs(make_charm: MakeCharm, collect: Callable[..., list[dict[str, str]]]) -> None:
    make_charm(platforms={"ubuntu@22.04:amd64": None, "ubuntu@24.04:arm64": None})
    make_charm("tests/integration/application-charm", "application", base="ubuntu@24.04", platforms={"amd64": None})
    jobs = collect()
    digests = {job.pop("digest") for job in jobs}
    artifacts = {job.pop("artifact_name") for job in jobs}
    assert jobs == [
        {
            "path": ".",
            "charm": "demo",
            "platform": "ubuntu@22.04:amd64",
            "base": "ubuntu@22.04",
            "architecture": "amd64",
            "runner": "ubuntu-latest",
            "job_name": "demo | ubuntu@22.04:amd64",
            "pack_argument": "",
        },
        {
            "path": ".",
            "charm": "demo",
            "platform": "ubuntu@24.04:arm64",
            "base": "ubuntu@24.04",
            "architecture": "arm64",
            "runner": "ubuntu-24.04-arm",
            "job_name": "demo | ubuntu@24.04:arm64",
            "pack_argument": "",
        },
        {
            "path": "tests/integration/application-charm",
            "charm": "application",
            "platform": "amd64",
            "base": "ubuntu@24.04",
            "architecture": "amd64",
            "runner": "ubuntu-latest",
            "job_name": "tests/integration/application-charm | amd64",
            "pack_argument": "",
        },
    ]
    assert len(digests) == len(artifacts) == 3
    assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in digests)
    # Without what upload-artifact refuses: https://github.com/actions/upload-artifact
    assert all(re.fullmatch("[A-Za-z0-9._@-]+", artifact) for artifact in artifacts)


@pytest.mark.parametrize(
    ("project", "platforms"),
    [
        # https://documentation.ubuntu.com/charmcraft/stable/reference/platforms
        (
            {"base": "ubuntu@24.04", "platforms": {"arm64": None}},
            [("arm64", "ubuntu@24.04", "arm64", "ubuntu-24.04-arm")],
        ),
        (
            {"base": "ubuntu@24.04", "platforms": {"any": {"build-on": ["arm64", "amd64"], "build-for": "amd64"}}},
            "Platform name 'any' is reserved.",
        ),
        (
            {"base": "ubuntu@24.04", "platforms": {"mine": {"build-on": ["arm64", "amd64"], "build-for": "amd64"}}},
            [("mine", "ubuntu@24.04", "amd64", "ubuntu-latest")],
        ),
        (
            {"base": "ubuntu@24.04", "platforms": {"mine": {"build-on": "amd64", "build-for": ["riscv64"]}}},
            [("mine", "ubuntu@24.04", "riscv64", "ubuntu-latest")],
        ),
        (
            {"base": "ubuntu@24.04", "platforms": {"mine": {"build-on": ["arm64"], "build-for": ["all"]}}},
            [("mine", "ubuntu@24.04", "all", "ubuntu-24.04-arm")],
        ),
        (
            {"base": "ubuntu@26.04", "build-base": "ubuntu@devel", "platforms": {"amd64": None}},
            [("amd64", "ubuntu@26.04", "amd64", "ubuntu-latest")],
        ),
        (
            {"platforms": {"noble": {"build-on": ["ubuntu@24.04:amd64"], "build-for": ["ubuntu@24.04:amd64"]}}},
            [("noble", "ubuntu@24.04", "amd64", "ubuntu-latest")],
        ),
        # https://documentation.ubuntu.com/charmcraft/stable/reference/files/charmcraft-yaml-file
        (
            {"bases": [JAMMY, {**FOCAL, "architectures": ["arm64"]}]},
            [
                ("ubuntu-22.04-amd64", "ubuntu@22.04", "amd64", "ubuntu-latest"),
                ("ubuntu-20.04-arm64", "ubuntu@20.04", "arm64", "ubuntu-24.04-arm"),
            ],
        ),
        (
            {"bases": [{"build-on": [JAMMY], "run-on": [JAMMY, FOCAL]}]},
            [("ubuntu-22.04-amd64", "ubuntu@20.04, ubuntu@22.04", "amd64", "ubuntu-latest")],
        ),
        (
            {"bases": [{"build-on": [{**JAMMY, "architectures": ["amd64", "arm64"]}], "run-on": [JAMMY]}]},
            [
                ("ubuntu-22.04-amd64", "ubuntu@22.04", "amd64", "ubuntu-latest"),
                ("ubuntu-22.04-arm64", "ubuntu@22.04", "arm64", "ubuntu-24.04-arm"),
            ],
        ),
    ],
)
def test_syntaxes(
    make_charm: MakeCharm,
    collect: Callable[..., list[dict[str, str]]],
    error_of: Callable[..., str],
    project: dict[str, Any],
    platforms: list[tuple[str, ...]] | str,
) -> None:
    make_charm(**project)
    if isinstance(platforms, str):
        assert platforms in error_of()
    else:
        keys = ("platform", "base", "architecture", "runner")
        assert [tuple(job[key] for key in keys) for job in collect()] == platforms


@pytest.mark.parametrize(("project", "arguments"), PACK_ARGUMENTS)
def test_what_packs_a_platform_alone(
    make_charm: MakeCharm,
    collect: Callable[..., list[dict[str, str]]],
    project: dict[str, Any],
    arguments: list[str],
) -> None:
    make_charm(**project)
    jobs = collect()
    assert [job["pack_argument"] for job in jobs] == arguments
    assert {list(job)[-1] for job in jobs} == {"pack_argument"}


@pytest.mark.parametrize(
    ("bases", "platform"),
    [
        ([JAMMY, {"build-on": [FOCAL], "run-on": [FOCAL, JAMMY]}], "ubuntu-20.04-amd64"),
        ([{"build-on": [JAMMY], "run-on": [FOCAL]}, FOCAL], "ubuntu-22.04-amd64"),
        ([{"build-on": [JAMMY, FOCAL], "run-on": [JAMMY]}], "ubuntu-20.04-amd64"),
        ([{"build-on": [JAMMY], "run-on": [{**JAMMY, **ON_AMD64}, {**JAMMY, **ON_ARM64}]}], "ubuntu-22.04-amd64"),
    ],
)
def test_nothing_packs_a_platform_alone(
    make_charm: MakeCharm, error_of: Callable[..., str], bases: list[dict[str, Any]], platform: str
) -> None:
    make_charm(bases=bases)
    assert error_of() == (
        f"collect-charms: ROOT/charmcraft.yaml: charmcraft can't pack '{platform}' alone, for its entry of `bases` "
        "runs on several bases, or on another one than it is built on. Give each base an entry of its own, or write "
        "`platforms` instead of `bases`. See https://documentation.ubuntu.com/charmcraft/stable/reference/platforms"
    )


@pytest.mark.usefixtures("real_charmcraft")
@pytest.mark.parametrize("project", [project for project, _ in PACK_ARGUMENTS])
def test_real_charmcraft_packs_a_platform_alone(
    make_charm: MakeCharm, collect: Callable[..., list[dict[str, str]]], project: dict[str, Any]
) -> None:
    make_charm("charm", **project)
    for job in collect():
        if job["runner"] == RUNNERS[machine()]:
            folder = make_charm(job["artifact_name"], **project)
            command = ["charmcraft", "pack", *filter(None, [job["pack_argument"]])]
            subprocess.run(command, cwd=folder, check=True)
            (path,) = folder.glob("*.charm")
            assert path.name == f"demo_{job['platform'].replace(':', '-')}.charm"
            (packed,) = find(read(folder), Wanted(job["architecture"]))
            assert ", ".join(sorted(packed.bases)) == job["base"]


@pytest.mark.parametrize("before", ["", "before=1\n", "before=1"])
def test_output_file_of_a_step(
    make_charm: MakeCharm,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    before: str,
) -> None:
    make_charm(platforms={"ubuntu@22.04:amd64": None})
    output = tmp_path / "output"
    output.write_text(before)
    monkeypatch.setenv("GITHUB_OUTPUT", str(output))
    assert _commands.collect_charms([]) == 0
    *others, charms = output.read_text().splitlines()
    assert others == before.splitlines()
    assert json.loads(charms.removeprefix("charms="))[0]["platform"] == "ubuntu@22.04:amd64"
    assert capsys.readouterr().out == "demo | ubuntu@22.04:amd64\n"


def test_output_file_that_cannot_be_written(
    make_charm: MakeCharm, error_of: Callable[..., str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    make_charm()
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "missing/output"))
    assert error_of().startswith("collect-charms: [Errno 2] No such file or directory: ")


def test_what_is_no_charm_is_left_out(
    pytester: pytest.Pytester,
    make_charm: MakeCharm,
    collect: Callable[..., list[dict[str, str]]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    make_charm("charm", base="ubuntu@24.04", platforms={"amd64": None, "s390x": None})
    make_charm("bundle", type="bundle")
    for ignored in (".git", ".tox/integration", "__pycache__"):
        make_charm(ignored)
    (make_charm("environment/lib").parent / "pyvenv.cfg").touch()
    assert [job["platform"] for job in collect()] == ["amd64"]
    _commands.collect_charms([])
    told = capsys.readouterr().err.replace(str(pytester.path), "ROOT")
    assert told.splitlines() == [
        "ROOT/bundle/charmcraft.yaml: not a charm, but a bundle; left out",
        "ROOT/charm/charmcraft.yaml: left out, for GitHub has no runner: 's390x' is packed on s390x",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("type: bundle", "no charm: there is no charmcraft.yaml of `type: charm` in ROOT or below"),
        ("name: [", "ROOT/charmcraft.yaml: can't be read: while parsing a flow node"),
        ("type: charm", "ROOT/charmcraft.yaml: no `name`, neither here nor in metadata.yaml"),
        (
            "name: demo",
            "ROOT/charmcraft.yaml: can't tell its platforms: Unknown charm type with no bases or platforms.",
        ),
        ("name: demo\nplatforms: [amd64]", "ROOT/charmcraft.yaml: can't tell its platforms: they are malformed."),
        ("name: demo\nbases: 3", "ROOT/charmcraft.yaml: can't tell its platforms: they are malformed."),
        (
            "name: demo\nbases: [{name: ubuntu}]",
            "ROOT/charmcraft.yaml: can't tell its platforms: in `bases`, every base has",
        ),
        (
            "name: demo\nplatforms: {amd64: }",
            "ROOT/charmcraft.yaml: can't tell its platforms: No base or build-base is de",
        ),
        (
            "name: demo\nbase: ubuntu@24.04\nplatforms: {mainframe: }",
            "can't tell its platforms: Platform name 'mainframe' is not a valid Debian architecture.",
        ),
        (
            "name: demo\nbase: ubuntu@24.04\nplatforms: {s390x: , ppc64el: }",
            "runners for amd64 and arm64 alone: 's390x' is packed on s390x, 'ppc64el' is packed on ppc64el",
        ),
        (
            "name: demo\nbase: ubuntu@24.04\nplatforms: {}",
            "none of its platforms can be packed, for GitHub has runners for amd64 and arm64 alone: it has none",
        ),
    ],
)
def test_errors(pytester: pytest.Pytester, error_of: Callable[..., str], text: str, message: str) -> None:
    (pytester.path / "charmcraft.yaml").write_text(text)
    shown = error_of()
    assert message in shown
    assert "\ncollect-charms: " in f"\n{shown}"


def test_too_many_jobs(make_charm: MakeCharm, error_of: Callable[..., str]) -> None:
    make_charm(
        base="ubuntu@24.04", platforms={f"p{i}": {"build-on": ["amd64"], "build-for": ["amd64"]} for i in range(257)}
    )
    assert error_of() == "collect-charms: 257 charms and platforms: GitHub takes 256 jobs at most in one matrix"


def test_artifact_names_are_valid_and_unique(
    make_charm: MakeCharm, collect: Callable[..., list[dict[str, str]]]
) -> None:
    for folder in ("a/b", "a-b", 'a"b\n$(touch c)', "x" * 200):
        make_charm(folder, platforms={"ubuntu@22.04:amd64": None, "ubuntu@24.04:amd64": None})
    names = [job["artifact_name"] for job in collect()]
    assert len({*names}) == 8
    assert all(re.fullmatch(r"[A-Za-z0-9._@-]{1,256}", name) for name in names)


def test_digest_is_that_of_the_matrix(
    make_charm: MakeCharm, collect: Callable[..., list[dict[str, str]]], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make_charm(platforms={"ubuntu@22.04:amd64": None, "ubuntu@24.04:amd64": None})
    seen = set()
    for change in ("", "changed"):
        (folder / "README.md").write_text(change)
        for job in collect():
            assert _commands.charm_digest([job["path"], "--platform", job["platform"]]) == 0
            assert capsys.readouterr().out == f"{job['digest']}\n"
            seen.add(job["digest"])
    assert len(seen) == 4
    (folder / "README.md").unlink()
    without = collect()
    (folder / "README.md").write_text("changed")
    assert collect("--ignore=*.md", "--ignore=docs/api") == without
    assert _commands.charm_digest([".", "--platform=ubuntu@22.04:amd64", "--ignore=*.md"]) == 0
    assert capsys.readouterr().out == f"{without[0]['digest']}\n"


def test_digest_of_what_is_not_there(make_charm: MakeCharm, error_of: Callable[..., str]) -> None:
    make_charm("charm", platforms={"ubuntu@22.04:amd64": None})
    assert error_of(_commands.charm_digest, "charm", "--platform=amd64") == (
        "charm-digest: ROOT/charm/charmcraft.yaml: no platform 'amd64'. It has ubuntu@22.04:amd64."
    )
    assert error_of(_commands.charm_digest, "missing", "--platform=amd64") == (
        "charm-digest: ROOT/missing: not the folder of a charm, for it has no charmcraft.yaml"
    )
    (make_charm("charm", platforms={"amd64": None}, base="ubuntu@24.04") / "link").symlink_to("/proc/self/mem")
    assert error_of(_commands.charm_digest, "charm", "--platform=amd64") == "charm-digest: [Errno 5] Input/output error"


def test_commands_are_installed(make_charm: MakeCharm) -> None:
    folder = make_charm(platforms={"ubuntu@22.04:amd64": None})
    bin_folder = Path(sys.executable).parent
    digest = subprocess.run(
        [bin_folder / "charm-digest", ".", "--platform", "ubuntu@22.04:amd64"],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    collected = subprocess.run(
        [bin_folder / "collect-charms"], cwd=folder, check=True, capture_output=True, text=True
    ).stdout
    assert digest.strip() in collected
    usage = subprocess.run([bin_folder / "charm-digest", "."], cwd=folder, check=False, capture_output=True, text=True)
    assert usage.returncode == 2
    assert "the following arguments are required: --platform" in usage.stderr
