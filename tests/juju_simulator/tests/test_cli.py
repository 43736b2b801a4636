"""The simulator's `juju` command, driven by jubilant: one test for each command, and what its JSON has to have."""

from __future__ import annotations

import asyncio
import io
import json
import re
import subprocess
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jubilant
import pytest
import yaml
from juju.model import Model
from juju_simulator import Simulator, Table, pack_charm
from juju_simulator.cli import juju as program
from juju_simulator.cli.command import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

README = Path(__file__).parents[1] / "README.md"
ANSWERS: dict[str, dict[str, Any]] = {
    "journal": {
        "create-backup": {"backup-id": "journal-{cloud}"},
        "restore": {"fail": "no such backup"},
        "report": {"json": '{"a": 1}', "sizes": {"where": "in {cloud}", "days": 7}, "unknown": "{region}"},
        "slow": {},
        "pause": {},
        "on pause": {"status": "maintenance", "message": "paused"},
        "on start": {"secret": "workload-password"},
        "on secret-changed": {"log": "the password has changed"},
        "$ hostname": {"stdout": "journal-0\n"},
        "$ cat '/a file'": {"stdout": "", "stderr": "no such file\n", "return-code": 1},
    }
}
JOURNAL: dict[str, dict[str, Any]] = {
    "metadata": {"name": "journal", "provides": {"journal": {"interface": "journal"}}},
    "config": {
        "options": {
            "retention-days": {"type": "int", "default": 30},
            "tls": {"type": "boolean", "default": False},
            "key": {"type": "secret"},
        }
    },
    "actions": {"create-backup": {}, "pause": {}, "report": {}, "restore": {}, "slow": {}, "undeclared": {}},
}
APPLICATION: dict[str, dict[str, Any]] = {
    "metadata": {"name": "application", "requires": {"journal": {"interface": "journal"}}}
}


@pytest.fixture(autouse=True)
def run_juju_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Call the code of `juju`: starting Python for each command would take most of the time. test_api.py starts it."""

    def run(command: list[str | Path], *, check: bool, **_options: Any) -> subprocess.CompletedProcess[str]:
        with redirect_stdout(io.StringIO()) as stdout, redirect_stderr(io.StringIO()) as stderr:
            code = program.main([str(word) for word in command[1:]])
        result = subprocess.CompletedProcess(command, code, stdout.getvalue(), stderr.getvalue())
        if check:
            result.check_returncode()
        return result

    monkeypatch.setattr(subprocess, "run", run)


@pytest.fixture
def simulator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Simulator]:
    """Run a simulator, whose models are on machines if they don't name a cloud."""
    (folder := tmp_path / "simulator").mkdir()
    with Simulator(folder, Table(0.02, ANSWERS)).running_in_thread() as simulator:
        monkeypatch.setenv("JUJU_DATA", str(simulator.juju_data))
        monkeypatch.delenv("JUJU_MODEL", raising=False)
        yield simulator


def new_juju(simulator: Simulator) -> jubilant.Juju:
    return jubilant.Juju(cli_binary=simulator.programs / "juju", wait_timeout=60)


@pytest.fixture
def juju(simulator: Simulator) -> jubilant.Juju:
    """Return a Juju without a model."""
    return new_juju(simulator)


@pytest.fixture
def testing(simulator: Simulator) -> jubilant.Juju:
    """Return a Juju with a model on machines."""
    (juju := new_juju(simulator)).add_model("testing")
    return juju


@pytest.fixture
def cluster(simulator: Simulator) -> jubilant.Juju:
    """Return a Juju with a model on Kubernetes."""
    (juju := new_juju(simulator)).add_model("cluster", "microk8s")
    return juju


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """Return a charm with options and actions, which provides something."""
    return pack_charm(tmp_path / "journal.charm", **JOURNAL)


@pytest.fixture
def application(tmp_path: Path) -> Path:
    """Return a charm that requires what `journal` provides."""
    return pack_charm(tmp_path / "application.charm", **APPLICATION)


@pytest.fixture
def image_charm(tmp_path: Path) -> Path:
    """Return a charm that needs an image."""
    metadata = {**JOURNAL["metadata"], "resources": {"journal-image": {"type": "oci-image"}}}
    return pack_charm(tmp_path / "image.charm", metadata=metadata)


def wait_until(juju: jubilant.Juju, ready: Callable[[jubilant.Status], bool]) -> jubilant.Status:
    return juju.wait(ready, delay=0.02, successes=1)


def wait_active(juju: jubilant.Juju, *applications: str) -> jubilant.Status:
    return wait_until(juju, lambda status: jubilant.all_active(status, *applications))


def fails(message: str) -> pytest.RaisesExc[jubilant.CLIError]:
    return pytest.raises(jubilant.CLIError, match=re.escape(message))


def rows(title: str, columns: int) -> list[list[str]]:
    """Return the words in backticks in the first columns of a table in the README, by row."""
    (section,) = re.findall(rf"^## {title}\n(.*?)(?=^## |\Z)", README.read_text(), re.MULTILINE | re.DOTALL)
    cells = ["|".join(row.split("|")[: columns + 1]) for row in section.splitlines() if row.startswith("| `")]
    return [re.findall("`([a-z-]+)`", row) for row in cells]


