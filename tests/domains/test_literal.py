"""Answers are data: what parses, what does not, and what equals what."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autotelic.domains.literal import LiteralError, LiteralLimits, canonical, parse_literal, same

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.text(max_size=8)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(VALUES)
def test_canonical_text_parses_back_to_the_same_value(value):
    assert canonical(parse_literal(canonical(value))) == canonical(value)


@given(VALUES, VALUES)
def test_same_is_equality_of_values_and_of_types(left, right):
    def shape(value):
        if isinstance(value, list):
            return [shape(v) for v in value]
        if isinstance(value, dict):
            return {k: shape(v) for k, v in value.items()}
        return (type(value).__name__, repr(value))

    assert same(left, right) == (shape(left) == shape(right))


@pytest.mark.parametrize(("left", "right"), [(True, 1), (1.0, 1), (0, False), ("1", 1), ([], ""), (None, 0)])
def test_equal_looking_values_of_other_types_differ(left, right):
    assert not same(left, right)
    assert not same([left], [right])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0) or (1",
        "__import__('os')",
        "[1,2",
        "1 2",
        "(1)",
        "{1}",
        "True",
        "'a'",
        "NaN",
        "-Infinity",
        "1e999",
        "0x10",
        "1_000",
        "9" * 5000,
        "-" + "1" * 65,
        "[" * 100_000,
        "[" * 65 + "]" * 65,
        "[" + "1," * 5000 + "1]",
        '{"a":1,"a":2}',
        "1\x00",
        '"\n"',
    ],
)
def test_what_is_no_small_literal_is_an_error_and_nothing_else(text):
    with pytest.raises(LiteralError):
        parse_literal(text)


@given(st.text(max_size=200))
@settings(max_examples=300)
def test_any_text_parses_or_is_refused(text):
    try:
        value = parse_literal(text)
    except LiteralError:
        return
    assert canonical(value) == canonical(json.loads(text))


def test_limits_are_those_given():
    limits = LiteralLimits(characters=10, brackets=1, digits=2)
    assert parse_literal("[12,3]", limits) == [12, 3]
    for text in ("[123]", "[[1]]", "[1,2,3,4,5]"):
        with pytest.raises(LiteralError):
            parse_literal(text, limits)
