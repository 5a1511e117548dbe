"""Verdicts to advantages."""

from autotelic.credit.advantage import CreditReport, GroupAdvantage, tally

__all__ = ["CreditReport", "GroupAdvantage", "tally"]