def test_each_command_is_in_the_table_and_has_a_test() -> None:
    listed = [name for row in rows("Commands", 1) for name in row]
    assert sorted(listed) == sorted(COMMANDS)
    assert not [name for name in listed if f"test_{name.replace('-', '_')}" not in globals()]


def test_add_model(juju: jubilant.Juju) -> None:
    juju.add_model("one", config={"logging-config": "<root>=DEBUG", "automatically-retry-hooks": False})
    config = juju.model_config()
    assert (config["logging-config"], config["automatically-retry-hooks"]) == ("<root>=DEBUG", False)
    assert juju.status().model.type == "iaas"
    with fails('model "one" for admin already exists'):
        juju.add_model("one")
    with fails("controller other not found"):
        juju.add_model("two", controller="other")
    with fails('cloud "aws" not found, the simulator has localhost and microk8s'):
        juju.add_model("two", "aws/eu-west-1")
    juju.add_model("two", "microk8s", controller="simulator", credential="microk8s")
    assert juju.model == "simulator:two"
    assert juju.status().model.type == "caas"


def test_destroy_model(testing: jubilant.Juju) -> None:
    testing.destroy_model("testing", destroy_storage=True, force=True, no_wait=True, timeout=60)
    with fails("model 'testing' not found"):
        testing.destroy_model("testing", release_storage=True)
    testing.cli("add-model", "one", "--no-switch", "--controller=simulator", include_model=False)
    with fails("controller other not found"):
        testing.destroy_model("other:one")
    testing.destroy_model("simulator:one")
    assert testing.cli("models", include_model=False) == "controller\n"


def test_models(testing: jubilant.Juju) -> None:
    assert testing.cli("models", include_model=False) == "controller\ntesting\n"
    models = json.loads(testing.cli("models", "--controller", "simulator", "--format", "json", include_model=False))
    assert [(model["name"], model["model-type"]) for model in models["models"]] == [
        ("admin/controller", "iaas"),
        ("admin/testing", "iaas"),
    ]
    assert "current-model" not in models


def test_controllers(testing: jubilant.Juju, simulator: Simulator) -> None:
    simulator.refuse_logins = True
    controllers = json.loads(testing.cli("controllers", "--format=json", include_model=False))
    assert [*controllers["controllers"]] == [controllers["current-controller"]] == ["simulator"]
    with fails("invalid entity name or password"):
        testing.cli("models", include_model=False)


def test_show_model(testing: jubilant.Juju) -> None:
    info = testing.show_model()
    assert (info.name, info.short_name, info.cloud, info.type) == ("admin/testing", "testing", "localhost", "lxd")
    assert testing.show_model("simulator:admin/controller").is_controller
    with fails("model 'bob/testing' not found"):
        testing.show_model("bob/testing")


def test_switch(juju: jubilant.Juju, simulator: Simulator) -> None:
    with fails('No selected model.\n\nPlease use "juju switch" to select a model.'):
        juju.status()
    assert juju.cli("switch") == "simulator\n"
    for name in ("one", "two"):
        juju.cli("add-model", name)
    assert juju.status().model.name == "two"
    juju.cli("switch", "simulator:admin/one")
    assert juju.cli("switch") == "simulator:admin/one\n"
    assert juju.status().model.name == "one"

    async def connect() -> str:
        model = Model()
        await model.connect()
        name = model.name
        await model.disconnect()
        return str(name)

    assert asyncio.run(connect()) == "one"
    with fails('"three" is not the name of a model or controller'):
        juju.cli("switch", "three")
    juju.destroy_model("one")
    assert juju.cli("switch") == "simulator\n"


def test_version(juju: jubilant.Juju) -> None:
    assert juju.cli("version") == "3.6.12-simulator-amd64\n"
    assert juju.version().tuple == (3, 6, 12)


def test_model_config(testing: jubilant.Juju) -> None:
    testing.model_config({"update-status-hook-interval": "10s", "test-mode": True})
    config = testing.model_config()
    assert (config["update-status-hook-interval"], config["test-mode"]) == ("10s", True)
    assert testing.cli("model-config", "test-mode") == "True\n"
    testing.model_config(reset=["update-status-hook-interval", "test-mode"])
    assert testing.model_config()["update-status-hook-interval"] == "5m"
    with fails("key \"test-mode\" not found in 'testing' model"):
        testing.cli("model-config", "test-mode")


def test_model_constraints(testing: jubilant.Juju) -> None:
    assert testing.model_constraints() == {}
    testing.model_constraints({"mem": "8G", "cores": 2, "arch": "arm64", "tags": "a,b"})
    assert testing.model_constraints() == {"mem": 8192, "cores": 2, "arch": "arm64", "tags": ["a", "b"]}
    assert testing.cli("model-constraints") == "arch=arm64 cores=2 mem=8192M tags=a,b\n"


@pytest.mark.parametrize(
    ("constraint", "message"),
    [
        ("colour=grey", 'unknown constraint "colour"'),
        ("mem", 'malformed constraint "mem"'),
        ("mem=much", 'bad "mem" constraint: "much" isn\'t a number or a size'),
    ],
)
def test_set_model_constraints(testing: jubilant.Juju, constraint: str, message: str) -> None:
    with fails(message):
        testing.cli("set-model-constraints", constraint)


