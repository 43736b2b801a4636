"""Stands for the `juju` command, as far as pytest-operator, jubilant and the workflows run it."""

from __future__ import annotations

import argparse
import base64
import json
import os
import ssl
import sys
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import yaml

COMMANDS = ("add-model", "controllers", "debug-log", "destroy-model", "models", "set-model-constraints", "status")


def main(arguments: list[str]) -> int:
    """Return the exit code of the command."""
    command = arguments[0] if arguments else ""
    if command == "version":
        print("3.6.12-simulator-amd64")
        return 0
    if command not in COMMANDS:
        print(f'ERROR simulator: no command "{command}"', file=sys.stderr)
        return 2
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("names", nargs="*")
    parser.add_argument("-m", "--model", default=os.environ.get("JUJU_MODEL", ""))
    for option in ("--level", "--format"):
        parser.add_argument(option, default="")
    parser.add_argument("-c", "--controller")
    options = parser.parse_known_intermixed_args(arguments[1:])[0]
    data = Path(os.environ["JUJU_DATA"])
    controllers, accounts = (
        yaml.safe_load((data / name).read_text()) for name in ("controllers.yaml", "accounts.yaml")
    )
    # As the real one does, without asking the controller.
    if command == "controllers":
        print(json.dumps(controllers))
        return 0
    of_a_name = command in {"add-model", "destroy-model"}
    model = options.names[0] if of_a_name else options.model
    name = options.controller or model.rpartition(":")[0] or controllers["current-controller"]
    if name not in controllers["controllers"]:
        print(f"ERROR controller {name} not found", file=sys.stderr)
        return 1
    controller, account = controllers["controllers"][name], accounts["controllers"][name]
    query = urllib.parse.urlencode(
        {
            "model": model,
            "level": options.level,
            "format": options.format,
            "constraints": "" if of_a_name else " ".join(options.names),
        }
    )
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
