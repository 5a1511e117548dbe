"""The stage: the sealed exam, the model's own, and candidate against champion."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from autotelic.exam.evaluate import evaluate, exam_seed
from autotelic.exam.own import freeze_own
from autotelic.exam.sealed import Exam, fresh_items
from autotelic.messages import Decided, Dropped, Evaluated, ExamSet, Message, When
from autotelic.streams import seed_of, stream
from autotelic.types import Candidate, ExamReport, Group
from autotelic.weights.warrant import Warrant

if TYPE_CHECKING:
    from autotelic.engine.services import Services
    from autotelic.state import State

FREEZE = 0.5
"""Share of the budget from which on the own exam is frozen: by then its items have been tried often enough to
tell.
"""


def review(services: Services, state: State) -> Iterator[Message]:
    """Now and then: the gate decides between candidate and champion, the own exam is set, both exams are
    sat.
    """
    if state.generation % services.charter.exam.every == 0:
        yield from decide(services, state)
        yield from set_own(services, state)
        yield from examine(services, state, "during")


def examine(services: Services, state: State, when: When) -> Iterator[Message]:
    """Sit the sealed exam, and the model's own once it is frozen. During a run greedily, to save time."""
    for exam in (state.exam, state.own.frozen):
        if exam is not None:
            yield evaluated(services, state, exam, when, greedy_only=when == "during")


def settle(services: Services, state: State) -> Iterator[Message]:
    """At the end: a last decision where the gate has not said anything of these weights, and the champion's
    weights in place, so that what is examined is what is kept.
    """
    if state.champion.decided != state.generation:
        yield from decide(services, state)
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
    """Candidate against champion, on items of the rules that neither has met. A rejected candidate's weights
    are dropped, with its optimiser's state.
    """
    charter, door = services.charter, services.weights
    cells = state.curriculum.cells()
    count = charter.gate.items
    rng = stream(charter.seed, "gate", state.generation)
    wanted = [cells[i % len(cells)] for i in range(count)]
    items, missing = fresh_items(
        services.domain, rng, wanted, count, known=state.novelty.known, sealed=state.novelty.sealed
    )
    if missing:
        yield Dropped(what="gate item", n=missing, why="the rules gave no other that is new")
    candidate = door.put()
    seed = seed_of(charter.seed, "gate", state.generation)
    exam = Exam(name="gate", items=tuple(items))
    new, answered = _sit(services, exam, seed, True)
    services.take(state.champion.weights, "examine")
    old, before = _sit(services, exam, seed, True)
    decision = services.gate.review(
        Candidate(
            weights=candidate,
            champion=state.champion.weights,
            generation=state.generation,
            items=tuple(new.outcomes),
            candidate_outcomes=tuple(new.outcomes.values()),
            champion_outcomes=tuple(old.outcomes.values()),
        )
    )
    optimiser = ""
    if decision.verdict == "promote":
        services.take(candidate, "train")
        optimiser = services.store.put(services.learner.state())
        door.activate(candidate, Warrant(role="reference", ref=candidate), into=services.reference)
    else:
        services.take(state.champion.weights, "train")
        services.learner.restore(services.optimiser_of(state.champion.optimiser))
    yield Decided(
        weights=candidate,
        champion=state.champion.weights,
        optimiser=optimiser,
        decision=decision,
        items=tuple(items),
        answers=(*answered, *before),
    )


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
