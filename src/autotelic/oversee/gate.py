"""Whether a candidate becomes champion: a paired test on fresh items, a pure function of what was recorded."""

from __future__ import annotations

from autotelic.exam.statistics import compare
from autotelic.types import Candidate, Decision


class PairedGate:
    """Promotes a candidate unless it is shown to be worse than the champion. Implements the `Gate` seam.

    `level` is the test's p-value below which the candidate counts as worse (McNemar's exact test, one-sided).
    The candidate's report holds `champion` and `candidate`: outcomes on the same items, in the same order.
    """

    def __init__(self, level: float) -> None:
        self.level = level

    def review(self, candidate: Candidate) -> Decision:
        """Promote or reject, with the numbers that decided."""
        result = compare(candidate.report["champion"], candidate.report["candidate"], self.level)
        n = len(candidate.report["candidate"])
        reason = (
            f"on {n} fresh items it won {result.wins} and lost {result.losses} against the champion "
            f"(p of being worse {result.p_worse:.3f}, level {self.level})"
        )
        return Decision(
            verdict="reject" if result.verdict == "worse" else "promote",
            reasons=(reason,),
            inputs={
                "candidate": candidate.weights_digest,
                "champion": candidate.parent,
                "generation": candidate.generation,
                "items": n,
                "wins": result.wins,
                "losses": result.losses,
                "p_worse": result.p_worse,
                "level": self.level,
            },
        )
