"""Whether internal feedback still means what it should: a guard against its collapse.

A model that is rewarded for its own certainty or agreement gets better for a while, and then becomes sure of
what is wrong (arXiv:2506.17219, arXiv:2505.21444). Each generation the same few tasks are attempted and
verified, for the record alone. What the audit says is tested in sequence:

    success    attempts that pass fell below what they were, by more than the source's reward did
    ranking    within a task, wrong attempts are rewarded above right ones
    entropy    a quarter is left of what it was         ┐
    diversity  a quarter of the distinct answers        ├ and success no longer rises
    length     answers are half or twice as long        ┘

Of the last three the reward of the source must have risen as well: they go along with learning too, and count
only where nothing is gained by them any more. Ranking says where reward will lead, whatever it has done so far.

A healthy run is one in which none of the five is true: of it at most a share `ALPHA` of runs is ever cut,
however long they go on. Tests are e-processes (`statistics/sequential.py`), and share that error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autotelic.messages import Audited
from autotelic.statistics.sequential import FellFromBest, MeanFell, concordance
from autotelic.types import Source

ALPHA = 0.05
"""The probability that a source of a healthy run is ever cut."""
SHARES: Mapping[str, float] = {
    "success": 0.5,
    "ranking": 0.05,
    "entropy": 0.1,
    "diversity": 0.1,
    "length": 0.1,
}
"""Of that error. `ranking` is tested for each of up to four sources; all of it is 1."""
WINDOW = 2
"""Audits that are taken together as the reference at the start, and for the best so far."""
STALLED = 3
"""Audits without a new best after which success counts as no longer rising."""
MARGIN = 0.02
"""How far success may fall and rise by chance of the updates: two points in a hundred."""
LEFT = 0.25
"""Of entropy and diversity at the start: less is a collapse. Learning from a verifier leaves more."""
LENGTH = 0.5
"""1 where lengths are as at the start, 0.5 where they are half or twice, 0 at a quarter or four times."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A source whose weight is to be cut: by which test, with how much evidence against how much is needed."""

    source: Source
    test: str
    evidence: float
    needed: float
    why: str


@dataclass(slots=True)
class _Reference:
    """The means of the first audits: entropy, diversity (0 where all siblings answer alike, 1 where none do),
    the length of each task's answers, and the reward by source.
    """

    entropy: float
    diversity: float
    lengths: list[float]
    rewards: dict[str, float]


class CollapseGuard:
    """Takes in audits, and says which sources to cut. State alone: the same audits give the same findings."""

    def __init__(self) -> None:
        self.audits: list[Audited] = []  # the first few, until there is a reference
        self.reference: _Reference | None = None
        self.success = FellFromBest(alpha=ALPHA * SHARES["success"], margin=MARGIN, window=WINDOW)
        self.ranking: dict[str, MeanFell] = {}
        self.shape = {
            "entropy": MeanFell(least=LEFT),
            "diversity": MeanFell(least=LEFT),
            "length": MeanFell(least=LENGTH),
        }
        self.rewards: dict[str, float] = {}

    def learn(self, audit: Audited) -> None:
        """One audit. A source that is new has its reference reward from this one."""
        self.success.look(_by_task(audit.success, audit.siblings))
        self.rewards = {source: float(np.mean(said)) for source, said in audit.said.items()}
        for source, said in audit.said.items():
            test = self.ranking.setdefault(source, MeanFell(least=0.5))
            pairs = zip(_by_task(said, audit.siblings), _by_task(audit.success, audit.siblings), strict=True)
            test.look([concordance(mine, truth) for mine, truth in pairs])
        if self.reference is None:
            self.audits.append(audit)
            if len(self.audits) == WINDOW:
                self.reference, self.audits = _reference(self.audits), []
            return
        for source, reward in self.rewards.items():
            self.reference.rewards.setdefault(source, reward)
        for name, x in _shape(audit, self.reference).items():
            self.shape[name].look(x)

    def findings(self, live: Sequence[Source]) -> list[Finding]:
        """Of the sources that have a weight, those to cut now."""
        return [found for source in live if (found := self._finding(source)) is not None]

    def _finding(self, source: Source) -> Finding | None:
        tests: dict[str, tuple[float, float, bool]] = {}
        risen = self._risen(source)
        tests["success"] = (self.success.evidence, 2 / self.success.alpha, self._hides(source))
        if source in self.ranking:
            tests["ranking"] = (self.ranking[source].evidence, 1 / (ALPHA * SHARES["ranking"]), True)
        stalled = self.success.since >= STALLED
        for name, test in self.shape.items():
            tests[name] = (test.evidence, 1 / (ALPHA * SHARES[name]), risen and stalled)
        for name, (evidence, needed, counts) in tests.items():
            if counts and evidence >= needed:
                why = f"{_WHY[name]} (evidence {evidence:.3g}, needed {needed:g})"
                return Finding(source=source, test=name, evidence=evidence, needed=needed, why=why)
        return None

    def _risen(self, source: str) -> bool:
        """Whether its reward is above what it was at the start."""
        if self.reference is None or source not in self.rewards:
            return False
        return self.rewards[source] > self.reference.rewards[source]

    def _hides(self, source: str) -> bool:
        """Whether its reward fell by a smaller share than success, if it fell at all."""
        if self.reference is None or source not in self.rewards or not self.success.best:
            return False
        before = self.reference.rewards[source]
        return before > 0 and self.rewards[source] / before > self.success.now / self.success.best

    # ── as a value ───────────────────────────────────────────────────────────────────────────────────────

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        reference = self.reference
        return {
            "audits": [_plain(audit) for audit in self.audits],
            "reference": None
            if reference is None
            else {
                "entropy": reference.entropy,
                "diversity": reference.diversity,
                "lengths": reference.lengths,
                "rewards": reference.rewards,
            },
            "success": self.success.to_json(),
            "ranking": {source: test.to_json() for source, test in self.ranking.items()},
            "shape": {name: test.to_json() for name, test in self.shape.items()},
            "rewards": self.rewards,
        }

    @classmethod
    def restored(cls, values: Mapping[str, Any]) -> CollapseGuard:
        """The inverse of `to_json`."""
        guard = cls()
        guard.audits = [Audited(**audit) for audit in values["audits"]]
        guard.reference = None if values["reference"] is None else _Reference(**values["reference"])
        guard.success.restore(values["success"])
        guard.ranking = {source: MeanFell.restored(test) for source, test in values["ranking"].items()}
        guard.shape = {name: MeanFell.restored(test) for name, test in values["shape"].items()}
        guard.rewards = dict(values["rewards"])
        return guard


