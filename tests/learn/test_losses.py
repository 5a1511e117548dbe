"""Losses against numbers worked out by hand, and against the formulas of the papers written out longhand."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from autotelic.learn.losses import Clip, clipped_policy, imitation, reference_kl


def test_imitation_by_hand() -> None:
    # -(1 * -0.5 + 3 * -1.5) / 4 = 5 / 4
    loss = imitation(torch.tensor([-0.5, -9.0, -1.5]), torch.tensor([1.0, 0.0, 3.0]))
    assert float(loss) == pytest.approx(1.25)


def test_imitation_equals_torchs_cross_entropy() -> None:
    logits_SV = torch.randn(7, 11, generator=torch.Generator().manual_seed(0))
    target_S = torch.arange(7)
    picked_S = logits_SV.log_softmax(-1).gather(1, target_S[:, None])[:, 0]
    expected = torch.nn.functional.cross_entropy(logits_SV, target_S)
    torch.testing.assert_close(imitation(picked_S, torch.ones(7)), expected)


def test_imitation_of_nothing_is_zero() -> None:
    assert float(imitation(torch.tensor([-2.0]), torch.tensor([0.0]))) == 0.0


CLIP = Clip(low=0.2, high=0.3, kl=0.0)
# (ratio, advantage, loss of the token, is its gradient cut)
CASES = [
    (1.0, 2.0, -2.0, False),
    (1.2, 1.0, -1.2, False),
    (1.5, 1.0, -1.3, True),  # good token, already likelier than the trust region allows
    (0.5, 1.0, -0.5, False),  # good token that lost probability: full pull back up
    (0.5, -1.0, 0.8, True),  # bad token, already rarer than allowed
    (1.5, -1.0, 1.5, False),  # bad token that gained probability: full push down
    (0.9, -2.0, 1.8, False),
    (7.0, 0.0, 0.0, False),
]


@pytest.mark.parametrize(("ratio", "advantage", "expected", "cut"), CASES)
def test_clipped_policy_by_hand(ratio: float, advantage: float, expected: float, cut: bool) -> None:
    logprob = torch.tensor([-1.0 + math.log(ratio)], requires_grad=True)
    loss, clipped = clipped_policy(
        logprob, torch.tensor([-1.0]), torch.tensor([advantage]), torch.ones(1), CLIP
    )
    assert float(loss.detach()) == pytest.approx(expected, rel=1e-5, abs=1e-6)
    assert float(clipped) == cut
    loss.backward()
    # d(-ratio * advantage) / d logprob = -ratio * advantage, or nothing where the clip binds.
    assert logprob.grad is not None
    assert float(logprob.grad) == pytest.approx(0.0 if cut else -ratio * advantage, rel=1e-5, abs=1e-6)


def test_clipped_policy_is_a_weighted_mean() -> None:
    ratio_S, advantage_S = torch.tensor([c[0] for c in CASES]), torch.tensor([c[1] for c in CASES])
    weight_S = torch.tensor([1.0, 0.5, 2.0, 1.0, 1.0, 0.0, 3.0, 1.0])
    loss, clipped = clipped_policy(ratio_S.log(), torch.zeros(8), advantage_S, weight_S, CLIP)
    weights = weight_S.tolist()
    expected = sum(w * c[2] for w, c in zip(weights, CASES, strict=True)) / sum(weights)
    share = sum(w * c[3] for w, c in zip(weights, CASES, strict=True)) / sum(weights)
    assert float(loss) == pytest.approx(expected, rel=1e-5)
    assert float(clipped) == pytest.approx(share)


def test_on_policy_the_gradient_is_the_policy_gradient() -> None:
    """At ratio 1 the surrogate's gradient is that of -advantage * log-probability (REINFORCE)."""
    logprob_S = torch.tensor([-0.3, -2.0, -1.0], requires_grad=True)
    advantage_S = torch.tensor([1.0, -0.5, 2.0])
    loss, _ = clipped_policy(logprob_S, logprob_S.detach(), advantage_S, torch.ones(3), CLIP)
    (gradient_S,) = torch.autograd.grad(loss, logprob_S)
    torch.testing.assert_close(gradient_S, -advantage_S / 3)


def test_kl_by_hand() -> None:
    # r = reference / policy = 2: 2 - 1 - log 2; equal: 0.
    kl = reference_kl(
        torch.tensor([-2.0, -1.0]), torch.tensor([-2.0 + math.log(2), -1.0]), torch.tensor([1.0, 1.0])
    )
    assert float(kl) == pytest.approx((1 - math.log(2)) / 2)


