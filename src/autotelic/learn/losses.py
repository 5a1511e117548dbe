"""The two streams of the loss: imitation of verified experience, and what rewards teach.

All functions take [S] tensors: one entry a predicted token of the batch, prompts and padding left out. Which
of them an algorithm is made of is said in `autotelic.algorithms`, and put together in `objective.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

FLOOR = 1.0
"""The least likelihood ratio of NFT's negative policy. At 1 a wrong token that has become likelier is pushed
down no harder than its ratio says."""
FARTHEST = 10.0
"""Nats of k3 past which a token's distance to the reference policy is not priced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """How far a policy may move from the one that sampled, and at what price.

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
    loss_S, binding_S = clipped(logprob_S - old_S, advantage_S, clip)
    return weighted_mean(loss_S, weight_S), weighted_mean(binding_S, weight_S)


def weighted_mean(value_S: Tensor, weight_S: Tensor) -> Tensor:
    """-> scalar; 0 where no weight is above 0."""
    return (value_S * weight_S).sum() / weight_S.sum().clamp(min=1e-8)


# ── one token's loss, given the logarithm of the ratio ───────────────────────────────────────────────────


def clipped(log_ratio_S: Tensor, advantage_S: Tensor, clip: Clip) -> tuple[Tensor, Tensor]:
    """PPO's clipped surrogate. -> (loss [S], 1 where the clip binds [S])"""
    ratio_S = torch.exp(log_ratio_S)
    bounded_S = ratio_S.clamp(1 - clip.low, 1 + clip.high)
    loss_S = -torch.minimum(ratio_S * advantage_S, bounded_S * advantage_S)
    below_S = (ratio_S < 1 - clip.low) & (advantage_S < 0)
    binding_S = below_S | ((ratio_S > 1 + clip.high) & (advantage_S > 0))
    return loss_S, binding_S.float()


def negative_aware(log_ratio_S: Tensor, advantage_S: Tensor) -> tuple[Tensor, Tensor]:
    """NFT's likelihood of right and wrong answers (Chen et al. 2025, arXiv:2505.18116, Algorithm 1).

    With p the share of siblings that passed and the prompt's weight 1 - p, which makes the gradient Dr.
    GRPO's where the policy is the one that sampled (their Proposition 4.1): a right answer has the advantage
    1 - p, and raises its likelihood; a wrong one has -p, and raises that of the implicit negative policy,

        log((1 - p R) / (1 - p)),   R the ratio of the token

    held at `FLOOR` or above, with the gradient passed straight through. -> (loss [S], 1 where held [S])
    """
    right_S = -advantage_S * log_ratio_S
    p_S = (-advantage_S).clamp(0.0, 1.0 - 1e-6)
    negative_S = (1 - p_S * torch.exp(log_ratio_S)) / (1 - p_S)
    held_S = negative_S + (negative_S.clamp(min=FLOOR) - negative_S).detach()
    wrong_S = -(1 - p_S) * torch.log(held_S)
    is_wrong_S = advantage_S < 0
    return torch.where(is_wrong_S, wrong_S, right_S), (is_wrong_S & (negative_S < FLOOR)).float()


# ── of what the ratio is taken ───────────────────────────────────────────────────────────────────────────


def per_sequence(log_ratio_S: Tensor, token_S: Tensor, sequence_S: Tensor, *, mean: bool) -> Tensor:
    """Each token's log-ratio replaced by its sequence's: the `mean` of its tokens' (GSPO, Zheng et al. 2025,
    arXiv:2507.18071, eq. 7), or their sum (the whole completion is one action: RLOO, arXiv:2402.14740).

    `token_S` is 1 on tokens that count, `sequence_S` numbers sequences from 0. [S] -> [S].
    """
    n = int(sequence_S.max()) + 1 if len(sequence_S) else 0
    total_N = log_ratio_S.new_zeros(n).index_add(0, sequence_S, log_ratio_S * token_S)
    if mean:
        total_N = total_N / log_ratio_S.new_zeros(n).index_add(0, sequence_S, token_S).clamp(min=1.0)
    return total_N[sequence_S]


def reference_kl(logprob_S: Tensor, reference_S: Tensor, weight_S: Tensor) -> Tensor:
    """KL(policy || reference), weighted mean over tokens. -> scalar.

    Estimated by k3 = r - 1 - log r with r = reference / policy (Schulman 2020, joschu.net/blog/kl-approx). k3
    is exponential in how far a token has become less likely, and one that imitation has made all but
    impossible would be the whole gradient of its batch: past `FARTHEST` it has none. (verl bounds k3 itself,
    at 10.)
    """
    difference_S = (reference_S - logprob_S).clamp(max=FARTHEST)
    k3_S = torch.exp(difference_S) - 1 - difference_S
    return weighted_mean(k3_S, weight_S)
