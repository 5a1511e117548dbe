"""First tasks: candidates are drawn, run and examined until each cell has one worth having."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

import numpy as np

from autotelic.domains.programs.admission import Draft, Evidence
from autotelic.domains.programs.execution import P
from autotelic.types import Cell, Rejection, Task

ROUNDS = 8
"""Batches of candidates drawn before a cell goes without."""


def first_tasks(
    rng: np.random.Generator,
    cells: Sequence[Cell],
    *,
    candidate: Callable[[Random, Cell], Draft[P]],
    overdraw: Callable[[int, int], int],
    gather: Callable[[Sequence[Draft[P]]], Sequence[Evidence[P] | Rejection]],
    worthwhile: Callable[[Evidence[P], Random], bool],
    finish: Callable[[Sequence[Evidence[P]]], Sequence[Task | Rejection]],
) -> list[Task]:
    """A task a cell, in order, without those for which `ROUNDS` batches held no candidate worth having.

    `overdraw(level, round)` is how many candidates are drawn for a cell in one batch; rounds count from 1.
    """
    random = Random(int(rng.integers(2**63)))
    made: dict[int, Task] = {}
    for attempt in range(1, ROUNDS + 1):
        missing = [i for i in range(len(cells)) if i not in made]
        if not missing:
            break
        places = [i for i in missing for _ in range(overdraw(cells[i].level, attempt))]
        found = gather([candidate(random, cells[i]) for i in places])
        chosen: dict[int, Evidence[P]] = {}
        for i, evidence in zip(places, found, strict=True):
            if i not in chosen and isinstance(evidence, Evidence) and worthwhile(evidence, random):
                chosen[i] = evidence
        for i, task in zip(chosen, finish(list(chosen.values())), strict=True):
            if isinstance(task, Task):
                made[i] = task
    return [made[i] for i in sorted(made)]
