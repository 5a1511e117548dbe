"""Packing: nothing lost, nothing twice, nothing mixed."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from autotelic.learn.pack import ROW, TOLD, Trace, arrange, imitate, pack, reinforce, split
from autotelic.types import Episode, Step, Turn

FIELDS = ("nll", "policy", "advantage", "logprob", "reference")


def trace(length: int, start: int = 1) -> Trace:
    """A trace whose every number is its own."""
    values = np.arange(start, start + length)
    return Trace(ids=values, **{name: (values + k / 8).astype(np.float32) for k, name in enumerate(FIELDS)})


def turn(prompt: tuple[int, ...], completion: tuple[int, ...], logprobs: tuple[float, ...]) -> Turn:
    return Turn(prompt_ids=prompt, completion_ids=completion, logprobs=logprobs, weights="w", stop="eos")


LENGTHS = st.lists(st.integers(1, 200), min_size=1, max_size=60)


@given(LENGTHS)
@settings(deadline=None)
def test_every_token_is_there_once_in_its_place(lengths: list[int]) -> None:
    starts = np.cumsum([1, *lengths])
    traces = [trace(n, int(start)) for n, start in zip(lengths, starts, strict=False)]
    batch = pack(traces)
    places, shape = arrange(traces)
    assert batch.tokens == sum(lengths)
    assert tuple(batch.ids_BT.shape) == shape
    filled = batch.segment_BT > 0
    assert sorted(batch.ids_BT[filled].tolist()) == list(range(1, sum(lengths) + 1))
    for one, (row, start, shared) in zip(traces, places, strict=True):
        assert shared == 0
        span = slice(start, start + len(one))
        assert batch.ids_BT[row, span].tolist() == one.ids.tolist()
        assert batch.position_BT[row, span].tolist() == list(range(len(one)))
        assert len(set(batch.segment_BT[row, span].tolist())) == 1
        for name in FIELDS:
            assert np.array_equal(getattr(batch, f"{name}_BT")[row, span].numpy(), getattr(one, name))


@given(LENGTHS)
@settings(deadline=None)
def test_empty_places_carry_nothing(lengths: list[int]) -> None:
    batch = pack([trace(n) for n in lengths])
    empty = batch.segment_BT == 0
    for name in ("ids", "position", *FIELDS):
        assert not getattr(batch, f"{name}_BT")[empty].any()


@given(LENGTHS)
@settings(deadline=None)
def test_segments_of_a_row_are_numbered_from_one(lengths: list[int]) -> None:
    batch = pack([trace(n) for n in lengths])
    numbers = [sorted(set(row.tolist()) - {0}) for row in batch.segment_BT]
    assert all(found == list(range(1, len(found) + 1)) for found in numbers)
    assert sum(map(len, numbers)) == len(lengths)


@given(LENGTHS)
@settings(deadline=None)
def test_no_row_could_have_joined_an_earlier_one(lengths: list[int]) -> None:
    """First fit: the longest trace of a row found no room in any row before it."""
    batch = pack([trace(n) for n in lengths])
    width = max(ROW, *lengths)
    used = [(row > 0).sum().item() for row in batch.segment_BT]
    longest = [max(np.bincount(row[row > 0].numpy())) for row in batch.segment_BT]
    for later in range(len(used)):
        for earlier in range(later):
            assert (
                width - used[earlier] < longest[later]
                or longest[earlier] >= longest[later] > width - used[earlier]
            )
    # Half full at worst, all but one (Johnson 1973).
    assert sum(n <= width / 2 for n in used) <= 1


def test_first_fit_decreasing_by_hand() -> None:
    batch = pack([trace(n) for n in (28, 100, 60, 64, 4)])
    found = [np.bincount(row[row > 0].numpy())[1:].tolist() for row in batch.segment_BT]
    assert found == [[100, 28], [64, 60, 4]]
    assert batch.ids_BT.shape == (2, 128)


def test_few_rows_are_as_even_as_the_threads_that_share_them() -> None:
    some = [trace(n) for n in (100, 100, 90, 90, 90)]  # 470 tokens, of which two fit in no row of 128
    assert pack(some, threads=1).ids_BT.shape[0] * pack(some, threads=1).ids_BT.shape[1] < 1.1 * 470
    assert pack(some, threads=2).ids_BT.shape == (2, 270)


def test_a_row_is_no_wider_than_what_it_holds() -> None:
    assert pack([trace(9), trace(4)]).ids_BT.shape == (1, 13)
    assert pack([trace(300)]).ids_BT.shape == (1, 300)


def test_nothing_to_pack() -> None:
    with pytest.raises(ValueError, match="no traces"):
        pack([])


def test_imitation_weighs_the_completion_only() -> None:
    one = imitate((5, 6, 7), (8, 9), weight=0.5)
    assert one.ids.tolist() == [5, 6, 7, 8, 9]
    assert one.nll.tolist() == [0, 0, 0, 0.5, 0.5]
    assert not one.policy.any()
    assert not one.advantage.any()


def test_what_a_prompt_tells_is_weighed_less_and_never_shared() -> None:
    one = imitate(range(40), (7, 8), told=(30, 32))
    assert one.nll.nonzero()[0].tolist() == [30, 32, 40, 41]
    assert one.nll[[30, 32, 40]].tolist() == [TOLD, TOLD, 1.0]
    assert {place.shared for place in arrange([one, one])[0]} == {29}


def test_reinforcement_covers_every_turn_and_no_prompt() -> None:
    first = turn((5, 6), (7, 8), (-0.5, -1.0))
    second = turn((5, 6, 7, 8, 9), (10,), (-2.0,))
    one = reinforce(Episode(task_id="t", steps=(Step(turn=first), Step(turn=second)), answer=""), -1.5)
    assert one.ids.tolist() == [5, 6, 7, 8, 9, 10]
    assert one.policy.tolist() == [0, 0, 1, 1, 0, 1]
    assert one.advantage.tolist() == [0, 0, -1.5, -1.5, 0, -1.5]
    assert one.logprob.tolist() == [0, 0, -0.5, -1.0, 0, -2.0]
    assert one.reference.tolist() == one.logprob.tolist()
    assert not one.nll.any()


@given(LENGTHS, st.integers(16, 400), st.integers(0, 2**32))
@settings(deadline=None)
def test_split_covers_all_in_even_batches(lengths: list[int], tokens: int, seed: int) -> None:
    traces = [trace(n) for n in lengths]
    batches = split(traces, tokens, np.random.default_rng(seed))
    assert sorted(id(t) for b in batches for t in b) == sorted(id(t) for t in traces)
    assert all(batches)
    count = max(1, round(sum(lengths) / tokens))
    assert len(batches) <= count
    assert all(sum(map(len, b)) <= sum(lengths) / count + 2 * max(lengths) for b in batches)


def test_split_is_a_function_of_the_stream() -> None:
    traces = [trace(n) for n in range(5, 60)]

    def cut(seed: int) -> list[list[int]]:
        return [[len(t) for t in b] for b in split(traces, 128, np.random.default_rng(seed))]

    assert cut(1) == cut(1) != cut(2)


def test_tensors_have_the_types_the_model_wants() -> None:
    batch = pack([trace(3)])
    assert batch.ids_BT.dtype == batch.position_BT.dtype == torch.long
    assert batch.nll_BT.dtype == torch.float32
