"""Environments of Gymnasium with discrete actions: `domain.name = "gymnasium:FrozenLake-v1"`."""

from __future__ import annotations

from collections.abc import Mapping

from autotelic.domains.adapters.environments import TURNS, EnvironmentDomain
from autotelic.types import Range

SCALES: Mapping[str, Range] = {
    "Acrobot-v1": Range(low=-TURNS, high=0.0),
    "Blackjack-v1": Range(low=-1.0, high=1.5),
    "CartPole-v1": Range(low=0.0, high=TURNS),
    "CliffWalking-v1": Range(low=-100.0 * TURNS, high=0.0),
    "FrozenLake-v1": Range(low=0.0, high=1.0),
    "FrozenLake8x8-v1": Range(low=0.0, high=1.0),
    "MountainCar-v0": Range(low=-TURNS, high=0.0),
    "Taxi-v3": Range(low=-10.0 * TURNS, high=20.0),
}
"""The least and the most that an episode of `TURNS` turns can earn, from Gymnasium's documentation."""


class GymnasiumDomain(EnvironmentDomain):
    """Gymnasium's environment of this id. An action is a whole number; what is shown are numbers, or, with the style
    `natural`, the environment's own text where it has one.

    Raises DomainError for an id that does not exist, pictures, actions that are not discrete, and an environment that
    does not go the same way from the same seed.
    """

    def __init__(self, name: str, style: str = "compact") -> None:
        super().__init__(
            "gymnasium",
            name,
            fix="pip install -e '.[gymnasium]'",
            scale=SCALES.get(name),
            style=style,
        )
