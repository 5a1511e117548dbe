"""The language problems are written in: integers, + - * / % ^, brackets, x, y, n!, C(n,k), P(n,k) and a hole.

A text becomes a small tree, and a tree has one canonical text; `parse(text(tree)) == tree`. Nothing here is
ever evaluated by Python: the parser knows these tokens and no others. Everything is bounded: the length of a
text, the digits of a number, the depth of brackets and the exponent, so that no text can hang or exhaust the
reader.

    expression = term (("+" | "-") term)*
    term       = factor (("*" | "/" | "%") factor | factor)*      2x and 2(x+1) need no "*"
    factor     = "-"? atom "!"? ("^" number)?
    atom       = number | "?" number? | "x" | "y" | "(" expression ")"
               | ("C" | "P") "(" expression "," expression ")"

`a%b` is the remainder of a after division by b. `?` is the hole that a solver fills; `?7` is a hole that was
a 7, which is how a proposer says what it hides.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

MAX_CHARS = 160
MAX_DIGITS = 6
MAX_DEPTH = 12
MAX_EXPONENT = 6


class ProblemError(Exception):
    """Text or numbers that the domain does not take: `reason` is a stable word, `detail` is for people."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Num:
    """An integer, of any sign."""

    value: int


@dataclass(frozen=True, slots=True)
class Hole:
    """The place a solver fills. `value` is what was there, or None where it is not to be seen."""

    value: int | None = None


@dataclass(frozen=True, slots=True)
class Var:
    """x or y."""

    name: str


@dataclass(frozen=True, slots=True)
class Neg:
    """Minus something that is not a number; minus a number is a number."""

    inner: Node


@dataclass(frozen=True, slots=True)
class Op:
    """One of + - * / % ^ between two nodes; the right of ^ is a `Num`."""

    sign: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Call:
    """C(n,k), P(n,k), or the factorial `!` of one node."""

    name: str
    args: tuple[Node, ...]


Node = Num | Hole | Var | Neg | Op | Call

_TOKEN = re.compile(r"[ \t]*(?:([0-9]+)|([xyCP?+\-*/%^!(),]))[ \t]*")


def parse(source: str) -> Node:
    """The tree of an expression. Raises `ProblemError`: `syntax` for what is none, `size` beyond a bound."""
    if len(source) > MAX_CHARS:
        raise ProblemError("size", f"{len(source)} characters, at most {MAX_CHARS}")
    reader = _Reader(_tokens(source))
    tree = reader.expression()
    if reader.at < len(reader.tokens):
        raise ProblemError("syntax", f"unexpected {reader.tokens[reader.at]!r}")
    return tree


def _tokens(source: str) -> list[str]:
    tokens: list[str] = []
    at = 0
    while at < len(source):
        match = _TOKEN.match(source, at)
        if match is None:
            raise ProblemError("syntax", f"unexpected {source[at]!r}")
        digits, sign = match.groups()
        if digits and len(digits) > MAX_DIGITS:
            raise ProblemError("size", f"a number of {len(digits)} digits, at most {MAX_DIGITS}")
        if digits and len(digits) > 1 and digits[0] == "0":
            raise ProblemError("syntax", f"{digits!r} starts with a zero")
        tokens.append(digits or sign)
        at = match.end()
    return tokens


