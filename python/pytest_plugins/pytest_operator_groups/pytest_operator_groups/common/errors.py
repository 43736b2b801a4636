"""The error that all modules raise for something that the user has to correct."""

from __future__ import annotations


class GroupsError(Exception):
    """Something that the user has to correct."""

    def __init__(self, problem: str, *, where: str = "", advice: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.where = where
        self.advice = advice

    def __str__(self) -> str:
        text = f"{self.where}: {self.problem}" if self.where else self.problem
        if not self.advice:
            return text
        # Below a list, the advice starts a new line.
        return f"{text}\n{self.advice}" if "\n" in text else f"{text}. {self.advice}"
