"""Exact computation on trees: integers and fractions, polynomials in x and y, and the equations they make.

Everything is Python's integers and `Fraction`, with a bound on their size, so that the answer is exact and
the computation is short. What has no value raises `ProblemError`: `undefined` (division by zero, the
remainder of a fraction, C(3,5)), `size` (beyond the bound), `kind` (an x where a number is needed).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction

from autotelic.domains.math.language import Call, Hole, Neg, Node, Num, Op, ProblemError, Var, text

Value = int | Fraction
Poly = dict[tuple[int, int], Value]
"""Coefficients by the powers of x and y: 3x^2-y is {(2, 0): 3, (0, 1): -1}. No zero coefficients."""

MAX_BITS = 48
_LIMIT = 1 << MAX_BITS
MAX_DEGREE = 6
MAX_FACTORIAL = 12
MAX_CHOICE = 40


def tidy(value: Value) -> Value:
    """An integer where the value is one, and `ProblemError("size")` beyond `MAX_BITS`."""
    # Nearly every value is an integer, and `isinstance` of the abstract `Fraction` is slow.
    if type(value) is not int:
        if value.denominator == 1:
            value = value.numerator
        elif value.denominator.bit_length() > MAX_BITS:
            raise ProblemError("size", f"a denominator beyond {MAX_BITS} bits")
    if -_LIMIT < value < _LIMIT:
        return value
    raise ProblemError("size", f"a number beyond {MAX_BITS} bits")


def divide(left: Value, right: Value) -> Value:
    """The exact quotient."""
    if right == 0:
        raise ProblemError("undefined", "division by zero")
    if type(left) is int and type(right) is int and left % right == 0:
        return left // right
    return tidy(Fraction(left) / right)


def apply(sign: str, left: Value, right: Value) -> Value:
    """One operation on two values."""
    if sign == "+":
        return tidy(left + right)
    if sign == "-":
        return tidy(left - right)
    if sign == "*":
        return tidy(left * right)
    if sign == "/":
        return divide(left, right)
    if not isinstance(right, int) or right < (2 if sign == "%" else 0):
        raise ProblemError("undefined", f"{left}{sign}{right}")
    if sign == "%":
        if not isinstance(left, int):
            raise ProblemError("undefined", f"the remainder of {left}")
        return left % right
    return tidy(left**right)


def count(name: str, numbers: tuple[Value, ...]) -> int:
    """n!, C(n,k) or P(n,k)."""
    if not all(isinstance(number, int) and number >= 0 for number in numbers):
        raise ProblemError("undefined", f"{name} of {numbers}")
    n, *rest = (int(number) for number in numbers)
    if n > (MAX_CHOICE if rest else MAX_FACTORIAL):
        raise ProblemError("size", f"{name} of {n}")
    if rest and rest[0] > n:
        raise ProblemError("undefined", f"{name}({n},{rest[0]})")
    result = math.factorial(n) if not rest else (math.comb if name == "C" else math.perm)(n, rest[0])
    return int(tidy(result))


def value(tree: Node, variables: Mapping[str, Value] | None = None) -> Value:
    """The number a tree stands for, given the variables it holds. A hole that hides a number counts as it."""
    match tree:
        case Num(number):
            return number
        case Op(sign, left, right):
            return apply(sign, value(left, variables), value(right, variables))
        case Call(name, args):
            return count(name, tuple(value(arg, variables) for arg in args))
        case Neg(inner):
            return -value(inner, variables)
        case Hole(int(number)):
            return number
        case Var(name) if variables and name in variables:
            return variables[name]
    raise ProblemError("kind", f"{text(tree)} is not a number")


def poly(tree: Node) -> Poly:
    """The polynomial a tree stands for; it may divide by numbers only."""
    match tree:
        case Num(digits) | Hole(int(digits)):
            return {(0, 0): digits} if digits else {}
        case Var(name):
            return {(1, 0) if name == "x" else (0, 1): 1}
        case Op("^", Var(name), Num(exponent)):
            return {(exponent, 0) if name == "x" else (0, exponent): 1}
        case Neg(inner):
            return scale(poly(inner), -1)
        case Op("+", left, right):
            return add(poly(left), poly(right))
        case Op("-", left, right):
            return add(poly(left), scale(poly(right), -1))
        case Op("*", Num(factor), right) | Op("*", Hole(int(factor)), right):
            return scale(poly(right), factor)
        case Op("*", left, right):
            return multiply(poly(left), poly(right))
        case Op("/", left, right):
            return scale(poly(left), divide(1, value(right)))
        case Op("^", base, Num(exponent)):
            power: Poly = {(0, 0): 1}
            once = poly(base)
            for _ in range(exponent):
                power = multiply(power, once)
            return power
    constant = value(tree)
    return {(0, 0): constant} if constant else {}


def scale(p: Poly, by: Value) -> Poly:
    """Every coefficient times a number."""
    return {powers: tidy(c * by) for powers, c in p.items()} if by else {}


def add(p: Poly, q: Poly) -> Poly:
    """The sum of two polynomials."""
    total = dict(p)
    for powers, c in q.items():
        total[powers] = tidy(total.get(powers, 0) + c)
    return {powers: c for powers, c in total.items() if c}


def multiply(p: Poly, q: Poly) -> Poly:
    """The product of two polynomials, of degree `MAX_DEGREE` at most."""
    if degree(p) + degree(q) > MAX_DEGREE:
        raise ProblemError("size", f"a polynomial of degree above {MAX_DEGREE}")
    product: Poly = {}
    for (a, b), c in p.items():
        for (d, e), f in q.items():
            product[a + d, b + e] = product.get((a + d, b + e), 0) + c * f
    return {powers: tidy(c) for powers, c in product.items() if c}


def degree(p: Poly) -> int:
    """The highest total power; 0 for a constant and for nothing."""
    return max([a + b for a, b in p], default=0)


def derive(p: Poly) -> Poly:
    """The derivative with respect to x."""
    return {(a - 1, b): tidy(c * a) for (a, b), c in p.items() if a}


def coefficients(p: Poly, length: int) -> list[Value]:
    """The coefficients of 1, x, x^2, ... of a polynomial in x."""
    return [p.get((power, 0), 0) for power in range(length)]


def monic(p: Poly) -> Poly:
    """The multiple whose leading coefficient is 1: equations p=0 that share it have the same roots."""
    return scale(p, divide(1, p[max(p)])) if p else p


def roots(p: Poly) -> tuple[Value, ...]:
    """The roots, ascending, of a polynomial in x of degree 1 or 2.

    Raises `ProblemError`: `unsolvable` (no real root), `many` (every x), `irrational` (no fraction is one).
    """
    if any(b for _, b in p) or degree(p) > 2:
        raise ProblemError("kind", "not a linear or quadratic equation in x")
    c, b, a = coefficients(p, 3)
    if not a and not b:
        raise ProblemError("unsolvable" if c else "many", "the x cancels out")
    if not a:
        return (divide(-c, b),)
    root = square_root(tidy(b * b - 4 * a * c))
    return tuple(sorted({divide(-b - root, 2 * a), divide(-b + root, 2 * a)}))


def square_root(square: Value) -> Value:
    """The exact square root."""
    if square < 0:
        raise ProblemError("unsolvable", f"no real root of {square}")
    top, bottom = math.isqrt(square.numerator), math.isqrt(square.denominator)
    if top * top != square.numerator or bottom * bottom != square.denominator:
        raise ProblemError("irrational", f"the root of {square} is no fraction")
    return divide(top, bottom)


def crossing(p: Poly, q: Poly) -> tuple[Value, Value]:
    """The one x and y with p=0 and q=0, both linear; by Cramer's rule."""
    if degree(p) != 1 or degree(q) != 1:
        raise ProblemError("kind", "not two linear equations")
    (a, b, c), (d, e, f) = line(p), line(q)
    determinant = a * e - b * d
    if not determinant:
        same = a * f == c * d and b * f == c * e
        raise ProblemError("many" if same else "unsolvable", "the lines are parallel")
    return divide(c * e - b * f, determinant), divide(a * f - c * d, determinant)


