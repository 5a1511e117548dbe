"""The form of a right completion, by mode, as a pattern: for constrained decoding.

Of the form only. What matches may be wrong, may call what no program here may call, or be longer than is read.
"""

from __future__ import annotations

from autotelic.domains.python.program import FOOTER, HEADER, MAX_LINE, MAX_OPERATIONS
from autotelic.domains.python.working import PAIRING, WORKING

SCALAR = r'(?:-?(?:0|[1-9][0-9]{0,9})|true|false|null|"[ !#-\[\]-~]{0,60}")'
"""A value that is no list."""


def _listed(item: str) -> str:
    return rf"\[(?:{item}(?:, ?{item}){{0,63}})?\]"


LISTED = _listed(SCALAR)
"""A list of values that are no lists."""
_VALUE = rf"(?:{SCALAR}|{_listed(rf'(?:{SCALAR}|{LISTED})')})"
_VALUES = rf"(?:{_VALUE}\n){{0,{MAX_OPERATIONS}}}{_VALUE}"
_WORKED = rf"(?:(?:{WORKING}\n)?{_VALUE}\n){{0,{MAX_OPERATIONS}}}(?:{WORKING}\n)?{_VALUE}"
_LINE = rf"    x = [ -\[\]-~]{{1,{MAX_LINE}}}\n(?:# ?{_VALUE}\n)?"
_HEADER = HEADER.replace("(", "[(]").replace(")", "[)]")
_PROGRAM = rf"{_HEADER}\n(?:{_LINE}){{1,{MAX_OPERATIONS}}}{FOOTER}"
_REASONED = rf"{_HEADER}\n(?:(?:# ?{PAIRING}\n)?{_LINE}){{1,{MAX_OPERATIONS}}}{FOOTER}"

FORMS = {"deduction": _VALUES, "abduction": _VALUES, "induction": _PROGRAM, "repair": _PROGRAM}
"""Values as JSON, a line each; or a program, with or without the value below each line."""

WORDED = {"deduction": _WORKED, "abduction": _WORKED, "induction": _REASONED, "repair": _REASONED}
"""The same for tasks in words, whose values and lines may stand below a line of working."""
