"""Numbers come back from bytes as they were, bit for bit."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autotelic.record.blobs import holds, pack_entries, pack_steps, texts_of, unpack_entries, unpack_steps
from autotelic.record.plain import text, to_json, untext
from autotelic.types import Entry, Kind, Step, Text, Turn

ids = st.lists(st.integers(0, 2**32 - 1) | st.integers(0, 500), max_size=6).map(tuple)
words = st.text(st.characters(codec=None, exclude_categories=())) | st.just("\0x") | st.just("a\ud800")


@st.composite
def turns(draw: st.DrawFn) -> Turn:
    completion = draw(ids)
    width = draw(st.sampled_from((32, 64)))
    probability = st.floats(width=width)
    return Turn(
        prompt_ids=draw(ids),
        completion_ids=completion,
        logprobs=tuple(draw(st.lists(probability, min_size=len(completion), max_size=len(completion)))),
        weights="sha256:aa",
        stop=draw(st.sampled_from(("eos", "length"))),
    )


steps = st.builds(
    Step,
    turn=turns(),
    reply=words | st.builds(lambda word: (Text(text=word),), words),
    reward=st.floats(allow_nan=False),
)


def bits(values: tuple[float, ...]) -> bytes:
    return struct.pack(f"{len(values)}d", *values)


@given(given_steps=st.lists(steps, max_size=3))
def test_steps_come_back_bit_for_bit(given_steps: list[Step]) -> None:
    heads, numbers = pack_steps(given_steps, decode=lambda _: "\ud800")
    found = unpack_steps(json.loads(heads), numbers)
    assert texts_of(json.loads(heads)) == ("\ud800",) * len(given_steps)
    assert len(found) == len(given_steps)
    for one, other in zip(found, given_steps, strict=True):
        assert (one.reply, one.reward) == (other.reply, other.reward)
        assert one.turn.prompt_ids == other.turn.prompt_ids
        assert one.turn.completion_ids == other.turn.completion_ids
        assert (one.turn.weights, one.turn.stop) == (other.turn.weights, other.turn.stop)
        if not any(np.isnan(other.turn.logprobs)):
            assert bits(one.turn.logprobs) == bits(other.turn.logprobs)
        else:
            assert np.array_equal(one.turn.logprobs, other.turn.logprobs, equal_nan=True)


def test_the_author_of_a_turn_is_not_kept_twice() -> None:
    turn = Turn(prompt_ids=(1,), completion_ids=(2,), logprobs=(-1.0,), weights="sha256:aa", stop="eos")
    heads, numbers = pack_steps([Step(turn=turn)], None, "sha256:aa")
    assert "sha256" not in heads
    assert texts_of(json.loads(heads)) == ()
    assert unpack_steps(json.loads(heads), numbers, "sha256:aa") == (Step(turn=turn),)


def test_a_later_turn_keeps_only_what_is_new_of_its_prompt() -> None:
    first = Turn(
        prompt_ids=(1,) * 90, completion_ids=(2,) * 10, logprobs=(-1.0,) * 10, weights="", stop="eos"
    )
    second = Turn(
        prompt_ids=(1,) * 90 + (2,) * 10 + (3,), completion_ids=(), logprobs=(), weights="", stop="eos"
    )
    given_steps = (Step(turn=first), Step(turn=second))
    heads, numbers = pack_steps(given_steps, None)
    assert len(numbers) == 90 * 2 + 10 * 2 + 10 * 4 + 2
    assert unpack_steps(json.loads(heads), numbers) == given_steps
    with pytest.raises(ValueError, match="bytes of numbers"):
        unpack_steps(json.loads(heads), numbers[:-2])


ROWS = {f"task {row}": row for row in range(1, 9)}
tasks = st.sampled_from(sorted(ROWS))
weight = st.floats(width=32, allow_nan=False)
entries = st.one_of(
    st.builds(Entry, kind=st.just("demonstration"), ref=tasks, weight=weight),
    st.builds(
        Entry,
        kind=st.just("practice"),
        ref=tasks,
        weight=weight,
        shown=st.lists(tasks, max_size=3).map(tuple),
    ),
    st.builds(
        Entry,
        kind=st.sampled_from(("own", "attempt", "proposal")),
        ref=st.integers(1, 2**32 - 1).map(str),
        weight=weight,
    ),
)


@given(batch=st.lists(entries, max_size=8).map(tuple))
def test_entries_come_back(batch: tuple[Entry, ...]) -> None:
    packed = pack_entries(batch, ROWS.__getitem__)
    names = {row: name for name, row in ROWS.items()}
    assert packed.n == len(batch)
    assert unpack_entries(packed, lambda rows: names) == batch
    for entry in batch:
        row = ROWS[entry.ref] if entry.ref in ROWS else int(entry.ref)
        assert holds(packed.kinds, packed.refs, entry.kind, row)


@pytest.mark.parametrize(
    ("kind", "row", "there"), [("own", 3, True), ("own", 4, False), ("attempt", 3, False)]
)
def test_an_entry_is_found_by_kind_and_row(kind: Kind, row: int, there: bool) -> None:
    packed = pack_entries((Entry(kind="own", ref="3", weight=1.0),), ROWS.__getitem__)
    assert holds(packed.kinds, packed.refs, kind, row) is there


@given(value=words)
def test_any_text_fits_into_the_database(value: str) -> None:
    text(value).encode()
    assert untext(text(value)) == value


def test_json_takes_what_stages_have_at_hand() -> None:
    assert (
        to_json({"n": np.int64(3), "row": np.arange(2), "one": np.float32(0.5)})
        == '{"n":3,"row":[0,1],"one":0.5}'
    )
    assert json.loads(to_json({"a\ud800": {"b": (1,)}})) == {"a\ud800": {"b": [1]}}
    with pytest.raises(TypeError, match="object cannot be recorded"):
        to_json({"a": object()})
    with pytest.raises(TypeError, match="object cannot be recorded"):
        to_json({"\ud800": object()})