def test_a_token_that_became_impossible_is_not_the_whole_gradient() -> None:
    logprob_S = torch.tensor([-1.0, -3.0, -200.0], requires_grad=True)
    reference_kl(logprob_S, torch.tensor([-1.0, -2.0, -1.0]), torch.ones(3)).backward()
    torch.testing.assert_close(logprob_S.grad, torch.tensor([0.0, (1 - math.e) / 3, 0.0]))


def test_kl_is_never_negative_and_estimates_kl() -> None:
    generator = torch.Generator().manual_seed(1)
    p_V = torch.softmax(torch.randn(6, generator=generator), 0)
    q_V = torch.softmax(torch.randn(6, generator=generator), 0)
    # In expectation over the policy's own tokens the estimate is exact.
    kl = reference_kl(p_V.log(), q_V.log(), p_V)
    torch.testing.assert_close(kl, (p_V * (p_V / q_V).log()).sum())
    each = [
        float(reference_kl(p.log()[None], q.log()[None], torch.ones(1)))
        for p, q in zip(p_V, q_V, strict=True)
    ]
    assert min(each) >= 0


def test_gradients_are_those_of_finite_differences() -> None:
    generator = torch.Generator().manual_seed(2)
    logprob_S = (-torch.rand(9, dtype=torch.float64, generator=generator) - 0.1).requires_grad_()
    old_S, reference_S = -torch.rand(2, 9, dtype=torch.float64, generator=generator) - 0.1
    advantage_S = torch.randn(9, dtype=torch.float64, generator=generator)
    weight_S = torch.rand(9, dtype=torch.float64, generator=generator)

    def total(x_S: Tensor) -> Tensor:
        policy = clipped_policy(x_S, old_S, advantage_S, weight_S, CLIP)[0]
        return imitation(x_S, weight_S) + policy + 0.1 * reference_kl(x_S, reference_S, weight_S)

    assert torch.autograd.gradcheck(total, (logprob_S,))


def reference_grpo(
    logprob_BT: Tensor, old_BT: Tensor, reference_BT: Tensor, advantage_B: Tensor, mask_BT: Tensor, norm: str
) -> Tensor:
    """GRPO's loss over padded completions, as TRL's GRPOTrainer computes it, written out from its formulas."""
    kl_BT = torch.exp(reference_BT - logprob_BT) - (reference_BT - logprob_BT) - 1
    ratio_BT = torch.exp(logprob_BT - old_BT)
    clipped_BT = torch.clamp(ratio_BT, 1 - 0.2, 1 + 0.28)
    loss_BT = -torch.min(ratio_BT * advantage_B[:, None], clipped_BT * advantage_B[:, None]) + 0.04 * kl_BT
    if norm == "grpo":
        return ((loss_BT * mask_BT).sum(-1) / mask_BT.sum(-1).clamp(min=1.0)).mean()
    return (loss_BT * mask_BT).sum() / mask_BT.sum().clamp(min=1.0)  # bnpo


@pytest.mark.parametrize("norm", ["bnpo", "grpo"])
def test_grpo_equals_the_padded_formula_with_gradients(norm: str) -> None:
    generator = torch.Generator().manual_seed(3)
    mask_BT = (torch.arange(7) < torch.tensor([7, 3, 5, 1])[:, None]).float()
    logprob_BT = (-2 * torch.rand(4, 7, generator=generator)).requires_grad_()
    old_BT = logprob_BT.detach() + 0.4 * torch.randn(4, 7, generator=generator)
    reference_BT = logprob_BT.detach() + 0.4 * torch.randn(4, 7, generator=generator)
    advantage_B = torch.tensor([1.0, -1.0, 0.5, -0.5])
    expected = reference_grpo(logprob_BT, old_BT, reference_BT, advantage_B, mask_BT, norm)
    (gradient,) = torch.autograd.grad(expected, logprob_BT)

    at = mask_BT.bool()
    weight_BT = mask_BT / mask_BT.sum(-1, keepdim=True) if norm == "grpo" else mask_BT
    clip = Clip(low=0.2, high=0.28, kl=0.04)
    policy, clipped = clipped_policy(
        logprob_BT[at], old_BT[at], advantage_B[:, None].expand(4, 7)[at], weight_BT[at], clip
    )
    ours = policy + clip.kl * reference_kl(logprob_BT[at], reference_BT[at], weight_BT[at])
    torch.testing.assert_close(ours, expected)
    torch.testing.assert_close(torch.autograd.grad(ours, logprob_BT)[0], gradient)
    assert 0 < float(clipped) < 1
