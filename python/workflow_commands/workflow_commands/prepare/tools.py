"""What is installed for the caller's commands: `install-tools` and `set-libjuju-version`."""

from __future__ import annotations

import argparse
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from workflow_commands.common.github import CommandError, annotated_errors, append
from workflow_commands.common.inputs import read_inputs

if TYPE_CHECKING:
    from collections.abc import Sequence

# Poetry 2 has `poetry export` only with the plugin.
_TOOLS = (["tox>=4,<5"], ["poetry>=2,<3", "--with=poetry-plugin-export>=1.9,<2"])
_TOX_UV = "--with=tox-uv>=1,<2"
_TOX_FILES = ("tox.ini", "tox.toml", "pyproject.toml", "setup.cfg")


@annotated_errors("No tools")
def install_tools(arguments: Sequence[str] | None = None) -> int:
    """Install tox and Poetry with uv, put them on PATH for the next steps, and return the exit code."""
    parser = argparse.ArgumentParser(prog="install-tools", description=install_tools.__doc__)
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="where to install them")
    folder = parser.parse_args(arguments).folder
    folders = {"UV_TOOL_DIR": str(folder / "tools"), "UV_TOOL_BIN_DIR": str(folder / "bin")}
    for tool, *plugins in _TOOLS:
        command = ["uv", "tool", "install", "--quiet", tool, *plugins]
        if tool.startswith("tox") and _names_uv_runner():
            command.append(_TOX_UV)
        if subprocess.run(command, env=os.environ | folders, check=False).returncode != 0:
            raise CommandError(f"uv can't install {tool}", advice="Read what uv printed above")
    append("GITHUB_PATH", folders["UV_TOOL_BIN_DIR"])
    return 0


@annotated_errors("No lock")
def set_libjuju_version(arguments: Sequence[str] | None = None) -> int:
    """Change the lock of this folder to the input `libjuju-version-constraint`, and return the exit code."""
    argparse.ArgumentParser(prog="set-libjuju-version", description=set_libjuju_version.__doc__).parse_args(arguments)
    constraint = read_inputs()["libjuju-version-constraint"]
    if Path("poetry.lock").is_file():
        command = ["poetry", "add", "--lock", "--group=integration", f"juju@{constraint}"]
    elif Path("uv.lock").is_file():
        equal = "==" if constraint[0].isdigit() else ""
        command = ["uv", "add", "--no-sync", "--group=integration", f"juju{equal}{constraint}"]
    else:
        raise CommandError(
            "there is neither a poetry.lock nor a uv.lock that it could change",
            where="`libjuju-version-constraint`",
            advice="Set the version where the suite's dependencies are listed, such as tox.ini",
        )
    return subprocess.run(command, check=False).returncode


def _names_uv_runner() -> bool:
    """Return whether a file in this folder names a runner of tox-uv, as the tox.ini of `charmcraft init` does.

    For all others, tox-uv isn't installed: it would replace pip and virtualenv, also in suites that call pip.
    """
    files = [Path(name) for name in _TOX_FILES]
    return any(b"uv-venv-" in file.read_bytes() for file in files if file.is_file())
