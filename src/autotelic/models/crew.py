"""Threads that each compute alone, on rows of their own.

The operations of a small model take a fraction of a millisecond each. Cutting every one of them between cores
costs two meetings an operation, and a core that another process holds for a moment then holds up all. A crew
cuts the *rows* instead: each thread takes its share through the whole model with one OpenMP thread of its own,
and they meet once, at the end (bench/throughput.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

Given = TypeVar("Given")
Found = TypeVar("Found")


class Crew:
    """`size` threads. One does its work in the caller's thread, with the caller's number of OpenMP threads."""

    def __init__(self, size: int = 1) -> None:
        if size < 1:
            raise ValueError(f"a crew of {size} can do nothing; make it 1 or more")
        self.size = size
        self._pool = (
            ThreadPoolExecutor(size, "crew", initializer=torch.set_num_threads, initargs=(1,))
            if size > 1
            else None
        )

    def map(self, work: Callable[[Given], Found], shares: Sequence[Given]) -> list[Found]:
        """`work` on every share, in order. The first error is raised, once all have ended."""
        if self._pool is None or len(shares) < 2:
            return [work(share) for share in shares]
        running = [self._pool.submit(work, share) for share in shares]
        errors = [error for future in running if (error := future.exception())]
        if errors:
            raise errors[0]
        return [future.result() for future in running]

    def close(self) -> None:
        """End the threads. What is running is waited for."""
        if self._pool is not None:
            self._pool.shutdown()


ALONE = Crew(1)
"""For work that is not shared out."""
