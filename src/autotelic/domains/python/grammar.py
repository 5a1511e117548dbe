"""Programs of the rules: typed operations composed at random, and variants of a program that fail."""

from __future__ import annotations

from functools import cache
from random import Random

from autotelic.domains.python.inputs import draw_kind
from autotelic.domains.python.operations import Operation, operations
from autotelic.domains.python.program import Program, compose


def draw_program(random: Random, level: int) -> tuple[str, Program]:
    """A kind of input and a program of `level` operations on it.

    Compositions known to be idle are not drawn; the rest are found by running (`admission`).
    """
    kind = first = draw_kind(random, level)
    drawn: list[Operation] = []
    while len(drawn) < level:
        choice = random.choice(_offered(level, kind))
        if drawn and (_idle(drawn[-1], choice) or choice is drawn[-1]):
            continue
        drawn.append(choice)
        kind = choice.gives
    return first, compose([random.choice(operation.expressions) for operation in drawn])


def vary(random: Random, program: Program, kinds: list[str]) -> Program:
    """The program with one line replaced by another operation on the same kinds of value; `kinds[i]` is the
    kind before line i, the last one that of the output. Unchanged where no operation of the table fits.
    """
    expressions = [line.expression for line in program.lines]
    places = list(range(program.level))
    random.shuffle(places)
    for i in places:
        options = [o for o in operations(8, kinds[i]) if o.gives == kinds[i + 1]]
        if options:
            expressions[i] = random.choice(random.choice(options).expressions)
            break
    return compose(expressions)


def _idle(before: Operation, after: Operation) -> bool:
    """Whether leaving out `before` would change nothing, or the two undo each other."""
    return before.orders and after.unordered


@cache
def _offered(level: int, kind: str) -> tuple[Operation, ...]:
    return operations(level, kind)
