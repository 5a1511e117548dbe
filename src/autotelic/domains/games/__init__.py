"""Games of OpenSpiel for two players, learned by playing against oneself (docs/games.md)."""

from autotelic.domains.games.domain import GamesDomain

__all__ = ["GamesDomain"]
