"""Who says how good an attempt was: the executor, a critic that learns from it, and two weaker voices."""

from autotelic.judge.calibration import Calibration, Calibrator
from autotelic.judge.critic import Critic, CriticReport

__all__ = ["Calibration", "Calibrator", "Critic", "CriticReport"]
