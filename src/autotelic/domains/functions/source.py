"""Functions: from text to a checked syntax tree, and from there to what is run.

A function is `def f(x):` and statements: assignments, `if`, `for`, `while`, `return`, `break`, `continue`, and
`name.append(...)`. Each statement is checked against an explicit list and each expression against that of
straight-line programs (`programs/whitelist.py`). From then on the function exists only as what `ast.unparse`
prints of its tree: no character that a model wrote is ever put into source.

What is run is that tree with three additions. Loops count their turns, so that what does not halt ends with an error
of its own and not with the limits of everyone who shares the process. Changes of variables are noted, on the first
input: the notes are the working of a deduction. And the function gets a name that no model can write.
"""

from __future__ import annotations

import ast
import copy
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from random import Random

from autotelic.domains.fences import source_text
from autotelic.domains.programs import whitelist
from autotelic.domains.programs.source import HEADER, ProgramError, parse_def

MAX_SOURCE = 2_000
"""Characters of a function, comments included."""
MAX_STATEMENTS = 48
MAX_DEPTH = 5
"""Statements within statements."""
_NAME = re.compile(r"[a-z][a-z0-9_]{0,11}")
_KEYWORDS = frozenset({"f", *whitelist.BUILTINS})
DECISIONS = (ast.If, ast.For, ast.While)
"""What makes a function harder to follow: its level is how many of these it has."""
_SIMPLE = (ast.Return, ast.Break, ast.Continue)
_OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.FloorDiv, ast.Mod)


@dataclass(frozen=True, slots=True)
class Function:
    """A checked function. `str(function)` is its canonical text, of which it is a value.

    >>> print(parse_function("def f(x):\\n  n=0\\n  for v in x:\\n    n+=v # so far\\n  return n"))
    def f(x):
        n = 0
        for v in x:
            n += v
        return n
    """

    text: str

    @property
    def level(self) -> int:
        """How many decisions it takes: `if`, `for` and `while` statements."""
        return sum(isinstance(node, DECISIONS) for node in ast.walk(_tree(self.text)))

    def __str__(self) -> str:
        return self.text


def parse_function(text: str) -> Function:
    """The function that the text spells, comments aside; raises `ProgramError`."""
    if len(text) > MAX_SOURCE:
        raise ProgramError("syntax", f"{len(text)} characters; at most {MAX_SOURCE} are read")
    found = _read(source_text(text).strip("\n"))
    if isinstance(found, Function):
        return found
    raise ProgramError(*found)


