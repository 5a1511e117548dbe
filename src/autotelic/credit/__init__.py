"""Verdicts to advantages."""

from autotelic.credit.advantage import GroupAdvantage
from autotelic.credit.choose import credit_of

__all__ = ["GroupAdvantage", "credit_of"]
