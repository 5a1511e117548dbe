"""The 29 mutants of the protocol: each leaves one check out, and each breaks an invariant.

`without` are the checks that the model leaves out. `faults` and `kinds` bound the search that shows it: the correct
protocol breaks nothing in the same bounds.
"""

from __future__ import annotations

from dataclasses import dataclass

from bench.protocol.model import Model
from bench.protocol.search import Result, search
from bench.protocol.states import GOOD, HOLD, Bounds


@dataclass(frozen=True)
class Mutant:
    """A check left out: its number, what it is, and the invariants of which it breaks one."""

    number: int
    name: str
    without: frozenset[str]
    breaks: str
    leases: int = 1
    faults: tuple[str, ...] = ()
    backs: int = 0
    weights: int = 1
    levels: tuple[int, ...] = ()

    @property
    def bounds(self) -> Bounds:
        return Bounds(
            leases=self.leases,
            faults=len(self.faults),
            kinds=frozenset(self.faults),
            backs=self.backs,
            weights=(GOOD, GOOD + 1)[: self.weights],
            levels=self.levels,
        )

    def search(self) -> Result:
        """A shortest trace to the invariant that this mutant breaks."""
        return search(Model(self.bounds, self.without), until=self.breaks)

    def control(self) -> Result:
        """The correct protocol in the same bounds."""
        return search(Model(self.bounds), traces=False)


def _m(number: int, name: str, without: str, breaks: str, **bounds: object) -> Mutant:
    return Mutant(number, name, frozenset(without.split(", ")), breaks, **bounds)  # type: ignore[arg-type]


MUTANTS: tuple[Mutant, ...] = (
    _m(1, "no fencing epoch", "fence", "I5", leases=2),
    _m(2, "no expiry at countersigning", "expiry", "I5"),
    _m(3, "wall clock instead of monotonic", "monotonic", "I5", faults=("wall",)),
    _m(4, "no boot id", "boot", "I5", faults=("reboot",)),
    _m(5, "level looked at only when granting", "level now", "I4", levels=(HOLD,)),
    _m(6, "level not on disk", "level on disk", "I4", faults=("kill",), levels=(HOLD,)),
    _m(7, "epoch not on disk", "epoch on disk", "I5", leases=2, faults=("kill",)),
    _m(8, "signs before it is on disk", "disk first", "I3", leases=2, faults=("die",), weights=2),
    _m(9, "generation goes back at a roll-back", "generation grows", "I3", leases=2, backs=1, weights=2),
    _m(10, "automation may lower", "automation lowers", "I4", levels=(HOLD,)),
    _m(11, "goes on without a brake", "brake needed", "I4", faults=("kill",)),
    _m(12, "approval not bound to the digest", "digest bound", "I2", faults=("swap",)),
    _m(13, "approval not bound to parent, generation, epoch", "context bound", "I2", leases=2),
    _m(14, "one auditor counted twice", "distinct", "I2"),
    _m(15, "trainer's signature taken as an auditor's", "role signed", "I2"),
    _m(16, "silence counts as yes", "silence", "I2"),
    _m(17, "auditors not required by the signer", "quorum", "I2"),
    _m(18, "charter read from the run folder", "charter", "I8", faults=("charter",)),
    _m(19, "loader believes the manifest", "hashing", "I1", faults=("swap",)),
    _m(20, "hashes the file, then opens it again", "same bytes", "I1", faults=("swap",)),
    _m(21, "64-bit or tensors-only digest", "long digest", "I1", faults=("swap",)),
    _m(22, "loader does not ask for the newest", "newest", "I9", backs=1),
    _m(23, "loader needs no cosignature", "cosignature", "I7"),
    _m(24, "witness does not check consistency", "consistency", "I7", leases=2, faults=("restore",), weights=2),
    _m(
        25, "witness signs before it is on disk", "witness disk first", "I7", leases=2, faults=("die", "restore"),
        weights=2,
    ),
    _m(26, "a second door", "one door", "I1"),
    _m(27, "trainer does not check the lease before a step", "step", "I10"),
    _m(28, "no compare-and-swap and no one-time use", "cas, once", "I6", weights=2),
    _m(29, "roll-back bumps no epoch, and no compare-and-swap", "rollback epoch, cas", "I5", leases=2, backs=1,
       weights=2),
)  # fmt: skip
"""As numbered in the design of the protocol."""

REDUNDANT: tuple[str, ...] = ("cas", "once", "rollback epoch")
"""Checks that others make up for: alone they break nothing, in pairs they are 28 and 29."""

EXHAUSTIVE: dict[str, Bounds] = {
    "three leases, no faults": Bounds(leases=3, faults=0, levels=(HOLD,)),
    "two leases, one fault": Bounds(leases=2, faults=1, levels=(HOLD,)),
    "two leases, two faults, one candidate": Bounds(leases=2, faults=2, levels=(HOLD,), weights=(GOOD,)),
}
"""The bounds in which the correct protocol is searched whole."""
SMALL = Bounds(leases=2, faults=1, levels=(HOLD,), backs=1, weights=(GOOD,))
"""Bounds that take seconds."""
