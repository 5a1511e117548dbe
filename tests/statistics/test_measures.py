"""Calibration and ranking of predictions, of outcomes that are yes or no or real."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autotelic.statistics import auroc, brier, expected_calibration_error
from autotelic.streams import stream


def test_calibration_golden_values() -> None:
    assert expected_calibration_error([0.1, 0.1, 0.9, 0.9], [0, 0, 1, 1]) == pytest.approx(0.1)
    assert expected_calibration_error([0.95, 0.85], [1, 0]) == pytest.approx((0.05 + 0.85) / 2)
    assert expected_calibration_error([1.0, 0.0], [True, False]) == 0.0
    assert expected_calibration_error([1.0, 0.0], [False, True]) == 1.0
    # Two bins that err in opposite ways do not cancel; one bin of both would.
    assert expected_calibration_error([0.45, 0.55], [1, 0], bins=2) == pytest.approx(0.55)
    assert expected_calibration_error([0.45, 0.55], [1, 0], bins=1) == pytest.approx(0.0)


def test_a_calibrated_forecast_has_a_small_error_and_a_known_brier_score() -> None:
    rng = stream(0, "calibrated")
    p_N = rng.random(20_000)
    y_N = rng.random(20_000) < p_N
    assert expected_calibration_error(p_N, y_N) < 0.02
    assert brier(p_N, y_N) == pytest.approx(1 / 6, abs=0.01)  # the mean of p (1 - p)


def test_brier_golden_values() -> None:
    assert brier([0.9, 0.2], [1, 0]) == pytest.approx((0.01 + 0.04) / 2)
    assert brier([0.5, 0.5], [True, False]) == 0.25


def test_auroc_golden_values() -> None:
    assert auroc([0.1, 0.4, 0.4, 0.8], [False, False, True, True]) == 0.875
    assert auroc([1, 2, 3], [0, 0, 1]) == 1.0
    assert auroc([3, 2, 1], [0, 0, 1]) == 0.0
    assert auroc([7, 7, 7], [0, 1, 1]) == 0.5


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=25))
def test_auroc_is_the_share_of_pairs_in_the_right_order(pairs: list[tuple[int, bool]]) -> None:
    scores, passed = [score for score, _ in pairs], [outcome for _, outcome in pairs]
    good = [score for score, outcome in pairs if outcome]
    bad = [score for score, outcome in pairs if not outcome]
    won = [(a > b) + 0.5 * (a == b) for a in good for b in bad]
    found = auroc(scores, passed)
    assert math.isnan(found) if not won else found == pytest.approx(sum(won) / len(won))


def test_nothing_to_judge_by_is_nan_which_no_threshold_accepts() -> None:
    for value in (
        auroc([0.1, 0.9], [1, 1]),
        auroc([], []),
        brier([], []),
        expected_calibration_error([], []),
    ):
        assert math.isnan(value)


@pytest.mark.parametrize("wrong", [[0.5, 1.5], [0.5, float("nan")], [0.5, -0.1]])
def test_what_is_no_probability_is_refused(wrong: list[float]) -> None:
    with pytest.raises(ValueError, match="expected probabilities"):
        brier(wrong, [0, 1])


def test_outcomes_must_match_predictions() -> None:
    for measure in (auroc, brier, expected_calibration_error):
        with pytest.raises(ValueError, match="expected one outcome a prediction"):
            measure([0.5, 0.5], [1])


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 4), st.sampled_from([0.0, 0.25, 0.5, 1.0])), min_size=1, max_size=20)
)
def test_auroc_of_real_outcomes_is_the_share_of_differing_pairs_in_the_right_order(
    pairs: list[tuple[int, float]],
) -> None:
    won = [(a > b) + 0.5 * (a == b) for a, high in pairs for b, low in pairs if high > low]
    found = auroc([score for score, _ in pairs], [outcome for _, outcome in pairs])
    assert math.isnan(found) if not won else found == pytest.approx(sum(won) / len(won))


def test_real_outcomes_have_a_calibration_error_and_a_brier_score() -> None:
    assert expected_calibration_error([0.3, 0.3], [0.2, 0.6]) == pytest.approx(0.1)
    assert brier([0.3, 0.3], [0.2, 0.6]) == pytest.approx((0.01 + 0.09) / 2)
