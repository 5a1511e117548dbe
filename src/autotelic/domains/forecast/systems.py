"""Lorenz-96 and a two-layer energy balance, many members at once, and the score of ensembles."""

from __future__ import annotations

import numpy as np

from autotelic.domains.expressions import Array

VARIABLES = 40
STEP = 0.05
"""A step of Lorenz-96, in its own units of time; about six hours."""
HEAT, DEEP, EXCHANGE, FEEDBACK = 8.2, 109.0, 0.73, 1.13
"""Heat capacities (W yr/m^2/K) of the upper and the deep ocean, their exchange and the feedback (W/m^2/K): about the
means of CMIP5 models in Geoffroy et al., J. Climate 26 (2013)."""


def lorenz(state: Array, forcing: Array | float, steps: int) -> Array:
    """States [..., 40] after so many steps of Runge-Kutta (Lorenz, 1996). `forcing` broadcasts over the members."""
    force = np.asarray(forcing, dtype=np.float64)[..., None]

    def change(x: Array) -> Array:
        found: Array = (np.roll(x, -1, -1) - np.roll(x, 2, -1)) * np.roll(x, 1, -1) - x + force
        return found

    for _ in range(steps):
        one = change(state)
        two = change(state + STEP / 2 * one)
        three = change(state + STEP / 2 * two)
        four = change(state + STEP * three)
        state = state + STEP / 6 * (one + 2 * two + 2 * three + four)
    return state


def balance(state: Array, forcing: Array | float, years: int) -> Array:
    """Temperatures [..., 2] (K) of the upper and the deep ocean after so many years under a forcing (W/m^2)."""
    upper, deep = state[..., 0], state[..., 1]
    for _ in range(years):
        flow = EXCHANGE * (upper - deep)
        upper, deep = upper + (np.asarray(forcing) - FEEDBACK * upper - flow) / HEAT, deep + flow / DEEP
    return np.stack([upper, deep], -1)


def crps(ensemble: Array, truth: Array) -> Array:
    """The fair continuous ranked probability score of ensembles [members, ...] for truths [...] (Ferro, 2014).

    mean |x_i - y| - sum |x_i - x_j| / (2 m (m - 1)). In the unit of the values; lower is better.
    """
    members = len(ensemble)
    ordered = np.sort(ensemble, axis=0)
    # Sorted, the sum over pairs is a weighted sum of the members.
    weights = (2 * np.arange(1, members + 1) - members - 1).reshape(-1, *[1] * truth.ndim)
    spread = (weights * ordered).sum(0) / (members * (members - 1))
    found: Array = np.abs(ensemble - truth).mean(0) - spread
    return found
