"""Canonical JSON from the storage of base types. The C core has the same function; this is its reference.

Compact, keys sorted by code point, ASCII. Types are exact: an instance of a subclass of int, however
it compares or prints, is not an int. Nothing of the value's own is called.
"""

from __future__ import annotations

import json
from json.encoder import encode_basestring_ascii as quote
from typing import Any

DEPTH = 200
"""Lists and objects nested deeper than this are no JSON value here: both ends then need no deep recursion."""


class NotJsonError(TypeError):
    """The value, or something in it, is no JSON value; the message says what."""


class TooLongError(ValueError):
    """The text would be longer than the room given."""


def encode(value: object, room: int) -> str:
    """Canonical JSON text of at most `room` characters.

    >>> encode({"b": 1.0, "a": [True, 1]}, 100)
    '{"a":[true,1],"b":1.0}'
    """
    parts: list[str] = []
    if _append(value, parts, room, 0) < 0:
        raise TooLongError(f"longer than {room} bytes")
    return "".join(parts)


def type_name(kind: type) -> str:
    """A class's name from its storage; its metaclass has no say."""
    name: str = type.__dict__["__name__"].__get__(kind)
    return name


def _string(value: str) -> str:
    # Two lone surrogates would read as the one character that the pair stands for.
    if not str.isascii(value) and any("\ud800" <= character <= "\udfff" for character in value):
        raise NotJsonError("a string with a lone surrogate is no JSON value")
    return quote(value)


def _append(value: Any, parts: list[str], room: int, depth: int) -> int:
    """Append the text of `value`; returns the room left, negative as soon as there is none."""
    kind = type(value)
    if kind is list or kind is dict:
        return _append_container(value, parts, room, depth)
    if value is None:
        text = "null"
    elif value is True:
        text = "true"
    elif value is False:
        text = "false"
    elif kind is int:
        if int.bit_length(value) > 4 * room:
            return -1  # without first spending quadratic time on its digits
        text = int.__repr__(value)
    elif kind is float:
        text = float.__repr__(value)
        if text in ("nan", "inf", "-inf"):
            raise NotJsonError(f"the float {text} is no JSON value")
    elif kind is str:
        if len(value) > room:
            return -1
        text = _string(value)
    elif kind is _Digits:
        text = value.text
    else:
        raise NotJsonError(f"a {type_name(kind)} is no JSON value")
    parts.append(text)
    return room - len(text)


def _append_container(
    value: list[object] | dict[object, object], parts: list[str], room: int, depth: int
) -> int:
    if depth >= DEPTH:
        raise NotJsonError(f"nested deeper than {DEPTH}")
    left = room - 2
    if type(value) is list:
        parts.append("[")
        for index, item in enumerate(value):
            if index:
                parts.append(",")
                left -= 1
            left = _append(item, parts, left, depth + 1)
            if left < 0:
                return left
        parts.append("]")
        return left
    assert type(value) is dict
    for key in value:
        if type(key) is not str:
            raise NotJsonError(f"a key of type {type_name(type(key))} is no JSON key")
    parts.append("{")
    names: list[Any] = sorted(value)
    for index, name in enumerate(names):
        text = ("," if index else "") + _string(name) + ":"
        parts.append(text)
        left = _append(value[name], parts, left - len(text), depth + 1)
        if left < 0:
            return left
    parts.append("}")
    return left


def long_int(digits: str) -> int:
    """`int(digits)` without the interpreter's limit on digits, a way for a program to stop its judge."""
    if len(digits) < 4000:
        return int(digits)
    sign, digits = (-1, digits[1:]) if digits[0] == "-" else (1, digits)
    value, step = 0, 4000
    for start in range(0, len(digits), step):
        part = digits[start : start + step]
        value = value * 10 ** len(part) + int(part)
    return sign * value


class _Digits:
    """A long integer of a text that is only checked: its digits, which take no arithmetic to be written again."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


def is_canonical(text: str) -> bool:
    """Whether `text` is exactly what `encode` writes for some value. Integers may have any number of digits."""
    try:
        value = json.loads(
            text, parse_int=lambda digits: int(digits) if len(digits) < 4000 else _Digits(digits)
        )
        return encode(value, len(text)) == text
    except (ValueError, TypeError, RecursionError):
        return False
