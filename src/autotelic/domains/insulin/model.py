"""The UVA/Padova type 1 model, for many patients side by side: 13 equations, RK4 with a step of one minute.

Dalla Man, Rizza and Cobelli 2007 (IEEE Trans. Biomed. Eng. 54:1740), with the patients' parameters of the simulator;
equations and meal flags as in simglucose 0.2.11, with which `bench/insulin.py` compares it. Every operation is
elementwise, so a patient's course is the same bits whatever else is in the batch. Research software, not medical
advice.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from autotelic.domains.insulin.patients import Floats

Q1, Q2, GUT, GP, GT, SC1, SC2, IP, I1, ID, IL, X, GS = range(13)
"""The rows of the state: stomach solid and liquid, gut (mg); glucose in plasma and tissue (mg/kg); insulin under the
skin (two), in plasma (pmol/kg); its delayed signals (two, pmol/L); in the liver (pmol/kg); its action on uptake;
glucose under the skin (mg/kg). In this order most inflows come from the row above."""
EAT = 5.0
"""Grams of carbohydrate that are eaten in a minute."""


class Bodies:
    """N patients in progress. `state` [13, N]; `glucose()` is what a perfect sensor would read, mg/dL.

    `p` are the parameters, arrays [N] by name, of `patients.table`.
    """

    def __init__(self, p: Mapping[str, Floats]) -> None:
        n = len(p["BW"])
        self.p = p
        self.state = np.zeros((13, n))
        for row, key in (
            (GP, "Gpb"),
            (GT, "Gtb"),
            (SC1, "isc1ss"),
            (SC2, "isc2ss"),
            (IP, "Ipb"),
            (IL, "Ilb"),
        ):
            self.state[row] = p[key]
        self.state[[I1, ID]] = p["Ib"]
        self.state[GS] = p["Gpb"]
        self._planned = np.zeros(n)
        self._before = np.zeros(n, dtype=bool)
        self._stomach = np.zeros(n)
        self._eaten = np.zeros(n)
        self._prepare(n)

    def _prepare(self, n: int) -> None:
        """Rates that leave each row (`decay`), that come from the row above (`chain`), and room for results."""
        p, zero = self.p, np.zeros(n)
        outs = {
            Q1: p["kmax"],
            GUT: p["kabs"],
            GP: p["k1"],
            GT: p["k2"],
            SC1: p["ka1"] + p["kd"],
            SC2: p["ka2"],
        }
        outs |= {
            IP: p["m2"] + p["m4"],
            I1: p["ki"],
            ID: p["ki"],
            IL: p["m1"] + p["m30"],
            X: p["p2u"],
            GS: p["ksc"],
        }
        self._decay = np.array([-outs.get(row, zero) for row in range(13)])
        above = {Q2: p["kmax"], GP: p["f"] * p["kabs"] / p["BW"], GT: p["k1"], SC2: p["kd"]}
        above |= {IP: p["ka2"], I1: p["ki"] / p["Vi"], ID: p["ki"], IL: zero}
        self._chain = np.array([above.get(row, zero) for row in range(1, 11)])
        self._to_x = p["p2u"] / p["Vi"]
        self._x_rest = p["p2u"] * p["Ib"]
        self._slope = np.stack([5 / (2 * (1 - p["b"])), 5 / (2 * p["d"])])
        self._centre = np.stack([self._slope[0] * p["b"], np.full(n, 2.5)])
        self._half = (p["kmax"] - p["kmin"]) / 2
        self._low = p["kmin"] + 2 * self._half
        self._bend = np.zeros((2, n))
        self._s = np.zeros((3, n))
        self._t = np.zeros((2, n))
        self._c = np.zeros((10, n))
        self._k, self._y, self._sum = (np.zeros((13, n)) for _ in range(3))

    def glucose(self) -> Floats:
        """Glucose under the skin, mg/dL [N]."""
        return np.asarray(self.state[GS] / self.p["Vg"])

    def minute(self, insulin: Floats, meal: Floats) -> None:
        """One minute with `insulin` (U/min) [N]; `meal` (g) [N] is put on the table now and eaten at 5 g/min."""
        self._planned += meal
        eat = np.minimum(self._planned, EAT)
        self._planned -= eat
        now = eat > 0
        begins = now & ~self._before
        self._stomach = np.where(begins, self.state[Q1] + self.state[Q2], self._stomach)
        self._eaten = np.where(begins, 0.0, self._eaten) + eat
        self._before = now
        dose = self._stomach + self._eaten * 1000.0
        # Without a meal so far the stomach is empty, and the rate at which it empties says nothing.
        np.divide(self._slope, np.where(dose > 0, dose, np.inf), out=self._bend)
        self._rk4(insulin * 6000.0 / self.p["BW"], eat * 1000.0)

    def _rk4(self, insulin: Floats, food: Floats) -> None:
        k, y, total, x = self._k, self._y, self._sum, self.state
        self._rates(x, insulin, food)
        total[:] = k
        for step, weight in ((0.5, 2.0), (0.5, 2.0), (1.0, 1.0)):
            np.multiply(k, step, out=y)
            y += x
            self._rates(y, insulin, food)
            if weight != 1.0:
                k *= weight  # back to itself below: by two, which loses no bit
            total += k
            if weight != 1.0:
                k *= 1 / weight
        total *= 1 / 6
        x += total

    def _rates(self, y: Floats, insulin: Floats, food: Floats) -> None:
        """The 13 derivatives at `y`, into `self._k`."""
        p, k, (a, b, _c), t = self.p, self._k, self._s, self._t
        np.add(y[Q1], y[Q2], out=a)
        np.multiply(self._bend, a, out=t)
        t -= self._centre
        np.tanh(t, out=t)
        np.subtract(t[0], t[1], out=b)
        b *= self._half
        b += self._low
        b *= y[Q2]  # what leaves the stomach
        np.multiply(self._decay, y, out=k)
        np.multiply(self._chain, y[:10], out=self._c)
        k[1:11] += self._c
        k[Q1] += food
        k[Q2] -= b
        k[GUT] += b
        k[SC1] += insulin
        self._insulin(y, a)
        np.multiply(p["kp2"], y[GP], out=a)
        np.multiply(p["kp3"], y[ID], out=b)
        a += b
        np.subtract(p["kp1"], a, out=a)
        np.maximum(a, 0.0, out=a)  # what the liver gives
        a -= p["Fsnc"]
        np.subtract(y[GP], p["ke2"], out=b)
        np.maximum(b, 0.0, out=b)
        b *= p["ke1"]  # what the kidneys lose
        a -= b
        np.multiply(p["k2"], y[GT], out=b)
        a += b
        k[GP] += a
        np.multiply(p["Vmx"], y[X], out=a)
        a += p["Vm0"]
        a *= y[GT]
        np.add(p["Km0"], y[GT], out=b)
        a /= b
        k[GT] -= a
        np.greater_equal(
            y[GP : GT + 1], 0.0, out=t
        )  # the model stops glucose at nothing; the other rows stay above
        k[GP : GT + 1] *= t

    def _insulin(self, y: Floats, a: Floats) -> None:
        """What insulin under the skin, in plasma and in the liver pass on."""
        p, k = self.p, self._k
        np.multiply(p["m1"], y[IL], out=a)
        k[IP] += a
        np.multiply(p["ka1"], y[SC1], out=a)
        k[IP] += a
        np.multiply(p["m2"], y[IP], out=a)
        k[IL] += a
        np.multiply(self._to_x, y[IP], out=a)
        a -= self._x_rest
        k[X] += a
        np.multiply(p["ksc"], y[GP], out=a)
        k[GS] += a
