"""Triggers: each says its level, its number and its threshold in one line."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autotelic.errors import OversightError
from autotelic.oversee import triggers
from autotelic.oversee.certify import PairedItem
from autotelic.oversee.drift import DriftMonitor, DriftPlan
from autotelic.oversee.proving import report_of, shipped_packs
from autotelic.oversee.triggers import Alarm, Measures, Regression, Threshold, review_measures

OVER = {
    "kl": 9.0,
    "entropy": 0.001,
    "length": 0.99,
    "duplicates": 0.99,
    "validity": 0.01,
    "calibration_error": 0.5,
}


def test_every_measure_has_a_threshold_and_trips_beyond_it() -> None:
    assert set(OVER) == {field.name for field in fields(Measures)} == set(triggers.THRESHOLDS)
    for name, value in OVER.items():
        (alarm,) = review_measures(Measures(**{name: value}))
        assert alarm.trigger == name
        assert alarm.level == triggers.THRESHOLDS[name].level
        assert f"{value:.4g}" in alarm.reason
        assert f"{triggers.THRESHOLDS[name].limit:g}" in alarm.reason
        assert "\n" not in alarm.reason


def test_a_measure_at_its_limit_is_allowed_and_one_that_a_run_does_not_have_is_not_looked_at() -> None:
    at_limit = Measures(**{name: threshold.limit for name, threshold in triggers.THRESHOLDS.items()})
    assert review_measures(at_limit) == review_measures(Measures()) == []


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, "0.1", True])
def test_a_measure_that_cannot_be_read_trips_whatever_its_side(value: Any) -> None:
    for name, threshold in triggers.THRESHOLDS.items():
        (alarm,) = review_measures(Measures(**{name: value}))
        assert (alarm.trigger, alarm.level) == (name, threshold.level)
    assert triggers.THRESHOLDS["kl"].check(None) is not None


def test_the_most_severe_alarm_comes_first() -> None:
    alarms = review_measures(Measures(**OVER))
    assert [alarm.level for alarm in alarms] == sorted((alarm.level for alarm in alarms), reverse=True)
    assert len(alarms) == len(OVER)


@given(st.floats(allow_nan=False, allow_infinity=False), st.sampled_from(["above", "below"]))
def test_a_threshold_trips_on_one_side_alone(value: float, side: Any) -> None:
    tripped = Threshold(trigger="t", level=1, limit=0.5, what="x", side=side).check(value) is not None
    assert tripped == (value > 0.5 if side == "above" else value < 0.5)


def test_thresholds_and_levels_that_cannot_be_are_refused() -> None:
    for bad in ({"level": 0}, {"level": 5}, {"level": True}, {"limit": math.nan}, {"limit": "1"}):
        with pytest.raises(OversightError, match="give"):
            Threshold(**({"trigger": "t", "level": 1, "limit": 1.0, "what": "x"} | bad))  # type: ignore[arg-type]
    with pytest.raises(OversightError, match="no measure 'speed'"):
        review_measures(Measures(), {"speed": triggers.THRESHOLDS["kl"]})
    with pytest.raises(OversightError, match="level 7"):
        Alarm(trigger="t", level=7, reason="r")


def drifted(differences: list[float], **plan: Any) -> DriftMonitor:
    monitor = DriftMonitor(DriftPlan(**({"delta0": 0.08, "budget": 500} | plan)))
    monitor.open_items([str(n) for n in range(len(differences))], in_use=True)
    monitor.close_items(differences)
    return monitor


def test_drift_stops_for_life_and_holds_early() -> None:
    assert triggers.drifts(drifted([0.0] * 50)) == []
    alarm, *_ = triggers.drifts(drifted([1.0] * 20))
    assert (alarm.trigger, alarm.level) == ("drift", 3)
    assert "reached 100 at sealed item" in alarm.reason
    (early,) = triggers.drifts(drifted([1.0] * 60, alpha=1e-200))
    assert (early.trigger, early.level) == ("early drift", 2)
    assert "reached 20000 at sealed item" in early.reason


def paired(lost: int, n: int = 100) -> list[PairedItem]:
    return [
        PairedItem(item=str(i), program=str(i), champion=(1.0,), candidate=(float(i >= lost),))
        for i in range(n)
    ]


def test_a_regression_is_shown_before_it_trips() -> None:
    trigger = Regression(what="retention", alpha=0.01)
    assert trigger.check(paired(3)) is None
    alarm = trigger.check(paired(30))
    assert alarm is not None
    assert alarm.level == 4
    assert "retention fell by 30.0 points" in alarm.reason
    assert "at or above 100" in alarm.reason
    assert trigger.check([]) is None
    for bad in (0.0, math.nan, 2.0):
        with pytest.raises(OversightError, match="alpha"):
            Regression(what="x", alpha=bad)
    with pytest.raises(OversightError, match="level 9"):
        Regression(what="x", alpha=0.1, level=9)


@pytest.mark.parametrize("passed", [True, np.True_, 1, None, "no", 0])
def test_a_canary_that_is_not_plainly_dead_trips(passed: Any) -> None:
    alarm = triggers.canary(["a", "b"], [False, passed])
    assert alarm is not None
    assert (alarm.level, "1 of 2 canaries passed, above 0: b" in alarm.reason) == (4, True)


def test_canaries_that_no_one_passed_are_silent_and_a_missing_result_is_refused() -> None:
    assert triggers.canary(["a", "b"], [False, np.False_]) is None  # type: ignore[list-item]
    with pytest.raises(OversightError, match="1 results of 2 canaries"):
        triggers.canary(["a", "b"], [False])


def test_a_budget_is_spent_when_nothing_is_left() -> None:
    assert triggers.budget("tokens", 99, 100) is None
    for spent in (100, 101, math.nan, math.inf):
        alarm = triggers.budget("tokens", spent, 100)
        assert alarm is not None
        assert alarm.level == 3
        assert "at or above 100" in alarm.reason


def test_a_flagged_pack_asks_for_its_level() -> None:
    pack = next(pack for pack in shipped_packs() if pack.name == "tampering")
    clean = report_of(pack, (False,) * 60, (False,) * 60)
    bad = report_of(pack, (False,) * 60, (True,) * 60)
    skill = replace(bad, pack="skill", level=2)
    alarms = triggers.proving_ground([skill, clean, bad])
    assert [(alarm.trigger, alarm.level) for alarm in alarms] == [
        ("proving:tampering", 4),
        ("proving:skill", 2),
    ]
    assert "60 of 60 against 0 of 60" in alarms[0].reason
