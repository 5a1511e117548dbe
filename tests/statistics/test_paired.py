"""The paired test: McNemar's for yes and no, a sign-flip permutation test for everything else."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autotelic.statistics import Comparison, compare
from autotelic.streams import stream

outcomes = st.lists(st.booleans(), max_size=30)


def mcnemar(champion: list[bool], candidate: list[bool], level: float) -> Comparison:
    """McNemar's exact test, one-sided both ways, as exams used it before rewards were real."""
    wins = sum(new and not old for old, new in zip(champion, candidate, strict=True))
    losses = sum(old and not new for old, new in zip(champion, candidate, strict=True))

    def tail(k: int, n: int) -> float:
        return sum(math.comb(n, i) for i in range(k, n + 1)) / (1 << n)

    p_worse, p_better = tail(losses, wins + losses), tail(wins, wins + losses)
    verdict = "worse" if p_worse <= level else "better" if p_better <= level else "alike"
    return Comparison(wins=wins, losses=losses, p_worse=p_worse, p_better=p_better, verdict=verdict)  # type: ignore[arg-type]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=120), st.floats(0.001, 0.4))
def test_for_yes_and_no_it_is_mcnemars_exact_test(pairs: list[tuple[bool, bool]], level: float) -> None:
    champion, candidate = [old for old, _ in pairs], [new for _, new in pairs]
    assert compare(champion, candidate, level) == mcnemar(champion, candidate, level)


def brute_force(champion: list[float], candidate: list[float]) -> tuple[float, float]:
    """All signs, one by one, in whole numbers."""
    gaps = [round(64 * (new - old)) for old, new in zip(champion, candidate, strict=True)]
    sums = [
        sum(s * g for s, g in zip(signs, gaps, strict=True))
        for signs in itertools.product((-1, 1), repeat=len(gaps))
    ]
    seen = sum(gaps)
    return sum(s <= seen for s in sums) / len(sums), sum(s >= seen for s in sums) / len(sums)


sixtyfourths = st.integers(0, 64).map(lambda n: n / 64)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(sixtyfourths, sixtyfourths), max_size=9))
def test_for_real_outcomes_it_counts_every_choice_of_signs(pairs: list[tuple[float, float]]) -> None:
    champion, candidate = [old for old, _ in pairs], [new for _, new in pairs]
    found = compare(champion, candidate, 0.05)
    assert (found.p_worse, found.p_better) == pytest.approx(brute_force(champion, candidate), abs=1e-12)
    assert found.wins == sum(new > old for old, new in pairs)
    assert found.losses == sum(new < old for old, new in pairs)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(sixtyfourths, sixtyfourths), max_size=14))
def test_changing_sides_changes_better_and_worse(pairs: list[tuple[float, float]]) -> None:
    champion, candidate = [old for old, _ in pairs], [new for _, new in pairs]
    there, back = compare(champion, candidate, 0.05), compare(candidate, champion, 0.05)
    assert (there.wins, there.losses) == (back.losses, back.wins)
    assert (there.p_worse, there.p_better) == pytest.approx((back.p_better, back.p_worse))


def test_many_real_differences_are_drawn_near_the_exact_value_and_always_the_same() -> None:
    rng = stream(0, "paired")
    # Two sizes of difference, so that the exact distribution is a convolution of two binomials.
    signs = np.where(rng.random(40) < 0.4, 1, -1)
    sizes = np.where(np.arange(40) % 2, 0.25, 0.5)
    champion, candidate = [0.5] * 40, (0.5 + signs * sizes).tolist()
    found = compare(champion, candidate, 0.05)
    half = [math.comb(20, k) / 2**20 for k in range(21)]
    seen = float((signs * sizes).sum())
    exact = sum(
        half[i] * half[j]
        for i in range(21)
        for j in range(21)
        if 0.25 * (2 * i - 20) + 0.5 * (2 * j - 20) <= seen + 1e-12
    )
    assert found.p_worse == pytest.approx(exact, abs=0.006)
    assert compare(champion, candidate, 0.05) == found
    other = compare(champion, candidate, 0.05, rng=np.random.default_rng(5))
    assert other.p_worse == pytest.approx(exact, abs=0.006)
    assert other.p_worse != found.p_worse


def test_a_small_but_constant_loss_is_worse_although_nothing_is_failed() -> None:
    champion = [0.5 + i / 200 for i in range(60)]
    candidate = [value - 0.01 - (i % 3) / 1000 for i, value in enumerate(champion)]
    assert compare(champion, candidate, 0.05).verdict == "worse"
    assert compare(candidate, champion, 0.05).verdict == "better"


def test_compare_golden_values() -> None:
    champion = [True] * 10 + [False] * 2 + [True] * 30
    candidate = [False] * 10 + [True] * 2 + [True] * 30
    worse = compare(champion, candidate, level=0.05)
    assert (worse.losses, worse.wins, worse.verdict) == (10, 2, "worse")
    assert worse.p_worse == pytest.approx((66 + 12 + 1) / 4096)
    assert worse.p_better == pytest.approx((4096 - 12 - 1) / 4096)
    assert compare(candidate, champion, level=0.05).verdict == "better"
    assert compare(champion, candidate, level=0.01).verdict == "alike"


@settings(max_examples=50, deadline=None)
@given(outcomes)
def test_equals_are_alike_at_any_level(passed: list[bool]) -> None:
    same = compare(passed, passed, level=0.4)
    assert (same.wins, same.losses, same.p_worse, same.p_better, same.verdict) == (0, 0, 1.0, 1.0, "alike")


def test_compare_calls_equals_worse_no_more_often_than_its_level() -> None:
    rng = stream(0, "level")
    worse = 0
    for _ in range(500):
        passed_IS = rng.random((96, 2)) < rng.random((96, 1))
        worse += compare(passed_IS[:, 0].tolist(), passed_IS[:, 1].tolist(), level=0.05).verdict == "worse"
    assert worse / 500 <= 0.07


def test_outcomes_of_different_items_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="1 and 2 outcomes; a paired test needs the same items"):
        compare([True], [True, False], level=0.05)


@pytest.mark.parametrize("wrong", [1.5, -0.1, math.nan])
def test_outcomes_that_are_not_scaled_are_refused(wrong: float) -> None:
    with pytest.raises(ValueError, match=r"expected them in \[0, 1\]"):
        compare([0.5, 0.5], [0.5, wrong], level=0.05)
