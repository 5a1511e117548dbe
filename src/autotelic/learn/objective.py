"""What an algorithm does with advantages in an update: ratio, surrogate, and what its sum is divided by.

log-probabilities ──► ratio ──► surrogate ──► weighted mean over tokens
                      of a token,   clipped,     token     1 each
                      of a sequence likelihood,  sequence  1 / its length
                                    NFT          constant  1 / the longest completion
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from autotelic.algorithms import ALGORITHMS, Algorithm
from autotelic.learn.losses import Clip, clipped, negative_aware, per_sequence
from autotelic.types import Batch


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """An algorithm's loss over tokens. `longest` is the most tokens of a completion, which the constant mean
    divides by.
    """

    algorithm: Algorithm = ALGORITHMS["grpo-pooled"]
    longest: int = 1

    def weights(self, policy_S: Tensor, sequence_S: Tensor) -> Tensor:
        """What each token counts. [S] -> [S]. With `divisor` as the sum, their weighted mean is the loss."""
        if self.algorithm.mean == "token":
            return policy_S
        if (
            self.algorithm.mean == "constant"
        ):  # Dr. GRPO, arXiv:2503.20783, appendix (`masked_mean` by constant)
            return policy_S / self.longest
        token_S = (policy_S > 0).float()
        n = int(sequence_S.max()) + 1 if len(sequence_S) else 0
        length_N = policy_S.new_zeros(n).index_add(0, sequence_S, token_S)
        return policy_S / length_N.clamp(min=1.0)[sequence_S]

    def divisor(self, batch: Batch) -> float:
        """What the whole batch's weighted sum is divided by: tokens, or sequences."""
        if self.algorithm.mean == "token":
            return float(batch.policy_BT.sum())
        at_S = (batch.policy_BT > 0).flatten().nonzero()[:, 0]
        return float(len(sequences_at(batch, at_S).unique()))

    def losses(
        self,
        logprob_S: Tensor,
        old_S: Tensor,
        advantage_S: Tensor,
        policy_S: Tensor,
        sequence_S: Tensor,
        clip: Clip,
    ) -> tuple[Tensor, Tensor]:
        """Each token's loss, and 1 where the clip binds. [S], [S]."""
        if self.algorithm.surrogate == "likelihood":
            return -advantage_S * logprob_S, torch.zeros_like(advantage_S)
        log_ratio_S = logprob_S - old_S
        if self.algorithm.ratio != "token":
            token_S = (policy_S > 0).float()
            mean = self.algorithm.ratio == "sequence"
            log_ratio_S = per_sequence(log_ratio_S, token_S, sequence_S, mean=mean)
        if self.algorithm.surrogate == "negative-aware":
            return negative_aware(log_ratio_S, advantage_S)
        return clipped(log_ratio_S, advantage_S, clip)


def sequences_at(batch: Batch, at_S: Tensor) -> Tensor:
    """The number of the sequence that each flat place belongs to, from 0. [S] -> [S].

    A place that counts lies behind what its family shares, so that its sequence is its row, family and branch.
    """
    row_S = at_S // batch.ids_BT.shape[1]
    segment_S, branch_S = (t.flatten()[at_S] for t in (batch.segment_BT, batch.branch_BT))
    key_S = (row_S * (int(batch.segment_BT.max()) + 1) + segment_S) * (
        int(batch.branch_BT.max()) + 1
    ) + branch_S
    found: Tensor = torch.unique(key_S, return_inverse=True)[1]
    return found
