"""Leaves: JSON objects as canonical text (RFC 8785), read and written strictly.

What is written reads back as the same value, in any language. So a leaf holds no integer that a double rounds
(beyond 2^53 - 1, RFC 7493), no NaN, no key twice and no lone surrogate, and there is one text for one value.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autotelic.canonical import AmbiguousJsonError, canonical, parsed
from autotelic.errors import LedgerError


def encode_leaf(value: Mapping[str, Any]) -> bytes:
    """The canonical text of a leaf, UTF-8. Raises LedgerError for what JSON cannot say exactly."""
    if not isinstance(value, Mapping):
        raise LedgerError(f"a leaf is a JSON object, not {type(value).__name__}")
    try:
        data = canonical(value).encode()
    except (TypeError, ValueError, AttributeError, RecursionError) as error:
        told = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)[:200]
        raise LedgerError(f"a leaf cannot be written as JSON: {told}") from error
    decode_leaf(data)  # a double of 2^53 or more is written as an integer, which no reader may take
    return data


def decode_leaf(data: bytes) -> dict[str, Any]:
    """The value of a leaf's text. Raises LedgerError unless it is the canonical text of a JSON object."""
    try:
        value = parsed(data)
    except AmbiguousJsonError as error:
        raise LedgerError(
            f"a leaf is not JSON that every reader understands alike: {error}", error.fix
        ) from error
    if not isinstance(value, dict):
        raise LedgerError(f"a leaf is a JSON object, not {type(value).__name__}")
    if canonical(value).encode() != data:
        raise LedgerError("a leaf is not in canonical form (RFC 8785)")
    return value
