"""Is a gain more than form? One exam under several prompts: with solved examples or without, decoded freely
or under the form of an answer.

    exam ──► each mode by itself ──► its examples before every item ──► greedy, of any form ────► judge
                                                                   └──► greedy, of its own form ─► judge

What a model can do when it is asked well is the best of these. That best is chosen on the exam itself, which
favours whoever is evaluated this way.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from autotelic.errors import DomainError
from autotelic.exam.evaluate import evaluate, exam_seed
from autotelic.exam.sealed import Exam
from autotelic.models.constrain import Constrained, Form
from autotelic.models.decode import Decoder
from autotelic.models.tokens import Tokens
from autotelic.protocols import Demonstrating, Domain, Formal, Policy, Sampler
from autotelic.streams import stream
from autotelic.types import Cell, ExamReport, Group, Task, text_of

SHOTS = (0, 4, 8)
"""Numbers of solved examples that are tried where none are named."""
ROUNDS = 64
"""Times that examples are drawn again where those drawn are sealed, before there are too few."""

Shots = Sequence[tuple[str, str]]
"""Prompts with right completions."""
PolicyOf = Callable[[Sampler, Tokens], Policy]
"""Makes the policy that samples so, with prompts of these tokens."""


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

    `prompt_tokens` is the mean length of a prompt, `prefilled` how many of all prompts' tokens were run,
    `sampled` how many tokens were decoded.
    """

    prompting: Prompting
    report: ExamReport | None
    prompt_tokens: float
    prefilled: int
    sampled: int
    seconds: float
    absent: str = ""


def best(found: Sequence[Prompted]) -> Prompted | None:
    """The one with the highest pass@1, the plainest of equals; None where no prompt fitted."""
    return max(
        (one for one in found if one.report is not None),
        key=lambda one: (_value(one), -one.prompting.shots, not one.prompting.constrained),
        default=None,
    )


def evaluate_prompted(
    exam: Exam,
    domain: Domain,
    decoder: Decoder,
    tokens: Tokens,
    policy_of: PolicyOf,
    promptings: Sequence[Prompting],
    *,
    max_tokens: int,
    context: int,
    seed: int,
) -> Iterator[Prompted]:
    """The exam under each way of asking, greedily.

    `max_tokens` is the most that an answer may have, `context` the most that a prompt and its answer may have.

    Examples are of the exam's own levels, drawn from the rules at other random numbers; none behaves like an
    item. Raises DomainError where the domain has no form for its answers, or too few examples.
    """
    items = list(exam.items)
    for prompting in promptings:
        shots = {
            mode: draw_shots(domain, exam, mode, prompting.shots, stream(seed, "shots", mode))
            for mode in dict.fromkeys(item.mode for item in items)
        }
        primed = Primed(domain, decoder, tokens, policy_of, shots, prompting.constrained)
        lengths = [len(ids) for mode in shots for ids in primed.prompts([i for i in items if i.mode == mode])]
        began, prefilled, sampled = time.perf_counter(), decoder.prefilled, decoder.tokens
        report, absent = None, ""
        if max(lengths) + max_tokens <= context:
            report, _ = evaluate(exam, primed, domain, seed=exam_seed(seed, exam), greedy_only=True)
        else:
            absent = f"{max(lengths)} tokens of prompt and {max_tokens} of answer; the model reads {context}"
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

    Raises DomainError where the rules hold too few solutions of tasks that behave like nothing in the exam
    and like no other example.
    """
    levels = sorted({cell.level for cell in exam.cells if cell.mode == mode})
    wanted = sorted(levels[at % len(levels)] for at in range(count))
    met, asked = set(exam.signatures), {item.prompt for item in exam.items}
    found: dict[int, tuple[str, str]] = {}
    for _ in range(ROUNDS if isinstance(domain, Demonstrating) else 0):
        missing = [at for at in range(count) if at not in found]
        if not missing:
            break
        for task, completion in _solved(domain, rng, [Cell(mode=mode, level=wanted[at]) for at in missing]):
            at = next((at for at in missing if at not in found and wanted[at] == task.level), None)
            if at is not None and task.signature not in met and task.prompt not in asked:
                met.add(task.signature)
                found[at] = (text_of(task.prompt), completion)
    if len(found) < count:
        raise DomainError(
            f"the rules gave {len(found)} examples of {mode} that are not in the exam, of {count}",
            "ask for fewer shots",
        )
    return [found[at] for at in range(count)]


def _solved(domain: Domain, rng: np.random.Generator, cells: Sequence[Cell]) -> list[tuple[Task, str]]:
    tasks = domain.tasks(rng, cells)
    shown = domain.demonstrate(tasks) if isinstance(domain, Demonstrating) else [None] * len(tasks)
    return [(task, one.completion) for task, one in zip(tasks, shown, strict=True) if one is not None]


class Primed:
    """A policy that is shown examples before each item, and may be held to the form of an answer.

    Each mode is attempted by itself, because it has its own examples and its own form. Implements `Policy`.
    """

    def __init__(
        self,
        domain: Domain,
        decoder: Decoder,
        tokens: Tokens,
        policy_of: PolicyOf,
        shots: Mapping[str, Shots],
        constrained: bool,
    ) -> None:
        self.tokens = {mode: tokens.primed(examples) for mode, examples in shots.items()}
        self.by_mode = {
            mode: policy_of(
                Constrained(decoder, _form(domain, mode, primed)) if constrained else decoder, primed
            )
            for mode, primed in self.tokens.items()
        }

    def prompts(self, tasks: Sequence[Task]) -> list[tuple[int, ...]]:
        """Ids of what is read before each answer; tasks of one mode."""
        return self.tokens[tasks[0].mode].prompts([task.prompt for task in tasks])

    def attempt(self, tasks: Sequence[Task], *, siblings: int, temperature: float, seed: int) -> list[Group]:
        """Attempts at tasks, in their order, not yet judged."""
        found: dict[str, Group] = {}
        for mode, policy in self.by_mode.items():
            of_mode = [task for task in tasks if task.mode == mode]
            for group in policy.attempt(of_mode, siblings=siblings, temperature=temperature, seed=seed):
                found[group.task.id] = group
        return [found[task.id] for task in tasks]


def _form(domain: Domain, mode: str, tokens: Tokens) -> Form:
    if not isinstance(domain, Formal):
        raise DomainError(
            f"the {domain.spec.name} domain says of no answer what form it has",
            "evaluate with --no-constrained, or give the domain a method `form(mode)`",
        )
    return Form(domain.form(mode), decode=tokens.decode, end_id=tokens.end_id)


def _value(prompted: Prompted) -> float:
    return prompted.report.overall.pass_at_1.value if prompted.report is not None else -1.0
