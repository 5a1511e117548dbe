"""Is a gain more than form? One exam under several prompts: with solved examples or without, decoded freely or under
the form of an answer.

    exam ──► each mode by itself ──► its examples before every item ──► greedy, of any form ────► judge
                                                                   └──► greedy, of its own form ─► judge

What a model can do when it is asked well is the best of these. That best is chosen on the exam itself, which favours
whoever sits it this way.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import numpy as np

from autotelic.attempt.tokens import Tokens
from autotelic.errors import DomainError, ModelError
from autotelic.exam.sealed import Exam
from autotelic.exam.sitting import Examinee, Seat, sit_exam
from autotelic.models.constrain import Constrained, Form
from autotelic.models.decode import Decoder
from autotelic.protocols import Domain
from autotelic.streams import seed_of, stream
from autotelic.types import Cell, ExamReport, Group, Task

SHOTS = (0, 4, 8)
"""Numbers of solved examples that are tried where none are named."""
ROUNDS = 64
"""Times that examples are drawn again where those drawn are sealed."""

Shots = Sequence[tuple[str, str]]
"""Prompts with right completions."""


@runtime_checkable
class Formal(Protocol):
    """What constrained decoding needs of a domain."""

    def form(self, mode: str) -> str:
        """The pattern that right completions of a mode match as a whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompting:
    """A way of asking: so many solved examples first, and whether the answer is held to its form.

    >>> str(Prompting(shots=4, constrained=True))
    '4 shots, constrained'
    """

    shots: int
    constrained: bool

    def __str__(self) -> str:
        shown = f"{self.shots} shot{'s' if self.shots > 1 else ''}" if self.shots else "zero-shot"
        return f"{shown}, constrained" if self.constrained else shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompted:
    """What came of one way of asking. `report` is None where the prompts did not fit, and `absent` says so.

    `prompt_tokens` is the mean length of a prompt, `prefilled` how many of all prompts' tokens were run, `sampled`
    how many tokens were decoded.
    """

    prompting: Prompting
    report: ExamReport | None
    prompt_tokens: float
    prefilled: int
    sampled: int
    seconds: float
    absent: str = ""


def best(sat: Sequence[Prompted]) -> Prompted | None:
    """The one with the highest pass@1, the plainest of equals; None where no prompt fitted."""
    return max(
        (one for one in sat if one.report is not None),
        key=lambda one: (_value(one), -one.prompting.shots, not one.prompting.constrained),
        default=None,
    )


def sit_prompted(seat: Seat, promptings: Sequence[Prompting]) -> Iterator[Prompted]:
    """The seat's exam under each way of asking, greedily.

    Examples are of the exam's own levels, drawn from the rules at other random numbers; none behaves like an item.
    Raises ModelError where the seat does not decode in this process, DomainError where the domain has no form for
    its answers or too few examples.
    """
    decoder, seed = seat.examinee.sampler, seat.charter.seed
    if not isinstance(decoder, Decoder):
        raise ModelError(
            "answers can be held to a form in our own decode loop only", "sit the exam in this process"
        )
    items = list(seat.exam.items)
    most = seat.charter.roles.max_tokens
    for prompting in promptings:
        shots = {
            mode: draw_shots(
                seat.examinee.domain, seat.exam, mode, prompting.shots, stream(seed, "shots", mode)
            )
            for mode in dict.fromkeys(item.mode for item in items)
        }
        primed = Primed(seat.examinee, decoder, shots, prompting.constrained)
        lengths = [len(ids) for mode in shots for ids in primed.prompts([i for i in items if i.mode == mode])]
        began, prefilled, sampled = time.perf_counter(), decoder.prefilled, decoder.tokens
        report, absent = None, ""
        if max(lengths) + most <= decoder.context:
            sitting = seed_of(seed, "sit", seat.exam.name)
            report = sit_exam(seat.exam, primed, max_tokens=most, seed=sitting, greedy_only=True)
        else:
            absent = (
                f"{max(lengths)} tokens of prompt and {most} of answer; the model reads {decoder.context}"
            )
        yield Prompted(
            prompting=prompting,
            report=report,
            prompt_tokens=float(np.mean(lengths)),
            prefilled=decoder.prefilled - prefilled,
            sampled=decoder.tokens - sampled,
            seconds=time.perf_counter() - began,
            absent=absent,
        )


def draw_shots(domain: Domain, exam: Exam, mode: str, count: int, rng: np.random.Generator) -> Shots:
    """`count` examples of a mode with right completions, the easiest level of the exam first.

    Raises DomainError where the rules give too few that behave like nothing in the exam and like no other example.
    """
    levels = sorted({cell.level for cell in exam.cells if cell.mode == mode})
    wanted = sorted(levels[at % len(levels)] for at in range(count))
    met, ids = set(exam.signatures), {item.id for item in exam.items}
    found: dict[int, Task] = {}
    for _ in range(ROUNDS):
        missing = [at for at in range(count) if at not in found]
        if not missing:
            break
        for task in domain.rules(rng, [Cell(mode=mode, level=wanted[at]) for at in missing]):
            at = next((at for at in missing if at not in found and wanted[at] == task.level), None)
            if at is not None and task.signature not in met and task.id not in ids:
                met.add(task.signature)
                found[at] = task
    if len(found) < count:
        raise DomainError(
            f"the rules gave {len(found)} examples of {mode} that are not in the exam, of {count}",
            "ask for fewer shots",
        )
    return [(found[at].prompt, domain.worked(found[at])) for at in range(count)]


class Primed:
    """An examinee who is shown examples before each item, and may be held to the form of an answer.

    Each mode is attempted by itself, because it has its own examples and its own form. Implements `Sitter`.
    """

    critic = None

    def __init__(
        self, examinee: Examinee, decoder: Decoder, shots: Mapping[str, Shots], constrained: bool
    ) -> None:
        self.by_mode: dict[str, Examinee] = {}
        for mode, examples in shots.items():
            tokens = examinee.tokens.primed(examples)
            sampler = Constrained(decoder, _form(examinee.domain, mode, tokens)) if constrained else decoder
            self.by_mode[mode] = replace(examinee, tokens=tokens, sampler=sampler, critic=None)

    def prompts(self, tasks: Sequence[Task]) -> list[tuple[int, ...]]:
        """Ids of what is read before each answer; tasks of one mode."""
        return self.by_mode[tasks[0].mode].tokens.prompts([task.prompt for task in tasks])

    def attempt(
        self, tasks: Sequence[Task], *, siblings: int, temperature: float, max_tokens: int, seed: int
    ) -> list[Group]:
        """Attempts at tasks, in their order, each with its verdict."""
        found: dict[str, Group] = {}
        for mode, examinee in self.by_mode.items():
            of_mode = [task for task in tasks if task.mode == mode]
            for group in examinee.attempt(
                of_mode, siblings=siblings, temperature=temperature, max_tokens=max_tokens, seed=seed
            ):
                found[group.task.id] = group
        return [found[task.id] for task in tasks]


def _form(domain: Domain, mode: str, tokens: Tokens) -> Form:
    if not isinstance(domain, Formal):
        raise DomainError(
            f"the {domain.name} domain says of no answer what form it has",
            "sit the exam with --no-constrained, or give the domain a method `form(mode)`",
        )
    return Form(domain.form(mode), decode=tokens.decode, end_id=tokens.end_id)


def _value(prompted: Prompted) -> float:
    return prompted.report.pass_at_1.value if prompted.report is not None else -1.0