def test_deploy(testing: jubilant.Juju, simulator: Simulator, journal: Path, application: Path) -> None:
    testing.deploy(application)
    testing.deploy(
        journal,
        "db",
        base="ubuntu@22.04",
        channel="latest/edge",
        config={"retention-days": 7, "tls": True},
        constraints={"mem": "2G", "cores": 2},
        force=True,
        num_units=2,
        to="0",
        trust=True,
    )
    status = wait_active(testing, "db", "application")
    db = status.apps["db"]
    assert (db.charm, db.charm_name, db.charm_rev, db.charm_origin) == ("local:journal-0", "journal", 0, "local")
    assert {name: unit.machine for name, unit in db.units.items()} == {"db/0": "0", "db/1": "1"}
    assert [unit.leader for unit in db.units.values()] == [True, False]
    assert status.machines["1"].constraints == "cores=2 mem=2048M"
    assert (testing.config("db")["retention-days"], testing.config("db")["tls"]) == (7, True)
    assert testing.config("db", app_config=True) == {"trust": True}
    assert simulator.model("testing").get("application", "db")["constraints"] == {"mem": 2048, "cores": 2}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nginx"], 'simulator: no charm "nginx": without Charmhub, it deploys a file such as ./nginx.charm'),
        (["./nginx.charm"], 'no charm was found at "./nginx.charm"'),
        (["JOURNAL", "--base=ubuntu@24.04"], 'base "ubuntu@24.04" not supported by charm'),
        (["JOURNAL", "--config=days=7"], 'unknown option "days"'),
        (["JOURNAL", "--config=tls"], 'expected "key=value", got "tls"'),
        (["JOURNAL", "--constraints=colour=grey"], 'unknown constraint "colour"'),
        (["JOURNAL", "--resource=image=a"], 'unrecognized resource "image"'),
        (["JOURNAL", "--to=7"], 'machine "7" not found'),
        (["JOURNAL", "--to=lxd:7"], 'simulator: no placement "lxd:7", only the number of a machine'),
        (["JOURNAL", "--storage=data=1G"], "simulator: juju deploy: unrecognized arguments: --storage=data=1G"),
        (["JOURNAL", "--num-units=-1"], "--num-units must be a positive integer"),
        (["JOURNAL", "Bad_Name"], 'invalid application name "Bad_Name"'),
        (["JOURNAL", "--num-units=many"], "simulator: juju deploy: argument -n/--num-units: invalid int value: 'many'"),
        ([], "simulator: juju deploy: the following arguments are required: charm"),
    ],
)
def test_deployment_that_fails(testing: jubilant.Juju, journal: Path, arguments: list[str], message: str) -> None:
    with fails(message):
        testing.cli("deploy", *(str(journal) if each == "JOURNAL" else each for each in arguments))
    assert testing.status().apps == {}


def test_subordinate_charm(testing: jubilant.Juju, tmp_path: Path) -> None:
    requires = {"host": {"interface": "juju-info", "scope": "container"}}
    metadata = {"name": "agent", "subordinate": True, "requires": requires}
    with fails('simulator: no subordinate charms such as "agent"'):
        testing.deploy(pack_charm(tmp_path / "agent.charm", metadata=metadata))
    assert (testing.status().apps, testing.status().machines) == ({}, {})


def test_file_resource(testing: jubilant.Juju, tmp_path: Path) -> None:
    metadata = {**JOURNAL["metadata"], "resources": {"licence": {"type": "file", "filename": "licence.txt"}}}
    charm = pack_charm(tmp_path / "journal.charm", metadata=metadata)
    (licence := tmp_path / "licence.txt").touch()
    missing = {"licence": "./missing.txt"}
    message = 'file for resource "licence": stat ./missing.txt: no such file or directory'
    with fails(message):
        testing.deploy(charm, resources=missing)
    testing.deploy(charm, resources={"licence": str(licence)})
    licence.unlink()
    testing.refresh("journal", path=charm)
    with fails(message):
        testing.refresh("journal", path=charm, resources=missing)


def test_bundle(testing: jubilant.Juju, journal: Path, application: Path) -> None:
    bundle = {
        "applications": {
            "db": {"charm": f"./{journal.name}", "num_units": 2, "options": {"retention-days": 90}, "trust": True},
            "app": {"charm": f"./{application.name}", "constraints": "mem=1G", "base": "ubuntu@22.04/stable"},
        },
        "relations": [["db", "app"]],
    }
    (path := journal.parent / "bundle.yaml").write_text(yaml.safe_dump(bundle))
    testing.deploy(path)
    status = wait_active(testing, "db", "app")
    assert sorted(name for app in status.apps.values() for name in app.units) == ["app/0", "db/0", "db/1"]
    assert [machine.constraints for machine in status.machines.values()] == ["mem=1024M", "", ""]
    assert [relation.related_app for relation in status.apps["db"].relations["journal"]] == ["app"]
    assert testing.config("db")["retention-days"] == 90
    with fails("flags for a charm provided, but not supported when deploying a bundle"):
        testing.deploy(path, num_units=2)
    for wrong, message in (
        ({"charm": "./missing.charm"}, f'no charm was found at "{path.parent / "missing.charm"}"'),
        ({"charm": f"./{journal.name}", "to": ["0"]}, "simulator: bundle: application wrong: no to"),
    ):
        path.write_text(yaml.safe_dump({"applications": {"wrong": wrong}}))
        with fails(message):
            testing.deploy(path)


