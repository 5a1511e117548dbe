"""Whether an error means that memory ran out, and giving back what is not needed any more."""

from __future__ import annotations

import ctypes
import ctypes.util

import torch


def give_back() -> None:
    """Let the system have the pages that this process has freed, where the C library can say so.

    glibc keeps them: the tensors of a gate or an exam leave holes that nothing else fits, and a run of a day would
    grow by a few MiB a generation without holding anything.
    """
    name = ctypes.util.find_library("c")
    trim = getattr(ctypes.CDLL(name), "malloc_trim", None) if name else None
    if trim is not None:
        trim(0)


def ran_out(error: BaseException) -> bool:
    """Of Python's memory, a GPU's, or what torch's allocator could not have: it says the last as a
    `RuntimeError`.
    """
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(
        words in str(error)
        for words in ("can't allocate memory", "not enough memory", "backend out of memory")
    )
