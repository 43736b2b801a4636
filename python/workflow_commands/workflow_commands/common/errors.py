"""What is wrong, where, and what to do about it."""

from __future__ import annotations


class CommandError(Exception):
    """A command can't go on.

    Attributes:
        problem: What is wrong, without a full stop.
        where: The input, the file or the variable that is wrong; "" if there is none.
        advice: What to write or type instead; "" if there is none.
    """

    def __init__(self, problem: str, *, where: str = "", advice: str = "") -> None:
        super().__init__(problem, where, advice)
        self.problem = problem
        self.where = where
        self.advice = advice

    def __str__(self) -> str:
        text = f"{self.where}: {self.problem}" if self.where else self.problem
        if not self.advice:
            return text
        return f"{text}\n{self.advice}" if "\n" in self.problem else f"{text}. {self.advice}"
