"""Formulas as answers: a small grammar, read by our own parser and evaluated over arrays.

    sum     = product (("+" | "-") product)*
    product = factor (("*" | "/") factor)*
    factor  = "-" factor | atom ("^" factor)?
    atom    = number | name | name "(" sum ("," sum)* ")" | "(" sum ")"

`if(a, b, x, y)` is x where a < b, else y. There are no loops and no values but float64 arrays, and a formula has
at most `NODES` nodes, so that its cost is bounded. Python's `eval` is not used anywhere.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

CHARACTERS = 300
"""The longest text that is read."""
NODES = 60
"""The most nodes (numbers, names, operations) of a formula: it bounds the time of an evaluation."""
DEPTH = 30
"""The deepest nesting: it bounds the parser's recursion."""

Array = NDArray[np.float64]
Operation = Callable[..., Any]
FUNCTIONS: Mapping[str, tuple[int, Operation]] = {
    "abs": (1, np.abs),
    "sqrt": (1, np.sqrt),
    "exp": (1, np.exp),
    "log": (1, np.log),
    "sin": (1, np.sin),
    "cos": (1, np.cos),
    "min": (2, np.minimum),
    "max": (2, np.maximum),
    "if": (4, lambda a, b, x, y: np.where(a < b, x, y)),
}
"""Each function by name: how many arguments it takes, and what it does."""
OPERATORS: Mapping[str, Operation] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "^": np.power,
}
_TOKEN = re.compile(r"\s*(?:(\d+\.?\d*(?:[eE][-+]?\d{1,3})?|\.\d+)|([A-Za-z_]\w*)|(\*\*|[-+*/^(),]))")


