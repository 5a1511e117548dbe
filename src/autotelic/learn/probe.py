"""Do sampler and learner compute the same? A few tokens are sampled, and scored by the learner.

They need not: a server may hold other weights or sample by other rules, a kernel may mask otherwise, an
adapter may never have arrived. The policy gradient would then be one of some other policy (trl#4159,
trl#6789, verl#7495), and nothing would look wrong for a long time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from transformers import PreTrainedModel

from autotelic.learn.learner import logprob_gap
from autotelic.protocols import Sampler
from autotelic.types import Request

SIBLINGS = 2
"""Completions of each prompt: two, so that a row after the first is looked at too."""
TOKENS = 16
"""The most tokens of a completion that is compared: a difference shows in the first few."""
OURS = {"float32": 1e-4, "bfloat16": 0.5}
"""The largest difference allowed of the decode loop, in nats, by the type of the weights."""
SERVERS = {"float32": 1e-3, "bfloat16": 0.5}
"""The largest difference allowed of a server, in nats. Its sums are in another order, so it is larger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """The largest difference between the log-probabilities of sampler and learner, over so many tokens."""

    gap: float
    allowed: float
    tokens: int
    weights: str

    @property
    def passed(self) -> bool:
        """Whether they compute the same. Not where the difference is no number."""
        return self.gap <= self.allowed


def probe(
    sampler: Sampler,
    learner: PreTrainedModel,
    prompts: Sequence[tuple[int, ...]],
    *,
    allowed: float,
    temperature: float,
    max_tokens: int,
    seed: int,
) -> Probe:
    """Sample after these prompts at the run's temperature, and compare with what the learner's model says of
    it.
    """
    requests = [
        Request(
            prompt_ids=ids,
            n=SIBLINGS,
            max_tokens=min(TOKENS, max_tokens),
            temperature=temperature,
            seed=seed + at,
        )
        for at, ids in enumerate(prompts)
    ]
    turns = [turn for siblings in sampler.sample(requests) for turn in siblings]
    return Probe(
        gap=logprob_gap(learner, turns, temperature),
        allowed=allowed,
        tokens=sum(len(turn.completion_ids) for turn in turns),
        weights=turns[0].weights,
    )
