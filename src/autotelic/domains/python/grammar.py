"""Programs of the rules: typed operations composed at random, and variants of a program that fail."""

from __future__ import annotations

from functools import cache
from random import Random

from autotelic.domains.programs.inputs import draw_kind
from autotelic.domains.python.operations import Operation, operations
from autotelic.domains.python.program import Program, compose

NARROW = 2
"""How many operations may narrow before one widens."""
COARSE = 2
"""How many of the last lines may be coarse."""


def draw_program(random: Random, level: int) -> tuple[str, Program]:
    """A kind of input and a program of `level` operations on it.

    Compositions known to be idle are not drawn; the rest are found by running (`admission`).
    """
    kind = first = draw_kind(random, level)
    drawn: list[Operation] = []
    narrow = 0
    while len(drawn) < level:
        choice = random.choice(_offered(level, kind, late=level - len(drawn) <= COARSE))
        narrows = "narrows" in choice.marks
        if (drawn and _idle(drawn[-1], choice)) or (narrows and narrow == NARROW):
            continue
        drawn.append(choice)
        narrow = 0 if "widens" in choice.marks else narrow + narrows
        kind = choice.gives
    return first, compose([_express(random, operation) for operation in drawn])


def vary(random: Random, program: Program, kinds: list[str]) -> Program:
    """The program with one line replaced by another operation on the same kinds of value; `kinds[i]` is the
    kind before line i, the last one that of the output. Unchanged where no operation of its level fits.
    """
    expressions = list(program.expressions)
    places = list(range(program.level))
    random.shuffle(places)
    for i in places:
        options = _between(program.level, kinds[i], kinds[i + 1])
        if options:
            expressions[i] = _express(random, random.choice(options))
            break
    return compose(expressions)


def _express(random: Random, operation: Operation) -> str:
    constant = random.choice(operation.constants) if operation.constants else ""
    return operation.template.replace("{c}", constant)


@cache
def _between(level: int, takes: str, gives: str) -> tuple[Operation, ...]:
    return tuple(o for o in operations(level, takes) if o.gives == gives)


def _idle(before: Operation, after: Operation) -> bool:
    """Whether one of two lines in a row would be as good as none."""
    unseen = "orders" in before.marks and "unordered" in after.marks
    return unseen or after is before or ("shifts" in before.marks and "shifts" in after.marks)


@cache
def _offered(level: int, kind: str, late: bool) -> tuple[Operation, ...]:
    """What may come next, each as often as its share. Coarse operations come late or not at all; where there
    are many lines they are offered more often for it, or high levels would hardly have any.
    """
    often = max(1, level // 4) if late else 0
    return tuple(
        operation
        for operation in operations(level, kind)
        for _ in range(operation.share * (often if "coarse" in operation.marks else 1))
    )