def test_refresh(testing: jubilant.Juju, journal: Path, application: Path) -> None:
    testing.deploy(journal)
    wait_active(testing, "journal")
    testing.refresh("journal", path=journal, base="ubuntu@22.04", config={"tls": True}, force=True, trust=True)
    status = wait_active(testing, "journal")
    assert status.apps["journal"].charm == "local:journal-1"
    assert testing.show_unit("journal/0").charm == "local:journal-1"
    assert testing.config("journal")["tls"] is True
    assert "refreshed from local:journal-0 to local:journal-1" in testing.debug_log()
    with fails('cannot upgrade "journal" to "application"'):
        testing.refresh("journal", path=application)
    with fails('simulator: no newer charm of "journal": without Charmhub, it needs --path'):
        testing.refresh("journal", channel="latest/edge")


def test_config(testing: jubilant.Juju, journal: Path) -> None:
    testing.deploy(journal)
    assert testing.config("journal") == {"retention-days": 30, "tls": False}
    uri = testing.add_secret("password", {"value": "hunter2"})
    testing.config("journal", {"retention-days": 7, "tls": True, "key": uri})
    assert testing.config("journal") == {"retention-days": 7, "tls": True, "key": uri}
    assert isinstance(testing.config("journal")["key"], jubilant.SecretURI)
    testing.config("journal", {"retention-days": 8}, reset=["tls", "key"])
    assert testing.config("journal") == {"retention-days": 8, "tls": False}
    assert testing.cli("config", "journal", "retention-days") == "8\n"
    for names in ({"days": 1}, {"retention-days": "seven"}):
        with fails('unknown option "days"' if "days" in names else 'option "retention-days" expected int, got "seven"'):
            testing.config("journal", names)
    with fails('unknown option "days"'):
        testing.config("journal", reset="days")
    with fails('key "days" not found in "journal" application config or charm settings'):
        testing.cli("config", "journal", "days")
    with fails('application "other" not found'):
        testing.config("other")


def test_trust(testing: jubilant.Juju, cluster: jubilant.Juju, journal: Path) -> None:
    for juju in (testing, cluster):
        juju.deploy(journal)
    cluster.trust("journal", scope="cluster")
    assert cluster.config("journal", app_config=True) == {"trust": True}
    cluster.trust("journal", remove=True)
    assert cluster.config("journal", app_config=True) == {"trust": False}
    with fails("Set the scope to 'cluster' using '--scope=cluster' to confirm this choice."):
        cluster.trust("journal")


def test_add_unit(testing: jubilant.Juju, journal: Path) -> None:
    testing.deploy(journal)
    testing.add_unit("journal")
    testing.add_unit("journal", num_units=2, to=["0"])
    units = wait_active(testing, "journal").apps["journal"].units
    assert [unit.machine for unit in units.values()] == ["0", "1", "0", "2"]
    with fails('application "other" not found'):
        testing.add_unit("other")
    with fails("--num-units must be a positive integer"):
        testing.add_unit("journal", num_units=0)


def test_remove_unit(testing: jubilant.Juju, journal: Path) -> None:
    testing.deploy(journal, num_units=3)
    testing.add_unit("journal", to="0")
    testing.remove_unit("journal/0", "journal/1", destroy_storage=True, force=True)
    status = wait_until(testing, lambda status: "1" not in status.machines)
    assert {name: unit.machine for name, unit in status.apps["journal"].units.items()} == {
        "journal/2": "2",
        "journal/3": "0",
    }
    with fails('unit "journal/0" not found'):
        testing.remove_unit("journal/2", "journal/0")
    with fails("--num-units for non k8s models not valid"):
        testing.remove_unit("journal", num_units=1)
    with fails("no units specified"):
        testing.remove_unit()
    assert sorted(testing.status().apps["journal"].units) == ["journal/2", "journal/3"]


def test_remove_application(testing: jubilant.Juju, journal: Path, application: Path) -> None:
    testing.deploy(journal)
    testing.deploy(application)
    testing.integrate("journal", "application")
    testing.remove_application("journal", destroy_storage=True, force=True)
    status = wait_until(testing, lambda status: [*status.machines] == ["1"])
    assert [*status.apps] == ["application"]
    assert status.apps["application"].relations == {}
    with fails('application "journal" not found'):
        testing.remove_application("application", "journal")
    assert [*testing.status().apps] == ["application"]


def test_integrate(testing: jubilant.Juju, journal: Path, application: Path) -> None:
    testing.deploy(journal)
    testing.deploy(application)
    testing.integrate("journal:journal", "application", via="192.0.2.0/24")
    status = wait_active(testing)
    (relation,) = status.apps["application"].relations["journal"]
    assert (relation.related_app, relation.interface, relation.scope) == ("journal", "journal", "global")
    with fails('cannot add relation "application:journal journal:journal": relation already exists'):
        testing.integrate("journal", "application")
    with fails('application "journal" has no "web" relation'):
        testing.integrate("journal:web", "application")


