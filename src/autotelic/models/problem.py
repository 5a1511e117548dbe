"""A reason why a model cannot be used, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from autotelic.errors import ModelError


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something wrong with a model, and what to do. One that is not `fatal` only limits what can be done."""

    cause: str
    fix: str
    fatal: bool = True

    def __str__(self) -> str:
        return f"{self.cause}; {self.fix}"


def refuse(problems: Iterable[Problem]) -> None:
    """Raise ModelError for the first problem that makes a model unfit."""
    for problem in problems:
        if problem.fatal:
            raise ModelError(problem.cause, problem.fix)


def first_line(error: BaseException) -> str:
    """What an error says in its first line, and in the next where that ends in a colon; its class for nothing."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    return " ".join(lines[:2]) if lines[0].endswith(":") else lines[0]
