"""Hidden laws: the model chooses measurements under a budget, reads noisy values, and proposes a formula."""

from autotelic.domains.laws.domain import LawsDomain

__all__ = ["LawsDomain"]
