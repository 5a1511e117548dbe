"""A simulated machine with the real code of brake, door and guard, and who knows the truth about it."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autotelic.errors import AutotelicError
from autotelic.oversee.bodies import HOLD, Claim, Founding, Lease
from autotelic.oversee.brake import Brake, Parts
from autotelic.oversee.guard import Guard
from autotelic.oversee.keys import PrivateKey
from autotelic.oversee.leasing import Terms
from autotelic.oversee.permits import Certificate, Trust
from autotelic.oversee.signed import Signed
from bench.protocol.simulated import (
    Died,
    SimClock,
    SimDisk,
    SimLog,
    SimReader,
    SimStore,
    SimWitness,
    root_of,
)

RUN, CHARTER, EDITED = "run-1", "sha256:charter", "sha256:edited"
START = b"weights of the start|config"
CONTENTS = (b"good weights|config", b"other weights|config", b"evil weights|config")
"""Two that an honest auditor approves and one that it refuses. """
EVIL = 2
LIFE = 5_000
"""Milliseconds that a lease lasts here."""


class UnsafeError(AssertionError):
    """Invariants broke: their names, and how."""

    def __init__(self, invariants: str | Sequence[str], how: str) -> None:
        self.invariants = (invariants,) if isinstance(invariants, str) else tuple(invariants)
        super().__init__(f"{', '.join(self.invariants)}: {how}")


def _key(role: Any, name: str) -> PrivateKey:
    return PrivateKey(role, name, f"{role}-{name}".encode().ljust(32, b".")[:32])


KEYS = {
    name: _key(*name.split("/"))
    for name in (
        "trainer/trainer", "brake/brake", "log/log", "witness/witness", "auditor/honest", "auditor/corrupt",
        "human/first", "human/second",
    )
}  # fmt: skip


@dataclass
class Held:
    """A lease that was handed out, and the truth about it. `void_since` is when it was superseded."""

    signed: Signed
    lease: Lease
    void_since: int | None = None
    used: bool = False


class Observer:
    """One run's oversight, with two trainers. `done` counts what was done and what was refused, so that nothing is
    shown by refusals alone.
    """

    brake_class: type[Brake] = Brake
    witness_class: type[SimWitness] = SimWitness

    def __init__(self) -> None:
        self.clock, self.disk, self.store = SimClock(), SimDisk(), SimStore()
        self.log = SimLog(KEYS["log/log"])
        self.witness = self.witness_class(KEYS["witness/witness"], KEYS["log/log"].public)
        self.reader = SimReader(KEYS["log/log"].public, KEYS["witness/witness"].public)
        self.charter = CHARTER
        self.done: Counter[str] = Counter()
        start = self.store.put(START)
        self.blobs = [self.store.put(content) for content in CONTENTS]
        keys = [key.public for name, key in KEYS.items() if name != "brake/brake"]
        founding = Founding(
            run=RUN, charter=CHARTER, start=start, blob=start, quorum=2, grade="A", keys=tuple(map(str, keys))
        )
        self.terms = Terms(ttl=LIFE, steps=50, tokens=5_000, silence=3 * LIFE)
        self.brake: Brake | None = self.brake_class.found(KEYS["brake/brake"], founding, self._parts())
        self.trust = Trust.of(self.brake.founding, KEYS["brake/brake"].public)
        self.guards = [
            Guard(KEYS["trainer/trainer"], self.trust, self, self.clock, self.reader) for _ in range(2)
        ]
        self.held: list[Held] = []
        self.reviews: list[Signed] = []
        self.approved: set[tuple[str, str, int, int]] = set()
        self.claims: list[tuple[Signed, Signed]] = []
        self.orders: list[Signed] = []
        self.ordered = (-1, 0)
        self.attested: list[tuple[str, Signed]] = []
        self.certificates: dict[int, Certificate] = {}
        self.decided: dict[int, str] = {}
        self.revoked: set[str] = set()
        self.level: int | None = 0
        self.copies: list[list[bytes]] = []
        self.newest: list[bytes] = []
        self._cosigned: list[bytes] = []
        self._looked = 0

    def _parts(self) -> Parts:
        return Parts(
            disk=self.disk,
            log=self.log,
            clock=self.clock,
            witness=self.witness,
            weights=self.store,
            terms=self.terms,
        )

    # ── the brake as a trainer and a door see it ─────────────────────────────────────────────────────────

    @property
    def alive(self) -> Brake:
        if self.brake is None:
            raise ConnectionRefusedError("nobody listens")
        return self.brake

    def lease(self, asked: Signed) -> Signed:
        return self.alive.grant(asked)

    def beat(self, sent: Signed) -> Signed:
        return self.alive.beat(sent)

    def attest(self, nonce: str) -> Signed:
        return self.alive.attest(nonce)

    def claim(self, claimed: Signed, leased: Signed, evidence: Mapping[str, Any]) -> Certificate:
        return self.alive.certify(claimed, leased, self.reviews)

    def attempt(self, name: str, action: Callable[[], Any]) -> Any:
        """Do something that may be refused or may kill the brake; None then."""
        try:
            result = action()
        except (AutotelicError, OSError):
            self.done[f"{name}: refused"] += 1
            result = None
        except Died:
            self.done[f"{name}: died"] += 1
            self.brake = None
            result = None
        else:
            self.done[name] += 1
        self._handed()
        return result

    # ── the truth ────────────────────────────────────────────────────────────────────────────────────────

    def durable(self) -> dict[str, Any]:
        """What the brake's disk says, read without its code."""
        payload = json.loads(self.disk.files["brake.json"])["payload"]
        body: dict[str, Any] = json.loads(base64.b64decode(payload))["body"]
        return body

    def in_time(self, lease: Lease) -> bool:
        return lease.boot == self.clock.boot() and lease.granted <= self.clock.now() <= lease.expires

    def void(self) -> None:
        for held in self.held:
            if held.void_since is None:
                held.void_since = self.clock.now()

    def _decide(self, before: Mapping[str, Any], claim: Claim, held: Held, wrong: Sequence[str]) -> None:
        """A promotion reached the brake's disk, or a certificate came out: was it allowed?"""
        if wrong:
            raise UnsafeError(wrong, f"{claim.candidate} was certified in generation {claim.generation}")
        held.used = True
        self.decided[claim.generation] = claim.candidate
        self.done["decided"] += 1

    def wrongs(self, before: Mapping[str, Any], claim: Claim, held: Held) -> list[str]:
        """The invariants that certifying this now would break."""
        found = []
        if (claim.candidate, claim.parent, claim.generation, claim.epoch) not in self.approved:
            found.append("I2")
        if claim.generation in self.decided or claim.parent != before["trail"][-1]["candidate"]:
            found.append("I3")
        if self.brake is None or (self.level is not None and self.level >= HOLD):
            found.append("I4")
        same = (claim.epoch, claim.lease) == (held.lease.epoch, held.signed.digest)
        if not same or not self.in_time(held.lease) or held.void_since is not None:
            found.append("I5")
        if held.used:
            found.append("I6")
        if (claim.charter, held.lease.charter) != (CHARTER, CHARTER):
            found.append("I8")
        return found

    def _handed(self) -> None:
        """Look at every certificate that lies on the disk now."""
        for name, content in list(self.disk.files.items()):
            if not name.startswith("certificate-"):
                continue
            generation = int(name.removeprefix("certificate-").removesuffix(".json"))
            if generation in self.certificates:
                known = self.certificates[generation].countersigned.body["candidate"]
                if (
                    json.loads(base64.b64decode(json.loads(content)["countersigned"]["payload"]))["body"][
                        "candidate"
                    ]
                    != known
                ):
                    raise UnsafeError("I3", f"two certificates of generation {generation}")
                continue
            certificate = Certificate.parse(json.loads(content))
            self.certificates[generation] = certificate
            self.done["certificates"] += 1
            if self.level is not None and self.level >= HOLD:
                raise UnsafeError("I4", f"a certificate was handed out at level {self.level}")
            if certificate.countersigned.body["candidate"] != self.decided.get(generation):
                raise UnsafeError("I3", "a certificate for what was never decided")
        self._one_history()

    def _one_history(self) -> None:
        """Of two heads that the witness cosigned, the longer continues the shorter: both were roots of one log."""
        while self._looked < len(self.witness.cosigned):
            size, root = self.witness.cosigned[self._looked]
            self._looked += 1
            leaves = self.log.leaves[:size]
            if root_of(leaves) != root:
                raise UnsafeError("I7", "the witness cosigned what is not in the ledger")
            shorter, longer = sorted((leaves, self._cosigned), key=len)
            if longer[: len(shorter)] != shorter:
                raise UnsafeError("I7", f"the witness cosigned two histories of {len(shorter)} leaves")
            self._cosigned = longer
