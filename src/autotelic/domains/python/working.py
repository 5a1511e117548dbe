"""Working, for language models: how a line of a program comes by its value, element by element.

A language model that writes `[12,27]` below `[v * 3 for v in x]` has to find, for each element, which one it is at;
one that writes `4*3=12,9*3=27` first has only to copy what comes next, which is what it does best (Nye et al. 2021,
"Show Your Work", arXiv:2112.00114). Nothing is run here: the values are those of the trace.
"""

from __future__ import annotations

import ast
from functools import lru_cache
from itertools import accumulate

from autotelic.domains.programs.inputs import is_integers
from autotelic.types import Json

LONGEST = 40
"""Characters of what is reckoned for one element."""
_NUMBER, _RECKONED = "-?[0-9]{1,9}", rf"[-+*/%(),a-z0-9]{{1,{LONGEST}}}"
_TERM = rf"(?:{_RECKONED}={_NUMBER}|{_NUMBER}={_RECKONED}|{_NUMBER} (?:yes|no))"
_PAIR = rf"{_NUMBER}(?::{_NUMBER}| yes| no)"
WORKING, PAIRING = (rf"{item}(?:,{item}){{0,63}}" for item in (_TERM, _PAIR))
"""The patterns of a line of working, and of what becomes of each element."""


def forwards(expression: str, before: Json, after: Json) -> str:
    """The line of working between what x was and what it becomes; empty for an operation that needs none.

    >>> forwards("[v * 3 for v in x]", [4, 9], [12, 27]), forwards("[v for v in x if v > 4]", [4, 9], [9])
    ('4*3=12,9*3=27', '4 no,9 yes')
    >>> forwards("sum(x)", [6, 9, 2], 17), forwards("x[::-1]", [4, 9], [9, 4])
    ('6+9=15,15+2=17', '')
    """
    if not is_integers(before):
        return ""
    if expression == "sum(x)":
        sums = list(accumulate(before))
        return ",".join(f"{a}+{v}={b}" for a, v, b in zip(sums, before[1:], sums[1:], strict=False))
    if not is_integers(after):
        return ""
    if _is_filter(expression):
        # What is kept is kept wherever it stands: the condition knows nothing but the element.
        return ",".join(f"{v} {'yes' if v in after else 'no'}" for v in before)
    return ",".join(f"{term}={value}" for term, value in _terms(expression, before, after))


def pairing(expression: str, before: Json, after: Json) -> str:
    """What becomes of each element, for who is still to find the operation: it is not spelled out.

    >>> pairing("[v * 3 for v in x]", [4, 9], [12, 27]), pairing("[v for v in x if v > 4]", [4, 9], [9])
    ('4:12,9:27', '4 no,9 yes')
    """
    if _is_filter(expression):
        return forwards(expression, before, after)
    if not is_integers(before) or not is_integers(after) or not _terms(expression, before, after):
        return ""
    return ",".join(f"{v}:{value}" for v, value in zip(before, after, strict=True))


def backwards(expression: str, before: Json, after: Json) -> str:
    """The line of working from what x becomes to what it was: the same, each result first. Selections have none.

    >>> backwards("[v * 3 for v in x]", [4, 9], [12, 27])
    '12=4*3,27=9*3'
    """
    if not is_integers(before) or not is_integers(after):
        return ""
    return ",".join(f"{value}={term}" for term, value in _terms(expression, before, after))


def _terms(expression: str, before: list[int], after: list[int]) -> list[tuple[str, int]]:
    """What is reckoned for each element, and what it comes to; none where the line is no such thing."""
    terms = [_term(expression, v) for v in before]
    return list(zip(terms, after, strict=True)) if all(terms) and len(after) == len(before) else []


@lru_cache(maxsize=1 << 12)
def _comprehension(expression: str) -> tuple[ast.expr, str, bool] | None:
    """The element, the variable and whether there is a condition, of `[... for v in x]` over x and nothing else."""
    match ast.parse(expression, mode="eval").body:
        case ast.ListComp(
            elt=element,
            generators=[ast.comprehension(target=ast.Name(id=name), iter=ast.Name(id="x"), ifs=ifs)],
        ):
            names = {n.id for part in (element, *ifs) for n in ast.walk(part) if isinstance(n, ast.Name)}
            return None if "x" in names else (element, name, bool(ifs))
    return None


def _is_filter(expression: str) -> bool:
    found = _comprehension(expression)
    return found is not None and found[2] and isinstance(found[0], ast.Name) and found[0].id == found[1]


@lru_cache(maxsize=1 << 14)
def _term(expression: str, value: int) -> str:
    """The element with a number in the variable's place, as in `4*3`; empty where the line is no such thing."""
    found = _comprehension(expression)
    if found is None or found[2]:
        return ""
    element, name, _ = found
    put = _Put(name, value).visit(ast.parse(ast.unparse(element), mode="eval"))
    text = ast.unparse(ast.fix_missing_locations(put)).replace(" ", "")
    return text if len(text) <= LONGEST and text != str(value) else ""


class _Put(ast.NodeTransformer):
    """A number for a name."""

    def __init__(self, name: str, value: int) -> None:
        self.name, self.value = name, value

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Constant(self.value) if node.id == self.name else node
