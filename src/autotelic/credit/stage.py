"""The stage: verdicts of attempts, and what became of proposals, as advantages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from autotelic.credit.proposals import proposal_groups
from autotelic.credit.rewards import Advantage
from autotelic.credit.warnings import warnings
from autotelic.messages import Admitted, Credited, Earned, Judged, Message, Proposed
from autotelic.streams import stream
from autotelic.types import Group

if TYPE_CHECKING:
    from autotelic.engine.services import Services
    from autotelic.state import State


def credit(
    services: Services, state: State, proposed: Proposed, admitted: Admitted, judged: Sequence[Judged]
) -> Iterator[Message]:
    """One advantage an attempt and a sampled proposal; None where siblings do not differ. Says before it what
    keeps reward from teaching.
    """
    attempts = [group for message in judged for group in message.groups]
    proposals = proposal_groups(
        proposed.proposals,
        admitted.outcomes,
        attempts,
        state.novelty.share,
        stream(services.charter.seed, "refusals", state.generation),
        state.scale,
    )
    groups = [*services.feedback.dealt(attempts), *proposals]
    advantages = services.credit.assign(groups)
    kept = sum(advantage is not None for advantage in advantages[: len(attempts)])
    yield from warnings(attempts, kept, state.counters.flat)
    yield Credited(
        kept=kept,
        flat=len(attempts) - kept,
        earned=tuple(
            _earned(group, at, None if theirs is None else theirs[at])
            for group, theirs in zip(groups, advantages, strict=True)
            for at in range(len(group.episodes))
        ),
    )


def _earned(group: Group, at: int, advantage: Advantage | None) -> Earned:
    """What one attempt earned; of one advantage a token also their mean."""
    tokens = advantage if isinstance(advantage, tuple) else ()
    mean = sum(tokens) / len(tokens) if tokens else None
    return Earned(
        role=group.role,
        id=group.episodes[at].id,
        reward=group.verdicts[at].reward,
        advantage=mean if isinstance(advantage, tuple) else advantage,
        tokens=tokens,
    )
