"""What text of a domain looks like: the tokenizer of a model that starts from nothing is trained on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from autotelic.errors import DomainError
from autotelic.protocols import Demonstrating, Domain, Proposable
from autotelic.types import Cell, text_of

REFERENCES = 2
"""Known tasks that a proposer is shown at most, in the texts of a corpus."""


class Written(Domain, Demonstrating, Proposable, Protocol):
    """A domain whose rules hold the texts of solvers and of proposers."""


def corpus_of(domain: Written, rng: np.random.Generator, count: int, cells: Sequence[Cell]) -> list[str]:
    """`count` texts of the rules: prompt and completion as one, the cells in turn, a solver's text and a
    proposer's.

    Raises DomainError where the rules give no task.
    """
    texts: list[str] = []
    while len(texts) < count:
        tasks = domain.tasks(rng, [cells[i % len(cells)] for i in range((count + 1) // 2)])
        if not tasks:
            raise DomainError(
                f"the rules of the {domain.spec.name} domain gave no task", "look at its errors"
            )
        for i, (task, shown) in enumerate(zip(tasks, domain.demonstrate(tasks), strict=True)):
            if shown is not None:
                texts.append(text_of(task.prompt) + shown.completion)
            references = [tasks[i - n] for n in range(1, 1 + int(rng.integers(REFERENCES + 1)))]
            texts.append(domain.ask(task.cell, references) + domain.proposal(task))
    return texts[:count]
