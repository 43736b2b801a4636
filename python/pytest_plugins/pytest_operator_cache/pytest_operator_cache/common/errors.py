"""What can be wrong, in three parts: the problem, where it is, and what to do."""

from __future__ import annotations

from enum import IntEnum
from functools import wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

P = ParamSpec("P")
T = TypeVar("T")


class ExitCode(IntEnum):
    """How find-charm ends if it finds no charm. 2 is an error in the command line."""

    NO_CHARM = 1
    # A program can ask for the base.
    SEVERAL_CHARMS = 3
    # A program must not go on.
    WRONG = 4


class CharmError(Exception):
    """A charm can't be read, packed, found or digested.

    Args:
        problem: What is wrong, without a full stop.
        where: The path or the option that it is about.
        advice: What to write or type, as a sentence.
    """

    exit_code = ExitCode.WRONG

    def __init__(self, problem: str, *, where: str = "", advice: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.where = where
        self.advice = advice

    def __str__(self) -> str:
        text = f"{self.where}: {self.problem}" if self.where else self.problem
        if not self.advice:
            return text
        return f"{text}\n{self.advice}" if "\n" in text else f"{text.rstrip('.')}. {self.advice}"


class NotACharmError(CharmError):
    """A folder has no charmcraft.yaml, or one of another type, such as a bundle."""

    exit_code = ExitCode.NO_CHARM


class CharmNotFoundError(CharmError, FileNotFoundError):
    """No packed charm fits. It is a FileNotFoundError, because pytest-operator's own build raises that."""


class SeveralCharmsError(CharmError):
    """Several packed charms fit; each of the bases chooses one of them."""

    exit_code = ExitCode.SEVERAL_CHARMS

    def __init__(self, problem: str, *, where: str, advice: str, bases: Sequence[str]) -> None:
        super().__init__(problem, where=where, advice=advice)
        self.bases = bases

    def advise(self, verb: str, option: str = "") -> None:
        """Advise to choose a base with another option than that of pytest."""
        choices = " or ".join(f"{option}{base}" for base in self.bases)
        self.advice = f"{verb} {choices}." if choices else "They are for the same base: remove those you don't need."


def without_traceback(function: Callable[P, T]) -> Callable[P, T]:
    """Show a CharmError of a function without a traceback through this package: its message says it all."""

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        __tracebackhide__ = True
        try:
            return function(*args, **kwargs)
        except CharmError as error:
            raise error.with_traceback(None) from None

    return call
