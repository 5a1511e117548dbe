"""Vehicle routes: heuristics as formulas in a savings and in an insertion skeleton."""

from autotelic.domains.routing.domain import RoutingDomain

__all__ = ["RoutingDomain"]
