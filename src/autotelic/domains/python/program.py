"""Programs: from text to checked lines, and from lines to the source that is run.

A program is straight-line: one assignment to `x` a line, and a return at the end. Each line is parsed by
itself, checked against the whitelist, and from then on exists only as what `ast.unparse` prints of it: no
character that a model wrote is ever put into source. Lines repeat, so both steps are remembered by line.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import lru_cache

from autotelic.domains.python import whitelist

HEADER = "def f(x):"
MAX_LINES = 12
MAX_LINE = 160
"""Characters of one line without its comment."""
MAX_SOURCE = 4_000
"""Characters of a program, comments included."""


class ProgramError(ValueError):
    """Not a program: `reason` is `syntax` or `whitelist`, `detail` says what was found."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Line:
    """One statement: `expression` as `ast.unparse` prints it, and whether it is the `return`."""

    expression: str
    returns: bool

    def __str__(self) -> str:
        return f"    return {self.expression}" if self.returns else f"    x = {self.expression}"


@dataclass(frozen=True, slots=True)
class Program:
    """Checked lines, the last of which returns. `str(program)` is its canonical text.

    >>> print(parse_program("def f(x):\\n  x=[v+3 for v in x]  # [6]\\n  return sum(x)"))
    def f(x):
        x = [v + 3 for v in x]
        return sum(x)
    """

    lines: tuple[Line, ...]

    @property
    def level(self) -> int:
        return len(self.lines)

    def __str__(self) -> str:
        return "\n".join((HEADER, *map(str, self.lines)))

    def annotated(self, values: tuple[str, ...]) -> str:
        """The text with the value after each line in a comment behind it."""
        body = (f"{line}  # {value}" for line, value in zip(self.lines, values, strict=True))
        return "\n".join((HEADER, *body))


def compose(expressions: list[str]) -> Program:
    """The program that assigns each expression in turn and returns the last. For the rules' own templates:
    they go through the same check as what a model wrote.
    """
    body = [f"x = {e}" for e in expressions[:-1]] + [f"return {expressions[-1]}"]
    return Program(tuple(_checked(text) for text in body))


def parse_program(text: str) -> Program:
    """The program that the text spells; raises `ProgramError`."""
    if len(text) > MAX_SOURCE:
        raise ProgramError("syntax", f"{len(text)} characters; at most {MAX_SOURCE} are read")
    header, *body = text.strip("\n").split("\n")
    if header.partition("#")[0].rstrip() != HEADER:
        raise ProgramError("syntax", f"the first line is not {HEADER!r}")
    if not 1 <= len(body) <= MAX_LINES:
        raise ProgramError("syntax", f"{len(body)} lines; expected 1 to {MAX_LINES}")
    lines = tuple(_indented(line) for line in body)
    if not lines[-1].returns or any(line.returns for line in lines[:-1]):
        raise ProgramError("syntax", "expected one return, on the last line")
    return Program(lines)


def _indented(text: str) -> Line:
    if text[:1] != " ":
        raise ProgramError("syntax", "a line of the body is not indented")
    text = text.strip(" ")
    # What stands before a comment is parsed alone, so that lines are remembered whatever their comments say.
    # If the `#` is inside a string, that part does not parse, and the whole line is tried.
    code, comment, _ = text.partition("  # ")
    if comment:
        try:
            return _checked(code)
        except ProgramError as error:
            if error.reason != "syntax":
                raise
    return _checked(text)


def _checked(statement: str) -> Line:
    if len(statement) > MAX_LINE:
        raise ProgramError("syntax", f"a line of {len(statement)} characters; at most {MAX_LINE} are read")
    found = _read(statement)
    if isinstance(found, Line):
        return found
    raise ProgramError(*found)


@lru_cache(maxsize=1 << 16)
def _read(statement: str) -> Line | tuple[str, str]:
    """The checked line, or the reason and detail of its refusal (errors are not remembered by a cache)."""
    if not (statement.isascii() and statement.isprintable()) or "\\" in statement:
        return "whitelist", "a character that is no printable ASCII, or a backslash"
    try:
        parsed = ast.parse(statement).body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return "syntax", type(error).__name__
    if len(parsed) != 1:
        return "syntax", "not one statement on a line"
    node = parsed[0]
    match node:
        case ast.Return(value=ast.expr() as expression):
            returns = True
        case ast.Assign(targets=[ast.Name(id="x")], value=expression):
            returns = False
        case _:
            return "whitelist", f"{type(node).__name__} is neither `x = ...` nor `return ...`"
    problem = whitelist.refused(expression)
    if problem:
        return "whitelist", problem
    return Line(ast.unparse(expression), returns)


@lru_cache(maxsize=1 << 14)
def traced(program: Program) -> str:
    """Source of a function of an input, and the number of a line to leave out (-1 for none), that returns
    the values after each line.

    Built from the checked lines alone. One list of assignment expressions is the cheapest function there is
    to compile, and compiling is most of what a short program costs.
    """
    if program.level == 1:
        return f"lambda x, skip: [{program.lines[0].expression}]"
    steps = (f"(x := ({line.expression}) if skip != {i} else x)" for i, line in enumerate(program.lines))
    return f"lambda x, skip: [{', '.join(steps)}]"
