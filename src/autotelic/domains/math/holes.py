"""Problems turned round: one number is hidden, the answer is given, and any number that produces it is right.

A proposer writes `(?3+4)*6-5`, which hides the 3; a solver sees `(?+4)*6-5->37`.
"""

from __future__ import annotations

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
    rewrite,
    text,
)
from autotelic.domains.math.problem import Problem, read, solve
from autotelic.domains.math.working import MAX_LINES, is_fraction, reduce, reductions

MAX_FILL = 9_999
_GUESSES = (0, 1, 2, 3, 7)
_LUCKY = 1
"""So many of the guesses may be right, besides what was hidden, before a problem asks nothing."""


def hidden(problem: Problem) -> int:
    """The number a proposal hides; raises `ProblemError("hole")` unless it hides exactly one."""
    holes = [leaf.value for leaf in problem.leaves if isinstance(leaf, Hole)]
    if len(holes) != 1 or holes[0] is None:
        raise ProblemError("hole", f"expected one number hidden as ?7, got {len(holes)}")
    return holes[0]


def fill(problem: Problem, number: int) -> Problem:
    """The problem with a number in its hole."""
    return problem.rewrite(lambda leaf: Num(number) if isinstance(leaf, Hole) else leaf)


def cover(problem: Problem) -> Problem:
    """The problem as the solver sees it."""
    return problem.rewrite(lambda leaf: Hole() if isinstance(leaf, Hole) else leaf)


def produces(problem: Problem, number: int, answer: str) -> bool:
    """Whether a number in the hole gives the answer, exactly and alone."""
    try:
        return solve(fill(problem, number)) == answer
    except ProblemError:
        return False


def check_hole(problem: Problem, answer: str) -> None:
    """Raises `ProblemError("constant")` where guesses produce the answer too, so that nothing is asked."""
    own = hidden(problem)
    lucky = [guess for guess in _GUESSES if guess != own and produces(problem, guess, answer)]
    if len(lucky) > _LUCKY:
        raise ProblemError("constant", f"{', '.join(map(str, lucky))} in the hole do as well")


def unhiding(problem: Problem, answer: str) -> list[str]:
    """The lines that lead to a number for the hole: what is known put in, then one operation undone a line.

    >>> from autotelic.domains.math.problem import read
    >>> unhiding(read("(?3+4)*6-5"), "37")
    ['(?+4)*6=37+5', '(?+4)*6=42', '?+4=42/6', '?+4=7', '?=7-4', '3']
    """
    for left, right, shown in _sentences(cover(problem), answer):
        try:
            lines = _undo(left, right)
        except ProblemError:
            continue
        if len(lines) <= MAX_LINES and produces(problem, int(lines[-1]), answer):
            return [f"{text(left)}={text(right)}", *lines] if shown else lines
    return [str(hidden(problem))]


def _sentences(problem: Problem, answer: str) -> list[tuple[Node, Node, bool]]:
    """Equations in the hole alone that the answer makes true; the flag says that a line must show it."""
    parts = problem.parts
    if problem.kind == "number":
        return [(parts[0], read(answer).parts[0], False)]
    if problem.kind == "at":
        point, tree = parts
        return [(_put(tree, {"x": point}), read(answer).parts[0], True)]
    if problem.kind == "expand":
        goal = read(answer).parts[0]
        return [(_put(parts[0], {"x": Num(x)}), _put(goal, {"x": Num(x)}), True) for x in (1, 2, 3)]
    if problem.kind == "derive":
        return []
    values = [read(value).parts[0] for value in answer.split(",")]
    pairs = [parts[at : at + 2] for at in range(0, len(parts), 2)]
    left, right = next(pair for pair in pairs if any(map(_open, pair)))
    known = [dict(zip("xy", values, strict=True))] if len(pairs) == 2 else [{"x": value} for value in values]
    return [(_put(left, value), _put(right, value), True) for value in known]


def _put(tree: Node, known: dict[str, Node]) -> Node:
    return rewrite(tree, lambda leaf: known[leaf.name] if isinstance(leaf, Var) else leaf)


def _open(tree: Node) -> bool:
    return isinstance(tree, Hole) or any(map(_open, children(tree)))


def _undo(left: Node, right: Node) -> list[str]:
    """Work out what holds no hole, then undo around the hole; the last line is the number alone."""
    lines: list[str] = []
    while (simpler := reduce(left)) or (further := reduce(right)):
        left, right = (simpler, right) if simpler else (left, further or right)
        lines.append(f"{text(left)}={text(right)}")
        if len(lines) > MAX_LINES:
            raise ProblemError("size", "too many lines")
    turned = _open(right)
    tree, goal = (right, left) if turned else (left, right)
    while not isinstance(tree, Hole):
        tree, moved = _peel(tree, goal)
        for goal in reductions(moved):
            sides = [text(tree), text(goal)]
            lines.append("=".join(sides[::-1] if turned else sides))
        if len(lines) > MAX_LINES:
            raise ProblemError("size", "too many lines")
    if not isinstance(goal, Num):
        raise ProblemError("undo", "not a whole number")
    found = text(goal)
    if lines and lines[-1] in (f"?={found}", f"{found}=?"):
        lines.pop()
    return [*lines, found]


def _peel(tree: Node, goal: Node) -> tuple[Node, Node]:
    """One operation off the outside of a tree: what is left inside, and what that must come to."""
    match tree:
        case Neg(inner):
            return inner, exact.number(-exact.value(goal))
        case Op("%", inner, Num(modulus)) if _open(inner):
            return inner, exact.number(_before_remainder(inner, exact.value(goal), modulus))
        case Op("^", inner, Num(2)):
            return inner, exact.number(exact.square_root(exact.value(goal)))
        case Op("+" | "-" | "*" | "/" as sign, inner, other) if _open(inner) and is_fraction(other):
            return inner, Op(_UNDONE[sign], goal, other)
        case Op("+" | "*" as sign, other, inner) if _open(inner) and is_fraction(other):
            return inner, Op(_UNDONE[sign], goal, other)
        case Op("-" | "/" as sign, other, inner) if _open(inner) and is_fraction(other):
            return inner, Op(sign, other, goal)
    raise ProblemError("undo", text(tree))


_UNDONE = {"+": "-", "-": "+", "*": "/", "/": "*"}


def _before_remainder(tree: Node, goal: Value, modulus: int) -> Value:
    """The least number with this remainder that the tree reaches with a whole, non-negative hole."""
    for turns in range(4 * modulus):
        start = exact.tidy(goal + turns * modulus)
        inside, reached = tree, start
        try:
            while not isinstance(inside, Hole):
                inside, moved = _peel(inside, exact.number(reached))
                reached = exact.value(moved)
        except ProblemError as error:
            if isinstance(inside, Call):
                raise ProblemError("undo", text(inside)) from error
            continue
        if isinstance(reached, int) and reached >= 0:
            return start
    raise ProblemError("undo", text(tree))
