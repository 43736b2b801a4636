"""The simulator of Juju, driven by python-libjuju itself: what the examples rely on, and what goes wrong on demand."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from juju.controller import Controller
from juju.errors import JujuAPIError, JujuError, JujuUnitError
from juju.model import Model
from juju_simulator import Simulator, Table, pack_charm

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine

ACTIONS = {"journal": {"create-backup": {"backup-id": "journal-{cloud}"}, "restore": {"fail": "no such backup"}}}


@pytest.fixture
def charms(tmp_path: Path) -> Callable[[str], str]:
    """Write a packed charm, and return its path."""
    endpoints = {"journal": "provides", "application": "requires"}

    def write(name: str) -> str:
        metadata = {"name": name, endpoints[name]: {"journal": {"interface": "journal"}}}
        config = {"options": {"retention-days": {"type": "int", "default": 30}}}
        actions: dict[str, Any] = {"create-backup": {}, "restore": {}, "undeclared": {}}
        return str(pack_charm(tmp_path / f"{name}.charm", metadata=metadata, config=config, actions=actions))

    return write


@pytest.fixture
def simulate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Callable[[Simulator], Coroutine[None, None, None]]], None]:
    """Run a coroutine with a simulator, which it gets, and which libjuju finds."""

    def run(use: Callable[[Simulator], Coroutine[None, None, None]]) -> None:
        async def with_simulator() -> None:
            simulator = Simulator(tmp_path, Table(0.05, ACTIONS))
            async with simulator.running():
                monkeypatch.setenv("JUJU_DATA", str(simulator.juju_data))
                await use(simulator)

        asyncio.run(asyncio.wait_for(with_simulator(), 120))

    return run


@asynccontextmanager
async def connected() -> AsyncIterator[Controller]:
    controller = Controller()
    await controller.connect()
    yield controller
    await controller.disconnect()


@asynccontextmanager
async def new_model(name: str = "testing") -> AsyncIterator[Model]:
    async with connected() as controller:
        model = await controller.add_model(name)
        yield model
        await model.disconnect()


async def idle(model: Model, *apps: str, units: int | None = None) -> None:
    await model.wait_for_idle(
        apps=apps, status="active", timeout=100, idle_period=0.2, check_freq=0.1, wait_for_exact_units=units
    )


def test_models_are_added_and_destroyed(simulate: Callable[..., None]) -> None:
    async def use(_: Simulator) -> None:
        async with connected() as controller:
            one = await controller.add_model("one")
            other = await controller.add_model("other", config={"logging-config": "<root>=DEBUG"})
            assert await controller.list_models() == ["controller", "one", "other"]
            assert (await other.get_config())["logging-config"].value == "<root>=DEBUG"
            assert "logging-config" not in await one.get_config()
            with pytest.raises(JujuAPIError, match='model "one" for admin already exists'):
                await controller.add_model("one")
            await one.disconnect()
            await controller.destroy_model("one", force=True)
            assert await controller.list_models() == ["controller", "other"]
            await other.disconnect()
            existing = Model()
            await existing.connect("simulator:other")
            assert existing.info.name == "other"
            await existing.disconnect()

    simulate(use)


def test_charm_is_deployed_and_goes_its_way_to_active(
    simulate: Callable[..., None], charms: Callable[[str], str]
) -> None:
    async def use(_: Simulator) -> None:
        async with new_model() as model:
            seen = []

            async def note(_delta: object, _old: object, unit: object, _model: object) -> None:
                seen.append(unit.workload_status)  # type: ignore[attr-defined]  # an entity of libjuju's

            model.add_observer(note, "unit", "change")
            application = await model.deploy(charms("journal"), application_name="db", config={"retention-days": 7})
            await idle(model, "db")
            assert [unit.name for unit in application.units] == ["db/0"]
            assert application.units[0].machine.agent_status == "started"
            assert list(dict.fromkeys(seen)) == ["maintenance", "active"]
            config = await application.get_config()
            assert (config["retention-days"]["value"], config["retention-days"]["source"]) == (7, "user")
            assert await application.units[0].is_leader_from_status()
            await application.add_unit(count=2)
            await idle(model, "db", units=3)
            await application.destroy()
            await model.block_until(lambda: not model.applications and not model.machines, timeout=30)

    simulate(use)


def test_config_is_checked_against_the_charm(simulate: Callable[..., None], charms: Callable[[str], str]) -> None:
    async def use(_: Simulator) -> None:
        async with new_model() as model:
            application = await model.deploy(charms("journal"))
            await application.set_config({"retention-days": "7"})
            assert (await application.get_config())["retention-days"]["value"] == 7
            with pytest.raises(JujuError, match='unknown option "days"'):
                await application.set_config({"days": "7"})
            with pytest.raises(JujuError, match='option "retention-days" expected int, got "seven"'):
                await application.set_config({"retention-days": "seven"})
            with pytest.raises(JujuError, match='application "journal" already exists'):
                await model.deploy(charms("journal"))

    simulate(use)


def test_hooks_of_a_unit_wait_for_its_start(simulate: Callable[..., None], charms: Callable[[str], str]) -> None:
    async def use(simulator: Simulator) -> None:
        async with new_model() as model:
            application = await model.deploy(charms("journal"))
            await application.set_config({"retention-days": "7"})
            await idle(model, "journal")
            log = "\n".join(simulator.model("testing").log)
            hooks = re.findall(r"unit-journal-0: running (.*) hook", log)
            assert hooks == ["start", "config-changed"]

    simulate(use)


def test_actions_answer_from_the_table(simulate: Callable[..., None], charms: Callable[[str], str]) -> None:
    async def use(_: Simulator) -> None:
        async with new_model() as model:
            application = await model.deploy(charms("journal"))
            await idle(model, "journal")
            action = await application.units[0].run_action("create-backup", cloud="AWS")
            await action.wait()
            assert (action.status, action.results["backup-id"]) == ("completed", "journal-AWS")
            failed = await application.units[0].run_action("restore")
            await failed.wait()
            assert failed.status == "failed"
            with pytest.raises(JujuError, match='action "destroy" not defined on unit "journal/0"'):
                await application.units[0].run_action("destroy")
            with pytest.raises(JujuError, match="the table has no answer of journal to the action undeclared"):
                await application.units[0].run_action("undeclared")

    simulate(use)


def test_applications_are_integrated(simulate: Callable[..., None], charms: Callable[[str], str]) -> None:
    async def use(_: Simulator) -> None:
        async with new_model() as model:
            await asyncio.gather(model.deploy(charms("journal")), model.deploy(charms("application")))
            relation = await model.integrate("journal", "application:journal")
            assert relation.key == "application:journal journal:journal"
            await idle(model, "journal", "application")
            assert [each.interface for each in (await model.get_status()).relations if each] == ["journal"]
            with pytest.raises(JujuError, match='application "journal" has no "web" relation'):
                await model.integrate("journal:web", "application")
            with pytest.raises(JujuError, match="no relations found"):
                await model.integrate("journal", "journal")
            await model.applications["application"].destroy()
            await model.block_until(lambda: not model.relations, timeout=30)

    simulate(use)


def test_bundle_is_deployed(simulate: Callable[..., None], charms: Callable[[str], str], tmp_path: Path) -> None:
    async def use(_: Simulator) -> None:
        bundle = {
            "applications": {
                "db": {"charm": charms("journal"), "num_units": 2, "options": {"retention-days": 90}},
                "app": {"charm": charms("application"), "num_units": 1},
            },
            "relations": [["db", "app"]],
        }
        (tmp_path / "bundle.yaml").write_text(yaml.safe_dump(bundle))
        async with new_model() as model:
            await model.deploy(str(tmp_path / "bundle.yaml"))
            await idle(model, "db", "app")
            assert sorted(model.units) == ["app/0", "db/0", "db/1"]
            assert (await model.applications["db"].get_config())["retention-days"]["value"] == 90
            assert [relation.key for relation in model.relations] == ["app:journal db:journal"]

    simulate(use)


def test_unit_in_error(simulate: Callable[..., None], charms: Callable[[str], str]) -> None:
    async def use(simulator: Simulator) -> None:
        async with new_model() as model:
            application = await model.deploy(charms("journal"))
            await idle(model, "journal")
            simulator.model("testing").fail_unit("journal/0", 'hook failed: "config-changed"')
            with pytest.raises(JujuUnitError, match="Unit in error: journal/0"):
                await idle(model, "journal")
            await application.set_config({"retention-days": "7"})
            await model.block_until(lambda: application.units[0].agent_status == "idle", timeout=30)
            assert application.units[0].workload_status_message == 'hook failed: "config-changed"'

    simulate(use)


def test_wrong_password(simulate: Callable[..., None]) -> None:
    async def use(simulator: Simulator) -> None:
        for setting in ("password", "refuse_logins"):
            setattr(simulator, setting, True)
            with pytest.raises(JujuAPIError, match="invalid entity name or password"):
                await Controller().connect()

    simulate(use)


def test_dropped_connection(simulate: Callable[..., None], charms: Callable[[str], str]) -> None:
    async def use(simulator: Simulator) -> None:
        async with new_model() as model:
            await model.deploy(charms("journal"))
            await idle(model, "journal")
            before = model.connection()._ws  # noqa: SLF001, what is dropped
            simulator.drop_connections()
            await wait_until(lambda: model.connection().is_open and model.connection()._ws is not before)  # noqa: SLF001, as above
            await model.applications["journal"].set_config({"retention-days": "7"})
            await idle(model, "journal")

    simulate(use)


async def wait_until(is_true: Callable[[], bool]) -> None:
    while not is_true():
        await asyncio.sleep(0.05)


def test_file_without_a_charm(simulate: Callable[..., None], tmp_path: Path) -> None:
    async def use(simulator: Simulator) -> None:
        (tmp_path / "broken.charm").write_bytes(b"not a zip")
        async with new_model() as model:

            def upload() -> Awaitable[str]:
                charm: Awaitable[str] = model.add_local_charm_dir(str(tmp_path / "broken.charm"), "jammy")
                return charm

            with pytest.raises(JujuError, match="cannot process charm archive: File is not a zip file"):
                await upload()
            simulator.refuse_logins = True
            with pytest.raises(JujuError, match="invalid entity name or password"):
                await upload()

    simulate(use)


def test_what_it_does_not_know_is_an_error(simulate: Callable[..., None]) -> None:
    async def use(_: Simulator) -> None:
        async with new_model() as model:
            with pytest.raises(JujuAPIError, match=r"simulator: no method Bundle\.ExportBundle"):
                await model.connection().rpc({"type": "Bundle", "request": "ExportBundle", "version": 6, "params": {}})
            with pytest.raises(JujuAPIError, match="unknown model"):
                await Model().connect(
                    **{**model.connection().connect_params(), "uuid": "0"},
                )

    simulate(use)


def test_field_that_libjuju_does_not_know_is_an_error(
    simulate: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    from juju_simulator.api.session import METHODS

    async def clouds(_session: object, _params: object) -> dict[str, object]:
        return {"clouds": {"cloud-localhost": {"type": "lxd", "colour": "grey"}}}

    monkeypatch.setitem(METHODS, ("Cloud", "Clouds"), clouds)

    async def use(_: Simulator) -> None:
        async with connected() as controller:
            with pytest.raises(JujuAPIError, match=r"simulator: Cloud\.Clouds has no field 'colour' in Clouds\.clouds"):
                await controller.get_cloud()

    simulate(use)


COMMAND = """
import os, subprocess, sys
def juju(*arguments):
    return subprocess.run(["juju", *arguments], capture_output=True, text=True)
assert juju("models").stdout == "controller\\n", juju("models")
assert "controller  simulator" in juju("status", "-m", "simulator:admin/controller").stdout
assert juju("debug-log", "--replay", "--level", "ERROR", "-m", "controller").stdout == ""
assert juju("status", "-m", "missing").stderr == "ERROR model 'missing' not found\\n"
assert juju("bootstrap").stderr == 'ERROR simulator: no command "bootstrap"\\n'
assert juju("version").stdout == "3.6.12-simulator-amd64\\n"
print(os.environ["JUJU_DATA"])
sys.exit(3)
"""


def test_command_beside_it_and_nothing_is_left(tmp_path: Path) -> None:
    environment = os.environ | {
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "HOME": str(tmp_path),
        "TMPDIR": str(tmp_path),
    }
    result = subprocess.run(
        [sys.executable, "-m", "juju_simulator", "--", sys.executable, "-c", COMMAND],
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 3, result.stderr
    assert Path(result.stdout.strip()).is_relative_to(tmp_path)
    assert not list(tmp_path.iterdir())
