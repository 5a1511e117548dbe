"""What oversight saw in a run, as messages. They are part of `messages.py`.

The thresholds are the charter's (`autotelic.thresholds`). An alarm raises the brake through the overseer, which puts
it into the ledger; the message says so to whoever reads the journal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from autotelic.envelope import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured(Message):
    """What is read once a generation, and held against the thresholds. None is what the run does not have.

    `kl` is the median over the updates of the divergence from the champion, `entropy` that of the policy's entropy,
    both in nats a token; `length` the share of answers cut off for length; `duplicates` that of proposals known
    already; `validity` that of proposals that became tasks; `calibration_error` the ECE of a critic in use.
    `armed` names what has been on the right side of its threshold: only this can alarm.
    """

    kind: ClassVar[str] = "measured"

    kl: float | None = None
    entropy: float | None = None
    length: float | None = None
    duplicates: float | None = None
    validity: float | None = None
    calibration_error: float | None = None
    armed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened(Message):
    """Sealed items are about to be attempted and judged, to see whether the proxy still agrees with the truth.

    `items` are their names in the order in which they count, `sources` what rewards besides the verifier. `fresh` of
    them nothing was ever trained on; where the rules have no more of those, others are asked too.
    """

    kind: ClassVar[str] = "sealed.opened"

    items: tuple[str, ...]
    sources: tuple[str, ...]
    fresh: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked(Message):
    """What came of the sealed items that were opened: an entry an item, in their order.

    `said` is the mean of what the proxy in use said of its attempts, `truth` that of what the verifier said, both in
    [0, 1].
    """

    kind: ClassVar[str] = "sealed.looked"

    said: Sequence[float]
    truth: Sequence[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarmed(Message):
    """A threshold was crossed: the brake is raised to `level`, unless it is there. `reason` has the numbers."""

    kind: ClassVar[str] = "alarmed"

    trigger: str
    level: int
    reason: str
