"""The command `install-tools`: installs what a charm's own commands expect on PATH."""

from __future__ import annotations

import argparse
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from workflow_commands.common.errors import CommandError
from workflow_commands.common.github import annotated_errors, append

if TYPE_CHECKING:
    from collections.abc import Sequence

# Poetry 2 has `poetry export` only with the plugin.
_TOOLS = (["tox>=4,<5"], ["poetry>=2,<3", "--with=poetry-plugin-export>=1.9,<2"])
_TOX_UV = "--with=tox-uv>=1,<2"
_TOX_FILES = ("tox.ini", "tox.toml", "pyproject.toml", "setup.cfg")


@annotated_errors("No tools")
def main(arguments: Sequence[str] | None = None) -> int:
    """Install tox and Poetry with uv, put them on PATH for the next steps, and return the exit code."""
    parser = argparse.ArgumentParser(prog="install-tools", description=main.__doc__)
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


def _names_uv_runner() -> bool:
    """Return whether a file in this folder names a runner of tox-uv, as the tox.ini of `charmcraft init` does.

    For all others, tox-uv isn't installed: it would replace pip and virtualenv, also in suites that call pip.
    """
    files = [Path(name) for name in _TOX_FILES]
    return any(b"uv-venv-" in file.read_bytes() for file in files if file.is_file())
