"""Patients under their therapies for some days, side by side, and how well that went.

Research software, not medical advice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autotelic.domains.insulin.days import Days
from autotelic.domains.insulin.dosing import LARGEST, Rule, Settings, Therapy, evaluator
from autotelic.domains.insulin.model import Bodies
from autotelic.domains.insulin.patients import Floats, Patient, table

LANES = 500
"""Patients simulated side by side: as many as the processor's cache holds. What comes out does not depend on it."""
ON_BOARD = float(np.exp(-15 / 120))
"""Share of a dose that is still on board a quarter of an hour later: two hours on average."""
HEARD = (39.0, 600.0)
"""The least and the most that a sensor shows, mg/dL."""
STEP = 0.05
"""Units by which a pump's dose can be set."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Percent of the time within 70 to 180 mg/dL, below 70, below 54 and above 180; mean glucose; Kovatchev's indices
    of low and of high glucose. `failed`: the therapy asked for a dose that is no number.
    """

    inside: float
    below70: float
    below54: float
    above: float
    mean: float
    low_risk: float
    high_risk: float
    failed: bool = False

    @property
    def utility(self) -> float:
        """Time in range minus time below 70 minus twice the time below 54, percent."""
        return self.inside - self.below70 - 2 * self.below54


@dataclass(frozen=True, slots=True)
class Lane:
    """One patient under one therapy for some days."""

    patient: Patient
    therapy: Therapy
    days: Days


def outcomes(lanes: Sequence[Lane]) -> list[Outcome]:
    """How each went. All have the same number of days."""
    found: list[Outcome] = []
    for at in range(0, len(lanes), LANES):
        found += _chunk(lanes[at : at + LANES])
    return found


def _chunk(lanes: Sequence[Lane]) -> list[Outcome]:
    glucose, failed = simulate(lanes)
    return [outcome(row, bool(bad)) for row, bad in zip(glucose, failed, strict=True)]


def outcome(glucose: Floats, failed: bool = False) -> Outcome:
    """The measures of one course of true glucose, mg/dL [times].

    Risk: Kovatchev et al. 2000 (J. Clin. Endocrinol. Metab. 85:4287), f = 1.509 (ln(G)^1.084 - 5.381), 10 f^2.
    """
    f = 1.509 * (np.log(np.maximum(glucose, 1.0)) ** 1.084 - 5.381)
    risk = 10 * f * f
    percent = 100 / len(glucose)
    return Outcome(
        inside=float(((glucose >= 70) & (glucose <= 180)).sum() * percent),
        below70=float((glucose < 70).sum() * percent),
        below54=float((glucose < 54).sum() * percent),
        above=float((glucose > 180).sum() * percent),
        mean=float(glucose.mean()),
        low_risk=float(risk[f < 0].sum() / len(glucose)),
        high_risk=float(risk[f > 0].sum() / len(glucose)),
        failed=failed,
    )


def simulate(lanes: Sequence[Lane]) -> tuple[Floats, np.ndarray]:
    """True glucose every five minutes, mg/dL [lanes, times], and which therapies gave no number [lanes].

    Each begins at rest, fasting at midnight.
    """
    p = table([lane.patient for lane in lanes])
    bodies, n = Bodies(p), len(lanes)
    quarters = len(lanes[0].days.eaten)
    eaten, said, noise = (
        np.stack([getattr(lane.days, k) for lane in lanes]) for k in ("eaten", "said", "noise")
    )
    doses = _Doses(lanes, p)
    rest = p["u2ss"] * p["BW"] / 6000 * doses.basal  # U/min
    seen, failed = np.zeros((n, quarters * 3)), np.zeros(n, dtype=bool)
    before, board, nothing = None, np.zeros(n), np.zeros(n)
    for quarter in range(quarters):
        reading = np.clip(bodies.glucose() + noise[:, quarter], *HEARD)
        trend = nothing if before is None else reading - before
        before = reading
        dose = doses(reading, trend, said[:, quarter], board)
        failed |= ~np.isfinite(dose)
        dose = np.where(np.isfinite(dose), np.clip(dose, -LARGEST, LARGEST), 0.0)
        bolus = np.round(np.maximum(dose, 0.0) / STEP) * STEP
        board = (board + bolus) * ON_BOARD
        steady = np.maximum(rest + np.minimum(dose, 0.0) / 15, 0.0)
        for minute in range(15):
            first = minute == 0
            bodies.minute(steady + bolus if first else steady, eaten[:, quarter] if first else nothing)
            if minute % 5 == 4:
                seen[:, quarter * 3 + minute // 5] = bodies.glucose()
    return seen, failed


class _Doses:
    """The dose of every lane in a quarter of an hour: the settings together, the rules by their text."""

    def __init__(self, lanes: Sequence[Lane], p: dict[str, Floats]) -> None:
        four = [lane.therapy if isinstance(lane.therapy, Settings) else Settings() for lane in lanes]
        self.basal = np.array([s.basal / 100 for s in four])
        self._ratio = p["CR"] * np.array([s.carbs / 100 for s in four])
        self._factor = p["CF"] * np.array([s.correction / 100 for s in four])
        self._target = np.array([float(s.target) for s in four])
        self._given = {"r": p["CR"], "f": p["CF"]}
        places: dict[Rule, list[int]] = defaultdict(list)
        for at, lane in enumerate(lanes):
            if isinstance(lane.therapy, Rule):
                places[lane.therapy].append(at)
        self._rules = [(evaluator(rule), np.array(at)) for rule, at in places.items()]

    def __call__(self, reading: Floats, trend: Floats, said: Floats, board: Floats) -> Floats:
        correction = np.where(reading > self._target + 10, (reading - self._target) / self._factor, 0.0)
        dose = np.where(said > 0, said / self._ratio + correction, 0.0)
        values = {"g": reading, "d": trend, "c": said, "i": board, **self._given}
        with np.errstate(all="ignore"):
            for function, at in self._rules:
                dose[at] = function({name: value[at] for name, value in values.items()})
        return dose
