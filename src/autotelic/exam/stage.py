"""The stage: the sealed exam, the model's own, and asking for weights to be certified."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from autotelic.exam.evaluate import evaluate, exam_seed
from autotelic.exam.own import freeze_own
from autotelic.exam.sealed import Exam
from autotelic.messages import Decided, Evaluated, ExamSet, Message, When
from autotelic.streams import seed_of
from autotelic.types import ExamReport, Group
from autotelic.weights.warrant import Warrant

if TYPE_CHECKING:
    from autotelic.engine.services import Services
    from autotelic.state import State

FREEZE = 0.5
"""Share of the budget from which on the own exam is frozen: by then its items have been tried often enough to
tell.
"""


def review(services: Services, state: State) -> Iterator[Message]:
    """Now and then: the working weights ask to be certified, the own exam is set, both exams are sat. While the brake
    is at slow or above, the exams are sat in every generation.
    """
    if state.signs.slow or state.generation % services.charter.exam.every == 0:
        if due(services, state):
            yield from decide(services, state)
        yield from set_own(services, state)
        yield from examine(services, state, "during")


def examine(services: Services, state: State, when: When) -> Iterator[Message]:
    """Sit the sealed exam, and the model's own once it is frozen. During a run greedily, to save time."""
    for exam in (state.exam, state.own.frozen):
        if exam is not None:
            yield evaluated(services, state, exam, when, greedy_only=when == "during")


def settle(services: Services, state: State) -> Iterator[Message]:
    """At the end: a last gate where none has said anything of these weights, and their exam where they are not
    certified. Then the champion's weights are put in place, so that what is examined last is what is kept.
    """
    if state.champion.decided != state.generation:
        yield from decide(services, state)
    if services.weights.current() != state.champion.weights:
        yield from examine(services, state, "working")
    services.take(state.champion.weights, "examine")


def evaluated(services: Services, state: State, exam: Exam, when: When, *, greedy_only: bool) -> Evaluated:
    """One evaluation of an exam by the weights as they are."""
    began = time.perf_counter()
    report, groups = _sit(services, exam, exam_seed(services.charter.seed, exam), greedy_only)
    return Evaluated(
        when=when,
        tokens=state.counters.trained,
        seconds=services.clock.seconds,
        took=time.perf_counter() - began,
        report=report,
        groups=tuple(groups),
    )


def _sit(services: Services, exam: Exam, seed: int, greedy_only: bool) -> tuple[ExamReport, list[Group]]:
    return evaluate(
        exam,
        services.policy,
        services.domain,
        ranker=services.critic,
        samples=services.charter.exam.samples,
        temperature=services.charter.roles.temperature,
        seed=seed,
        greedy_only=greedy_only,
    )


def decide(services: Services, state: State) -> Iterator[Message]:
    """Ask for the working weights to be certified. Certified or not, they train on.

    The auditors examine the candidate from its stored bytes, in a process of their own. Weights that are champion
    already ask nothing.
    """
    door = services.weights
    candidate = door.put()
    if candidate == state.champion.weights:
        return
    decision = services.claim(candidate)
    optimiser = ""
    if decision.verdict == "promote":
        optimiser = services.store.put(services.learner.state())
        door.activate(candidate, Warrant(role="reference", ref=candidate), into=services.reference)
    yield Decided(weights=candidate, champion=state.champion.weights, optimiser=optimiser, decision=decision)


def due(services: Services, state: State) -> bool:
    """Whether the next of the planned gates has come: they are spread evenly over the budget, the last at its end."""
    planned = services.charter.gate.planned
    return state.progress(services.clock.seconds) >= (state.champion.gates + 1) / planned


def set_own(services: Services, state: State) -> Iterator[Message]:
    """Let this generation's weights try what was set aside; freeze the exam when enough is known."""
    if state.own.frozen is not None or not state.own.pool:
        return
    pool = Exam.of("pool", state.own.pool)
    report, groups = _sit(services, pool, seed_of(services.charter.seed, "own", state.generation), True)
    yield Evaluated(
        when="during",
        tokens=state.counters.trained,
        seconds=services.clock.seconds,
        took=0.0,
        report=report,
        groups=tuple(groups),
    )
    if state.progress(services.clock.seconds) < FREEZE:
        return
    frozen, refused = freeze_own(
        state.own.pool, state.own.rates, most=services.charter.exam.own_items, known=state.novelty.known
    )
    if frozen is not None:
        yield ExamSet(exam="own", digest=frozen.digest, refused=refused, missing={}, items=frozen.items)
