"""The stage: demonstrations, own right answers, practice in proposing and attempts become one set of
updates.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from autotelic.errors import DivergedError, RunError
from autotelic.learn.form import elite_pairs, pairs
from autotelic.learn.lesson import Material, referenced, traces_of
from autotelic.learn.own import own_answers, practice, recall
from autotelic.learn.pack import Trace, pack, split
from autotelic.learn.staleness import fresh
from autotelic.learn.streams import Sequences, weighed
from autotelic.messages import (
    Admitted,
    Credited,
    Dropped,
    Formed,
    Judged,
    Lesson,
    Message,
    Proposed,
    Repairing,
    Updated,
)
from autotelic.streams import stream
from autotelic.types import Batch, Entry, Episode, Group, Task

if TYPE_CHECKING:
    from autotelic.engine.services import Services
    from autotelic.state import Right, State

SLOW_PART = 4
"""One update in so many is made while the brake is at slow or above: its leases allow as much."""
EMPTY_LIMIT = 5
"""Generations without anything to learn from, after which the run stops rather than burn its budget."""


def learn(
    services: Services,
    state: State,
    proposed: Proposed,
    admitted: Admitted,
    judged: Sequence[Judged],
    drafted: Repairing,
    credited: Credited,
    formed: Formed,
) -> Iterator[Message]:
    """All of a generation into one set of updates. Yields the lesson, then each update as it is made.

    `judged` are the attempts and then each round of repairs; `drafted` are repairs to learn from without an
    attempt; `formed` are pairs of form.
    """
    rng = stream(services.charter.seed, "learn", state.generation)
    groups = [group for message in judged for group in message.groups]
    repaired = [group.task for group in groups if group.task.is_repair]
    replayed = replay(services, state, len(admitted.tasks), rng)
    demonstrated = services.feedback.executed([*admitted.tasks, *replayed, *repaired, *drafted.tasks])
    remembered = recall(services, state, groups, rng)
    entries = _demonstrations(services, demonstrated)
    entries += [Entry(kind="own", ref=str(id), weight=1.0) for id in own_answers(services, groups)]
    entries += [Entry(kind="own", ref=str(one.episode.id), weight=1.0) for one in remembered]
    entries += practice(services, state, rng) + _reinforced(credited)
    entries += [Entry(kind="form", ref=task.id, weight=1.0) for task in formed.tasks]
    material = Material(
        tasks={t.id: t for t in [*demonstrated, *state.pool, *formed.tasks, *(g.task for g in groups)]},
        episodes={str(e.id): e for e in _episodes(groups, remembered)},
        proposals={str(p.id): p for p in proposed.proposals},
    )
    fitting, left_out = _fitting(services, entries, material)
    if left_out:
        yield Dropped(what="sequence", n=left_out, why=f"longer than {services.context} tokens")
    sequences, shares = weighed(fitting, services.charter.learn)
    task_of = {str(one.episode.id): one.task for one in remembered}
    task_of |= {str(e.id): group.task for group in groups for e in group.episodes}
    yield _lesson(sequences, shares, material, task_of, len(replayed) + len(remembered))
    yield from _updates(services, state, sequences, rng)
    services.sync()
    if services.machine.server:  # whose digest is what it was sent, which is not what it computes with
        yield services.probe()


def form(services: Services, state: State) -> Formed:
    """Pairs of form: a whole generation of them at first, and then as many as the charter's share comes to. With an
    archive, of these the share that is replayed has its answers.
    """
    learn, curriculum = services.charter.learn, services.charter.curriculum
    first = state.generation <= learn.form_generations
    count = curriculum.tasks_per_generation if first else round(learn.form * curriculum.tasks_per_generation)
    if not count or not (first or learn.form):
        return Formed(tasks=())
    rng = stream(services.charter.seed, "form", state.generation)
    sealed, elites = state.novelty.sealed, 0
    found: list[Task] = []
    if services.archives and state.archive.families and not first:
        cells = state.curriculum.allocate(round(curriculum.replay * count), rng)
        made = elite_pairs(services.domain, state.archive, cells, rng, state.generation)
        found = [task for task in made if task.signature not in sealed]
        elites = len(found)
    showing = services.charter.repair.share if services.archives else 0.0
    made = pairs(services.domain, state.curriculum.allocate(count - elites, rng), rng, showing)
    return Formed(elites=elites, tasks=(*found, *(task for task in made if task.signature not in sealed)))


def _episodes(groups: Sequence[Group], remembered: Sequence[Right]) -> Iterator[Episode]:
    for group in groups:
        yield from group.episodes
    for one in remembered:
        yield one.episode


def replay(services: Services, state: State, fresh: int, rng: np.random.Generator) -> list[Task]:
    """Tasks learned before, from the cells and in the shares that the curriculum wants now."""
    settings = services.charter.curriculum
    count = round(settings.tasks_per_generation * settings.replay)
    old = list(state.pool)[: max(0, len(state.pool) - fresh)]
    if not old or not count or not services.imitates:
        return []
    shares = state.curriculum.shares()
    weight_N = np.array([shares.get(task.cell, 0.0) for task in old])
    if weight_N.sum() <= 0:
        return []
    size_of = Counter(task.cell for task in old)
    weight_N /= np.array([size_of[task.cell] for task in old])
    count = min(count, int(np.count_nonzero(weight_N)))
    picked = rng.choice(len(old), size=count, replace=False, p=weight_N / weight_N.sum())
    return [old[int(i)] for i in picked]


def _demonstrations(services: Services, tasks: Sequence[Task]) -> list[Entry]:
    if not services.imitates:
        return []
    return [Entry(kind="demonstration", ref=task.id, weight=1.0) for task in tasks]


def _reinforced(credited: Credited) -> list[Entry]:
    """Every attempt and proposal that earned an advantage; in 32 bits, as it is learned."""
    return [
        Entry(
            kind="attempt" if earned.role == "solver" else "proposal",
            ref=str(earned.id),
            weight=float(np.float32(earned.advantage)),
            tokens=earned.tokens,
        )
        for earned in credited.earned
        if earned.advantage
    ]


def _fitting(services: Services, entries: Sequence[Entry], material: Material) -> tuple[Sequences, int]:
    """Each entry with its sequence, and how many were left out for being longer than the model's context."""
    traces = traces_of(entries, material, services.domain, services.tokens)
    made = [(entry, trace) for entry, trace in zip(entries, traces, strict=True) if trace is not None]
    kept = [(entry, trace) for entry, trace in made if len(trace) <= services.context]
    return kept, len(made) - len(kept)


