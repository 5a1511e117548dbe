"""Word problems in a controlled English that says exactly one thing.

A story is a row of sentences, each one of the forms below with its own names, things and numbers. Reading
them in order builds the expression or equation that the story asks for. So the story itself, and not the word
of whoever wrote it, decides what is right, and a model may write any story that the forms allow.

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
from autotelic.domains.math.language import Num, ProblemError, parse, text
from autotelic.domains.math.problem import Problem, difference, normal, read, steps

MAX_STORY = 400
MAX_SENTENCES = 8


class Form(NamedTuple):
    """A sentence with slots, and what it says.

    `begin` makes the running expression {q}, `then` changes it, `fact` adds a statement of its own, and `ask`
    ends the story with the problem it comes to: {q}, or the facts joined by `*` or `;`.
    """

    family: str
    role: Literal["begin", "then", "fact", "ask"]
    sentence: str
    says: str


FORMS = (
    Form("count", "begin", "{who} has {n} {things}.", "{n}"),
    Form("count", "begin", "{who} has {n} boxes of {m} {things}.", "{n}*{m}"),
    Form("count", "begin", "{who} has some {things}.", "x"),
    Form("count", "then", "{who} gets {n} more.", "({q})+{n}"),
    Form("count", "then", "{who} buys {n} more.", "({q})+{n}"),
    Form("count", "then", "{who} gets {n} boxes of {m} more.", "({q})+{n}*{m}"),
    Form("count", "then", "{who} gives away {n}.", "({q})-{n}"),
    Form("count", "then", "{who} loses {n}.", "({q})-{n}"),
    Form("count", "then", "{who} gives away {n} boxes of {m}.", "({q})-{n}*{m}"),
    Form("count", "then", "Then {who} has {n} times as many.", "({q})*{n}"),
    Form("count", "then", "{who} keeps one of {n} equal parts.", "({q})/{n}"),
    Form("count", "ask", "How many {things} has {who} now?", "{q}"),
    Form("count", "ask", "How many are left over from boxes of {n}?", "({q})%{n}"),
    Form("count", "ask", "Now {who} has {n}. How many at first?", "{q}={n}"),
    Form("jug", "begin", "A jug holds {a}/{b} litres.", "{a}/{b}"),
    Form("jug", "then", "{a}/{b} litres are added.", "({q})+{a}/{b}"),
    Form("jug", "then", "{a}/{b} litres are poured out.", "({q})-{a}/{b}"),
    Form("jug", "ask", "How much does it hold?", "{q}"),
    Form("jug", "ask", "How much do {n} such jugs hold?", "({q})*{n}"),
    Form("jug", "ask", "How much does each of {n} equal cups get?", "({q})/{n}"),
    Form("pair", "fact", "{who} and {other} have {n} {things}.", "x+y={n}"),
    Form("pair", "fact", "{who} has {n} more than {other}.", "x-y={n}"),
    Form("pair", "fact", "{who} has {n} times as many as {other}.", "x={n}*y"),
    Form("pair", "ask", "How many has each?", "{facts;}"),
    Form("price", "fact", "{n} {things} and {m} {others} cost {k}.", "{n}*x+{m}*y={k}"),
    Form("price", "ask", "What does each cost?", "{facts;}"),
    Form("square", "ask", "A field is {n} longer than wide. Its area is {m}. How wide?", "x*(x+{n})={m}"),
    Form("square", "ask", "Two numbers have the sum {n} and product {m}. Which are they?", "x*({n}-x)={m}"),
    Form("square", "ask", "A number times itself is {m} times it and {n}. Which is it?", "x^2={m}*x+{n}"),
    Form("field", "ask", "A field is {p} long and {r} wide. What is its area?", "expand ({p})*({r})"),
    Form("field", "ask", "A field is {p} long and {r} wide. How long a fence?", "expand 2*(({p})+({r}))"),
    Form("field", "ask", "A square has the side {p}. What is its area?", "expand ({p})^2"),
    Form("field", "ask", "A car has gone {p} after x hours. How fast is it?", "derive {p}"),
    Form("ways", "fact", "{who} chooses {k} of {n} {things}.", "C({n},{k})"),
    Form("ways", "fact", "{who} lines up {k} of {n} {things}.", "P({n},{k})"),
    Form("ways", "fact", "{who} lines up {n} {things}.", "{n}!"),
    Form("ways", "ask", "In how many ways?", "{facts*}"),
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


_PATTERNS = tuple((form, _pattern(form.sentence)) for form in FORMS)


@dataclass(slots=True)
class _Plot:
    """What the story has said so far, as texts of the problem language."""

    family: str
    names: dict[str, str]
    facts: list[str]
    so_far: str = ""


@lru_cache(maxsize=4096)
def read_story(story: str) -> Problem:
    """The problem that a story comes to.

    Raises `ProblemError`: `story` for sentences that are no form, that do not belong together or that make a
    count negative or broken; `size` for a story that is too long; and the reasons of the problem language.
    """
    if len(story) > MAX_STORY:
        raise ProblemError("size", f"{len(story)} characters, at most {MAX_STORY}")
    plot, at = _Plot("", {}, []), 0
    for _ in range(MAX_SENTENCES):
        form, slots, at = _next(story, at)
        asked = _follow(plot, form, slots)
        if asked:
            if at < len(story):
                raise ProblemError("story", f"{story[at : at + 30]!r} comes after the question")
            problem = read(asked)
            _check_counts(problem, plot.family)
            return problem
    raise ProblemError("story", f"no question within {MAX_SENTENCES} sentences")


def _next(story: str, at: int) -> tuple[Form, dict[str, str], int]:
    for form, pattern in _PATTERNS:
        if match := pattern.match(story, at):
            return form, match.groupdict(), match.end()
    raise ProblemError("story", f"no form has {story[at : at + 40]!r}" if at < len(story) else "no question")


def _follow(plot: _Plot, form: Form, slots: dict[str, str]) -> str:
    """Take in one sentence; the problem, if it was the question."""
    if plot.family not in ("", form.family):
        raise ProblemError("story", f"{form.sentence!r} does not belong to the story")
    plot.family = form.family
    for slot, word in slots.items():
        if slot in "pr":
            slots[slot] = text(parse(word))
        elif len(slot) > 1 and form.family != "ways" and plot.names.setdefault(slot, word) != word:
            raise ProblemError("story", f"{word} where {plot.names[slot]} was expected")
    if (form.role == "begin") == bool(plot.so_far) and form.role in ("begin", "then"):
        raise ProblemError("story", f"{form.sentence!r} out of place")
    if "{q}" in form.says and not plot.so_far:
        raise ProblemError("story", "nothing to begin with")
    said = form.says.replace("{facts;}", ";".join(plot.facts)).replace("{facts*}", "*".join(plot.facts))
    said = said.format(q=plot.so_far, **slots)
    if form.role == "ask":
        return said
    if form.role == "fact":
        plot.facts.append(said)
    else:
        plot.so_far = said
    return ""


def _check_counts(problem: Problem, family: str) -> None:
    if problem.kind != "number" or family not in ("count", "jug"):
        return
    for step in steps(problem.parts[0]):
        if step.result < 0 or (family == "count" and not isinstance(step.result, int)):
            raise ProblemError("story", f"{step.result} things after {step.left}{step.sign}{step.right}")


def numbers_in(story: str) -> list[int]:
    """The numbers a story tells, ascending, each once."""
    return sorted({int(digits) for digits in re.findall("[0-9]+", story)})


Verdict = Literal["right", "wrong", "numbers"]


def compare(truth: Problem, model: Problem, told: list[int]) -> Verdict:
    """Whether a model of a story says what the story says, whatever numbers the story tells.

    Both are retold with other numbers in place of those `told` and must agree each time, so that an answer
    that worked the numbers out, or fits them by luck, is `numbers` rather than `right`. A polynomial is told
    once, because its numbers are not quantities of the story.
    """
    if truth.kind in ("expand", "derive") and model.kind == "number":
        model = Problem("expand", model.parts)
    if model == truth:
        return "right"
    if _meaning(truth) != _meaning(model):
        return "wrong"
    if truth.shape == "polynomial":
        return "right"
    agreed = False
    for retelling in _retellings(told):
        try:
            expected = _meaning(_retold(truth, retelling))
        except ProblemError:
            continue
        try:
            agreed = _meaning(_retold(model, retelling)) == expected
        except ProblemError as error:
            # 7!/(3!*4!) is C(7,3) too, but with larger numbers its factorials pass the bound long before.
            if error.reason == "size":
                continue
            return "numbers"
        if not agreed:
            return "numbers"
    return "right" if agreed or normal(model) == normal(truth) else "numbers"


def _retellings(told: list[int]) -> list[dict[int, int]]:
    """Other numbers in the same order, so that 3 of 7 stays possible, or multiples, so that 24/3 is whole."""
    return [
        {n: n + at for at, n in enumerate(told, 1)},
        {n: n + 3 + 2 * at for at, n in enumerate(told)},
        {n: 2 * n for n in told},
        {n: 3 * n for n in told},
    ]


def _retold(problem: Problem, numbers: dict[int, int]) -> Problem:
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
