"""Threads that each compute alone, on rows of their own.

The operations of a small model take a fraction of a millisecond each. Cutting every one of them between cores
costs two meetings an operation, and a core that another process holds for a moment then holds up all. A crew
cuts the *rows* instead: each thread takes its share through the whole model with one OpenMP thread of its
own, and they meet once, at the end (bench/throughput.py).

Into how many shares rows are cut decides the last bits of what comes out; how many threads take the shares does not.
So the first is fixed where a run begins, and only the second is tried out.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TypeVar

import torch

from autotelic.machine import Machine
from autotelic.models.placement import device_of, threads_of

_SIDE = 192
"""Of the matrices that `autotune_threads` multiplies: about as much work as an operation of a small model."""
_TIMES = 400
_MOST_SHARES = 16
"""With more, a share of the rows that are decoded at once is a few rows."""
_GAIN = 1.2
"""How much faster the whole must get with more threads for them to pay."""
Given = TypeVar("Given")
Found = TypeVar("Found")


class Crew:
    """Work is cut into `size` shares, which `hands` threads take; 0 is a thread a share. One does its work in the
    caller's thread, with the caller's number of OpenMP threads.
    """

    def __init__(self, size: int = 1, hands: int = 0) -> None:
        if size < 1:
            raise ValueError(f"a crew of {size} can do nothing; make it 1 or more")
        self.size = size
        self.hands = min(hands or size, size)
        self._pool = (
            ThreadPoolExecutor(self.hands, "crew", initializer=torch.set_num_threads, initargs=(1,))
            if self.hands > 1
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


def shares_here() -> int:
    """Into how many shares this machine cuts work where nobody says: the cores that this process may use.

    It does not depend on how busy they are, so two runs of one charter on one machine have the same bits.
    """
    return min(len(os.sched_getaffinity(0)), _MOST_SHARES)


def crew_of(machine: Machine, resources: ExitStack) -> Crew:
    """A crew of the machine's threads, of one beside a GPU. `resources` ends them.

    Where it says 0, work is cut as for all cores, and as many threads as pay now take it: the bits stay the same.
    """
    size = threads_of(device_of(machine.device), machine.threads or shares_here())
    crew = Crew(size, size if machine.threads or size == 1 else autotune_threads(size))
    resources.callback(crew.close)
    return crew


def autotune_threads(most: int = 0) -> int:
    """How many threads are worth having here and now, found by a trial of a tenth of a second or two.

    As many as there are cores, unless these are busy with something else: two threads beside a busy neighbour
    wait for each other at the end of every share. `most` bounds the number; 0 is the cores this process may
    use.
    """
    most = most or len(os.sched_getaffinity(0))
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    best, rate = 1, _rate(1)
    for threads in sorted({most, most // 2} - {0, 1}):
        found = _rate(threads)
        if found > _GAIN * rate:
            best, rate = threads, found
    torch.set_num_threads(before)
    return best


def _rate(threads: int) -> float:
    """Products a second by a crew of so many, the best of three."""
    crew = Crew(threads)
    factor = torch.full((_SIDE, _SIDE), 1 / _SIDE)

    def work(times: int) -> None:
        for _ in range(times):
            factor @ factor

    crew.map(work, [8] * threads)  # the first products also set up the threads
    took = []
    for _ in range(3):
        began = time.perf_counter()
        crew.map(work, [_TIMES // threads] * threads)
        took.append(time.perf_counter() - began)
    crew.close()
    return _TIMES // threads * threads / min(took)
