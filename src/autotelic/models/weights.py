"""Weights as values: their digest, and moving them between models.

A model with an adapter (`adapter.py`) changes nowhere else, so the adapter is all that is copied and put back. Its
digest is of the whole model nevertheless: the same adapter on another model is another model.
"""

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
    """A detached copy of a model's parameters and buffers; of its adapter alone where it has one."""
    own = adapter_names(model)
    return {
        name: tensor.detach().clone() for name, tensor in model.state_dict().items() if not own or name in own
    }


def put_back(model: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """The inverse of `copy_of`: the whole model's weights, or its whole adapter's. Raises RuntimeError for others."""
    only_adapter = bool(weights) and set(weights) == adapter_names(model)
    model.load_state_dict(weights, strict=not only_adapter)


def adapter_names(model: nn.Module) -> set[str]:
    """The names of the adapter's parameters in a model's state; empty where it has none."""
    return {name for name in model.state_dict() if is_adapter(name)}


def is_adapter(name: str) -> bool:
    """Whether a parameter is an adapter's, by the name that peft gives it."""
    return ".lora_" in name
