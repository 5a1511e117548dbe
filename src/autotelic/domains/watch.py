"""Calls of a domain from outside the package: under a deadline, with what went wrong named and counted."""

from __future__ import annotations

import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from autotelic.errors import DomainError

HANGS = 3
"""Hangs of one batch asked one by one, after which the rest of it is not asked and counts as hanging too."""
WHOLE = 8
"""Items that must have failed, in two batches in a row or more of which nothing succeeded, before the run stops."""
A = TypeVar("A")
B = TypeVar("B")


class Hang(BaseException):
    """A call took too long. No `Exception`, so that a domain's own `except Exception` does not swallow it."""


class WrongValueError(Exception):
    """A domain raised, or gave something that is not what was asked for. It says which in one line."""


@dataclass(frozen=True, slots=True)
class Failure:
    """What stands in the place of a value that a domain did not give. `why` is one line."""

    reason: Literal["error", "hang"]
    why: str


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Raise `Hang` in what is called within, after so many seconds.

    It works by SIGALRM, so only in the main thread, and only where Python code runs or a system call waits:
    in another thread, and in a C extension that never returns, nothing is interrupted. A timer that ran
    before goes on afterwards.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return
    began = time.monotonic()
    handler = signal.signal(signal.SIGALRM, _ring)
    left, interval = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if left:
            signal.setitimer(signal.ITIMER_REAL, max(1e-3, left - (time.monotonic() - began)), interval)


def _ring(number: int, frame: object) -> None:
    raise Hang


def in_one_line(error: BaseException) -> str:
    """An error's class and the first line of what it says.

    >>> in_one_line(ValueError("two\\nlines"))
    'ValueError: two'
    """
    said = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def kind_of(value: object) -> str:
    """What something is, for an error that expected something else."""
    return f"a value of the type {type(value).__name__}"


def in_number(found: Any, n: int) -> list[Any]:
    """A list of the length that was asked for; raises `WrongValueError` for anything else."""
    if not isinstance(found, list | tuple):
        raise WrongValueError(f"it gave {kind_of(found)} where a list was expected")
    if len(found) != n:
        raise WrongValueError(f"it gave {len(found)} where {n} were expected")
    return list(found)


class Watch:
    """Who calls the domain `name`, and gives each call at most `seconds`."""

    def __init__(self, name: str, seconds: float) -> None:
        self.name = name
        self.seconds = seconds
        self._dropped: Counter[tuple[str, str]] = Counter()
        self._failed: dict[str, list[int]] = {}

    def drop(self, what: str, why: str, n: int = 1) -> None:
        """Count `n` of `what` as left out, because of `why`."""
        self._dropped[what, why] += n

    def take(self) -> list[tuple[str, int, str]]:
        """What was left out since the last time: (what, how many, why)."""
        found = [(what, n, why) for (what, why), n in self._dropped.items()]
        self._dropped.clear()
        return found

    def call(self, function: Callable[[], A]) -> A | Failure:
        """The value of a call, or its failure."""
        try:
            with deadline(self.seconds):
                return function()
        except Hang:
            return Failure("hang", f"it did not come back within {self.seconds:g} s")
        except WrongValueError as error:
            return Failure("error", str(error))
        except (Exception, SystemExit) as error:
            return Failure("error", in_one_line(error))

    def each(self, what: str, items: Sequence[A], ask: Callable[[Sequence[A]], list[B]]) -> list[B | Failure]:
        """What `ask` gives for the items together, or, where that fails, for one by one: then a failure
        stands in the place of each item that fails by itself too. Raises DomainError as `whole` does.
        """
        if not items:
            return []
        found: list[B | Failure] = []
        together = self.call(lambda: ask(items))
        if not isinstance(together, Failure):
            found += together
        elif len(items) == 1:
            found.append(together)
        else:
            for alone in self._one_by_one(items, ask, together.reason == "hang"):
                found.append(alone)
        self.whole(what, [item for item in found if isinstance(item, Failure)], len(items))
        return found

    def _one_by_one(
        self, items: Sequence[A], ask: Callable[[Sequence[A]], list[B]], hangs: int
    ) -> Iterator[B | Failure]:
        last = Failure("hang", "")
        for item in items:
            if hangs > HANGS:
                yield last
                continue
            alone = self.call(lambda item=item: ask([item]))  # type: ignore[misc]
            if isinstance(alone, Failure):
                last, hangs = alone, hangs + (alone.reason == "hang")
                yield alone
            else:
                yield from alone

    def whole(self, what: str, failures: Sequence[Failure], n: int) -> None:
        """Take down that of `n` items these failed. Raises DomainError where nothing succeeds, batch after batch."""
        if len(failures) < n:
            self._failed.pop(what, None)
            return
        counts = self._failed.setdefault(what, [])
        counts.append(n)
        if len(counts) > 1 and sum(counts) >= WHOLE:
            raise DomainError(
                f"`{what}` of the domain {self.name} failed for all of {sum(counts)}: {failures[0].why}",
                "correct the domain, and resume the run",
            )
