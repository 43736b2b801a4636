"""Which packed charm the tests are told to deploy."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pytest_operator_cache.charm.charmcraft import host_architecture
from workflow_commands.prepare.charms import set_charm_path

if TYPE_CHECKING:
    from collections.abc import Callable

ARCHITECTURE = host_architecture()
SEVERAL = "several packed charms 'demo' for {}:%0A  22.04.charm: for ubuntu@22.04%0A  24.04.charm: for ubuntu@24.04%0A"
CHOICE = "::{} title=Which packed charm::`charm-base`: {}: " + SEVERAL.format(ARCHITECTURE)


@pytest.fixture(autouse=True)
def variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file of variables for the next steps."""
    (folder := tmp_path / "charm").mkdir()
    monkeypatch.chdir(folder)
    for name in ("CHARM_PATH", "CRAFT_ARTIFACT"):
        monkeypatch.delenv(name, raising=False)
    (variables := tmp_path / "variables").touch()
    monkeypatch.setenv("GITHUB_ENV", str(variables))
    return variables


def write_charms(*channels: str) -> None:
    Path("charmcraft.yaml").write_text("name: demo\ntype: charm\n")
    for channel in channels:
        base = f"{{name: ubuntu, channel: '{channel}', architectures: [{ARCHITECTURE}]}}"
        with zipfile.ZipFile(f"{channel}.charm", "w") as archive:
            archive.writestr("metadata.yaml", "name: demo")
            archive.writestr("manifest.yaml", f"bases: [{base}]")


@pytest.mark.parametrize(
    ("base", "channels", "name"),
    [("", ["22.04"], "22.04"), ("ubuntu@24.04", ["24.04"], "24.04"), ("ubuntu@24.04", ["22.04", "24.04"], "24.04")],
)
def test_charm_is_found(
    give: Callable[..., object],
    variables: Path,
    capfd: pytest.CaptureFixture[str],
    base: str,
    channels: list[str],
    name: str,
) -> None:
    give(charm_base=base)
    write_charms(*channels)
    assert set_charm_path([]) == 0
    assert variables.read_text() == f"CHARM_PATH={Path.cwd()}/{name}.charm\n"
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("", "{}: not the folder of a charm, because it has no charmcraft.yaml"),
        ("type: bundle", "{}/charmcraft.yaml: not a charm, but a bundle"),
        ("name: demo", f"{{}}: no packed charm 'demo' for {ARCHITECTURE}"),
    ],
)
def test_there_is_none(
    give: Callable[..., object], variables: Path, capfd: pytest.CaptureFixture[str], source: str, message: str
) -> None:
    give()
    if source:
        Path("charmcraft.yaml").write_text(source)
    assert set_charm_path([]) == 0
    assert variables.read_text() == ""
    assert capfd.readouterr().out.startswith(f"CHARM_PATH isn't set: {message.format(Path.cwd())}")


def test_several_fit(give: Callable[..., object], program: Callable[..., Path], fail: Callable[..., str]) -> None:
    give(test_command="my-pytest")
    program("my-pytest", "echo --juju-model")
    write_charms("22.04", "24.04")
    choice = CHOICE.format("error", Path.cwd())
    assert fail(set_charm_path) == f"{choice}Give ubuntu@22.04 or ubuntu@24.04.\n"


@pytest.mark.parametrize("option", ["--charm-base", "--model-alias"])
def test_several_fit_and_the_tests_can_choose(
    give: Callable[..., object],
    program: Callable[..., Path],
    variables: Path,
    capfd: pytest.CaptureFixture[str],
    option: str,
) -> None:
    give(test_command="my-pytest")
    program("my-pytest", f"echo ' {option} '")
    write_charms("22.04", "24.04")
    assert set_charm_path([]) == 0
    assert variables.read_text() == ""
    notice, reason, *_ = capfd.readouterr().out.splitlines()
    choice = CHOICE.format("notice", Path.cwd())
    assert notice == f"{choice}Give ubuntu@22.04 or ubuntu@24.04."
    assert reason == f"CHARM_PATH isn't set: {Path.cwd()}: several packed charms 'demo' for {ARCHITECTURE}:"


def write_charm_for_another_architecture() -> None:
    write_charms("22.04")
    with zipfile.ZipFile("22.04.charm", "w") as archive:
        archive.writestr("metadata.yaml", "name: demo")
        archive.writestr("manifest.yaml", "bases: [{name: ubuntu, channel: '22.04', architectures: [s390x]}]")


def test_no_architecture_fits(
    give: Callable[..., object], program: Callable[..., Path], fail: Callable[..., str]
) -> None:
    give(test_command="my-pytest")
    program("my-pytest", "echo --juju-model")
    write_charm_for_another_architecture()
    # A suite of `charmcraft init` would deploy it: it is the only one.
    error = fail(set_charm_path)
    assert error.startswith(
        f"::error title=Which packed charm::{Path.cwd()}: no packed charm 'demo' for {ARCHITECTURE}:"
    )
    assert "%0A  22.04.charm: for another architecture, s390x%0A" in error
    assert f"check that charmcraft.yaml has a platform for {ARCHITECTURE}." in error


def test_no_architecture_fits_and_the_tests_can_choose(
    give: Callable[..., object], program: Callable[..., Path], variables: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    give(test_command="my-pytest")
    program("my-pytest", "echo ' --charm-base '")
    write_charm_for_another_architecture()
    assert set_charm_path([]) == 0
    assert variables.read_text() == ""
    assert capfd.readouterr().out.startswith(f"::notice title=Which packed charm::{Path.cwd()}: no packed charm 'demo'")


def test_base_fits_none(give: Callable[..., object], fail: Callable[..., str]) -> None:
    give(charm_base="ubuntu@26.04")
    write_charms("22.04")
    where = f"::error title=Which packed charm::`charm-base`: {Path.cwd()}: "
    assert fail(set_charm_path).startswith(
        f"{where}no packed charm 'demo' for {ARCHITECTURE} and ubuntu@26.04:%0A"
        "  22.04.charm: for another base, ubuntu@22.04%0A"
    )
