"""Stands for the `juju` command, as far as pytest-operator runs it: models, status and debug-log, as text."""

from __future__ import annotations

import base64
import os
import ssl
import sys
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import yaml


def main(arguments: list[str]) -> int:
    """Return the exit code of the command."""
    options = dict(zip(arguments[1:], [*arguments[2:], ""], strict=False))
    command = arguments[0] if arguments else ""
    if command == "version":
        print("3.6.12-simulator-amd64")
        return 0
    if command not in {"models", "status", "debug-log"}:
        print(f'ERROR simulator: no command "{command}"', file=sys.stderr)
        return 2
    data = Path(os.environ["JUJU_DATA"])
    controllers, accounts = (
        yaml.safe_load((data / name).read_text()) for name in ("controllers.yaml", "accounts.yaml")
    )
    name = controllers["current-controller"]
    controller, account = controllers["controllers"][name], accounts["controllers"][name]
    model = options.get("-m") or options.get("--model") or os.environ.get("JUJU_MODEL", "")
    query = urllib.parse.urlencode({"model": model, "level": options.get("--level", "")})
    token = base64.b64encode(f"user-{account['user']}:{account['password']}".encode()).decode()
    request = urllib.request.Request(
        f"https://{controller['api-endpoints'][0]}/text/{command}?{query}", headers={"Authorization": f"Basic {token}"}
    )
    try:
        context = ssl.create_default_context(cadata=controller["ca-cert"])
        with urllib.request.urlopen(request, context=context) as response:  # noqa: S310, as above
            sys.stdout.write(response.read().decode())
    except urllib.error.HTTPError as error:
        print(f"ERROR {error.read().decode()}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
