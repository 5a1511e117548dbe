"""Tests that are looked at again and again keep the error that they state, and find what they are for."""

from __future__ import annotations

import json

import numpy as np
import pytest

from autotelic.statistics.sequential import FellFromBest, MeanFell, concordance, growth, lower_bound

ALPHA = 0.05
RUNS, LOOKS, AT_ONCE = 400, 40, 12


def test_growth_by_hand() -> None:
    # A bet b on x = 0 against 0.25 gains log(1 + b / 3), on x = 1 it loses to log(1 - b).
    found = growth([0.0, 1.0], 0.25)
    assert found[0] == pytest.approx(np.log(1 + 0.1 / 3) + np.log(0.9))
    assert found[3] == pytest.approx(np.log(1 + 0.9 / 3) + np.log(0.1))
    with pytest.raises(ValueError, match=r"from 0 to 2; expected them in \[0, 1\]"):
        MeanFell(least=0.5).look([0.0, 2.0])


@pytest.mark.parametrize("least", [0.25, 0.5, 0.8])
def test_where_the_mean_never_fell_the_evidence_keeps_to_its_error(least: float) -> None:
    """At the very edge of the null, with means that differ within a look and average to it."""
    rng = np.random.default_rng(0)
    spread = min(least, 1 - least) * np.linspace(-1, 1, AT_ONCE)
    alarms = 0
    for _ in range(RUNS):
        test = MeanFell(least=least)
        for _ in range(LOOKS):
            test.look((rng.random(AT_ONCE) < least + spread).astype(float))
            if test.evidence >= 1 / ALPHA:
                alarms += 1
                break
    assert alarms / RUNS <= ALPHA


def test_a_fall_is_found_whenever_it_comes() -> None:
    rng = np.random.default_rng(1)
    for begins in (0, 5, 30):
        test, found = MeanFell(least=0.5), 0
        for at in range(begins + 20):
            mean = 0.6 if at < begins else 0.25
            test.look((rng.random(AT_ONCE) < mean).astype(float))
            found = found or (at - begins + 1) * (test.evidence >= 1 / ALPHA)
        assert 1 <= found <= 8


def test_the_capital_of_nothing_seen_is_one() -> None:
    assert MeanFell(least=0.5).evidence == 1.0
    assert FellFromBest(alpha=0.1, margin=0.0, window=2).evidence == 1.0
    test = MeanFell(least=0.5)
    test.look([0.5, 0.5])  # as the null says: no bet gains or loses
    assert test.evidence == pytest.approx(1.0)


def test_a_lower_bound_holds_for_different_means() -> None:
    rng = np.random.default_rng(2)
    means = rng.random(60)
    too_high = sum(
        lower_bound(float((rng.random(60) < means).mean()), 60, ALPHA) > means.mean() for _ in range(2000)
    )
    assert too_high / 2000 <= ALPHA
    assert lower_bound(0.5, 10_000, ALPHA) > 0.48
    assert lower_bound(0.0, 10, ALPHA) == pytest.approx(0.0)
    assert 0.7 < lower_bound(1.0, 10, ALPHA) < 1.0


def test_a_rise_and_what_stays_within_the_margin_is_no_fall() -> None:
    rng = np.random.default_rng(3)
    alarms = 0
    for _ in range(100):
        test = FellFromBest(alpha=ALPHA, margin=0.02, window=2)
        for at in range(LOOKS):
            mean = min(0.7, 0.3 + 0.02 * at) - 0.02 * (at % 2) * (at > 25)
            test.look((rng.random(64) < mean).astype(float))
        alarms += test.evidence >= 2 / ALPHA
    assert alarms / 100 <= ALPHA


def test_tasks_that_differ_cost_no_evidence_and_the_error_is_kept() -> None:
    """Half of the tasks are always passed or never: what they say twice is not noise."""
    rng = np.random.default_rng(6)
    means = np.array([0.02, 0.98] * 6 + [0.3, 0.5, 0.6, 0.7])
    alarms, found = 0, []
    for _ in range(60):
        test = FellFromBest(alpha=ALPHA, margin=0.02, window=2)
        for _ in range(25):
            test.look((rng.random((16, 8)) < means[:, None]).astype(float))
        alarms += test.evidence >= 2 / ALPHA
        looks = 0
        while test.evidence < 2 / ALPHA and looks < 30:
            looks += 1
            test.look((rng.random((16, 8)) < (means * 0.65)[:, None]).astype(float))
        found.append(looks)
    assert alarms / 60 <= ALPHA
    assert np.median(found) <= 8, found


def test_a_fall_from_the_best_is_found_though_it_is_above_the_start() -> None:
    rng = np.random.default_rng(4)
    test = FellFromBest(alpha=ALPHA, margin=0.02, window=2)
    for mean in [0.1, 0.1, 0.3, 0.5, 0.7, 0.8, 0.8, 0.8]:
        test.look((rng.random((16, 8)) < mean).astype(float))
    assert test.evidence < 1 / ALPHA
    for _ in range(3):
        test.look((rng.random((16, 8)) < 0.5).astype(float))
    assert test.evidence >= 2 / ALPHA
    assert test.since >= 3


def test_concordance() -> None:
    assert concordance([0.9, 0.1, 0.5], [1, 0, 0]) == 1.0
    assert concordance([0.1, 0.9, 0.1], [1, 0, 0]) == 0.25
    assert concordance([0.1, 0.9], [1, 1]) == 0.5
    assert concordance([], []) == 0.5


def test_both_go_on_from_what_was_saved() -> None:
    rng = np.random.default_rng(5)
    one, other = MeanFell(least=0.4), FellFromBest(alpha=ALPHA, margin=0.02, window=2)
    for _ in range(5):
        x = (rng.random(30) < 0.6).astype(float)
        one.look(x)
        other.look(x)
    again = MeanFell.restored(json.loads(json.dumps(one.to_json())))
    taken = FellFromBest(alpha=ALPHA, margin=0.02, window=2)
    taken.restore(json.loads(json.dumps(other.to_json())))
    for test in (one, again):
        test.look([0.0] * 10)
    for test in (other, taken):
        test.look([0.0] * 30)
    assert one == again
    assert other == taken
