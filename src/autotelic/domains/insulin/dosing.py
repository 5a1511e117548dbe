"""What an answer can be: four settings of a therapy, or a dosing expression. Both are read as data and never run.

Research software, not medical advice.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from autotelic.domains.insulin.patients import Floats

LONGEST = 160
"""Characters of an answer: four numbers with their names, or an expression of some thirty operations."""
RANGES = (("basal", 50, 150), ("carbs", 50, 250), ("correction", 50, 250), ("target", 100, 200))
"""The settings: basal rate, carbohydrate ratio and correction factor in percent of the standard therapy's; the
glucose that a correction aims at, mg/dL."""
VARIABLES = ("g", "d", "c", "i", "r", "f")
"""Of an expression: sensor's glucose (mg/dL), its change in 15 minutes, carbohydrates said (g), insulin on board (U),
the standard carbohydrate ratio (g/U) and correction factor (mg/dL per U)."""
LARGEST = 25.0
"""The largest dose of a quarter of an hour, U."""
DEPTH = 12
"""Operations within one another in an expression."""


class AnswerError(Exception):
    """An answer that is no therapy; it says why in one short word."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Four constants, as `RANGES` has them."""

    basal: int = 100
    carbs: int = 100
    correction: int = 100
    target: int = 140


@dataclass(frozen=True, slots=True)
class Rule:
    """Units in a quarter of an hour beside the standard basal rate, by an expression; below nothing, less basal."""

    text: str


Therapy = Settings | Rule
STANDARD = Settings()
"""The therapy that a sheet's summary was taken on."""


def read_settings(text: str) -> Settings:
    """Four whole numbers, with or without their names. Raises AnswerError: long, form, range."""
    if len(text) > LONGEST:
        raise AnswerError("long")
    numbers = re.findall("[0-9]+", text)
    if len(numbers) != len(RANGES) or not re.fullmatch(r"[0-9A-Za-z%,:;=/ \n]*", text):
        raise AnswerError("form")
    values = [int(number) for number in numbers]
    if any(not low <= value <= high for value, (_, low, high) in zip(values, RANGES, strict=True)):
        raise AnswerError("range")
    return Settings(*values)


def read_rule(text: str) -> Rule:
    """An expression of `VARIABLES`, numbers, + - * / > <, min and max. Raises AnswerError: long, form."""
    text = text.strip()
    if len(text) > LONGEST:
        raise AnswerError("long")
    try:
        tree = ast.parse(text, mode="eval").body if text.isascii() else None
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        tree = None
    if tree is None:
        raise AnswerError("form")
    compiled(tree, DEPTH)
    return Rule(text)


Values = Mapping[str, Floats]
_TWO: Mapping[type, Callable[[Floats, Floats], Floats]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.Gt: np.greater,
    ast.Lt: np.less,
}


def compiled(node: ast.AST, depth: int) -> Callable[[Values], Floats]:
    """What an expression gives for arrays of its variables. Raises AnswerError for anything else than one."""
    if depth < 0:
        raise AnswerError("form")
    match node:
        case ast.Constant(value=int() | float() as number) if (
            not isinstance(number, bool) and abs(number) < 1e6
        ):
            constant = np.float64(number)
            return lambda _: np.asarray(constant)
        case ast.Name(id=name) if name in VARIABLES:
            return lambda values: values[name]
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            one = compiled(inner, depth - 1)
            return lambda values: np.negative(one(values))
        case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _TWO:
            return _pair(_TWO[type(operator)], left, right, depth)
        case ast.Compare(left=left, ops=[operator], comparators=[right]) if type(operator) in _TWO:
            return _pair(_TWO[type(operator)], left, right, depth)
        case ast.Call(func=ast.Name(id="min" | "max" as name), args=[left, right], keywords=[]):
            return _pair(np.minimum if name == "min" else np.maximum, left, right, depth)
    raise AnswerError("form")


def _pair(
    function: Callable[[Floats, Floats], Floats], left: ast.AST, right: ast.AST, depth: int
) -> Callable[[Values], Floats]:
    one, other = compiled(left, depth - 1), compiled(right, depth - 1)
    return lambda values: np.asarray(function(one(values), other(values)), dtype=np.float64)


def evaluator(rule: Rule) -> Callable[[Values], Floats]:
    """The dose of a rule that was read, units for arrays of its variables; NaN where it is no number."""
    return compiled(ast.parse(rule.text, mode="eval").body, DEPTH)
