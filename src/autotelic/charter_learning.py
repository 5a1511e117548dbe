"""What is rewarded, and how reward becomes weights: two sections of the charter. They are part of `charter.py`."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from autotelic.algorithms import ALGORITHMS, Algorithm, AlgorithmName
from autotelic.settings import RATE, SHARE, WEIGHT, Section, knob

SHARES = ("imitation", "own", "policy", "practice", "form")
"""The settings of [learn] that divide the gradient among the streams of a lesson."""


class Feedback(Section):
    """Who says how good an attempt was: the verifier first, the critic once it has earned its place."""

    verifier: float = knob(
        1.0, "weight", "judge", "Reward from execution. Lower it to try other sources.", **SHARE
    )
    critic: float = knob(
        0.0, "weight", "judge", "The critic's word. Raise it where execution is coarse.", rare=True, **SHARE
    )
    consensus: float = knob(
        0.0, "weight", "judge", "Agreement. Try it where nothing verifies; it collapses.", rare=True, **SHARE
    )
    entropy: float = knob(
        0.0,
        "weight",
        "judge",
        "Low entropy. Try it where nothing verifies; it collapses.",
        rare=True,
        **SHARE,
    )
    guard: int = knob(
        32, "tasks", "judge", "Audited while internal feedback rewards. 0 lets it collapse.", rare=True, ge=0
    )
    certainty: float = knob(
        0.0, "weight", "judge", "Certainty. Try it where nothing verifies; it collapses.", rare=True, **SHARE
    )
    withhold: float = knob(
        0.0, "share of groups", "judge", "The critic alone judges, to save execution.", rare=True, **SHARE
    )
    trust: float = knob(
        0.7, "AUROC", "judge", "A critic needs it to count. Raise it to be stricter.", rare=True, **SHARE
    )

    @model_validator(mode="after")
    def _someone_judges(self) -> Self:
        if not (self.verifier or self.critic or self.consensus or self.certainty or self.entropy):
            raise ValueError(
                "every weight of [feedback] is 0, so nothing is rewarded; set feedback.verifier = 1"
            )
        return self


class Learn(Section):
    """How verdicts become weights."""

    algorithm: AlgorithmName = knob(
        "grpo-pooled",
        "name",
        "credit",
        "How reward becomes a step. docs/algorithms.md says which is for what.",
    )
    staleness: int = knob(
        0, "updates", "learn", "Attempts older than it teach nothing; 0 is no limit.", rare=True, ge=0
    )
    optimiser: Literal["muon", "adamw"] = knob(
        "muon", "name", "learn", "`muon` steps matrices, from random weights; `adamw` suits adapters."
    )
    lr_matrix: float = knob(
        0.015, "step size", "learn", "It steps matrices under `muon`. Lower it if the loss jumps.", **RATE
    )
    lr_other: float = knob(
        0.003, "step size", "learn", "It steps all that AdamW has. Lower it if the loss jumps.", **RATE
    )
    batch_tokens: int = knob(
        2048, "tokens", "learn", "Size of an update. Raise it for smoother, fewer updates.", ge=64
    )
    cooldown: float = knob(
        0.4, "share of budget", "learn", "The rate falls. Set 0 if another run follows.", rare=True, **SHARE
    )
    clip: float = knob(
        0.2, "ratio", "learn", "It bounds the policy's ratio. Lower it for smaller steps.", rare=True, **RATE
    )
    kl: float = knob(
        0.01, "weight", "learn", "It pulls to the reference policy. Raise it if the actor drifts.", **WEIGHT
    )
    imitation: float = knob(
        0.8, "share of gradient", "learn", "Demonstrations. Set 0 for reward alone.", **SHARE
    )
    own: float = knob(
        0.05, "share of gradient", "learn", "Own right answers. Raise it where few are right.", **SHARE
    )
    policy: float = knob(
        0.1, "share of gradient", "learn", "The policy gradient. Raise it where many are right.", **SHARE
    )
    practice: float = knob(
        0.05,
        "share of gradient",
        "learn",
        "Practice in proposing. Raise it if few are good.",
        rare=True,
        **SHARE,
    )
    form: float = knob(
        0.0,
        "share of gradient",
        "learn",
        "Form without solutions. It keeps answers varied.",
        rare=True,
        **SHARE,
    )
    form_generations: int = knob(
        0,
        "generations",
        "learn",
        "Form alone, at first: for reward alone from random weights.",
        rare=True,
        ge=0,
    )
    baseline: Literal["critic", "siblings"] = knob(
        "siblings",
        "name",
        "credit",
        "What reward is compared with. `critic` steadies few siblings.",
        rare=True,
    )

    @property
    def parts(self) -> Algorithm:
        """What the algorithm is made of."""
        return ALGORITHMS[self.algorithm]

    @property
    def clip_low(self) -> float:
        """How far below 1 the policy's ratio may fall."""
        return self.clip * self.parts.below

    @property
    def clip_high(self) -> float:
        """How far above 1 it may rise."""
        return self.clip * self.parts.above

    @model_validator(mode="after")
    def _shares_sum(self) -> Self:
        """Shares that are left out divide what the named ones leave, as their defaults do."""
        named = [name for name in SHARES if name in self.model_fields_set]
        left = 1.0 - sum(getattr(self, name) for name in named)
        others = {name: getattr(self, name) for name in SHARES if name not in named}
        rest = sum(others.values())
        if abs(left) > 1e-6 and (left < 0 or not rest):
            shown = ", ".join(f"{name} = {getattr(self, name):g}" for name in SHARES)
            raise ValueError(f"the shares of [learn] sum to {1 - left + rest:g}: {shown}; bring them to 1")
        for name, share in others.items():
            # Nobody has seen this frozen object yet.
            object.__setattr__(self, name, round(share * max(0.0, left) / rest, 6) if rest else 0.0)
        return self
