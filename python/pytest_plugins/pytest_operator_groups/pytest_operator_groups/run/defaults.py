"""The defaults of `run-groups` in [tool.run-groups] of pyproject.toml."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse
    from pathlib import Path


def set_defaults(parser: argparse.ArgumentParser, path: Path) -> None:
    """Take the defaults of the options, and the paths, from a file. An error in it ends the process with exit code 2.

    Args:
        parser: It has the options.
        path: The file. There may be none.
    """
    table = _read(parser, path)
    known = {action.dest: action for action in parser._actions if action.dest not in {"help", "failed", "follow"}}  # noqa: SLF001, argparse has no other way to list them
    for key, value in table.items():
        action = known.get(key.replace("-", "_"))
        if action is None:
            names = ", ".join(name.replace("_", "-") for name in known)
            parser.error(f"{path}: [tool.run-groups] has no {key}. It can have: {names}")
        if action.dest == "paths":
            if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
                parser.error(f"{path}: [tool.run-groups]: paths must be a list of str")
            action.default = value
        elif isinstance(value, bool) or not isinstance(value, str | int | float):
            parser.error(f"{path}: [tool.run-groups]: {key} must be a number or a str")
        else:
            # argparse checks a default that is a str like a value of the command line.
            parser.set_defaults(**{action.dest: str(value)})


def _read(parser: argparse.ArgumentParser, path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        parser.error(f"{path}: can't be read ({error})")
    if "run-groups" not in text:
        return {}
    if sys.version_info >= (3, 11):
        import tomllib
    else:  # where pytest needs it
        import tomli as tomllib  # type: ignore[import-not-found, unused-ignore]  # only that Python has it
    try:
        table = tomllib.loads(text).get("tool", {}).get("run-groups", {})
    except (ValueError, AttributeError) as error:
        parser.error(f"{path}: not valid TOML ({error})")
    if not isinstance(table, dict):
        parser.error(f"{path}: tool.run-groups must be a table. Write: [tool.run-groups]")
    return table
