"""Is it a task at all? From a proposal's text to a task, or to a refusal that says why.

As in `python/admission.py`, whose reasons these are. Two are new: `tests`, where a test that the proposer wrote does
not hold for its own function, and `long`, where a deduction would take more working than is kept.
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
from autotelic.domains.functions.tasks import HELD_BACK, OWN, PROGRAMS, SHOWN, make_task
from autotelic.domains.literal import LiteralError, parse_literal
from autotelic.domains.python.admission import INPUT_LIMITS, Draft, Evidence, draft, examine, keyed
from autotelic.domains.python.execution import Ask, Executor, Outcome
from autotelic.domains.python.inputs import draw_input, fits
from autotelic.domains.python.program import ProgramError
from autotelic.types import Cell, Lineage, Proposal, Rejection, Task

VARIANTS = 6
"""Slips tried for a repair; the first that fails a shown test is the failed turn."""
ROUNDS = 8
"""Batches of candidates drawn before a cell goes without."""
OVERDRAW = 3
"""Candidates of the rules for each task wanted, in the first batch."""
Examined = tuple[Evidence[Function], tuple[str, ...]]
"""A draft that passed, and the names of the variables that its trace is of."""


class Admission:
    """Proposals and the rules' own drafts to tasks, in batches."""

    def __init__(self, executor: Executor[Function]) -> None:
        self.executor = executor

    def admit(self, proposals: Sequence[Proposal]) -> list[Task | Rejection]:
        """One task or refusal a proposal, in order. Functions are run under two hash seeds."""
        read = [_read(proposal) for proposal in proposals]
        found = self._gather([r if isinstance(r, Rejection) else r[0] for r in read], twice=True)
        tests = iter(self._tested([r for r in read if not isinstance(r, Rejection)]))
        for i, r in enumerate(read):
            if not isinstance(r, Rejection):
                failed = next(tests)
                if failed and not isinstance(found[i], Rejection):
                    found[i] = failed
        return self._finish(found)

    def rules(self, rng: np.random.Generator, cells: Sequence[Cell]) -> list[Task]:
        """A task a cell, in order, without those for which `ROUNDS` batches held no candidate worth having."""
        random = Random(int(rng.integers(2**63)))
        made: dict[int, Task] = {}
        for attempt in range(1, ROUNDS + 1):
            missing = [i for i in range(len(cells)) if i not in made]
            if not missing:
                break
            places = [i for i in missing for _ in range(OVERDRAW * attempt)]
            found = self._gather([_candidate(random, cells[i]) for i in places], twice=False)
            chosen: dict[int, Examined] = {}
            for i, examined in zip(places, found, strict=True):
                if i not in chosen and not isinstance(examined, Rejection) and worthwhile(examined[0]):
                    chosen[i] = examined
            for i, task in zip(chosen, self._finish(list(chosen.values())), strict=True):
                if isinstance(task, Task):
                    made[i] = task
        return [made[i] for i in sorted(made)]

    def _gather(
        self, drafts: Sequence[Draft[Function] | Rejection], twice: bool
    ) -> list[Examined | Rejection]:
        """Run the drafts and examine them; refusals pass through."""
        outcomes = iter(self.executor.run([d.ask(twice) for d in drafts if isinstance(d, Draft)]))
        return [d if isinstance(d, Rejection) else _examined(d, next(outcomes)) for d in drafts]

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

    def _finish(self, found: Sequence[Examined | Rejection]) -> list[Task | Rejection]:
        """Tasks of the evidence; repairs are first given a failed turn to start from."""
        repairs = [e[0] for e in found if not isinstance(e, Rejection) and _is_repair(e[0])]
        turns = iter(self._failed_turns(repairs))
        made: list[Task | Rejection] = []
        for examined in found:
            if isinstance(examined, Rejection):
                made.append(examined)
                continue
            evidence, names = examined
            failed = next(turns) if _is_repair(evidence) else ""
            made.append(
                Rejection(reason="degenerate", detail="no slip in the function fails a shown test")
                if failed is None
                else make_task(evidence, names, failed)
            )
        return made

    def _failed_turns(self, repairs: Sequence[Evidence[Function]]) -> list[str | None]:
        """For each repair a function that fails, and what the tests given printed; or None."""
        randoms = [keyed(f"repair {e.draft.program}{e.pairs[0][0]}") for e in repairs]
        turns: list[str | None] = [None] * len(repairs)
        for _ in range(VARIANTS):
            missing = [n for n, turn in enumerate(turns) if turn is None]
            asks = [
                Ask(
                    program=vary(randoms[n], repairs[n].draft.program),
                    inputs=tuple(given for given, _ in repairs[n].pairs[:SHOWN]),
                )
                for n in missing
            ]
            for n, ask, outcome in zip(missing, asks, self.executor.run(asks), strict=True):
                lines = report(repairs[n].pairs[:SHOWN], outcome)
                if not outcome.stop and not all(line.endswith("# ok") for line in lines.splitlines()):
                    turns[n] = f"{ask.program}\n\n{lines}".rstrip("\n")
        return turns


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
    try:
        given = parse_literal(calls[0][2:-1], INPUT_LIMITS) if calls else written.tests[0][0]
    except LiteralError as error:
        return Rejection(reason="input", detail=str(error))
    if not fits(given, cell.level):
        return Rejection(reason="input", detail=f"{str(given)[:40]} is no input of level {cell.level}")
    return draft(cell, function, given, proposal.lineage), written


def _candidate(random: Random, cell: Cell) -> Draft[Function]:
    kind, function = draw_function(random, cell.level)
    return draft(cell, function, draw_input(random, kind, cell.level), Lineage())


def _examined(draft: Draft[Function], outcome: Outcome) -> Examined | Rejection:
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
    return evidence, tuple(str(name) for name, _ in steps)


def _is_repair(evidence: Evidence[Function]) -> bool:
    return evidence.draft.cell.mode == "repair"


def worthwhile(evidence: Evidence[Function]) -> bool:
    """Whether the rules would set this task: admission asks whether it is one, this whether it is a good one.

    No output stands for more than two thirds of the probes. An abduction's output is of no probe, or it would be
    free; in a deduction variables change more than once.
    """
    outputs = [repr(row[-1]) for row in evidence.probed.rows if not isinstance(row, str)]
    if max(map(outputs.count, outputs)) > len(outputs) * 2 / 3:
        return False
    mode, (given, output) = evidence.draft.cell.mode, evidence.pairs[0]
    if mode in PROGRAMS:
        return True
    if output in ([], "") or repr(given) == repr(output):
        return False
    if mode == "abduction":
        return repr(output) not in outputs
    return any(repr(a) != repr(b) for a, b in pairwise(evidence.trace))
