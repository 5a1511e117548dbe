"""The lease in force: who holds it, whether it is still heard of, what it has used.

In memory alone. A brake that was started again has forgotten it, and the trainer asks for a new one.
"""

from __future__ import annotations

from dataclasses import dataclass

from autotelic.errors import BrakedError
from autotelic.oversee.bodies import Beat, Lease, LeaseRequest
from autotelic.oversee.permits import check_ceiling, check_time
from autotelic.oversee.protocols import BootClock
from autotelic.oversee.signed import Signed


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a lease allows: milliseconds, steps and tokens. At level 1 steps and tokens are divided by `slow`.

    `silence` is how many milliseconds without a beat end a lease.
    """

    ttl: int = 900_000
    steps: int = 10_000
    tokens: int = 100_000_000
    slow: int = 4
    silence: int = 300_000


class Tenure:
    """The lease in force, or none."""

    def __init__(self, clock: BootClock, terms: Terms) -> None:
        self.clock, self.terms = clock, terms
        self.signed: Signed | None = None
        self.lease: Lease | None = None
        self._heard = self._count = 0

    def begin(self, signed: Signed, lease: Lease) -> None:
        self.signed, self.lease, self._heard, self._count = signed, lease, self.clock.now(), 0

    def end(self) -> None:
        self.signed = self.lease = None

    def is_of(self, beat: Beat) -> bool:
        """Whether a beat is about the lease in force."""
        return self.signed is not None and beat.lease == self.signed.digest

    def check_holder(self, request: LeaseRequest) -> None:
        """Raise BrakedError for a second trainer while the first one's lease is in force."""
        if request.takeover or self.signed is None or request.previous == self.signed.digest:
            return
        try:
            self.check_alive()
        except BrakedError:
            return
        raise BrakedError(
            "another trainer holds a lease of this run",
            "stop it first, or `autotelic resume` takes the run over",
        )

    def check_alive(self) -> None:
        """Raise BrakedError for a lease whose time is over, or whose trainer has been silent."""
        if self.lease is None:
            return
        check_time(self.lease, self.clock)
        silent = self.clock.now() - self._heard
        if silent > self.terms.silence:
            raise BrakedError(
                f"the trainer has been silent for {silent / 1000:.0f} s", "it asks for a new lease"
            )

    def hear(self, beat: Beat) -> None:
        """A sign of life. Raises BrakedError where it says that more was used than the lease allows, and where it
        is none: heard before, or from a second trainer with the same lease.
        """
        self.check_alive()
        if beat.count != self._count + 1:
            raise BrakedError(
                f"beat {beat.count} came after beat {self._count}: two trainers share a lease, or one is repeated",
                "end all but one of them",
            )
        self._count = beat.count
        self._heard = self.clock.now()
        if self.lease is not None:
            check_ceiling(self.lease, beat.steps, beat.tokens)
