"""The stages: the verdicts to learn from, what every source says beside them, and what the critic learns of
it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from autotelic.messages import Archived, Attempted, CriticUpdated, Dropped, Judged, Message
from autotelic.protocols import Comparable
from autotelic.streams import seed_of

if TYPE_CHECKING:
    from autotelic.engine.services import Services
    from autotelic.state import State


def judge(services: Services, state: State, attempted: Attempted) -> Iterator[Message]:
    """The verdict on every attempt, and what it says of the archive's answers."""
    services.feedback.heed(state.cut)
    groups = services.feedback.verify(attempted.groups)
    yield from services.dropped()
    tried = attempted.purpose in ("attempt", "repair") and services.archives
    if tried and isinstance(services.domain, Comparable):
        yield Archived(tried=tuple(state.archive.tried(services.domain, groups)))
    yield Judged(purpose=attempted.purpose, groups=tuple(groups))


def appraise(services: Services, state: State, judged: Sequence[Judged]) -> Iterator[Message]:
    """What the other sources say of the same attempts, before any of them learns the outcomes."""
    if not services.consults:
        return
    groups = [group for message in judged for group in message.groups]
    appraised, notes = services.feedback.appraise(groups, state.generation)
    for note in notes:
        yield Dropped(what="critic's judgement", n=1, why=note)
    yield appraised


def instruct(services: Services, state: State, judged: Sequence[Judged]) -> Iterator[Message]:
    """The critic learns the outcomes. After the actor has learned: its guess was the actor's baseline, and a
    baseline that knew the outcome would bias the gradient. A critic that nothing asks learns nothing.
    """
    if not services.consults:
        return
    groups = [group for message in judged for group in message.groups]
    report = services.critic.learn(groups, seed_of(services.charter.seed, "critic", state.generation))
    if report.skipped:
        yield Dropped(what="critic's update", n=1, why=report.skipped)
    yield CriticUpdated(report=report, calibration=services.critic.quality)
