"""The `juju` command. It sends its arguments to the simulator, and prints the answer."""

from __future__ import annotations

import base64
import http.client
import json
import os
import ssl
import sys
from pathlib import Path


def main(arguments: list[str]) -> int:
    """Return the exit code of the command."""
    data = Path(os.environ["JUJU_DATA"])
    controllers = json.loads((data / "controllers.yaml").read_text())
    name = controllers["current-controller"]
    controller = controllers["controllers"][name]
    account = json.loads((data / "accounts.yaml").read_text())["controllers"][name]
    token = base64.b64encode(f"user-{account['user']}:{account['password']}".encode()).decode()
    context = ssl.create_default_context(cadata=controller["ca-cert"])
    connection = http.client.HTTPSConnection(controller["api-endpoints"][0], context=context)
    body = {"arguments": arguments, "folder": str(Path.cwd()), "model": os.environ.get("JUJU_MODEL", "")}
    try:
        connection.request("POST", "/command", json.dumps(body), {"Authorization": f"Basic {token}"})
        output = json.load(connection.getresponse())
    except (OSError, http.client.HTTPException, ValueError) as error:
        print(f"ERROR cannot connect to the simulator: {error}", file=sys.stderr)
        return 1
    finally:
        connection.close()
    sys.stdout.write(output["stdout"])
    sys.stderr.write(output["stderr"])
    return int(output["code"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
