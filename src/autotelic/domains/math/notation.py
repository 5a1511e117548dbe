r"""From the tokens of an answer to values and expressions: the grammar of what models write.

    value      = sign? ( number | number? fraction | "(" value ")" ) percent?         finished, nothing to work out
    fraction   = digits "/" digits | \frac{digits}{digits}                            in lowest terms
    expression = the grammar of `language`, with \frac, \binom, decimals and mixed numbers besides

A value is finished where nothing is left to do: 7/2, 3 1/2 and 3.5 are, 14/4, 7/1 and 7/(-2) are not.
"""

from __future__ import annotations

from fractions import Fraction

from autotelic.domains.math import exact
from autotelic.domains.math.exact import Value
from autotelic.domains.math.language import (
    MAX_DEPTH,
    MAX_EXPONENT,
    Call,
    Hole,
    Node,
    Num,
    Op,
    ProblemError,
    Var,
    negate,
)
from autotelic.domains.math.markup import Macro, Token, Tokens, is_number

MAX_DIGITS = 12
"""Digits of a number in an answer: more than any right answer has."""


def value(given: Tokens) -> Value:
    """The number that is written, finished.

    Raises `ProblemError`: `unfinished` for an expression with something left to work out, `size` beyond a bound,
    `format` for what is neither.
    """
    found = _value(given)
    if found is not None:
        return exact.tidy(found)
    expression(given)
    if "?" in given:
        raise ProblemError("format", "a hole is no value")
    raise ProblemError("unfinished", "it is still to be worked out")


def _value(given: Tokens) -> Fraction | None:
    """The value if it is finished, and None for anything else."""
    sign, body = _signed(given)
    if body[:1] == ("(",) and body[-1:] == (")",):
        inner = _value(body[1:-1])
        return None if inner is None or (sign < 0 and inner < 0) else sign * inner
    percent = body[-1:] == ("\\%",)
    while body[-1:] in (("\\%",), ("\\degree",)) or (body and _is_degree(body[-1])):
        body = body[:-1]
        if percent and body[-1:] == ("\\%",):
            return None
    found = _unsigned(body)
    if found is None:
        return None
    return sign * found / (100 if percent else 1)


def _is_degree(token: Token) -> bool:
    return isinstance(token, Macro) and token.name == "^" and token.args == (("\\degree",),)


def _signed(given: Tokens) -> tuple[int, Tokens]:
    if given[:1] == ("-",):
        return -1, given[1:]
    return 1, given[1:] if given[:1] == ("+",) else given


def _unsigned(given: Tokens) -> Fraction | None:
    match given:
        case (str(digits),):
            return number(digits)
        case (str(digits), Macro("bar", ((str(period),),))):
            return _repeating(digits, period)
        case (str(whole), Macro("frac", _) as part):
            return _mixed(number(whole, integer=True), _fraction(*part.args))
        case (str(whole), str(top), "/", str(bottom)):
            return _mixed(number(whole, integer=True), _fraction((top,), (bottom,)))
        case (str(top), "/", str(bottom)):
            return _fraction((top,), (bottom,))
        case (Macro("frac", _) as part,):
            return _fraction(*part.args)
    return None


def number(token: str, integer: bool = False) -> Fraction | None:
    """The number that a token is; None where it is none, or no integer though it must be.

    Raises `ProblemError("size")` beyond `MAX_DIGITS`, and `format` for a leading zero, as in 07.
    """
    whole, point, decimals = token.partition(".")
    if not (whole + decimals).isdigit() or not token.isascii() or (integer and point):
        return None
    if len(whole) + len(decimals) > MAX_DIGITS:
        raise ProblemError("size", f"a number of {len(token)} digits, at most {MAX_DIGITS}")
    if len(whole) > 1 and whole[0] == "0":
        raise ProblemError("format", f"{token!r} starts with a zero")
    return Fraction(f"{whole or '0'}{point}{decimals}")


