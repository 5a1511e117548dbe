"""What the model imitates of itself: right answers of this generation and of earlier ones, and tasks as it would
have proposed them.

One spelling of a right answer is imitated at most `ALIKE` times as often as the mean of all spellings. Counted as
often as it is found, it would mostly be the answer that is found most, and a model that narrows to it finds no other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from autotelic.protocols import Comparable, Proposable
from autotelic.references import draw_references
from autotelic.types import Entry, Group

if TYPE_CHECKING:
    from autotelic.engine.services import Services
    from autotelic.state import Right, State

PRACTISED = 0.05
"""Share of a generation's tasks that are also learned as proposals."""
ALIKE = 2
"""Times as often as the mean that one answer is imitated in a generation, and the least that it may be."""


def own_answers(services: Services, groups: Sequence[Group]) -> list[int]:
    """The model's own right answers, one a group, where siblings failed: what it can do but not yet reliably.

    Right by the word of the leading source: the verifier's, unless the charter has it silenced.
    """
    leader = services.feedback.leader
    mixed: list[dict[str, int]] = []
    for group in groups:
        pairs = zip(group.episodes, group.verdicts, strict=True)
        right = [e for e, v in pairs if v.passed and v.source == leader]
        if 0 < len(right) < len(group.verdicts):
            mixed.append({same(services, group.task.mode, e.answer): e.id for e in reversed(right)})
    spellings = {text for spelled in mixed for text in spelled}
    most = max(ALIKE, round(ALIKE * len(mixed) / max(1, len(spellings))))
    met: Counter[str] = Counter()
    found: list[int] = []
    for spelled in mixed:
        # Of several right answers the one that was imitated least: it is the one that would be lost.
        least = min(spelled, key=lambda text: met[text])
        if met[least] < most:
            met[least] += 1
            found.append(spelled[least])
    return found


def recall(
    services: Services, state: State, groups: Sequence[Group], rng: np.random.Generator
) -> list[Right]:
    """Right answers of earlier generations, drawn so that answers that are alike share one chance. With an archive
    none: its answers are learned as pairs.
    """
    settings = services.charter.curriculum
    count = round(settings.tasks_per_generation * settings.replay)
    now = {group.task.id for group in groups}
    old = [one for one in state.right if one.task.id not in now and one.source == services.feedback.leader]
    if not old or not count or not services.charter.learn.own or services.archives:
        return []
    spelled = [same(services, one.task.mode, one.episode.answer) for one in old]
    often = Counter(spelled)
    weight_N = np.array([1.0 / often[text] for text in spelled])
    picked = rng.choice(len(old), size=min(count, len(old)), replace=False, p=weight_N / weight_N.sum())
    return [old[int(i)] for i in picked]


def same(services: Services, mode: str, answer: str) -> str:
    """One spelling for answers that are the same, where the domain can say so."""
    domain = services.domain
    return (domain.same(mode, answer) if isinstance(domain, Comparable) else "") or answer


def practice(services: Services, state: State, rng: np.random.Generator) -> list[Entry]:
    """Examples of proposing: tasks of the rules, as if the actor had been asked for them.

    Of the rules alone. A proposer that imitates what it wrote itself narrows to it within a few generations;
    what it does better than the rules it learns from its reward.
    """
    charter, known = services.charter, state.rules_tasks
    count = round(PRACTISED * charter.curriculum.tasks_per_generation) if charter.learn.practice else 0
    if not isinstance(services.domain, Proposable) or not charter.curriculum.actor_share:
        return []
    chosen = [known[int(i)] for i in rng.permutation(len(known))[:count]]
    shown = draw_references(known, [task.cell for task in chosen], charter.roles.references, rng)
    return [
        Entry(
            kind="practice",
            ref=task.id,
            weight=1.0,
            shown=tuple(t.id for t in references),
        )
        for task, references in zip(chosen, shown, strict=True)
    ]
