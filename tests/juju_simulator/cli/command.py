"""The commands of `juju`: what each takes is in the signature of its function."""

from __future__ import annotations

import argparse
import inspect
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import yaml

from juju_simulator.world.entities import JujuError
from juju_simulator.world.table import CONTROLLER, USER

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from juju_simulator.world.controller import Controller
    from juju_simulator.world.model import Model

Command = Callable[..., Any]
COMMANDS: dict[str, Command] = {}
_SHORT = {"--controller": "-c", "--model": "-m", "--num-units": "-n", "--timeout": "-t"}
_WITHOUT_LOGIN = ("controllers", "version")  # Juju doesn't ask the controller either


@dataclass
class Output:
    """What a command prints, and its exit code."""

    stdout: str = ""
    stderr: str = ""
    code: int = 0


@dataclass(frozen=True)
class Caller:
    """Who runs a command, in which folder, and with which JUJU_MODEL."""

    controller: Controller
    folder: Path
    environment_model: str

    def find_model(self, reference: str) -> Model:
        """Return a model by [CONTROLLER:][USER/]NAME; the current one if that is empty.

        Raises:
            JujuError: There is no such controller or model, or no current one.
        """
        if not (reference := reference or self.environment_model):
            if not self.controller.current_model:
                raise JujuError('No selected model.\n\nPlease use "juju switch" to select a model.')
            return self.controller.models[self.controller.current_model]
        name, _, path = reference.rpartition(":")
        self.check_controller(name)
        user, _, name = path.rpartition("/")
        for model in self.controller.models.values():
            if model.name == name and user in {"", USER}:
                return model
        raise JujuError(f"model {path!r} not found", "not found")

    @staticmethod
    def check_controller(name: str) -> None:
        """Raise a JujuError if there is no controller of this name."""
        if name not in {"", CONTROLLER}:
            raise JujuError(f"controller {name} not found", "not found")


def command(function: Command) -> Command:
    """Register a function as a command: add_unit is `juju add-unit`.

    Its first parameter is the Caller. A second one named `model` is the Model that `--model` names, or the current
    one. What follows are the arguments, and the parameters by keyword are the flags: a bool for a flag without a value,
    a tuple for one that can be repeated. The function returns what the command prints: a str, or an Output.
    """
    COMMANDS[function.__name__.strip("_").replace("_", "-")] = function
    return function


def dump(data: Any, format_: str) -> str:
    """Return data in a format; raises JujuError if there is no such format."""
    if format_ == "json":
        return json.dumps(data) + "\n"
    if format_ == "yaml":
        return yaml.safe_dump(data, sort_keys=False)
    raise JujuError(f'unknown format "{format_}"', "usage")


def parse_pairs(words: Iterable[str]) -> dict[str, str]:
    """Return words of NAME=VALUE as a dict; raises JujuError if a word isn't such."""
    for word in (words := [*words]):
        if "=" not in word:
            raise JujuError(f'expected "key=value", got "{word}"')
    return {word.partition("=")[0]: word.partition("=")[2] for word in words}


def split(text: str) -> list[str]:
    """Return the parts of a text between its commas."""
    return text.split(",") if text else []


async def run(controller: Controller, folder: Path, model: str, arguments: list[str], is_allowed: bool) -> Output:
    """Run a command that was started in a folder with JUJU_MODEL set to `model`; few commands need no password."""
    name = arguments[0] if arguments else ""
    try:
        _check_command(name, is_allowed=is_allowed)
        output = _call(Caller(controller, folder, model), name, arguments[1:])
        output = await output if inspect.isawaitable(output) else output
    except JujuError as error:
        return Output(stderr=f"ERROR {error}\n", code=2 if error.code == "usage" else 1)
    except Exception as error:  # noqa: BLE001, a bug in the simulator fails the client's test
        return Output(stderr=f"ERROR simulator: {type(error).__name__}: {error} in juju {name}\n", code=1)
    return output if isinstance(output, Output) else Output(output)


def _check_command(name: str, *, is_allowed: bool) -> None:
    if name not in COMMANDS:
        raise JujuError(f'simulator: no command "{name}"', "usage")
    if not is_allowed and name not in _WITHOUT_LOGIN:
        raise JujuError("invalid entity name or password")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise JujuError(f"simulator: juju {self.prog}: {message}", "usage")


def _call(caller: Caller, name: str, arguments: list[str]) -> Any:
    """Parse the arguments of a command, and call its function."""
    function = COMMANDS[name]
    head, tail = arguments, []
    if "--" in arguments:
        head, tail = arguments[: arguments.index("--")], arguments[arguments.index("--") + 1 :]
    parser = _Parser(prog=name, add_help=False, allow_abbrev=False)
    names, several = [], ""
    for parameter in [*inspect.signature(function).parameters.values()][1:]:
        if parameter.name == "model":
            parser.add_argument("-m", "--model", default="")
        elif parameter.kind is parameter.KEYWORD_ONLY:
            _add_flag(parser, parameter)
        elif parameter.kind is parameter.VAR_POSITIONAL:
            several = parameter.name
            parser.add_argument(several, nargs=argparse.REMAINDER if several == "remainder" else "*")
        else:
            names.append(parameter.name)
            parser.add_argument(parameter.name, nargs=None if parameter.default is parameter.empty else "?")
    parse = parser.parse_args if several == "remainder" else parser.parse_intermixed_args
    values = vars(parse(head))
    if "model" in values:
        values["model"] = caller.find_model(values["model"])
    positional = [values.pop(each) for each in names]
    rest = [*values.pop(several), *tail] if several else []
    if "model" in values:
        positional.insert(0, values.pop("model"))
    return function(caller, *positional, *rest, **values)


def _add_flag(parser: argparse.ArgumentParser, parameter: inspect.Parameter) -> None:
    flag = f"--{parameter.name.strip('_').replace('_', '-')}"
    flags = [_SHORT[flag], flag] if flag in _SHORT else [flag]
    default = parameter.default
    if isinstance(default, bool):
        parser.add_argument(*flags, dest=parameter.name, action="store_true")
    elif isinstance(default, tuple):
        parser.add_argument(*flags, dest=parameter.name, action="append", default=[])
    else:
        parser.add_argument(*flags, dest=parameter.name, type=type(default), default=default)
