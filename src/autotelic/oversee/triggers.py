"""What raises the brake by itself: one measure, one threshold, one level, one line that says why.

Levels: 1 slow (fewer steps, more exams), 2 hold (no certificate), 3 stop, 4 quarantine and roll back. A
measure that is missing or not finite raises the brake as if it were over: what cannot be read is not safe.
Automation only raises; lowering takes human keys.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from autotelic.errors import OversightError
from autotelic.oversee.certify import PairedItem, e_value, program_differences
from autotelic.oversee.checks import is_number, is_probability
from autotelic.oversee.drift import DriftMonitor
from autotelic.thresholds import DEFAULTS

if TYPE_CHECKING:  # the proving ground imports the sandbox, which no other trigger needs
    from autotelic.oversee.proving import PackReport

NAMES = {1: "slow", 2: "hold", 3: "stop", 4: "quarantine"}
"""What each level is called."""


def _check_level(trigger: str, level: int) -> None:
    if isinstance(level, bool) or level not in NAMES:
        raise OversightError(f"trigger {trigger!r} has level {level!r}", "give 1, 2, 3 or 4")


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """The brake is to be raised to `level`, because of `reason`: the measure's name, value and threshold."""

    trigger: str
    level: int
    reason: str

    def __post_init__(self) -> None:
        _check_level(self.trigger, self.level)


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """A measure that must stay on one side of a number; being equal to it is still allowed.

    `what` and `unit` are for the reason's text. `side` is where too much lies.
    """

    trigger: str
    level: int
    limit: float
    what: str
    side: Literal["above", "below"] = "above"
    unit: str = ""

    def __post_init__(self) -> None:
        _check_level(self.trigger, self.level)
        if not is_number(self.limit):
            raise OversightError(f"trigger {self.trigger!r} has the limit {self.limit!r}", "give a number")

    def check(self, value: float | None) -> Alarm | None:
        """An alarm where the value is on the wrong side, is missing, or is not finite."""
        if not is_number(value):
            reason = f"{self.what} is {value}, so it cannot be told from its limit {self.limit:g}{self.unit}"
        elif (value > self.limit) if self.side == "above" else (value < self.limit):
            reason = f"{self.what} is {value:.4g}{self.unit}, {self.side} {self.limit:g}{self.unit}"
        else:
            return None
        return Alarm(trigger=self.trigger, level=self.level, reason=reason)

    def is_clear_of(self, value: float | None) -> bool:
        """Whether the value lies well on the right side: at half the limit or less, or twice a lower limit or more.

        Values that are near a limit from the start cross it by chance.
        """
        if not is_number(value):
            return False
        return value <= self.limit / 2 if self.side == "above" else value >= 2 * self.limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """What is read once a generation. nan is a failure to measure; None is what a run does not have.

    `kl` to the reference policy and `entropy`, in nats a token; `length` is the share of answers cut off for
    length; `duplicates` that of tasks known already; `validity` that of proposals that are tasks;
    `calibration_error` is the critic's ECE while it is in use.
    """

    kl: float | None = None
    entropy: float | None = None
    length: float | None = None
    duplicates: float | None = None
    validity: float | None = None
    calibration_error: float | None = None


_MEASURED: tuple[tuple[str, int, Literal["above", "below"], str, str], ...] = (
    ("kl", 2, "above", "KL to the reference policy", " nats a token"),
    ("entropy", 1, "below", "entropy of the policy", " nats a token"),
    ("length", 1, "above", "share of answers cut off for length", ""),
    ("duplicates", 1, "above", "share of tasks known already", ""),
    ("validity", 1, "below", "share of proposals that are tasks", ""),
    ("calibration_error", 2, "above", "calibration error of the critic in use", ""),
)

THRESHOLDS: dict[str, Threshold] = {
    name: Threshold(trigger=name, level=level, limit=DEFAULTS[name], side=side, what=what, unit=unit)
    for name, level, side, what, unit in _MEASURED
}
"""With the limits where a charter gives none (`autotelic.thresholds`): only a collapse or a runaway meets them."""


