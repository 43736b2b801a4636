"""The error that tells a user what is wrong with the secrets, without showing any of them."""

from __future__ import annotations


class SecretsError(Exception):
    """Says what is wrong, where it is, and what to do. No part contains a secret.

    Args:
        problem: What is wrong.
        where: A path, or the name of a variable or an option, and the line if there is one.
        advice: What to write or to type instead, as full sentences.
    """

    def __init__(self, problem: str, *, where: str = "", advice: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.where = where
        self.advice = advice

    def __str__(self) -> str:
        message = f"{self.where}: {self.problem}" if self.where else self.problem
        separator = "\n" if "\n" in self.problem else ". "
        return f"{message}{separator}{self.advice}" if self.advice else message
