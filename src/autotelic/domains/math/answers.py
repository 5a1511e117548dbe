r"""Answers: what a solver wrote, brought to the one canonical text of each value, or refused.

An answer is a value and not a calculation: `84/12` is no answer to 84/12, and `6/4` is not finished. LaTeX and
the prose that language models write around a number are taken off first (`markup`, `passages`). What is written
twice must agree: of `84/12 = 7` the 7 counts, and `13 = 12` is wrong. Nothing is evaluated but trees of the
problem language.
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise

from autotelic.domains.math import exact
from autotelic.domains.math.characters import COMMA, GROUPED, characters, grouped, joined
from autotelic.domains.math.exact import Value
from autotelic.domains.math.language import Hole, ProblemError, text
from autotelic.domains.math.markup import Macro, Token, Tokens, is_number, tokens
from autotelic.domains.math.notation import expression, split, value
from autotelic.domains.math.passages import answer_in
from autotelic.domains.math.problem import Problem, Shape, normal, read, spell

MAX_ANSWER = 400
"""Characters of an answer that are read."""
_CANONICAL = re.compile(r"-?(?:0|[1-9][0-9]{0,11})(?:/[1-9][0-9]{0,11})?")
_BINOMIAL = re.compile(
    r"\\begin\s*\{(array|pmatrix|smallmatrix|matrix)\}(?:\{c+\})?\s*([0-9]+)\s*\\\\\s*([0-9]+)\s*\\end\s*\{\1\}"
)
_LETTERS = "abcdefghijklmnopqrstuvwyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""Letters that may name a polynomial in x."""
_NEARLY = Fraction(1, 50)
"""What \\approx may be off by, as a share."""
_UNITS = frozenset("mgshlL")
"""Units of one letter: of the letters that a value may stand before, those that no problem uses."""


def read_answer(shape: Shape, answer: str) -> str:
    """The canonical text of an answer.

    Raises `ProblemError`: `format` for what is no value, `unfinished` for a value that is still to be worked
    out or reduced, `wrong` for a row of equal signs that is false, `size` beyond the bounds of the domain.
    """
    return readings(shape, answer)[0]


def readings(shape: Shape, answer: str) -> list[str]:
    """The canonical texts that an answer may have: `1,234` is one number or two where there may be two, and so is
    each part of `1,5; 2,5`.
    """
    if len(answer) > MAX_ANSWER:
        raise ProblemError("format", f"{len(answer)} characters")
    if (short := _canonical(shape, answer)) is not None:
        return [short]
    found = _ways(shape, answer)
    if isinstance(found[0], ProblemError):
        raise ProblemError(found[0].reason, found[0].detail)
    return [way for way in found if isinstance(way, str)]


def _canonical(shape: Shape, answer: str) -> str | None:
    """The canonical text of an answer that is in the notation of the domain: most of a small model's are."""
    parts = answer.split(",")
    if shape == "polynomial" or len(parts) > 2 or (len(parts) == 2) == (shape == "number"):
        return None
    if (
        (shape == "pair" and len(parts) < 2)
        or not all(map(_CANONICAL.fullmatch, parts))
        or GROUPED.search(answer)
    ):
        return None
    values = [exact.tidy(Fraction(part)) for part in parts]
    if any("/" in part and str(value) != part for part, value in zip(parts, values, strict=True)):
        return None
    return spell(*(sorted(set(values)) if shape == "roots" else values))


@lru_cache(maxsize=4096)
def _ways(shape: Shape, answer: str) -> tuple[str | ProblemError, ...]:
    """The readings of an answer, or why it has none. Siblings give the same answer, and consensus asks again."""
    answer = characters(answer)
    single = shape in ("number", "polynomial")
    ways = [joined(answer, shape == "number")] if single else [answer, grouped(answer)]
    if ";" in answer:
        ways.append(COMMA.sub(r"\1.\2", answer))
    found: list[str] = []
    refusal = ProblemError("format", "nothing is written")
    for way in reversed(dict.fromkeys(ways)):
        try:
            found.insert(0, _read(shape, way))
        except ProblemError as error:
            refusal = ProblemError(error.reason, error.detail)  # without its frames
    return tuple(found) or (refusal,)


