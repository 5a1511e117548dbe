"""The intervals that exams claim, against published values and against brute force."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autotelic.statistics import mean_of_cells, mean_score, pass_at_k, share, wilson
from autotelic.streams import stream


@pytest.mark.parametrize(
    ("passed", "n", "low", "high"),
    [  # Newcombe 1998, Statistics in Medicine 17, table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_agrees_with_published_intervals(passed: int, n: int, low: float, high: float) -> None:
    assert wilson(passed, n) == pytest.approx((low, high), abs=5e-5)


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 500), st.data())
def test_wilson_is_symmetric_and_contains_the_share(n: int, data: st.DataObject) -> None:
    passed = data.draw(st.integers(0, n))
    low, high = wilson(passed, n)
    assert 0 <= low <= passed / n <= high <= 1
    assert (1 - high, 1 - low) == pytest.approx(wilson(n - passed, n))
    assert low < high


def test_no_items_say_nothing() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    assert (share([]).low, share([]).high, share([]).n) == (0.0, 1.0, 0)
    assert mean_score([], stream(0)).n == 0


def test_more_passes_than_items_is_refused() -> None:
    with pytest.raises(ValueError, match="3 of 2 passed"):
        wilson(3, 2)


def test_a_share_has_its_value_and_interval() -> None:
    score = share([True] * 81 + [False] * 182)
    assert (score.value, score.n) == (81 / 263, 263)
    assert (score.low, score.high) == wilson(81, 263)


def test_pass_at_k_golden_values() -> None:
    assert pass_at_k(10, 3, 5) == pytest.approx(1 - 21 / 252)
    assert pass_at_k(8, 1, 8) == 1.0
    assert pass_at_k(8, 0, 8) == 0.0
    assert pass_at_k(8, 3, 1) == pytest.approx(3 / 8)
    assert pass_at_k(200, 1, 100) == pytest.approx(0.5)


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 7), st.data())
def test_pass_at_k_is_the_share_of_all_choices_with_a_pass(n: int, data: st.DataObject) -> None:
    correct, k = data.draw(st.integers(0, n)), data.draw(st.integers(1, n))
    attempts = [True] * correct + [False] * (n - correct)
    chosen = list(itertools.combinations(attempts, k))
    assert pass_at_k(n, correct, k) == pytest.approx(sum(map(any, chosen)) / len(chosen))


@pytest.mark.parametrize(("n", "correct", "k"), [(8, 9, 1), (8, 1, 9), (8, 1, 0), (8, -1, 1)])
def test_pass_at_k_of_what_cannot_be_is_refused(n: int, correct: int, k: int) -> None:
    with pytest.raises(ValueError, match=f"pass@{k} from {correct} of {n}"):
        pass_at_k(n, correct, k)


def test_the_bootstrap_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    rng = stream(0, "coverage")
    covered = 0
    for _ in range(200):
        score = mean_score(rng.beta(2, 1, size=60), rng)
        covered += score.low <= 2 / 3 <= score.high
    assert 0.88 <= covered / 200 <= 1.0


def test_the_bootstrap_agrees_with_wilson_on_many_outcomes() -> None:
    passed = [True] * 400 + [False] * 600
    score = mean_score(passed, stream(0))
    assert score.value == 0.4
    assert (score.low, score.high) == pytest.approx(wilson(400, 1000), abs=0.005)


def test_copies_of_an_item_narrow_no_interval_when_they_are_one_cluster() -> None:
    values = np.linspace(0, 1, 20)
    alone = mean_score(values, stream(0))
    copied = mean_score(np.repeat(values, 10), stream(0), clusters=[i // 10 for i in range(200)])
    naive = mean_score(np.repeat(values, 10), stream(0))
    assert (copied.low, copied.high) == pytest.approx((alone.low, alone.high))
    assert naive.high - naive.low < 0.5 * (alone.high - alone.low)


def test_values_that_are_all_the_same_still_have_an_interval() -> None:
    score = mean_score([1.0] * 32, stream(0))
    assert (score.value, score.low, score.high) == (1.0, wilson(32, 32)[0], 1.0)
    score = mean_score([0.5] * 3, stream(0))
    assert score.low < 0.5 < score.high


def test_a_mean_is_reproducible_from_its_stream() -> None:
    values = [0.0, 0.25, 1.0, 0.5]
    assert mean_score(values, stream(3, "exam")) == mean_score(values, stream(3, "exam"))


def test_values_out_of_range_and_clusters_of_another_length_are_refused() -> None:
    with pytest.raises(ValueError, match=r"values from 0 to 1\.5"):
        mean_score([0.0, 1.5], stream(0))
    with pytest.raises(ValueError, match="1 clusters for 2 values"):
        mean_score([0.0, 1.0], stream(0), clusters=["a"])


def test_every_cell_counts_alike_however_many_items_it_has() -> None:
    score = mean_of_cells({"a": [1.0] * 30 + [0.0] * 10, "b": [0.25, 0.75]}, stream(0))
    assert score.value == pytest.approx((0.75 + 0.5) / 2)
    assert score.n == 42
    assert score.low < score.value < score.high


def test_cells_without_variance_still_have_an_interval() -> None:
    score = mean_of_cells({"a": [1.0] * 10, "b": [0.0] * 10}, stream(0))
    assert (score.value, score.low, score.high) == (0.5, *wilson(10, 20))
    assert mean_of_cells({}, stream(0)).n == 0