def test_remove_relation(testing: jubilant.Juju, journal: Path, application: Path) -> None:
    testing.deploy(journal)
    testing.deploy(application)
    testing.integrate("journal", "application")
    testing.remove_relation("journal", "application:journal", force=True)
    assert testing.status().apps["application"].relations == {}
    wait_until(testing, lambda _: "journal-relation-broken hook" in testing.debug_log())
    with fails('relation "journal application" not found'):
        testing.remove_relation("journal", "application")


def test_run(testing: jubilant.Juju, journal: Path) -> None:
    testing.deploy(journal)
    task = testing.run("journal/0", "create-backup", {"cloud": "AWS"})
    assert (task.success, task.results, task.return_code) == (True, {"backup-id": "journal-AWS"}, 0)
    assert testing.run("journal/leader", "create-backup", {"cloud": "GCP"}, wait=30).id == "2"
    assert testing.cli("run", "journal/0", "create-backup", "cloud=AWS") == "return-code: 0\nbackup-id: journal-AWS\n"
    with pytest.raises(jubilant.TaskError) as error:
        testing.run("journal/0", "restore")
    assert (error.value.task.status, error.value.task.message) == ("failed", "no such backup")
    with pytest.raises(ValueError, match='action "destroy" not defined on unit "journal/0"'):
        testing.run("journal/0", "destroy")
    with pytest.raises(ValueError, match='unit "journal/7" not found'):
        testing.run("journal/7", "restore")
    with fails("the table has no answer of journal to the action undeclared"):
        testing.run("journal/0", "undeclared")
    with fails('invalid duration "soon"'):
        testing.cli("run", "journal/0", "slow", "--wait=soon")


def test_results_with_braces(testing: jubilant.Juju, journal: Path) -> None:
    testing.deploy(journal)
    assert testing.run("journal/0", "report", {"cloud": "AWS"}).results == {
        "json": '{"a": 1}',
        "sizes": {"where": "in AWS", "days": "7"},
        "unknown": "{region}",
    }


def test_run_that_takes_too_long(testing: jubilant.Juju, simulator: Simulator, journal: Path) -> None:
    testing.deploy(journal)
    simulator.table.seconds = 600
    with pytest.raises(TimeoutError, match="timed out waiting for results from: unit journal/0"):
        testing.run("journal/0", "slow", wait=0.1)


def test_exec(testing: jubilant.Juju, journal: Path) -> None:
    testing.deploy(journal)
    assert testing.exec("hostname", unit="journal/leader", wait=30).stdout == "journal-0\n"
    assert testing.exec("hostname", machine=0).stdout == "journal-0\n"
    with pytest.raises(jubilant.TaskError) as error:
        testing.exec("cat", "/a file", unit="journal/0")
    task = error.value.task
    assert (task.status, task.return_code, task.stderr) == ("completed", 1, "no such file\n")
    with fails('the table has no answer of journal to the command "reboot"'):
        testing.exec("reboot", unit="journal/0")
    for target, message in (({"unit": "journal/7"}, 'unit "journal/7"'), ({"machine": "7"}, 'machine "7"')):
        with pytest.raises(ValueError, match=f"{message} not found"):
            testing.exec("hostname", **target)  # type: ignore[call-overload]  # one of the two
    with pytest.raises(ValueError, match='could not determine leader for "other"'):
        testing.exec("hostname", unit="other/leader")
    with fails("specify a command, and one unit or machine to run it on"):
        testing.cli("exec", "hostname")


def test_ssh(testing: jubilant.Juju, journal: Path) -> None:
    testing.deploy(journal)
    assert testing.ssh("journal/0", "hostname", container="journal", host_key_checks=False) == "journal-0\n"
    assert testing.ssh(0, "hostname", user="root") == "journal-0\n"
    with fails("no such file"):
        testing.ssh("journal/0", "cat", "/a file")
    with fails('unit "journal/7" not found'):
        testing.ssh("journal/7", "hostname")


def test_options_of_ssh(testing: jubilant.Juju, cluster: jubilant.Juju, journal: Path) -> None:
    for juju in (testing, cluster):
        juju.deploy(journal)
    options = ["-o", "User=root", "-tt", "-p22"]
    assert testing.ssh("journal/0", "hostname", ssh_options=options) == "journal-0\n"
    with fails("no such file"):
        testing.ssh("journal/0", "cat", "/a file", ssh_options=options)
    with fails("option -z not recognized"):
        testing.ssh("journal/0", "hostname", ssh_options=["-z"])
    with fails('the table has no answer of journal to the command "-o User=root -tt -p22 hostname"'):
        cluster.ssh("journal/0", "hostname", ssh_options=options)


def test_debug_log(testing: jubilant.Juju, simulator: Simulator, journal: Path) -> None:
    testing.deploy(journal)
    wait_active(testing)
    simulator.model("testing").write_log("the disk is full", "ERROR")
    lines = testing.debug_log().splitlines()
    assert "application journal deployed from local:journal-0" in lines[0]
    assert testing.debug_log(limit=1).splitlines() == lines[-1:]
    assert testing.cli("debug-log", "--replay", "--no-tail", "--level=ERROR").splitlines() == lines[-1:]


