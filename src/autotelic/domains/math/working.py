"""Working: a problem rewritten line by line, one operation a line, until its answer stands alone.

A line is small enough for a model of a million parameters to copy all of it but one operation, which is what
makes long problems learnable from short ones. What is added or taken away goes digit by digit, `47+38` being
`47+30+8`, so that there is no carrying over several places to learn. The last line is always the canonical
answer, as `solve` gives it.
"""

from __future__ import annotations

import math

from autotelic.domains.math import exact
from autotelic.domains.math.exact import Poly, Value, number, poly, scale, tree_of
from autotelic.domains.math.language import Call, Neg, Node, Num, Op, Var, rewrite, text
from autotelic.domains.math.problem import Problem, solve, spell

MAX_LINES = 32


def working(problem: Problem) -> list[str]:
    """The lines that lead from a problem, which is not among them, to its answer, which is the last.

    >>> from autotelic.domains.math.problem import read
    >>> working(read("3/4+1/6"))
    ['9/12+2/12', '11/12']
    """
    match problem.kind, problem.parts:
        case "number", (tree,):
            lines = reduction(tree)
        case "at", (point, tree):
            put = rewrite(tree, lambda leaf: point if leaf == Var("x") else leaf)
            lines = [text(put), *reduction(put)]
        case "equation", (left, right):
            lines = _equation(left, right)
        case "system", _:
            lines = _system(problem)
        case "derive", (tree,):
            lines = [text(tree_of(poly(tree)))] if text(tree_of(poly(tree))) != text(tree) else []
        case _:
            lines = _expansion(problem.parts[0])
    answer = solve(problem)
    if len(lines) > MAX_LINES:
        return [answer]
    return [*lines, answer] if lines[-1:] != [answer] else lines


def reduction(tree: Node) -> list[str]:
    """A tree of numbers worked out, one operation a line, left before right and inside before outside."""
    return [text(line) for line in reductions(tree)[1:]]


def reductions(tree: Node) -> list[Node]:
    """A tree, and what it becomes operation by operation."""
    trees = [tree]
    while (simpler := reduce(trees[-1])) is not None and len(trees) <= MAX_LINES + 1:
        trees.append(simpler)
    return trees


def reduce(tree: Node) -> Node | None:
    """The tree with its first operation on numbers done, or None where there is none left to do."""
    match tree:
        case Op(sign, left, right):
            if (is_fraction(left) and is_fraction(right)) or _alike(sign, left, right):
                return _operate(sign, left, right)
            if (simpler := reduce(left)) is not None:
                return Op(sign, simpler, right)
            if (simpler := reduce(right)) is not None:
                return Op(sign, left, simpler)
        case Call(name, args):
            for at, arg in enumerate(args):
                if (simpler := reduce(arg)) is not None:
                    return Call(name, (*args[:at], simpler, *args[at + 1 :]))
            return _count(name, args) if all(isinstance(arg, Num) for arg in args) else None
        case Neg(inner):
            if is_fraction(inner):
                return number(-exact.value(inner))
            return Neg(simpler) if (simpler := reduce(inner)) is not None else None
    return None


def is_fraction(tree: Node) -> bool:
    """An integer, or a quotient of two integers that is not one; it need not be in lowest terms."""
    match tree:
        case Num():
            return True
        case Op("/", Num(top), Num(bottom)):
            return bottom > 1 and top % bottom != 0
    return False


def _alike(sign: str, left: Node, right: Node) -> bool:
    """Quotients over one denominator, to be added or taken away, whatever they come to: `8/4-3/4`."""
    match left, right:
        case Op("/", Num(), Num(one)), Op("/", Num(), Num(other)):
            return sign in "+-" and one == other > 1
    return False


