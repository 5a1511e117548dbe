"""One text, and so one hash, for one JSON value: RFC 8785, the JSON Canonicalization Scheme.

Whoever holds a charter, an exam's items or a decision's inputs can compute the digest that the record
commits to, in any language that has a JCS library. One liberty: integers are written in full, where the RFC,
which knows only doubles, would round those above 2**53.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from decimal import Decimal
from json.encoder import encode_basestring
from typing import Any


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
