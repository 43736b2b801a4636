"""The port that clients connect to: TLS websockets for the API, HTTPS for charms and for the `juju` command."""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import trustme
from aiohttp import WSMsgType, web

from juju_simulator import _api, _cli, _registered  # noqa: F401, the last one registers what the others answer
from juju_simulator._errors import JujuError
from juju_simulator._files import write_command, write_data, write_keys
from juju_simulator._model import Model
from juju_simulator._table import CLOUDS, CONTROLLER, USER, Table

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from juju_simulator._relations import Offer

Result = TypeVar("Result")


class Simulator:
    """A controller on a free port of the loopback interface: `async with Simulator(folder).running()`.

    Args:
        folder: Where to keep all its files; JUJU_DATA is in it.
        table: What can't be known without running a charm.
        cloud: The cloud of a model that doesn't name one.

    Attributes:
        juju_data: What to set JUJU_DATA to.
        programs: The folder of the command `juju`, to be first on PATH.
        refuse_logins: Whether every password is wrong.
        models: The models, by UUID.
        offers: What models offer to others, by URL.
        current_model: The UUID of the model that `juju` uses without `--model`; empty if there is none.
    """

    def __init__(self, folder: Path, table: Table | None = None, cloud: str = "localhost") -> None:
        self.folder = folder
        self.juju_data = folder / "juju"
        self.programs = folder / "bin"
        self.table = table or Table()
        self.cloud = cloud
        self.uuid = str(uuid.uuid4())
        self.password = uuid.uuid4().hex
        self.refuse_logins = False
        self.models: dict[str, Model] = {}
        self.offers: dict[str, Offer] = {}
        self.current_model = ""
        self.watcher_ids = count(1)
        self._transports: set[asyncio.Transport] = set()
        self._authority = trustme.CA()
        self.ca_certificate = self._authority.cert_pem.bytes().decode()
        self.address = ""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Serve clients until the block ends."""
        self._loop = asyncio.get_running_loop()
        application = web.Application(client_max_size=1 << 30)
        application.add_routes(
            [
                web.get("/api", self._serve_api),
                web.get("/model/{uuid}/api", self._serve_api),
                web.post("/model/{uuid}/charms", self._take_charm),
                web.put("/model/{uuid}/applications/{application}/resources/{name}", self._take_resource),
                web.post("/command", self._run_command),
            ]
        )
        runner = web.AppRunner(application, shutdown_timeout=1)
        await runner.setup()
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._authority.issue_cert("127.0.0.1", "localhost", "juju-app").configure_cert(tls)
        try:
            await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
            host, port = runner.addresses[0][:2]
            self.address = f"{host}:{port}"
            account = {"user": USER, "password": self.password, "last-known-access": "superuser"}
            self.juju_data.mkdir(mode=0o700)
            write_data(self.juju_data, "controllers", self.controllers())
            write_data(self.juju_data, "accounts", {"controllers": {CONTROLLER: account}})
            write_data(self.juju_data, "models", {"controllers": {}})
            write_keys(self.juju_data, CONTROLLER)
            write_command(self.programs, self.juju_data)
            self.add_model("controller", {}, "localhost")
            yield
        finally:
            self.drop_connections()
            for model in [*self.models.values()]:
                await self.remove_model(model)
            await runner.cleanup()

    @contextmanager
    def running_in_thread(self) -> Iterator[Simulator]:
        """Serve clients from another thread until the block ends, for tests without an event loop."""
        started, ended = threading.Event(), asyncio.Event()

        async def run() -> None:
            async with self.running():
                started.set()
                await ended.wait()

        with ThreadPoolExecutor(1) as threads:
            future = threads.submit(asyncio.run, run())
            future.add_done_callback(lambda _: started.set())
            started.wait()
            try:
                yield self
            finally:
                if not future.done():
                    self._loop.call_soon_threadsafe(ended.set)
                future.result()

    def call(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """Call a function in the thread that serves clients, and return its result."""

        async def run() -> Result:
            return function(*arguments)

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result()

    def add_model(self, name: str, config: dict[str, Any], cloud: str = "") -> Model:
        """Add a model, and return it.

        Raises:
            JujuError: There is one of this name, or there is no such cloud.
        """
        if name in {model.name for model in self.models.values()}:
            raise JujuError(f'model "{name}" for {USER} already exists', "already exists")
        if (cloud := cloud or self.cloud) not in CLOUDS:
            raise JujuError(f'cloud "{cloud}" not found, the simulator has {" and ".join(CLOUDS)}', "not found")
        model = Model(name, config, self.table, CLOUDS[cloud])
        self.models[model.uuid] = model
        model.set("model", model.uuid, name=name, config=model.config, owner=USER)
        return model

    def model(self, name: str) -> Model:
        """Return the model of a name."""
        (model,) = (model for model in self.models.values() if model.name == name)
        return model

    def switch(self, model: Model | None) -> None:
        """Set the model that `juju`, and libjuju without a name, use."""
        self.current_model = model.uuid if model else ""
        known = {f"{USER}/{each.name}": {"uuid": each.uuid} for each in self.models.values()}
        current = {"current-model": f"{USER}/{model.name}"} if model else {}
        write_data(self.juju_data, "models", {"controllers": {CONTROLLER: {"models": known, **current}}})

    async def remove_model(self, model: Model) -> None:
        """Remove a model with all that is in it."""
        del self.models[model.uuid]
        self.offers = {url: offer for url, offer in self.offers.items() if offer.model is not model}
        if self.current_model == model.uuid:
            self.switch(None)
        await model.close()

    def drop_connections(self) -> None:
        """Close the connection of every client, as a network does that fails."""
        for transport in [*self._transports]:
            transport.abort()

    def controllers(self) -> dict[str, Any]:
        """Return what `juju controllers` does, which is in JUJU_DATA."""
        controller = {
            "uuid": self.uuid,
            "api-endpoints": [self.address],
            "ca-cert": self.ca_certificate,
            "cloud": self.cloud,
        }
        return {"controllers": {CONTROLLER: controller}, "current-controller": CONTROLLER}

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
        except Exception as error:  # noqa: BLE001, a bug in the simulator fails the client's test
            answer |= {"error": f"simulator: {type(error).__name__}: {error} in {request}", "response": {}}
        with suppress(ConnectionError):
            await socket.send_json(answer)

    def _is_allowed(self, request: web.Request) -> bool:
        token = base64.b64encode(f"user-{USER}:{self.password}".encode()).decode()
        return not self.refuse_logins and request.headers.get("Authorization") == f"Basic {token}"

    def _check_password(self, request: web.Request) -> None:
        if not self._is_allowed(request):
            error = web.HTTPUnauthorized(text=json.dumps({"error": "invalid entity name or password"}))
            error.force_close()  # libjuju does not close the connection itself
            raise error

    async def _take_charm(self, request: web.Request) -> web.Response:
        self._check_password(request)
        model = self.models[request.match_info["uuid"]]
        try:
            response = web.json_response({"charm-url": model.add_charm(await request.read()).url})
        except JujuError as error:
            response = web.json_response({"error": str(error)}, status=400)
        response.force_close()  # as above
        return response

    async def _take_resource(self, request: web.Request) -> web.Response:
        self._check_password(request)
        model = self.models[request.match_info["uuid"]]
        model.uploaded_resources[request.query["pendingid"]] = await request.text()
        response = web.json_response({})
        response.force_close()  # as above
        return response

    async def _run_command(self, request: web.Request) -> web.Response:
        body = await request.json()
        output = await _cli.run(
            self, Path(body["folder"]), body["model"], body["arguments"], is_allowed=self._is_allowed(request)
        )
        return web.json_response(vars(output))