class FormulaError(ValueError):
    """A text that is no formula. `reason` is a short stable word: `empty`, `long`, `syntax`, `name`,
    `range`, `deep`.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Formula:
    """A node: `head` is an operator, a function, `number` (with `value`) or the name of a variable."""

    head: str
    parts: tuple[Formula, ...] = ()
    value: float = 0.0

    @property
    def nodes(self) -> int:
        """How many nodes it has, itself included."""
        return 1 + sum(part.nodes for part in self.parts)

    @property
    def names(self) -> frozenset[str]:
        """The variables that stand in it."""
        own = frozenset() if self.parts or self.head == "number" else frozenset([self.head])
        return own.union(*(part.names for part in self.parts))

    def __call__(self, values: Mapping[str, Array | float]) -> Array:
        """Its values, broadcast over those of its variables. What is undefined is nan or infinite, silently."""
        with np.errstate(all="ignore"):
            return np.asarray(self._at(values), dtype=np.float64)

    def _at(self, values: Mapping[str, Array | float]) -> Array:
        if self.head == "number":
            return np.asarray(self.value, dtype=np.float64)
        if not self.parts:
            return np.asarray(values[self.head], dtype=np.float64)
        operation = OPERATORS.get(self.head) or FUNCTIONS[self.head][1]
        given = [part._at(values) for part in self.parts]
        found: Array = operation(*given)
        return found

    def __str__(self) -> str:
        if self.head == "number":
            return repr(int(self.value)) if self.value.is_integer() else repr(self.value)
        if not self.parts:
            return self.head
        if self.head in OPERATORS:
            left, right = self.parts
            return f"({left}{self.head}{right})"
        return f"{self.head}({','.join(map(str, self.parts))})"


def parse(text: str, names: Collection[str]) -> Formula:
    """The formula that a text spells, over these variables. Raises FormulaError for anything else.

    >>> str(parse("2*item - max(room, 3)", ("item", "room")))
    '((2*item)-max(room,3))'
    """
    if len(text) > CHARACTERS:
        raise FormulaError("long", f"{len(text)} characters, and {CHARACTERS} are the most")
    if not text.strip():
        raise FormulaError("empty", "there is no formula")
    found = _Parser(text, names).whole()
    if found.nodes > NODES:
        raise FormulaError("long", f"{found.nodes} parts, and {NODES} are the most")
    return found


def line_of(completion: str) -> str:
    """The line of a completion that is its formula: the last one that is not empty, without what precedes `=`."""
    lines = [line.strip("` \t*$") for line in completion[-4 * CHARACTERS :].splitlines()]
    last = next((line for line in reversed(lines) if line and not re.fullmatch("python|text", line)), "")
    return re.sub(r"^(?:return\b|[A-Za-z_ ]*(?:\([^()]*\))?\s*[=:])\s*", "", last)


class _Parser:
    """Recursive descent. `depth` counts what is open, so that no text can exhaust the stack."""

    def __init__(self, text: str, names: Collection[str]) -> None:
        self.names = frozenset(names)
        self.tokens: list[str] = []
        self.at = 0
        self.depth = 0
        end = 0
        text = text.rstrip()
        while end < len(text):
            token = _TOKEN.match(text, end)
            if token is None:
                raise FormulaError("syntax", f"cannot read {text[end : end + 12]!r}")
            self.tokens.append("^" if token[0].strip() == "**" else token[0].strip())
            end = token.end()

    def whole(self) -> Formula:
        found = self.sum()
        if self.at < len(self.tokens):
            raise FormulaError("syntax", f"{self.tokens[self.at]!r} follows a whole formula")
        return found

    def _next(self, *wanted: str) -> str:
        """The next token if it is one of those, and past it; else empty."""
        if self.at < len(self.tokens) and self.tokens[self.at] in wanted:
            self.at += 1
            return self.tokens[self.at - 1]
        return ""

    def _need(self, token: str) -> None:
        if not self._next(token):
            got = repr(self.tokens[self.at]) if self.at < len(self.tokens) else "the end"
            raise FormulaError("syntax", f"{token!r} is missing before {got}")

    def sum(self) -> Formula:
        self.depth += 1
        if self.depth > DEPTH:
            raise FormulaError("deep", f"more than {DEPTH} levels of nesting")
        left = self.product()
        while operator := self._next("+", "-"):
            left = Formula(operator, (left, self.product()))
        self.depth -= 1
        return left

    def product(self) -> Formula:
        left = self.factor()
        while operator := self._next("*", "/"):
            left = Formula(operator, (left, self.factor()))
        return left

    def factor(self) -> Formula:
        self.depth += 1
        if self.depth > DEPTH:
            raise FormulaError("deep", f"more than {DEPTH} levels of nesting")
        if self._next("-"):
            found = Formula("-", (Formula("number"), self.factor()))
        else:
            found = self.atom()
            if self._next("^"):
                found = Formula("^", (found, self.factor()))
        self.depth -= 1
        return found

    def atom(self) -> Formula:
        if self.at >= len(self.tokens):
            raise FormulaError("syntax", "it ends too early")
        token = self.tokens[self.at]
        self.at += 1
        if token == "(":
            found = self.sum()
            self._need(")")
            return found
        if token[0].isdigit() or token[0] == ".":
            if not math.isfinite(value := float(token)):
                raise FormulaError("range", f"the number {token[:12]} is too large")
            return Formula("number", value=value)
        if token in FUNCTIONS:
            return Formula(token, self._arguments(token))
        if token in self.names:
            return Formula(token)
        if token[0].isalpha() or token[0] == "_":
            known = ", ".join(sorted(self.names))
            raise FormulaError("name", f"there is no {token[:20]!r}; there are {known}")
        raise FormulaError("syntax", f"{token!r} stands where a value should")

    def _arguments(self, name: str) -> tuple[Formula, ...]:
        self._need("(")
        found = [self.sum()]
        while self._next(","):
            found.append(self.sum())
        self._need(")")
        wanted = FUNCTIONS[name][0]
        if len(found) != wanted:
            raise FormulaError("syntax", f"{name} takes {wanted} values, got {len(found)}")
        return tuple(found)


def draw(
    rng: np.random.Generator,
    names: Sequence[str],
    *,
    depth: int = 3,
    functions: Sequence[str] = ("min", "max", "if", "abs"),
    numbers: Sequence[str] = ("1", "2", "3", "5", "10", "20", "50"),
) -> str:
    """A random formula as text, without spaces and with few brackets.

    `depth` is how many operations are nested at most; half of what could nest does.
    """
    if depth == 0 or rng.random() < 0.25:
        return str(rng.choice(names) if rng.random() < 0.7 else rng.choice(numbers))

    def part() -> str:
        return draw(rng, names, depth=depth - 1, functions=functions, numbers=numbers)

    kind = rng.random()
    if functions and kind < 0.4:
        name = str(rng.choice(functions))
        return f"{name}({','.join(part() for _ in range(FUNCTIONS[name][0]))})"
    operator = str(rng.choice(["+", "-", "*", "/"]))
    left, right = part(), part()
    return f"{_bracketed(left, operator)}{operator}{_bracketed(right, operator)}"


def _bracketed(text: str, operator: str) -> str:
    """The text in brackets, where it is no single atom and the operator does not simply add."""
    plain = re.fullmatch(r"[\w.]+|\w+\([^()]*\)", text)
    return text if plain or operator == "+" else f"({text})"
