"""From a proposal's text to a task, or to a refusal that says why; the reasons are in `programs/admission.py`."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import numpy as np

from autotelic.domains.literal import canonical
from autotelic.domains.programs.admission import (
    Draft,
    Evidence,
    draft,
    examine,
    failed_turns,
    finish,
    gather,
    of_mode,
    proposed_input,
)
from autotelic.domains.programs.behaviour import behaviour
from autotelic.domains.programs.execution import Ask, Executor, Outcome
from autotelic.domains.programs.inputs import PROBES, kind_of
from autotelic.domains.programs.modes import SHOWN
from autotelic.domains.programs.rules import first_tasks
from autotelic.domains.programs.source import ProgramError
from autotelic.domains.python.grammar import vary
from autotelic.domains.python.operations import OPERATIONS
from autotelic.domains.python.program import Program, compose, parse_program
from autotelic.domains.python.rules import candidate, overdraw, worthwhile
from autotelic.domains.python.shortest import shortened
from autotelic.domains.python.tasks import make_task, printed_tests
from autotelic.types import Cell, Proposal, Rejection, Task

VARIANTS = 4
"""Variants of a program tried for a repair; the first that fails a shown pair is the failed turn."""


def read(proposal: Proposal) -> Draft[Program] | Rejection:
    """The draft in a proposal's text; the part of admission that runs nothing."""
    source, _, call = proposal.text.strip("\n").rpartition("\n")
    try:
        program = parse_program(source)
    except ProgramError as error:
        return Rejection(reason=error.reason, detail=error.detail)
    if not (call.startswith("f(") and call.endswith(")")):
        return Rejection(reason="syntax", detail="the last line is no call `f(...)`")
    level = proposal.cell.level
    if program.level != level:
        return Rejection(reason="level", detail=f"{program.level} operations; {level} were asked for")
    given = proposed_input(call[2:-1], level)
    return given if isinstance(given, Rejection) else draft(proposal.cell, program, given, proposal.lineage)


class Admission:
    """Drafts to tasks, in batches. With `plainest`, what an abduction asks for is cut to what its output needs."""

    def __init__(self, executor: Executor[Program], plainest: bool = False) -> None:
        self.executor = executor
        self.plainest = plainest
        self._single: frozenset[str] = frozenset()

    def admit(self, proposals: Sequence[Proposal]) -> list[Task | Rejection]:
        """One task or refusal a proposal, in order. Programs are run under two hash seeds."""
        drafts = [read(proposal) for proposal in proposals]
        return self._finish(gather(self.executor, drafts, examine, twice=True))

    def rules(self, rng: np.random.Generator, cells: Sequence[Cell]) -> list[Task]:
        """A task of the rules for each cell, in order; fewer where they found none worth setting."""
        return first_tasks(
            rng,
            cells,
            candidate=candidate,
            overdraw=overdraw,
            gather=lambda drafts: gather(self.executor, drafts, examine, twice=False),
            worthwhile=worthwhile,
            finish=self._finish,
        )

    def _finish(self, found: Sequence[Evidence[Program] | Rejection]) -> list[Task | Rejection]:
        if self.plainest:
            cut = iter(shortened(self.executor, of_mode(found, "abduction")))
            found = [
                next(cut) if isinstance(e, Evidence) and e.cell.mode == "abduction" else e for e in found
            ]
        return finish(found, self._failed_turns, self._task)

    def _failed_turns(self, repairs: Sequence[Evidence[Program]]) -> list[str | None]:
        return failed_turns(self.executor, repairs, VARIANTS, _variant, _failed_turn)

    def _task(self, evidence: Evidence[Program], failed: str) -> Task:
        common = behaviour(evidence.draft.kind, evidence.probed) in self._of_one_operation()
        return make_task(evidence, failed, common=common)

    def _of_one_operation(self) -> frozenset[str]:
        """What single operations do, each run once."""
        if not self._single:
            asked = [(o.takes, compose([e])) for o in OPERATIONS for e in o.expressions]
            asks = [Ask(program=program, inputs=PROBES[kind]) for kind, program in asked]
            ran = zip(asked, self.executor.run(asks), strict=True)
            self._single = frozenset(behaviour(kind, outcome) for (kind, _), outcome in ran)
        return self._single


def _variant(random: Random, evidence: Evidence[Program]) -> Ask[Program]:
    kinds = [kind_of(value) for value in (evidence.pairs[0][0], *evidence.trace)]
    shown = tuple(given for given, _ in evidence.pairs[:SHOWN])
    return Ask(program=vary(random, evidence.draft.program, kinds), inputs=shown, traced=True)


def _failed_turn(evidence: Evidence[Program], ask: Ask[Program], outcome: Outcome) -> str | None:
    """The annotated variant and what its tests printed, if it runs and fails a shown pair."""
    if outcome.stop or isinstance(outcome.rows[0], str):
        return None
    shown = evidence.pairs[:SHOWN]
    got = [row if isinstance(row, str) else canonical(row[-1]) for row in outcome.rows]
    if got == [canonical(output) for _, output in shown]:
        return None
    text = ask.program.annotated(tuple(canonical(value) for value in outcome.trace))
    return text + printed_tests([given for given, _ in shown], outcome)