def line(p: Poly) -> tuple[Value, Value, Value]:
    """The a, b, c of ax+by=c."""
    return p.get((1, 0), 0), p.get((0, 1), 0), -p.get((0, 0), 0)


def number(of: Value) -> Node:
    """The tree of a value: an integer or a reduced fraction."""
    return Num(of) if isinstance(of, int) else Op("/", Num(of.numerator), Num(of.denominator))


def tree_of(p: Poly) -> Node:
    """The canonical tree of a polynomial: descending powers, x before y, the constant last."""
    total: Node | None = None
    for powers in sorted(p, key=lambda k: (-k[0] - k[1], -k[0])):
        c = p[powers]
        term = _term(c if total is None or c > 0 else -c, powers)
        total = term if total is None else Op("+" if c > 0 else "-", total, term)
    return total or Num(0)


def _term(c: Value, powers: tuple[int, int]) -> Node:
    factors: list[Node] = [
        Var(name) if power == 1 else Op("^", Var(name), Num(power))
        for name, power in zip("xy", powers, strict=True)
        if power
    ]
    if not factors:
        return number(c)
    top = c.numerator
    product = factors[0] if abs(top) == 1 else Op("*", Num(top), factors[0])
    for factor in factors[1:]:
        product = Op("*", product, factor)
    if c.denominator > 1:
        product = Op("/", product, Num(c.denominator))
    return _minus(product) if top == -1 else product


def _minus(product: Node) -> Node:
    """Minus a product, the sign on its first factor as the parser reads it."""
    if isinstance(product, Op) and product.sign in "*/":
        return Op(product.sign, _minus(product.left), product.right)
    return Neg(product)
