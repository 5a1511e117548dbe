"""Canonical JSON: the C core, its Python reference and the standard library agree on every value."""

import importlib
import json
import math
from collections import OrderedDict
from enum import IntEnum
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autotelic.sandbox import decode, encode
from autotelic.sandbox.inside import encode as reference
from autotelic.sandbox.inside.encode import NotJsonError, TooLongError

ROOM = 1 << 20
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


class Color(IntEnum):
    RED = 1


class Same(int):
    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = int.__hash__


NOT_JSON = {
    "a tuple": (1, 2),
    "a set": {1},
    "bytes": b"x",
    "a subclass of int": Same(1),
    "an enumeration": Color.RED,
    "a subclass of dict": OrderedDict(a=1),
    "not a number": math.nan,
    "infinity": -math.inf,
    "a key that is no text": {1: 2},
    "a lone surrogate": "\ud800",
    "two that look like a pair": "\ud83d" + "\ude00",
    "a surrogate in a key": {"\udfff": 1},
    "an object": object(),
}
NOT_CANONICAL = [
    *("", " 1", "1 ", "01", "-0", "+1", "1.", ".5", "1e5", "1.0e400", "NaN", "Infinity", "True", "nul"),
    *('"', '"\n"', '"\\u0041"', '"\\u000a"', '"\\u00E9"', '"é"', '"\\ud800"', '"\\ude00\\ud83d"', '"\\/"'),
    *("[1, 2]", "[1,]", "[", "]", "[1]]", "{}x", '{"b":1,"a":2}', '{"a":1,"a":2}', "{1:2}", '{"a" :1}'),
    "[" * 201 + "]" * 201,
]


@pytest.fixture(scope="module")
def core() -> ModuleType:
    try:
        module = importlib.import_module("autotelic.sandbox._core")
    except ImportError:
        pytest.skip("the C core was not built: `pip install -e .` with a compiler builds it")
    module.errors(NotJsonError, TooLongError)
    return module


@given(VALUES)
def test_all_encoders_write_the_same(core: ModuleType, value: object) -> None:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    assert core.encode(value, ROOM) == reference.encode(value, ROOM) == encode(value) == text  # type: ignore[arg-type]


def test_long_integers_are_canonical_without_the_core() -> None:
    """Beyond the interpreter's limit of 4,300 digits, which holds for whoever checks a report."""
    for text in ("9" * 9000, "-" + "7" * 5000, "[1," + "3" * 4400 + "]"):
        assert reference.is_canonical(text)
    for text in ("0" + "9" * 9000, "9" * 9000 + ".0", " " + "9" * 9000, "--" + "9" * 9000):
        assert not reference.is_canonical(text)


@given(VALUES)
def test_what_is_encoded_is_canonical_and_decodes_to_itself(core: ModuleType, value: object) -> None:
    text = encode(value)  # type: ignore[arg-type]
    assert core.is_canonical(text)
    assert reference.is_canonical(text)
    assert encode(decode(text)) == text


@given(st.text('01-+.eE"\\u[]{},: ntrdf', max_size=12))
def test_both_checks_agree_on_any_text(core: ModuleType, text: str) -> None:
    assert core.is_canonical(text) == reference.is_canonical(text)


@given(VALUES)
def test_room_is_kept_to_the_byte(core: ModuleType, value: object) -> None:
    text = encode(value)  # type: ignore[arg-type]
    for write in (core.encode, reference.encode):
        assert write(value, len(text)) == text
        with pytest.raises(TooLongError):
            write(value, len(text) - 1)


@pytest.mark.parametrize("name", NOT_JSON)
def test_what_is_no_json_value_is_named(core: ModuleType, name: str) -> None:
    for write in (core.encode, reference.encode):
        with pytest.raises(NotJsonError, match="no JSON"):
            write([NOT_JSON[name]], ROOM)


@pytest.mark.parametrize("text", NOT_CANONICAL)
def test_what_is_not_canonical_is_told(core: ModuleType, text: str) -> None:
    assert not core.is_canonical(text)
    assert not reference.is_canonical(text)


def test_nesting_ends_at_the_same_depth(core: ModuleType) -> None:
    value: object = 1
    for _ in range(200):
        value = [value]
    assert core.encode(value, ROOM) == reference.encode(value, ROOM)
    for write in (core.encode, reference.encode):
        with pytest.raises(NotJsonError, match="nested"):
            write([value], ROOM)


def test_integers_of_any_length_come_back(core: ModuleType) -> None:
    value = -(10**5000) - 7
    # The interpreter's own limit on digits holds on this side, and is lifted inside.
    assert decode("-1" + "0" * 4999 + "7") == value
