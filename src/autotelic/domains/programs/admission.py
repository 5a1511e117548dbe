"""Is it a task at all? From a program and an input to evidence, or to a refusal that says why.

The reasons, in the order they are looked for: `syntax`, `whitelist`, `level`, `input` (before anything runs);
`timeout`, `memory`, `crashed`, `nondeterministic`, `output`, `error`, `constant`, `identity`, `degenerate`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Generic

from autotelic.domains.literal import LiteralError, canonical, parse_literal
from autotelic.domains.programs.execution import Ask, Executor, Outcome, P
from autotelic.domains.programs.inputs import PROBES, draw_input, fits, kind_of, plain
from autotelic.domains.programs.modes import HELD_BACK, INPUT_LIMITS, PROGRAMS, SHOWN
from autotelic.types import Cell, Json, Lineage, Rejection, Task

EXTRA = 10
"""Inputs drawn for an induction beside the proposed one, of which `SHOWN + HELD_BACK - 1` must work."""


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
    """A draft that passed: its pairs, the trace on the first, and the behaviour on the probes.

    `names` are the variables whose new values the trace has, where a program has several.
    """

    draft: Draft[P]
    pairs: tuple[tuple[Json, Json], ...]
    trace: tuple[Json, ...]
    probed: Outcome
    names: tuple[str, ...] = ()

    @property
    def cell(self) -> Cell:
        return self.draft.cell


def proposal_text(program: object, given: Json) -> str:
    """How a proposer writes a task down: the program, and an input."""
    return f"{program}\nf({canonical(given)})"


def proposed_input(text: str, level: int) -> Json | Rejection:
    """The input that a proposal calls its program with, or why it is none of the level."""
    try:
        given = parse_literal(text, INPUT_LIMITS)
    except LiteralError as error:
        return Rejection(reason="input", detail=str(error))
    return given if fits(given, level) else unfit(text, level)


def unfit(text: str, level: int) -> Rejection:
    """The refusal of an input that the level does not have."""
    return Rejection(reason="input", detail=f"{text[:40]} is no input of level {level}")


def draft(cell: Cell, program: P, given: Json, lineage: Lineage) -> Draft[P]:
    """A draft of a task. The further inputs of an induction are drawn as the rules draw them, from a stream
    keyed by the proposal's text: whoever writes the same proposal gets the same task.
    """
    inputs, kind = [given], kind_of(given)
    if cell.mode in PROGRAMS:
        random = keyed(proposal_text(program, given))
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
    ran = [
        (given, row[-1]) for given, row in zip(PROBES[draft.kind], probes, strict=True) if type(row) is list
    ]
    if len(ran) < len(probes) / 2:
        return Rejection(reason="error", detail=f"raises on {len(probes) - len(ran)} of {len(probes)} probes")
    pairs = [
        (given, row[-1])
        for given, row in zip(draft.inputs, own, strict=True)
        if type(row) is list and plain(row[-1], level)
    ]
    if draft.cell.mode in PROGRAMS:
        if len(pairs) < SHOWN + HELD_BACK:
            return Rejection(
                reason="error", detail=f"only {len(pairs)} of {len(draft.inputs)} inputs gave a pair"
            )
        pairs = pairs[:keep]
        if len({repr(output) for _, output in pairs[:SHOWN]}) == 1:
            return Rejection(reason="constant", detail="the shown pairs have one output")
    if len({repr(output) for _, output in ran}) == 1:
        return Rejection(reason="constant")
    if all(repr(given) == repr(output) for given, output in ran):
        return Rejection(reason="identity")
    if outcome.idle:
        return Rejection(reason="degenerate", detail=f"line {outcome.idle[0] + 1} changes nothing")
    return Evidence(draft, tuple(pairs), outcome.trace, Outcome(rows=probes))


def gather(
    executor: Executor[P],
    drafts: Sequence[Draft[P] | Rejection],
    examine: Callable[[Draft[P], Outcome], Evidence[P] | Rejection],
    *,
    twice: bool,
) -> list[Evidence[P] | Rejection]:
    """Run the drafts and examine them; refusals pass through. `twice` runs them under two hash seeds."""
    outcomes = iter(executor.run([d.ask(twice) for d in drafts if isinstance(d, Draft)]))
    return [examine(d, next(outcomes)) if isinstance(d, Draft) else d for d in drafts]


def failed_turns(
    executor: Executor[P],
    repairs: Sequence[Evidence[P]],
    variants: int,
    vary: Callable[[Random, Evidence[P]], Ask[P]],
    failed: Callable[[Evidence[P], Ask[P], Outcome], str | None],
) -> list[str | None]:
    """For each repair the text of a program that fails, with what its tests printed; None where `variants`
    are right.

    `vary` draws a variant of the right program, and `failed` gives the text where it fails a shown pair.
    """
    randoms = [keyed("repair " + proposal_text(e.draft.program, e.pairs[0][0])) for e in repairs]
    turns: list[str | None] = [None] * len(repairs)
    for _ in range(variants):
        missing = [n for n, turn in enumerate(turns) if turn is None]
        asks = [vary(randoms[n], repairs[n]) for n in missing]
        for n, ask, outcome in zip(missing, asks, executor.run(asks), strict=True):
            turns[n] = failed(repairs[n], ask, outcome)
    return turns


def finish(
    found: Sequence[Evidence[P] | Rejection],
    turns_of: Callable[[Sequence[Evidence[P]]], Sequence[str | None]],
    make: Callable[[Evidence[P], str], Task],
) -> list[Task | Rejection]:
    """Tasks of the evidence, each made with the failed turn that a repair starts from, and empty text elsewhere."""
    turns = iter(turns_of(of_mode(found, "repair")))
    made: list[Task | Rejection] = []
    for evidence in found:
        if isinstance(evidence, Rejection):
            made.append(evidence)
            continue
        failed = next(turns) if evidence.cell.mode == "repair" else ""
        if failed is None:
            made.append(Rejection(reason="degenerate", detail="no variant of the program fails a shown pair"))
        else:
            made.append(make(evidence, failed))
    return made


def of_mode(found: Sequence[Evidence[P] | Rejection], mode: str) -> list[Evidence[P]]:
    """The evidence of one mode."""
    return [e for e in found if isinstance(e, Evidence) and e.cell.mode == mode]
