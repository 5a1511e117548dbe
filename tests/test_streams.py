"""Streams are reproducible everywhere, independent by name, and never salted."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autotelic.streams import seed_of, stream

names = st.lists(st.one_of(st.text(), st.integers()), max_size=4)


def test_golden_values_pin_the_streams_of_every_past_run() -> None:
    assert seed_of(0, "init") == 3953688860265627247
    assert stream(0, "propose", 3, 7).integers(1000, size=4).tolist() == [363, 732, 82, 234]


@settings(max_examples=50, deadline=None)
@given(st.integers(), names)
def test_a_name_always_gives_the_same_stream(seed: int, name: list[str | int]) -> None:
    assert (
        stream(seed, *name).integers(2**62, size=3).tolist()
        == stream(seed, *name).integers(2**62, size=3).tolist()
    )
    assert seed_of(seed, *name) == seed_of(seed, *name)
    assert 0 <= seed_of(seed, *name) < 2**63


@settings(max_examples=50, deadline=None)
@given(names, names)
def test_different_names_give_different_streams(one: list[str | int], other: list[str | int]) -> None:
    assert (seed_of(0, *one) == seed_of(0, *other)) == ([*map(repr, one)] == [*map(repr, other)])


def test_parts_of_a_name_do_not_run_together() -> None:
    seeds = {
        seed_of(0, "a", 1),
        seed_of(0, "a", "1"),
        seed_of(0, "a1"),
        seed_of(0, "a", 1, ""),
        seed_of(1, "a"),
    }
    assert len(seeds) == 5


def test_numpy_integers_name_the_stream_that_python_integers_name() -> None:
    assert seed_of(0, int(np.int64(5))) == seed_of(0, np.int64(5))  # type: ignore[arg-type]


def test_a_float_is_no_name() -> None:
    with pytest.raises(TypeError, match=r"got 0\.1"):
        stream(0, 0.1)  # type: ignore[arg-type]


def test_streams_do_not_depend_on_the_salt_of_hash() -> None:
    code = "from autotelic.streams import seed_of; print(seed_of(3, 'attempt', 12))"
    seen = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": salt},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for salt in ("1", "2")
    }
    assert seen == {f"{seed_of(3, 'attempt', 12)}\n"}
