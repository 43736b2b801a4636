"""build_charms_with_cache.yaml: it packs each charm once, and skips charms that haven't changed."""

from __future__ import annotations

import json
import re
import zipfile
from typing import TYPE_CHECKING

from e2e.act import CHARM, WORKFLOWS, commit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from e2e.act import Machine, Run

BUILD = """\
name: Build
on: pull_request
permissions: {}
jobs:
  build:
    uses: canonical/data-platform-workflows/.github/workflows/build_charms_with_cache.yaml@v51.0.0
    permissions:
      contents: read
"""
PACKED = [
    "journal_ubuntu@22.04-amd64.charm",
    "journal_ubuntu@24.04-amd64.charm",
    "tests/integration/application_charm/application_ubuntu@22.04-amd64.charm",
]


def build(**inputs: str) -> str:
    """Return a workflow that packs the charms of its repository."""
    return (
        BUILD + "    with:\n" + "".join(f"      {name.replace('_', '-')}: {value}\n" for name, value in inputs.items())
    )


def packed(run: Run) -> list[str]:
    """Return how charmcraft was called."""
    return sorted(re.findall(r"^stand-in: charmcraft (.*)$", run.log, flags=re.MULTILINE))


def test_unchanged_charm_is_not_packed(machine: Machine, caller: Callable[..., Path], tmp_path: Path) -> None:
    repository = caller(build(ignore="tests"), example="machine_charm")
    first = machine.run(repository, cache=tmp_path / "cache")
    assert first.code == 0, first.log
    assert first.jobs == {
        "Collect charms": "success",
        "Pack | journal | ubuntu@22.04:amd64": "success",
        "Pack | journal | ubuntu@24.04:amd64": "success",
        "Pack | tests/integration/application_charm | ubuntu@22.04:amd64": "success",
        "Join packed charms": "success",
    }
    assert packed(first) == ["pack", "pack --platform=ubuntu@22.04:amd64", "pack --platform=ubuntu@24.04:amd64"]
    assert [*first.files("charms-packed-with-cache")] == PACKED
    assert "stand-in: snap install lxd\n" in first.log
    assert "stand-in: snap refresh lxd" not in first.log

    again = machine.run(repository, cache=tmp_path / "cache")
    assert again.jobs == first.jobs
    assert packed(again) == []
    assert "stand-in: " not in again.log, "LXD or charmcraft is set up"
    files = again.files("charms-packed-with-cache")
    for name, file in first.files("charms-packed-with-cache").items():
        assert files.pop(name).read_bytes() == file.read_bytes()
    assert not files

    charm = repository / "tests/integration/application_charm/src/charm.py"
    charm.write_text(charm.read_text() + "# changed\n")
    commit(repository)
    changed = machine.run(repository, cache=tmp_path / "cache")
    assert changed.jobs == first.jobs
    assert packed(changed) == ["pack"]
    assert "Cache restored from key: charmcraft-packed-charm-application-" in changed.output()
    with zipfile.ZipFile(changed.files("charms-packed-with-cache")[PACKED[2]]) as archive:
        assert b"# changed" in archive.read("src/charm.py")


def test_cache_is_switched_off(machine: Machine, caller: Callable[..., Path], tmp_path: Path) -> None:
    files = {"charmcraft.yaml": CHARM.format(name="demo", platform="ubuntu@24.04:amd64")}
    repository = caller(BUILD, files)
    assert packed(machine.run(repository, cache=tmp_path / "cache")) == ["pack"]
    (repository / ".github/workflows/ci.yaml").write_text(build(cache="false", artifact_name="release"))
    commit(repository)
    run = machine.run(repository, cache=tmp_path / "cache")
    assert packed(run) == ["pack"]
    assert [*run.files("release")] == ["demo_ubuntu@24.04-amd64.charm"]
    assert "Cache " not in run.output()


def test_channels_and_revisions(machine: Machine, caller: Callable[..., Path]) -> None:
    files = {"charmcraft.yaml": CHARM.format(name="demo", platform="ubuntu@24.04:amd64")}
    run = machine.run(caller(build(charmcraft_snap_revision="6543", lxd_snap_channel="5.21/stable"), files))
    assert run.code == 0, run.log
    assert "stand-in: snap install charmcraft --classic --revision=6543\n" in run.log
    assert "stand-in: snap install lxd --channel=5.21/stable\n" in run.log
    assert "stand-in: snap refresh lxd --channel=5.21/stable\n" in run.log
    # Only with its new group, the user can use LXD.
    assert re.search(r"^stand-in: usermod --append --groups=lxd \w+$", run.log, flags=re.MULTILINE)
    assert "stand-in: sudo --user=#" in run.output("demo", "Pack")


