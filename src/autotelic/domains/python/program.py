"""Programs: from text to checked operations.

A program is straight-line: one operation a line, each an assignment to `x`, and `return x` at the end, so
that an operation reads the same wherever it stands. A model may also end on `return <expression>`, which is
then its last operation. Each line is parsed by itself, checked against the whitelist, and from then on exists
only as what `ast.unparse` prints of it: no character that a model wrote is ever put into source. Lines
repeat, so what became of one is remembered.
"""

from __future__ import annotations

import ast
import warnings
from dataclasses import dataclass
from functools import lru_cache

from autotelic.domains.fences import source_text
from autotelic.domains.programs import whitelist
from autotelic.domains.programs.source import HEADER, ProgramError, parse_def

FOOTER = "    return x"
MAX_OPERATIONS = 12
MAX_LINE = 160
"""Characters of one line."""
MAX_SOURCE = 4_000
"""Characters of a program, comments included."""


@dataclass(frozen=True, slots=True)
class Line:
    """One statement: `expression` as `ast.unparse` prints it, and whether it is the `return`."""

    expression: str
    returns: bool


@dataclass(frozen=True, slots=True)
class Program:
    """Checked expressions, each assigned to `x`, which is returned. `str(program)` is its canonical text.

    >>> print(parse_program("def f(x):\\n  x=[v+3 for v in x]\\n# [6]\\n  return sum(x)"))
    def f(x):
        x = [v + 3 for v in x]
        x = sum(x)
        return x
    """

    expressions: tuple[str, ...]

    @property
    def level(self) -> int:
        """How many operations; the `return x` is none."""
        return len(self.expressions)

    def __str__(self) -> str:
        return "\n".join((HEADER, *map(_assignment, self.expressions), FOOTER))

    def annotated(self, values: tuple[str, ...]) -> str:
        """The text with the value after each operation in a comment on the line below it."""
        body = (f"{_assignment(e)}\n# {value}" for e, value in zip(self.expressions, values, strict=True))
        return "\n".join((HEADER, *body, FOOTER))


def compose(expressions: list[str]) -> Program:
    """The program of these operations. For the rules' own templates: they go through the same check as what
    a model wrote.
    """
    return Program(tuple(_checked(f"x = {e}").expression for e in expressions))


def parse_program(text: str) -> Program:
    """The program that the text spells, comments and docstring aside; raises `ProgramError`.

    What does not have a statement on each line is read as Python reads it; the reasons are those of the lines.
    """
    if len(text) > MAX_SOURCE:
        raise ProgramError("syntax", f"{len(text)} characters; at most {MAX_SOURCE} are read")
    text = source_text(text)
    try:
        return _by_lines(text)
    except ProgramError:
        found = _by_tree(text)
        if found is None:
            raise
        return found


def _by_lines(text: str) -> Program:
    header, *body = text.strip("\n").split("\n")
    if header.partition("#")[0].rstrip() != HEADER:
        raise ProgramError("syntax", f"the first line is not {HEADER!r}")
    code = [line for line in body if line.lstrip(" \t")[:1] != "#"]
    if not 1 <= len(code) <= MAX_OPERATIONS + 1:
        raise ProgramError("syntax", f"{len(code)} lines; expected 1 to {MAX_OPERATIONS + 1}")
    return _assembled(list(map(_indented, code)))


def _by_tree(text: str) -> Program | None:
    """The program of a text that has its statements elsewhere than on lines of their own, or None."""
    tree = parse_def(text)
    if tree is None or any(len(line) > MAX_LINE for line in text.split("\n") if line.lstrip()[:1] != "#"):
        return None
    try:
        return _assembled([_checked(ast.unparse(statement)) for statement in tree.body])
    except ProgramError:
        return None


def _assembled(read: list[Line]) -> Program:
    *lines, last = read
    if not last.returns or any(line.returns for line in lines):
        raise ProgramError("syntax", "expected one return, on the last line")
    if last.expression != "x" or not lines:
        lines.append(last)
    if len(lines) > MAX_OPERATIONS:
        raise ProgramError("syntax", f"{len(lines)} operations; at most {MAX_OPERATIONS} are read")
    return Program(tuple(line.expression for line in lines))


def _assignment(expression: str) -> str:
    return f"    x = {expression}"


def _indented(text: str) -> Line:
    if text[:1] not in (" ", "\t"):
        raise ProgramError("syntax", "a line of the body is not indented")
    return _checked(text.strip(" \t"))


def _checked(statement: str) -> Line:
    if len(statement) > MAX_LINE:
        raise ProgramError("syntax", f"a line of {len(statement)} characters; at most {MAX_LINE} are read")
    found = _read(statement)
    if isinstance(found, Line):
        return found
    raise ProgramError(*found)


@lru_cache(maxsize=1 << 13)  # a few generations of lines; the rules' own are a few hundred
def _read(statement: str) -> Line | tuple[str, str]:
    """The checked line, or the reason and detail of its refusal (errors are not remembered by a cache)."""
    if not (statement.isascii() and statement.isprintable()) or "\\" in statement:
        return "whitelist", "a character that is no printable ASCII, or a backslash"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # `1if x` is odd Python; the model's style is not the user's concern
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
