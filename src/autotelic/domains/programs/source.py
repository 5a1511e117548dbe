"""What the text of every program has in common."""

from __future__ import annotations

import ast
import io
import tokenize
import warnings

HEADER = "def f(x):"
"""The first line of every program."""


class ProgramError(ValueError):
    """Not a program: `reason` is a short stable word (`syntax`, `whitelist`, ...), `detail` says what was found."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def parse_def(text: str) -> ast.FunctionDef | None:
    """The tree of a text that is one function `f(x)`, without what changes nothing: docstring and annotations.

    None where Python reads no such function, or where it is not ASCII outside of comments and the docstring.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd Python is not the user's concern
            body = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    one = body[0] if len(body) == 1 else None
    if not isinstance(one, ast.FunctionDef):
        return None
    doc = one.body[0] if len(one.body) > 1 and ast.get_docstring(one, clean=False) is not None else None
    if not _is_plain(text, doc):
        return None
    one.body = [_unannotated(statement) for statement in one.body if statement is not doc]
    one.returns, one.type_comment = None, None
    for argument in ast.walk(one.args):
        if isinstance(argument, ast.arg):
            argument.annotation = None
    return one if ast.unparse(one).partition("\n")[0] == HEADER else None


def _unannotated(statement: ast.stmt) -> ast.stmt:
    """A statement with the annotations of its variables taken off, and those of the statements within it."""
    for field in ("body", "orelse"):
        if hasattr(statement, field):
            setattr(statement, field, [_unannotated(inner) for inner in getattr(statement, field)])
    match statement:
        case ast.AnnAssign(target=ast.Name() as target, value=ast.expr() as value):
            return ast.copy_location(ast.Assign(targets=[target], value=value), statement)
    return statement


def _is_plain(text: str, doc: ast.stmt | None) -> bool:
    """Whether all tokens but comments and the docstring are printable ASCII without a backslash."""
    lines = range(doc.lineno, (doc.end_lineno or doc.lineno) + 1) if doc else range(0)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT or (token.type == tokenize.STRING and token.start[0] in lines):
            continue
        written = token.string.strip()
        if not (written.isascii() and all(line.isprintable() for line in written.split("\n"))):
            return False
        if "\\" in written:
            return False
    return True
