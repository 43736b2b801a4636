"""Run a simulator and a command that uses it: `python -m juju_simulator [OPTIONS] -- COMMAND`.

The command finds it through JUJU_DATA and through a `juju` that is first on PATH. Both disappear when it ends.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import tempfile
from pathlib import Path

import yaml

from juju_simulator import Simulator, Table
from juju_simulator.world.table import CLOUDS


async def main() -> int:
    """Return the exit code of the command."""
    parser = argparse.ArgumentParser(prog="juju_simulator", description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--actions", type=Path, metavar="FILE", help="YAML: for each charm and action, its results")
    parser.add_argument(
        "--seconds", type=float, default=0.5, help="what each step of a unit takes on its way to active"
    )
    parser.add_argument(
        "--cloud", choices=[*CLOUDS], default="localhost", help="where a model is that doesn't name a cloud"
    )
    parser.add_argument("command", nargs="+", help="what to run")
    options = parser.parse_args()
    actions = yaml.safe_load(options.actions.read_text(encoding="utf-8")) if options.actions else {}
    with tempfile.TemporaryDirectory(prefix="juju-simulator-") as folder:
        simulator = Simulator(Path(folder), Table(options.seconds, actions), options.cloud)
        async with simulator.running():
            variables = {
                "JUJU_DATA": str(simulator.juju_data),
                "PATH": f"{simulator.programs}{os.pathsep}{os.environ['PATH']}",
            }
            process = await asyncio.create_subprocess_exec(*options.command, env=os.environ | variables)
            # The terminal sends Ctrl-C to the command as well. It ends in its own way, and the simulator after it.
            for number in (signal.SIGINT, signal.SIGTERM):
                asyncio.get_running_loop().add_signal_handler(number, _pass_on, process, number)
            return await process.wait()


def _pass_on(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    if process.returncode is None and (number != signal.SIGINT or not sys.stdin.isatty()):
        process.send_signal(number)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