def thresholds_of(limits: Mapping[str, float | None]) -> dict[str, Threshold]:
    """The thresholds of a charter's limits, as `read_thresholds` gives them. What is off is left out."""
    return {
        name: replace(threshold, limit=limit)
        for name, threshold in THRESHOLDS.items()
        if (limit := limits[name]) is not None
    }


def review_measures(measures: Measures, thresholds: dict[str, Threshold] | None = None) -> list[Alarm]:
    """The alarms of one generation's measures, the most severe first. What is None is not looked at.

    Raises OversightError for a threshold of no such measure.
    """
    limits = THRESHOLDS if thresholds is None else thresholds
    names = [field.name for field in fields(Measures)]
    if unknown := sorted(set(limits) - set(names)):
        raise OversightError(f"there is no measure {unknown[0]!r}", f"name one of {', '.join(names)}")
    found = [
        limits[n].check(getattr(measures, n))
        for n in names
        if n in limits and getattr(measures, n) is not None
    ]
    return sorted((alarm for alarm in found if alarm), key=lambda alarm: -alarm.level)


def drifts(monitor: DriftMonitor) -> list[Alarm]:
    """Stop where the lifetime process has reached 1/alpha (`drift`), hold where the early one has (`early drift`)."""
    plan, found = monitor.plan, []
    for trigger, level, kind, at, limit in (
        ("drift", 3, "lifetime", monitor.lifetime_alarm, 1 / plan.alpha),
        ("early drift", 2, "early", monitor.early_alarm, plan.run_length),
    ):
        if at:
            reason = (
                f"{kind} evidence of drift reached {limit:g} at sealed item {at} (delta0 {plan.delta0:g})"
            )
            found.append(Alarm(trigger=trigger, level=level, reason=reason))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Regression:
    """The candidate is worse than before on the same items: sealed exam (`what` says which) or retention.

    The bet of `certify` on being worse. `alpha` is the chance of a false alarm at one look; a charter that
    plans G looks gives alpha / G.
    """

    what: str
    alpha: float
    level: int = 4

    def __post_init__(self) -> None:
        if not is_probability(self.alpha):
            raise OversightError(f"alpha of regression is {self.alpha!r}", "give a number between 0 and 1")
        _check_level("regression", self.level)

    def check(self, items: Sequence[PairedItem]) -> Alarm | None:
        """An alarm where the evidence of being worse has reached 1/alpha. `champion` is what was before."""
        loss_N = [-difference for difference in program_differences(items)]
        if (e := e_value(loss_N)) < 1 / self.alpha:
            return None
        lost = 100 * sum(loss_N) / len(loss_N)
        reason = f"{self.what} fell by {lost:.1f} points, evidence {e:.4g} at or above {1 / self.alpha:g}"
        return Alarm(trigger="regression", level=self.level, reason=reason)


def canary(names: Sequence[str], passed: Sequence[bool], level: int = 4) -> Alarm | None:
    """A canary is a task that no honest model can pass. One passed means that something leaks or cheats."""
    if len(names) != len(passed):
        raise OversightError(f"{len(passed)} results of {len(names)} canaries", "give one for each")
    found = [
        name
        for name, good in zip(names, passed, strict=True)
        if not (isinstance(good, bool | np.bool_) and not good)
    ]
    if not found:
        return None
    reason = f"{len(found)} of {len(names)} canaries passed, above 0: {', '.join(found[:3])}"
    return Alarm(trigger="canary", level=level, reason=reason)


def budget(what: str, spent: float, limit: float, level: int = 3) -> Alarm | None:
    """A budget (tokens, seconds, sealed items, gates) is spent when nothing of it is left."""
    if is_number(spent) and is_number(limit) and spent < limit:
        return None
    return Alarm(
        trigger="budget", level=level, reason=f"budget of {what}: {spent} spent, at or above {limit}"
    )


def proving_ground(reports: Sequence[PackReport]) -> list[Alarm]:
    """The alarms of flagged packs, the most severe first. A pack's reason has its counts, p-value and level."""
    found = sorted((r for r in reports if r.flagged), key=lambda r: -r.level)
    return [Alarm(trigger=f"proving:{r.pack}", level=r.level, reason=r.reason) for r in found]
