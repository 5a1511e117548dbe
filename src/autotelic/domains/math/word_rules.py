"""First word problems: the sentences of `word_problems`, filled in and put together by level."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from autotelic.domains.math.rules import Rng, between, binomial, pick, polynomial, proper
from autotelic.domains.math.word_problems import SENTENCES

NAMES = ("Ann", "Bob", "Eva", "Tom", "Ida", "Max")
THINGS = ("pens", "cups", "books", "apples", "coins", "cards", "eggs", "nuts")

_SAYING: dict[str, list[str]] = defaultdict(list)
"""The sentences that say the same thing, by family, role and what they say."""
for _form in SENTENCES:
    _SAYING[f"{_form.family} {_form.role} {_form.says}"].append(_form.text)


def word_problem_text(rng: Rng, level: int) -> str:
    """A word problem meant for a level."""
    return _PROBLEMS[level](rng)


def _sentence(rng: Rng, meaning: str, **slots: str | int) -> str:
    """One of the sentences with a meaning, its slots filled."""
    return pick(rng, _SAYING[meaning]).format(**slots)


def _events(rng: Rng, who: str, value: int, count: int) -> tuple[list[str], int]:
    """What happens to a number of things, and how many there are then: two at least, as a sentence can tell."""
    said = []
    for _ in range(count):
        n, m = between(rng, 2, 9), between(rng, 2, 9)
        divisors = [d for d in range(2, 10) if value % d == 0 and value > d]
        match pick(rng, "+++---*/bB"):
            case "*" if value <= 30:
                said.append(_sentence(rng, "count then ({q})*{n}", who=who, n=n))
                value *= n
            case "/" if divisors:
                n = pick(rng, divisors)
                said.append(_sentence(rng, "count then ({q})/{n}", who=who, n=n))
                value //= n
            case "-" if value > 3:
                n = between(rng, 2, min(value - 2, 50))
                said.append(_sentence(rng, "count then ({q})-{n}", who=who, n=n))
                value -= n
            case "B" if value > n * m + 1:
                said.append(_sentence(rng, "count then ({q})-{n}*{m}", who=who, n=n, m=m))
                value -= n * m
            case "b" if count > 1:
                said.append(_sentence(rng, "count then ({q})+{n}*{m}", who=who, n=n, m=m))
                value += n * m
            case _:
                n = between(rng, 2, 50)
                said.append(_sentence(rng, "count then ({q})+{n}", who=who, n=n))
                value += n
    return said, value


def _count(rng: Rng, events: int) -> str:
    who, things, start = pick(rng, NAMES), pick(rng, THINGS), between(rng, 2, 60)
    said, _ = _events(rng, who, start, events)
    begin = _sentence(rng, "count begin {n}", who=who, things=things, n=start)
    return " ".join([begin, *said, _sentence(rng, "count ask {q}", who=who, things=things)])


def _remainder_or_jug(rng: Rng) -> str:
    if rng.random() < 0.5:
        who, things, n, m = pick(rng, NAMES), pick(rng, THINGS), between(rng, 2, 12), between(rng, 2, 9)
        begin = _sentence(rng, "count begin {n}*{m}", who=who, things=things, n=n, m=m)
        said, _ = _events(rng, who, n * m, 1)
        if rng.random() < 0.5:
            begin = _sentence(rng, "count begin {n}", who=who, things=things, n=between(rng, 10, 99))
            said = []
        return " ".join([begin, *said, _sentence(rng, "count ask ({q})%{n}", n=between(rng, 3, 9))])
    (a, b), (c, d) = proper(rng), proper(rng)
    begin = _sentence(rng, "jug begin {a}/{b}", a=a, b=b)
    sign = "+" if a * d <= b * c or rng.random() < 0.5 else "-"
    change = _sentence(rng, f"jug then ({{q}}){sign}{{a}}/{{b}}", a=c, b=d)
    match between(rng, 0, 3):
        case 0:
            return f"{begin} {_sentence(rng, 'jug ask ({q})*{n}', n=between(rng, 2, 9))}"
        case 1:
            return f"{begin} {_sentence(rng, 'jug ask ({q})/{n}', n=between(rng, 2, 9))}"
    return f"{begin} {change} {_sentence(rng, 'jug ask {q}')}"


def _some(rng: Rng) -> str:
    who, things, start = pick(rng, NAMES), pick(rng, THINGS), between(rng, 2, 20)
    said, value = _events(rng, who, start, between(rng, 1, 2))
    begin = _sentence(rng, "count begin x", who=who, things=things)
    return " ".join([begin, *said, _sentence(rng, "count ask {q}={n}", who=who, n=value)])


def _pair(rng: Rng) -> str:
    if rng.random() < 0.5:
        x, y = between(rng, 2, 20), between(rng, 2, 20)
        one, other = rng.permutation(len(THINGS))[:2]
        said, fact = [], "price fact {n}*x+{m}*y={k}"
        for _ in range(2):
            n, m = between(rng, 2, 6), between(rng, 2, 6)
            cost = n * x + m * y
            said.append(_sentence(rng, fact, things=THINGS[one], others=THINGS[other], n=n, m=m, k=cost))
        return " ".join([*said, _sentence(rng, "price ask {facts;}")])
    first, second = rng.permutation(len(NAMES))[:2]
    who, other_who = NAMES[first], NAMES[second]
    y, more = between(rng, 2, 30), between(rng, 2, 30)
    times = between(rng, 2, 5)
    x, relation, n = (y + more, "x-y={n}", more) if rng.random() < 0.5 else (times * y, "x={n}*y", times)
    together = _sentence(
        rng, "pair fact x+y={n}", who=who, other=other_who, n=x + y, things=pick(rng, THINGS)
    )
    said = [together, _sentence(rng, f"pair fact {relation}", who=who, other=other_who, n=n)]
    return " ".join([*said, _sentence(rng, "pair ask {facts;}")])


def _square(rng: Rng) -> str:
    x, n = between(rng, 2, 12), between(rng, 2, 15)
    match between(rng, 0, 2):
        case 0:
            return _sentence(rng, "square ask x*(x+{n})={m}", n=n, m=x * (x + n))
        case 1:
            return _sentence(rng, "square ask x*({n}-x)={m}", n=x + n, m=x * n)
    x = between(rng, 4, 12)
    other = between(rng, 2, x - 2)
    return _sentence(rng, "square ask x^2={m}*x+{n}", m=x - other, n=x * other)


def _field(rng: Rng) -> str:
    p, r = binomial(rng), binomial(rng)
    match between(rng, 0, 3):
        case 0:
            return _sentence(rng, "field ask expand ({p})*({r})", p=p, r=r)
        case 1:
            return _sentence(rng, "field ask expand 2*(({p})+({r}))", p=p, r=r)
        case 2:
            return _sentence(rng, "field ask expand ({p})^2", p=p)
    way = polynomial(*(between(rng, 1, 9) for _ in range(between(rng, 3, 4))))
    return _sentence(rng, "field ask derive {p}", p=way)


def _ways(rng: Rng) -> str:
    said = []
    for _ in range(between(rng, 1, 2)):
        n, who, things = between(rng, 4, 12), pick(rng, NAMES), pick(rng, THINGS)
        meaning = pick(rng, ("C({n},{k})", "C({n},{k})", "P({n},{k})", "{n}!"))
        if meaning == "{n}!":
            n = between(rng, 3, 5)
        said.append(_sentence(rng, f"ways fact {meaning}", n=n, k=between(rng, 2, 3), who=who, things=things))
    return " ".join([*said, _sentence(rng, "ways ask {facts*}")])


_PROBLEMS: dict[int, Callable[[Rng], str]] = {
    1: lambda rng: _count(rng, 1),
    2: lambda rng: _count(rng, between(rng, 2, 3)),
    3: _remainder_or_jug,
    4: _some,
    5: _pair,
    6: _square,
    7: _field,
    8: _ways,
}
