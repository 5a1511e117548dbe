"""First problems, from what a human wrote: one generator a level.

A generator returns a text that is *meant* for its level. Whether it is, the domain checks in the same way as
for what a model proposes, and draws again where it is not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

from autotelic.domains.math.exact import tree_of
from autotelic.domains.math.language import Hole, Node, Num, Op, text
from autotelic.domains.math.problem import Problem

Rng = np.random.Generator
T = TypeVar("T")


def between(rng: Rng, low: int, high: int) -> int:
    """A whole number from low to high, both included."""
    return int(rng.integers(low, high + 1))


def pick(rng: Rng, of: Sequence[T]) -> T:
    """One of several, each as likely."""
    return of[int(rng.integers(len(of)))]


def problem_text(rng: Rng, level: int) -> str:
    """A problem meant for a level."""
    return _PROBLEMS[level](rng)


def hide(rng: Rng, problem: Problem) -> Problem:
    """The problem with one of its numbers hidden; unchanged where it has none to hide."""
    places = [at for at, leaf in enumerate(problem.leaves) if isinstance(leaf, Num) and leaf.value > 1]
    if not places:
        return problem
    chosen, seen = pick(rng, places), -1

    def cover(leaf: Node) -> Node:
        nonlocal seen
        seen += 1
        return Hole(leaf.value) if seen == chosen and isinstance(leaf, Num) else leaf

    return problem.rewrite(cover)


def _one_operation(rng: Rng) -> str:
    sign = pick(rng, "++--*/")
    if sign in "*/":
        a, b = between(rng, 2, 12), between(rng, 2, 12)
        return f"{a}*{b}" if sign == "*" else f"{min(a * b, 99 // b * b)}/{b}"
    a, b = sorted((between(rng, 1, 99), between(rng, 1, 99)))
    return f"{a}+{b}" if sign == "+" else f"{b}-{a}"


def _several_operations(rng: Rng) -> str:
    """Grown from the inside out, so that every value on the way is a whole number below a few hundred."""
    value = between(rng, 2, 20)
    tree: Node = Num(value)
    for _ in range(between(rng, 2, 3)):
        sign = pick(rng, "++--*/")
        divisors = [d for d in range(2, 10) if value % d == 0]
        if sign == "*" and value <= 20:
            n = between(rng, 2, 9)
            tree, value = (Op("*", tree, Num(n)) if rng.random() < 0.5 else Op("*", Num(n), tree)), value * n
        elif sign == "/" and divisors and 1 < value < 100:
            n = pick(rng, divisors)
            tree, value = Op("/", tree, Num(n)), value // n
        elif sign == "-" and value > 1:
            if value < 50 and rng.random() < 0.3:
                n = between(rng, value + 1, 60)
                tree, value = Op("-", Num(n), tree), n - value
            else:
                n = between(rng, 1, min(value - 1, 50))
                tree, value = Op("-", tree, Num(n)), value - n
        elif rng.random() < 0.3:
            a, b = between(rng, 2, 9), between(rng, 2, 9)
            tree, value = Op("+", tree, Op("*", Num(a), Num(b))), value + a * b
        else:
            n = between(rng, 2, 50)
            tree, value = (Op("+", tree, Num(n)) if rng.random() < 0.5 else Op("+", Num(n), tree)), value + n
    return text(tree)


def proper(rng: Rng) -> tuple[int, int]:
    """A fraction below 1 in lowest terms, its denominator at most 9."""
    bottom = between(rng, 2, 9)
    return pick(rng, [(top, bottom) for top in range(1, bottom) if np.gcd(top, bottom) == 1])


_REMAINDERS = ("{big}%{m}", "({big}+{c})%{m}", "{a}*{b}%{m}", "({a}*{b}+{c})%{m}", "{big}%{m}+{c}")
_FRACTIONS = ("{a}/{b}+{c}/{d}", "{a}/{b}-{c}/{d}", "{a}/{b}*({c}/{d})", "{a}/{b}/({c}/{d})")


def _remainder_or_fraction(rng: Rng) -> str:
    if rng.random() < 0.5:
        m, a, b = between(rng, 3, 9), between(rng, 2, 12), between(rng, 2, 12)
        c = between(rng, 1, 20)
        return pick(rng, _REMAINDERS).format(m=m, a=a, b=b, c=c, big=between(rng, 10, 99))
    (a, b), (c, d) = proper(rng), proper(rng)
    return pick(rng, _FRACTIONS).format(a=a, b=b, c=c, d=d)


def _signed(number: int) -> str:
    return f"{number:+d}"


def _linear(rng: Rng) -> str:
    x, a, b = between(rng, -9, 12), between(rng, 2, 9), between(rng, 1, 12) * pick(rng, (1, -1))
    match between(rng, 0, 4):
        case 0:
            return f"{a}x{_signed(b)}={a * x + b}"
        case 1:
            return f"{a}*(x{_signed(b)})={a * (x + b)}"
        case 2:
            c = pick(rng, [n for n in range(2, 10) if n != a])
            return f"{a}x{_signed(b)}={c}x{_signed(a * x + b - c * x)}"
        case 3:
            c = between(rng, 2, 5)
            return f"{a}*(x{_signed(b)})+{c}x={a * (x + b) + c * x}"
        case _:
            return f"x/{a}{_signed(b)}={between(rng, -5, 9) + b}"


def _system(rng: Rng) -> str:
    x, y = between(rng, -5, 9), between(rng, -5, 9)
    sides = []
    for _ in range(2):
        a, b = between(rng, 1, 4), between(rng, 1, 4) * pick(rng, (1, -1))
        sides.append(f"{text(tree_of({(1, 0): a, (0, 1): b}))}={a * x + b * y}")
    return ";".join(sides)


def _quadratic(rng: Rng) -> str:
    """From its roots r and s, or r and -s/a."""
    r, s, a = between(rng, -9, 9), between(rng, -9, 9), between(rng, 2, 3)
    match between(rng, 0, 3):
        case 0:
            return polynomial(r * s, -r - s, 1) + "=0"
        case 1:
            return f"x^2={polynomial(-r * s, r + s)}"
        case 2:
            return f"x*({polynomial(-r - s, 1)})={-r * s}"
        case _:
            return polynomial(-r * s, s - a * r, a) + "=0"


def polynomial(*coefficients: int) -> str:
    """The text of a polynomial, from its coefficients of 1, x, x^2, ..."""
    return text(tree_of({(power, 0): c for power, c in enumerate(coefficients) if c}))


def binomial(rng: Rng) -> str:
    """x plus or minus a digit, sometimes with a small coefficient."""
    return polynomial(between(rng, 1, 9) * pick(rng, (1, -1)), pick(rng, (1, 1, 2, 3)))


def _about_polynomials(rng: Rng) -> str:
    match between(rng, 0, 4):
        case 0 | 1:
            return f"expand ({binomial(rng)})*({binomial(rng)})"
        case 2:
            return f"expand ({binomial(rng)})^2"
        case 3:
            return "derive " + polynomial(*(between(rng, -9, 9) for _ in range(between(rng, 3, 4))))
        case _:
            return f"at {between(rng, 2, 6)} " + polynomial(*(between(rng, -9, 9) for _ in range(3)))


_COUNTS = ("C({n},{k})", "P({n},{k})", "C({n},{k})*{j}", "{m}!*{j}", "C({n},{k})+{m}!", "P({n},{k})-{j}")


def _counting(rng: Rng) -> str:
    n, k, m, j = between(rng, 3, 12), between(rng, 2, 4), between(rng, 3, 6), between(rng, 2, 12)
    form = pick(rng, (*_COUNTS, "C({n},2)*C({m},{l})", "C({n},{k})+C({m},{l})"))
    return form.format(n=n, k=min(k, n - 1), m=m, j=j, l=between(rng, 2, m - 1))


_PROBLEMS: dict[int, Callable[[Rng], str]] = {
    1: _one_operation,
    2: _several_operations,
    3: _remainder_or_fraction,
    4: _linear,
    5: _system,
    6: _quadratic,
    7: _about_polynomials,
    8: _counting,
}
