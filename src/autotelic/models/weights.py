"""Weights as values: their digest, and moving them between models."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import torch
from torch import Tensor, nn


def digest_of(weights: nn.Module | Mapping[str, Tensor]) -> str:
    """sha256 over names, types, shapes and bytes, in name order; 16 hexadecimal digits are kept.

    Checked at every weight load, because weights that silently never arrive are a known way to lose months
    (verl#7495).
    """
    state = weights.state_dict() if isinstance(weights, nn.Module) else weights
    total = hashlib.sha256()
    for name in sorted(state):
        tensor = state[name].detach().contiguous()
        total.update(f"{name}:{tensor.dtype}:{tuple(tensor.shape)}".encode())
        total.update(tensor.flatten().view(torch.uint8).numpy().tobytes())
    return total.hexdigest()[:16]


def copy_of(model: nn.Module) -> dict[str, Tensor]:
    """A detached copy of a model's parameters and buffers."""
    return {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}
