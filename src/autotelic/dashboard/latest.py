"""The task that was last attempted, the answer and the verdict, as the live view shows them."""

from __future__ import annotations

from dataclasses import dataclass

from autotelic.dashboard.specimens import author_of, outcome_of
from autotelic.dashboard.wording import words_of
from autotelic.messages import Judged, Message
from autotelic.types import Cell

_SHOWN = 400
"""Characters of a text that are kept: no terminal has a longer line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Latest:
    """One attempt in a few words, each text in one line that moves no cursor."""

    cell: Cell
    author: str
    asked: str
    answer: str
    outcome: str
    passed: bool | None


def latest_of(message: Message) -> Latest | None:
    """The last attempt that a message brings verdicts on; None where it brings none."""
    if not isinstance(message, Judged) or not message.groups:
        return None
    group = message.groups[-1]
    if not group.episodes or not group.verdicts:
        return None
    verdict = group.verdicts[-1]
    return Latest(
        cell=group.task.cell,
        author=author_of(group.task.lineage).partition(" (")[0],
        asked=in_a_line(words_of(group.task.prompt)),
        answer=in_a_line(group.episodes[-1].answer) or "nothing",
        outcome=outcome_of(verdict),
        passed=verdict.passed,
    )


def in_a_line(text: str) -> str:
    """A text that a model wrote, in one line and without characters that a terminal obeys.

    >>> in_a_line("def f(x):\\n    return x\\x1b[2J")
    'def f(x): return x [2J'
    """
    plain = "".join(character if character.isprintable() else " " for character in text[: 4 * _SHOWN])
    return " ".join(plain.split())[:_SHOWN]
