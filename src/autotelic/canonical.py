"""One text, and so one hash, for one JSON value: RFC 8785, the JSON Canonicalization Scheme.

Whoever holds a charter, an exam's items or a decision's inputs can compute the digest that the record
commits to, in any language that has a JCS library. One liberty: integers are written in full, where the RFC,
which knows only doubles, would round those above 2**53.

`parsed` reads strictly, for what is signed or committed to: it refuses what two readers could understand
differently.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from decimal import Decimal
from json.encoder import encode_basestring
from typing import Any

MOST_INTEGER = (1 << 53) - 1
"""The largest integer that every JSON reader holds exactly (RFC 7493, section 2.2; RFC 8785, appendix D)."""


class AmbiguousJsonError(ValueError):
    """What is no JSON, or what two readers of JSON could understand differently. `fix` says what to do."""

    def __init__(self, cause: str, fix: str) -> None:
        super().__init__(cause)
        self.fix = fix


def canonical(value: Any) -> str:
    """The canonical text of a JSON value; tuples are lists, and mappings need string keys.

    >>> canonical({"b": [1.0, 1e-7], "a": True})
    '{"a":true,"b":[1,1e-7]}'

    Raises `ValueError` for nan and infinity, `TypeError` for what JSON has no word for.
    """
    match value:
        case str():
            # json escapes strings exactly as RFC 8785 section 3.2.2.2 asks, once told to keep Unicode.
            return encode_basestring(value)
        case None | bool():
            return json.dumps(value)
        case int():
            return int.__repr__(value)
        case float():
            return _number(value)
        case list() | tuple():
            return "[" + ",".join(map(canonical, value)) + "]"
        case Mapping():
            # Section 3.2.3: keys sort by their UTF-16 code units.
            keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
            return "{" + ",".join(f"{encode_basestring(key)}:{canonical(value[key])}" for key in keys) + "}"
    raise TypeError(f"{type(value).__name__} is not JSON: {value!r:.60}")


def digest(value: Any) -> str:
    """`sha256:` and the hash of the canonical text, in hexadecimal."""
    return "sha256:" + hashlib.sha256(canonical(value).encode()).hexdigest()


def parsed(text: str | bytes, most_depth: int = 500) -> Any:
    """The JSON value of a text. Refuses what two readers could understand differently.

    Raises AmbiguousJsonError for what is no JSON, a key that stands twice, and all that `check_plain` refuses.
    """
    try:
        if isinstance(text, bytes):
            text = text.decode()
        value = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
        check_plain(value, most_depth)
    except AmbiguousJsonError:
        raise
    except RecursionError:
        raise AmbiguousJsonError("this is no JSON: it is nested too deeply", "send a flatter value") from None
    except ValueError as error:
        raise AmbiguousJsonError(f"this is no JSON: {str(error)[:200]}", "send one JSON value") from None
    return value


def check_plain(value: Any, most_depth: int = 500) -> None:
    """Raise AmbiguousJsonError for a value that not every JSON reader understands alike.

    That is NaN and infinity, an integer past 2**53 - 1, half a character, what is nested deeper than
    `most_depth` levels, and what is no JSON.
    """
    if most_depth < 0:
        raise AmbiguousJsonError("a value is nested too deeply", "send a flatter one")
    match value:
        case None | bool():
            return
        case str():
            try:
                value.encode()
            except UnicodeEncodeError:
                raise AmbiguousJsonError(
                    "a text holds half a character (a lone surrogate)", "send UTF-8"
                ) from None
        case int():
            if abs(value) > MOST_INTEGER:
                shown = f"{value}" if value.bit_length() < 200 else f"of {value.bit_length()} bits"
                raise AmbiguousJsonError(f"the integer {shown} is past 2**53 - 1", "send it as a text")
        case float():
            if not math.isfinite(value):
                raise AmbiguousJsonError(f"{value} is not JSON", "send finite numbers")
            if value.is_integer() and abs(value) > MOST_INTEGER:
                raise AmbiguousJsonError(f"the integer {value:.0f} is past 2**53 - 1", "send it as a text")
        case list() | tuple():
            for item in value:
                check_plain(item, most_depth - 1)
        case Mapping():
            for key, item in value.items():
                if not isinstance(key, str):
                    raise AmbiguousJsonError(f"the key {key!r} is no text", "send keys as texts")
                check_plain(key, most_depth - 1)
                check_plain(item, most_depth - 1)
        case _:
            raise AmbiguousJsonError(f"{type(value).__name__} is not JSON", "send plain values")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise AmbiguousJsonError(f"the key {twice[:60]!r} stands twice in one object", "send each key once")
    return found


def _no_constant(name: str) -> Any:
    raise AmbiguousJsonError(f"{name} is not JSON", "send finite numbers")


def _number(x: float) -> str:
    """A double as ECMAScript writes it (Number::toString), which is what RFC 8785 section 3.2.2.3 asks for.

    Python's repr finds the same shortest digits; only where the point and the exponent go differs.
    """
    if not math.isfinite(x):
        raise ValueError(f"{x} is not JSON")
    if x < 0:
        return "-" + _number(-x)
    if x == 0:
        return "0"
    _, figures, exponent = Decimal(repr(x)).as_tuple()
    digits = "".join(map(str, figures))
    point = len(digits) + int(exponent)  # x = 0.digits * 10**point
    digits = digits.rstrip("0")
    if len(digits) <= point <= 21:
        return digits + "0" * (point - len(digits))
    if 0 < point <= 21:
        return f"{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return "0." + "0" * -point + digits
    mantissa = digits if len(digits) == 1 else f"{digits[0]}.{digits[1:]}"
    return f"{mantissa}e{point - 1:+d}"