def _lesson(
    sequences: Sequences,
    shares: Mapping[str, float],
    material: Material,
    task_of: Mapping[str, Task],
    replayed: int,
) -> Lesson:
    """What the updates are made of, counted. `task_of` has the tasks of the episodes, by their ids."""
    authors: Counter[str] = Counter()
    tokens: Counter[str] = Counter()
    sizes: dict[str, list[int]] = {}
    attempts: dict[str, list[int]] = {}
    for entry, trace in sequences:
        tokens[entry.kind] += len(trace)
        if entry.kind in ("proposal", "form"):
            continue
        of_task = entry.kind in ("demonstration", "practice")
        task = material.task(entry.ref) if of_task else task_of[entry.ref]
        if not task.is_repair:  # the failure is the actor's and the task perhaps not: neither's
            authors[task.lineage.author] += len(trace)
        if entry.kind in ("demonstration", "own"):
            sizes.setdefault(str(task.cell), []).append(len(trace))
        elif entry.kind == "attempt":
            attempts.setdefault(str(task.cell), []).append(len(trace))
    sizes = sizes or attempts  # with reward alone a task costs what its attempts do
    return Lesson(
        shares=shares,
        sequences=dict(Counter(entry.kind for entry, _ in sequences)),
        tokens=dict(tokens),
        tokens_by_author=dict(authors),
        cost={cell: sum(lengths) / len(lengths) for cell, lengths in sizes.items()},
        replayed=replayed,
    )


def _updates(
    services: Services, state: State, sequences: Sequences, rng: np.random.Generator
) -> Iterator[Message]:
    """The updates, one at a time. Raises DivergedError at the first that is not finite, RunError where
    generation after generation gave nothing to learn from.
    """
    if not sequences:
        yield Dropped(what="generation", n=1, why="nothing to learn from")
        if state.counters.empty >= EMPTY_LIMIT:
            raise RunError(
                f"{EMPTY_LIMIT} generations gave nothing to learn from",
                "look at what was dropped with `autotelic inspect`; easier levels or larger groups may help",
            )
        return
    entry_of: Mapping[int, Entry] = {id(trace): entry for entry, trace in sequences}
    before = services.weights.digest()
    batches = split([trace for _, trace in sequences], services.charter.learn.batch_tokens, rng)
    batches, stale = fresh(batches, services.charter.learn.staleness)
    yield from stale
    if state.signs.slow and (left_out := len(batches) - math.ceil(len(batches) / SLOW_PART)):
        yield Dropped(what="update", n=left_out, why="the brake is at slow or above")
        batches = batches[:-left_out]
    for batch in batches:
        step = state.counters.step
        rate = services.rate(step, state.progress(services.clock.seconds))
        services.guard.step(sum(map(len, batch)))
        report = services.learner.step(packed(services, batch), rate)
        after = before if report.skipped else services.weights.digest()
        yield Updated(
            step=step,
            before=before,
            after=after,
            rate=rate,
            threads=services.crew.size,
            report=report,
            batch=tuple(entry_of[id(trace)] for trace in batch),
        )
        if report.skipped:
            tokens = sum(map(len, batch))
            raise DivergedError(
                f"update {step} of generation {state.generation}, {len(batch)} sequences of {tokens} tokens: "
                f"{report.skipped}; the champion before it is in the run folder",
                "go on from it (`autotelic run --from RUN`) with a lower learn.lr_matrix and learn.lr_other",
            )
        before = after


def packed(services: Services, traces: Sequence[Trace]) -> Batch:
    """A batch ready to be learned: with the reference policy's log-probabilities where the charter prices
    distance.
    """
    if services.charter.learn.kl:
        traces = referenced(traces, services.reference, services.charter.roles.temperature)
    return pack(traces, services.crew.size)
