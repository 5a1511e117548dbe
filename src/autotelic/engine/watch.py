"""The stage at the end of a generation: what oversight measures, the sealed items it opens, and its alarms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from autotelic.exam.sealed import fresh_items
from autotelic.judge.verifier import truth_of
from autotelic.messages import Alarmed, Looked, Measured, Message, Opened
from autotelic.streams import seed_of, stream
from autotelic.types import Cell, Group, Source, Task

if TYPE_CHECKING:
    from autotelic.engine.services import Services
    from autotelic.state import State


def watch(services: Services, state: State) -> Iterator[Message]:
    """The measures, a look at sealed items while a proxy rewards, and the alarms of both.

    An alarm is told to the overseer once it is recorded (`Run.record`), which raises the brake.
    """
    measured: Measured = state.signs.measured()
    yield measured
    yield from look(services, state)
    for alarm in state.signs.alarms():
        yield Alarmed(trigger=alarm.trigger, level=alarm.level, reason=alarm.reason)


def look(services: Services, state: State) -> Iterator[Message]:
    """Open sealed items, and see what the proxy in use and the verifier say of new attempts at them.

    The proxy is all that rewards besides the verifier, as the charter weighs it. `feedback.guard` is how many items a
    generation opens. Their order is on the ledger before any of them is attempted.
    """
    feedback, charter = services.feedback, services.charter
    feedback.heed(state.cut)
    count, sources = charter.feedback.guard, feedback.internal
    if not count or not sources or state.signs.limits["drift"] is None:
        return
    if count > state.signs.monitor.left:
        if (alarm := state.signs.exhausted(count)) is not None:
            yield Alarmed(trigger=alarm.trigger, level=alarm.level, reason=alarm.reason)
        return
    tasks, fresh = _items(services, state, count)
    if not tasks:
        return
    names = tuple(f"{task.signature}/{state.generation}.{at}" for at, task in enumerate(tasks))
    yield Opened(items=names, sources=sources, fresh=fresh)
    services.reports.flush()
    groups = services.policy.attempt(
        tasks,
        siblings=charter.curriculum.group_size,
        temperature=charter.roles.temperature,
        seed=seed_of(charter.seed, "sealed items", state.generation),
    )
    said, truth = compared(services, state, groups, sources)
    yield from services.dropped()
    yield Looked(said=said, truth=truth)


def compared(
    services: Services, state: State, groups: Sequence[Group], sources: Sequence[Source]
) -> tuple[list[float], list[float]]:
    """By item what the proxy and what the verifier said on average of its attempts, both in [0, 1]."""
    feedback = services.feedback
    # A critic that judges what is withheld alone has its share there, and no weight beside the verifier.
    weights = {source: feedback.weights[source] or feedback.withhold for source in sources}
    total = sum(weights.values())
    truths, by_source = feedback.audit(groups)
    said = []
    for at, group in enumerate(groups):
        if not group.episodes:
            said.append(0.0)
            continue
        mixed = sum(
            weights[source] / total * sum(min(1.0, max(0.0, v.reward)) for v in by_source[source][at])
            for source in sources
        )
        said.append(mixed / len(group.episodes))
    truth = [
        sum(truth_of(v, state.scale) for v in verdicts) / len(verdicts) if verdicts else 0.0
        for verdicts in truths
    ]
    return said, truth


def _items(services: Services, state: State, count: int) -> tuple[list[Task], int]:
    """So many items of what is practised, and how many of them nothing was trained on. No exam asks them."""
    charter = services.charter
    low, high = charter.domain.levels
    modes = charter.domain.modes or tuple(services.domain.spec.modes)
    cells = [Cell(mode=mode, level=level) for level in range(low, high + 1) for mode in modes]
    rng = stream(charter.seed, "sealed items", state.generation)
    sealed = state.novelty.sealed
    fresh, missing = fresh_items(services.domain, rng, cells, count, known=state.novelty.known, sealed=sealed)
    if not missing:
        return fresh, len(fresh)
    met = {task.signature for task in fresh}
    more, _ = fresh_items(services.domain, rng, cells, missing, known=met, sealed=sealed)
    return fresh + more, len(fresh)
