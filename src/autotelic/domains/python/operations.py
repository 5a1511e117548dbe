"""What a line can do: the table that programs of the rules are composed of.

An operation is one expression in `x` with at most one constant. Each takes and gives a kind of value: a list
of integers (`ints`), an integer (`int`) or a string (`str`).
"""

from __future__ import annotations

from dataclasses import dataclass

KINDS = ("ints", "int", "str")


MARKS = ("orders", "unordered", "narrows", "widens", "coarse", "shifts")
"""What `Operation.marks` can say, for the grammar to avoid compositions in which a line does nothing:

`orders` only changes the order; `unordered` does not see the order; `narrows` leaves less to work with,
`widens` more; `coarse` leaves a handful of values, so that after a few more lines nothing tells inputs apart;
`shifts` adds a constant, so that two in a row are one.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One row of the table.

    `template` is an expression in which `{c}` stands for one of `constants` (already in source form); `since`
    is the first level at which the rules use it; a proposal may at any. `share` is how often it is drawn
    beside the others: more than 1 where the outputs are so often alike that most of its programs are refused.
    """

    name: str
    template: str
    takes: str
    gives: str
    constants: tuple[str, ...] = ()
    marks: frozenset[str] = frozenset()
    since: int = 1
    share: int = 1

    @property
    def expressions(self) -> tuple[str, ...]:
        """Every expression this operation can be, one a constant."""
        return tuple(self.template.replace("{c}", c) for c in self.constants) or (self.template,)


def _row(
    takes: str,
    gives: str,
    name: str,
    template: str,
    constants: tuple[str, ...] = (),
    marks: str = "",
    *,
    since: int = 1,
    share: int = 1,
) -> Operation:
    return Operation(
        name=name,
        template=template,
        takes=takes,
        gives=gives,
        constants=constants,
        marks=frozenset(marks.split()),
        since=since,
        share=share,
    )


def _digits(low: int, high: int) -> tuple[str, ...]:
    return tuple(str(c) for c in range(low, high + 1))


_LETTERS = tuple(f"'{c}'" for c in "abcde")