def _fraction(top: Tokens, bottom: Tokens) -> Fraction | None:
    """A fraction of integers in lowest terms; its sign may stand above."""
    sign, above = _signed(top)
    if len(above) != 1 or len(bottom) != 1 or not isinstance(above[0], str) or not isinstance(bottom[0], str):
        return None
    over, under = number(above[0], integer=True), number(bottom[0], integer=True)
    if over is None or under is None or under < 2:
        return None
    reduced = over / under
    return sign * reduced if reduced.denominator == under else None


def _mixed(whole: Fraction | None, part: Fraction | None) -> Fraction | None:
    """3 1/2: a whole number and a fraction below 1."""
    return None if not whole or part is None or not 0 < part < 1 else whole + part


def _repeating(digits: str, period: str) -> Fraction | None:
    r"""`0.1\overline{6}`, with the digits that repeat under the bar."""
    if number(digits) is None or not period.isdigit() or len(digits) + len(period) > MAX_DIGITS:
        return None
    shown = len(digits.partition(".")[2])
    return Fraction(digits) + Fraction(int(period), (10 ** len(period) - 1) * 10**shown)


def expression(given: Tokens) -> Node:
    """The tree of an expression that is written with tokens. Raises `ProblemError`: `format` or `size`."""
    return _Reader().whole(given)


class _Reader:
    """Recursive descent, as in `language`; `depth` counts brackets and arguments alike."""

    def __init__(self) -> None:
        self.depth = 0

    def whole(self, given: Tokens) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ProblemError("size", f"nested deeper than {MAX_DEPTH}")
        rest = _Rest(given)
        tree = self.sum(rest)
        if rest.given:
            raise ProblemError(
                "unfinished" if rest.next == "\\pm" else "format", f"unexpected {rest.given[0]!r}"
            )
        self.depth -= 1
        return tree

    def sum(self, rest: _Rest) -> Node:
        tree = self.product(rest)
        while rest.next in ("+", "-"):
            sign = rest.take_text()
            tree = Op(sign, tree, self.product(rest))
        return tree

    def product(self, rest: _Rest) -> Node:
        tree = self.power(rest)
        while rest.given:
            if rest.next in ("*", "/", "%"):
                sign = rest.take_text()
                tree = Op(sign, tree, self.power(rest))
            elif rest.starts_factor() or (isinstance(tree, Call) and is_number(rest.next)):  # 3!4!
                tree = Op("*", tree, self.power(rest))
            else:
                break
        return tree

    def power(self, rest: _Rest) -> Node:
        negative = rest.next == "-"
        if rest.next in ("+", "-"):
            rest.take_text()
        tree = self.atom(rest)
        if rest.next == "!":
            rest.take_text()
            tree = Call("!", (tree,))
        if rest.next == "\\choosing":
            rest.take_text()
            tree = Call("C", (tree, self.atom(rest)))
        if (raised := rest.macro("^")) is not None:
            tree = Op("^", tree, _exponent(raised))
        return negate(tree) if negative else tree

    def atom(self, rest: _Rest) -> Node:
        if (called := self.choice(rest)) is not None:
            return called
        token = rest.take()
        if isinstance(token, Macro):
            return self.macro(token)
        if token == "\\factorial" and rest.next == "(":
            rest.take()
            return Call("!", (self.whole(rest.bracket()),))
        if token == "(":
            return self.whole(rest.bracket())
        if token in ("x", "y"):
            return Var(token)
        if token == "?":
            return Hole()
        found = number(token)
        if found is None:
            raise ProblemError(
                "unfinished" if token in ("\\sqrt", "\\pm") else "format", f"unexpected {token!r}"
            )
        following = rest.given[0] if rest.given else ""
        if found.denominator == 1 and isinstance(following, Macro) and following.name == "frac":
            part = _mixed(found, _fraction(*following.args)) if "." not in token else None
            if part is not None:
                rest.take()
                return exact.number(exact.tidy(part))
        return exact.number(exact.tidy(found))

    def macro(self, token: Macro) -> Node:
        if token.name not in ("frac", "binom"):
            raise ProblemError("format", f"unexpected {token.name!r}")
        first, second = (self.whole(arg) for arg in token.args)
        return Op("/", first, second) if token.name == "frac" else Call("C", (first, second))

    def choice(self, rest: _Rest) -> Node | None:
        r"""C(7,3), P(7,3), 7C3, C_7^3, C^3_7, {}_7C_3 and ^7C_3, all of them 3 of 7."""
        at = 0
        around: list[Tokens] = []
        while at < len(rest.given) and isinstance(token := rest.given[at], Macro) and token.name in "^_":
            around.append(token.args[0])
            at += 1
        if (
            not around
            and rest.given[:1]
            and _digits(rest.given[0])
            and rest.given[1:2] in (("C",), ("P",), ("A",))
        ):
            around, at = [rest.given[:1]], 1
        if at >= len(rest.given) or rest.given[at] not in ("C", "P", "A"):
            return None
        name = "P" if rest.given[at] == "A" else str(rest.given[at])  # A for arrangements
        after = rest.given[at + 1 :]
        if after[:1] == ("(",) and not around:
            rest.given = after[1:]
            parts = split(rest.bracket(), ",", ";")
            if len(parts) != 2:
                raise ProblemError("format", f"{name} of {len(parts)}")
            return Call(name, (self.whole(parts[0]), self.whole(parts[1])))
        while after and len(around) < 2:
            token = after[0]
            if isinstance(token, Macro) and token.name in "^_":
                around.append(token.args[0])
            elif around and _digits(token):
                around.append((token,))
            else:
                break
            after = after[1:]
        if len(around) != 2:
            raise ProblemError("format", f"{name} of {len(around)}")
        rest.given = after
        numbers = [self.whole(one) for one in around]
        numbers.sort(key=lambda node: -node.value if isinstance(node, Num) else 0)
        return Call(name, (numbers[0], numbers[1]))


