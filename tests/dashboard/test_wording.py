import doctest

from hypothesis import given
from hypothesis import strategies as st

from autotelic.dashboard import wording
from autotelic.types import Score


def test_examples_in_the_docstrings() -> None:
    assert doctest.testmod(wording).failed == 0
    assert doctest.testmod(wording).attempted > 5


@given(st.one_of(st.none(), st.floats(), st.integers()))
def test_every_number_has_a_word(value: float | None) -> None:
    for word in (wording.percent, wording.decimal, wording.count, wording.clock):
        assert word(value)
    assert len(wording.bar(value, 10)) == 10


def test_what_was_not_measured_is_a_dash() -> None:
    assert wording.percent(float("nan")) == wording.count(None) == wording.interval(None) == "–"


def test_interval_gives_both_ends() -> None:
    assert wording.interval(Score(value=0.5, low=0.404, high=0.596, n=100), 1) == "50.0 % (40.4–59.6)"


def test_clock_rounds_into_the_next_minute() -> None:
    assert wording.clock(119.7) == "2:00"
    assert wording.clock(3599.9) == "1:00:00"


@given(st.lists(st.floats(allow_nan=False), max_size=20), st.integers(0, 12))
def test_sparkline_has_the_asked_width(values: list[float], width: int) -> None:
    assert len(wording.sparkline(values, width)) == width