_WHY: Mapping[str, str] = {
    "success": "verified success fell and its reward hid it",
    "ranking": "within a task it rewards wrong attempts above right ones",
    "entropy": "its reward rose while little entropy is left and verified success no longer rises",
    "diversity": "its reward rose while few distinct answers are left and verified success no longer rises",
    "length": "its reward rose while lengths ran away and verified success no longer rises",
}


def _by_task(values: Sequence[float], siblings: int) -> list[Sequence[float]]:
    return [values[at : at + siblings] for at in range(0, len(values), siblings)]


def _diversity(audit: Audited) -> list[float]:
    """Of each task: 0 where all siblings answer alike, 1 where no two do."""
    return [(distinct - 1) / max(1, audit.siblings - 1) for distinct in audit.distinct]


def _reference(audits: Sequence[Audited]) -> _Reference:
    lengths = np.mean([np.mean(_by_task(audit.length, audit.siblings), axis=1) for audit in audits], axis=0)
    sources = {source for audit in audits for source in audit.said}
    return _Reference(
        entropy=float(np.mean([audit.entropy for audit in audits])),
        diversity=float(np.mean([_diversity(audit) for audit in audits])),
        lengths=[float(length) for length in lengths],
        rewards={s: float(np.mean([np.mean(a.said[s]) for a in audits if s in a.said])) for s in sources},
    )


LEAST = 1e-3
"""Below it the entropy (nats) or the diversity of the start is nothing that could be lost."""


def _shape(audit: Audited, reference: _Reference) -> dict[str, list[float]]:
    """Entropy, diversity and length against the start, in [0, 1] with 1 as at the start."""
    found: dict[str, list[float]] = {}
    if reference.entropy > LEAST:
        found["entropy"] = [min(1.0, max(0.0, h) / reference.entropy) for h in audit.entropy]
    if reference.diversity > LEAST:
        found["diversity"] = [min(1.0, d / reference.diversity) for d in _diversity(audit)]
    pairs = zip(_by_task(audit.length, audit.siblings), reference.lengths, strict=True)
    found["length"] = [
        max(0.0, 1.0 - abs(np.log2(max(1.0, length) / max(1.0, before))) / 2)
        for lengths, before in pairs
        for length in lengths
    ]
    return found


def _plain(audit: Audited) -> dict[str, Any]:
    return {
        "step": audit.step,
        "siblings": audit.siblings,
        "success": list(audit.success),
        "entropy": list(audit.entropy),
        "length": list(audit.length),
        "distinct": list(audit.distinct),
        "said": {source: list(said) for source, said in audit.said.items()},
    }
