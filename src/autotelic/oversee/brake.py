"""The brake: it alone lets the trainer go on, and weights become champion.

    level   0 run   1 slow   2 hold: no certificate   3 stop: no lease   4 quarantine: back to the last certified
    raised by anybody, lowered by humans alone: one key below 3, two of them from 3 up

What it decides is on its disk and in the ledger before it is signed. A brake that cannot write signs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

from autotelic.canonical import canonical
from autotelic.errors import AutotelicError, BrakedError, OversightError
from autotelic.oversee import claims, permits
from autotelic.oversee.bodies import (
    HOLD,
    LEVELS,
    QUARANTINE,
    SLOW,
    STOP,
    Attestation,
    Beat,
    Certified,
    Claim,
    Founding,
    Lease,
    LeaseRequest,
    Pulse,
    Revocation,
)
from autotelic.oversee.keys import PrivateKey
from autotelic.oversee.leasing import Tenure, Terms
from autotelic.oversee.ledgered import BrakeState, Crowned, StateFile, peek
from autotelic.oversee.permits import Certificate, Trust
from autotelic.oversee.protocols import BootClock, Disk, HeadWitness, Log, LogHead, WeightBytes
from autotelic.oversee.signed import Signed, strict

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


class Brake:
    """One run's brake. Made by `found` for a new run, by `open` for one that goes on.

    Every public method raises BrakedError where the answer is no, and OversightError where something given
    cannot be relied on. Neither changes anything but what is said.
    """

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

    # ── leases ───────────────────────────────────────────────────────────────────────────────────────────

    def grant(self, asked: Signed) -> Signed:
        """A lease for one generation. The lease that was in force before is void from now on."""
        self._healthy()
        self._check_level(HOLD, "lease")
        request = LeaseRequest.opened(asked, *self.trust.of_role("trainer"))
        self._check_run(request.run, request.charter)
        if self.state.promised is not None:
            self.finish()
        self.tenure.check_holder(request)
        leaves: list[Mapping[str, Any]] = []
        champion = self.state.champion
        if request.champion != champion.candidate:
            if not request.takeover:
                raise BrakedError(
                    f"the champion is {champion.candidate}, and the trainer goes on from {request.champion}",
                    "resume the run: it takes up the brake's champion",
                )
            leaves.append(
                {"kind": "superseded by resume", "known": request.champion, "champion": champion.candidate}
            )
        slow = self.terms.slow if self.state.level >= SLOW else 1
        now = self.clock.now()
        lease = Lease(
            run=self.state.run,
            charter=self.state.charter,
            trip=request.trip,
            generation=self.state.generation,
            epoch=self.state.epoch + 1,
            parent=champion.candidate,
            steps=max(1, self.terms.steps // slow),
            tokens=max(1, self.terms.tokens // slow),
            level=self.state.level,
            granted=now,
            expires=now + self.terms.ttl,
            boot=self.clock.boot(),
            clean=self.state.quarantined,
            checkpoint=self.file.log.head().checkpoint,
            nonce=request.nonce,
        )
        signed = lease.sign(self.key)
        leaves.append({"kind": "lease", "lease": dict(signed.body)})
        state = replace(self.state, epoch=lease.epoch, lease=signed.digest, quarantined=False)
        self._commit(state, *leaves)
        self.tenure.begin(signed, lease)
        return signed

    def _check_run(self, run: str, charter: str) -> None:
        if (run, charter) != (self.trust.run, self.trust.charter):
            raise OversightError(
                "this is for another run or another charter",
                "the charter of a run is the one that it began with",
            )

    def beat(self, sent: Signed) -> Signed:
        """Answer a sign of life. A trainer whose lease is void is told so by the epoch."""
        self._healthy()
        beat = Beat.opened(sent, *self.trust.of_role("trainer"))
        if self.tenure.is_of(beat):
            self.tenure.check_alive()
            try:
                self.tenure.hear(beat)
            except BrakedError as error:
                self.raise_to(STOP, error.cause, "brake")
        pulse = Pulse(
            run=self.state.run,
            level=self.state.level,
            epoch=0 if self.tenure.lease is None else self.state.epoch,
            reason=self.state.reason,
            nonce=beat.nonce,
        )
        return pulse.sign(self.key)

    # ── certificates ─────────────────────────────────────────────────────────────────────────────────────

    def admit(self, claimed: Signed, leased: Signed) -> tuple[Claim, Lease]:
        """What of a claim can be told before anybody reviews it: everything but the reviews.

        Raises BrakedError unless the brake is below hold, the lease is the one in force and has not been used,
        the claim is from the current champion, and the bytes are stored.
        """
        self._healthy()
        claim = Claim.opened(claimed, *self.trust.of_role("trainer"))
        self._check_run(claim.run, claim.charter)
        if self.state.promised is not None:
            self.finish()
        self._check_level(SLOW, "certificate")
        lease = Lease.opened(leased, self.key.public)
        claims.check_fence(claim, lease, leased, self.state)
        self._check_expiry(lease)
        claims.check_unused(lease, self.state)
        claims.check_succession(claim, lease, self.state)
        claims.check_new(claim, self.state)
        if not self.weights.holds(claim.blob):
            raise BrakedError(
                f"the bytes {claim.blob} of the candidate are not stored",
                "store a candidate before it is claimed",
            )
        return claim, lease

    def certify(self, claimed: Signed, leased: Signed, reviews: Sequence[Signed]) -> Certificate:
        """Make a candidate champion: its certificate, with the witness's cosignature.

        Raises BrakedError unless `admit` holds now and a quorum of auditors approves.
        """
        claim, lease = self.admit(claimed, leased)
        self.remember(reviews)
        counted = claims.check_quorum(claim, reviews, self.state, self.trust)
        body = Certified(
            run=claim.run,
            charter=claim.charter,
            candidate=claim.candidate,
            blob=claim.blob,
            parent=claim.parent,
            epoch=claim.epoch,
            generation=claim.generation,
            claim=claimed.digest,
            reviews=tuple(review.digest for review in counted),
        )
        return self._promote(body, claimed, counted, lease)

    def _check_expiry(self, lease: Lease) -> None:
        permits.check_time(lease, self.clock)
        if self.tenure.lease == lease:
            self.tenure.check_alive()

    def remember(self, reviews: Sequence[Signed]) -> None:
        """Remember who refused what, so that an approval after it does not count, whoever holds it back."""
        if new := claims.refusals_in(reviews, self.state, self.trust):
            state = replace(self.state, refusals=(*self.state.refusals, *new))
            self._commit(state, {"kind": "refusal", "refusals": new})

    def _promote(
        self, body: Certified, claimed: Signed, reviews: Sequence[Signed], lease: Lease
    ) -> Certificate:
        """The point of no return: on the disk, in the ledger, cosigned, signed; in this order."""
        promised: dict[str, Any] = {
            "body": dict(body.sign(self.key).body),
            "index": self.file.log.head().size,
            "claim": claimed.as_json(),
            "reviews": [review.as_json() for review in reviews],
        }
        crowned = Crowned(candidate=body.candidate, blob=body.blob, generation=body.generation)
        state = replace(
            self.state,
            trail=(*self.state.trail, crowned),
            generation=self.state.generation + 1,
            used=lease.epoch,
            promised=promised,
        )
        self._commit(state, permits.promotion_leaf(promised["body"]))
        return self.finish()

    def finish(self) -> Certificate:
        """Hand out the certificate that is on the disk: once it is in the ledger and cosigned. Whoever asks again
        gets the same certificate.
        """
        self._healthy()
        promised = self.state.promised
        if promised is None:
            raise BrakedError("no certificate is promised", "claim a candidate first")
        self._check_level(SLOW, "certificate")
        head, cosignature = self._cosigned()
        index = promised["index"]
        certificate = Certificate(
            claim=Signed.parse(promised["claim"]),
            reviews=tuple(map(Signed.parse, promised["reviews"])),
            countersigned=Certified.read(promised["body"]).sign(self.key),
            index=index,
            inclusion=tuple(self.file.log.prove_inclusion(index, head.size)),
            checkpoint=head.checkpoint,
            cosignature=cosignature,
        )
        try:
            self.file.disk.write(
                certificate_name(promised["body"]["generation"]), canonical(certificate.as_json()).encode()
            )
        except OSError as error:
            self.broken = f"the brake cannot write a certificate: {error.strerror}"
            raise BrakedError(self.broken, "free some space and start the brake again") from error
        self._commit(replace(self.state, promised=None))
        return certificate

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

    def certificate(self, generation: int) -> Certificate | None:
        """The certificate that a promotion in this generation got; None where there was none."""
        content = self.file.disk.read(certificate_name(generation))
        return None if content is None else Certificate.parse(strict(content))

    def attest(self, nonce: str) -> Signed:
        """Who is champion now and what is revoked, for whoever sent this nonce."""
        self._healthy()
        state = self.state
        # Promised weights are champion once their certificate is handed out, and not before.
        promised = state.promised is not None
        return Attestation(
            run=state.run,
            champion=state.trail[-2 if promised else -1].candidate,
            generation=state.generation - promised,
            level=state.level,
            revoked=state.revoked,
            nonce=nonce,
        ).sign(self.key)

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


def certificate_name(generation: int) -> str:
    """The file of the certificate of a generation."""
    return f"certificate-{generation}.json"