def _read(shape: Shape, answer: str) -> str:
    run = answer_in(tokens(answer))
    if not run:
        raise ProblemError("format", "nothing is written")
    if shape == "number":
        if "\\pm" in run:
            raise ProblemError("format", "two values")
        return spell(_one_number(run))
    if shape == "polynomial":
        return _polynomial(run)
    if shape == "roots":
        return _roots(run)
    return _pair(run)


def _one_number(run: Tokens) -> Value:
    """The value of a number, which may be written in two ways: `3/4, or 0.75`, `7/2 (or 3.5)`."""
    if run[-1:] == (")",) and (
        at := [here for here in range(len(run) - 1) if run[here : here + 2] == ("(", "or")]
    ):
        run = (*run[: at[-1]], *run[at[-1] + 1 : -1])
    ways = [way[:-1] if way[-1:] == (",",) else way for way in split(run, "or")]
    found = {_chain(_without_label(way)) for way in ways}
    if len(found) > 1 or len(set(ways)) < len(ways):
        raise ProblemError("format", "more than one number")
    return found.pop()


def _without_label(run: Tokens, names: str = "") -> Tokens:
    """A run without `x =`, `f'(x) =` or `dy/dx =` before it, or `= x` after it; `names` are the letters it may have,
    if not all.
    """
    while len(sides := split(run, "=", "\\in")) > 1:
        if _is_label(sides[0], names):
            run = run[len(sides[0]) + 1 :]
        elif len(sides[-1]) == 1 and _is_label(sides[-1], names):
            run = run[:-2]
        else:
            break
    return run


def _is_label(side: Tokens, names: str) -> bool:
    if not side or side in (("?",), ("(", "?", ")"), ("\\approx",)):
        return True
    if "\\ddx" in side or (len(side) > 2 and side[0] == "(" and side[-2:] == (")", "'")):
        return True  # d/dx (x^3) or (x^3)'
    letter, rest = side[0], side[1:]
    if rest[:2] == ("'", "'"):
        return False  # a second derivative is another one
    if (
        not isinstance(letter, str)
        or len(letter) != 1
        or not letter.isalpha()
        or (names and letter not in names)
    ):
        return False
    while rest and (rest[0] == "'" or (isinstance(rest[0], Macro) and _is_index(rest[0]))):
        rest = rest[1:]
    if len(rest) == 1 and is_number(rest[0]) and letter in "xy":
        return True  # x1
    if letter == "D" and rest[:1] == ("[",) and rest[-1:] == ("]",):
        return True
    return not rest or (letter != "x" and rest[0] == "(" and rest[-1] == ")" and not {",", "="} & set(rest))


def _is_index(token: Macro) -> bool:
    return token.name == "_" or (token.name == "^" and set(token.args[0]) <= {"'", "(", ")", "1"})


def _chain(run: Tokens) -> Value:
    """The value at the end of a row of equal signs, all of whose sides must have it."""
    exactly, *nearly = split(run, "\\approx")
    if nearly and (_is_label(exactly, "") or _is_unfinished(exactly)):
        # 84/12 ≈ 7 says 7 where that is exact.
        exactly = nearly[-1] if _is_label(exactly, "") else (*exactly, "=", *nearly[-1])
    *before, last = split(exactly, "=")
    found = value(_without_unit(last))
    for side in before:
        if _value_of(side) not in (found, None):
            raise ProblemError("wrong", "the two sides of an equals sign differ")
    for side in nearly:
        apart = abs(Fraction(exact.value(expression(_without_unit(side)))) - found)
        if apart > _NEARLY * max(abs(Fraction(found)), Fraction(1)):
            raise ProblemError("wrong", "what is nearly equal is not near")
    return found


def _value_of(side: Tokens) -> Value | None:
    """The value of one side of an equality, and None where it is beyond the bounds, as 20! is."""
    try:
        return exact.value(expression(_without_unit(side)))
    except ProblemError as error:
        if error.reason == "size":
            return None
        raise


def _is_unfinished(run: Tokens) -> bool:
    try:
        value(_without_unit(split(run, "=")[-1]))
    except ProblemError:
        return True
    return False


