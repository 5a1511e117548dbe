"""The capability-rate limit: how fast certified skill may grow before a human has looked.

What is limited is not the measured gain but an upper bound of it: few items give a wide bound, so that nobody
can pass the limit by measuring badly. Bounds are of the mean of independent values
(`statistics.mean_upper_bound`). The error allowed is shared out evenly among the certificates that a day may
bring, so that all bounds of a day hold together, and with them their sum, at `confidence`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from autotelic.errors import OversightError
from autotelic.oversee.certify import PairedItem, program_differences
from autotelic.oversee.checks import is_count, is_number, is_probability
from autotelic.statistics import mean_upper_bound

DAY_S = 86_400.0
"""Seconds of the window in which gains are added up. It ends now and moves with the clock."""
FORMAT = 1
"""The version of the state's layout."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RatePlan:
    """What a charter allows without a human: gains as shares of items, 0.1 for 10 points.

    `certificates_per_day` is also how many bounds share the error 1 - `confidence`.
    """

    per_certificate: float
    per_day: float
    certificates_per_day: int
    confidence: float = 0.95

    def __post_init__(self) -> None:
        for name in ("per_certificate", "per_day"):
            value = getattr(self, name)
            if not (is_number(value) and value > 0):
                raise OversightError(
                    f"the rate limit {name} is {value!r}", "give a gain above 0, as 0.1 for 10 points"
                )
        if not is_count(self.certificates_per_day, 1):
            raise OversightError(
                f"{self.certificates_per_day!r} certificates a day", "give a whole number above 0"
            )
        if not is_probability(self.confidence):
            raise OversightError(
                f"the confidence of the rate limit is {self.confidence!r}", "give one below 1"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class RateReport:
    """What the rate auditor found for one candidate. `waits` says that a human must decide.

    `bound` is the upper bound of its gain, `day_bound` the sum of the bounds of the last 24 hours with it.
    """

    waits: bool
    reason: str
    bound: float
    day_bound: float
    certificates: int


class RateLimit:
    """The gains of one lineage of weights. `review` looks, `record` enters what was certified."""

    def __init__(self, plan: RatePlan) -> None:
        self.plan = plan
        self._certified: list[tuple[float, float]] = []
        self._now_s = -math.inf

    def review(self, items: Sequence[PairedItem], now_s: float) -> RateReport:
        """Whether the candidate may be certified now without a human. Changes nothing.

        `now_s` is a clock that does not go back while the machine runs, in seconds. Raises OversightError for
        a clock that did, and for evidence that is none.
        """
        recent = self._recent(now_s)
        alpha = (1 - self.plan.confidence) / self.plan.certificates_per_day
        bound = mean_upper_bound(program_differences(items), alpha, low=-1.0, high=1.0)
        # A loss gives no room for other gains: only what was gained is added up.
        day_bound = sum(max(0.0, gained) for _, gained in recent) + max(0.0, bound)
        count = len(recent) + 1
        over = []
        if bound > self.plan.per_certificate:
            over.append(
                f"it may have gained {_points(bound)}, above {_points(self.plan.per_certificate)} a certificate"
            )
        if day_bound > self.plan.per_day:
            over.append(
                f"{_points(day_bound)} may have been gained in 24 hours, above {_points(self.plan.per_day)}"
            )
        if count > self.plan.certificates_per_day:
            over.append(f"certificate {count} in 24 hours, above {self.plan.certificates_per_day}")
        within = f"at most {_points(bound)} gained, {_points(day_bound)} in 24 hours, certificate {count}"
        return RateReport(
            waits=bool(over),
            reason=f"too fast, waits for a human: {'; '.join(over)}" if over else within,
            bound=bound,
            day_bound=day_bound,
            certificates=count,
        )

    def record(self, report: RateReport, now_s: float) -> None:
        """Enter a certificate, whether a human allowed it or none was needed."""
        self._certified = [*self._recent(now_s), (now_s, report.bound)]
        self._now_s = now_s

    def _recent(self, now_s: float) -> list[tuple[float, float]]:
        if not (is_number(now_s) and now_s >= self._now_s):
            raise OversightError(
                f"the clock says {now_s!r} s after it said {self._now_s!r} s",
                "look at the clock; no rate is known",
            )
        return [(when, bound) for when, bound in self._certified if now_s - when < DAY_S]

    def state(self) -> dict[str, Any]:
        """Everything, as JSON."""
        return {
            "format": FORMAT,
            "plan": asdict(self.plan),
            "certified": [list(entry) for entry in self._certified],
        }

    @classmethod
    def resume(cls, plan: RatePlan, state: Mapping[str, Any]) -> RateLimit:
        """The limit as it was. A clock that starts anew with the machine must be made to go on by the caller.

        The plan may have changed: humans sign limits, and what was gained stays gained. Raises OversightError for
        a state that is damaged.
        """
        found = cls(plan)
        try:
            if state["format"] != FORMAT:
                raise ValueError(f"format {state['format']!r}")
            entries = [(float(when), float(bound)) for when, bound in state["certified"]]
            times = [when for when, _ in entries]
            if times != sorted(times) or not all(
                is_number(when) and -1 <= bound <= 1 for when, bound in entries
            ):
                raise ValueError("entries out of order or out of range")
        except (KeyError, TypeError, ValueError) as error:
            raise OversightError(
                f"the state of the rate limit is damaged: {error!r}", "resume from the ledger's last state"
            ) from None
        found._certified = entries
        found._now_s = entries[-1][0] if entries else -math.inf
        return found


def _points(gain: float) -> str:
    return f"{100 * gain:.1f} points"
