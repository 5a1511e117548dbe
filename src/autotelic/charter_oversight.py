"""The charter's sections on oversight: what certifies a candidate, how fast skill may grow, what raises the brake."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from autotelic.settings import Section, knob
from autotelic.thresholds import read_thresholds


class Gate(Section):
    """What certifies a candidate: the exam auditor asks it and the champion fresh items."""

    items: int = knob(
        200, "items", "oversee", "Asked of candidate and champion. Raise it to certify smaller gains.", ge=8
    )
    answers: int = knob(
        4, "answers", "oversee", "Sampled for each item. Fewer cost less and certify later.", ge=1, le=64
    )
    planned: int = knob(
        8,
        "gates",
        "oversee",
        "Spread evenly over the budget. More certify sooner, and each needs more evidence.",
        rare=True,
        ge=1,
        le=1000,
    )
    alpha: float = knob(
        0.05,
        "probability",
        "oversee",
        "Of any false certificate in the run. Lower it to be surer.",
        rare=True,
        gt=0,
        lt=0.5,
    )


class Oversight(Section):
    """How fast certified skill may grow before a human has to allow it, and what raises the brake."""

    gain: float = knob(
        0.8,
        "share of items",
        "oversee",
        "The most that a certificate may have gained. A model that starts from nothing gains fast; give a "
        "trained one 0.1.",
        rare=True,
        gt=0,
        le=1,
    )
    gain_day: float = knob(
        3.0, "share of items", "oversee", "The same in 24 hours, added up.", rare=True, gt=0
    )
    thresholds: tuple[Annotated[str, Field(min_length=1)], ...] = knob(
        (), "limits", "oversee", "As 'kl = 2': what raises the brake. docs/oversight.md has all.", rare=True
    )

    @model_validator(mode="after")
    def _thresholds_are_known(self) -> Self:
        read_thresholds(self.thresholds)
        return self
