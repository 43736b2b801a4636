"""The packed charms that the tests deploy: `check-packed-charms` and `set-charm-path`."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_operator_cache.charm.packed import Search
from pytest_operator_cache.common.errors import CharmError, ExitCode, SeveralCharmsError

from workflow_commands.common.command import read_help
from workflow_commands.common.github import CommandError, annotate, annotated_errors, append
from workflow_commands.common.inputs import quote, read_environment, read_inputs

if TYPE_CHECKING:
    from collections.abc import Sequence

_TITLE = "Which packed charm"
# pytest-operator and pytest-operator-cache have these. With them, a test can choose the charm itself.
_CHOOSING = ("--model-alias", "--charm-base")


@annotated_errors("No packed charms")
def check_packed_charms(arguments: Sequence[str] | None = None) -> int:
    """Check that `artifact-prefix` brought a packed charm into this folder, and return the exit code."""
    argparse.ArgumentParser(prog="check-packed-charms", description=check_packed_charms.__doc__).parse_args(arguments)
    if not any(Path().rglob("*.charm")):
        prefix = read_inputs()["artifact-prefix"]
        raise CommandError(
            f"no artifact of this run whose name starts with {quote(f'{prefix}-')} contains a .charm",
            where="`artifact-prefix`",
            advice="It must be what their names start with, without the - after it",
        )
    return 0


@annotated_errors(_TITLE)
def set_charm_path(arguments: Sequence[str] | None = None) -> int:
    """Set CHARM_PATH for the next steps to the packed charm of this folder, and return the exit code.

    If the folder has no charm, or no packed one, CHARM_PATH isn't set. If its packed charms don't fit, or several do,
    that is an error, unless the tests can choose one themselves.
    """
    argparse.ArgumentParser(prog="set-charm-path", description=set_charm_path.__doc__).parse_args(arguments)
    values = read_inputs()
    base = values["charm-base"]
    try:
        append("GITHUB_ENV", f"CHARM_PATH={Search(Path(), base=base).path()}")
    except CharmError as error:
        if isinstance(error, SeveralCharmsError):
            error.advise("Give")
        where = "`charm-base`" if base or error.exit_code == ExitCode.SEVERAL_CHARMS else ""
        problem = CommandError(str(error), where=where)
        if base:
            raise problem from None
        if error.exit_code != ExitCode.NO_CHARM:
            options = read_help(values, os.environ | read_environment(values)) or ""
            if not any(option in options for option in _CHOOSING):
                raise problem from None
            annotate("notice", _TITLE, str(problem))
        print(f"CHARM_PATH isn't set: {error}")
    return 0
