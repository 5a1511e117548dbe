"""The two streams of the loss: imitation of verified experience, and a clipped policy gradient.

All functions take [S] tensors: one entry a predicted token of the batch, prompts and padding left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

FARTHEST = 10.0
"""Nats of k3 past which a token's distance to the reference policy is not priced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """How far a policy may move in one update, and at what price.

    `low` and `high` bound the probability ratio to [1 - low, 1 + high]; high above low keeps rare good tokens
    alive ("clip-higher", DAPO, Yu et al. 2025, arXiv:2503.14476). `kl` prices the distance to the reference
    policy.
    """

    low: float = 0.2
    high: float = 0.28
    kl: float = 0.0


def imitation(logprob_S: Tensor, weight_S: Tensor) -> Tensor:
    """Weighted mean negative log-likelihood. -> scalar."""
    return -(logprob_S * weight_S).sum() / weight_S.sum().clamp(min=1e-8)


def clipped_policy(
    logprob_S: Tensor, old_S: Tensor, advantage_S: Tensor, weight_S: Tensor, clip: Clip
) -> tuple[Tensor, Tensor]:
    """PPO's clipped surrogate (Schulman et al. 2017, arXiv:1707.06347, eq. 7) with GRPO's group advantages.

    Weighted mean over tokens: with weights of 1 each token counts alike (TRL's `bnpo`, verl's `token-mean`),
    with 1 / completion length each sequence does (`grpo`, Shao et al. 2024, arXiv:2402.03300, eq. 3).
    -> (loss, share of tokens clipped), both scalar.
    """
    ratio_S = torch.exp(logprob_S - old_S)
    bounded_S = ratio_S.clamp(1 - clip.low, 1 + clip.high)
    loss_S = -torch.minimum(ratio_S * advantage_S, bounded_S * advantage_S)
    total = weight_S.sum().clamp(min=1e-8)
    below_S = (ratio_S < 1 - clip.low) & (advantage_S < 0)
    binding_S = below_S | ((ratio_S > 1 + clip.high) & (advantage_S > 0))
    return (loss_S * weight_S).sum() / total, (binding_S.float() * weight_S).sum() / total


def reference_kl(logprob_S: Tensor, reference_S: Tensor, weight_S: Tensor) -> Tensor:
    """KL(policy || reference), weighted mean over tokens. -> scalar.

    Estimated by k3 = r - 1 - log r with r = reference / policy (Schulman 2020, joschu.net/blog/kl-approx). k3
    is exponential in how far a token has become less likely, and one that imitation has made all but
    impossible would be the whole gradient of its batch: past `FARTHEST` it has none. (verl bounds k3 itself,
    at 10.)
    """
    difference_S = (reference_S - logprob_S).clamp(max=FARTHEST)
    k3_S = torch.exp(difference_S) - 1 - difference_S
    return (k3_S * weight_S).sum() / weight_S.sum().clamp(min=1e-8)