def test_show_unit(testing: jubilant.Juju, cluster: jubilant.Juju, journal: Path, application: Path) -> None:
    for juju in (testing, cluster):
        juju.deploy(journal)
        juju.deploy(application)
        juju.integrate("journal", "application")
        wait_active(juju)
    unit = testing.show_unit("journal/0")
    assert (unit.charm, unit.leader, unit.machine, unit.public_address) == ("local:journal-0", True, "0", "10.0.0.2")
    (relation,) = unit.relation_info
    assert (relation.endpoint, relation.related_endpoint, relation.cross_model) == ("journal", "journal", False)
    assert relation.related_units["application/0"].data["ingress-address"] == "10.0.0.3"
    unit = cluster.show_unit("journal/0")
    assert (unit.machine, unit.provider_id, unit.address) == ("", "journal-0", "10.1.0.2")
    with fails('unit "journal/7" not found'):
        testing.show_unit("journal/7")


def test_add_secret(testing: jubilant.Juju) -> None:
    uri = testing.add_secret("password", {"value": "hunter2"}, info="what the journal needs")
    secret = testing.show_secret(uri, reveal=True)
    assert (secret.name, secret.description, secret.content) == (
        "password",
        "what the journal needs",
        {"value": "hunter2"},
    )
    with fails('secret with name "password" already exists'):
        testing.add_secret("password", {"value": "hunter3"})
    with fails("missing secret value or filename"):
        testing.cli("add-secret", "empty")


def test_update_secret(testing: jubilant.Juju) -> None:
    uri = testing.add_secret("password", {"value": "first"})
    testing.update_secret("password", {"value": "second"}, info="the newest")
    assert [each.revision for each in testing.show_secret(uri, revisions=True).revisions or []] == [1, 2]
    testing.update_secret(uri, {"value": "third"}, name="key", auto_prune=True)
    secret = testing.show_secret("key", revisions=True)
    assert (secret.revision, secret.description) == (3, "the newest")
    assert [each.revision for each in secret.revisions or []] == [3]


def test_secrets(testing: jubilant.Juju) -> None:
    assert testing.secrets() == []
    uri = testing.add_secret("password", {"value": "hunter2"})
    (secret,) = testing.secrets()
    assert (secret.uri, secret.name, secret.owner, secret.revision) == (uri, "password", "<model>", 1)
    assert testing.secrets(owner="application-journal") == []
    assert testing.secrets(owner=f"model-{testing.show_model().model_uuid}") == [secret]
    assert testing.cli("secrets") == f"{uri.unique_identifier}  password  <model>\n"
    with fails('invalid owner "me"'):
        testing.secrets(owner="me")


def test_show_secret(testing: jubilant.Juju) -> None:
    uri = testing.add_secret("password", {"value": "first"})
    testing.update_secret(uri, {"value": "second"})
    assert testing.show_secret("password", reveal=True, revision=1).content == {"value": "first"}
    assert testing.show_secret(f"secret://uuid/{uri.unique_identifier}", reveal=True).content == {"value": "second"}
    assert "second" not in testing.cli("show-secret", uri)
    with fails('secret "other" not found'):
        testing.show_secret("other")
    with fails("revision 7 not found"):
        testing.show_secret(uri, reveal=True, revision=7)
    with fails("specify either --revisions or --reveal and --revision, not both"):
        testing.cli("show-secret", uri, "--reveal", "--revisions")


def test_grant_secret(testing: jubilant.Juju, journal: Path, application: Path) -> None:
    testing.deploy(journal)
    testing.deploy(application)
    uri = testing.add_secret("password", {"value": "hunter2"})
    testing.grant_secret("password", ["journal", "application"])
    testing.grant_secret(uri, "journal")
    access = testing.show_secret(uri).access or []
    assert [(each.target, each.role) for each in access] == [
        ("application-journal", "view"),
        ("application-application", "view"),
    ]
    with fails('application "other" not found'):
        testing.grant_secret(uri, "other")


def test_remove_secret(testing: jubilant.Juju) -> None:
    uri = testing.add_secret("password", {"value": "first"})
    testing.update_secret(uri, {"value": "second"})
    testing.remove_secret(uri, revision=2)
    assert testing.show_secret(uri, reveal=True).content == {"value": "first"}
    with fails("revision 2 not found"):
        testing.remove_secret(uri, revision=2)
    testing.remove_secret("password")
    assert testing.secrets() == []


def test_offer(testing: jubilant.Juju, simulator: Simulator, journal: Path) -> None:
    testing.deploy(journal)
    testing.offer("journal", endpoint="journal", name="logs")
    offer = testing.status().offers["logs"]
    assert (offer.app, offer.charm, offer.endpoints["journal"].role) == ("journal", "local:journal-0", "provider")
    testing.offer("testing.journal", controller="simulator", endpoint="journal")
    assert [*simulator.offers] == ["admin/testing.logs", "admin/testing.journal"]
    with fails('application "journal" has no "web" relation'):
        testing.offer("journal", endpoint="web")
    with fails("endpoint names separated by a comma are needed"):
        testing.cli("offer", "testing.journal", include_model=False)


