"""A problem: what is asked about which expressions, its one exact answer, its level, and its sameness.

(3+4)*6-5                 work out a number                            levels 1, 2, 3 and 8
3x+5=20                   find the x                                   level 4, or 6 where x is squared
x+y=10;x-y=4              find the x and y                             level 5
expand (x+2)*(x-3)        multiply out                                 level 7
derive x^3-2x             the derivative                               level 7
at 4 x^2-3x               the number at x = 4                          level 7
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from autotelic.domains.math import exact
from autotelic.domains.math.exact import Value
from autotelic.domains.math.language import (
    Call,
    Hole,
    Neg,
    Node,
    Num,
    Op,
    ProblemError,
    Var,
    children,
    leaves,
    operations,
    parse,
    rewrite,
    text,
)

Kind = Literal["number", "equation", "system", "expand", "derive", "at"]
Shape = Literal["number", "roots", "pair", "polynomial"]
LEVELS = range(1, 9)
TOPICS = {
    1: "one operation on whole numbers",
    2: "several operations with brackets, every step a whole number",
    3: "remainders (a%b is the remainder of a divided by b) and fractions",
    4: "a linear equation in x",
    5: "two linear equations in x and y",
    6: "a quadratic equation in x with rational roots",
    7: "polynomials: expand, derive, or the value at a number",
    8: "counting: C(n,k) choices, P(n,k) arrangements, n!",
}
MAX_NUMBER = (0, 99, 99, 99, 99, 99, 199, 99, 40)
"""The largest number a problem of each level may be written with."""
MAX_RESULT = (0, 999, 999, 999, 9_999, 9_999, 9_999, 9_999, 99_999)
"""The largest number, numerator or denominator that working a problem of each level may meet."""
MAX_OPERATIONS = 6
_WORDS: tuple[Kind, ...] = ("expand", "derive", "at")
_SHAPES: dict[Kind, Shape] = {
    "number": "number",
    "equation": "roots",
    "system": "pair",
    "expand": "polynomial",
    "derive": "polynomial",
    "at": "number",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """What is asked, and the expressions it is asked about.

    `parts` are the two sides of an equation, the four of a system, the point and the polynomial of an `at`,
    and one expression otherwise.
    """

    kind: Kind
    parts: tuple[Node, ...]

    @property
    def shape(self) -> Shape:
        """What the answer looks like."""
        return _SHAPES[self.kind]

    @property
    def text(self) -> str:
        """The canonical text, which `read` takes back."""
        return _spell(self.kind, [text(part) for part in self.parts])

    @property
    def leaves(self) -> list[Node]:
        """Every number, hole and variable, from left to right."""
        return [leaf for part in self.parts for leaf in leaves(part)]

    def rewrite(self, change: Callable[[Node], Node]) -> Problem:
        """The problem with `change` made to every number, hole and variable, exponents excepted."""
        return Problem(self.kind, tuple(rewrite(part, change) for part in self.parts))


def _spell(kind: Kind, parts: list[str]) -> str:
    if kind in _WORDS:
        return " ".join([kind, *parts])
    sides = ["=".join(parts[at : at + 2]) for at in range(0, len(parts), 2)]
    return ";".join(sides)


@lru_cache(maxsize=4096)
def read(source: str) -> Problem:
    """The problem a text spells. Raises `ProblemError`: `syntax`, or `size`."""
    stripped = source.strip()
    for word in _WORDS:
        if stripped.startswith(word + " "):
            rest = stripped[len(word) + 1 :].strip()
            parts = rest.split(" ", 1) if word == "at" else [rest]
            if word == "at" and len(parts) != 2:
                raise ProblemError("syntax", "expected `at NUMBER POLYNOMIAL`")
            return Problem(word, tuple(parse(part) for part in parts))
    equations = [tuple(parse(side) for side in equation.split("=", 2)) for equation in stripped.split(";", 2)]
    parts_of = tuple(part for sides in equations for part in sides)
    match [len(sides) for sides in equations]:
        case [1]:
            return Problem("number", parts_of)
        case [2]:
            return Problem("equation", parts_of)
        case [2, 2]:
            return Problem("system", parts_of)
    raise ProblemError("syntax", "expected an expression, an equation, or two equations with `;` between")


def solve(problem: Problem) -> str:
    """The canonical text of the one answer; raises `ProblemError` where there is none, or more than one."""
    match problem.kind, problem.parts:
        case "number", (tree,):
            return spell(exact.value(tree))
        case "at", (point, tree):
            return spell(exact.value(tree, {"x": exact.value(point)}))
        case "equation", _:
            return spell(*exact.roots(difference(problem)))
        case "system", (a, b, c, d):
            left, right = (difference(Problem("equation", sides)) for sides in ((a, b), (c, d)))
            return spell(*exact.crossing(left, right))
        case "expand", (tree,):
            return text(exact.tree_of(exact.poly(tree)))
        case "derive", (tree,):
            return text(exact.tree_of(exact.derive(exact.poly(tree))))
    raise TypeError(f"not a problem: {problem!r}")


def spell(*values: Value) -> str:
    """Canonical text of numbers: reduced fractions, commas between. `spell(3, Fraction(1, 2))` is `3,1/2`."""
    return ",".join(map(str, values))


@lru_cache(maxsize=1024)
def difference(equation: Problem) -> exact.Poly:
    """Left side less right side."""
    left, right = equation.parts
    return exact.add(exact.poly(left), exact.scale(exact.poly(right), -1))


@dataclass(frozen=True, slots=True)
class Step:
    """One operation on two numbers, met while working out a tree."""

    sign: str
    left: Value
    right: Value
    result: Value


def steps(tree: Node) -> list[Step]:
    """Every operation on two numbers in a tree without variables, in the order they are worked out."""
    done: list[Step] = []
    _work(tree, done)
    return done


def _work(tree: Node, done: list[Step]) -> Value:
    match tree:
        case Op(sign, left, right):
            a, b = _work(left, done), _work(right, done)
            done.append(Step(sign, a, b, exact.apply(sign, a, b)))
            return done[-1].result
        case Call(name, args):
            return exact.count(name, tuple(_work(arg, done) for arg in args))
        case Neg(inner):
            return -_work(inner, done)
    return exact.value(tree)


def level_of(problem: Problem) -> int:
    """The level a problem belongs to by what it asks; raises `ProblemError` where it belongs to none."""
    if problem.kind in _WORDS:
        return 7
    if problem.kind == "system":
        return 5
    if problem.kind == "equation":
        return 4 if exact.degree(difference(problem)) <= 1 else 6
    (tree,) = problem.parts
    return 8 if _calls(tree) else _arithmetic(steps(tree))


def _arithmetic(done: list[Step]) -> int:
    if any(step.sign == "%" or not isinstance(step.result, int) for step in done):
        return 3
    return 1 if len(done) <= 1 else 2


def _calls(tree: Node) -> bool:
    return isinstance(tree, Call) or any(map(_calls, children(tree)))


def check(problem: Problem, level: int) -> str:
    """The answer of a problem that is fit for a level; raises `ProblemError` with the reason where it is not.

    `level`: it belongs to another. `kind`: a variable where none belongs. `size`: its length, numbers or
    results are beyond the level's. `degenerate`: an operation that changes nothing, or an answer that stands
    in the problem already. And the reasons of `solve`.
    """
    leaves = problem.leaves
    if problem.kind != "system" and Var("y") in leaves:
        raise ProblemError("kind", "y stands only in a system of two equations")
    if sum(operations(part) for part in problem.parts) > MAX_OPERATIONS + 2 * len(problem.parts):
        raise ProblemError("size", "too many operations")
    largest = max((_size(leaf) for leaf in leaves), default=0)
    if largest > MAX_NUMBER[level]:
        raise ProblemError("size", f"{largest} is more than {MAX_NUMBER[level]}")
    done = [step for part in problem.parts if not _varies(part) for step in steps(part)]
    found = level_of(problem)
    if found != level:
        raise ProblemError("level", f"a problem of level {found}, not {level}")
    answer = solve(problem)
    met = [size for step in done for size in (abs(step.result.numerator), step.result.denominator)]
    if max(met + _integers(answer), default=0) > MAX_RESULT[level]:
        raise ProblemError("size", f"a result beyond {MAX_RESULT[level]}")
    if idle := _idle(problem, answer, done):
        raise ProblemError("degenerate", idle)
    return answer


def _size(leaf: Node) -> int:
    return abs(leaf.value or 0) if isinstance(leaf, Num | Hole) else 0


def _varies(tree: Node) -> bool:
    return isinstance(tree, Var) or any(map(_varies, children(tree)))


def _integers(answer: str) -> list[int]:
    return [int(number) for number in re.findall("[0-9]+", answer)]


def _idle(problem: Problem, answer: str, done: list[Step]) -> str:
    """Why there is nothing to work out, or nothing."""
    if problem.kind == "equation":
        if Var("x") in problem.parts and not any(isinstance(side, Op) for side in problem.parts):
            return "solved already"
    elif problem.kind == "number":
        if answer == text(problem.parts[0]):
            return "worked out already"
    elif problem.kind != "system" and (not _varies(problem.parts[-1]) or answer == text(problem.parts[-1])):
        return "worked out already"
    for step in done:
        if step.result == step.left or (step.result == step.right and step.sign in "+*"):
            return f"{step.left}{step.sign}{step.right} changes nothing"
    return ""


def normal(problem: Problem) -> str:
    """The same text for problems that are the same: operands commuted, brackets moved, sides swapped.

    Linear and quadratic sides are compared as polynomials, except where a hole makes the written form matter.
    """
    flat = [_flat(part) for part in problem.parts]
    if problem.kind in ("equation", "system") and not any(isinstance(leaf, Hole) for leaf in problem.leaves):
        flat = [text(exact.tree_of(exact.poly(part))) for part in problem.parts]
    if problem.kind in ("equation", "system"):
        flat = ["=".join(sorted(flat[at : at + 2])) for at in range(0, len(flat), 2)]
    return f"{problem.kind} {';'.join(sorted(flat) if problem.kind == 'system' else flat)}"


def _flat(tree: Node) -> str:
    match tree:
        case Op("+" | "-", _, _) | Neg():
            return "(" + "".join(sorted(_terms(tree, "+"))) + ")"
        case Op("*" | "/", _, _):
            return "[" + "".join(sorted(_factors(tree, "*"))) + "]"
        case Op(sign, left, right):
            return f"<{_flat(left)}{sign}{_flat(right)}>"
        case Call(name, args):
            return f"{name}<{','.join(_flat(arg) for arg in args)}>"
    return text(tree)


def _terms(tree: Node, sign: str) -> list[str]:
    other = "-" if sign == "+" else "+"
    match tree:
        case Op("+", left, right):
            return _terms(left, sign) + _terms(right, sign)
        case Op("-", left, right):
            return _terms(left, sign) + _terms(right, other)
        case Neg(inner):
            return _terms(inner, other)
        case Num(number) if number < 0:
            return [f"{other}{-number}"]
    return [sign + _flat(tree)]


def _factors(tree: Node, sign: str) -> list[str]:
    match tree:
        case Op("*", left, right):
            return _factors(left, sign) + _factors(right, sign)
        case Op("/", left, right):
            return _factors(left, sign) + _factors(right, "/" if sign == "*" else "*")
    return [] if tree == Num(1) else [sign + _flat(tree)]


def skeleton(problem: Problem) -> str:
    """What kind of problem it is, numbers aside: `(n+n)*n-n`."""
    return problem.rewrite(_anonymous).text


def _anonymous(leaf: Node) -> Node:
    return Hole() if isinstance(leaf, Hole) else Var("n") if isinstance(leaf, Num) else leaf
