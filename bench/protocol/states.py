"""What a state of the model holds, and how far a search of it goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

START, GOOD, OTHER, EVIL = range(4)
"""Weights: those of the beginning, two that an honest auditor approves, one that it does not. EVIL collides with GOOD
under a short digest.
"""
HOLD, STOP = 2, 3
LIFE = 1
"""Ticks that a lease lasts."""
LATEST = 2
"""Ticks that a boot lasts."""


class Lease(NamedTuple):
    epoch: int
    generation: int
    parent: int
    expires: int
    boot: int
    wall: int
    charter: int
    level: int


class Cert(NamedTuple):
    weights: int
    parent: int
    generation: int
    epoch: int
    lease: int


class Brake(NamedTuple):
    """What the brake remembers. `trail` are the champions so far, `used` is the epoch of the last lease used,
    `promised` a certificate that is decided and not yet handed out.
    """

    level: int = 0
    epoch: int = 0
    generation: int = 0
    trail: tuple[int, ...] = (START,)
    used: int = 0
    promised: Cert | None = None

    @property
    def champion(self) -> int:
        return self.trail[-1]


Approval = tuple[int, int, int, int]
"""Weights, parent, generation, epoch: what the honest auditor has signed."""


class State(NamedTuple):
    now: int = 0
    boot: int = 0
    wall: int = 0
    alive: bool = True
    brake: Brake = Brake()
    disk: Brake = Brake()
    truth: int = 0
    charter: int = 0
    leases: tuple[Lease, ...] = ()
    void: int = 0
    stored: int = START
    approvals: tuple[Approval, ...] = ()
    certs: tuple[Cert, ...] = ()
    log: tuple[int, ...] = ()
    seen: tuple[int, ...] = ()
    kept: tuple[int, ...] = ()
    heads: tuple[tuple[int, ...], ...] = ()
    revoked: int = 0
    door: int = -1
    faults: int = 0
    backs: int = 0


@dataclass(frozen=True)
class Bounds:
    """How far a search goes, and which faults it tries."""

    leases: int = 2
    faults: int = 0
    backs: int = 1
    kinds: frozenset[str] = frozenset({"kill", "reboot", "wall", "swap", "charter", "restore", "die"})
    weights: tuple[int, ...] = (GOOD, OTHER)
    levels: tuple[int, ...] = (HOLD, STOP)


Broken = frozenset[str]
NONE: Broken = frozenset()
Found = tuple[str, State, Broken]
