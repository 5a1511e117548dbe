"""What happens to a patient: meals, what is said of them, and the noise of the sensor. All from one seed.

Meals are distributed as in simglucose's `RandomScenario`, on a grid of quarters of an hour. The sensor's noise is an
autoregressive Johnson SU process at 15 minutes (Breton and Kovatchev 2008, J. Diabetes Sci. Technol. 2:853, with the
constants of simglucose's Dexcom). Research software, not medical advice.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from autotelic.domains.insulin.patients import Floats
from autotelic.streams import stream

QUARTERS = 96
"""Quarters of an hour in a day: how often the sensor is read and a dose decided."""
MEALS = (
    (0.95, 5, 9, 7.0, 60, 45, 10),
    (0.30, 9, 10, 9.5, 30, 10, 5),
    (0.95, 10, 14, 12.0, 60, 70, 10),
    (0.30, 14, 16, 15.0, 30, 10, 5),
    (0.95, 16, 20, 18.0, 60, 80, 10),
    (0.30, 20, 23, 21.5, 30, 10, 5),
)
"""Chance, earliest and latest hour, mean hour, its deviation (min), mean grams and their deviation, of each meal."""
UNSAID = 0.1
"""Share of meals of the second level that are eaten without a word."""
MISCOUNT = 0.25
"""Standard deviation of the logarithm by which carbohydrates are miscounted at the second level."""
PACF, GAMMA, LAMBDA, DELTA, XI = 0.7, -0.5444, 15.9574, 1.6898, -5.47
"""The sensor's noise: correlation over 15 minutes, and the four constants of the Johnson SU distribution."""


@dataclass(frozen=True, slots=True)
class Days:
    """Some days of one patient, arrays [quarters]: grams eaten from each quarter on, grams said, noise in mg/dL."""

    eaten: Floats
    said: Floats
    noise: Floats


@lru_cache(maxsize=4096)
def draw_days(seed: int, days: int, level: int) -> Days:
    """So many days; the same seed gives the same days. From level 2 on, some of what is eaten is not said well."""
    rng = stream(seed, "insulin days", days, level)
    eaten, said = np.zeros(days * QUARTERS), np.zeros(days * QUARTERS)
    for day in range(days):
        for chance, first, last, hour, spread, grams, deviation in MEALS:
            taken, amount = rng.random() < chance, max(round(rng.normal(grams, deviation)), 0)
            at = day * QUARTERS + _quarter(rng, first, last, hour, spread)
            error, silent = math.exp(rng.normal(0.0, MISCOUNT)), rng.random() < UNSAID
            if taken:
                eaten[at] += amount
                said[at] += amount if level < 2 else 0.0 if silent else round(amount * error)
    return Days(eaten, said, _noise(rng, days * QUARTERS))


def _quarter(rng: np.random.Generator, first: float, last: float, hour: float, spread: float) -> int:
    """A quarter of an hour from a normal distribution cut off at both ends."""
    while True:
        at = rng.normal(hour, spread / 60)
        if first <= at < last:
            return int(at * 4)


def _noise(rng: np.random.Generator, n: int) -> Floats:
    shock = rng.normal(size=n)
    e = np.empty(n)
    e[0] = shock[0]
    for at in range(1, n):
        e[at] = PACF * (e[at - 1] + shock[at])
    return np.asarray(XI + LAMBDA * np.sinh((e - GAMMA) / DELTA))
