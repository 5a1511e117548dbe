"""The capability-rate limit: too fast waits for a human."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from autotelic.errors import OversightError
from autotelic.oversee.certify import PairedItem
from autotelic.oversee.rate import DAY_S, RateLimit, RatePlan
from autotelic.statistics import mean_upper_bound

PLAN = RatePlan(per_certificate=0.3, per_day=0.5, certificates_per_day=4)


def gain(share: float, items: int = 400) -> list[PairedItem]:
    """A share of items won and none lost."""
    won = round(share * items)
    return [
        PairedItem(item=f"i{n}", program=f"p{n}", champion=(0.0,), candidate=(float(n < won),))
        for n in range(items)
    ]


def test_a_slow_gain_goes_on_and_a_fast_one_waits() -> None:
    limit = RateLimit(PLAN)
    slow, fast = limit.review(gain(0.1), 0.0), limit.review(gain(0.4), 0.0)
    assert (slow.waits, fast.waits) == (False, True)
    assert "waits for a human" in fast.reason
    assert "above 30.0 points a certificate" in fast.reason
    assert fast.reason.count("\n") == 0


def test_what_is_limited_is_the_upper_bound_so_that_few_items_buy_nothing() -> None:
    limit = RateLimit(PLAN)
    assert not limit.review(gain(0.15, 400), 0.0).waits
    assert limit.review(gain(0.15, 20), 0.0).waits
    assert limit.review([], 0.0).bound == 1
    values = [float(n < 60) for n in range(400)]
    assert limit.review(gain(0.15), 0.0).bound == mean_upper_bound(values, 0.05 / 4, low=-1, high=1)


def test_gains_of_a_day_add_up_and_leave_with_the_day() -> None:
    limit = RateLimit(PLAN)
    for now_s in (0.0, 3_600.0):
        report = limit.review(gain(0.15), now_s)
        assert not report.waits
        limit.record(report, now_s)
    third = limit.review(gain(0.15), 7_200.0)
    assert third.waits
    assert "in 24 hours, above 50.0 points" in third.reason
    assert third.day_bound == pytest.approx(3 * third.bound)
    assert not limit.review(gain(0.15), DAY_S).waits


def test_certificates_of_a_day_are_counted() -> None:
    limit = RateLimit(RatePlan(per_certificate=1.0, per_day=10.0, certificates_per_day=2))
    for _ in range(2):
        report = limit.review(gain(0.05), 5.0)
        assert not report.waits
        limit.record(report, 5.0)
    assert "certificate 3 in 24 hours, above 2" in limit.review(gain(0.05), 6.0).reason


def test_a_loss_makes_no_room_for_a_gain() -> None:
    limit = RateLimit(PLAN)
    loss = [
        PairedItem(item=f"i{n}", program=f"p{n}", champion=(1.0,), candidate=(float(n % 2),))
        for n in range(400)
    ]
    report = limit.review(loss, 0.0)
    assert report.bound < 0
    limit.record(report, 0.0)
    assert limit.review(gain(0.15), 1.0).day_bound == limit.review(gain(0.15), 1.0).bound


def test_a_review_changes_nothing() -> None:
    limit = RateLimit(PLAN)
    before = limit.state()
    limit.review(gain(0.1), 50.0)
    assert limit.state() == before
    limit.review(gain(0.1), 10.0)


@pytest.mark.parametrize("now_s", [9.0, math.nan, math.inf, "10", None])
def test_a_clock_that_went_back_or_is_none_is_refused(now_s: Any) -> None:
    limit = RateLimit(PLAN)
    limit.record(limit.review(gain(0.1), 10.0), 10.0)
    for act in (
        lambda: limit.review(gain(0.1), now_s),
        lambda: limit.record(limit.review(gain(0.1), 10.0), now_s),
    ):
        with pytest.raises(OversightError, match="clock"):
            act()


def test_a_resume_goes_on_and_keeps_what_was_gained() -> None:
    limit = RateLimit(PLAN)
    limit.record(limit.review(gain(0.2), 100.0), 100.0)
    state = json.loads(json.dumps(limit.state()))
    again = RateLimit.resume(PLAN, state)
    assert again.review(gain(0.2), 200.0) == limit.review(gain(0.2), 200.0)
    with pytest.raises(OversightError, match="clock"):
        again.review(gain(0.2), 99.0)
    tighter = RateLimit.resume(RatePlan(per_certificate=0.3, per_day=0.3, certificates_per_day=4), state)
    assert tighter.review(gain(0.1), 200.0).waits


@pytest.mark.parametrize(
    "damage",
    [
        {"certified": [[2.0, 0.1], [1.0, 0.1]]},
        {"certified": [[1.0, 2.0]]},
        {"certified": [[math.nan, 0.1]]},
        {"certified": [[1.0]]},
        {"certified": None},
        {"format": 0},
    ],
)
def test_a_damaged_state_is_refused(damage: dict[str, Any]) -> None:
    with pytest.raises(OversightError, match="damaged"):
        RateLimit.resume(PLAN, RateLimit(PLAN).state() | damage)


@pytest.mark.parametrize(
    "bad",
    [
        {"per_certificate": 0},
        {"per_certificate": math.nan},
        {"per_day": -1},
        {"per_day": "0.5"},
        {"certificates_per_day": 0},
        {"certificates_per_day": math.nan},
        {"confidence": 1.0},
    ],
)
def test_a_plan_that_cannot_be_is_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(OversightError, match="give"):
        RatePlan(**({"per_certificate": 0.1, "per_day": 0.2, "certificates_per_day": 3} | bad))
