"""The stage: a few tasks whose verdict is bought while internal feedback rewards, and what follows of it.

The tasks are the rules', the same in every generation, and no exam asks them. Nothing is trained on them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

from autotelic.judge.verifier import truth_of
from autotelic.messages import Audited, Message, SourceCut
from autotelic.protocols import Comparable, Domain
from autotelic.streams import seed_of, stream
from autotelic.types import Cell, Episode, Group, Scale, Source, Task, Verdict

if TYPE_CHECKING:
    from autotelic.engine.services import Services
    from autotelic.state import State

SPARE = 2
"""So many times as many tasks are drawn: those that an exam asks are left out."""


def audit(services: Services, state: State) -> Iterator[Message]:
    """What the verifier and the internal sources say of the audited tasks, and the sources that are cut.

    Nothing where no internal source has a weight, or where `feedback.guard` is 0.
    """
    feedback, charter = services.feedback, services.charter
    feedback.heed(state.cut)
    count = charter.feedback.guard
    if not count or not feedback.internal:
        return
    groups = services.policy.attempt(
        _tasks(services, state, count),
        siblings=charter.curriculum.group_size,
        temperature=charter.roles.temperature,
        seed=seed_of(charter.seed, "audit", state.generation),
    )
    groups = [group for group in groups if all(episode.steps for episode in group.episodes)]
    if not groups:
        return
    truth, said = feedback.audit(groups)
    yield from services.dropped()
    yield audited(services.domain, state.scale, state.counters.step, groups, truth, said)
    # The state has taken the audit in: a stage goes on once its message is recorded.
    for found in state.guard.findings(feedback.internal):
        yield SourceCut(
            source=found.source,
            step=state.counters.step,
            test=found.test,
            evidence=found.evidence,
            needed=found.needed,
            why=found.why,
        )
    feedback.heed(state.cut)


def audited(
    domain: Domain,
    scale: Scale,
    step: int,
    groups: Sequence[Group],
    truth: Sequence[Sequence[Verdict]],
    said: dict[Source, list[list[Verdict]]],
) -> Audited:
    """What an audit found, an attempt after the other and a task after the other."""
    episodes = [episode for group in groups for episode in group.episodes]
    return Audited(
        step=step,
        siblings=len(groups[0].episodes),
        success=tuple(truth_of(v, scale) for verdicts in truth for v in verdicts),
        entropy=tuple(map(_entropy, episodes)),
        length=tuple(sum(len(turn.completion_ids) for turn in episode.turns) for episode in episodes),
        distinct=tuple(len({_spelled(domain, group, e) for e in group.episodes}) for group in groups),
        said={source: tuple(v.reward for vs in verdicts for v in vs) for source, verdicts in said.items()},
        groups=tuple(replace(g, verdicts=tuple(v)) for g, v in zip(groups, truth, strict=True)),
    )


def _tasks(services: Services, state: State, count: int) -> list[Task]:
    """The same in every generation: a function of the seed and of what the sealed exam asks."""
    charter = services.charter
    low, high = charter.domain.levels
    modes = charter.domain.modes or tuple(services.domain.spec.modes)
    cells = [Cell(mode=mode, level=level) for level in range(low, high + 1) for mode in modes]
    asked = [cells[at % len(cells)] for at in range(SPARE * count)]
    drawn = services.domain.tasks(stream(charter.seed, "audit"), asked)
    sealed = state.exam.signatures
    return [task for task in drawn if task.signature not in sealed][:count]


def _entropy(episode: Episode) -> float:
    """An estimate of the mean entropy in nats: the mean surprise of what was sampled."""
    logprobs = list(chain.from_iterable(turn.logprobs for turn in episode.turns))
    return -sum(logprobs) / len(logprobs) if logprobs else 0.0


def _spelled(domain: Domain, group: Group, episode: Episode) -> str:
    """One spelling for answers that are the same, where the domain can say so."""
    same = domain.same(group.task.mode, episode.answer) if isinstance(domain, Comparable) else ""
    return same or episode.answer
