"""A small HTTP service, the subject of this example: it keeps notes, for those who know the token."""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Notes(ThreadingHTTPServer):
    """Serve `POST /notes` and `GET /notes` on a free port of the loopback interface."""

    def __init__(self, token: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.token = token
        self.notes: list[str] = []

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Notes

    def do_GET(self) -> None:
        self._answer(200, self.server.notes)

    def do_POST(self) -> None:
        note = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if self.headers["Authorization"] != f"Bearer {self.server.token}":
            self._answer(401, "unknown token")
        elif not note:
            self._answer(400, "empty note")
        else:
            self.server.notes.append(note)
            self._answer(201, note)

    def _answer(self, status: int, content: object) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(content).encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002, as http.server names it
        """Log nothing."""


if __name__ == "__main__":
    with Notes(token=sys.argv[1]) as service:
        print(service.url, flush=True)
        service.serve_forever()
