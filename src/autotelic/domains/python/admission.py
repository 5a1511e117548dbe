"""Is it a task at all? From proposal text to a task, or to a refusal that says why.

The reasons, in the order they are looked for: `syntax`, `whitelist`, `level`, `input` (before anything runs);
`timeout`, `memory`, `crashed`, `nondeterministic`, `output`, `error`, `constant`, `identity`, `degenerate`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Generic

from autotelic.domains.literal import LiteralError, LiteralLimits, canonical, parse_literal
from autotelic.domains.python.execution import Ask, Executor, Outcome, P
from autotelic.domains.python.grammar import vary
from autotelic.domains.python.inputs import PROBES, draw_input, fits, kind_of, plain
from autotelic.domains.python.operations import OPERATIONS
from autotelic.domains.python.program import Program, ProgramError, compose, parse_program
from autotelic.domains.python.shortest import shortened
from autotelic.domains.python.tasks import (
    HELD_BACK,
    SHOWN,
    behaviour,
    make_task,
    printed_tests,
    proposal_text,
)
from autotelic.types import Cell, Json, Lineage, Proposal, Rejection, Task

EXTRA = 10
"""Inputs drawn for an induction beside the proposed one, of which `SHOWN + HELD_BACK - 1` must work."""
VARIANTS = 4
"""Variants of a program tried for a repair; the first that fails a shown pair is the failed turn."""
INPUT_LIMITS = LiteralLimits(characters=400, brackets=1, digits=8)


@dataclass(frozen=True, slots=True)
class Draft(Generic[P]):
    """A proposal that has been read, and not yet run. `inputs` are the proposed one and those drawn."""

    cell: Cell
    program: P
    inputs: tuple[Json, ...]
    kind: str
    lineage: Lineage

    def ask(self, twice: bool) -> Ask[P]:
        """One run over the task's inputs and the probes of their kind."""
        inputs = self.inputs + PROBES[self.kind]
        return Ask(program=self.program, inputs=inputs, probe=len(self.inputs), traced=True, twice=twice)


@dataclass(frozen=True, slots=True)
class Evidence(Generic[P]):
    """A draft that passed: its pairs, the trace on the first, and the behaviour on the probes."""

    draft: Draft[P]
    pairs: tuple[tuple[Json, Json], ...]
    trace: tuple[Json, ...]
    probed: Outcome


def read(proposal: Proposal) -> Draft[Program] | Rejection:
    """The draft in a proposal's text; the part of admission that runs nothing."""
    source, _, call = proposal.text.strip("\n").rpartition("\n")
    try:
        program = parse_program(source)
    except ProgramError as error:
        return Rejection(reason=error.reason, detail=error.detail)
    if not (call.startswith("f(") and call.endswith(")")):
        return Rejection(reason="syntax", detail="the last line is no call `f(...)`")
    if program.level != proposal.cell.level:
        return Rejection(
            reason="level", detail=f"{program.level} operations; {proposal.cell.level} were asked for"
        )
    try:
        given = parse_literal(call[2:-1], INPUT_LIMITS)
    except LiteralError as error:
        return Rejection(reason="input", detail=str(error))
    if not fits(given, proposal.cell.level):
        return Rejection(reason="input", detail=f"{call[2:42]} is no input of level {proposal.cell.level}")
    return draft(proposal.cell, program, given, proposal.lineage)


def draft(cell: Cell, program: P, given: Json, lineage: Lineage) -> Draft[P]:
    """A draft of a task. The further inputs of an induction are drawn as the rules draw them, from a stream
    keyed by the proposal's text: whoever writes the same proposal gets the same task.
    """
    inputs, kind = [given], kind_of(given)
    if cell.mode in ("induction", "repair"):
        random = keyed(proposal_text(str(program), given))
        seen = {repr(given)}
        for _ in range(EXTRA):
            drawn = draw_input(random, kind, cell.level)
            if repr(drawn) not in seen:
                seen.add(repr(drawn))
                inputs.append(drawn)
    return Draft(cell, program, tuple(inputs), kind, lineage)


