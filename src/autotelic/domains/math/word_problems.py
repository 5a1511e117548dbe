"""Word problems in a controlled English that says exactly one thing.

A word problem is a row of sentences, each one of those below with its own names, things and numbers. Reading
them in order builds the expression or equation that is asked for. So the text itself, and not the word of
whoever wrote it, decides what is right, and a model may write any text that the sentences allow.

    Ann has 3 boxes of 4 pens. Ann gives away 5. How many pens has Ann now?      3*4-5
    Bob has some cups. Bob buys 7 more. Now Bob has 20. How many at first?       x+7=20
    Ann and Bob have 20 pens. Ann has 4 more than Bob. How many has each?        x+y=20;x-y=4

x is the number asked for, or what the first person has and the first thing costs; y is the second's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple

from autotelic.domains.math import exact
from autotelic.domains.math.exact import Value
from autotelic.domains.math.language import Call, Neg, Node, Num, Op, ProblemError, parse, text
from autotelic.domains.math.problem import Problem, difference, normal, read, steps

MAX_LENGTH = 400
MAX_SENTENCES = 8


class Sentence(NamedTuple):
    """A sentence with slots, and what it says.

    `begin` makes the running expression {q}, `then` changes it, `fact` adds a statement of its own, and `ask`
    ends the text with the problem it comes to: {q}, or the facts joined by `*` or `;`.
    """

    family: str
    role: Literal["begin", "then", "fact", "ask"]
    text: str
    says: str


SENTENCES = (
    Sentence("count", "begin", "{who} has {n} {things}.", "{n}"),
    Sentence("count", "begin", "{who} has {n} boxes of {m} {things}.", "{n}*{m}"),
    Sentence("count", "begin", "{who} has some {things}.", "x"),
    Sentence("count", "then", "{who} gets {n} more.", "({q})+{n}"),
    Sentence("count", "then", "{who} buys {n} more.", "({q})+{n}"),
    Sentence("count", "then", "{who} gets {n} boxes of {m} more.", "({q})+{n}*{m}"),
    Sentence("count", "then", "{who} gives away {n}.", "({q})-{n}"),
    Sentence("count", "then", "{who} loses {n}.", "({q})-{n}"),
    Sentence("count", "then", "{who} gives away {n} boxes of {m}.", "({q})-{n}*{m}"),
    Sentence("count", "then", "Then {who} has {n} times as many.", "({q})*{n}"),
    Sentence("count", "then", "{who} keeps one of {n} equal parts.", "({q})/{n}"),
    Sentence("count", "ask", "How many {things} has {who} now?", "{q}"),
    Sentence("count", "ask", "How many are left over from boxes of {n}?", "({q})%{n}"),
    Sentence("count", "ask", "Now {who} has {n}. How many at first?", "{q}={n}"),
    Sentence("jug", "begin", "A jug holds {a}/{b} litres.", "{a}/{b}"),
    Sentence("jug", "then", "{a}/{b} litres are added.", "({q})+{a}/{b}"),
    Sentence("jug", "then", "{a}/{b} litres are poured out.", "({q})-{a}/{b}"),
    Sentence("jug", "ask", "How much does it hold?", "{q}"),
    Sentence("jug", "ask", "How much do {n} such jugs hold?", "({q})*{n}"),
    Sentence("jug", "ask", "How much does each of {n} equal cups get?", "({q})/{n}"),
    Sentence("pair", "fact", "{who} and {other} have {n} {things}.", "x+y={n}"),
    Sentence("pair", "fact", "{who} has {n} more than {other}.", "x-y={n}"),
    Sentence("pair", "fact", "{who} has {n} times as many as {other}.", "x={n}*y"),
    Sentence("pair", "ask", "How many has each?", "{facts;}"),
    Sentence("price", "fact", "{n} {things} and {m} {others} cost {k}.", "{n}*x+{m}*y={k}"),
    Sentence("price", "ask", "What does each cost?", "{facts;}"),
    Sentence("square", "ask", "A field is {n} longer than wide. Its area is {m}. How wide?", "x*(x+{n})={m}"),
    Sentence(
        "square", "ask", "Two numbers have the sum {n} and product {m}. Which are they?", "x*({n}-x)={m}"
    ),
    Sentence("square", "ask", "A number times itself is {m} times it and {n}. Which is it?", "x^2={m}*x+{n}"),
    Sentence("field", "ask", "A field is {p} long and {r} wide. What is its area?", "expand ({p})*({r})"),
    Sentence("field", "ask", "A field is {p} long and {r} wide. How long a fence?", "expand 2*(({p})+({r}))"),
    Sentence("field", "ask", "A square has the side {p}. What is its area?", "expand ({p})^2"),
    Sentence("field", "ask", "A car has gone {p} after x hours. How fast is it?", "derive {p}"),
    Sentence("ways", "fact", "{who} chooses {k} of {n} {things}.", "C({n},{k})"),
    Sentence("ways", "fact", "{who} lines up {k} of {n} {things}.", "P({n},{k})"),
    Sentence("ways", "fact", "{who} lines up {n} {things}.", "{n}!"),
    Sentence("ways", "ask", "In how many ways?", "{facts*}"),
)
_SLOTS = {
    **dict.fromkeys(("who", "other"), "[A-Z][a-z]{1,11}"),
    **dict.fromkeys(("things", "others"), "[a-z]{2,14}"),
    **dict.fromkeys("nmk", "(?:[2-9]|[1-9][0-9]{1,2})"),
    **dict.fromkeys("ab", "[1-9][0-9]?"),
    **dict.fromkeys("pr", "[-+0-9x^()]{1,24}"),
}


def _pattern(sentence: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", sentence)
    spelled = [f"(?P<{part}>{_SLOTS[part]})" if at % 2 else re.escape(part) for at, part in enumerate(parts)]
    return re.compile("".join(spelled) + r"\s*")


_PATTERNS = tuple((form, _pattern(form.text)) for form in SENTENCES)


@dataclass(slots=True)
class _Reading:
    """What the text has said so far, as texts of the problem language."""

    family: str
    names: dict[str, str]
    facts: list[str]
    so_far: str = ""


@lru_cache(maxsize=4096)
def read_word_problem(given: str) -> Problem:
    """The problem that a text comes to.

    Raises `ProblemError`: `story` for sentences that are none of `SENTENCES`, that do not belong together or
    that make a count negative or broken; `size` for a text that is too long; and the reasons of the problem
    language.
    """
    if len(given) > MAX_LENGTH:
        raise ProblemError("size", f"{len(given)} characters, at most {MAX_LENGTH}")
    reading, at = _Reading("", {}, []), 0
    for _ in range(MAX_SENTENCES):
        form, slots, at = _next(given, at)
        asked = _follow(reading, form, slots)
        if asked:
            if at < len(given):
                raise ProblemError("story", f"{given[at : at + 30]!r} comes after the question")
            problem = read(asked)
            _check_counts(problem, reading.family)
            return problem
    raise ProblemError("story", f"no question within {MAX_SENTENCES} sentences")


def _next(given: str, at: int) -> tuple[Sentence, dict[str, str], int]:
    for form, pattern in _PATTERNS:
        if match := pattern.match(given, at):
            return form, match.groupdict(), match.end()
    raise ProblemError(
        "story", f"no sentence is {given[at : at + 40]!r}" if at < len(given) else "no question"
    )


def _follow(reading: _Reading, form: Sentence, slots: dict[str, str]) -> str:
    """Take in one sentence; the problem, if it was the question."""
    if reading.family not in ("", form.family):
        raise ProblemError("story", f"{form.text!r} does not belong to the others")
    reading.family = form.family
    for slot, word in slots.items():
        if slot in "pr":
            slots[slot] = text(parse(word))
        elif len(slot) > 1 and form.family != "ways" and reading.names.setdefault(slot, word) != word:
            raise ProblemError("story", f"{word} where {reading.names[slot]} was expected")
    if (form.role == "begin") == bool(reading.so_far) and form.role in ("begin", "then"):
        raise ProblemError("story", f"{form.text!r} out of place")
    if "{q}" in form.says and not reading.so_far:
        raise ProblemError("story", "nothing to begin with")
    said = form.says.replace("{facts;}", ";".join(reading.facts)).replace("{facts*}", "*".join(reading.facts))
    said = said.format(q=reading.so_far, **slots)
    if form.role == "ask":
        return said
    if form.role == "fact":
        reading.facts.append(said)
    else:
        reading.so_far = said
    return ""


def _check_counts(problem: Problem, family: str) -> None:
    if problem.kind != "number" or family not in ("count", "jug"):
        return
    for step in steps(problem.parts[0]):
        if step.result < 0 or (family == "count" and not isinstance(step.result, int)):
            raise ProblemError("story", f"{step.result} things after {step.left}{step.sign}{step.right}")


def numbers_in(given: str) -> list[int]:
    """The numbers in a text, ascending, each once."""
    return sorted({int(digits) for digits in re.findall("[0-9]+", given)})


Agreement = Literal["right", "wrong", "numbers"]


def compare(truth: Problem, model: Problem, given: list[int]) -> Agreement:
    """Whether a model of a word problem says what the text says, whatever numbers it has.

    Other numbers are put in place of those `given` in both, and they must agree each time. So an answer that
    worked the numbers out, or fits them by luck, is `numbers` rather than `right`. Of a polynomial the
    numbers stay, because they are not quantities of the text.
    """
    if truth.kind in ("expand", "derive") and model.kind == "number":
        model = Problem("expand", model.parts)
    if model == truth:
        return "right"
    model = Problem(model.kind, tuple(_choices(part, given) for part in model.parts))
    if _meaning(truth) != _meaning(model):
        return "wrong"
    if truth.shape == "polynomial":
        return "right"
    agreed = False
    for numbers in _renumberings(given):
        try:
            expected = _meaning(_renumbered(truth, numbers))
        except ProblemError:
            continue
        try:
            agreed = _meaning(_renumbered(model, numbers)) == expected
        except ProblemError as error:
            # 7!/(3!*(7-3)!) is C(7,3) too, but with larger numbers its factorials pass the bound long before.
            if error.reason == "size":
                continue
            return "numbers"
        if not agreed:
            return "numbers"
    return "right" if agreed or normal(model) == normal(truth) else "numbers"


def _choices(tree: Node, given: list[int]) -> Node:
    """A tree with 7!/(3!*4!) as C(7,3), 7!/4! as P(7,3) and C(7,4) as C(7,3), where the text has 7 and 3 and no 4.

    The 4 is 7-3 and follows the numbers of the text when they change.
    """

    def known(n: Node, k: int) -> bool:
        return isinstance(n, Num) and n.value in given and k in given

    match tree:
        case Op("/", Call("!", (Num(n) as whole,)), below):
            match below:
                case Op("*", Call("!", (Num(a),)), Call("!", (Num(b),))) if a + b == n:
                    k = next((k for k in (a, b) if known(whole, k)), a)
                    return Call("C", (whole, Num(k)))
                case Call("!", (Num(rest),)) if rest not in given and known(whole, n - rest):
                    return Call("P", (whole, Num(n - rest)))
        case Op("/", Op("/", Call("!", _) as above, Call("!", _) as first), Call("!", _) as second):
            return _choices(Op("/", above, Op("*", first, second)), given)
        case Call("C", (Num(n) as whole, Num(k))) if k not in given and known(whole, n - k):
            return Call("C", (whole, Num(n - k)))
    match tree:
        case Op("^", base, exponent):
            return Op("^", _choices(base, given), exponent)
        case Op(sign, left, right):
            return Op(sign, _choices(left, given), _choices(right, given))
        case Neg(inner):
            return Neg(_choices(inner, given))
    return tree


def _renumberings(given: list[int]) -> list[dict[int, int]]:
    """Other numbers in the same order, so that 3 of 7 stays possible, or multiples, so that 24/3 is whole."""
    return [
        {n: n + at for at, n in enumerate(given, 1)},
        {n: n + 3 + 2 * at for at, n in enumerate(given)},
        {n: 2 * n for n in given},
        {n: 3 * n for n in given},
    ]


def _renumbered(problem: Problem, numbers: dict[int, int]) -> Problem:
    return problem.rewrite(
        lambda leaf: Num(numbers.get(leaf.value, leaf.value)) if isinstance(leaf, Num) else leaf
    )


def _meaning(problem: Problem) -> object:
    """Equal for two problems of one sort exactly when they say the same."""
    match problem.kind, problem.parts:
        case "number", (tree,):
            return ("number", exact.value(tree))
        case "equation", _:
            return ("equation", exact.monic(difference(problem)))
        case "system", (a, b, c, d):
            first, second = (exact.line(difference(Problem("equation", sides))) for sides in ((a, b), (c, d)))
            return ("system", _plane(first, second))
        case "derive", (tree,):
            return ("polynomial", exact.derive(exact.poly(tree)))
        case "expand", (tree,):
            return ("polynomial", exact.poly(tree))
    return ("other", problem)


def _plane(first: tuple[Value, ...], second: tuple[Value, ...]) -> tuple[Value, ...]:
    """The two lines' minors over the first: the same for all pairs of lines that meet in one point."""
    (a, b, c), (d, e, f) = first, second
    minors = (a * e - b * d, a * f - c * d, b * f - c * e)
    lead = next((minor for minor in minors if minor), None)
    return minors if lead is None else tuple(exact.divide(minor, lead) for minor in minors)
