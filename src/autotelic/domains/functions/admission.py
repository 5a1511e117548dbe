"""From a proposal's text to a task, or to a refusal that says why.

The reasons are those of `programs/admission.py`, and two more: `tests`, where a test that the proposer wrote
does not hold for its own function, and `long`, where a deduction would take more working than is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from random import Random

import numpy as np

from autotelic.domains.functions.answers import Written, parse_written, report
from autotelic.domains.functions.execution import TOO_LONG
from autotelic.domains.functions.grammar import draw_function
from autotelic.domains.functions.source import Function, vary
from autotelic.domains.functions.tasks import OWN, make_task
from autotelic.domains.programs.admission import (
    Draft,
    Evidence,
    draft,
    examine,
    failed_turns,
    finish,
    gather,
    proposed_input,
    unfit,
)
from autotelic.domains.programs.execution import Ask, Executor, Outcome
from autotelic.domains.programs.inputs import draw_input, fits
from autotelic.domains.programs.modes import HELD_BACK, PROGRAMS, SHOWN
from autotelic.domains.programs.rules import first_tasks
from autotelic.domains.programs.source import ProgramError
from autotelic.types import Cell, Lineage, Proposal, Rejection, Task

VARIANTS = 6
"""Slips tried for a repair; the first that fails a shown test is the failed turn."""
OVERDRAW = 3
"""Candidates of the rules for each task wanted, in the first batch."""


class Admission:
    """Proposals and the rules' own drafts to tasks, in batches."""

    def __init__(self, executor: Executor[Function]) -> None:
        self.executor = executor

    def admit(self, proposals: Sequence[Proposal]) -> list[Task | Rejection]:
        """One task or refusal a proposal, in order. Functions are run under two hash seeds."""
        read = [_read(proposal) for proposal in proposals]
        drafts = [r if isinstance(r, Rejection) else r[0] for r in read]
        found = gather(self.executor, drafts, _examined, twice=True)
        tests = iter(self._tested([r for r in read if not isinstance(r, Rejection)]))
        for i, r in enumerate(read):
            if not isinstance(r, Rejection):
                failed = next(tests)
                if failed and not isinstance(found[i], Rejection):
                    found[i] = failed
        return self._finish(found)

    def rules(self, rng: np.random.Generator, cells: Sequence[Cell]) -> list[Task]:
        """A task of the rules for each cell, in order; fewer where they found none worth setting."""
        return first_tasks(
            rng,
            cells,
            candidate=_candidate,
            overdraw=lambda level, attempt: OVERDRAW * attempt,
            gather=lambda drafts: gather(self.executor, drafts, _examined, twice=False),
            worthwhile=worthwhile,
            finish=self._finish,
        )

    def _tested(self, read: Sequence[tuple[Draft[Function], Written]]) -> list[Rejection | None]:
        """For each proposal the refusal of a test that does not hold, or None."""
        asked = [(d, w) for d, w in read if w.tests]
        asks = [Ask(program=w.function, inputs=tuple(given for given, _ in w.tests)) for _, w in asked]
        outcomes = iter(self.executor.run(asks))
        found: list[Rejection | None] = []
        for _, written in read:
            outcome = next(outcomes) if written.tests else None
            lines = report(written.tests, outcome).splitlines() if outcome else []
            failed = next((line for line in lines if not line.endswith("# ok")), "")
            found.append(Rejection(reason="tests", detail=failed[:200]) if failed else None)
        return found

    def _finish(self, found: Sequence[Evidence[Function] | Rejection]) -> list[Task | Rejection]:
        return finish(found, self._failed_turns, make_task)

    def _failed_turns(self, repairs: Sequence[Evidence[Function]]) -> list[str | None]:
        return failed_turns(self.executor, repairs, VARIANTS, _variant, _failed_turn)


def _variant(random: Random, evidence: Evidence[Function]) -> Ask[Function]:
    shown = tuple(given for given, _ in evidence.pairs[:SHOWN])
    return Ask(program=vary(random, evidence.draft.program), inputs=shown)


def _failed_turn(evidence: Evidence[Function], ask: Ask[Function], outcome: Outcome) -> str | None:
    """The function and what the tests given printed, if one of them fails."""
    lines = report(evidence.pairs[:SHOWN], outcome)
    if outcome.stop or all(line.endswith("# ok") for line in lines.splitlines()):
        return None
    return f"{ask.program}\n\n{lines}".rstrip("\n")


def _read(proposal: Proposal) -> tuple[Draft[Function], Written] | Rejection:
    """The draft in a proposal's text, and tests where it has any; the part of admission that runs nothing."""
    lines = proposal.text.strip("\n").split("\n")
    calls = [line for line in lines if line.startswith("f(") and line.endswith(")")]
    try:
        written = parse_written("\n".join(line for line in lines if line not in calls))
    except ProgramError as error:
        return Rejection(reason=error.reason, detail=error.detail)
    function, cell = written.function, proposal.cell
    if not calls and not written.tests:
        return Rejection(reason="syntax", detail="there is no call `f(...)` and no test")
    if function.level != cell.level:
        return Rejection(reason="level", detail=f"{function.level} decisions; {cell.level} were asked for")
    if calls:
        given = proposed_input(calls[0][2:-1], cell.level)
    else:
        first = written.tests[0][0]
        given = first if fits(first, cell.level) else unfit(str(first), cell.level)
    if isinstance(given, Rejection):
        return given
    return draft(cell, function, given, proposal.lineage), written


def _candidate(random: Random, cell: Cell) -> Draft[Function]:
    kind, function = draw_function(random, cell.level)
    return draft(cell, function, draw_input(random, kind, cell.level), Lineage())


def _examined(draft: Draft[Function], outcome: Outcome) -> Evidence[Function] | Rejection:
    """Whether what the function did makes it a task. Its trace is taken apart into names and values."""
    steps = [step for step in outcome.trace if isinstance(step, list)]
    if steps == TOO_LONG:
        if draft.cell.mode == "deduction":
            return Rejection(reason="long", detail="more changes of variables than a solver can be asked for")
        steps = []
    needed = SHOWN + HELD_BACK
    evidence = examine(draft, replace(outcome, trace=tuple(value for _, value in steps)), needed + OWN)
    if isinstance(evidence, Rejection):
        return evidence
    if draft.cell.mode in PROGRAMS and len(evidence.pairs) <= needed:
        return Rejection(reason="error", detail="no input is left that gives a pair for a test of its own")
    return replace(evidence, names=tuple(str(name) for name, _ in steps))


def worthwhile(evidence: Evidence[Function], random: Random) -> bool:
    """Whether the rules would set this task: admission asks whether it is one, this whether it is a good one.

    No output stands for more than two thirds of the probes. An abduction's output is of no probe, or it would
    be free; in a deduction variables change more than once.
    """
    outputs = [repr(row[-1]) for row in evidence.probed.rows if not isinstance(row, str)]
    if max(map(outputs.count, outputs)) > len(outputs) * 2 / 3:
        return False
    mode, (given, output) = evidence.cell.mode, evidence.pairs[0]
    if mode in PROGRAMS:
        return True
    if output in ([], "") or repr(given) == repr(output):
        return False
    if mode == "abduction":
        return repr(output) not in outputs
    return any(repr(a) != repr(b) for a, b in pairwise(evidence.trace))