def test_consume(testing: jubilant.Juju, juju: jubilant.Juju, journal: Path, application: Path) -> None:
    testing.deploy(journal)
    testing.offer("journal", endpoint="journal")
    (other := juju).add_model("other")
    other.deploy(application)
    other.consume("testing.journal", "logs", controller="simulator", owner="admin")
    other.integrate("application", "logs")
    status = wait_active(other)
    remote = status.app_endpoints["logs"]
    assert (remote.url, remote.relations) == ("simulator:admin/testing.journal", {"journal": ["application"]})
    assert remote.endpoints["journal"].interface == "journal"
    assert other.show_unit("application/0").relation_info[0].cross_model
    assert testing.status().offers["journal"].active_connected_count == 1
    with fails('application offer "admin/testing.other" not found'):
        other.consume("testing.other")
    with fails('saas application "application" already exists'):
        other.consume("testing.journal", "application")
    other.remove_relation("application", "logs")
    other.integrate("application", "testing.journal:journal")
    assert [*other.status().app_endpoints] == ["logs", "journal"]
    testing.destroy_model("testing")
    with fails('application offer "admin/testing.journal" not found'):
        other.consume("testing.journal", "again")


def test_application_that_is_offered_is_removed(
    testing: jubilant.Juju, juju: jubilant.Juju, journal: Path, application: Path
) -> None:
    (other := juju).add_model("other")
    other.deploy(application)
    for is_used in (False, True):
        testing.deploy(journal)
        testing.offer("journal", endpoint="journal")
        if is_used:
            other.integrate("application", "testing.journal")
            with fails('cannot destroy application "journal": application is used by 1 consumer'):
                testing.remove_application("journal")
            assert [*testing.status().offers] == [*testing.status().apps] == ["journal"]
        testing.remove_application("journal", force=is_used)
        assert (testing.status().offers, testing.status().apps) == ({}, {})
    assert other.status().apps["application"].relations == {}


def test_scale_application(cluster: jubilant.Juju, testing: jubilant.Juju, image_charm: Path) -> None:
    with fails("local charm missing OCI images for: journal-image"):
        cluster.deploy(image_charm)
    cluster.deploy(image_charm, resources={"journal-image": "ghcr.io/example/journal:1"}, num_units=2)
    status = wait_active(cluster, "journal")
    app = status.apps["journal"]
    assert (status.model.type, status.machines, app.scale, app.address) == ("caas", {}, 2, "10.152.183.2")
    assert [(name, unit.machine, unit.provider_id, unit.address) for name, unit in app.units.items()] == [
        ("journal/0", "", "journal-0", "10.1.0.2"),
        ("journal/1", "", "journal-1", "10.1.0.3"),
    ]
    assert cluster.cli("scale-application", "journal", "3") == "journal scaled to 3 units\n"
    assert len(wait_active(cluster).apps["journal"].units) == 3
    cluster.remove_unit("journal", num_units=2)
    assert [*cluster.status().apps["journal"].units] == ["journal/0"]
    cluster.add_unit("journal")
    assert [*cluster.status().apps["journal"].units] == ["journal/0", "journal/1"]
    cluster.refresh("journal", path=image_charm, resources={"journal-image": "ghcr.io/example/journal:2"})
    with fails("k8s models only support --num-units"):
        cluster.add_unit("journal", to="0")
    with fails("k8s models do not support removing named units."):
        cluster.remove_unit("journal/0")
    with fails("no application specified"):
        cluster.remove_unit()
    with fails("only single application supported"):
        cluster.remove_unit("journal", "other")
    with fails("specify the number of units (> 0) to remove using --num-units"):
        cluster.remove_unit("journal")
    with fails('invalid scale "many"'):
        cluster.cli("scale-application", "journal", "many")
    with fails("scale must be a positive integer"):
        cluster.remove_unit("journal", num_units=3)
    testing.deploy(image_charm, resources={"journal-image": "ghcr.io/example/journal:1"})
    with fails("scaling applications on a non-container model not supported"):
        testing.cli("scale-application", "journal", "2")


