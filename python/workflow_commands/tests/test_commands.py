"""All commands, whatever they do."""

from __future__ import annotations

from importlib.metadata import distribution
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


@pytest.mark.parametrize("command", distribution("workflow-commands").entry_points, ids=lambda command: command.name)
def test_command_explains_itself(command: EntryPoint, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        command.load()(["--help"])
    assert stop.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: {command.name} [-h]")
    assert command.module == f"workflow_commands._{command.name.replace('-', '_')}"
