"""What the rules think worth setting, of what is a task."""

from __future__ import annotations

from itertools import pairwise
from random import Random

from autotelic.domains.programs.admission import Draft, Evidence, draft
from autotelic.domains.programs.execution import P
from autotelic.domains.programs.inputs import draw_input
from autotelic.domains.programs.modes import PROGRAMS
from autotelic.domains.python.grammar import draw_program
from autotelic.domains.python.program import Program
from autotelic.types import Cell, Lineage

YIELD = 0.9
"""The share of candidates worth having at level 1; it is multiplied by itself with each level."""
MOST = 16
"""Candidates of one cell in one batch, at most."""


def overdraw(level: int, attempt: int) -> int:
    """How many candidates to draw for a cell: about as many as hold one, and more with every batch that held
    none, because another trip to the sandbox costs more than a few too many.
    """
    return min(MOST, round(attempt / YIELD**level))


def candidate(random: Random, cell: Cell) -> Draft[Program]:
    """A program of the rules, and an input for it."""
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
    mode, output = evidence.cell.mode, repr(evidence.trace[-1])
    outputs = [repr(row[-1]) for row in evidence.probed.rows if not isinstance(row, str)]
    if mode in PROGRAMS:
        return max(map(outputs.count, outputs)) <= len(outputs) * 2 / 3
    values = [repr(value) for value in (evidence.pairs[0][0], *evidence.trace)]
    if any(before == after for before, after in pairwise(values)):
        return False
    alike = outputs.count(output)
    if mode == "abduction":
        return alike == 0
    return alike <= 3 and (len(output) > 1 or random.random() < 0.4)
