"""The port that clients connect to: TLS websockets for the API, HTTPS for charms and for the `juju` command."""

from __future__ import annotations

import asyncio
import base64
import json
import shlex
import ssl
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import trustme
from aiohttp import WSMsgType, web

# These register what they answer.
import juju_simulator.api.applications
import juju_simulator.api.models
import juju_simulator.cli.applications
import juju_simulator.cli.models
import juju_simulator.cli.secrets
import juju_simulator.cli.status
import juju_simulator.cli.tasks  # noqa: F401
from juju_simulator.api.session import Session, call
from juju_simulator.cli import command
from juju_simulator.world.controller import Controller
from juju_simulator.world.entities import JujuError
from juju_simulator.world.table import USER, Table

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

Result = TypeVar("Result")


class Simulator(Controller):
    """A controller on a free port of the loopback interface: `async with Simulator(folder).running()`.

    All its files are in `folder`. A model that doesn't name a cloud is on `cloud`.

    Attributes:
        programs: The folder of the command `juju`, to be first on PATH.
    """

    def __init__(self, folder: Path, table: Table | None = None, cloud: str = "localhost") -> None:
        self._authority = trustme.CA()
        super().__init__(folder / "juju", self._authority.cert_pem.bytes().decode(), table or Table(), cloud)
        self.programs = folder / "bin"
        self._transports: set[asyncio.Transport] = set()

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
            self.write_data()
            self._write_command()
            self.add_model("controller", {}, "localhost")
            yield
        finally:
            self.drop_connections()
            for model in [*self.models.values()]:
                await self.remove_model(model)
            await runner.cleanup()

    def _write_command(self) -> None:
        """Write the command `juju`. It uses the controller in JUJU_DATA, or this one where tox hides the variable."""
        self.programs.mkdir()
        program = shlex.join([sys.executable, "-IS", str(Path(__file__).parent / "cli/juju.py")])
        default = shlex.quote(f"JUJU_DATA={self.juju_data}")
        juju = self.programs / "juju"
        juju.write_text(f'#!/bin/sh\n[ "$JUJU_DATA" ] || export {default}\nexec {program} "$@"\n')
        juju.chmod(0o755)

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

    def drop_connections(self) -> None:
        """Close the connection of every client, as a network does that fails."""
        for transport in [*self._transports]:
            transport.abort()

    async def _serve_api(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(max_msg_size=1 << 26)
        await socket.prepare(request)
        transport = request.transport
        assert isinstance(transport, asyncio.Transport)
        self._transports.add(transport)
        session = Session(self, request.match_info.get("uuid", ""), {})
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

    async def _answer(self, socket: web.WebSocketResponse, session: Session, request: dict[str, Any]) -> None:
        answer: dict[str, Any] = {"request-id": request["request-id"]}
        try:
            answer["response"] = await call(session, request)
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
        output = await command.run(
            self, Path(body["folder"]), body["model"], body["arguments"], self._is_allowed(request)
        )
        return web.json_response(vars(output))
