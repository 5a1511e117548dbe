"""Virtual patients: the 30 published ones, new ones around them, and what follows from their basic parameters.

The derived parameters are those at which the patient rests at the fasting glucose `Gb` under the basal rate
(Dalla Man, Rizza and Cobelli 2007, IEEE Trans. Biomed. Eng. 54:1740; UVA/Padova simulator, Dalla Man et al. 2014, J.
Diabetes Sci. Technol. 8:26). Research software, not medical advice.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from autotelic.errors import DomainError

Floats = NDArray[np.float64]

GROUPS = ("adolescent", "adult", "child")
BASIC = (
    "BW", "EGPb", "Gb", "Ib", "kabs", "kmax", "kmin", "b", "d", "Vg", "Vi", "Vmx", "Km0", "k2", "k1",
    "p2u", "m1", "CL", "HEb", "ki", "kp2", "kp3", "f", "ke1", "ke2", "Fsnc", "kd", "ksc", "ka1", "ka2",
)  # fmt: skip
"""The parameters that are given; all others follow. Units as in the published table (mg, kg, min, pmol, L, dL)."""
THERAPY = ("CR", "CF", "TDI")
"""Standard therapy: carbohydrates a unit (g/U), glucose a unit (mg/dL per U), insulin a day (U/day)."""
JITTER = 0.05
"""Standard deviation of the logarithm by which each parameter of a new patient departs from its parents' mix."""
TRIES = 20
"""Mixes tried before a new patient is a copy of its first parent."""


@dataclass(frozen=True, slots=True)
class Patient:
    """One virtual patient: `values` by the names of `BASIC` and `THERAPY`."""

    name: str
    group: str
    values: Mapping[str, float]

    @classmethod
    def of(cls, name: str, group: str, given: Mapping[str, object]) -> Patient:
        """A patient of a file or a task. Raises DomainError for a missing or an impossible value."""
        if group not in GROUPS:
            raise DomainError(f"the patient {name} is of the group {group!r}", f"use {', '.join(GROUPS)}")
        values: dict[str, float] = {}
        for key in (*BASIC, *THERAPY):
            try:
                values[key] = float(given[key])  # type: ignore[arg-type]
            except KeyError:
                raise DomainError(f"the patient {name} has no {key}", "give it a number") from None
            except (TypeError, ValueError):
                raise DomainError(f"{key} of the patient {name} is no number", "give it a number") from None
            if not (math.isfinite(values[key]) and 0 < values[key] < 1e4):
                raise DomainError(
                    f"{key} of the patient {name} is {values[key]:g}, which no body has",
                    "give a positive number in the units of the published table",
                )
        if why := impossible(values):
            raise DomainError(f"the patient {name} cannot be: {why}", "correct the parameters")
        return cls(name, group, values)


def derived(p: Mapping[str, Floats | np.float64]) -> dict[str, Floats | np.float64]:
    """What follows from the basic parameters, elementwise: rate constants, and the state at rest."""
    m30 = p["HEb"] * p["m1"] / (1 - p["HEb"])
    m2 = 3 / 5 * p["CL"] / (p["HEb"] * p["Vi"] * p["BW"])
    m4 = 2 / 5 * p["CL"] / (p["Vi"] * p["BW"])
    gp, ip = p["Gb"] * p["Vg"], p["Ib"] * p["Vi"]
    il = m2 * ip / (p["m1"] + m30)
    gt = (p["Fsnc"] - p["EGPb"] + p["k1"] * gp) / p["k2"]
    rate = (m2 + m4) * ip - p["m1"] * il
    first = rate / (p["kd"] + p["ka1"])
    return {
        "m30": m30,
        "m2": m2,
        "m4": m4,
        "Gpb": gp,
        "Ipb": ip,
        "Ilb": il,
        "Gtb": gt,
        "Vm0": (p["EGPb"] - p["Fsnc"]) * (p["Km0"] + gt) / gt,
        "kp1": p["EGPb"] + p["kp2"] * gp + p["kp3"] * p["Ib"],
        "u2ss": rate,
        "isc1ss": first,
        "isc2ss": p["kd"] * first / p["ka2"],
    }


def impossible(values: Mapping[str, float]) -> str:
    """Why no body has these parameters; empty where one might."""
    for key in ("b", "d", "HEb"):
        if not 0 < values[key] < 1:
            return f"{key} is not between 0 and 1"
    if values["kmin"] > values["kmax"]:
        return "kmin is above kmax"
    if not 60 <= values["Gb"] <= 250:
        return "the fasting glucose Gb is not between 60 and 250 mg/dL"
    found = derived({key: np.float64(values[key]) for key in BASIC})
    low = [key for key in ("Gtb", "Vm0", "kp1", "u2ss") if not found[key] > 0]
    return f"{low[0]}, which follows from them, is not positive" if low else ""


@cache
def published() -> tuple[Patient, ...]:
    """The 30 virtual patients of the table, ten of each group. None of them is ever a task."""
    text = (files(__package__) / "patients.csv").read_text()
    return read(text, "patients.csv")


def read(text: str, name: str) -> tuple[Patient, ...]:
    """The patients of a table like `patients.csv`. Raises DomainError for one that cannot be."""
    kept = "".join(line for line in text.splitlines(keepends=True) if not line.startswith("#"))
    rows = list(csv.DictReader(io.StringIO(kept)))
    if not rows or "Name" not in rows[0]:
        raise DomainError(
            f"{name} holds no patient", f"give a table with the columns Name, {', '.join(BASIC)}"
        )
    return tuple(Patient.of(row["Name"], str(row["Name"]).partition("#")[0], row) for row in rows)


def new_patient(group: str, rng: np.random.Generator) -> Patient:
    """A patient that nobody published: two of the group mixed on a logarithmic scale, each parameter a little off."""
    pool = [patient for patient in published() if patient.group == group]
    for _ in range(TRIES):
        first, second = (pool[int(i)] for i in rng.choice(len(pool), 2, replace=False))
        share = rng.uniform(0.15, 0.85)
        off = rng.normal(0.0, JITTER, len(BASIC) + len(THERAPY))
        values = {
            key: _four_digits(first.values[key] ** share * second.values[key] ** (1 - share) * math.exp(by))
            for key, by in zip((*BASIC, *THERAPY), off, strict=True)
        }
        values |= {
            key: first.values[key] for key in ("Fsnc", "ke1", "ke2", "HEb", "f")
        }  # all patients share these
        if not impossible(values):
            break
    else:
        values = dict(first.values)
    return Patient(f"new {group}", group, values)


def _four_digits(value: float) -> float:
    return float(f"{value:.4g}")


def table(patients: Sequence[Patient]) -> dict[str, Floats]:
    """Their parameters, basic and derived, and the therapy: an array [N] by name."""
    basic = {key: np.array([p.values[key] for p in patients]) for key in (*BASIC, *THERAPY)}
    return {**basic, **{key: np.asarray(value) for key, value in derived(basic).items()}}