def test_pack_command(machine: Machine, caller: Callable[..., Path]) -> None:
    (command,) = re.findall(r"`pack-command: (\$.*)`", (WORKFLOWS / "build_charms_with_cache.md").read_text())
    wrapped, nested = (CHARM.format(name=name, platform="ubuntu@24.04:amd64") for name in ("demo", "nested"))
    files = {
        "charmcraft.yaml": wrapped.replace("source: .", "source: src"),
        "pyproject.toml": '[project]\nname = "demo"\nversion = "0"\n\n[tool.poetry]\npackage-mode = false\n',
        "src/charm.py": "",
        "tox.ini": """\
[testenv:build]
no_package = true
pass_env = *
allowlist_externals = charmcraft, poetry
commands =
    poetry export --output=src/requirements.txt
    charmcraft pack {posargs}
""",
        "old.charm": "left over",
        "charms/nested/charmcraft.yaml": nested,
    }
    # `|` in YAML ends a text with a newline.
    repository = caller(build(pack_command=json.dumps(f"{command}\n")), files)
    machine.poetry_lock(repository)
    run = machine.run(repository)
    assert run.code == 0, run.log
    assert "congratulations :)" in run.output("demo"), "tox"
    assert "congratulations :)" not in run.output("nested")
    charms = run.files("charms-packed-with-cache")
    assert [*charms] == ["charms/nested/nested_ubuntu@24.04-amd64.charm", "demo_ubuntu@24.04-amd64.charm"]
    with zipfile.ZipFile(charms["demo_ubuntu@24.04-amd64.charm"]) as archive:
        assert "requirements.txt" in archive.namelist()


def test_charm_that_cannot_be_packed(machine: Machine, caller: Callable[..., Path]) -> None:
    good = CHARM.format(name="good", platform="ubuntu@24.04:amd64")
    broken = CHARM.format(name="broken", platform="ubuntu@24.04:amd64").replace(
        "dump, source: .", "nil, build-packages: [no such]"
    )
    run = machine.run(caller(BUILD, {"good/charmcraft.yaml": good, "broken/charmcraft.yaml": broken}))
    assert run.code == 1, run.log
    assert run.jobs["Pack | good | ubuntu@24.04:amd64"] == "success"
    assert run.jobs["Pack | broken | ubuntu@24.04:amd64"] == "failure"
    assert "Join packed charms" not in run.jobs
    (logs,) = (
        name for name in run.names if name.startswith("logs-charmcraft-charms-packed-with-cache-packed-charm-broken-")
    )
    assert any(b"no such" in file.read_bytes() for file in run.files(logs).values())


def test_nothing_is_packed(machine: Machine, caller: Callable[..., Path]) -> None:
    files = {"charmcraft.yaml": CHARM.format(name="demo", platform="ubuntu@24.04:amd64")}
    run = machine.run(caller(build(pack_command="true"), files))
    assert run.code == 1, run.log
    assert run.errors == [
        (
            '.: "true" succeeded, but left no new .charm in the charm\'s folder. '
            "Let `pack-command` put the packed charm there"
        )
    ], run.log


def test_architecture_without_a_runner(machine: Machine, caller: Callable[..., Path]) -> None:
    run = machine.run(caller(BUILD, {"charmcraft.yaml": CHARM.format(name="demo", platform="ubuntu@24.04:s390x")}))
    assert run.code == 1, run.log
    assert run.jobs == {"Collect charms": "failure"}
    assert (
        "/charmcraft.yaml: none of its platforms can be packed, because GitHub has runners only for amd64 and arm64: "
        "'ubuntu@24.04:s390x' is packed on s390x"
    ) in run.output()


def test_bad_inputs(machine: Machine, caller: Callable[..., Path]) -> None:
    inputs = {
        "charmcraft_snap_channel": "latest/edge",
        "charmcraft_snap_revision": "6543",
        "lxd_snap_channel": "--dangerous",
        "lxd_snap_revision": "newest",
        "artifact_name": "a/b",
        "pack_command": "' '",
    }
    run = machine.run(caller(build(**inputs)))
    assert run.code == 1, run.log
    assert run.jobs == {"Collect charms": "failure"}
    assert run.errors == [
        "`charmcraft-snap-channel` and `charmcraft-snap-revision`: both are given. Give only one of them, or neither",
        "`lxd-snap-channel` and `lxd-snap-revision`: both are given. Give only one of them, or neither",
        '`lxd-snap-channel`: "--dangerous" isn\'t valid. It must be a channel of a snap, such as latest/stable',
        '`lxd-snap-revision`: "newest" isn\'t valid. It must be a number, such as 6543',
        '`artifact-name`: "a/b" isn\'t valid. It must be a name of letters, digits and . _ @ -',
        "`pack-command`: it is empty. It must be the command that packs a charm, such as charmcraft pack",
    ], run.log
