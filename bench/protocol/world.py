"""The real code of brake, door, trainer and auditors on a simulated machine, with an observer that knows the truth.

Every action may be refused: that is an `AutotelicError` and fine. What may not happen raises `UnsafeError` with the
invariants of `model.py` that it breaks. The observer judges by what it did to the world, not by what the brake
believes.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

from autotelic.errors import AutotelicError
from autotelic.oversee import permits
from autotelic.oversee.auditor import Opinion, sign_opinion
from autotelic.oversee.bodies import STOP, Claim, Order
from autotelic.oversee.brake import Brake
from autotelic.oversee.guard import EVERY
from autotelic.oversee.permits import Certificate
from autotelic.oversee.signed import Signed
from bench.protocol.observer import CHARTER, CONTENTS, EDITED, EVIL, KEYS, RUN, Held, Observer, UnsafeError
from bench.protocol.simulated import (
    Died,
    When,
    read_checkpoint,
)


class World(Observer):
    """What the parties of one run do, with two trainers. See `Observer` for what is watched."""

    # ── what the trainers do ─────────────────────────────────────────────────────────────────────────────

    def grant(self, who: int = 0, *, takeover: bool = True) -> Held | None:
        """A trainer asks for a lease."""
        guard = self.guards[who]
        champion = self.durable()["trail"][-1]["candidate"]
        level = self.level
        lease = self.attempt("lease", lambda: guard.begin(len(self.held), champion, takeover=takeover))
        if lease is None or guard.signed is None:
            return None
        if level is not None and level >= STOP:
            raise UnsafeError("I4", f"a lease at level {level}")
        if lease.charter != CHARTER:
            raise UnsafeError("I8", "a lease under another charter")
        self.void()
        self.held.append(Held(guard.signed, lease))
        return self.held[-1]

    def step(self, who: int = 0) -> None:
        """A trainer takes an optimiser step, if its guard lets it."""
        guard = self.guards[who]
        signed = guard.signed
        if self.attempt("step", lambda: (guard.step(10), True)) is None:
            return
        held = next((held for held in self.held if signed is not None and held.signed == signed), None)
        if held is None or not self.in_time(held.lease):
            raise UnsafeError("I10", "a step without a lease in force")
        if held.void_since is not None and self.clock.now() - held.void_since > EVERY:
            raise UnsafeError("I10", "a step long after the lease was superseded")

    def certify(self, weights: int, at: int = -1, **forged: Any) -> Certificate | None:
        """A trainer claims weights under a lease, perhaps with a claim that says something else than the lease."""
        if not self.held:
            return None
        held = self.held[at]
        lease = held.lease
        claim = Claim(
            run=RUN,
            charter=lease.charter,
            lease=held.signed.digest,
            candidate=self.blobs[weights],
            blob=self.blobs[weights],
            parent=lease.parent,
            epoch=lease.epoch,
            generation=lease.generation,
        )
        claim = replace(claim, **forged)
        claimed = claim.sign(KEYS["trainer/trainer"])
        self.claims.append((claimed, held.signed))
        return self._certified(claimed, held, claim)

    def _certified(self, claimed: Signed, held: Held, claim: Claim) -> Certificate | None:
        before = self.durable()
        wrong = self.wrongs(before, claim, held)
        handed: list[Certificate] = []
        try:
            handed.append(self.alive.certify(claimed, held.signed, self.corrupted(claim)))
            self.done["certify"] += 1
        except (AutotelicError, OSError):
            self.done["certify: refused"] += 1
        except Died:
            self.done["certify: died"] += 1
            self.brake = None
        after = self.durable()
        if after["generation"] != before["generation"] or (handed and claim.generation not in self.decided):
            self._decide(before, claim, held, wrong)
        elif handed and wrong:
            raise UnsafeError(wrong, "a certificate came out")
        self._handed()
        return handed[0] if handed else None

    def corrupted(self, claim: Claim) -> list[Signed]:
        """All reviews there are, with what the corrupt auditor and the trainer add: twice yes, and rubbish."""
        corrupt, trainer = KEYS["auditor/corrupt"], KEYS["trainer/trainer"]
        yes = sign_opinion(corrupt, claim, {}, Opinion("approve"))
        again = sign_opinion(corrupt, claim, {"again": 1}, Opinion("approve"))
        own = sign_opinion(trainer, claim, {}, Opinion("approve"))
        forged = replace(own, role="auditor", name="honest", key=KEYS["auditor/honest"].public.id)
        return [own, forged, yes, again, *self.reviews, claim.sign(corrupt)]

    def replay(self, index: int) -> None:
        """A claim that was sent before is sent again."""
        if self.claims:
            claimed, leased = self.claims[index % len(self.claims)]
            held = next(held for held in self.held if held.signed == leased)
            self._certified(claimed, held, Claim.read(claimed.body))

    # ── what auditors and humans do ──────────────────────────────────────────────────────────────────────

    def review(self, weights: int, at: int = -1) -> None:
        """The honest auditor examines the stored bytes of weights, under a lease."""
        if not self.held:
            return
        held = self.held[at]
        lease, blob = held.lease, self.blobs[weights]
        content = self.store.blobs[blob]
        claim = Claim(
            run=RUN,
            charter=CHARTER,
            lease=held.signed.digest,
            candidate=blob,
            blob=blob,
            parent=lease.parent,
            epoch=lease.epoch,
            generation=lease.generation,
        )
        fine = content == CONTENTS[weights] and weights != EVIL
        opinion = Opinion("approve" if fine else "refuse")
        self.reviews.append(sign_opinion(KEYS["auditor/honest"], claim, {}, opinion))
        about = (blob, lease.parent, lease.generation, lease.epoch)
        if fine:
            self.approved.add(about)
        self.done["review"] += 1

    def set_level(self, level: int) -> None:
        """Automation asks for a level. It may not lower it."""
        old = self.level
        before = None if self.brake is None else self.brake.state.level
        if self.brake is None:
            return
        if self.attempt("set", lambda: (self.alive.raise_to(level, "because", "automation"), True)) is None:
            self.level = None  # it may have reached the disk or not: nobody was told
        elif old is not None:
            self.level = max(old, level)
            if level >= STOP and level > old:
                self.void()
        if self.brake is not None and before is not None and self.brake.state.level < before:
            raise UnsafeError("I4", f"automation lowered the brake from {before}")

    def release(self, level: int, humans: int) -> None:
        """Humans order a level; with `humans` 0 an old order is sent again."""
        if self.brake is None:
            return
        state = self.brake.state
        order = Order(run=RUN, level=level, change=state.changes, reason="released")
        names = ("human/first", "human/second")[:humans]
        orders = [order.sign(KEYS[name]) for name in names] or self.orders[-2:]
        if humans:
            self.orders += orders
            self.ordered = (state.changes, humans)
        # An old order counts where it was never taken: the brake died as it came, and nothing has changed since.
        change, signers = self.ordered
        allowed = change == state.changes and signers >= (2 if state.level >= STOP else 1)
        if self.attempt("release", lambda: (self.alive.release(orders), True)) is None:
            if self.brake is None or self.brake.broken:
                self.level = None
            return
        if not allowed:
            raise UnsafeError("I4", f"{humans} humans lowered the brake from {state.level}")
        self.level = level

    def roll_back(self) -> None:
        """The champion turns out to be bad."""
        if self.brake is None:
            return
        gone = self.durable()["trail"][-1]["candidate"]
        level = self.level
        if self.attempt("roll back", lambda: self.alive.roll_back("worse", "exam")) is not None:
            self.revoked.add(gone)
            self.void()
            self.level = 4 if level is not None else None
        elif self.brake is None or self.brake.broken:
            self.level = None
            if gone in self.durable()["revoked"]:
                self.revoked.add(gone)
                self.void()

    # ── the door ─────────────────────────────────────────────────────────────────────────────────────────

    def load(
        self, weights: int, use: permits.CertifiedUse = "champion", *, stale: bool = False
    ) -> bytes | None:
        """The door is asked for stored weights, with the best certificate there is for them."""
        blob = self.blobs[weights]
        found = [c for c in self.certificates.values() if c.countersigned.body["candidate"] == blob]
        certificate = found[-1] if found else next(iter(self.certificates.values()), None)
        nonce = f"nonce-{sum(self.done.values())}"
        if stale and self.attested:
            attested = self.attested[0][1]
        else:
            attested = self.attempt("attest", lambda: self.attest(nonce))
            if attested is None:
                return None
            self.attested.append((nonce, attested))
        return self.open(weights, use, certificate, attested, nonce)

    def open(
        self,
        weights: int,
        use: permits.CertifiedUse,
        certificate: Certificate | None,
        attested: Signed,
        nonce: str,
    ) -> bytes | None:
        """The door's real function, and what it let in, judged."""
        blob = self.blobs[weights]
        content: bytes | None = self.attempt(
            "load",
            lambda: permits.open_certified(
                lambda: self.store.blobs[blob],
                blob,
                use,
                certificate,
                attested,
                nonce,
                self.trust,
                self.reader,
            ),
        )
        if content is None:
            return None
        certified = {str(c.countersigned.body["blob"]) for c in self.certificates.values()}
        real = "sha256:" + hashlib.sha256(content).hexdigest()
        if real not in certified:
            raise UnsafeError("I1", "bytes without a certificate were loaded")
        if certificate is not None and not self._cosigned_head(certificate):
            raise UnsafeError("I7", "weights were loaded by a checkpoint that the witness has not cosigned")
        if real in self.revoked:
            raise UnsafeError("I9", "revoked weights were loaded")
        if use == "champion" and self.brake is not None and real != self._champion():
            raise UnsafeError("I9", "weights that are not the newest were loaded as champion")
        return content

    def _cosigned_head(self, certificate: Certificate) -> bool:
        try:
            return read_checkpoint(certificate.checkpoint, KEYS["log/log"].public) in self.witness.cosigned
        except (AutotelicError, ValueError):
            return False

    def _champion(self) -> str:
        trail = self.durable()["trail"]
        promised = self.durable()["promised"] is not None
        return str(trail[-2 if promised else -1]["candidate"])

    # ── faults ───────────────────────────────────────────────────────────────────────────────────────────

    def kill(self) -> None:
        self.brake = None

    def start(self) -> None:
        """Start the brake again, under the charter that lies in the run folder now."""
        if self.brake is not None:
            return
        self.disk.dies = self.log.dies = self.witness.dies = None

        def opened() -> Brake:
            return self.brake_class.open(KEYS["brake/brake"], RUN, self.charter, self._parts())

        self.brake = self.attempt("start", opened)
        if self.brake is not None and self.level is None:
            self.level = self.brake.state.level
        if self.brake is not None and self.brake.state.charter != CHARTER:
            raise UnsafeError("I8", "the brake goes on under another charter")

    def reboot(self) -> None:
        self.brake = None
        self.clock.reboot()

    def plan(self, part: str, when: When) -> None:
        """The brake will die at the next write of its disk, its ledger or its witness."""
        {"disk": self.disk, "log": self.log, "witness": self.witness}[part].dies = when

    def fill(self, part: str, full: int) -> None:
        """So many of the next writes find no space."""
        {"disk": self.disk, "log": self.log, "witness": self.witness}[part].full = full

    def swap(self, weights: int) -> None:
        """Other bytes under the name of stored weights."""
        self.store.blobs[self.blobs[weights]] = CONTENTS[EVIL] + b"!"

    def mend(self, weights: int) -> None:
        self.store.blobs[self.blobs[weights]] = CONTENTS[weights]

    def copy_ledger(self) -> None:
        self.copies.append(list(self.log.leaves))

    def restore_ledger(self, index: int) -> None:
        """The ledger's database is put back to an older copy."""
        if self.copies:
            self.newest = max(self.newest, list(self.log.leaves), key=len)
            self.log.leaves = list(self.copies[index % len(self.copies)])

    def put_ledger_back(self) -> None:
        """The thief puts the newest copy back, unless leaves were appended to the older one since."""
        if self.newest[: len(self.log.leaves)] == self.log.leaves:
            self.log.leaves = list(self.newest)

    def edit_charter(self) -> None:
        self.charter = EDITED

    def put_charter_back(self) -> None:
        self.charter = CHARTER

    # ── what is done all the time ────────────────────────────────────────────────────────────────────────

    def promote(self, weights: int) -> Certificate | None:
        """The ordinary way, from lease to certificate."""
        if self.grant() is None:
            return None
        self.review(weights)
        return self.certify(weights)
