"""Muon against a naive reference, one matrix at a time."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from autotelic.learn.muon import Matrix, Muon, _stepwise, orthogonalise


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("shape", [(3, 16, 16), (2, 8, 40), (2, 40, 8), (1, 1, 12)])
def test_singular_values_end_near_one(shape: tuple[int, int, int]) -> None:
    s = torch.linalg.svdvals(orthogonalise(random(*shape)))
    assert float(s.max()) < 1.25
    assert float(s.median()) > 0.65


def test_directions_are_kept() -> None:
    """U S V' becomes U f(S) V': left and right singular vectors stay, whatever the sizes."""
    u, _ = torch.linalg.qr(random(12, 12, seed=1))
    v, _ = torch.linalg.qr(random(12, 12, seed=2))
    x = u @ torch.diag(torch.linspace(1.0, 3.0, 12)) @ v.mT
    middle = u.mT @ orthogonalise(x[None])[0] @ v
    off = middle - torch.diag(middle.diagonal())
    assert float(off.abs().max()) < 1e-4
    assert float(middle.diagonal().min()) > 0.6


def test_a_stack_is_its_members() -> None:
    x = random(4, 6, 9)
    torch.testing.assert_close(orthogonalise(x), torch.cat([orthogonalise(one[None]) for one in x]))


def test_scale_does_not_matter_and_zero_stays_zero() -> None:
    x = random(1, 6, 9)
    torch.testing.assert_close(orthogonalise(x), orthogonalise(1000 * x), atol=1e-5, rtol=1e-4)
    assert not orthogonalise(torch.zeros(1, 6, 9)).any()


def naive(weight: Tensor, gradients: list[Tensor], lr: float, beta: float = 0.95) -> Tensor:
    """Jordan et al.'s Muon on one [outputs, inputs] matrix, line by line."""
    weight, momentum = weight.clone(), torch.zeros_like(weight)
    for g in gradients:
        momentum = beta * momentum + (1 - beta) * g
        x = (1 - beta) * g + beta * momentum
        tall = x.shape[0] > x.shape[1]
        x = x.T if tall else x
        x = x / (x.norm() + 1e-7)
        for _ in range(5):
            a = x @ x.T
            x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
        x = x.T if tall else x
        weight = weight - lr * max(1.0, weight.shape[0] / weight.shape[1]) ** 0.5 * x
    return weight


def stepped(matrices: list[Matrix], gradients: list[list[Tensor]], lr: float) -> None:
    optimiser = Muon(matrices, lr=lr)
    for of_step in gradients:
        for matrix, g in zip(matrices, of_step, strict=True):
            matrix.weight.grad = g.clone()
        optimiser.step()


def test_updates_equal_the_naive_reference() -> None:
    shapes = [(8, 8), (8, 24), (24, 8), (8, 8), (5, 7)]
    weights = [random(*shape, seed=i) for i, shape in enumerate(shapes)]
    gradients = [[random(*shape, seed=100 * k + i) for i, shape in enumerate(shapes)] for k in range(4)]
    matrices = [Matrix(weight=nn.Parameter(w.clone()), blocks=(w.shape[0],)) for w in weights]
    stepped(matrices, gradients, lr=0.1)
    for i, matrix in enumerate(matrices):
        expected = naive(weights[i], [of_step[i] for of_step in gradients], lr=0.1)
        torch.testing.assert_close(matrix.weight.detach(), expected, atol=1e-5, rtol=1e-4)


def test_updates_are_close_to_torchs() -> None:
    """torch orthogonalises in bfloat16: the same update, to its two or three digits."""
    weight, g = random(16, 32), random(16, 32, seed=1)
    ours, theirs = nn.Parameter(weight.clone()), nn.Parameter(weight.clone())
    stepped([Matrix(weight=ours, blocks=(16,))], [[g]], lr=0.1)
    theirs.grad = g.clone()
    torch.optim.Muon([theirs], lr=0.1, weight_decay=0.0).step()
    torch.testing.assert_close(ours - weight, theirs - weight, atol=2e-3, rtol=0.05)


def test_a_fused_projection_is_as_many_matrices() -> None:
    weight, g = random(8 + 2 + 2, 8), random(12, 8, seed=1)
    fused = nn.Parameter(weight.clone())
    stepped([Matrix(weight=fused, blocks=(8, 2, 2))], [[g]], lr=0.1)
    expected = [
        naive(w, [d], lr=0.1) for w, d in zip(weight.split((8, 2, 2)), g.split((8, 2, 2)), strict=True)
    ]
    torch.testing.assert_close(fused.detach(), torch.cat(expected), atol=1e-5, rtol=1e-4)
    assert float((fused.detach() - naive(weight, [g], lr=0.1)).abs().max()) > 1e-3


def test_a_transposed_weight_is_stepped_as_its_transpose() -> None:
    weight, g = random(8, 24), random(8, 24, seed=1)
    stored = nn.Parameter(weight.clone())
    stepped([Matrix(weight=stored, blocks=(8, 8, 8), transposed=True)], [[g]], lr=0.1)
    expected = torch.cat(
        [naive(w, [d], lr=0.1) for w, d in zip(weight.T.split(8), g.T.split(8), strict=True)]
    )
    torch.testing.assert_close(stored.detach().T, expected, atol=1e-5, rtol=1e-4)


def test_no_gradient_no_step() -> None:
    weight = nn.Parameter(random(4, 4))
    before = weight.detach().clone()
    Muon([Matrix(weight=weight, blocks=(4,))], lr=0.1).step()
    assert torch.equal(weight.detach(), before)


def test_wide_matrices_come_out_as_step_by_step() -> None:
    """Gathering the factors on the small side is the same product in another order."""
    x = random(3, 24, 80) * torch.logspace(0, -3, 24)[None, :, None]
    unit = x / x.norm(dim=(1, 2), keepdim=True)
    torch.testing.assert_close(orthogonalise(x), _stepwise(unit, 5), atol=1e-4, rtol=1e-3)
    torch.testing.assert_close(orthogonalise(x.mT), orthogonalise(x).mT)
