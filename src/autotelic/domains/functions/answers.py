"""An answer that is a program: a function, and tests of its own.

    def f(x):
        ...
        return total
    assert f([3, 1]) == 4

Whoever writes a program says with it what it should do on inputs that nobody gave. A test is data as every
answer is: a call on a literal and a literal, parsed and never run as source.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

from autotelic.domains.fences import source_text
from autotelic.domains.functions.source import Function, parse_function
from autotelic.domains.literal import LiteralError, canonical, python_literal
from autotelic.domains.programs.execution import Outcome
from autotelic.domains.programs.inputs import kind_of, small_enough
from autotelic.domains.programs.modes import INPUT_LIMITS
from autotelic.domains.programs.source import ProgramError
from autotelic.types import Json

MAX_TESTS = 6
MAX_PRINTED = 60
"""Characters of one value in what tests printed; longer ones read `...`."""
MAX_TEST = 1_000
"""Characters of one test."""
_ASSERT = re.compile(r"assert\b")
Pair = tuple[Json, Json]


@dataclass(frozen=True, slots=True)
class Written:
    """A function, and tests of its own: inputs and what it should return for each."""

    function: Function
    tests: tuple[Pair, ...]

    def __str__(self) -> str:
        return "\n".join([str(self.function), *map(assert_text, self.tests)])


def parse_written(text: str) -> Written:
    """The function and its tests; raises `ProgramError`, with the reason `tests` where a test cannot be read."""
    lines = source_text(text).strip("\n").split("\n")
    start = next((i for i, line in enumerate(lines) if _ASSERT.match(line)), len(lines))
    function = parse_function("\n".join(lines[:start]))
    written = [line for line in lines[start:] if line.strip() and not line.startswith("#")]
    if len(written) > MAX_TESTS:
        raise ProgramError("tests", f"{len(written)} tests; at most {MAX_TESTS} are read")
    return Written(function, tuple(map(_test, written)))


def _test(line: str) -> Pair:
    """The input and the output that `assert f(...) == ...` names, in either order, with a message or without."""
    found = _sides(line)
    if found is None:
        raise ProgramError("tests", f"{line[:40]!r} is no `assert f(...) == ...`")
    try:
        given, expected = (python_literal(part, INPUT_LIMITS) for part in found)
    except LiteralError as error:
        raise ProgramError("tests", f"{line[:40]!r}: {error}") from error
    if not kind_of(given) or not small_enough(given, kind_of(given)):
        raise ProgramError("tests", f"{line[:40]!r} is about no input of this domain")
    return given, expected


def _sides(line: str) -> tuple[str, str] | None:
    """The texts of a test's argument and of what it should return; nothing of them is evaluated."""
    if len(line) > MAX_TEST:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            (statement,) = ast.parse(line).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    match statement:
        case ast.Assert(test=ast.Compare(left=left, ops=[ast.Eq()], comparators=[right])):
            for call, value in ((left, right), (right, left)):
                match call:
                    case ast.Call(func=ast.Name(id="f"), args=[argument], keywords=[]):
                        given, expected = (ast.get_source_segment(line, node) for node in (argument, value))
                        return (given, expected) if given and expected else None
    return None


def assert_text(pair: Pair) -> str:
    """A test as it is written."""
    return f"assert f({canonical(pair[0])}) == {canonical(pair[1])}"


def report(tests: Sequence[Pair], outcome: Outcome) -> str:
    """What a run of the tests printed, a line a test: whether it holds, or what came instead, errors after a `!`."""
    lines = []
    for i, pair in enumerate(tests):
        got = f"!{outcome.stop}" if outcome.stop else printed(outcome.rows[i])
        held = not outcome.stop and holds(pair, outcome.rows[i])
        lines.append(f"{assert_text(pair)}  # {'ok' if held else got}\n")
    return "".join(lines)


def holds(pair: Pair, row: list[Json] | str) -> bool:
    """Whether a row of an outcome is what the test says."""
    return not isinstance(row, str) and repr(row[-1]) == repr(pair[1])


def printed(row: list[Json] | str) -> str:
    """What a call gave, as tests print it."""
    if isinstance(row, str):
        return f"!{row}"
    text = canonical(row[-1])
    return text if len(text) <= MAX_PRINTED else "..."
