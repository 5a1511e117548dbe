"""Who says how good an attempt was."""

from autotelic.judge.critic import Critic
from autotelic.judge.mixed import Mixed

__all__ = ["Critic", "Mixed"]
