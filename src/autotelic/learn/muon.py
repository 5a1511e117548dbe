"""Muon: momentum, orthogonalised by Newton–Schulz (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon).

Ours rather than `torch.optim.Muon`, which orthogonalises in bfloat16, one matrix at a time: on a CPU without
bfloat16 units that is several times slower than float32 over stacks of equal shape (bench/throughput.py).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

# Quintic coefficients of Jordan et al.: fastest growth at 0 for which all singular values end near 1.
_A, _B, _C = 3.4445, -4.7750, 2.0315


def orthogonalise(matrix_NRC: Tensor, steps: int = 5) -> Tensor:
    """The nearest semi-orthogonal matrix, roughly: singular values end in about [0.7, 1.2]. [N, R, C] -> same."""
    tall = matrix_NRC.shape[1] > matrix_NRC.shape[2]
    x = matrix_NRC.mT if tall else matrix_NRC
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(steps):
        gram = x @ x.mT
        x = _A * x + torch.baddbmm(gram, gram, gram, beta=_B, alpha=_C) @ x
    return x.mT if tall else x


class Muon(torch.optim.Optimizer):
    """Muon over matrices. Each group's `blocks` says into how many row blocks a matrix falls.

    A fused query-key-value projection is three matrices that happen to be stored together, and is
    orthogonalised as such.
    """

    def __init__(
        self, parameters: Iterable[tuple[nn.Parameter, tuple[int, ...]]], *, lr: float, momentum: float = 0.95
    ) -> None:
        pairs = list(parameters)
        super().__init__([p for p, _ in pairs], {"lr": lr, "momentum": momentum})
        self.blocks = {p: blocks for p, blocks in pairs}

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            stacks: dict[tuple[int, int], list[tuple[Tensor, Tensor, float]]] = defaultdict(list)
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if "momentum" not in state:
                    state["momentum"] = torch.zeros_like(p)
                state["momentum"].lerp_(p.grad, 1 - group["momentum"])
                # Nesterov: one step ahead along the averaged direction.
                ahead = p.grad.lerp(state["momentum"], group["momentum"])
                for target, update in zip(
                    p.split(self.blocks[p]), ahead.split(self.blocks[p]), strict=True
                ):
                    # An update's size per output, whatever the shape (Jordan et al.; torch's "original").
                    scale = max(1.0, update.shape[0] / update.shape[1]) ** 0.5
                    # Equal up to transposition goes in one stack.
                    wide = update.shape[0] <= update.shape[1]
                    target, update = (target, update) if wide else (target.mT, update.mT)
                    stacks[(update.shape[0], update.shape[1])].append((target, update, scale))
            for _, members in sorted(stacks.items(), key=lambda item: item[0]):
                whole = orthogonalise(torch.stack([update for _, update, _ in members]))
                for (target, _, scale), update in zip(members, whole, strict=True):
                    target.add_(update, alpha=-group["lr"] * scale)
