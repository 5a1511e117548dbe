"""An answer that is a program: a function, and tests of its own.

    def f(x):
        ...
        return total
    assert f([3, 1]) == 4

Whoever writes a program says with it what it should do on inputs that nobody gave. A test is data as every
answer is: a call on a literal and a literal, parsed and never run as source.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from autotelic.domains.functions.source import Function, parse_function
from autotelic.domains.literal import LiteralError, canonical, parse_literal
from autotelic.domains.programs.execution import Outcome
from autotelic.domains.programs.inputs import kind_of, small_enough
from autotelic.domains.programs.modes import INPUT_LIMITS
from autotelic.domains.programs.source import ProgramError
from autotelic.types import Json

MAX_TESTS = 6
MAX_PRINTED = 60
"""Characters of one value in what tests printed; longer ones read `...`."""
_TEST = re.compile(r"assert f\((.+)\) ?== ?(.+)")
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
    lines = text.strip("\n").split("\n")
    start = next((i for i, line in enumerate(lines) if line.startswith("assert ")), len(lines))
    function = parse_function("\n".join(lines[:start]))
    written = [line for line in lines[start:] if line.strip() and not line.startswith("#")]
    if len(written) > MAX_TESTS:
        raise ProgramError("tests", f"{len(written)} tests; at most {MAX_TESTS} are read")
    return Written(function, tuple(map(_test, written)))


def _test(line: str) -> Pair:
    match = _TEST.fullmatch(line.partition("  #")[0].rstrip())
    if match is None:
        raise ProgramError("tests", f"{line[:40]!r} is no `assert f(...) == ...`")
    try:
        given, expected = (parse_literal(part, INPUT_LIMITS) for part in match.groups())
    except LiteralError as error:
        raise ProgramError("tests", f"{line[:40]!r}: {error}") from error
    if not kind_of(given) or not small_enough(given, kind_of(given)):
        raise ProgramError("tests", f"{line[:40]!r} is about no input of this domain")
    return given, expected


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
