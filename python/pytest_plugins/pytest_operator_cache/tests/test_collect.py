"""`collect-charms` and `charm-digest`: what the build workflow is told."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_operator_cache.charm.charmcraft import host_architecture
from pytest_operator_cache.charm.packed import read_packed
from pytest_operator_cache.commands import charm_digest, collect_charms
from pytest_operator_cache.commands.collect_charms import RUNNERS
from pytest_operator_cache.common.errors import CharmError

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import MakeCharm

UBUNTU = {"name": "ubuntu"}
JAMMY, FOCAL = {**UBUNTU, "channel": "22.04"}, {**UBUNTU, "channel": "20.04"}
ON_AMD64, ON_ARM64 = {"architectures": ["amd64"]}, {"architectures": ["arm64"]}
ON_BOTH = {"architectures": ["amd64", "arm64"]}

# What packs each platform of a charm separately, on a runner of its architecture.
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
        assert collect_charms.main(arguments) == 0
        name, _, value = capsys.readouterr().out.partition("=")
        assert name == "charms"
        jobs: list[dict[str, str]] = json.loads(value)
        return jobs

    assert pytester.path.exists()
    return run


@pytest.fixture
def error_of(pytester: pytest.Pytester, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run a command, which fails, and return its message."""

    def run(command: Callable[..., int] = collect_charms.main, *arguments: str) -> str:
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
            "runner": "ubuntu-24.04",
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
            "runner": "ubuntu-24.04",
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
            [("mine", "ubuntu@24.04", "amd64", "ubuntu-24.04")],
        ),
        (
            {"base": "ubuntu@24.04", "platforms": {"mine": {"build-on": "amd64", "build-for": ["riscv64"]}}},
            [("mine", "ubuntu@24.04", "riscv64", "ubuntu-24.04")],
        ),
        (
            {"base": "ubuntu@24.04", "platforms": {"mine": {"build-on": ["arm64"], "build-for": ["all"]}}},
            [("mine", "ubuntu@24.04", "all", "ubuntu-24.04-arm")],
        ),
        (
            {"base": "ubuntu@26.04", "build-base": "ubuntu@devel", "platforms": {"amd64": None}},
            [("amd64", "ubuntu@26.04", "amd64", "ubuntu-24.04")],
        ),
        (
            {"platforms": {"noble": {"build-on": ["ubuntu@24.04:amd64"], "build-for": ["ubuntu@24.04:amd64"]}}},
            [("noble", "ubuntu@24.04", "amd64", "ubuntu-24.04")],
        ),
        # https://documentation.ubuntu.com/charmcraft/stable/reference/files/charmcraft-yaml-file
        (
            {"bases": [JAMMY, {**FOCAL, "architectures": ["arm64"]}]},
            [
                ("ubuntu-22.04-amd64", "ubuntu@22.04", "amd64", "ubuntu-24.04"),
                ("ubuntu-20.04-arm64", "ubuntu@20.04", "arm64", "ubuntu-24.04-arm"),
            ],
        ),
        (
            {"bases": [{"build-on": [JAMMY], "run-on": [JAMMY, FOCAL]}]},
            [("ubuntu-22.04-amd64", "ubuntu@20.04, ubuntu@22.04", "amd64", "ubuntu-24.04")],
        ),
        (
            {"bases": [{"build-on": [{**JAMMY, "architectures": ["amd64", "arm64"]}], "run-on": [JAMMY]}]},
            [
                ("ubuntu-22.04-amd64", "ubuntu@22.04", "amd64", "ubuntu-24.04"),
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
def test_what_packs_only_one_platform(
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
def test_nothing_packs_only_one_platform(
    make_charm: MakeCharm, error_of: Callable[..., str], bases: list[dict[str, Any]], platform: str
) -> None:
    make_charm(bases=bases)
    assert error_of() == (
        f"collect-charms: ROOT/charmcraft.yaml: charmcraft can't pack only '{platform}': its entry in `bases` "
        "runs on several bases, or on another one than it is built on. Give each base a separate entry, or write "
        "`platforms` instead of `bases`. See https://documentation.ubuntu.com/charmcraft/stable/reference/platforms"
    )


@pytest.mark.usefixtures("real_charmcraft")
@pytest.mark.parametrize("project", [project for project, _ in PACK_ARGUMENTS])
def test_real_charmcraft_packs_only_one_platform(
    make_charm: MakeCharm, collect: Callable[..., list[dict[str, str]]], project: dict[str, Any]
) -> None:
    make_charm("charm", **project)
    for job in collect():
        if job["runner"] == RUNNERS[host_architecture()]:
            folder = make_charm(job["artifact_name"], **project)
            command = ["charmcraft", "pack", *filter(None, [job["pack_argument"]])]
            subprocess.run(command, cwd=folder, check=True)
            (path,) = folder.glob("*.charm")
            assert path.name == f"demo_{job['platform'].replace(':', '-')}.charm"
            packed = read_packed(path)
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
    assert collect_charms.main([]) == 0
    text = output.read_text()
    *others, charms = text.splitlines()
    assert others == before.splitlines()
    assert text.endswith("\n")
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
    collect_charms.main([])
    told = capsys.readouterr().err.replace(str(pytester.path), "ROOT")
    assert told.splitlines() == [
        "ROOT/bundle/charmcraft.yaml: not a charm, but a bundle; left out",
        "ROOT/charm/charmcraft.yaml: left out, because GitHub has no runner for it: 's390x' is packed on s390x",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("type: bundle", "ROOT: no charmcraft.yaml with `type: charm` here or below"),
        ("name: [", "ROOT/charmcraft.yaml: can't be read: while parsing a flow node"),
        ("type: charm", "ROOT/charmcraft.yaml: no `name`, neither here nor in metadata.yaml"),
        (
            "name: demo",
            "ROOT/charmcraft.yaml: can't read its platforms: Unknown charm type with no bases or platforms.",
        ),
        (
            "name: demo\nplatforms: [amd64]",
            "ROOT/charmcraft.yaml: can't read its platforms: they are malformed. See https",
        ),
        ("name: demo\nbases: 3", "ROOT/charmcraft.yaml: can't read its platforms: they are malformed. See https"),
        (
            "name: demo\nbases: [{name: ubuntu}]",
            "ROOT/charmcraft.yaml: can't read its platforms: in `bases`, every base needs",
        ),
        (
            "name: demo\nplatforms: {amd64: }",
            "ROOT/charmcraft.yaml: can't read its platforms: No base or build-base is de",
        ),
        (
            "name: demo\nbase: ubuntu@24.04\nplatforms: {mainframe: }",
            "can't read its platforms: Platform name 'mainframe' is not a valid Debian architecture.",
        ),
        (
            "name: demo\nbase: ubuntu@24.04\nplatforms: {s390x: , ppc64el: }",
            "runners only for amd64 and arm64: 's390x' is packed on s390x, 'ppc64el' is packed on ppc64el",
        ),
        (
            "name: demo\nbase: ubuntu@24.04\nplatforms: {}",
            "none of its platforms can be packed, because GitHub has runners only for amd64 and arm64: it has none",
        ),
    ],
)
def test_errors(pytester: pytest.Pytester, error_of: Callable[..., str], text: str, message: str) -> None:
    (pytester.path / "charmcraft.yaml").write_text(text)
    shown = error_of()
    assert message in shown
    assert "\ncollect-charms: " in f"\n{shown}"


@pytest.mark.parametrize("separator", ["", "\n"])
@pytest.mark.parametrize("tag", ["int", "float", "bool", "timestamp", "binary", "null", "set", "omap", "pairs", "map"])
@pytest.mark.parametrize("value", ["''", "x", "[x]", "0x", "2024-13-45", "&a [*a]", "{x: y}", "'-'", "1:x"])
def test_value_that_does_not_fit_its_tag(
    pytester: pytest.Pytester, capsys: pytest.CaptureFixture[str], tag: str, value: str, separator: str
) -> None:
    (pytester.path / "charmcraft.yaml").write_text(
        f"name: demo{separator}\nbase: !!{tag} {value}\nplatforms: {{amd64: }}"
    )
    assert collect_charms.main([]) in {0, 1}
    assert "Traceback" not in capsys.readouterr().err


TOO_MANY = "ROOT/charmcraft.yaml: can't be read: its aliases stand for 100,000 values or more"


def bomb(form: str) -> str:
    """Return YAML in which each of nine lines stands for nine times what is in the line before."""
    aliases = (form.format(", ".join([f"*a{number - 1}"] * 9)) for number in range(1, 9))
    return "a0: &a0 {x: 1}\n" + "".join(f"a{number}: &a{number} {alias}\n" for number, alias in enumerate(aliases, 1))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: !!int ''", "ROOT/charmcraft.yaml: can't be read: a value doesn't fit its tag, such as !!int"),
        ("name: !!timestamp x", "ROOT/charmcraft.yaml: can't be read: a value doesn't fit its tag, such as !!int"),
        ("x: " + "[" * 20_000, "ROOT/charmcraft.yaml: can't be read: it is nested too deeply"),
        ("x: " + "{x: " * 20_000, "ROOT/charmcraft.yaml: can't be read: it is nested too deeply"),
        ("- " * 20_000, "ROOT/charmcraft.yaml: can't be read: it is nested too deeply"),
        (bomb("[{}]"), TOO_MANY),
        (bomb("{{<<: [{}]}}"), TOO_MANY),
        ("x: &x [*x]", TOO_MANY),
        ("type: [bundle]", "no charmcraft.yaml with `type: charm` here or below"),
        ('name: "\\ud800"', "ROOT/charmcraft.yaml: `name` is not the name of a charm"),
        ('name: "a\\nb"', "ROOT/charmcraft.yaml: `name` is not the name of a charm"),
        (
            'name: demo\nbase: ubuntu@24.04\nplatforms: {"a\\ud800": {build-on: amd64, build-for: amd64}}',
            "ROOT/charmcraft.yaml: the platform 'a\\ud800' has a name that can't be printed",
        ),
        ("name: demo\nbase: ubuntu@24.04\nplatforms: {3: }", "ROOT/charmcraft.yaml: can't read its platforms: "),
        ("name: demo\nbase: [x]\nplatforms: {amd64: }", "ROOT/charmcraft.yaml: can't read its platforms: "),
    ],
)
def test_hostile_yaml(pytester: pytest.Pytester, error_of: Callable[..., str], text: str, message: str) -> None:
    (pytester.path / "charmcraft.yaml").write_text(text)
    assert message in error_of()


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=3), st.sampled_from(["amd64", "ubuntu@24.04"])),
    lambda values: st.one_of(
        st.lists(values, max_size=3),
        st.dictionaries(
            st.sampled_from(["amd64", "name", "channel", "build-on", "build-for", "run-on", "architectures", "x"]),
            values,
            max_size=3,
        ),
    ),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(["base", "bases", "platforms", "build-base", "type", "name"]), JSON))
