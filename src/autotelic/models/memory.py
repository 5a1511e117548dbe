"""Whether an error means that memory ran out."""

from __future__ import annotations

import torch


def ran_out(error: BaseException) -> bool:
    """Of Python's memory, a GPU's, or what torch's allocator could not have: it says the last as a
    `RuntimeError`.
    """
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(
        words in str(error) for words in ("can't allocate memory", "not enough memory")
    )
