"""How long a run has worked, and what its last generation used."""

from __future__ import annotations

import time
from dataclasses import dataclass

from autotelic.protocols import Sampler
from autotelic.state import Counters


class Clock:
    """Seconds of work over all processes of a run: those before this one, and since."""

    def __init__(self) -> None:
        self.start(0.0)

    def start(self, before: float) -> None:
        """Count on from what earlier processes worked."""
        self._before, self._began = before, time.monotonic()

    @property
    def seconds(self) -> float:
        return self._before + time.monotonic() - self._began


@dataclass(frozen=True, slots=True)
class Spent:
    """What was used between two readings."""

    seconds: float
    trained: int
    decoded: int
    prefilled: int
    decode_seconds: float
    train_seconds: float


class Meter:
    """Reads clock, counters and sampler, and tells what was used since the last reading."""

    def __init__(self, clock: Clock, sampler: Sampler) -> None:
        self.clock = clock
        self.sampler = sampler
        self._last = (0.0, 0, 0, 0, 0.0, 0.0)

    def read(self, counters: Counters) -> Spent:
        """What was used since the last reading, which this is from now on."""
        now = self._now(counters)
        spent = Spent(*(a - b for a, b in zip(now, self._last, strict=True)))  # type: ignore[arg-type]
        self._last = now
        return spent

    def start(self, counters: Counters) -> None:
        """Read from here on: what was sampled to probe, or by another process, is the work of no
        generation.
        """
        self._last = self._now(counters)

    def _now(self, counters: Counters) -> tuple[float, int, int, int, float, float]:
        sampler = self.sampler
        return (
            self.clock.seconds,
            counters.trained,
            sampler.tokens,
            sampler.prefilled,
            sampler.seconds,
            counters.train_seconds,
        )
