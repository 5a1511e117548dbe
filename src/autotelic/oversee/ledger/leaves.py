"""Leaves: JSON objects as canonical text (RFC 8785), read and written strictly.

What is written reads back as the same value, in any language. So a leaf holds no integer that a double rounds
(beyond 2^53 - 1, RFC 7493), no NaN, no key twice and no lone surrogate, and there is one text for one value.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, NoReturn

from autotelic.canonical import canonical
from autotelic.errors import LedgerError

MAX_INTEGER = 2**53 - 1
"""The largest integer that every reader of JSON holds exactly (RFC 7493, section 2.2)."""


def encode_leaf(value: Mapping[str, Any]) -> bytes:
    """The canonical text of a leaf, UTF-8. Raises LedgerError for what JSON cannot say exactly."""
    if not isinstance(value, Mapping):
        raise LedgerError(f"a leaf is a JSON object, not {type(value).__name__}")
    try:
        data = canonical(value).encode()
    except (TypeError, ValueError, AttributeError, RecursionError) as error:
        raise LedgerError(f"a leaf cannot be written as JSON: {_told(error)}") from error
    decode_leaf(data)  # a double of 2^53 or more is written as an integer, which no reader may take
    return data


def decode_leaf(data: bytes) -> dict[str, Any]:
    """The value of a leaf's text. Raises LedgerError unless it is the canonical text of a JSON object."""
    try:
        value = json.loads(
            data.decode(),
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_double,
            parse_constant=_constant,
        )
        if not isinstance(value, dict):
            raise LedgerError(f"a leaf is a JSON object, not {type(value).__name__}")
        if canonical(value).encode() != data:
            raise LedgerError("a leaf is not in canonical form (RFC 8785)")
    except (ValueError, RecursionError) as error:
        raise LedgerError(f"a leaf is not JSON: {_told(error)}") from error
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise LedgerError(f"a leaf has the key {twice[:60]!r} twice")
    return value


def _integer(text: str) -> int:
    if len(text) > 17 or abs(number := int(text)) > MAX_INTEGER:
        raise LedgerError(f"a leaf holds the integer {text[:40]}, beyond 2^53 - 1", "write it as a string")
    return number


def _double(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise LedgerError(f"a leaf holds {text[:40]}, which is no finite double")
    return number


def _constant(text: str) -> NoReturn:
    raise LedgerError(f"a leaf holds {text}, which is not JSON")


def _told(error: Exception) -> str:
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)[:200]