class Fields(dict[str, Any]):
    """A dict that notes which of its keys are read.

    Attributes:
        read: The keys that somebody asked for, whether they are there or not.
        is_whole: Whether it was taken as a whole.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.read: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:
        self.read.add(key)
        return super().get(key, default)

    def __getitem__(self, key: str) -> Any:
        self.read.add(key)
        return super().__getitem__(key)

    def __contains__(self, key: object) -> bool:
        self.read.add(str(key))
        return super().__contains__(key)


def find_fields(value: Any, name: str) -> Iterator[tuple[str, set[str], set[str]]]:
    """Yield the name of each object, the fields that were written, and those that were read."""
    if isinstance(value, list):
        for item in value:
            yield from find_fields(item, name)
    elif isinstance(value, Fields):
        if value.read:
            yield "status" if name.endswith("-status") else name, {*value}, value.read
        for key, item in value.items():
            yield from find_fields(item, key if value.read else name)


def test_status(
    testing: jubilant.Juju, cluster: jubilant.Juju, simulator: Simulator, journal: Path, application: Path
) -> None:
    testing.deploy(journal, constraints={"mem": "1G"})
    testing.offer("journal", endpoint="journal")
    cluster.deploy(application)
    cluster.integrate("application", "testing.journal")
    testing.deploy(application)
    testing.integrate("journal", "application")
    answers = [juju.cli("status", "--format", "json") for juju in (testing, cluster)]
    for juju in (testing, cluster):
        wait_active(juju)
        simulator.call(simulator.model(str(juju.model)).fail_unit, "application/0", "hook failed")
        answers.append(juju.cli("status", "--format", "json"))
        assert jubilant.any_error(juju.status(), "application")
    written: dict[str, set[str]] = {}
    read: dict[str, set[str]] = {}
    for answer in answers:
        status = json.loads(answer, object_hook=Fields)
        jubilant.Status._from_dict(status)  # noqa: SLF001, jubilant's parser
        for name, has, asked in find_fields(status, "root"):
            written.setdefault(name, set()).update(has)
            read.setdefault(name, set()).update(asked - {"status-error"})
    assert {name: unread for name in written if (unread := written[name] - read[name])} == {}
    missing = {name: fields for name in read if (fields := read[name] - written[name])}
    assert missing == {name: {*fields} for name, *fields in rows("Fields", 2)}
    assert testing.cli("status", "--relations").splitlines()[-1] == "application:journal journal:journal"


def test_model_is_the_one_that_libjuju_sees(cluster: jubilant.Juju, journal: Path) -> None:
    cluster.deploy(journal)
    wait_active(cluster)

    async def scale() -> None:
        model = Model()
        await model.connect("simulator:cluster")
        assert model.info.type_ == "caas"
        application = model.applications["journal"]
        assert application.units[0].machine is None
        await application.scale(2)
        await application.add_unit()
        await model.wait_for_idle(["journal"], timeout=60, idle_period=0.1, check_freq=0.1, wait_for_exact_units=3)
        status = (await model.get_status()).applications["journal"]
        assert status
        assert status["units"]["journal/2"]["provider-id"] == "journal-2"
        await model.disconnect()

    asyncio.run(scale())
    assert [*cluster.status().apps["journal"].units] == ["journal/0", "journal/1", "journal/2"]


def test_what_a_charm_does_is_in_the_table(testing: jubilant.Juju, simulator: Simulator, journal: Path) -> None:
    testing.deploy(journal, num_units=2)
    wait_active(testing)
    (secret,) = testing.secrets(owner="application-journal")
    assert (secret.label, secret.name, secret.owner) == ("workload-password", None, "journal")
    testing.run("journal/0", "pause")
    status = wait_until(testing, jubilant.any_maintenance)
    assert status.apps["journal"].units["journal/0"].workload_status.message == "paused"
    testing.add_secret("token", {"value": "first"})
    testing.grant_secret("token", "journal")
    testing.update_secret("token", {"value": "second"})
    wait_until(testing, lambda _: testing.debug_log().count("the password has changed") == 2)
    assert testing.status().apps["journal"].units["journal/0"].is_maintenance
    simulator.call(simulator.model("testing").fail_unit, "journal/0", "hook failed")
    testing.run("journal/0", "pause")
    assert testing.status().apps["journal"].units["journal/0"].is_error


def test_images_of_libjuju(simulator: Simulator, cluster: jubilant.Juju, image_charm: Path) -> None:
    async def deploy() -> None:
        model = Model()
        await model.connect("simulator:cluster")
        await model.deploy(str(image_charm), resources={"journal-image": "ghcr.io/example/journal:1"})
        await model.disconnect()

    # libjuju uploads without giving way to the event loop, so the simulator needs another one.
    asyncio.run(asyncio.wait_for(deploy(), 60))
    wait_active(cluster, "journal")
    image = simulator.model("cluster").get("application", "journal")["resources"]["journal-image"]
    assert yaml.safe_load(image)["registrypath"] == "ghcr.io/example/journal:1"


@pytest.mark.usefixtures("testing")
def test_model_of_the_environment(juju: jubilant.Juju, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUJU_MODEL", "simulator:admin/testing")
    assert juju.status().model.name == "testing"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["bootstrap"], 'simulator: no command "bootstrap"'),
        ([], 'simulator: no command ""'),
        (["status", "--colour"], "simulator: juju status: unrecognized arguments: --colour"),
        (["status", "--format", "xml"], 'unknown format "xml"'),
    ],
)
def test_what_it_does_not_know(testing: jubilant.Juju, arguments: list[str], message: str) -> None:
    command = [testing.cli_binary, *arguments[:1], *(["-m", "testing"] if arguments else []), *arguments[1:]]
    if arguments == ["bootstrap"]:
        command = [testing.cli_binary, "bootstrap"]
    result = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (result.returncode, result.stdout, result.stderr) == (2, "", f"ERROR {message}\n")


def test_bug_in_the_simulator(testing: jubilant.Juju, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_caller: object) -> str:
        raise ZeroDivisionError("the bug")

    monkeypatch.setitem(COMMANDS, "version", fail)
    with fails("simulator: ZeroDivisionError: the bug in juju version"):
        testing.cli("version", include_model=False)


def test_simulator_that_has_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Simulator(tmp_path).running_in_thread() as simulator:
        monkeypatch.setenv("JUJU_DATA", str(simulator.juju_data))
    with fails("cannot connect to the simulator: [Errno 111] Connection refused"):
        jubilant.Juju(cli_binary=simulator.programs / "juju").version()


def test_simulator_that_cannot_start(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), Simulator(tmp_path / "missing").running_in_thread():
        pass