def test_no_charmcraft_yaml_is_a_traceback(project: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "charmcraft.yaml").write_text(json.dumps({"name": "demo", **project}))
        with suppress(CharmError):
            collect_charms.collect(Path(folder), [], lambda _: None)


def test_folder_whose_name_is_not_text(make_charm: MakeCharm, error_of: Callable[..., str]) -> None:
    make_charm("good", platforms={"ubuntu@22.04:amd64": None})
    make_charm("\udcff", platforms={"ubuntu@22.04:amd64": None})
    assert error_of() == (
        "collect-charms: the path of the charm in 'ROOT/\\udcff' is not UTF-8, so GitHub can't pass it on. "
        "Rename the folder."
    )


def test_name_that_stdout_cannot_encode(make_charm: MakeCharm) -> None:
    folder = make_charm("é", platforms={"ubuntu@22.04:amd64": None}).parent
    environment = os.environ | {"PYTHONIOENCODING": "ascii", "GITHUB_OUTPUT": str(folder / "output")}
    command = [Path(sys.executable).parent / "collect-charms"]
    printed = subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, text=True).stdout
    assert printed == "\\xe9 | ubuntu@22.04:amd64\n"
    (job,) = json.loads((folder / "output").read_text().removeprefix("charms="))
    assert job["path"] == "é"


