"""Straight-line Python: deduction, abduction, induction and repair, judged by running it."""

from autotelic.domains.python.domain import PythonDomain
from autotelic.domains.python.tasks import SPECIAL

__all__ = ["SPECIAL", "PythonDomain"]
