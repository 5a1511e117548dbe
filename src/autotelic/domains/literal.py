"""Answers are data: the size-limited literal parser, and comparison as canonical JSON with exact types.

Nothing here evaluates anything. What a model wrote is measured before it is parsed, so that neither a million
brackets nor a million digits cost more than reading them once.
"""

from __future__ import annotations

import ast
import json
import re
import warnings
from dataclasses import dataclass
from typing import NoReturn

from autotelic.types import Json


class LiteralError(ValueError):
    """The text is no literal within its limits. `str(error)` is short and says which limit or what syntax."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiteralLimits:
    """How large a literal may be: `characters` in all, `brackets` opened in all, `digits` in one number."""

    characters: int = 2_000
    brackets: int = 64
    digits: int = 64


DEFAULT_LIMITS = LiteralLimits()
_ENCODER = json.JSONEncoder(separators=(",", ":"), sort_keys=True, allow_nan=False)
_LONG_NUMBERS = {limits.digits: re.compile(rf"[0-9]{{{limits.digits + 1}}}") for limits in (DEFAULT_LIMITS,)}


def parse_literal(text: str, limits: LiteralLimits = DEFAULT_LIMITS) -> Json:
    """The value that JSON text spells; raises `LiteralError` for anything else, or anything too large.

    >>> parse_literal("[3, 1, true]")
    [3, 1, True]
    """
    if problem := _too_large(text, limits):
        raise LiteralError(problem)
    try:
        value: Json = json.loads(
            text, parse_constant=_refuse_constant, parse_float=_finite, object_pairs_hook=_unique
        )
    except LiteralError:
        raise
    except (ValueError, RecursionError) as error:
        raise LiteralError(f"no JSON: {error}") from None
    return value


def _too_large(text: str, limits: LiteralLimits) -> str:
    """Which limit a text is beyond, before anything is read of it."""
    if len(text) > limits.characters:
        return f"{len(text)} characters; at most {limits.characters} are read"
    if sum(map(text.count, "[{(")) > limits.brackets:
        return f"more than {limits.brackets} brackets"
    pattern = _LONG_NUMBERS.get(limits.digits) or re.compile(rf"[0-9]{{{limits.digits + 1}}}")
    if pattern.search(text):
        return f"a number of more than {limits.digits} digits"
    return ""


def python_literal(text: str, limits: LiteralLimits = DEFAULT_LIMITS) -> Json:
    """Like `parse_literal`, also of what Python spells otherwise: `'a'`, `True`, `None`. Raises `LiteralError`.

    >>> python_literal("['a', True]")
    ['a', True]
    """
    try:
        return parse_literal(text, limits)
    except LiteralError:
        if _too_large(text, limits):
            raise
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            value: object = ast.literal_eval(text.strip())
        return parse_literal(json.dumps(_plain(value)), limits)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise LiteralError(f"no literal: {type(error).__name__}") from None


def _plain(value: object) -> object:
    """A value of Python that JSON has as well, with its types; raises TypeError for another."""
    if type(value) is list:
        return [_plain(item) for item in value]
    if type(value) is dict and all(type(key) is str for key in value):
        return {key: _plain(item) for key, item in value.items()}
    if value is None or type(value) in (bool, int, float, str):
        return value
    raise TypeError(type(value).__name__)


def canonical(value: Json) -> str:
    """The one text of a value: no spaces, sorted keys, ASCII. Raises ValueError on what JSON cannot say.

    >>> canonical([True, 1, 1.0, {"b": 1, "a": "é"}])
    '[true,1,1.0,{"a":"\\\\u00e9","b":1}]'
    """
    return str(value) if type(value) is int else _ENCODER.encode(value)


def same(left: Json, right: Json) -> bool:
    """Whether two values are equal with exact types: `True` is not `1`, and `1.0` is not `1`.

    >>> same([1], [True]), same(1, 1.0), same("a", "a")
    (False, False, True)
    """
    return canonical(left) == canonical(right)


def _refuse_constant(name: str) -> NoReturn:
    raise LiteralError(f"no JSON: {name}")


def _finite(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise LiteralError("a number too large for a float")
    return value


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise LiteralError("a key given twice")
    return found
