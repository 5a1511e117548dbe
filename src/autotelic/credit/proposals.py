"""What a proposal earned: learnability, the more the newer its kind; and less than nothing where it is no
task.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from autotelic.messages import Outcome
from autotelic.scale import FLAT, scaled
from autotelic.types import Episode, Group, Proposal, Scale, Step, Task, Verdict

REFUSED = -1.0
"""What a proposal earns that is no task, or none that is new."""


def learnability(rewards: Sequence[float]) -> float:
    """How much attempts at a task differ: the variance of their rewards in [0, 1] over its maximum, 1/4.

    With one pseudo-observation of 0 and one of 1, so that four alike of four are not certain; for yes and no
    it is 4p(1-p), with p the mean of a Beta(1, 1) posterior. 0 where all are alike. Largest for tasks solved
    half the time (Sukhbaatar et al. 2018; Florensa et al. 2018); a task that nobody or everybody solves
    teaches nothing.
    """
    reward_N = np.asarray(rewards, dtype=np.float64)
    if not len(reward_N) or np.ptp(reward_N) <= FLAT:
        return 0.0
    n = len(reward_N) + 2
    mean, square = (reward_N.sum() + 1) / n, ((reward_N**2).sum() + 1) / n
    return float(4 * (square - mean**2))


def worth(group: Group, novelty: float, scale: Scale) -> float:
    """What a valid proposal earns: learnability times novelty, so that neither can be traded for the
    other.
    """
    return learnability([scaled(scale, reward) for reward in group.rewards]) * novelty


def proposal_groups(
    proposals: Sequence[Proposal],
    outcomes: Sequence[Outcome],
    groups: Sequence[Group],
    share_of: Callable[[str], float],
    rng: np.random.Generator,
    scale: Scale,
) -> list[Group]:
    """Proposals that were attempted, and a like share of those that were no task, as a group a mode.

    `outcomes` has one entry a proposal; `groups` are the judged attempts; `share_of` is a cluster's share of
    recent tasks. Refusals are drawn by `rng`, so that no level is blamed for those of another.
    """
    attempted = {group.task.id: group for group in groups}
    earned: list[tuple[Proposal, Verdict]] = []
    refused: list[tuple[Proposal, Verdict]] = []
    for proposal, outcome in zip(proposals, outcomes, strict=True):
        if not outcome.task:
            refused.append((proposal, Verdict(reward=REFUSED, passed=False, reason=outcome.reason)))
        elif outcome.task in attempted:
            group = attempted[outcome.task]
            value = worth(group, 1.0 - share_of(group.task.cluster), scale)
            earned.append((proposal, Verdict(reward=value, passed=value > 0, reason="task")))
    # As many refusals as their share of all that was written: the mean is then what a proposal earns.
    share = len(refused) / max(1, len(proposals))
    count = min(len(refused), round(len(earned) * share / max(1e-9, 1 - share)))
    drawn = sorted(rng.permutation(len(refused))[:count].tolist())
    return _by_mode([*earned, *(refused[i] for i in drawn)])


def _by_mode(pairs: Sequence[tuple[Proposal, Verdict]]) -> list[Group]:
    """Sampled proposals with what they earned: those asked for the same mode are siblings."""
    members: dict[str, list[tuple[Proposal, Verdict]]] = {}
    for proposal, verdict in pairs:
        if proposal.turn is not None:
            members.setdefault(proposal.cell.mode, []).append((proposal, verdict))
    return [
        Group(
            # There is no task yet: writing one is the attempt.
            task=Task(domain="", mode=mode, level=0, prompt="", secret={}),
            episodes=tuple(_episode(proposal) for proposal, _ in found),
            verdicts=tuple(verdict for _, verdict in found),
            role="proposer",
        )
        for mode, found in sorted(members.items())
    ]


def _episode(proposal: Proposal) -> Episode:
    assert proposal.turn is not None  # `_by_mode` leaves out what was not sampled
    return Episode(task_id="", steps=(Step(turn=proposal.turn),), answer=proposal.text, id=proposal.id)
