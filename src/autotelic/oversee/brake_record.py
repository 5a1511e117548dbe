"""A brake's record: its state on the disk and in the ledger, and the level that it is at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

from autotelic.errors import AutotelicError, BrakedError, OversightError
from autotelic.oversee import claims
from autotelic.oversee.bodies import (
    LEVELS,
    QUARANTINE,
    STOP,
    Founding,
    Revocation,
)
from autotelic.oversee.keys import PrivateKey
from autotelic.oversee.leasing import Tenure, Terms
from autotelic.oversee.ledgered import BrakeState, Crowned, StateFile, peek
from autotelic.oversee.permits import Trust
from autotelic.oversee.protocols import BootClock, Disk, HeadWitness, Log, LogHead, WeightBytes
from autotelic.oversee.signed import Signed

_STATUS = "`autotelic brake status` says why; a human releases it with `autotelic brake release`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a brake works with: its disk, the ledger, a clock, the witness, the run's weights, what leases allow."""

    disk: Disk
    log: Log
    clock: BootClock
    witness: HeadWitness
    weights: WeightBytes
    terms: Terms = field(default_factory=Terms)


class BrakeRecord:
    """A brake's state on its disk and in the ledger, its level, and what its public methods raise: see `Brake`."""

    def __init__(self, key: PrivateKey, trust: Trust, state: BrakeState, parts: Parts) -> None:
        self.key, self.trust, self.state = key, trust, state
        self.file = StateFile(parts.disk, parts.log, key)
        self.clock, self.witness, self.weights, self.terms = (
            parts.clock,
            parts.witness,
            parts.weights,
            parts.terms,
        )
        self.tenure = Tenure(parts.clock, parts.terms)
        self.broken = ""
        self._last = parts.clock.now()

    # ── beginning ────────────────────────────────────────────────────────────────────────────────────────

    @classmethod
    def found(cls, key: PrivateKey, founding: Founding, parts: Parts) -> Self:
        """The brake of a new run. Raises OversightError where its disk or its ledger is of an earlier one."""
        if (size := parts.log.head().size) > 0:
            raise OversightError(
                f"the ledger has {size} leaves of a brake whose state is gone",
                "restore the oversight folder from a copy, or begin a run in another folder",
            )
        if peek(parts.disk, key.public) is not None:
            raise OversightError("this run has a brake already", "open it, or begin a run in another folder")
        signed = founding.sign(key)
        trust = Trust.of(signed, key.public)
        start = Crowned(candidate=founding.start, blob=founding.blob, generation=0)
        state = BrakeState(
            run=founding.run, charter=founding.charter, founding=signed.as_json(), trail=(start,)
        )
        brake = cls(key, trust, state, parts)
        brake._commit(state, {"kind": "founding", "founding": dict(signed.body)})
        brake._cosigned()  # a witness that remembers another ledger of this run says so now
        return brake

    @classmethod
    def open(cls, key: PrivateKey, run: str, charter: str, parts: Parts) -> Self:
        """The brake of a run that goes on. It pays what it owes the ledger.

        Raises OversightError where there is none, where it is another run's or another brake's, where the
        charter was edited since, and where state and ledger do not fit.
        """
        state = StateFile(parts.disk, parts.log, key).load()
        if state is None:
            raise OversightError("this run has no brake", "give its oversight folder, or begin a new run")
        if state.run != run:
            raise OversightError(
                f"this is the brake of the run {state.run}, not of {run}", "give the run's own"
            )
        if state.charter != charter:
            raise OversightError(
                f"the charter is {charter}, and the run began under {state.charter}",
                "put the charter back as it was; a new charter is a new run",
            )
        brake = cls(key, Trust.of(Signed.parse(state.founding), key.public), state, parts)
        brake.file.pay(state)
        brake._cosigned()
        return brake

    @property
    def founding(self) -> Signed:
        """What the run's parties believe each other by."""
        return Signed.parse(self.state.founding)

    def _commit(self, state: BrakeState, *leaves: Mapping[str, Any]) -> None:
        """A new state and its leaves: to the disk, then to the ledger. Nothing is signed before.

        What cannot be written breaks the brake: until it is opened again it signs nothing.
        """
        self._healthy()
        try:
            self.state = self.file.save(state, leaves)
            self.file.pay(self.state)
        except (OSError, AutotelicError) as error:
            self.broken = f"the brake cannot write its record: {error}"
            raise BrakedError(self.broken, "free some space and start the brake again") from error

    def _healthy(self) -> None:
        """Raise BrakedError for a brake that could not write, and for a clock that went back."""
        now = self.clock.now()
        if now < self._last and not self.broken:
            self.broken = "the machine's clock went back"
        self._last = now
        if self.broken:
            raise BrakedError(self.broken, "start the brake again")

    def _check_level(self, most: int, what: str) -> None:
        if self.state.level > most:
            raise BrakedError(
                f"the brake is at {self.state.level} ({LEVELS[self.state.level]}), so there is no {what}: "
                f"{self.state.reason}",
                _STATUS,
            )

    def _cosigned(self) -> tuple[LogHead, str]:
        """The head of the ledger, and the witness's word that it continues all it has seen."""
        try:
            return self.witness.cosign_head(self.file.log)
        except (OSError, AutotelicError, ValueError) as error:
            raise BrakedError(
                f"the witness does not cosign the ledger: {error}", "no certificate without it"
            ) from error

    def cosign(self) -> None:
        """Have the witness see the ledger as it is. Raises BrakedError where it does not."""
        self._healthy()
        self._cosigned()

    def note(self, *leaves: Mapping[str, Any]) -> None:
        """Put something on the record, in one commit: what auditors said, what was found."""
        self._commit(self.state, *leaves)

    # ── the level ────────────────────────────────────────────────────────────────────────────────────────

    def raise_to(self, level: int, reason: str, by: str) -> None:
        """Raise the brake. Anybody may; a lower level than the one in force changes nothing.

        It holds in memory before it is on the disk: a full disk does not keep a brake from being set.
        """
        claims.check_level(level)
        if level <= self.state.level:
            return
        old = self.state
        epoch = old.epoch + 1 if level >= STOP else old.epoch
        self.state = replace(
            old,
            level=level,
            reason=reason,
            changes=old.changes + 1,
            epoch=epoch,
            quarantined=old.quarantined or level >= QUARANTINE,
        )
        if level >= STOP:
            self.tenure.end()
        self._commit(self.state, self._leaf(old.level, level, by, reason))

    def release(self, orders: Sequence[Signed]) -> None:
        """Lower the brake, by a human's order; from 3 up by the same order of two humans.

        Raises BrakedError for too few, and for an order that was given for another change.
        """
        self._healthy()
        level, by, reason = claims.check_orders(orders, self.state, self.trust)
        leaf = self._leaf(self.state.level, level, by, reason)
        self._commit(replace(self.state, level=level, reason=reason, changes=self.state.changes + 1), leaf)

    def _leaf(self, old: int, new: int, by: str, reason: str) -> dict[str, Any]:
        return {
            "kind": "brake",
            "from": old,
            "to": new,
            "by": by,
            "reason": reason,
            "change": self.state.changes,
        }

    def roll_back(self, reason: str, by: str) -> Signed:
        """Revoke the champion and go back to the last certified weights before it; level 4.

        Generation and epoch grow: nothing that was asked for before can be certified after.
        """
        self._healthy()
        old = self.state
        if len(old.trail) < 2:
            raise BrakedError("the champion is what the run began from", "there is nothing to go back to")
        gone = old.champion
        revoked = Revocation(
            run=old.run, candidate=gone.candidate, generation=gone.generation, reason=reason
        ).sign(self.key)
        level = max(old.level, QUARANTINE)
        self.tenure.end()
        state = replace(
            old,
            level=level,
            reason=reason,
            changes=old.changes + (level > old.level),
            epoch=old.epoch + 1,
            generation=old.generation + 1,
            trail=old.trail[:-1],
            revoked=(*old.revoked, gone.candidate),
            promised=None,
            quarantined=True,
        )
        self._commit(
            state,
            {"kind": "revocation", "revocation": dict(revoked.body)},
            self._leaf(old.level, level, by, reason),
        )
        return revoked
