"""Every seam, and nothing else.

Work crosses a seam in batches: one program or one prompt at a time would cost more than the learning
(docs/adr/0002).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, TypeVar

import numpy as np

from autotelic.types import (
    Batch,
    Candidate,
    Cell,
    Decision,
    Group,
    LearnReport,
    Lineage,
    Proposal,
    Rejection,
    Request,
    Task,
    Turn,
    Verdict,
)

T = TypeVar("T")
R = TypeVar("R")


class Domain(Protocol):
    """What can be learned. A new domain is one folder that implements this; nothing else changes."""

    name: str
    modes: tuple[str, ...]
    """The kinds of task, in the order exams report them."""
    special: tuple[str, ...]
    """Markers in its texts that are one token each in a tokenizer trained for it."""

    def rules(self, rng: np.random.Generator, cells: Sequence[Cell]) -> list[Task]:
        """One first task a cell, from what a human wrote. May return fewer where the rules gave none."""

    def admit(self, proposals: Sequence[Proposal]) -> list[Task | Rejection]:
        """What the model proposed: is each a task at all? Same length and order."""

    def judge(self, answers: Sequence[tuple[Task, str]]) -> list[Verdict]:
        """Is each answer right? The executor's verdict, the top of the hierarchy. Same length and order."""

    def ask(self, cell: Cell, references: Sequence[Task]) -> str:
        """The text that asks the proposer for a task of this cell, showing it the references."""

    def proposal(self, task: Task) -> str:
        """The text with which a proposer would have proposed this task: `admit` accepts it."""

    def worked(self, task: Task) -> str:
        """A completion that solves the task, made from the executor's own trace, working included."""

    def answer(self, mode: str, completion: str) -> str:
        """The part of a completion that is judged."""

    def retry(self, task: Task, verdict: Verdict) -> str:
        """What a solver is shown after a failed turn; empty where the mode has no second turn."""

    def repair(self, task: Task, answer: str, verdict: Verdict, lineage: Lineage) -> Task | None:
        """The task of mending a failed answer, shown what its tests printed; None where there is none."""

    def corpus(self, rng: np.random.Generator, count: int) -> list[str]:
        """Text from the rules alone, to train a tokenizer on."""


class Sampler(Protocol):
    """Where completions come from: our decode loop, or a server."""

    def sample(self, requests: Sequence[Request]) -> list[list[Turn]]:
        """`requests[i].n` turns for each request, in order."""

    def load(self, weights: object) -> str:
        """Take new weights; returns their digest as seen by the sampler, to be compared with the learner's."""


class Feedback(Protocol):
    """Who says how good an attempt was: verifier, critic, consensus or certainty."""

    def judge(self, groups: Sequence[Group]) -> list[list[Verdict]]:
        """One verdict an attempt, for each group. A group's own verdicts, if any, are not read."""


class Credit(Protocol):
    """Verdicts to advantages."""

    def assign(self, groups: Sequence[Group]) -> list[tuple[float, ...] | None]:
        """One advantage an attempt; None for a group that has nothing to teach (no variance)."""


class Learner(Protocol):
    """Advantages and experience to new weights."""

    def step(self, batch: Batch) -> LearnReport:
        """One update. Raises nothing on NaN: the report says `skipped` and the weights are untouched."""


class Gate(Protocol):
    """Whether a candidate becomes champion."""

    def review(self, candidate: Candidate) -> Decision:
        """A pure function of the candidate's recorded evidence."""


class Engine(Protocol):
    """Where the work runs: this process, or a cluster."""

    def map(self, stage: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """`stage` of each item, in order."""