class _Reader:
    """Recursive descent over tokens; one method a rule of the grammar above."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens
        self.at = 0
        self.depth = 0

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, expected: str = "") -> str:
        token = self.peek()
        if not token or (expected and token != expected):
            raise ProblemError("syntax", f"expected {expected or 'more'!r}, got {token or 'the end'!r}")
        self.at += 1
        return token

    def expression(self) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ProblemError("size", f"brackets nested deeper than {MAX_DEPTH}")
        tree = self.term()
        while self.peek() in ("+", "-"):
            tree = Op(self.take(), tree, self.term())
        self.depth -= 1
        return tree

    def term(self) -> Node:
        tree = self.factor()
        while token := self.peek():
            if token in "*/%":
                tree = Op(self.take(), tree, self.factor())
            elif token in "xyCP(":
                tree = Op("*", tree, self.factor())
            else:
                break
        return tree

    def factor(self) -> Node:
        negative = self.peek() == "-"
        if negative:
            self.take()
        tree = self.atom()
        if self.peek() == "!":
            self.take()
            tree = Call("!", (tree,))
        if self.peek() == "^":
            self.take()
            exponent = self.take()
            if not exponent.isdigit():
                raise ProblemError("syntax", f"an exponent must be a number, got {exponent!r}")
            if int(exponent) > MAX_EXPONENT:
                raise ProblemError("size", f"an exponent of {exponent}, at most {MAX_EXPONENT}")
            tree = Op("^", tree, Num(int(exponent)))
        return negate(tree) if negative else tree

    def atom(self) -> Node:
        token = self.take()
        if token.isdigit():
            return Num(int(token))
        if token in "xy":
            return Var(token)
        if token == "?":
            return Hole(int(self.take()) if self.peek().isdigit() else None)
        if token == "(":
            tree = self.expression()
            self.take(")")
            return tree
        if token in "CP":
            self.take("(")
            first = self.expression()
            self.take(",")
            second = self.expression()
            self.take(")")
            return Call(token, (first, second))
        raise ProblemError("syntax", f"unexpected {token!r}")


def negate(tree: Node) -> Node:
    """Minus a tree, with numbers folded."""
    return Num(-tree.value) if isinstance(tree, Num) else Neg(tree)


_STRENGTH = {"+": 1, "-": 1, "*": 2, "/": 2, "%": 2, "^": 4}
_FIRST_MINUS = 3
"""A minus sign binds like a factor and may only stand first; elsewhere it gets brackets."""


def text(tree: Node) -> str:
    """The canonical text: no spaces, fewest brackets, `3x` rather than `3*x`.

    >>> text(parse("( 3 * x ) + ( 4 - (2 - 1) )"))
    '3x+(4-(2-1))'
    """
    return _text(tree, 1, True)


def _text(tree: Node, strength: int, first: bool) -> str:
    """`strength` is what the surroundings need; `first`: nothing stands to the left in this bracket."""
    match tree:
        case Num(value):
            if value < 0 and not (first and strength <= _FIRST_MINUS):
                return f"({value})"
            return str(value)
        case Hole(value):
            return "?" if value is None else f"?{value}"
        case Var(name):
            return name
        case Call("!", (inner,)):
            return _text(inner, 5, first) + "!" if strength < 5 else f"({_text(inner, 5, True)}!)"
        case Call(name, args):
            return f"{name}({','.join(text(arg) for arg in args)})"
        case Neg(inner):
            bare = first and strength <= _FIRST_MINUS
            return f"-{_text(inner, 4, False)}" if bare else f"(-{_text(inner, 4, False)})"
        case Op("^", base, exponent):
            shown = f"{_text(base, 4 if isinstance(base, Call) else 5, first)}^{_text(exponent, 5, False)}"
            return shown if strength < 5 else f"({shown})"
        case Op(sign, left, right):
            own = _STRENGTH[sign]
            bare = strength <= own
            near = _text(left, own, first or not bare)
            far = _text(right, own + 1, False)
            joint = "" if sign == "*" and isinstance(left, Num | Hole) and far[0] in "xy" else sign
            return near + joint + far if bare else f"({near}{joint}{far})"
    raise TypeError(f"not a node: {tree!r}")


def children(tree: Node) -> tuple[Node, ...]:
    """The nodes directly below."""
    match tree:
        case Op(_, left, right):
            return (left, right)
        case Call(_, args):
            return args
        case Neg(inner):
            return (inner,)
    return ()


def leaves(tree: Node) -> list[Node]:
    """Numbers, holes and variables from left to right, without exponents, which are notation."""
    below = children(tree)[:1] if isinstance(tree, Op) and tree.sign == "^" else children(tree)
    return [leaf for child in below for leaf in leaves(child)] if below else [tree]


def rewrite(tree: Node, change: Callable[[Node], Node]) -> Node:
    """The tree with `change` made to every one of its `leaves`."""
    match tree:
        case Op("^", base, exponent):
            return Op("^", rewrite(base, change), exponent)
        case Op(sign, left, right):
            return Op(sign, rewrite(left, change), rewrite(right, change))
        case Call(name, args):
            return Call(name, tuple(rewrite(arg, change) for arg in args))
        case Neg(inner):
            return negate(rewrite(inner, change))
    return change(tree)


def operations(tree: Node) -> int:
    """How many operations the tree holds; a minus sign is none."""
    own = 0 if isinstance(tree, Neg) else 1
    below = children(tree)
    return own + sum(operations(child) for child in below) if below else 0