def _without_unit(side: Tokens) -> Tokens:
    match side:
        case (*_, before, str(unit), Macro("^", ((str(power),),))) if unit in _UNITS and power in "23":
            return side[:-2] if _is_quantity(before) else side
        case (*_, before, str(unit)) if unit in _UNITS:
            return side[:-1] if _is_quantity(before) else side
    return side


def _is_quantity(token: Token) -> bool:
    return token.name == "frac" if isinstance(token, Macro) else is_number(token)


def _parts(run: Tokens) -> list[Tokens]:
    """The members of a list or a set, which commas, semicolons, new lines, `and` and `or` part."""
    members = split(_opened(run), ",", ";", "and", "or", "\n")
    return [_opened(member) for member in members if member]


def _opened(run: Tokens) -> Tokens:
    """A run without the one bracket that holds all of it."""
    for opening, closing in (("{", "}"), ("(", ")")):
        if run[:1] == (opening,) and run[-1:] == (closing,):
            depth = 0
            for at, token in enumerate(run):
                depth += {opening: 1, closing: -1}.get(token, 0) if isinstance(token, str) else 0
                if not depth:
                    return _opened(run[1:-1]) if at == len(run) - 1 else run
    return run


def _roots(run: Tokens) -> str:
    run = _opened(run)
    sides = split(_of_a_set(run), "=", "\\in")
    if run[:2] == ("x", "|"):
        run = run[2:]  # {x | x = 2 or x = 3}
        sides = []
    if len(sides) == 2 and (_names(sides[0], "x") or (sides[1][:1] == ("{",) and len(sides[0]) == 1)):
        run = sides[1]  # x = 2, 3 or S = {2, 3}
    run = _of_a_set(run)
    found: set[Value] = set()
    for part in _parts(run):
        found |= _values(_without_label(part, "x"), "x")
    if not found:
        raise ProblemError("format", "no value")
    return spell(*sorted(found))


def _of_a_set(run: Tokens) -> Tokens:
    """A run without `S =` before it."""
    named = run[1:2] == ("=",) and isinstance(run[0], str) and run[0] in "SLM"
    return run[2:] if named else run


def _names(side: Tokens, letters: str) -> bool:
    r"""Whether a side names unknowns and nothing else: `x`, `x_{1,2}`, `x_1, x_2`, `(x, y)`."""
    parts = _parts(side)
    return bool(parts) and all(
        len(p) in (1, 2) and p[0] in tuple(letters) and _is_label(p, letters) for p in parts
    )


def _values(part: Tokens, unknowns: str) -> set[Value]:
    """The value of a part, or the two of a `\\pm`; an equation in the unknowns is unfinished."""
    equal = split(part, "=")
    if "y" in part and "y" not in unknowns:
        raise ProblemError("format", "another unknown")
    if any(letter in part for letter in unknowns):
        expression(tuple(t for t in part if t not in ("=", "\\pm")) if len(equal) < 2 else equal[0])
        raise ProblemError("unfinished", "an equation is still to be solved")
    last = split(equal[-1], "\\pm")
    if len(last) == 1:
        # Of x = (5 ± 1)/2 = 3, 2 the values count; what stands before them is two as well.
        if not _has_two(equal[-1]):
            equal = [side for side in equal if not _has_two(side)]
        return {_chain(tuple(token for side in equal for token in (*side, "="))[:-1])}
    if len(last) > 2 or not all(map(_has_two, equal)):
        raise ProblemError("format", "more than one ±")
    middle = value(last[0]) if last[0] else 0
    distance = value(last[1])
    return {exact.tidy(middle - distance), exact.tidy(middle + distance)}


def _has_two(side: Tokens) -> bool:
    return any(t == "\\pm" if isinstance(t, str) else any(map(_has_two, t.args)) for t in side)


