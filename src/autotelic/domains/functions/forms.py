"""The form of a right completion, by mode, as a pattern: for constrained decoding. Of the form only."""

from __future__ import annotations

from autotelic.domains.functions.answers import MAX_TESTS
from autotelic.domains.functions.execution import MAX_NOTES
from autotelic.domains.functions.source import MAX_STATEMENTS
from autotelic.domains.programs.forms import LISTED, SCALAR

_VALUE = rf"(?:{SCALAR}|{LISTED})"
_STEPS = rf"(?:[a-z][a-z0-9_]{{0,11}} = {_VALUE}\n){{0,{MAX_NOTES}}}{_VALUE}"
_LINES = rf"(?:(?:    ){{1,5}}[!-\[\]-~][ -\[\]-~]{{0,79}}\n){{1,{MAX_STATEMENTS}}}"
_TESTS = rf"assert f[(]{_VALUE}[)] == {_VALUE}(?:\nassert f[(]{_VALUE}[)] == {_VALUE}){{0,{MAX_TESTS - 1}}}"
_PROGRAM = rf"def f[(]x[)]:\n{_LINES}{_TESTS}"

FORMS = {"deduction": _STEPS, "abduction": _VALUE, "induction": _PROGRAM, "repair": _PROGRAM}
