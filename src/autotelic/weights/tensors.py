"""Tensors into a module: the only place where a state dict is loaded."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from autotelic.errors import ModelError
from autotelic.models.digest import adapter_names, copy_of, is_adapter

__all__ = ["copy_of", "put_into"]


def put_into(module: nn.Module, tensors: Mapping[str, Tensor], *, strict: bool = True) -> None:
    """Copy tensors into a module by name: the whole module's, or its whole adapter's.

    Not `strict`, some may be missing. Raises ModelError where names or shapes do not fit, and then the module
    is untouched. Values are copied, so the tensors stay the caller's.
    """
    state = module.state_dict()
    wanted = adapter_names(module) if tensors and all(map(is_adapter, tensors)) else set(state)
    surplus = sorted(set(tensors) - wanted)
    missing = sorted(wanted - set(tensors)) if strict else []
    bent = [name for name in sorted(wanted & set(tensors)) if tensors[name].shape != state[name].shape]
    for names, what in ((missing, "are missing"), (surplus, "are too many"), (bent, "have another shape")):
        if names:
            raise ModelError(
                f"these weights do not fit {type(module).__name__}: {len(names)} tensors {what}, {names[0]} "
                "among them",
                "give the weights that were saved from it",
            )
    module.load_state_dict(tensors, strict=False)