def _pair(run: Tokens) -> str:
    if "or" in run and "," not in run:
        raise ProblemError("format", "an alternative is no pair")
    run = _opened(tuple("," if token == "|" else token for token in run))
    sides = split(run, "=", "\\in")
    swapped = False
    if len(sides) == 2 and len(_parts(sides[0])) == 2 and _names(sides[0], "xy"):
        swapped = _parts(sides[0])[0] == ("y",)
        run = sides[1]
    elif len(sides) == 2 and len(sides[0]) == 1 and sides[1][:1] == ("{",):
        run = sides[1]  # S = {(2, 3)}
    parts = _parts(run)
    if len(parts) != 2:
        raise ProblemError("format", f"expected x and y, got {len(parts)} parts")
    named = [part[0] if part[1:2] == ("=",) else "" for part in parts]
    if named[0] and named[0] == named[1]:
        raise ProblemError("format", f"{named[0]} twice")
    if named[0] == "y" or named[1] == "x":
        swapped = not swapped
    if swapped:
        parts.reverse()
    found = [_values(_without_label(part, name), "xy") for part, name in zip(parts, "xy", strict=True)]
    if any(len(values) != 1 for values in found):
        raise ProblemError("format", "more than one value of an unknown")
    return spell(*(values.pop() for values in found))


def _polynomial(run: Tokens) -> str:
    if run[:1] == ("\\ddx",) and "=" not in run:
        raise ProblemError("unfinished", "a derivative is still to be taken")
    *before, last = split(_without_label(run, _LETTERS), "=")
    tree = expression(last)
    found = exact.poly(tree)
    for side in before:
        if not _is_name(side) and exact.poly(expression(_with_exponents(side))) != found:
            raise ProblemError("wrong", "the two sides of an equals sign differ")
    canonical = exact.tree_of(found)
    if normal(Problem("expand", (tree,))) != normal(Problem("expand", (canonical,))):
        raise ProblemError("unfinished", f"it is {text(canonical)}")
    return text(canonical)


def _is_name(side: Tokens) -> bool:
    r"""Whether a side names the polynomial, in whatever notation: `Df(x)`, `\dot{y}`, `\partial_x f`."""
    named = {"\\df", "\\dot", "\\partial", "D", "f", "y", "g", "p"}
    twice = any(pair == ("'", "'") for pair in pairwise(side))
    return side[0] in named and not twice and not any(map(is_number, side))


def _with_exponents(side: Tokens) -> Tokens:
    """A side with its exponents worked out, as in `3x^{3-1}`: before the answer that may be left to do."""
    return tuple(
        Macro("^", ((str(exact.value(expression(token.args[0]))),),))
        if isinstance(token, Macro) and token.name == "^" and len(token.args[0]) > 1
        else token
        for token in side
    )


def read_hole(answer: str) -> int:
    """The whole number that a solver wrote for the hole. Raises `ProblemError` as `read_answer` does."""
    if len(answer) > MAX_ANSWER:
        raise ProblemError("format", f"{len(answer)} characters")
    found = _chain(_without_label(answer_in(tokens(joined(characters(answer), True)))))
    if not isinstance(found, int):
        raise ProblemError("format", f"{found} is no whole number")
    return found


def read_model(answer: str) -> Problem:
    """The expression, equation or pair of equations that a solver wrote. Raises `ProblemError`."""
    if len(answer) > MAX_ANSWER:
        raise ProblemError("format", f"{len(answer)} characters")
    try:
        return read(answer)
    except ProblemError as error:
        if error.reason == "size":
            raise
    run = answer_in(tokens(_BINOMIAL.sub(r"\\binom{\2}{\3}", answer)))
    while run[:1] == ("(",) and run[-1:] == (")",) and len(run) == 3:
        run = run[1:-1]
    if run[:1] == ("\\ddx",) and "=" not in run:
        return Problem("derive", (expression(run[1:]),))
    run = _without_label(_opened_set(run), _LETTERS.replace("y", ""))
    equations = [split(part, "=") for part in split(run, ",", ";", "and", "\n") if part]
    sides = tuple(expression(side) for equation in equations for side in equation)
    if any(isinstance(leaf, Hole) for leaf in Problem("number", sides).leaves):
        raise ProblemError("format", "a hole")
    match [len(equation) for equation in equations]:
        case [1]:
            return Problem("number", sides)
        case [2]:
            return Problem("equation", sides)
        case [2, 2]:
            return Problem("system", sides)
    raise ProblemError("format", "neither an expression nor one or two equations")


def _opened_set(run: Tokens) -> Tokens:
    return run[1:-1] if run[:1] == ("{",) and run[-1:] == ("}",) else run
