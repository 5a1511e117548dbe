"""Which Python a program may be made of: an explicit list of syntax nodes, names and methods.

The sandbox is what holds a program; this list is what keeps a task a task, and what lets programs share a
process. It is wider than the grammar of the rules (nested and conditional expressions, boolean logic), so
that a model can write what the rules would not. It has no attribute but the methods below, and no way to name
anything else.
"""

from __future__ import annotations

import ast
from collections.abc import Callable

# fmt: off
BUILTINS = frozenset({
    "abs", "all", "any", "bool", "enumerate", "int", "len", "list", "max", "min", "ord", "range", "reversed",
    "round", "set", "sorted", "str", "sum", "zip",
})
METHODS = frozenset({
    "count", "endswith", "find", "index", "isalpha", "isdigit", "join", "lower", "replace", "split",
    "startswith", "strip", "upper",
})
NODES: frozenset[type[ast.AST]] = frozenset({
    ast.Constant, ast.Name, ast.Load, ast.Store, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare,
    ast.IfExp, ast.List, ast.ListComp, ast.GeneratorExp, ast.comprehension, ast.Subscript, ast.Slice,
    ast.Call, ast.keyword, ast.Attribute, ast.Tuple,
    ast.Add, ast.Sub, ast.Mult, ast.FloorDiv, ast.Mod, ast.USub, ast.Not, ast.And, ast.Or,
    ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn,
})
# fmt: on
EAGER = frozenset({"all", "any", "list", "max", "min", "set", "sorted", "sum", "join"})
"""What uses up a generator. One may stand nowhere else: every line means the same whatever follows it."""
MAX_NODES = 60
"""Syntax nodes of one line: the longest operation of the rules has 28."""
MAX_CONSTANT = 999
MAX_TEXT = 16


def is_letter(name: str) -> bool:
    """What a program may call its variables: one letter."""
    return len(name) == 1 and name.islower()


def refused(expression: ast.expr, is_variable: Callable[[str], bool] = is_letter) -> str:
    """Why an expression is not allowed, or the empty string. `is_variable` says which names may be used.

    >>> refused(ast.parse("x.__class__", mode="eval").body)
    'attribute __class__'
    """
    # What is allowed only in a call: a method there, a generator here. ast.walk visits the call before them.
    licensed: set[int] = set()
    for nodes, node in enumerate(ast.walk(expression), start=1):
        if nodes > MAX_NODES:
            return f"more than {MAX_NODES} nodes on a line"
        kind = type(node)
        if kind not in NODES:
            return kind.__name__
        if kind is ast.Name:
            problem = _name(node, is_variable)  # type: ignore[arg-type]
        elif kind is ast.Constant:
            problem = _constant(node.value)  # type: ignore[attr-defined]
        elif kind is ast.Call:
            problem = _call(node, licensed)  # type: ignore[arg-type]
        elif kind is ast.Attribute:
            problem = "" if id(node) in licensed else f"attribute {node.attr}"  # type: ignore[attr-defined]
        elif kind is ast.GeneratorExp:
            problem = "" if id(node) in licensed else "generator that nothing uses up"
        elif kind is ast.Tuple:
            problem = "" if isinstance(node.ctx, ast.Store) else "Tuple"  # type: ignore[attr-defined]
        elif kind is ast.comprehension:
            problem = "async" if node.is_async else ""  # type: ignore[attr-defined]
        else:
            problem = ""
        if problem:
            return problem
    return ""


def _name(node: ast.Name, is_variable: Callable[[str], bool]) -> str:
    if isinstance(node.ctx, ast.Load):
        known = node.id in BUILTINS or is_variable(node.id)
        return "" if known else f"name {node.id}"
    return "" if is_variable(node.id) else f"variable {node.id}"


def _constant(value: object) -> str:
    if isinstance(value, bool):
        return ""
    if type(value) is int:
        return "" if value <= MAX_CONSTANT else f"constant above {MAX_CONSTANT}"
    if type(value) is str:
        if "|" in value:
            # Special tokens are spelled `<|...|>`: no program can print one into a prompt.
            return "text with a |"
        return "" if len(value) <= MAX_TEXT else f"text of more than {MAX_TEXT} characters"
    return f"constant {type(value).__name__}"


def _call(node: ast.Call, licensed: set[int]) -> str:
    """A builtin or a method by its own name, with positional arguments, or `sorted(..., reverse=...)`."""
    called = node.func
    name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
    if name in EAGER:
        licensed.update(id(given) for given in node.args if isinstance(given, ast.GeneratorExp))
    if isinstance(called, ast.Attribute):
        if called.attr not in METHODS:
            return f"method {called.attr}"
        licensed.add(id(called))
        return "keyword" if node.keywords else ""
    if not isinstance(called, ast.Name) or called.id not in BUILTINS:
        return f"call of {getattr(called, 'id', type(called).__name__)}"
    allowed = called.id == "sorted" and all(k.arg == "reverse" for k in node.keywords)
    return "" if allowed or not node.keywords else "keyword"
