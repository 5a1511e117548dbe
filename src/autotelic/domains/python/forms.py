"""The form of a right completion, by mode, as a pattern: for constrained decoding.

Of the form only. What matches may be wrong, may call what no program here may call, or be longer than is
read.
"""

from __future__ import annotations

from autotelic.domains.programs.forms import LISTED, SCALAR, listed
from autotelic.domains.programs.source import HEADER
from autotelic.domains.python.program import FOOTER, MAX_LINE, MAX_OPERATIONS
from autotelic.domains.python.working import PAIRING, WORKING

_VALUE = rf"(?:{SCALAR}|{listed(rf'(?:{SCALAR}|{LISTED})')})"
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
