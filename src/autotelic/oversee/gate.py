"""Whether a candidate becomes champion: a paired test on fresh items, a pure function of what was
recorded.
"""

from __future__ import annotations

from autotelic.statistics import compare
from autotelic.types import Candidate, Decision


class PairedGate:
    """Promotes a candidate unless it is shown to be worse than the champion. Implements the `Gate` seam.

    `level` is the p-value of the paired test below which the candidate counts as worse
    (`statistics/paired.py`).
    """

    def __init__(self, level: float) -> None:
        self.level = level

    def review(self, candidate: Candidate) -> Decision:
        """Promote or reject, with the numbers that decided."""
        result = compare(candidate.champion_outcomes, candidate.candidate_outcomes, self.level)
        reason = (
            f"on {len(candidate.items)} fresh items it won {result.wins} and lost {result.losses} against the "
            f"champion (p of being worse {result.p_worse:.3f}, level {self.level:g})"
        )
        return Decision(
            verdict="reject" if result.verdict == "worse" else "promote",
            reasons=(reason,),
            wins=result.wins,
            losses=result.losses,
            p_worse=result.p_worse,
            level=self.level,
        )
