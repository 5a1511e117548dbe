"""The brake: it alone lets the trainer go on, and weights become champion.

    level   0 run   1 slow   2 hold: no certificate   3 stop: no lease   4 quarantine: back to the last certified
    raised by anybody, lowered by humans alone: one key below 3, two of them from 3 up

What it decides is on its disk and in the ledger before it is signed. A brake that cannot write signs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from autotelic.canonical import canonical
from autotelic.errors import BrakedError, OversightError
from autotelic.oversee import claims, permits
from autotelic.oversee.bodies import (
    HOLD,
    SLOW,
    STOP,
    Attestation,
    Beat,
    Certified,
    Claim,
    Lease,
    LeaseRequest,
    Pulse,
)
from autotelic.oversee.brake_record import BrakeRecord
from autotelic.oversee.brake_record import Parts as Parts
from autotelic.oversee.ledgered import Crowned
from autotelic.oversee.permits import Certificate
from autotelic.oversee.signed import Signed, strict


class Brake(BrakeRecord):
    """One run's brake. Made by `found` for a new run, by `open` for one that goes on.

    Every public method raises BrakedError where the answer is no, and OversightError where something given
    cannot be relied on. Neither changes anything but what is said.
    """

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


def certificate_name(generation: int) -> str:
    """The file of the certificate of a generation."""
    return f"certificate-{generation}.json"
