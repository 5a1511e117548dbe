"""Upper bounds of bounded means, and exact tails of counts."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autotelic.statistics import binomial_tail, fisher_tail, mean_upper_bound


def test_the_bound_is_missed_no_more_often_than_alpha() -> None:
    # Exact: all counts of 40 coins of mean 0.3, with their probabilities.
    missed = 0.0
    for passed in range(41):
        if mean_upper_bound([1] * passed + [0] * (40 - passed), 0.1) < 0.3:
            missed += math.comb(40, passed) * 0.3**passed * 0.7 ** (40 - passed)
    assert 0 < missed <= 0.1


def test_the_bound_comes_near_as_values_get_many() -> None:
    rng = np.random.default_rng(0)
    widths = [mean_upper_bound(rng.beta(2, 2, n), 0.05) - 0.5 for n in (50, 500, 5_000)]
    assert widths[0] > widths[1] > widths[2] > 0
    assert widths[2] < 0.03


def test_a_range_moves_and_stretches_the_bound() -> None:
    values = np.random.default_rng(1).random(80)
    assert mean_upper_bound(2 * values - 1, 0.05, low=-1, high=1) == pytest.approx(
        2 * mean_upper_bound(values, 0.05) - 1
    )


def test_without_values_everything_is_possible() -> None:
    assert mean_upper_bound([], 0.05) == 1
    assert mean_upper_bound([], 0.05, low=-1, high=3) == 3


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30), st.floats(0.001, 0.5))
def test_the_bound_lies_between_the_mean_and_the_top_and_falls_with_alpha(
    values: list[float], alpha: float
) -> None:
    bound = mean_upper_bound(values, alpha)
    assert np.mean(values) - 1e-9 <= bound <= 1
    assert mean_upper_bound(values, alpha / 2) >= bound - 1e-9


@pytest.mark.parametrize("values", [[0.5, float("nan")], [1.1], [-0.1], [float("inf")], [[0.5]]])
def test_values_that_are_none_are_refused(values: list[float]) -> None:
    with pytest.raises(ValueError, match="expected"):
        mean_upper_bound(values, 0.05)


@pytest.mark.parametrize("alpha", [0, 1, -0.1, float("nan")])
def test_an_alpha_that_is_none_is_refused(alpha: float) -> None:
    with pytest.raises(ValueError, match="alpha"):
        mean_upper_bound([0.5], alpha)


def test_the_binomial_tail_is_exact() -> None:
    assert binomial_tail(3, 4, 0.5) == pytest.approx(5 / 16)
    assert binomial_tail(0, 4, 0.5) == 1
    assert binomial_tail(2, 4, 0.0) == 0
    assert binomial_tail(4, 4, 1.0) == 1
    assert binomial_tail(60, 60, 0.1) == pytest.approx(1e-60)


def test_fishers_tail_is_exact() -> None:
    # The lady tasting tea: 4 of 4 right among 8 cups.
    assert fisher_tail(4, 4, 0, 4) == pytest.approx(1 / 70)
    assert fisher_tail(3, 4, 1, 4) == pytest.approx(17 / 70)
    assert fisher_tail(0, 5, 3, 5) == 1


@pytest.mark.parametrize(
    ("count", "n", "rate"), [(5, 4, 0.5), (-1, 4, 0.5), (1, 4, 1.5), (1, 4, float("nan"))]
)
def test_counts_and_rates_that_cannot_be_are_refused(count: int, n: int, rate: float) -> None:
    with pytest.raises(ValueError, match="expected"):
        binomial_tail(count, n, rate)
    with pytest.raises(ValueError, match="expected"):
        fisher_tail(5, 4, 0, 4)