# fmt: off
OPERATIONS: tuple[Operation, ...] = (
    # a list to a list, element by element
    _row("ints", "ints", "add", "[v + {c} for v in x]", _digits(1, 9), "shifts"),
    _row("ints", "ints", "subtract", "[v - {c} for v in x]", _digits(1, 9), "shifts"),
    _row("ints", "ints", "from", "[{c} - v for v in x]", _digits(1, 9), "shifts", since=4),
    _row("ints", "ints", "multiply", "[v * {c} for v in x]", _digits(2, 5)),
    _row("ints", "ints", "divide", "[v // {c} for v in x]", _digits(2, 4), "narrows", since=4),
    _row("ints", "ints", "modulo", "[v % {c} for v in x]", _digits(3, 6), "narrows"),
    _row("ints", "ints", "square", "[v * v for v in x]", (), "widens", since=4),
    _row("ints", "ints", "distance", "[abs(v - {c}) for v in x]", _digits(2, 8), since=4),
    _row("ints", "ints", "raise", "[max(v, {c}) for v in x]", _digits(3, 7), "narrows", since=4),
    _row("ints", "ints", "cap", "[min(v, {c}) for v in x]", _digits(2, 6), "narrows", since=4),
    _row("ints", "ints", "place", "[v + i for i, v in enumerate(x)]", since=4),
    _row("ints", "ints", "weigh", "[v * i for i, v in enumerate(x)]", since=4),
    _row("ints", "ints", "excess", "[v - min(x) for v in x]", since=4),
    # a list to a list, some of it
    _row("ints", "ints", "above", "[v for v in x if v > {c}]", _digits(1, 5), "narrows"),
    _row("ints", "ints", "below", "[v for v in x if v < {c}]", _digits(4, 8), "narrows", share=2),
    _row("ints", "ints", "evens", "[v for v in x if v % 2 == 0]", (), "narrows"),
    _row("ints", "ints", "odds", "[v for v in x if v % 2 == 1]", (), "narrows"),
    _row("ints", "ints", "indivisible", "[v for v in x if v % {c} > 0]", _digits(3, 5), "narrows", since=4),
    _row("ints", "ints", "drop", "x[{c}:]", _digits(1, 2), "narrows"),
    _row("ints", "ints", "take", "x[:{c}]", _digits(2, 4), "narrows"),
    _row("ints", "ints", "but last", "x[:-1]", (), "narrows"),
    _row("ints", "ints", "every other", "x[::2]", (), "narrows"),
    _row("ints", "ints", "distinct", "sorted(set(x))", (), "unordered narrows", since=4),
    # a list to a list, in another order
    _row("ints", "ints", "reverse", "x[::-1]", (), "orders"),
    _row("ints", "ints", "sort", "sorted(x)", (), "orders unordered"),
    _row("ints", "ints", "sort down", "sorted(x)[::-1]", (), "orders unordered"),
    _row("ints", "ints", "rotate", "x[1:] + x[:1]", (), "orders"),
    # a list to a list, neighbours together
    _row("ints", "ints", "add neighbours", "[a + b for a, b in zip(x, x[1:])]", since=4),
    _row("ints", "ints", "differences", "[b - a for a, b in zip(x, x[1:])]", since=4),
    _row("ints", "ints", "prefix sums", "[sum(x[:i + 1]) for i in range(len(x))]", (), "widens", since=4),
    _row("ints", "ints", "fold", "[a + b for a, b in zip(x, x[::-1])]", since=4),
    # a list to an integer
    _row("ints", "int", "sum", "sum(x)", (), "unordered"),
    _row("ints", "int", "max", "max(x)", (), "unordered"),
    _row("ints", "int", "min", "min(x)", (), "unordered narrows", share=2),
    _row("ints", "int", "len", "len(x)", (), "unordered coarse", share=2),
    _row("ints", "int", "first", "x[0]"),
    _row("ints", "int", "last", "x[-1]"),
    _row("ints", "int", "count", "x.count({c})", _digits(0, 9), "unordered coarse", share=3),
    _row("ints", "int", "spread", "max(x) - min(x)", (), "unordered", since=4),
    _row("ints", "int", "how many above", "sum([v > {c} for v in x])", _digits(2, 7), "unordered coarse",
         since=4, share=2),
    _row("ints", "int", "where max", "x.index(max(x))", (), "coarse", since=4, share=2),
    _row("ints", "int", "extremes", "max(x) + min(x)", (), "unordered", since=4),
    _row("ints", "int", "ends", "x[0] * x[-1]", since=4),
    _row("ints", "int", "sum of squares", "sum([v * v for v in x])", (), "unordered widens", since=4),
    # an integer to an integer
    _row("int", "int", "plus", "x + {c}", _digits(1, 9), "shifts"),
    _row("int", "int", "minus", "x - {c}", _digits(1, 9), "shifts"),
    _row("int", "int", "times", "x * {c}", _digits(2, 5)),
    _row("int", "int", "over", "x // {c}", _digits(2, 9), "narrows", since=4),
    _row("int", "int", "remainder", "x % {c}", _digits(5, 9), "coarse"),
    _row("int", "int", "away", "abs(x - {c})", _digits(5, 9), since=4),
    _row("int", "int", "digit sum", "sum([int(d) for d in str(x)])", (), "narrows", since=4),
    # an integer to a list
    _row("int", "ints", "digits", "[int(d) for d in str(x)]"),
    _row("int", "ints", "range", "list(range(x % {c}))", _digits(5, 9), "coarse"),
    _row("int", "ints", "pair", "[x, x + {c}]", _digits(1, 9), since=4),
    _row("int", "ints", "divmod", "[x // {c}, x % {c}]", _digits(3, 9), since=4),
    _row("int", "ints", "multiples", "[x * i for i in range(1, {c})]", _digits(3, 6), "widens", since=4),
    # strings, from level 4
    _row("str", "str", "reverse text", "x[::-1]", (), "orders", since=4),
    _row("str", "str", "upper", "x.upper()", (), since=4),
    _row("str", "str", "cut first", "x[1:]", (), "narrows", since=4),
    _row("str", "str", "cut last", "x[:-1]", (), "narrows", since=4),
    _row("str", "str", "turn", "x[1:] + x[:1]", (), "orders", since=4),
    _row("str", "str", "mirror", "x + x[::-1]", (), "widens", since=4),
    _row("str", "str", "sort letters", "''.join(sorted(x))", (), "orders unordered", since=4),
    _row("str", "str", "erase", "x.replace({c}, '')", _LETTERS, "narrows", since=4),
    _row("str", "str", "exchange", "x.replace({c}, 'z')", _LETTERS, since=4),
    _row("str", "str", "every other letter", "x[::2]", (), "narrows", since=4),
    _row("str", "int", "length", "len(x)", (), "unordered coarse", since=4, share=2),
    _row("str", "int", "count letter", "x.count({c})", _LETTERS, "unordered coarse", since=4, share=3),
    _row("str", "int", "find", "x.find({c})", _LETTERS, "coarse", since=4, share=2),
    _row("str", "ints", "ords", "[ord(v) - 97 for v in x]", (), since=4),
    _row("str", "ints", "counts", "[x.count(v) for v in x]", (), "narrows", since=4),
    _row("str", "ints", "finds", "[x.find(v) for v in x]", (), "narrows", since=4),
    _row("int", "str", "text", "str(x)", (), "widens", since=4),
    _row("ints", "str", "letters", "''.join(['abcdefghij'[v % 10] for v in x])", (), since=4),
    _row("ints", "str", "join", "''.join([str(v) for v in x])", (), "widens", since=4),
)
# fmt: on


def operations(level: int, takes: str = "") -> tuple[Operation, ...]:
    """The operations of a level, or those of them that take one kind of value."""
    return tuple(o for o in OPERATIONS if o.since <= level and takes in ("", o.takes))
