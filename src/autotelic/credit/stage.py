"""The stage: verdicts of attempts, and what became of proposals, as advantages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from autotelic.credit.proposals import proposal_groups
from autotelic.messages import Admitted, Credited, Earned, Judged, Proposed
from autotelic.streams import stream

if TYPE_CHECKING:
    from autotelic.engine.services import Services
    from autotelic.state import State


def credit(
    services: Services, state: State, proposed: Proposed, admitted: Admitted, judged: Sequence[Judged]
) -> Credited:
    """One advantage an attempt and a sampled proposal; None where siblings do not differ."""
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
    return Credited(
        kept=kept,
        flat=len(attempts) - kept,
        earned=tuple(
            Earned(role=group.role, id=episode.id, reward=verdict.reward, advantage=a)
            for group, earned in zip(groups, advantages, strict=True)
            for episode, verdict, a in zip(
                group.episodes, group.verdicts, earned or [None] * len(group.episodes), strict=True
            )
        ),
    )
