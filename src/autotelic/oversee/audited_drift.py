"""The drift alarms of a run computed again from its ledger: items, what came of them, and when it alarmed.

A resume goes back to a checkpoint, and so does this: each checkpoint's leaf keeps how the monitor stood. Where that
leaf is missing, because the run was killed right after it, nothing more is computed again, and a line says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from autotelic.errors import OversightError
from autotelic.oversee import triggers
from autotelic.oversee.drift import DriftMonitor, DriftPlan

_FIX = "the record was changed, or another version of the engine wrote it"
_TRIGGERS = ("drift", "early drift")


@dataclass(slots=True)
class DriftAudit:
    """Takes in leaves in their order. `limits` are the charter's thresholds."""

    limits: Mapping[str, float | None]
    monitor: DriftMonitor = field(init=False)
    level: int = 0
    trip: int = -1
    told: dict[str, int] = field(default_factory=dict)
    due: dict[str, str] = field(default_factory=dict)
    """Alarms that follow from the looks and have no leaf yet, with their reasons."""
    kept: dict[int, tuple[dict[str, Any], int, dict[str, int]]] = field(default_factory=dict)
    lost: bool = False
    looks: int = 0
    alarms: int = 0

    def __post_init__(self) -> None:
        budget = int(self.limits["sealed_items"] or 10**9)
        self.monitor = DriftMonitor(DriftPlan(delta0=self.limits["drift"] or 0.0, budget=budget))
        self.kept[0] = (self.monitor.state(), 0, {})

    def take(self, leaf: Mapping[str, Any]) -> None:
        """The next leaf. Raises OversightError where an alarm does not follow, or one is missing."""
        if self.lost:
            return
        match leaf.get("kind"):
            case "lease":
                self._lease(int(leaf["lease"]["trip"]), int(leaf["lease"]["level"]))
            case "sealed items":
                self.monitor.open_items(leaf["items"], in_use=bool(leaf["sources"]))
            case "sealed looks":
                self._looked([float(said) - float(truth) for said, truth in leaf["looks"]])
            case "alarm":
                self._alarmed(leaf)
            case "checkpoint":
                self._settle()
                self.kept[int(leaf["trip"])] = (self.monitor.state(), self.level, dict(self.told))

    def _lease(self, trip: int, level: int) -> None:
        if trip <= self.trip:  # a resume: the run went back to the checkpoint of this generation
            self.due = {}
            if trip not in self.kept:
                self.lost = True
                return
            state, self.level, told = self.kept[trip]
            self.monitor, self.told = DriftMonitor.resume(self.monitor.plan, state), dict(told)
        self._settle()
        self.trip = trip
        if level < self.level:
            self.monitor.release()
            self.told = {name: at for name, at in self.told.items() if name == "drift"}
        self.level = level

    def _looked(self, differences: list[float]) -> None:
        self.monitor.close_items(differences)
        self.looks += len(differences)
        if self.limits["drift"] is None:
            return
        for alarm in triggers.drifts(self.monitor):
            if alarm.level > self.told.get(alarm.trigger, 0):
                self.due[alarm.trigger] = alarm.reason

    def _alarmed(self, leaf: Mapping[str, Any]) -> None:
        trigger, level = str(leaf["trigger"]), int(leaf["level"])
        if trigger in _TRIGGERS:
            if self.due.pop(trigger, None) != leaf["reason"]:
                raise OversightError(
                    f"the alarm {leaf['reason']!r} does not follow from the sealed looks", _FIX
                )
            self.alarms += 1
        self.told[trigger] = level
        self.level = max(self.level, level)

    def _settle(self) -> None:
        """Nothing is due any more: what followed from the looks was told before the next lease or checkpoint."""
        if self.due:
            trigger, reason = next(iter(self.due.items()))
            raise OversightError(f"{trigger} should have been told, and was not: {reason}", _FIX)

    def line(self) -> str:
        """What was computed again; empty where there was nothing."""
        if self.lost:
            return "drift: the leaf of a checkpoint is missing, so what came after it was not computed again"
        if not self.looks:
            return ""
        return f"drift: {self.looks} sealed looks, {self.alarms} alarms: the same"
