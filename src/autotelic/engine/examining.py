"""Exams and gate within a run: the sealed exam, the own exam in the making, candidate against champion."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Literal

from autotelic.engine.run import Champion, Run
from autotelic.exam.own import freeze_own
from autotelic.exam.sealed import Exam
from autotelic.exam.sitting import Examinee, sit_exam
from autotelic.models.weights import copy_of, digest_of
from autotelic.streams import seed_of, stream
from autotelic.types import Candidate, ExamReport, Task

SET_ASIDE = 4
"""Tasks of the actor's a generation that are kept from training, for its own exam."""
POOL = 4
"""Times the exam's size that are set aside before it can be frozen."""


def examinee(run: Run) -> Examinee:
    """The actor as it is now, with the critic to rank its answers."""
    return Examinee(sampler=run.sampler, tokens=run.tokens, domain=run.domain, critic=run.critic)


def sit_sealed(run: Run, when: str) -> ExamReport:
    """The sealed exam: with samples at the ends of a run, greedily in between."""
    return _sit(run, run.sealed, when, greedy_only=when == "during")


def sit_own(run: Run, when: str) -> None:
    """The model's own exam, once there is one; never told without the sealed one beside it."""
    if run.own.frozen is not None:
        _sit(run, run.own.frozen, when, greedy_only=when == "during")


def _sit(run: Run, exam: Exam, when: str, *, greedy_only: bool) -> ExamReport:
    began = time.perf_counter()
    report = sit_exam(
        exam,
        examinee(run),
        samples=run.charter.exam.samples,
        temperature=run.charter.exam.temperature,
        max_tokens=run.charter.roles.max_tokens,
        seed=seed_of(run.charter.seed, "sit", exam.name),
        greedy_only=greedy_only,
    )
    told = {k: v for k, v in asdict(report).items() if k != "passed"}
    run.tell("exam", when=when, tokens=run.counters.trained, seconds=time.perf_counter() - began, **told)
    return report


def decide(run: Run) -> None:
    """Candidate against champion on fresh items of the rules; a rejected candidate's weights are dropped."""
    cells = run.curriculum.cells()
    rng = stream(run.charter.seed, "gate", run.generation)
    count = run.charter.gate.items
    items = run.domain.rules(rng, [cells[i % len(cells)] for i in range(count)])
    items = [task for task in items if task.signature not in run.novelty.sealed]
    fresh = Exam.of("gate", items)
    candidate = copy_of(run.model)
    new = _outcomes(run, fresh)
    run.sampler.load(run.champion.weights)
    old = _outcomes(run, fresh)
    run.sampler.load(candidate)
    digest = digest_of(run.model)
    decision = run.gate.review(
        Candidate(
            weights_digest=digest,
            parent=run.champion.digest,
            generation=run.generation,
            report={"candidate": new, "champion": old},
        )
    )
    run.tell("decision", **asdict(decision))
    if decision.verdict == "promote":
        run.champion = Champion(
            weights=candidate, optimiser=run.learner.state(), digest=digest, generation=run.generation
        )
    else:
        run.sampler.load(run.champion.weights)
        run.learner.restore(run.champion.optimiser)


def _outcomes(run: Run, exam: Exam) -> list[bool]:
    report = sit_exam(
        exam,
        examinee(run),
        samples=1,
        temperature=0.0,
        max_tokens=run.charter.roles.max_tokens,
        seed=seed_of(run.charter.seed, "gate", run.generation),
        greedy_only=True,
    )
    return [report.passed[item.id] for item in exam.items]


def set_aside(run: Run, tasks: Sequence[Task]) -> list[Task]:
    """Keep a few of the actor's tasks from training, until its own exam is frozen; returns the others."""
    wanted = run.charter.exam.own_items * POOL
    if run.own.frozen is not None or len(run.own.pool) >= wanted or not run.charter.exam.own_items:
        return list(tasks)
    rng = stream(run.charter.seed, "own", run.generation)
    chosen = {int(i) for i in rng.permutation(len(tasks))[:SET_ASIDE]}
    kept = [task for i, task in enumerate(tasks) if i in chosen]
    run.own.pool += kept
    run.record.tasks(kept, run.generation)
    # Sealed at once: a behaviour that may be asked must not be trained on in the meantime either.
    run.novelty.seal(task.signature for task in kept)
    return [task for i, task in enumerate(tasks) if i not in chosen]


def compose_own(run: Run) -> None:
    """Let this generation's weights try what was set aside; freeze the exam when enough is known."""
    if run.own.frozen is not None or not run.own.pool:
        return
    pool = Exam.of("own", run.own.pool)
    report = sit_exam(
        pool,
        examinee(run),
        samples=1,
        temperature=0.0,
        max_tokens=run.charter.roles.max_tokens,
        seed=seed_of(run.charter.seed, "own", run.generation),
        greedy_only=True,
    )
    for item in pool.items:
        run.own.rates.setdefault(item.id, []).append(float(report.passed[item.id]))
    if run.progress < 0.5:
        return
    frozen, refused = freeze_own(
        run.own.pool,
        run.own.rates,
        most=run.charter.exam.own_items,
        known=run.novelty.known - {task.signature for task in run.own.pool},
    )
    if frozen is None:
        return
    run.own.frozen = frozen
    run.tell(
        "exam.own",
        digest=frozen.digest,
        items=[{"id": task.id, "cell": str(task.cell)} for task in frozen.items],
        admitted=len(frozen.items),
        refused=refused,
    )


def examine(run: Run, *, when: Literal["before", "during", "after"]) -> None:
    """Sit the sealed exam, and the model's own once it is frozen. During a run greedily, to save time."""
    with run.stage("examine"):
        sit_sealed(run, when)
        sit_own(run, when)


def settle(run: Run) -> None:
    """At the end: a last decision, and the champion's weights in place, so that what is examined is what is kept."""
    with run.stage("examine"):
        if run.champion.generation != run.generation:
            decide(run)
        run.sampler.load(run.champion.weights)


def review(run: Run) -> None:
    """Now and then: let the gate decide between candidate and champion, set the own exam, sit the sealed one."""
    if run.generation % run.charter.exam.every:
        return
    decide(run)
    compose_own(run)
    sit_sealed(run, "during")
    sit_own(run, "during")
