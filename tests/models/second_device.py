"""A second device for machines that have none: its tensors hold ordinary ones, and nothing may mix the two.

Its tensors say that they are on torch's device `meta`, and hold ordinary ones. Every operation on them is done by
the processor on what they hold; one that is given a tensor of the processor too raises `LeftBehindError`, as a GPU
would. Numbers of no dimension may be mixed, and `copy_` and `to` carry values over, as they do on a GPU.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode

NAME = "meta"
aten = torch.ops.aten
_CARRY = (aten.copy_.default, aten._to_copy.default)


class LeftBehindError(AssertionError):
    """A tensor of the processor met one of the second device."""


class Elsewhere(torch.Tensor):
    """A tensor of the second device. `inner` is what only its operations may touch."""

    inner: torch.Tensor

    @staticmethod
    def __new__(cls, inner: torch.Tensor) -> Elsewhere:
        made = torch.Tensor._make_wrapper_subclass(  # type: ignore[attr-defined]
            cls,
            inner.size(),
            strides=inner.stride(),
            storage_offset=inner.storage_offset(),
            dtype=inner.dtype,
            layout=inner.layout,
            device=torch.device(NAME),
        )
        made.inner = inner
        return made  # type: ignore[no-any-return]

    def tolist(self) -> Any:
        """As on a GPU: carried over, and then read. torch has none for subclasses."""
        return self.cpu().tolist()

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return done(func, args, kwargs or {})


def done(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """An operation, on what the tensors of the second device hold."""
    flat = [t for t in pytree.tree_leaves((args, kwargs)) if isinstance(t, torch.Tensor)]
    ours = [t for t in flat if isinstance(t, Elsewhere)]
    if ours and func not in _CARRY:
        for t in flat:
            if not isinstance(t, Elsewhere) and t.dim():
                raise LeftBehindError(f"{func}: a tensor of shape {tuple(t.shape)} is on {t.device}")
    named = [d for d in pytree.tree_leaves((args, kwargs)) if isinstance(d, torch.device)]
    there = any(d.type == NAME for d in named) if named else bool(ours)
    args, kwargs = pytree.tree_map(
        lambda d: torch.device("cpu") if isinstance(d, torch.device) else d, (args, kwargs)
    )
    if kwargs.get("pin_memory"):
        kwargs = kwargs | {"pin_memory": False}
    wrapper = {id(t.inner): t for t in ours}
    plain = pytree.tree_map(lambda t: t.inner if isinstance(t, Elsewhere) else t, (args, kwargs))
    found = func(*plain[0], **plain[1])
    if func is aten.copy_.default:
        return args[0]

    def back(value: Any) -> Any:
        if not isinstance(value, torch.Tensor) or not there:
            return value
        return wrapper.get(id(value)) if id(value) in wrapper else Elsewhere(value)

    return pytree.tree_map(back, found)


class _Mode(TorchDispatchMode):
    """Sees what is made on the second device, too."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return done(func, args, kwargs or {})


class _Tensor(TorchFunctionMode):
    """`torch.tensor`, which would forget the numbers of what it makes on `meta`."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func is torch.tensor and torch.device(kwargs.get("device") or "cpu").type == NAME:
            return Elsewhere(func(*args, **(kwargs | {"device": "cpu"})))
        return func(*args, **kwargs)


@contextmanager
def second_device() -> Iterator[torch.device]:
    """Within it there is a second device. In one thread."""
    before = torch.__future__.get_swap_module_params_on_conversion()
    torch.__future__.set_swap_module_params_on_conversion(True)
    try:
        with _Tensor(), _Mode():
            yield torch.device(NAME)
    finally:
        torch.__future__.set_swap_module_params_on_conversion(before)
