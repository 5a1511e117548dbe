"""First-fit decreasing: where items go, and that none overlap."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autotelic.packing import first_fit


def test_longest_first_into_the_first_row_with_room() -> None:
    packed = first_fit([3, 7, 4, 2, 4], 10)
    assert packed.places == [(0, 7), (0, 0), (1, 0), (1, 8), (1, 4)]
    assert (packed.rows, packed.width) == (2, 10)


def test_ties_keep_their_order_and_rows_are_no_wider_than_needed() -> None:
    packed = first_fit([2, 2, 2], 5)
    assert packed.places == [(0, 0), (0, 2), (1, 0)]
    assert (packed.rows, packed.width) == (2, 4)


def test_nothing_needs_no_row() -> None:
    assert first_fit([], 5) == ([], 0, 0)


def test_what_is_wider_than_a_row_is_refused() -> None:
    with pytest.raises(ValueError, match="an item of 6 does not fit a row of 5"):
        first_fit([1, 6], 5)


@given(st.lists(st.integers(1, 20), max_size=30), st.integers(20, 50))
def test_items_lie_within_their_rows_and_side_by_side(lengths: list[int], width: int) -> None:
    packed = first_fit(lengths, width)
    taken: set[tuple[int, int]] = set()
    for (row, start), length in zip(packed.places, lengths, strict=True):
        cells = {(row, start + i) for i in range(length)}
        assert not taken & cells
        assert 0 <= row < packed.rows
        assert start + length <= packed.width <= width
        taken |= cells
