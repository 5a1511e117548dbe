"""Online bin packing: priority functions as formulas, judged by the bins that they need."""

from autotelic.domains.packing.domain import PackingDomain

__all__ = ["PackingDomain"]
