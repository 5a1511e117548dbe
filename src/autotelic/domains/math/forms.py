"""The form of a right completion, by mode, as a pattern: for constrained decoding.

Of the form only: what matches may be wrong, or no expression at all.
"""

from __future__ import annotations

from autotelic.domains.math.language import MAX_CHARS
from autotelic.domains.math.working import MAX_LINES

_WORKING = rf"(?:[-+*/%^()=?!,;0-9xyCP]{{1,{MAX_CHARS}}}\n){{0,{MAX_LINES}}}"
_NUMBER = r"-?(?:0|[1-9][0-9]{0,11})"
_FRACTION = rf"{_NUMBER}(?:/[1-9][0-9]{{0,11}})?"
_POLYNOMIAL = r"[-+]?[0-9xy][-+*/^0-9xy]{0,80}"
_EXPRESSION = rf"(?:expand |derive |at {_FRACTION} )?[-(0-9xyCP][-+*/%^()=!,;0-9xyCP]{{0,{MAX_CHARS}}}"
_ANSWERS = {
    "solve": rf"(?:{_FRACTION}(?:,{_FRACTION}){{0,3}}|{_POLYNOMIAL})",
    "invert": _NUMBER,
    "model": _EXPRESSION,
}


def form(mode: str, *, boxed: bool) -> str:
    """Lines of working, where the mode has them, and the answer, in a box or alone."""
    answer = rf"\\boxed\{{{_ANSWERS[mode]}\}}" if boxed else _ANSWERS[mode]
    return answer if mode == "model" else _WORKING + answer
