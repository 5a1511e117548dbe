"""The nouns of measuring: what an update did, how good a critic is, what an exam came to, what was decided.

They are part of `types.py`, which gives all nouns under one name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnReport:
    """What one update did. Losses are means over their tokens; `skipped` says why there was no update."""

    loss: float
    nll: float
    policy: float
    kl: float
    clipped: float
    entropy: float
    grad_norm: float
    tokens: int
    seconds: float
    skipped: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CriticReport:
    """What one lesson of the critic did. `loss` is the mean binary cross-entropy, in nats, at the last token
    of the attempts trained on; `n` of those are new and `replayed` are not; `tokens` went through the model,
    which reads a prompt once for all its siblings. `skipped` says why updates were refused.
    """

    loss: float
    n: int
    replayed: int
    updates: int
    tokens: int
    seconds: float
    skipped: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """The quality of `n` held-out predictions of the critic; nan where there was nothing to measure.

    `auroc` ranks all attempts together, which a critic can do by knowing that some tasks are harder;
    `siblings` is the share of pairs at the same task with different rewards that it ranks rightly, which is
    what a reward within a group consists of, and what choosing the best of k attempts needs. `trusted` asks
    for all: enough predictions, ECE small, both rankings good.
    """

    n: int
    ece: float
    auroc: float
    siblings: float
    brier: float
    trusted: bool


# ── what is examined and decided ──────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A mean over `n` items with its 95 % interval: of successes, or of scaled rewards."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """What a set of items came to.

    `pass_at_1` is the mean over greedy answers, `sampled_at_1` over sampled ones, `pass_at_8` the share of
    items that any of eight samples passes, `best_of_8` the share passed by the sample the critic ranks first.
    Where a domain knows no success, all four are of rewards scaled to [0, 1]: the mean, the mean, the best of
    eight, the critic's choice. None is what was not measured.
    """

    pass_at_1: Score
    sampled_at_1: Score | None = None
    pass_at_8: Score | None = None
    best_of_8: Score | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamReport:
    """One evaluation of one exam by one set of weights.

    `overall` counts each cell alike; `cells` maps `mode/level` to its scores. `outcomes` holds the scaled
    reward of the greedy answer by item id, in item order (0 or 1 where success is known), so that two
    evaluations can be paired.
    """

    exam: str
    digest: str
    weights: str
    overall: Scores
    cells: Mapping[str, Scores] = field(default_factory=dict)
    outcomes: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What the brake and its auditors said of a candidate. The outcomes that decided are in the ledger.

    `certificate` is the generation of the certificate, which is the brake's own count; -1 where there is none:
    then the working weights train on.
    """

    verdict: Literal["promote", "train on"]
    reasons: tuple[str, ...]
    certificate: int = -1
