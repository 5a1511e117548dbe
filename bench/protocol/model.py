"""A model of the permit protocol, small enough to be searched exhaustively.

One state holds the clock, the brake's memory and disk, leases, bytes on disk, approvals, certificates, the ledger,
the witness's memory and disk, and what was revoked. `steps` gives every state that can follow, with the invariants
that the step broke. Everything may happen at any time, except what a budget bounds: leases, roll-backs, faults.

Who is bad: the trainer asks for whatever it likes; one of two auditors signs whatever it likes; bytes on the disk are
swapped; the ledger's database is put back to an older copy; the machine's clock is set back; processes die, also
between their disk and their signature. Who is good: the brake, the witness, the other auditor, the door.

Invariants
    I1   what is loaded has a certificate for exactly its bytes
    I2   it was audited, for this parent, generation and epoch
    I3   one promotion a generation, from the current champion
    I4   no certificate while the brake is set, none without the brake
    I5   none on an expired or superseded lease
    I6   a lease is used once
    I7   what is loaded is witnessed, and the witness never signs two histories
    I8   the charter is the one that the run began with
    I9   nothing revoked is loaded
    I10  no step after the lease
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from bench.protocol.states import (
    EVIL,
    GOOD,
    HOLD,
    LATEST,
    LIFE,
    NONE,
    OTHER,
    START,
    STOP,
    Bounds,
    Brake,
    Broken,
    Cert,
    Found,
    Lease,
    State,
)


class Model:
    """The protocol without the checks that `without` names: the numbers of mutants."""

    def __init__(self, bounds: Bounds, without: frozenset[str] = frozenset()) -> None:
        self.bounds = bounds
        self.without = without

    def start(self) -> State:
        return State(faults=self.bounds.faults, backs=self.bounds.backs)

    def steps(self, s: State) -> Iterator[Found]:
        """Every step from here: its name, the state after it, the invariants it breaks."""
        yield from self._time(s)
        yield from self._leases(s)
        yield from self._candidates(s)
        yield from self._promotions(s)
        yield from self._levels(s)
        yield from self._ledger(s)
        yield from self._door(s)
        if not s.alive:
            yield "start the brake", s._replace(alive=True, brake=s.disk), NONE
        if s.faults:
            yield from self._faults(s)

    @staticmethod
    def _write(s: State, brake: Brake) -> State:
        """The brake's memory and its disk."""
        return s._replace(brake=brake, disk=brake)

    def _time(self, s: State) -> Iterator[Found]:
        if s.now < LATEST:
            yield "tick", s._replace(now=s.now + 1), NONE

    # ── leases ───────────────────────────────────────────────────────────────────────────────────────────

    def _leases(self, s: State) -> Iterator[Found]:
        b = s.brake
        if s.alive and len(s.leases) < self.bounds.leases and b.level < STOP and b.promised is None:
            charter = s.charter if "charter" in self.without else 0
            lease = Lease(
                b.epoch + 1,
                b.generation,
                b.champion,
                s.now + LIFE,
                s.boot,
                s.now + s.wall + LIFE,
                charter,
                b.level,
            )
            brake = b._replace(epoch=b.epoch + 1)
            disk = s.disk if "epoch on disk" in self.without else brake
            broken = {"I4"} if s.truth >= STOP else set()
            broken |= {"I8"} if charter else set()
            yield (
                "grant",
                s._replace(brake=brake, disk=disk, leases=(*s.leases, lease), void=(1 << len(s.leases)) - 1),
                frozenset(broken),
            )
        for i, lease in enumerate(s.leases):
            checked = lease.boot == s.boot and s.now <= lease.expires
            if ("step" in self.without or checked) and not self._in_time(s, lease):
                yield f"step under {i}", s, frozenset({"I10"})

    @staticmethod
    def _in_time(s: State, lease: Lease) -> bool:
        """The truth about a lease's time."""
        return lease.boot == s.boot and s.now <= lease.expires

    # ── candidates and approvals ─────────────────────────────────────────────────────────────────────────

    def _candidates(self, s: State) -> Iterator[Found]:
        for weights in self.bounds.weights:
            if s.stored != weights and s.leases:
                yield f"store {weights}", s._replace(stored=weights), NONE
        if s.stored in (GOOD, OTHER):
            for i, lease in enumerate(s.leases):
                approval = (s.stored, lease.parent, lease.generation, lease.epoch)
                if approval not in s.approvals:
                    yield (
                        f"approve {s.stored} under {i}",
                        s._replace(approvals=tuple(sorted((*s.approvals, approval)))),
                        NONE,
                    )

    def _votes(self, s: State, weights: int, lease: Lease) -> int:
        """Auditors that the brake counts for weights under a lease. One of two is corrupt and signs everything."""
        about = (weights, lease.parent, lease.generation, lease.epoch)
        if "digest bound" in self.without:
            honest = any(approval[1:] == about[1:] for approval in s.approvals)
        elif "context bound" in self.without:
            honest = any(approval[0] == weights for approval in s.approvals)
        else:
            honest = about in s.approvals
        votes = ["corrupt"] + ["honest"] * honest
        if "distinct" in self.without:
            votes.append("corrupt again")
        if "role signed" in self.without:
            votes.append("trainer")
        if "silence" in self.without and not honest:
            votes.append("honest, silent")
        return len(set(votes))

    # ── promotions ───────────────────────────────────────────────────────────────────────────────────────

    def _promotions(self, s: State) -> Iterator[Found]:
        if s.alive and s.brake.promised is not None and s.brake.level < HOLD:
            brake = s.brake._replace(promised=None)
            yield "hand out the certificate", *self._hand(self._write(s, brake), s.brake.promised)
        choices = self.bounds.weights if s.stored != EVIL else (*self.bounds.weights, EVIL)
        for i, lease in enumerate(s.leases):
            for weights in choices:
                if self._certifies(s, weights, lease):
                    yield from self._promote(s, weights, i, lease)

    def _certifies(self, s: State, weights: int, lease: Lease) -> bool:
        """Whether the brake says yes."""
        b, without = s.brake, self.without
        if not s.alive:
            return "brake needed" in without
        if b.promised is not None or s.revoked >> weights & 1:
            return False
        level = lease.level if "level now" in without else b.level
        swapped = "cas" in without or ((lease.parent, lease.generation) == (b.champion, b.generation))
        return (
            level < HOLD
            and ("fence" in without or lease.epoch == b.epoch)
            and self._timely(s, lease)
            and swapped
            and ("once" in without or lease.epoch > b.used)
            and weights not in b.trail
            and ("quorum" in without or self._votes(s, weights, lease) >= 2)
        )

    def _timely(self, s: State, lease: Lease) -> bool:
        """Whether the brake thinks that a lease's time is not over."""
        if "expiry" in self.without:
            return True
        if "monotonic" in self.without:
            return s.now + s.wall <= lease.wall
        return s.now <= lease.expires and ("boot" in self.without or lease.boot == s.boot)

    def _promote(self, s: State, weights: int, i: int, lease: Lease) -> Iterator[Found]:
        cert = Cert(weights, lease.parent, lease.generation, lease.epoch, i)
        decided = self._decided(s, cert)
        name = f"certify {weights} under {i}"
        if not s.alive:
            after, handed = self._hand(s, cert)
            yield f"{name} without the brake", after, decided | handed
            return
        b = s.brake
        brake = b._replace(trail=(*b.trail, weights), generation=b.generation + 1, used=lease.epoch)
        logged = s._replace(log=(*s.log, weights))
        dies = s.faults and "die" in self.bounds.kinds
        if "disk first" in self.without:
            signed, handed = self._hand(logged, cert)
            yield name, self._write(signed, brake), decided | handed
            if dies:
                dead = signed._replace(alive=False, faults=s.faults - 1)
                yield f"{name}, and die before the disk", dead, decided | handed
            return
        brake = brake._replace(promised=cert)
        yield name, self._write(logged, brake), decided
        if dies:
            dead = logged._replace(alive=False, disk=brake, faults=s.faults - 1)
            yield f"{name}, and die after the disk", dead, decided

    def _decided(self, s: State, cert: Cert) -> Broken:
        """The invariants that deciding for a candidate breaks: by what is true, not by what the brake believes."""
        lease = s.leases[cert.lease]
        broken = set()
        if (cert.weights, cert.parent, cert.generation, cert.epoch) not in s.approvals:
            broken.add("I2")
        if any(other.generation == cert.generation for other in s.certs) or cert.parent != s.disk.champion:
            broken.add("I3")
        if s.truth >= HOLD or not s.alive:
            broken.add("I4")
        if not self._in_time(s, lease) or s.void >> cert.lease & 1:
            broken.add("I5")
        if any(other.lease == cert.lease for other in s.certs):
            broken.add("I6")
        if lease.charter:
            broken.add("I8")
        return frozenset(broken)

    @staticmethod
    def _hand(s: State, cert: Cert) -> tuple[State, Broken]:
        """Hand out a certificate, and the invariants that this breaks. The same one twice is the same."""
        broken = set()
        if any(other.generation == cert.generation and other != cert for other in s.certs):
            broken.add("I3")
        if s.truth >= HOLD or not s.alive:
            broken.add("I4")
        return s._replace(certs=tuple(sorted({*s.certs, cert}))), frozenset(broken)

    # ── the brake's level ────────────────────────────────────────────────────────────────────────────────

    def _levels(self, s: State) -> Iterator[Found]:
        if not s.alive:
            return
        b = s.brake
        for level in self.bounds.levels:
            if level > b.level:
                brake = b._replace(level=level, epoch=b.epoch + (level >= STOP))
                disk = brake
                if "level on disk" in self.without:
                    disk = s.disk._replace(epoch=brake.epoch)
                void = s.void | ((1 << len(s.leases)) - 1 if level >= STOP else 0)
                yield f"set {level}", s._replace(brake=brake, disk=disk, truth=level, void=void), NONE
        if b.level:
            brake = b._replace(level=0)
            yield "two humans release", self._write(s, brake)._replace(truth=0), NONE
            if "automation lowers" in self.without:
                # Nobody with the right to lower it did: in truth it is still set.
                yield "automation releases", self._write(s, brake), NONE
        if s.backs and len(b.trail) > 1:
            yield "roll back", self._roll_back(s), NONE

    def _roll_back(self, s: State) -> State:
        b = s.brake
        brake = b._replace(
            trail=b.trail[:-1],
            epoch=b.epoch + ("rollback epoch" not in self.without),
            generation=b.generation + (-1 if "generation grows" in self.without else 1),
            promised=None,
        )
        return self._write(s, brake)._replace(
            revoked=s.revoked | 1 << b.champion, void=(1 << len(s.leases)) - 1, backs=s.backs - 1
        )

    # ── the ledger and its witness ───────────────────────────────────────────────────────────────────────

    def _ledger(self, s: State) -> Iterator[Found]:
        if not s.log or s.log in s.heads:
            return
        continues = s.log[: len(s.seen)] == s.seen
        if not (continues or "consistency" in self.without):
            return
        heads = tuple(sorted({*s.heads, s.log}))
        broken = NONE if _one_history(heads) else frozenset({"I7"})
        yield "cosign", s._replace(seen=s.log, kept=s.log, heads=heads), broken
        if s.faults and "die" in self.bounds.kinds:
            if "witness disk first" in self.without:
                died = s._replace(seen=s.kept, heads=heads, faults=s.faults - 1)
                yield "cosign, and the witness dies before its disk", died, broken
            else:
                died = s._replace(seen=s.log, kept=s.log, faults=s.faults - 1)
                yield "the witness keeps, and dies before it signs", died, NONE

    # ── the door for weights ─────────────────────────────────────────────────────────────────────────────

    def _door(self, s: State) -> Iterator[Found]:
        if "one door" in self.without and s.stored != START:
            yield "load by another door", s, self._loaded(s, s.stored)
        if "same bytes" in self.without and s.door >= 0:
            yield "open again what was hashed", s._replace(door=-1), self._loaded(s, s.stored)
        if not s.alive:
            return
        for cert in s.certs:
            if not self._opens(s, cert):
                continue
            if "same bytes" in self.without:
                yield "hash", s._replace(door=s.stored), NONE
            elif broken := self._loaded(s, s.stored):
                yield "load", s, broken

    def _opens(self, s: State, cert: Cert) -> bool:
        """Whether the door lets the stored bytes in by this certificate."""
        if "hashing" not in self.without:
            same = s.stored == cert.weights
            if "long digest" in self.without:
                same = same or {s.stored, cert.weights} == {GOOD, EVIL}
            if not same:
                return False
        if "newest" not in self.without and cert.weights != s.brake.champion:
            return False
        return "cosignature" in self.without or self._witnessed(s, cert.weights)

    @staticmethod
    def _witnessed(s: State, weights: int) -> bool:
        return any(weights in head for head in s.heads)

    def _loaded(self, s: State, weights: int) -> Broken:
        """The invariants that loading these weights breaks."""
        mine = [cert for cert in s.certs if cert.weights == weights]
        broken = set()
        if not mine:
            broken |= {"I1", "I2"}
        if mine and not self._witnessed(s, weights):
            broken.add("I7")
        if s.revoked >> weights & 1:
            broken.add("I9")
        return frozenset(broken)

    # ── faults ───────────────────────────────────────────────────────────────────────────────────────────

    def _faults(self, s: State) -> Iterator[Found]:
        kinds, left = self.bounds.kinds, s._replace(faults=s.faults - 1)
        if "kill" in kinds and s.alive:
            yield "kill the brake", left._replace(alive=False), NONE
        if "reboot" in kinds and s.boot == 0:
            yield "reboot", left._replace(boot=1, now=0, alive=False, seen=s.kept), NONE
        if "wall" in kinds and s.wall == 0:
            yield "wall clock back", left._replace(wall=-LATEST), NONE
        if "swap" in kinds and s.stored != EVIL:
            yield "swap the bytes", left._replace(stored=EVIL), NONE
        if "charter" in kinds and s.charter == 0:
            yield "edit the charter", left._replace(charter=1), NONE
        if "restore" in kinds and s.log:
            yield "restore an older ledger", left._replace(log=s.log[:-1]), NONE


def _one_history(heads: tuple[tuple[int, ...], ...]) -> bool:
    """Whether each head continues each shorter one."""
    ordered = sorted(heads, key=len)
    return all(b[: len(a)] == a for a, b in pairwise(ordered))
