"""The port that clients connect to: TLS websockets for the API, HTTPS for charms, and text for the `juju` command."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import shlex
import ssl
import sys
import uuid
import zipfile
from contextlib import asynccontextmanager, suppress
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import trustme
import yaml
from aiohttp import WSMsgType, web

from juju_simulator import _api
from juju_simulator._model import AGENT_VERSION, Charm, JujuError, Model, Table

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

CONTROLLER = "simulator"


class Simulator:
    """A controller on a free port of the loopback interface: `async with Simulator(folder).running()`.

    Args:
        folder: Where to keep all that there is of it; JUJU_DATA is below.
        table: What can't be known without running a charm.

    Attributes:
        juju_data: What to set JUJU_DATA to.
        programs: The folder of the command `juju`, to be first on PATH.
        refuse_logins: Whether every password is wrong.
        models: The models, by UUID.
    """

    def __init__(self, folder: Path, table: Table | None = None) -> None:
        self.folder = folder
        self.juju_data = folder / "juju"
        self.programs = folder / "bin"
        self.table = table or Table()
        self.uuid = str(uuid.uuid4())
        self.password = uuid.uuid4().hex
        self.refuse_logins = False
        self.models: dict[str, Model] = {}
        self.watcher_ids = count(1)
        self._transports: set[asyncio.Transport] = set()
        self._authority = trustme.CA()
        self.ca_certificate = self._authority.cert_pem.bytes().decode()
        self.address = ""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Serve clients; afterwards, nothing of it goes on."""
        application = web.Application(client_max_size=1 << 30)
        application.add_routes(
            [
                web.get("/api", self._serve_api),
                web.get("/model/{uuid}/api", self._serve_api),
                web.post("/model/{uuid}/charms", self._take_charm),
                web.get("/text/{command}", self._answer_command),
            ]
        )
        runner = web.AppRunner(application, shutdown_timeout=1)
        await runner.setup()
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._authority.issue_cert("127.0.0.1", "localhost", "juju-app").configure_cert(tls)
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
        host, port = runner.addresses[0][:2]
        self.address = f"{host}:{port}"
        self.add_model("controller", {})
        self._write_juju_data()
        self._write_command()
        try:
            yield
        finally:
            self.drop_connections()
            for model in [*self.models.values()]:
                await self.remove_model(model)
            await runner.cleanup()

    def add_model(self, name: str, config: dict[str, Any]) -> Model:
        """Add a model, and return it.

        Raises:
            JujuError: There is one of this name.
        """
        if name in {model.name for model in self.models.values()}:
            raise JujuError(f'model "{name}" for {_api.USER} already exists', "already exists")
        model = Model(name, config, self.table)
        self.models[model.uuid] = model
        model.set("model", model.uuid, name=name, config=model.config, owner=_api.USER)
        return model

    def model(self, name: str) -> Model:
        """Return the model of a name."""
        (model,) = (model for model in self.models.values() if model.name == name)
        return model

    async def remove_model(self, model: Model) -> None:
        """Remove a model with all that is in it."""
        del self.models[model.uuid]
        await model.close()

    def drop_connections(self) -> None:
        """Close the connection of every client, as a network does that fails."""
        for transport in [*self._transports]:
            transport.abort()

    def _write_juju_data(self) -> None:
        controller = {
            "uuid": self.uuid,
            "api-endpoints": [self.address],
            "ca-cert": self.ca_certificate,
            "cloud": _api.CLOUD,
        }
        account = {"user": _api.USER, "password": self.password, "last-known-access": "superuser"}
        self.juju_data.mkdir(mode=0o700)
        (self.juju_data / "ssh").mkdir()
        (self.juju_data / "cookies").mkdir()
        (self.juju_data / f"cookies/{CONTROLLER}.json").write_text("[]")
        (self.juju_data / "ssh/juju_id_rsa.pub").write_text("ssh-rsa simulator\n")
        for name, content in {
            "controllers": {"controllers": {CONTROLLER: controller}, "current-controller": CONTROLLER},
            "accounts": {"controllers": {CONTROLLER: account}},
            "models": {"controllers": {}},
        }.items():
            (self.juju_data / f"{name}.yaml").write_text(yaml.safe_dump(content))

    def _write_command(self) -> None:
        self.programs.mkdir()
        command = shlex.join([sys.executable, str(Path(__file__).with_name("_command.py"))])
        juju = self.programs / "juju"
        juju.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
        juju.chmod(0o755)

    async def _serve_api(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(max_msg_size=1 << 26)
        await socket.prepare(request)
        transport = request.transport
        assert isinstance(transport, asyncio.Transport)
        self._transports.add(transport)
        session = _api.Session(self, request.match_info.get("uuid", ""), {})
        tasks = set()
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    task = asyncio.create_task(self._answer(socket, session, json.loads(message.data)))
                    tasks.add(task)
                    task.add_done_callback(tasks.discard)
        finally:
            self._transports.discard(transport)
            for task in [*tasks]:
                task.cancel()
        return socket

    async def _answer(self, socket: web.WebSocketResponse, session: _api.Session, request: dict[str, Any]) -> None:
        answer: dict[str, Any] = {"request-id": request["request-id"]}
        try:
            answer["response"] = await _api.call(session, request)
        except JujuError as error:
            answer |= {"error": str(error), "error-code": error.code, "response": {}}
        except Exception as error:  # noqa: BLE001, what is wrong with the simulator fails the client's test
            answer |= {"error": f"simulator: {type(error).__name__}: {error} in {request}", "response": {}}
        with suppress(ConnectionError):
            await socket.send_json(answer)

    def _is_allowed(self, request: web.Request) -> bool:
        token = base64.b64encode(f"user-{_api.USER}:{self.password}".encode()).decode()
        return not self.refuse_logins and request.headers.get("Authorization") == f"Basic {token}"

    async def _take_charm(self, request: web.Request) -> web.Response:
        if not self._is_allowed(request):
            return web.json_response({"error": "invalid entity name or password"}, status=401)
        model = self.models[request.match_info["uuid"]]
        try:
            with zipfile.ZipFile(io.BytesIO(await request.read())) as archive:
                names = set(archive.namelist())
                files = {
                    name: yaml.safe_load(archive.read(f"{name}.yaml")) or {} if f"{name}.yaml" in names else {}
                    for name in ("metadata", "manifest", "config", "actions")
                }
            base = files["manifest"]["bases"][0]
            name = files["metadata"]["name"]
        except (zipfile.BadZipFile, LookupError, yaml.YAMLError) as error:
            response = web.json_response({"error": f"cannot process charm archive: {error}"}, status=400)
            response.force_close()
            return response
        url = f"local:{name}-{model.next_number(f'charm {name}')}"
        model.charms[url] = Charm(
            url,
            files["metadata"],
            files["config"],
            files["actions"],
            {"name": base["name"], "channel": base["channel"]},
        )
        response = web.json_response({"charm-url": url})
        # libjuju does not close the connection itself.
        response.force_close()
        return response

    async def _answer_command(self, request: web.Request) -> web.Response:
        """Answer the `juju` command: in text, or in JSON where it lists what there is."""
        if not self._is_allowed(request):
            return web.Response(text="invalid entity name or password", status=401)
        try:
            return web.Response(text=await self._answer_text(request.match_info["command"], request.query))
        except JujuError as error:
            return web.Response(text=str(error), status=400)

    async def _answer_text(self, command: str, query: Mapping[str, str]) -> str:
        name = query.get("model", "").rpartition(":")[2].rpartition("/")[2]
        if command == "add-model":
            self.add_model(name, {})
            return f"Added '{name}' model\n"
        if command == "models" and query.get("format") == "json":
            models = [
                {"name": f"{_api.USER}/{model.name}", "short-name": model.name, "model-uuid": model.uuid}
                for model in self.models.values()
            ]
            return json.dumps({"models": models})
        if command == "models":
            return "".join(f"{model.name}\n" for model in self.models.values())
        found = [model for model in self.models.values() if model.name == name]
        if not found:
            raise JujuError(f"model {name!r} not found")
        return await self._answer_of_model(command, found[0], query)

    async def _answer_of_model(self, command: str, model: Model, query: Mapping[str, str]) -> str:
        if command == "destroy-model":
            await self.remove_model(model)
            return ""
        if command == "set-model-constraints":
            model.constraints = dict(pair.split("=", 1) for pair in query["constraints"].split())
            return ""
        if command == "debug-log":
            level = query.get("level", "")
            return "".join(f"{line}\n" for line in model.log if level in line)
        return _status_text(model)


def _status_text(model: Model) -> str:
    lines = [
        "Model  Controller  Cloud/Region  Version",
        f"{model.name}  {CONTROLLER}  {_api.CLOUD}  {AGENT_VERSION}",
        "",
    ]
    rows: dict[str, list[tuple[str, ...]]] = {
        "App": [
            (name, app["status"]["current"], app["charm-url"]) for name, app in model.entities("application").items()
        ],
        "Unit": [
            (
                name,
                unit["workload-status"]["current"],
                unit["agent-status"]["current"],
                unit["workload-status"]["message"],
            )
            for name, unit in model.entities("unit").items()
        ],
        "Relation": [(relation["key"],) for relation in model.entities("relation").values()],
    }
    for title, cells in rows.items():
        lines += [title, *("  ".join(row) for row in cells), ""]
    return "\n".join(lines)
