"""What a run's own messages tell oversight: the measures of a generation, its exams, and the sealed items.

    signs.apply(message)     part of the run's state: messages alone change it
    signs.measures()         what the generation came to
    signs.alarms()           what of it crossed a threshold, each thing once

A measure alarms only once it has been well on the right side of its threshold in this run: a model that starts from
random weights cuts off every answer, and that is no collapse.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from autotelic import messages as m
from autotelic.oversee import triggers
from autotelic.oversee.bodies import SLOW
from autotelic.oversee.certify import PairedItem
from autotelic.oversee.drift import DriftMonitor, DriftPlan, share_left
from autotelic.oversee.triggers import Alarm, Measures, Regression

WATCHED = {"sealed": "the sealed exam", "own": "retention, the model's own exam"}
"""The exams of which a fall raises the brake, and what they are called there."""
REGRESSION_LEVEL = 2
"""Hold: working weights may fall for a while and rise again. Weights that an auditor finds worse are quarantined."""


FOR_LIFE = "drift"
"""The trigger that is told once in a run: its process never starts anew."""


@dataclass(slots=True)
class _Generation:
    """What the messages of one generation said so far."""

    kl: list[float] = field(default_factory=list)
    entropy: list[float] = field(default_factory=list)
    answers: int = 0
    cut_off: int = 0
    proposals: int = 0
    known: int = 0
    tasks: int = 0
    trusted: bool = False
    ece: float | None = None
    fallen: list[Alarm] = field(default_factory=list)
    alarmed: bool = False


class Signs:
    """`limits` are the charter's thresholds. `settled` is whether the KL is to weights that were trained, `priced`
    whether it is to the reference policy at all: where the charter gives it no price, nothing scores that policy, and
    an update's KL is to the policy that sampled.
    """

    def __init__(
        self,
        limits: Mapping[str, float | None],
        *,
        critic_rewards: bool,
        settled: bool,
        priced: bool = True,
    ) -> None:
        self.limits = limits
        self.critic_rewards = critic_rewards
        self.settled = settled
        self.priced = priced
        self.monitor = DriftMonitor(
            DriftPlan(delta0=limits["drift"] or 0.0, budget=int(limits["sealed_items"] or 10**9))
        )
        self.armed: set[str] = set()
        self.before: dict[str, dict[str, float]] = {}
        """By exam the outcomes that later ones are held against: of the certified weights, or of the first exam in
        the run. Not of what it began from: a model that was trained to its end loses a little when its rate rises.
        """
        self.renew: set[str] = set()
        self.looked: dict[str, int] = {}
        self.told: dict[str, int] = {}
        """The level of the last alarm of each trigger since humans lowered the brake: a thing is said once."""
        self.level = 0
        self._now = _Generation()

    # ── the only way it changes ──────────────────────────────────────────────────────────────────────────

    def apply(self, message: m.Message) -> None:
        """Take in a message; those that say nothing of this are passed over."""
        match message:
            case m.GenerationBegan():
                self._now = _Generation()
            case m.Updated() if not message.report.skipped:
                self._now.kl.append(message.report.kl)
                self._now.entropy.append(message.report.entropy)
            case m.Judged(purpose="attempt"):
                self._judged(message)
            case m.Admitted():
                self._now.proposals += len(message.outcomes)
                self._now.tasks += sum(bool(outcome.task) for outcome in message.outcomes)
                self._now.known += sum(outcome.reason == "known" for outcome in message.outcomes)
            case m.Appraised():
                self._now.trusted = message.calibration.trusted
            case m.CriticUpdated():
                self._now.ece = message.calibration.ece
            case m.Evaluated(when="during"):
                self._evaluated(message)
            case m.Decided() if message.decision.verdict == "promote":
                self.settled = True
                self.renew = set(self.before)
            case m.Measured():
                self.armed = set(message.armed)
            case m.Opened():
                self.monitor.open_items(message.items, in_use=bool(message.sources))
            case m.Looked():
                self.monitor.close_items([s - t for s, t in zip(message.said, message.truth, strict=True)])
            case m.Alarmed():
                self._now.alarmed = True
                self.told[message.trigger] = message.level
                self.level = max(self.level, message.level)
            case m.Leased():
                if message.level < self.level:  # humans have lowered the brake
                    self.monitor.release()
                    self.told = {name: level for name, level in self.told.items() if name == FOR_LIFE}
                self.level = message.level

    def _judged(self, message: m.Judged) -> None:
        for group in message.groups:
            for episode in group.episodes:
                turns = list(episode.turns)
                self._now.answers += bool(turns)
                self._now.cut_off += bool(turns) and turns[-1].stop == "length"

    def _evaluated(self, message: m.Evaluated) -> None:
        """An exam of the working weights: is it worse than that of the certified ones?"""
        exam, outcomes = message.report.exam, dict(message.report.outcomes)
        if exam not in WATCHED or not outcomes:
            return
        before = self.before.get(exam)
        if before is None or exam in self.renew or set(before) != set(outcomes):
            self.before[exam] = outcomes
            self.renew.discard(exam)
            return
        alpha = self.limits["regression"]
        if alpha is None:
            return
        look = self.looked[exam] = self.looked.get(exam, 0) + 1
        rule = Regression(
            what=WATCHED[exam],
            alpha=alpha / len(WATCHED) * (share_left(look) - share_left(look + 1)),
            level=REGRESSION_LEVEL,
        )
        items = [
            PairedItem(item=item, program=item, champion=(before[item],), candidate=(outcome,))
            for item, outcome in outcomes.items()
        ]
        if (alarm := rule.check(items)) is not None:
            self._now.fallen.append(replace(alarm, trigger=f"regression of {exam}"))

    @property
    def slow(self) -> bool:
        """Whether less is to be learned and more examined, by the last lease or by an alarm since."""
        return self.level >= SLOW

    @property
    def raised(self) -> bool:
        """Whether this generation has raised the brake."""
        return self._now.alarmed

    # ── what it says ─────────────────────────────────────────────────────────────────────────────────────

    def measures(self) -> Measures:
        """Those of the generation so far."""
        now = self._now
        in_use = now.trusted and self.critic_rewards
        return Measures(
            kl=_median(now.kl) if self.settled and self.priced else None,
            entropy=_median(now.entropy),
            length=now.cut_off / now.answers if now.answers else None,
            duplicates=now.known / now.proposals if now.proposals else None,
            validity=now.tasks / now.proposals if now.proposals else None,
            calibration_error=now.ece if in_use else None,
        )

    def measured(self) -> m.Measured:
        """The message of it, with what is armed after it."""
        measures, limits = self.measures(), triggers.thresholds_of(self.limits)
        good = {name for name, limit in limits.items() if limit.is_clear_of(getattr(measures, name))}
        return m.Measured(**asdict(measures), armed=tuple(sorted(self.armed | good)))

    def alarms(self) -> list[Alarm]:
        """What crossed a threshold in this generation, the most severe first, without what was said already."""
        limits = {n: t for n, t in triggers.thresholds_of(self.limits).items() if n in self.armed}
        found = triggers.review_measures(self.measures(), limits) + self._now.fallen
        if self.limits["drift"] is not None:
            found += triggers.drifts(self.monitor)
        new = [alarm for alarm in found if alarm.level > self.told.get(alarm.trigger, 0)]
        return sorted(new, key=lambda alarm: -alarm.level)

    def exhausted(self, wanted: int) -> Alarm | None:
        """An alarm where so many sealed items cannot be paid for any more, and nobody watches the proxy from now on.
        It is said once.
        """
        spent, budget = self.monitor.spent, self.monitor.plan.budget
        if spent + wanted <= budget or "budget" in self.told:
            return None
        return triggers.budget("sealed items", spent + wanted, budget)

    # ── as a value ───────────────────────────────────────────────────────────────────────────────────────

    def to_json(self) -> dict[str, Any]:
        """Plain JSON of what outlives a generation."""
        return {
            "settled": self.settled,
            "armed": sorted(self.armed),
            "before": self.before,
            "renew": sorted(self.renew),
            "looked": self.looked,
            "told": self.told,
            "level": self.level,
            "drift": self.monitor.state(),
        }

    def restore(self, values: Mapping[str, Any]) -> None:
        """The inverse of `to_json`."""
        self.settled = bool(values["settled"])
        self.armed, self.renew = set(values["armed"]), set(values["renew"])
        self.before = {exam: dict(outcomes) for exam, outcomes in values["before"].items()}
        self.looked, self.told = dict(values["looked"]), dict(values["told"])
        self.level = int(values["level"])
        self.monitor = DriftMonitor.resume(self.monitor.plan, values["drift"])


def _median(values: Sequence[float]) -> float | None:
    return statistics.median(values) if values else None
