"""A second device for machines that have none: its tensors hold ordinary ones, and nothing may mix the two.

It is torch's PrivateUse1 backend, in Python. Every operation on its tensors is done by the processor on what they
hold; an operation that is given a tensor of the processor beside one of its own raises `LeftBehindError`, as a GPU
would. Numbers of no dimension may be mixed, and `copy_` and `to` carry values over, as they do on a GPU.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

NAME = "elsewhere"
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


_BY_LIBRARY = ("empty_strided", "empty.memory_format", "copy_", "_copy_from")
"""What `torch.tensor` asks of a device while it hides its operations from modes."""
_library: torch.library.Library | None = None


def _kernel(name: str) -> Any:
    """An operation of the second device, for torch's dispatcher."""
    packet, _, overload = name.partition(".")
    if name == "_copy_from":

        def carry(source: torch.Tensor, to: torch.Tensor, non_blocking: bool = False) -> torch.Tensor:
            done(aten.copy_.default, (to, source), {})
            return to

        return carry
    func = getattr(getattr(aten, packet), overload or "default")
    return lambda *args, **kwargs: done(func, args, kwargs)


@contextmanager
def second_device() -> Iterator[torch.device]:
    """Within it there is a second device. In one thread."""
    global _library
    if _library is None:
        _setup_privateuseone_for_python_backend(NAME)
        _library = torch.library.Library("aten", "IMPL")
        for name in _BY_LIBRARY:
            _library.impl(name, _kernel(name), "PrivateUse1")
    before = torch.__future__.get_swap_module_params_on_conversion()
    torch.__future__.set_swap_module_params_on_conversion(True)
    try:
        with _Mode():
            yield torch.device(NAME)
    finally:
        torch.__future__.set_swap_module_params_on_conversion(before)