@lru_cache(maxsize=1 << 13)
def _read(text: str) -> Function | tuple[str, str]:
    """The function, or the reason and detail of its refusal (errors are not remembered by a cache)."""
    one = parse_def(text)
    if one is None:
        return _unread(text)
    found = list(_statements(one.body, 1))
    if len(found) > MAX_STATEMENTS:
        return "syntax", f"{len(found)} statements; at most {MAX_STATEMENTS} are read"
    if max(depth for _, depth in found) > MAX_DEPTH:
        return "syntax", f"statements are nested more than {MAX_DEPTH} deep"
    # A name that is nowhere given a value would be looked for outside the function.
    given = {
        node.id for node in ast.walk(one) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    for statement, _ in found:
        problem = _refused(statement, given | {"x"})
        if problem:
            return "whitelist", problem
    return Function(ast.unparse(one))


def _unread(text: str) -> tuple[str, str]:
    """Why a text is not one function, as a reason and a detail."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return (
            ("syntax", type(error).__name__)
            if text.isascii()
            else ("whitelist", "a character that is no ASCII")
        )
    if text.isascii() and "\\" not in text:
        return "syntax", f"not one function that begins with {HEADER!r}"
    return "whitelist", "a character that is no printable ASCII, or a backslash"


def _statements(body: list[ast.stmt], depth: int) -> Iterator[tuple[ast.stmt, int]]:
    """Every statement with its depth, in the order of the text."""
    for statement in body:
        yield statement, depth
        for inner in ("body", "orelse"):
            yield from _statements(getattr(statement, inner, []), depth + 1)


def _refused(statement: ast.stmt, given: set[str]) -> str:
    """Why a statement is not allowed, apart from the statements within it, or the empty string."""

    def is_variable(name: str) -> bool:
        return name in given and is_name(name)

    match statement:
        case ast.Assign(targets=[ast.Name() as target], value=value):
            parts = [target, value]
        case ast.AugAssign(target=ast.Name() as target, op=operator, value=value) if isinstance(
            operator, _OPERATORS
        ):
            parts = [target, value]
        case ast.Expr(
            value=ast.Call(
                func=ast.Attribute(value=ast.Name() as target, attr="append"), args=[value], keywords=[]
            )
        ):
            parts = [target, value]
        case ast.If(test=test):
            parts = [test]
        case ast.While(test=test, orelse=[]):
            parts = [test]
        case ast.For(target=ast.Name() | ast.Tuple() as target, iter=items, orelse=[]):
            parts = [target, items]
        case ast.Return(value=ast.expr() as value):
            parts = [value]
        case ast.Break() | ast.Continue():
            parts = []
        case _:
            return f"{type(statement).__name__} of this kind"
    return next(filter(None, (whitelist.refused(part, is_variable) for part in parts)), "")


def is_name(name: str) -> bool:
    """What a function may call its variables.

    >>> is_name("total"), is_name("__import__"), is_name("len")
    (True, False, False)
    """
    return _NAME.fullmatch(name) is not None and name not in _KEYWORDS and "__" not in name


@lru_cache(maxsize=1 << 12)
def _tree(text: str) -> ast.FunctionDef:
    """The tree of a canonical text. Not to be changed: copies are."""
    tree = ast.parse(text).body[0]
    assert isinstance(tree, ast.FunctionDef)
    return tree


def runnable(function: Function, name: str) -> str:
    """Source of the function under another name, with its loops counted and its changes noted (execution.py)."""
    tree = copy.deepcopy(_tree(function.text))
    tree.name = name
    tree.body = _noted(tree.body)
    return ast.unparse(ast.fix_missing_locations(tree))


def _noted(body: list[ast.stmt]) -> list[ast.stmt]:
    found: list[ast.stmt] = []
    for statement in body:
        match statement:
            case ast.For():
                statement.iter = _called("_turns", statement.iter)
            case ast.While():
                statement.test = ast.BoolOp(op=ast.And(), values=[_called("_turn"), statement.test])
        for inner in ("body", "orelse"):
            if hasattr(statement, inner):
                setattr(statement, inner, _noted(getattr(statement, inner)))
        found.append(statement)
        changed = _changed(statement)
        if changed:
            value = ast.Name(id=changed, ctx=ast.Load())
            found.append(ast.Expr(value=_called("_note", ast.Constant(value=changed), value)))
    return found


def _changed(statement: ast.stmt) -> str:
    """The name of the variable that a statement changes; empty where it changes none."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AugAssign(target=ast.Name(id=name)):
            return name
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name)))):
            return name
    return ""


def _called(name: str, *given: ast.expr) -> ast.Call:
    return ast.Call(func=ast.Name(id=name, ctx=ast.Load()), args=list(given), keywords=[])


_SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.GtE, ast.Gt: ast.LtE, ast.LtE: ast.Lt, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.FloorDiv: ast.Mod, ast.Mod: ast.FloorDiv,
}  # fmt: skip


def vary(random: Random, function: Function) -> Function:
    """The function with one slip in it: a constant off by one, or one operator or comparison in place of another."""
    tree = copy.deepcopy(_tree(function.text))
    places: list[tuple[ast.AST, str, int]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and type(node.value) is int:
            places.append((node, "value", 0))
        elif isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in _SWAPS:
            places.append((node, "op", 0))
        elif isinstance(node, ast.Compare):
            places += [(node, "ops", i) for i, operator in enumerate(node.ops) if type(operator) in _SWAPS]
    if not places:
        return function
    node, field, i = random.choice(places)
    if field == "value":
        node.value = abs(node.value + random.choice((-1, 1)))  # type: ignore[attr-defined]
    elif field == "op":
        node.op = _SWAPS[type(node.op)]()  # type: ignore[attr-defined]
    else:
        node.ops[i] = _SWAPS[type(node.ops[i])]()  # type: ignore[attr-defined]
    return Function(ast.unparse(tree))
