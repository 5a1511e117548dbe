"""Permits: what must be true before a trainer takes a step, and before weights count as champion.

    lease         trainer asks ─► brake signs                            to train
    certificate   trainer claims ─► auditors review ─► brake ─► witness  to be champion

Each function here checks one thing from public keys alone and raises where it does not hold. Missing,
expired, replayed and unreadable are all the same answer: no.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

from autotelic.errors import BrakedError, OversightError
from autotelic.oversee.bodies import Attestation, Certified, Claim, Founding, Lease, Review
from autotelic.oversee.keys import KeyRole, PublicKey
from autotelic.oversee.protocols import BootClock, LogReader
from autotelic.oversee.signed import Signed

CertifiedUse = Literal["champion", "examine", "reference", "export", "serve"]
"""Uses of weights that need a certificate. To train needs a lease."""
_STOP = "the trainer ends here; `autotelic brake status` says why"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """Whom a run believes: what its founding says, under a brake's key that was pinned beforehand."""

    run: str
    charter: str
    start: str
    blob: str
    quorum: int
    grade: str
    brake: PublicKey
    keys: tuple[PublicKey, ...]

    @classmethod
    def of(cls, founding: Signed, brake: PublicKey) -> Self:
        """Read a founding. Raises OversightError where another brake signed it, or it makes no sense."""
        body = Founding.opened(founding, brake)
        keys = tuple(map(PublicKey.parse, body.keys))
        auditors = [key for key in keys if key.role == "auditor"]
        if not 1 <= body.quorum <= len(auditors):
            raise OversightError(
                f"a quorum of {body.quorum} cannot be had of {len(auditors)} auditors",
                "ask for at least one, and at most all",
            )
        if len({key.raw for key in keys} | {brake.raw}) <= len(keys):
            raise OversightError("two roles of this run share one key", "give each role a key of its own")
        if len({(key.role, key.name) for key in keys}) < len(keys):
            raise OversightError("two keys of this run have one role and name", "name each by itself")
        return cls(
            run=body.run,
            charter=body.charter,
            start=body.start,
            blob=body.blob,
            quorum=body.quorum,
            grade=body.grade,
            brake=brake,
            keys=keys,
        )

    def of_role(self, role: KeyRole) -> tuple[PublicKey, ...]:
        """The keys of a role."""
        return tuple(key for key in self.keys if key.role == role)


# ── leases ───────────────────────────────────────────────────────────────────────────────────────────────────────


def check_lease(signed: Signed, trust: Trust, nonce: str) -> Lease:
    """The lease, where the run's brake has signed it for this run, charter and request. Raises BrakedError
    otherwise.
    """
    try:
        lease = Lease.opened(signed, trust.brake)
    except OversightError as error:
        raise BrakedError(f"this lease cannot be relied on: {error.cause}", _STOP) from error
    if (lease.run, lease.charter) != (trust.run, trust.charter):
        raise BrakedError("the lease is for another run or another charter", _STOP)
    if lease.nonce != nonce:
        raise BrakedError("the lease answers another request: it is an old one", _STOP)
    return lease


def check_ceiling(lease: Lease, steps: int, tokens: int) -> None:
    """Raise BrakedError for more steps or tokens than a lease allows."""
    for used, ceiling, what in ((steps, lease.steps, "steps"), (tokens, lease.tokens, "tokens")):
        if used > ceiling:
            raise BrakedError(f"the lease allows {ceiling} {what}, and this would be {used}", _STOP)


def check_time(lease: Lease, clock: BootClock) -> None:
    """Raise BrakedError for a lease of another start of the machine, and for one whose time is over."""
    if lease.boot != clock.boot():
        raise BrakedError("the lease is from before the machine was started again", _STOP)
    now = clock.now()
    if now < lease.granted:
        raise BrakedError("the clock went back behind the grant of this lease", _STOP)
    if now > lease.expires:
        raise BrakedError(f"the lease expired {(now - lease.expires) / 1000:.1f} s ago", _STOP)


# ── reviews ──────────────────────────────────────────────────────────────────────────────────────────────────────


def approving(reviews: Sequence[Signed], claim: Claim, trust: Trust) -> dict[str, Signed]:
    """Reviews that count for a claim, by the auditor's name: signed by an auditor, about exactly this, and
    approving. An auditor that also refuses does not approve; one that answers twice counts once.

    What is signed by anybody else or is about something else counts for nothing. It is not an error.
    """
    found: dict[str, Signed] = {}
    refused: set[str] = set()
    for signed in reviews:
        try:
            review = Review.opened(signed, *trust.of_role("auditor"))
        except OversightError:
            continue
        if not review.is_about(claim):
            continue
        if review.verdict == "refuse":
            refused.add(signed.name)
        else:
            found.setdefault(signed.name, signed)
    return {name: signed for name, signed in found.items() if name not in refused}


