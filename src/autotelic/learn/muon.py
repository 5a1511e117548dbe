"""Muon: momentum, orthogonalised by Newton–Schulz (Jordan et al. 2024,
https://kellerjordan.github.io/posts/muon).

Ours rather than `torch.optim.Muon`, which orthogonalises in bfloat16, one matrix at a time: on a CPU without
bfloat16 units that takes about twenty times as long as float32 over stacks of equal shape
(bench/throughput.py).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from autotelic.models.crew import ALONE, Crew

# Quintic coefficients of Jordan et al.: fastest growth at 0 for which all singular values end near 1.
_A, _B, _C = 3.4445, -4.7750, 2.0315


def orthogonalise(matrix_NRC: Tensor, steps: int = 5) -> Tensor:
    """The nearest semi-orthogonal matrix, roughly: singular values end in about [0.7, 1.2]. Same shape.

    Each step multiplies by a polynomial in the gram matrix. Where a matrix is much wider than tall the
    factors are gathered on the small side, and the wide one is multiplied once at the end: they all commute,
    being polynomials in one matrix.
    """
    tall = matrix_NRC.shape[1] > matrix_NRC.shape[2]
    x = matrix_NRC.mT if tall else matrix_NRC
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    x = _factor(x @ x.mT, steps) @ x if x.shape[2] > 2 * x.shape[1] else _stepwise(x, steps)
    result: Tensor = x.mT if tall else x
    return result


def _stepwise(x: Tensor, steps: int) -> Tensor:
    for _ in range(steps):
        gram = x @ x.mT
        x = _A * x + torch.baddbmm(gram, gram, gram, beta=_B, alpha=_C) @ x
    return x


def _factor(gram: Tensor, steps: int) -> Tensor:
    """The product of all steps' polynomials. [N, R, R] -> [N, R, R]"""
    whole = None
    for left in reversed(range(steps)):
        step = torch.baddbmm(gram, gram, gram, beta=_B, alpha=_C)
        step.diagonal(dim1=1, dim2=2).add_(_A)
        whole = step if whole is None else step @ whole
        if left:
            gram = step @ gram @ step
    assert whole is not None
    return whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """A parameter that Muon steps: one matrix, or several that are stored together.

    `blocks` are the outputs of each; a fused query-key-value projection is three matrices, and is
    orthogonalised as such. `transposed` where the weight is stored [inputs, outputs] (GPT-2's `Conv1D`) and
    not [outputs, inputs] (`nn.Linear`).
    """

    weight: nn.Parameter
    blocks: tuple[int, ...]
    transposed: bool = False

    def cut(self, tensor: Tensor) -> tuple[Tensor, ...]:
        """Views of `tensor`, which has the weight's shape: one [outputs, inputs] a block."""
        rows = tensor.transpose(0, 1) if self.transposed else tensor
        return torch.split(rows, list(self.blocks))


class Muon(torch.optim.Optimizer):
    """Muon over matrices, each stack of equally shaped ones orthogonalised at once."""

    def __init__(
        self, matrices: Iterable[Matrix], *, lr: float, momentum: float = 0.95, crew: Crew = ALONE
    ) -> None:
        self.crew = crew
        self.matrices = {m.weight: m for m in matrices}
        super().__init__(list(self.matrices), {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """One update from the gradients at hand. Takes no closure."""
        for group in self.param_groups:
            stacks: dict[tuple[int, ...], list[tuple[Tensor, Tensor, float]]] = defaultdict(list)
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if "momentum" not in state:
                    state["momentum"] = torch.zeros_like(p)
                state["momentum"].lerp_(p.grad, 1 - group["momentum"])
                # Nesterov: one step ahead along the averaged direction.
                ahead = p.grad.lerp(state["momentum"], group["momentum"])
                matrix = self.matrices[p]
                for target, update in zip(matrix.cut(p), matrix.cut(ahead), strict=True):
                    outputs, inputs = update.shape
                    # An update's size per output, whatever the shape (Jordan et al.; torch's "original").
                    scale = max(1.0, outputs / inputs) ** 0.5
                    # Equal up to transposition goes in one stack.
                    if outputs > inputs:
                        target, update = target.mT, update.mT
                    stacks[tuple(update.shape)].append((target, update, scale))
            # Stacks are cut so that every thread of the crew has as much to do.
            shares = [
                members[at :: self.crew.size]
                for _, members in sorted(stacks.items(), key=lambda item: item[0])
                for at in range(min(self.crew.size, len(members)))
            ]
            turned = self.crew.map(_turned, shares)
            for members, updates in zip(shares, turned, strict=True):
                for (target, _, scale), update in zip(members, updates, strict=True):
                    target.add_(update, alpha=-group["lr"] * scale)


@torch.no_grad()
def _turned(members: Sequence[tuple[Tensor, Tensor, float]]) -> Tensor:
    return orthogonalise(torch.stack([update for _, update, _ in members]))
