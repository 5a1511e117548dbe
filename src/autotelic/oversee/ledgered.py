"""The brake's state on disk, and how it is kept equal to the ledger.

    1. the new state and the leaves that it still owes the ledger go to the disk, in one file
    2. the leaves go to the ledger
    3. only then is anything signed

A brake that dies in between finds at its next start what it still owes. A ledger that was cut short, and a state
that is older than its ledger, are found there too: the state says how long the ledger was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Self

from autotelic.canonical import canonical
from autotelic.errors import OversightError
from autotelic.oversee.keys import PrivateKey, PublicKey
from autotelic.oversee.protocols import Disk, Log, LogHead
from autotelic.oversee.signed import Signed, strict

FILE = "brake.json"
_TYPE = "brake-state"
_RESTORE = "restore the oversight folder from a copy; a run does not go on under another brake"


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowned:
    """Weights that are certified: in which generation, and the sha256 of the file that holds them."""

    candidate: str
    blob: str
    generation: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BrakeState:
    """All that a brake must never forget.

    `trail` are the certified weights from the start to the champion, without those that were revoked. `used` is
    the epoch of the last lease that a certificate was given on, `changes` how often the level was changed,
    `lease` the digest of the lease in force. `quarantined` is whether the working weights are given up.
    `refusals` are `auditor candidate generation`. `promised` is the certificate that is on disk and not yet
    handed out. `size` and `owed` tie the state to the ledger.
    """

    run: str
    charter: str
    founding: Mapping[str, Any]
    level: int = 0
    reason: str = ""
    changes: int = 0
    epoch: int = 0
    generation: int = 0
    used: int = 0
    lease: str = ""
    quarantined: bool = False
    trail: tuple[Crowned, ...]
    revoked: tuple[str, ...] = ()
    refusals: tuple[str, ...] = ()
    promised: Mapping[str, Any] | None = None
    size: int = 0
    owed: tuple[Mapping[str, Any], ...] = ()

    @property
    def champion(self) -> Crowned:
        return self.trail[-1]

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> Self:
        """From its JSON. Raises OversightError for another version's."""
        if set(body) != {field.name for field in fields(cls)}:
            raise OversightError("the brake's state is of another version", "use the autotelic that wrote it")
        trail = tuple(Crowned(**crowned) for crowned in body["trail"])
        texts = {name: tuple(body[name]) for name in ("revoked", "refusals", "owed")}
        return cls(**{**body, **texts, "trail": trail})


def peek(disk: Disk, key: PublicKey) -> BrakeState | None:
    """The state on a disk, None where there is none. Raises OversightError for one that this brake did not sign."""
    content = disk.read(FILE)
    if content is None:
        return None
    try:
        return BrakeState.read(Signed.parse(strict(content)).opened(_TYPE, key))
    except (OversightError, TypeError, KeyError) as error:
        cause = error.cause if isinstance(error, OversightError) else repr(error)
        raise OversightError(f"the brake's state cannot be relied on: {cause}", _RESTORE) from error


class StateFile:
    """Writes states and pays the ledger what they owe. One brake has one."""

    def __init__(self, disk: Disk, log: Log, key: PrivateKey) -> None:
        self.disk, self.log, self.key = disk, log, key

    def load(self) -> BrakeState | None:
        """The state of the disk, None where there is none. Raises OversightError where it was changed, is of
        another brake, or does not fit the ledger.
        """
        state = peek(self.disk, self.key.public)
        if state is None:
            return None
        size = self.log.head().size
        if size < state.size:
            raise OversightError(f"the ledger was cut short: {size} leaves, expected {state.size}", _RESTORE)
        if size not in (state.size, state.size + len(state.owed)):
            raise OversightError(f"the brake's state is older than its ledger of {size} leaves", _RESTORE)
        return state

    def save(self, state: BrakeState, leaves: Sequence[Mapping[str, Any]]) -> BrakeState:
        """Put a state on the disk with the leaves that it owes; returns it as it was written."""
        written = replace(state, size=self.log.head().size, owed=tuple(leaves))
        body = {**asdict(written), "trail": [asdict(crowned) for crowned in written.trail]}
        signed = Signed.sign(self.key, _TYPE, body)
        self.disk.write(FILE, canonical(signed.as_json()).encode())
        return written

    def pay(self, state: BrakeState) -> LogHead:
        """Append what a state owes, unless it is there already; the head that holds it."""
        head = self.log.head()
        if head.size == state.size and state.owed:
            return self.log.append(state.owed)
        return head
