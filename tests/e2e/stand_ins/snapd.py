"""Replaces snapd while a command runs, in a mount namespace: no snap is installed, and the store has any snap.

`unshare --map-root-user --mount python snapd.py COMMAND…`. Outside, the machine's own snapd is asked as before.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingUnixStreamServer
from urllib.parse import parse_qs, urlsplit

CLASSIC = ("concierge", "k8s", "kubectl")


class Handler(BaseHTTPRequestHandler):
    """Answers what concierge asks: https://snapcraft.io/docs/snapd-rest-api."""

    wbufsize = -1  # one write for all: concierge doesn't read the body of a 404

    def do_GET(self) -> None:
        """Answer one request."""
        asked = urlsplit(self.path)
        if asked.path == "/v2/find":
            (name,) = parse_qs(asked.query)["name"]
            confinement = "classic" if name in CLASSIC else "strict"
            channels = {"latest/stable": {"confinement": confinement, "channel": "latest/stable"}}
            self.answer(200, "sync", [{"name": name, "confinement": confinement, "channels": channels}])
        else:
            self.answer(404, "error", {"message": "snap not installed", "kind": "snap-not-found"})

    def answer(self, code: int, kind: str, result: object) -> None:
        """Send JSON as snapd does."""
        body = json.dumps({"type": kind, "status-code": code, "status": "", "result": result}).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Print nothing: a client of a socket has no address."""


if __name__ == "__main__":
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
    with ThreadingUnixStreamServer("/run/snapd.socket", Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        code = subprocess.run(sys.argv[1:], check=False).returncode
        server.shutdown()
    sys.exit(code)
