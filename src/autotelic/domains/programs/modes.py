"""The kinds of task that a program gives: what it returns, for what it returns it, what it is, and a better one."""

from __future__ import annotations

from autotelic.domains.literal import LiteralError, LiteralLimits, canonical, parse_literal

MODES = ("deduction", "abduction", "induction", "repair")
PRACTISED = ("deduction", "abduction", "induction")
"""The modes of a domain where a charter names none. Repairs come from the actor's own failures then."""
PROGRAMS = ("induction", "repair")
"""The modes whose answer is a program."""
SHOWN = 4
"""Pairs of input and output that a program is asked for with."""
HELD_BACK = 4
"""Pairs that are held back, and that decide."""
INPUT_LIMITS = LiteralLimits(characters=400, brackets=1, digits=8)
"""How large an input of a proposal or of a test may be, as text."""


def same_value(answer: str) -> str:
    """One spelling for all texts of one value; empty for a text of no value, which has no vote."""
    try:
        return canonical(parse_literal(answer))
    except LiteralError:
        return ""
