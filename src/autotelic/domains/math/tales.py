"""First stories, from what a human wrote: the forms of `stories`, filled in and put together by level."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from autotelic.domains.math.rules import Rng, between, binomial, pick, polynomial, proper
from autotelic.domains.math.stories import FORMS

NAMES = ("Ann", "Bob", "Eva", "Tom", "Ida", "Max")
THINGS = ("pens", "cups", "books", "apples", "coins", "cards", "eggs", "nuts")

_SENTENCES: dict[str, list[str]] = defaultdict(list)
"""The sentences that say the same thing, by family, role and what they say."""
for _form in FORMS:
    _SENTENCES[f"{_form.family} {_form.role} {_form.says}"].append(_form.sentence)


def story_text(rng: Rng, level: int) -> str:
    """A story whose problem is meant for a level."""
    return _STORIES[level](rng)


def _tell(rng: Rng, meaning: str, **slots: str | int) -> str:
    """One of the sentences with a meaning, its slots filled."""
    return pick(rng, _SENTENCES[meaning]).format(**slots)


def _events(rng: Rng, who: str, value: int, count: int) -> tuple[list[str], int]:
    """What happens to a number of things, and how many there are then: two at least, as a sentence can tell."""
    told = []
    for _ in range(count):
        n, m = between(rng, 2, 9), between(rng, 2, 9)
        divisors = [d for d in range(2, 10) if value % d == 0 and value > d]
        match pick(rng, "+++---*/bB"):
            case "*" if value <= 30:
                told.append(_tell(rng, "count then ({q})*{n}", who=who, n=n))
                value *= n
            case "/" if divisors:
                n = pick(rng, divisors)
                told.append(_tell(rng, "count then ({q})/{n}", who=who, n=n))
                value //= n
            case "-" if value > 3:
                n = between(rng, 2, min(value - 2, 50))
                told.append(_tell(rng, "count then ({q})-{n}", who=who, n=n))
                value -= n
            case "B" if value > n * m + 1:
                told.append(_tell(rng, "count then ({q})-{n}*{m}", who=who, n=n, m=m))
                value -= n * m
            case "b" if count > 1:
                told.append(_tell(rng, "count then ({q})+{n}*{m}", who=who, n=n, m=m))
                value += n * m
            case _:
                n = between(rng, 2, 50)
                told.append(_tell(rng, "count then ({q})+{n}", who=who, n=n))
                value += n
    return told, value


def _count(rng: Rng, events: int) -> str:
    who, things, start = pick(rng, NAMES), pick(rng, THINGS), between(rng, 2, 60)
    told, _ = _events(rng, who, start, events)
    begin = _tell(rng, "count begin {n}", who=who, things=things, n=start)
    return " ".join([begin, *told, _tell(rng, "count ask {q}", who=who, things=things)])


def _remainder_or_jug(rng: Rng) -> str:
    if rng.random() < 0.5:
        who, things, n, m = pick(rng, NAMES), pick(rng, THINGS), between(rng, 2, 12), between(rng, 2, 9)
        begin = _tell(rng, "count begin {n}*{m}", who=who, things=things, n=n, m=m)
        told, _ = _events(rng, who, n * m, 1)
        if rng.random() < 0.5:
            begin = _tell(rng, "count begin {n}", who=who, things=things, n=between(rng, 10, 99))
            told = []
        return " ".join([begin, *told, _tell(rng, "count ask ({q})%{n}", n=between(rng, 3, 9))])
    (a, b), (c, d) = proper(rng), proper(rng)
    begin = _tell(rng, "jug begin {a}/{b}", a=a, b=b)
    sign = "+" if a * d <= b * c or rng.random() < 0.5 else "-"
    change = _tell(rng, f"jug then ({{q}}){sign}{{a}}/{{b}}", a=c, b=d)
    match between(rng, 0, 3):
        case 0:
            return f"{begin} {_tell(rng, 'jug ask ({q})*{n}', n=between(rng, 2, 9))}"
        case 1:
            return f"{begin} {_tell(rng, 'jug ask ({q})/{n}', n=between(rng, 2, 9))}"
    return f"{begin} {change} {_tell(rng, 'jug ask {q}')}"


def _some(rng: Rng) -> str:
    who, things, start = pick(rng, NAMES), pick(rng, THINGS), between(rng, 2, 20)
    told, value = _events(rng, who, start, between(rng, 1, 2))
    begin = _tell(rng, "count begin x", who=who, things=things)
    return " ".join([begin, *told, _tell(rng, "count ask {q}={n}", who=who, n=value)])


def _pair(rng: Rng) -> str:
    if rng.random() < 0.5:
        x, y = between(rng, 2, 20), between(rng, 2, 20)
        one, other = rng.permutation(len(THINGS))[:2]
        told, fact = [], "price fact {n}*x+{m}*y={k}"
        for _ in range(2):
            n, m = between(rng, 2, 6), between(rng, 2, 6)
            cost = n * x + m * y
            told.append(_tell(rng, fact, things=THINGS[one], others=THINGS[other], n=n, m=m, k=cost))
        return " ".join([*told, _tell(rng, "price ask {facts;}")])
    first, second = rng.permutation(len(NAMES))[:2]
    who, other_who = NAMES[first], NAMES[second]
    y, more = between(rng, 2, 30), between(rng, 2, 30)
    times = between(rng, 2, 5)
    x, relation, n = (y + more, "x-y={n}", more) if rng.random() < 0.5 else (times * y, "x={n}*y", times)
    together = _tell(rng, "pair fact x+y={n}", who=who, other=other_who, n=x + y, things=pick(rng, THINGS))
    told = [together, _tell(rng, f"pair fact {relation}", who=who, other=other_who, n=n)]
    return " ".join([*told, _tell(rng, "pair ask {facts;}")])


def _square(rng: Rng) -> str:
    x, n = between(rng, 2, 12), between(rng, 2, 15)
    match between(rng, 0, 2):
        case 0:
            return _tell(rng, "square ask x*(x+{n})={m}", n=n, m=x * (x + n))
        case 1:
            return _tell(rng, "square ask x*({n}-x)={m}", n=x + n, m=x * n)
    x = between(rng, 4, 12)
    other = between(rng, 2, x - 2)
    return _tell(rng, "square ask x^2={m}*x+{n}", m=x - other, n=x * other)


def _field(rng: Rng) -> str:
    p, r = binomial(rng), binomial(rng)
    match between(rng, 0, 3):
        case 0:
            return _tell(rng, "field ask expand ({p})*({r})", p=p, r=r)
        case 1:
            return _tell(rng, "field ask expand 2*(({p})+({r}))", p=p, r=r)
        case 2:
            return _tell(rng, "field ask expand ({p})^2", p=p)
    way = polynomial(*(between(rng, 1, 9) for _ in range(between(rng, 3, 4))))
    return _tell(rng, "field ask derive {p}", p=way)


def _ways(rng: Rng) -> str:
    told = []
    for _ in range(between(rng, 1, 2)):
        n, who, things = between(rng, 4, 12), pick(rng, NAMES), pick(rng, THINGS)
        meaning = pick(rng, ("C({n},{k})", "C({n},{k})", "P({n},{k})", "{n}!"))
        if meaning == "{n}!":
            n = between(rng, 3, 5)
        told.append(_tell(rng, f"ways fact {meaning}", n=n, k=between(rng, 2, 3), who=who, things=things))
    return " ".join([*told, _tell(rng, "ways ask {facts*}")])


_STORIES: dict[int, Callable[[Rng], str]] = {
    1: lambda rng: _count(rng, 1),
    2: lambda rng: _count(rng, between(rng, 2, 3)),
    3: _remainder_or_jug,
    4: _some,
    5: _pair,
    6: _square,
    7: _field,
    8: _ways,
}
