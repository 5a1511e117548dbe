"""Digests of weights, by content.

A model with an adapter (`adapter.py`) changes nowhere else: what is frozen is hashed once, and an update
costs the bytes of the adapter alone. The digest is of the whole model nevertheless: the same adapter on
another model is another model.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

_Stamp = tuple[tuple[str, int, int], ...]
_FROZEN: WeakKeyDictionary[nn.Module, tuple[_Stamp, str]] = WeakKeyDictionary()
"""The digest of what a model does not learn, by model, with the stamp of the tensors that it is of."""


def digest_of(weights: nn.Module | Mapping[str, Tensor]) -> str:
    """`sha256:` and 64 hexadecimal digits, over names, types, shapes and bytes, in name order.

    Of a model with an adapter: over the digest of the frozen part and that of the adapter.
    """
    if not isinstance(weights, nn.Module):
        return _hashed(weights.items())
    state = weights.state_dict()
    if not any(map(is_adapter, state)):
        return _hashed(state.items())
    return digest_with(weights, {name: tensor for name, tensor in state.items() if is_adapter(name)})


def digest_with(model: nn.Module, learned: Mapping[str, Tensor]) -> str:
    """The digest that a model would have with these tensors (`copy_of`) in it."""
    if not all(map(is_adapter, learned)):
        return _hashed(learned.items())
    parts = f"{_frozen_digest(model)} {_hashed(learned.items())}"
    return "sha256:" + hashlib.sha256(parts.encode()).hexdigest()


def _frozen_digest(model: nn.Module) -> str:
    frozen = {name: tensor for name, tensor in model.state_dict().items() if not is_adapter(name)}
    # torch counts writes to a tensor: one that was written to, or replaced, is hashed again.
    stamp = tuple((name, tensor.data_ptr(), tensor._version) for name, tensor in frozen.items())
    if model not in _FROZEN or _FROZEN[model][0] != stamp:
        _FROZEN[model] = stamp, _hashed(frozen.items())
    return _FROZEN[model][1]


def _hashed(items: Iterable[tuple[str, Tensor]]) -> str:
    total = hashlib.sha256()
    for name, tensor in sorted(items, key=lambda item: item[0]):
        tensor = tensor.detach().cpu().contiguous()
        total.update(f"{name}:{tensor.dtype}:{tuple(tensor.shape)}".encode())
        total.update(tensor.flatten().view(torch.uint8).numpy().data)
    return f"sha256:{total.hexdigest()}"


def adapter_names(model: nn.Module) -> set[str]:
    """The names of the adapter's parameters in a model's state; empty where it has none."""
    return {name for name in model.state_dict() if is_adapter(name)}


def is_adapter(name: str) -> bool:
    """Whether a parameter is an adapter's, by the name that peft gives it."""
    return ".lora_" in name


def copy_of(model: nn.Module) -> dict[str, Tensor]:
    """A detached copy of a model's parameters and buffers; of its adapter alone where it has one."""
    own = adapter_names(model)
    return {
        name: tensor.detach().clone() for name, tensor in model.state_dict().items() if not own or name in own
    }