def test_disk_that_gets_full(make_charm: MakeCharm) -> None:
    folder = make_charm("charm", platforms={"ubuntu@22.04:amd64": None}).parent
    (folder / "output").write_text("x=1\n")
    # Above this size, a write writes what fits.
    command = ["prlimit", "--fsize=20", str(Path(sys.executable).with_name("collect-charms"))]
    environment = os.environ | {"GITHUB_OUTPUT": str(folder / "output"), "PYTHONDONTWRITEBYTECODE": "1"}
    run = subprocess.run(command, cwd=folder, env=environment, check=False, capture_output=True, text=True)
    assert (run.returncode, run.stdout) == (1, "")
    # What follows is of coverage.py, which can't write either.
    said, *_ = run.stderr.splitlines()
    assert said == f"collect-charms: [Errno 28] No space left on device: '{folder / 'output'}'"
    assert (folder / "output").read_text() == "x=1\n"


def test_too_many_jobs(make_charm: MakeCharm, error_of: Callable[..., str]) -> None:
    make_charm(
        base="ubuntu@24.04", platforms={f"p{i}": {"build-on": ["amd64"], "build-for": ["amd64"]} for i in range(257)}
    )
    assert error_of() == "collect-charms: 257 charms and platforms, but a matrix on GitHub has at most 256 jobs"


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
            assert charm_digest.main([job["path"], "--platform", job["platform"]]) == 0
            assert capsys.readouterr().out == f"{job['digest']}\n"
            seen.add(job["digest"])
    assert len(seen) == 4
    (folder / "README.md").unlink()
    without = collect()
    (folder / "README.md").write_text("changed")
    assert collect("--ignore=*.md", "--ignore=docs/api") == without
    assert collect("--ignore=\n  *.md  \n\ndocs/api\n") == without
    assert charm_digest.main([".", "--platform=ubuntu@22.04:amd64", "--ignore=*.md"]) == 0
    assert capsys.readouterr().out == f"{without[0]['digest']}\n"


