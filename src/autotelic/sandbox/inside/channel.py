"""The mapping that a pair of processes shares, and whose turn it is to write on it.

Exactly one side runs at a time: a message is written, then the turn is handed over. The candidate may write whatever
it likes whenever it likes, so the tests' side copies a message out once and believes nothing about it.
"""

from __future__ import annotations

import contextlib
import mmap

from autotelic.sandbox.inside.syscalls import Syscall

TESTS, CANDIDATE, OVER = 1, 2, 3
"""Values of the first word: whose turn it is, or that the candidate has died."""
FUTEX_WAIT, FUTEX_WAKE = 0, 1
BODY = 16
"""Bytes before a message: turn, 1 once the candidate has died, size of the message, nothing."""
CAPACITY = 8 << 20
"""Bytes of the longest message."""


class Gone(BaseException):
    """The candidate's process has died. Not an `Exception`: no test is to take it for an answer."""


class CapacityError(Exception):
    """A message is longer than the mapping."""


class Channel:
    """One end of the mapping: `side` is `TESTS` or `CANDIDATE`."""

    def __init__(self, syscall: Syscall, memory: mmap.mmap, side: int) -> None:
        self._syscall, self._memory, self._side = syscall, memory, side

    def send(self, message: bytes) -> None:
        """Write a message and hand over the turn. Raises CapacityError, and writes nothing then."""
        if len(message) > CAPACITY:
            raise CapacityError(f"a message of {len(message)} bytes; at most {CAPACITY} can cross")
        self._memory[BODY : BODY + len(message)] = message
        self._memory[8:12] = len(message).to_bytes(4, "little")
        pass_turn(self._syscall, self._memory, TESTS + CANDIDATE - self._side)

    def receive(self) -> bytes:
        """The next message of the other side. Raises Gone if it has died instead."""
        while (turn := int.from_bytes(self._memory[:4], "little")) != self._side:
            if self._memory[4]:
                raise Gone
            with contextlib.suppress(OSError):  # the turn has changed meanwhile
                self._syscall("futex", self._memory, FUTEX_WAIT, turn, 0)
        size = min(int.from_bytes(self._memory[8:12], "little"), CAPACITY)
        return self._memory[BODY : BODY + size]


def pass_turn(syscall: Syscall, memory: mmap.mmap, turn: int) -> None:
    """Set the turn and wake whoever waits for it."""
    memory[:4] = turn.to_bytes(4, "little")
    syscall("futex", memory, FUTEX_WAKE, 2)