def keyed(text: str) -> Random:
    """Randomness that is a function of a text."""
    return Random(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big"))


def examine(draft: Draft[P], outcome: Outcome, keep: int = SHOWN + HELD_BACK) -> Evidence[P] | Rejection:
    """Whether what the program did makes it a task. `keep` is how many pairs are kept for a program, at most."""
    if outcome.stop:
        return Rejection(reason=outcome.stop)
    own, probes = outcome.rows[: len(draft.inputs)], outcome.rows[len(draft.inputs) :]
    if isinstance(own[0], str):
        return Rejection(reason="error", detail=own[0])
    level = draft.cell.level
    if not all(plain(value, level) for value in outcome.trace):
        return Rejection(reason="output", detail=f"a value is no plain data, or too large for level {level}")
    worked = [
        (given, row[-1]) for given, row in zip(PROBES[draft.kind], probes, strict=True) if type(row) is list
    ]
    if len(worked) < len(probes) / 2:
        return Rejection(
            reason="error", detail=f"raises on {len(probes) - len(worked)} of {len(probes)} probes"
        )
    pairs = [
        (given, row[-1])
        for given, row in zip(draft.inputs, own, strict=True)
        if type(row) is list and plain(row[-1], level)
    ]
    if draft.cell.mode in ("induction", "repair"):
        if len(pairs) < SHOWN + HELD_BACK:
            return Rejection(
                reason="error", detail=f"only {len(pairs)} of {len(draft.inputs)} inputs gave a pair"
            )
        pairs = pairs[:keep]
        if len({repr(output) for _, output in pairs[:SHOWN]}) == 1:
            return Rejection(reason="constant", detail="the shown pairs have one output")
    if len({repr(output) for _, output in worked}) == 1:
        return Rejection(reason="constant")
    if all(repr(given) == repr(output) for given, output in worked):
        return Rejection(reason="identity")
    if outcome.idle:
        return Rejection(reason="degenerate", detail=f"line {outcome.idle[0] + 1} changes nothing")
    return Evidence(draft, tuple(pairs), outcome.trace, Outcome(rows=probes))


class Admission:
    """Drafts to tasks, in batches. With `plainest`, what an abduction asks for is cut to what its output needs."""

    def __init__(self, executor: Executor[Program], plainest: bool = False) -> None:
        self.executor = executor
        self.plainest = plainest
        self._single: frozenset[str] = frozenset()

    def admit(self, proposals: Sequence[Proposal]) -> list[Task | Rejection]:
        """One task or refusal a proposal, in order. Programs are run under two hash seeds."""
        return self.finish(self.gather([read(proposal) for proposal in proposals], twice=True))

    def gather(
        self, drafts: Sequence[Draft[Program] | Rejection], twice: bool
    ) -> list[Evidence[Program] | Rejection]:
        """Run the drafts and examine them; refusals pass through."""
        asked = [d for d in drafts if isinstance(d, Draft)]
        outcomes = iter(self.executor.run([d.ask(twice) for d in asked]))
        return [d if isinstance(d, Rejection) else examine(d, next(outcomes)) for d in drafts]

    def finish(self, found: Sequence[Evidence[Program] | Rejection]) -> list[Task | Rejection]:
        """Tasks of the evidence; repairs are first given a failed turn to start from."""
        if self.plainest:
            cut = iter(shortened(self.executor, _of(found, "abduction")))
            found = [next(cut) if _is(e, "abduction") else e for e in found]
        turns = iter(self._failed_turns(_of(found, "repair")))
        made: list[Task | Rejection] = []
        for evidence in found:
            if isinstance(evidence, Rejection):
                made.append(evidence)
                continue
            failed = next(turns) if _is(evidence, "repair") else ""
            if failed is None:
                made.append(
                    Rejection(reason="degenerate", detail="no variant of the program fails a shown pair")
                )
                continue
            made.append(self._task(evidence, failed))
        return made

    def _task(self, evidence: Evidence[Program], failed: str) -> Task:
        d = evidence.draft
        common = behaviour(d.kind, evidence.probed) in self._of_one_operation()
        pairs, trace, probed = evidence.pairs, evidence.trace, evidence.probed
        return make_task(d.cell, d.program, pairs, trace, probed, d.lineage, failed, common=common)

    def _of_one_operation(self) -> frozenset[str]:
        """What single operations do, each run once."""
        if not self._single:
            asked = [(o.takes, compose([e])) for o in OPERATIONS for e in o.expressions]
            asks = [Ask(program=program, inputs=PROBES[kind]) for kind, program in asked]
            ran = zip(asked, self.executor.run(asks), strict=True)
            self._single = frozenset(behaviour(kind, outcome) for (kind, _), outcome in ran)
        return self._single

    def _failed_turns(self, repairs: Sequence[Evidence[Program]]) -> list[str | None]:
        """For each repair the text of a failed turn and of what its tests printed, or None."""
        randoms = [keyed("repair " + proposal_text(e.draft.program, e.pairs[0][0])) for e in repairs]
        turns: list[str | None] = [None] * len(repairs)
        for _ in range(VARIANTS):
            missing = [n for n, turn in enumerate(turns) if turn is None]
            asks = [_variant(randoms[n], repairs[n]) for n in missing]
            for n, ask, outcome in zip(missing, asks, self.executor.run(asks), strict=True):
                turns[n] = _failed_turn(repairs[n], ask, outcome)
        return turns


def _is(evidence: Evidence[Program] | Rejection, mode: str) -> bool:
    return isinstance(evidence, Evidence) and evidence.draft.cell.mode == mode


def _of(found: Sequence[Evidence[Program] | Rejection], mode: str) -> list[Evidence[Program]]:
    return [e for e in found if isinstance(e, Evidence) and _is(e, mode)]


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
