"""Verdicts to advantages."""

from autotelic.credit.advantage import GroupAdvantage

__all__ = ["GroupAdvantage"]