class _Rest:
    """The tokens that are still to be read."""

    def __init__(self, given: Tokens) -> None:
        self.given = given

    @property
    def next(self) -> str:
        """The next token, if it is a text."""
        return self.given[0] if self.given and isinstance(self.given[0], str) else ""

    def take(self) -> Token:
        if not self.given:
            raise ProblemError("format", "it ends too early")
        first, self.given = self.given[0], self.given[1:]
        return first

    def take_text(self) -> str:
        return str(self.take())

    def macro(self, name: str) -> Tokens | None:
        """The argument of the next token if it is this macro."""
        if self.given and isinstance(self.given[0], Macro) and self.given[0].name == name:
            found = self.given[0].args[0]
            self.given = self.given[1:]
            return found
        return None

    def starts_factor(self) -> bool:
        """Whether a factor may follow without a sign: 2x, 2(x+1), 2C(7,3), but never two numbers."""
        first = self.given[0]
        if isinstance(first, Macro):
            return first.name in ("frac", "binom")
        return first in ("x", "y", "(", "C", "P", "A", "\\factorial")

    def bracket(self) -> Tokens:
        """What stands up to the bracket that closes; the opening one was taken."""
        depth = 1
        for at, token in enumerate(self.given):
            depth += {"(": 1, ")": -1}.get(token, 0) if isinstance(token, str) else 0
            if not depth:
                inside, self.given = self.given[:at], self.given[at + 1 :]
                return inside
        raise ProblemError("format", "a bracket is not closed")


def _digits(token: Token) -> bool:
    return isinstance(token, str) and token.isdigit()


def _exponent(raised: Tokens) -> Num:
    if len(raised) != 1 or not isinstance(raised[0], str) or not raised[0].isdigit():
        raise ProblemError("format", "an exponent must be a number")
    found = number(raised[0])
    if found is None or found > MAX_EXPONENT:
        raise ProblemError("size", f"an exponent of {raised[0]}, at most {MAX_EXPONENT}")
    return Num(int(found))


def split(given: Tokens, *signs: str) -> list[Tokens]:
    """The parts between signs that stand in no bracket."""
    parts: list[Tokens] = [()]
    depth = 0
    for token in given:
        if isinstance(token, str):
            depth += {"(": 1, ")": -1, "{": 1, "}": -1}.get(token, 0)
            if not depth and token in signs:
                parts.append(())
                continue
        parts[-1] = (*parts[-1], token)
    return parts