# ── certificates ─────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """All that shows that weights are certified: what the trainer claimed, what the auditors said, the brake's
    countersignature, and that it is in the ledger that the witness cosigned.
    """

    claim: Signed
    reviews: tuple[Signed, ...]
    countersigned: Signed
    index: int
    inclusion: tuple[bytes, ...]
    checkpoint: str
    cosignature: str

    def as_json(self) -> dict[str, Any]:
        """Plain JSON, to be stored or sent."""
        return {
            "claim": self.claim.as_json(),
            "reviews": [review.as_json() for review in self.reviews],
            "countersigned": self.countersigned.as_json(),
            "index": self.index,
            "inclusion": [node.hex() for node in self.inclusion],
            "checkpoint": self.checkpoint,
            "cosignature": self.cosignature,
        }

    @classmethod
    def parse(cls, value: Any) -> Self:
        """The inverse of `as_json`. Raises OversightError for anything else. No signature is looked at."""
        try:
            index = value["index"]
            texts = value["checkpoint"], value["cosignature"]
            if not isinstance(index, int) or index < 0 or not all(isinstance(text, str) for text in texts):
                raise TypeError("index, checkpoint and cosignature")
            return cls(
                claim=Signed.parse(value["claim"]),
                reviews=tuple(map(Signed.parse, value["reviews"])),
                countersigned=Signed.parse(value["countersigned"]),
                index=index,
                inclusion=tuple(map(bytes.fromhex, value["inclusion"])),
                checkpoint=texts[0],
                cosignature=texts[1],
            )
        except (TypeError, KeyError, ValueError, AttributeError) as error:
            raise OversightError(f"this is no certificate: {error!r:.80}", "give one of this run") from None


def promotion_leaf(body: Mapping[str, Any]) -> dict[str, Any]:
    """The leaf of the ledger that a certificate is proven by."""
    return {"kind": "certificate", "certificate": dict(body)}


def check_certificate(certificate: Certificate, trust: Trust, reader: LogReader) -> Certified:
    """What a certificate certifies. Raises OversightError unless every part of it holds."""
    body = Certified.opened(certificate.countersigned, trust.brake)
    claim = Claim.opened(certificate.claim, *trust.of_role("trainer"))
    if (body.run, body.charter) != (trust.run, trust.charter):
        raise OversightError("the certificate is for another run or another charter", "give one of this run")
    if certificate.claim.digest != body.claim or not _agree(body, claim):
        raise OversightError("the brake and the trainer signed different things", "ask for a new certificate")
    if tuple(review.digest for review in certificate.reviews) != body.reviews:
        raise OversightError("the certificate's reviews are not those that the brake saw", "ask for it again")
    names = approving(certificate.reviews, claim, trust)
    if len(names) < trust.quorum:
        raise OversightError(
            f"{len(names)} auditors approve these weights, and {trust.quorum} are needed",
            "let the auditors review them",
        )
    check_witnessed(certificate, reader)
    return body


def check_witnessed(certificate: Certificate, reader: LogReader) -> None:
    """Raise OversightError unless the certificate is in the ledger that the witness has cosigned."""
    reader.check(
        promotion_leaf(certificate.countersigned.body),
        certificate.index,
        certificate.inclusion,
        certificate.checkpoint,
        certificate.cosignature,
    )


def _agree(body: Certified, claim: Claim) -> bool:
    names = ("run", "charter", "candidate", "blob", "parent", "epoch", "generation")
    return all(getattr(body, name) == getattr(claim, name) for name in names)


# ── the door ─────────────────────────────────────────────────────────────────────────────────────────────────────


def check_use(
    ref: str,
    blob: str,
    use: CertifiedUse,
    certificate: Certificate | None,
    attested: Signed,
    nonce: str,
    trust: Trust,
    reader: LogReader,
) -> None:
    """Raise OversightError unless the weights `ref`, whose bytes have the sha256 `blob`, may be used so now.

    The caller computes `ref` and `blob` from the very bytes that it is about to load. `attested` is the brake's
    answer to the `nonce` that the caller has just drawn: nothing older says what has been revoked since. The
    run's first weights need no certificate. To be champion they must be the newest; for the other uses it is
    enough that they were certified and not revoked.
    """
    state = check_attestation(attested, nonce, trust)
    if certificate is None:
        if (ref, blob) != (trust.start, trust.blob):
            raise OversightError(f"the weights {ref} have no certificate", "use the champion of this run")
    else:
        body = check_certificate(certificate, trust, reader)
        if (body.candidate, body.blob) != (ref, blob):
            raise OversightError(
                f"the certificate is for the weights {body.candidate}, and these are {ref}",
                "restore the weights from a copy; these are others than those that were examined",
            )
    if ref in state.revoked:
        raise OversightError(f"the weights {ref} were revoked", "use the champion of this run")
    if use == "champion" and state.champion != ref:
        raise OversightError(
            f"the champion is {state.champion}, and these weights are {ref}", "use the champion"
        )


def open_certified(
    read: Callable[[], bytes],
    ref: str,
    use: CertifiedUse,
    certificate: Certificate | None,
    attested: Signed,
    nonce: str,
    trust: Trust,
    reader: LogReader,
) -> bytes:
    """The stored bytes of weights, read once, where they may be used so. What is returned is what was hashed."""
    content = read()
    check_use(ref, sha256_of(content), use, certificate, attested, nonce, trust, reader)
    return content


def check_attestation(attested: Signed, nonce: str, trust: Trust) -> Attestation:
    """What the brake answers to this nonce. Raises OversightError for an older answer or another's."""
    state = Attestation.opened(attested, trust.brake)
    if state.run != trust.run or state.nonce != nonce:
        raise OversightError(
            "the brake's answer is to another question", "ask again: an old answer is worth nothing"
        )
    return state


def sha256_of(content: bytes) -> str:
    """`sha256:` and the digest of bytes: 256 bits, of all of them."""
    return "sha256:" + hashlib.sha256(content).hexdigest()