def _operate(sign: str, left: Node, right: Node) -> Node | None:
    """One operation on two fractions; adding unlike ones brings them to one denominator first."""
    if isinstance(left, Num) and isinstance(right, Num):
        if sign in "+-" and (split := _by_digits(sign, left, right)) is not None:
            return split
        result = exact.apply(sign, left.value, right.value)
        done = number(result)
        return None if done == Op(sign, left, right) else done
    (a, b), (c, d) = _ratio(left), _ratio(right)
    if sign in "+-":
        if b == d:
            return Op("/", Num(a + c if sign == "+" else a - c), Num(b))
        common = math.lcm(b, d)
        return Op(sign, _over(a * (common // b), common), _over(c * (common // d), common))
    if sign == "*":
        return Op("/", Num(a * c), Num(b * d))
    if sign == "/" and c > 0:
        return Op("/", Num(a * d), Num(b * c)) if d == 1 else Op("*", left, _over(d, c))
    return number(exact.apply(sign, exact.value(left), exact.value(right)))


def _by_digits(sign: str, left: Num, right: Num) -> Node | None:
    """The first digit of the right number by itself: `47+38` as `47+30+8`. None where it has one to add."""
    a, b = left.value, right.value
    first = 10 ** (len(str(b)) - 1)
    if a < 0 or b < 10 or b % first == 0 or (sign == "-" and a < b):
        return None
    return Op(sign, Op(sign, left, Num(b // first * first)), Num(b % first))


def _ratio(tree: Node) -> tuple[int, int]:
    match tree:
        case Op(_, Num(top), Num(bottom)):
            return top, bottom
        case Num(whole):
            return whole, 1
    raise TypeError(f"not a fraction: {tree!r}")


def _over(top: int, bottom: int) -> Node:
    return Op("/", Num(top), Num(bottom)) if bottom > 1 else Num(top)


def _count(name: str, args: tuple[Node, ...]) -> Node:
    """n! and P(n,k) as a product of falling numbers, C(n,k) as that over k!."""
    n, *rest = (arg.value for arg in args if isinstance(arg, Num))
    total = exact.count(name, tuple(arg.value for arg in args if isinstance(arg, Num)))
    k = rest[0] if rest else n - 1
    if name == "C":
        k = min(k, n - k)
    if total == 1 or k < 2:
        return Num(total)
    falling = _product(range(n, n - k, -1))
    return Op("/", falling, _product(range(k, 1, -1))) if name == "C" else falling


def _product(numbers: range) -> Node:
    product: Node = Num(numbers[0])
    for factor in numbers[1:]:
        product = Op("*", product, Num(factor))
    return product


def _equation(left: Node, right: Node) -> list[str]:
    """Both sides multiplied out, then x brought to the left; the root, or the quadratic formula."""
    given = f"{text(left)}={text(right)}"
    lines = [f"{_tidy(left)}={_tidy(right)}"]
    together = exact.add(poly(left), scale(poly(right), -1))
    c, b, a = exact.coefficients(together, 3)
    if a:
        lines.append(f"{text(tree_of(together))}=0")
        lines += _formula(a, b, c)
    else:
        lines.append(f"{text(tree_of({(1, 0): b}))}={spell(exact.tidy(-c))}")
    return _unlike(given, lines)


def _tidy(tree: Node) -> str:
    return text(tree_of(poly(tree)))


def _unlike(given: str, lines: list[str]) -> list[str]:
    """Lines without those that say what the line before said."""
    return [line for before, line in zip([given, *lines], lines, strict=False) if line != before]


def _formula(a: Value, b: Value, c: Value) -> list[str]:
    """The discriminant, its root, and the two roots before division: `25-24`, `1`, `(5-1)/2,(5+1)/2`."""
    under = Op("-", number(exact.tidy(b * b)), number(exact.tidy(4 * a * c)))
    square = exact.value(under)
    root = exact.square_root(square)
    middle, double = number(exact.tidy(-b)), number(exact.tidy(2 * a))
    halves = [text(Op("/", Op(sign, middle, number(root)), double)) for sign in "-+"]
    return [text(under), spell(square), ",".join(halves if root else halves[:1])]


def _system(problem: Problem) -> list[str]:
    """Elimination of x, then x from the first equation that has one."""
    a, b, c, d = problem.parts
    rows = [exact.add(poly(left), scale(poly(right), -1)) for left, right in ((a, b), (c, d))]
    if not rows[0].get((1, 0)):
        rows.reverse()
    (p, q, r), (s, t, u) = (exact.line(row) for row in rows)
    _, y = exact.crossing(*rows)
    lines = [_rows((p, q, r), (s, t, u))]
    if s:
        up, down = (s, p) if s * p > 0 else (-s, p)
        shared = exact.apply("*", up, 1)
        first = _times((p, q, r), shared)
        second = _times((s, t, u), down)
        lines.append(_rows(first, second))
        t, u = first[1] - second[1], first[2] - second[2]
        lines.append(_row(0, t, u))
    lines += [f"y={spell(y)}", f"{_sum(p, exact.tidy(q * y))}={spell(r)}", _row(p, 0, exact.tidy(r - q * y))]
    return _unlike(problem.text, lines)


def _times(row: tuple[Value, Value, Value], by: Value) -> tuple[Value, Value, Value]:
    a, b, c = row
    return exact.tidy(a * by), exact.tidy(b * by), exact.tidy(c * by)


def _row(a: Value, b: Value, c: Value) -> str:
    side: Poly = {powers: coefficient for powers, coefficient in (((1, 0), a), ((0, 1), b)) if coefficient}
    return f"{text(tree_of(side))}={spell(exact.tidy(c))}"


def _rows(first: tuple[Value, Value, Value], second: tuple[Value, Value, Value]) -> str:
    return f"{_row(*first)};{_row(*second)}"


def _sum(a: Value, constant: Value) -> str:
    return text(tree_of({powers: c for powers, c in (((1, 0), a), ((0, 0), constant)) if c}))


def _expansion(tree: Node) -> list[str]:
    """One product multiplied out term by term; anything else goes straight to its answer."""
    if isinstance(tree, Op) and tree.sign == "^" and tree.right == Num(2):
        tree = Op("*", tree.left, tree.left)
    if not (isinstance(tree, Op) and tree.sign == "*"):
        return []
    total: Node | None = None
    for powers, c in _descending(tree.left):
        for others, d in _descending(tree.right):
            product = exact.multiply({powers: c}, {others: d})
            if total is None:
                total = tree_of(product)
            else:
                sign, size = ("+", product) if c * d > 0 else ("-", scale(product, -1))
                total = Op(sign, total, tree_of(size))
    return [] if total is None else [text(total)]


def _descending(tree: Node) -> list[tuple[tuple[int, int], Value]]:
    return sorted(poly(tree).items(), key=lambda item: (-sum(item[0]), -item[0][0]))
