"""Who says how good an attempt was: the executor, a critic that learns from it, and two weaker voices."""

from autotelic.judge.calibration import Calibration, Calibrator
from autotelic.judge.critic import Critic, CriticReport
from autotelic.judge.sources import Certainty, Consensus, CriticJudge, Mixed, Opinions, Verifier

__all__ = [
    "Calibration",
    "Calibrator",
    "Certainty",
    "Consensus",
    "Critic",
    "CriticJudge",
    "CriticReport",
    "Mixed",
    "Opinions",
    "Verifier",
]