@pytest.mark.parametrize("folder", [".", "charms/b/", "./charms/../charms/b"])
def test_only_one_charm(make_charm: MakeCharm, collect: Callable[..., list[dict[str, str]]], folder: str) -> None:
    for name in (".", "charms/a", "charms/b"):
        make_charm(name, platforms={"ubuntu@22.04:amd64": None})
    path = "." if folder == "." else "charms/b"
    assert collect(f"--charm={folder}") == [job for job in collect("--charm=") if job["path"] == path]


@pytest.mark.parametrize(
    ("folder", "message"),
    [
        ("../other", "../other: this folder is outside the repository. Write a path from the repository's root."),
        ("/etc", "/etc: this folder is outside the repository. Write a path from the repository's root."),
        ("none", "ROOT/none: not the folder of a charm, because it has no charmcraft.yaml"),
        ("bundle", "ROOT/bundle/charmcraft.yaml: not a charm, but a bundle"),
    ],
)
def test_only_charm_is_not_there(
    make_charm: MakeCharm, error_of: Callable[..., str], folder: str, message: str
) -> None:
    make_charm("bundle", type="bundle")
    assert error_of(collect_charms.main, f"--charm={folder}") == f"collect-charms: {message}"


def test_digest_of_what_is_not_there(make_charm: MakeCharm, error_of: Callable[..., str]) -> None:
    make_charm("charm", platforms={"ubuntu@22.04:amd64": None})
    assert error_of(charm_digest.main, "charm", "--platform=amd64") == (
        "charm-digest: ROOT/charm/charmcraft.yaml: no platform 'amd64'. It has ubuntu@22.04:amd64."
    )
    assert error_of(charm_digest.main, "missing", "--platform=amd64") == (
        "charm-digest: ROOT/missing: not the folder of a charm, because it has no charmcraft.yaml"
    )
    (make_charm("charm", platforms={"amd64": None}, base="ubuntu@24.04") / "link").symlink_to("/proc/self/mem")
    assert error_of(charm_digest.main, "charm", "--platform=amd64") == (
        f"charm-digest: [Errno 5] Input/output error: '/proc/{os.getpid()}/mem'"
    )


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
