"""First tasks: what the rules make, from a grammar and a seed, before any model has proposed anything."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from random import Random

import numpy as np

from autotelic.domains.python.admission import Admission, Draft, Evidence, draft
from autotelic.domains.python.execution import P
from autotelic.domains.python.grammar import draw_program
from autotelic.domains.python.inputs import draw_input
from autotelic.domains.python.program import Program
from autotelic.types import Cell, Lineage, Task

ROUNDS = 8
"""Batches of candidates drawn before a cell goes without."""
YIELD = 0.9
"""The share of candidates worth having at level 1; it is multiplied by itself with each level."""
MOST = 16
"""Candidates of one cell in one batch, at most."""


def make_tasks(rng: np.random.Generator, cells: Sequence[Cell], admission: Admission) -> list[Task]:
    """A task a cell, in order, without those for which `ROUNDS` batches held no candidate worth having."""
    random = Random(int(rng.integers(2**63)))
    made: dict[int, Task] = {}
    for attempt in range(1, ROUNDS + 1):
        missing = [i for i in range(len(cells)) if i not in made]
        if not missing:
            break
        places = [i for i in missing for _ in range(_overdraw(cells[i].level, attempt))]
        found = admission.gather([_candidate(random, cells[i]) for i in places], twice=False)
        chosen: dict[int, Evidence[Program]] = {}
        for i, evidence in zip(places, found, strict=True):
            if i not in chosen and isinstance(evidence, Evidence) and worthwhile(evidence, random):
                chosen[i] = evidence
        for i, task in zip(chosen, admission.finish(list(chosen.values())), strict=True):
            if isinstance(task, Task):
                made[i] = task
    return [made[i] for i in sorted(made)]


def _overdraw(level: int, attempt: int) -> int:
    """How many candidates to draw for a cell: about as many as hold one, and more with every batch that held
    none, because another trip to the sandbox costs more than a few too many.
    """
    return min(MOST, round(attempt / YIELD**level))


def _candidate(random: Random, cell: Cell) -> Draft[Program]:
    kind, program = draw_program(random, cell.level)
    return draft(cell, program, draw_input(random, kind, cell.level), Lineage())


def worthwhile(evidence: Evidence[P], random: Random) -> bool:
    """Whether the rules would set this task: admission asks whether it is one, this whether it is a good one.

    Nothing is empty on the way. For an induction, no output stands for more than two thirds of the probes.
    For the others every line changes what it is given, the output is not what many inputs give (an abduction
    would be free, a deduction a guess), and outputs of one character, the most common, are thinned out.
    """
    if any(value in ([], "") for value in evidence.trace):
        return False
    mode, output = evidence.draft.cell.mode, repr(evidence.trace[-1])
    outputs = [repr(row[-1]) for row in evidence.probed.rows if not isinstance(row, str)]
    if mode in ("induction", "repair"):
        return max(map(outputs.count, outputs)) <= len(outputs) * 2 / 3
    values = [repr(value) for value in (evidence.pairs[0][0], *evidence.trace)]
    if any(before == after for before, after in pairwise(values)):
        return False
    alike = outputs.count(output)
    if mode == "abduction":
        return alike == 0
    return alike <= 3 and (len(output) > 1 or random.random() < 0.4)
