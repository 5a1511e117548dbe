"""Who says how good an attempt was, and how the sources become one reward.

    verifier   ran it                           the truth, as far as the task's own tests go
    critic     learned from the verifier        in its place, only while it is calibrated
    consensus  what most siblings answered      rises, then rewards what everyone gets wrong
    certainty  how sure the sampler was         rises, then rewards being sure

The lower two are known to collapse when they reward alone (arXiv:2505.21444, arXiv:2506.17219), so they are
off by default, and how often they agree with the verifier is recorded. What the verifier says of a task it
was withheld from is used to audit and never reaches a reward, nor the critic.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from autotelic.errors import DomainError
from autotelic.judge.certainty import Certainty
from autotelic.judge.consensus import Consensus
from autotelic.judge.critic import Critic
from autotelic.judge.verifier import Verifier, truth_of
from autotelic.messages import Appraised
from autotelic.protocols import Comparable, Domain, Feedback
from autotelic.scale import scaled
from autotelic.statistics import auroc
from autotelic.streams import stream
from autotelic.types import Binary, Group, Scale, Source, Task, Verdict

Verdicts = list[list[Verdict]]

AUDITED = 8
"""Groups a generation that were judged without the verifier, and that it judges after all, for the record."""


@dataclass(frozen=True, slots=True)
class CriticJudge:
    """The critic's calibrated prediction, in [0, 1], is the reward."""

    critic: Critic

    def judge(self, groups: Sequence[Group]) -> Verdicts:
        return [
            [Verdict(reward=p, passed=p >= 0.5, reason="predicted", source="critic") for p in said]
            for said in self.critic.predict(groups)
        ]


class Mixed:
    """Rewards as the charter's [feedback] weighs them: the weighted mean of the sources that have a weight.

    The verifier alone gives the domain's own rewards; several are mixed in [0, 1] and brought back to the
    domain's scale. Whether an attempt `passed` is never mixed: it is the verifier's word where the verifier
    has any weight, else that of the heaviest source, and `source` says whose it is. A critic that is not
    trusted has no weight; if nothing is left, the verifier judges.

    `withhold` is the share of tasks on which the verifier is not asked and the critic alone is the judge,
    while it is trusted. It is a task's own property, drawn from `seed` and its id, so a task tried again
    stays withheld. `shuffle` is the share of groups whose verdicts are dealt out anew among the siblings just
    before credit, so that reward says nothing of the attempt: a control. With `early` they are dealt out as soon
    as they are given. Raises DomainError for consensus in
    a domain that cannot say which answers are the same.
    """

    def __init__(
        self,
        domain: Domain,
        critic: Critic,
        *,
        verifier: float = 1.0,
        critic_weight: float = 0.0,
        consensus: float = 0.0,
        certainty: float = 0.0,
        withhold: float = 0.0,
        shuffle: float = 0.0,
        early: bool = False,
        seed: int = 0,
    ) -> None:
        self.critic = critic
        self.scale: Scale = domain.spec.scale
        self.withhold = withhold
        self.shuffle = shuffle
        self.early = early
        self.seed = seed
        self.weights: dict[Source, float] = {
            "verifier": verifier,
            "critic": critic_weight,
            "consensus": consensus,
            "certainty": certainty,
        }
        self.sources: dict[Source, Feedback] = {
            "verifier": Verifier(domain),
            "critic": CriticJudge(critic),
            "certainty": Certainty(),
        }
        if isinstance(domain, Comparable):
            self.sources["consensus"] = Consensus(domain)
        elif consensus:
            raise DomainError(
                f"feedback.consensus = {consensus:g}, and the {domain.spec.name} domain cannot say which answers are "
                "the same",
                "set feedback.consensus = 0, or give the domain a method `same`",
            )

    # ── for learning ─────────────────────────────────────────────────────────────────────────────────────

    def judge(self, groups: Sequence[Group]) -> Verdicts:
        """The verdicts to learn from, on the domain's scale. Changes nothing, so the same groups are judged
        alike until the critic has learned.
        """
        trusted = self.critic.quality.trusted
        apart = [trusted and self._withheld(group.task) for group in groups]
        withheld = iter(self._critics([g for g, out in zip(groups, apart, strict=True) if out]))
        weights = self._live(trusted)
        rest = [group for group, out in zip(groups, apart, strict=True) if not out]
        said = {source: self.sources[source].judge(rest) for source in weights}
        mixed = iter([self._mix({s: v[i] for s, v in said.items()}, weights) for i in range(len(rest))])
        return [next(withheld) if out else next(mixed) for out in apart]

    def _critics(self, groups: Sequence[Group]) -> Verdicts:
        said = self.sources["critic"].judge(groups) if groups else []
        return [[self._on_scale(v, v.reward) for v in verdicts] for verdicts in said]

    def verify(self, groups: Sequence[Group]) -> list[Group]:
        """The groups with the verdicts to learn from."""
        judged = [
            replace(group, verdicts=tuple(verdicts))
            for group, verdicts in zip(groups, self.judge(groups), strict=True)
        ]
        return [self._dealt(group) for group in judged] if self.shuffle and self.early else judged

    def dealt(self, groups: Sequence[Group]) -> list[Group]:
        """The groups as credit sees them. In the control their verdicts are dealt out anew among the
        siblings; what is imitated, repaired, counted and learned by the critic is the true ones.
        """
        return [self._dealt(group) for group in groups] if self.shuffle and not self.early else list(groups)

    def _dealt(self, group: Group) -> Group:
        # A pure function of the attempts, so that dealing twice gives the same.
        rng = stream(self.seed, "shuffle", group.task.id, *(episode.answer for episode in group.episodes))
        if rng.random() >= self.shuffle:
            return group
        order = rng.permutation(len(group.verdicts))
        return replace(group, verdicts=tuple(group.verdicts[int(i)] for i in order))

    def executed(self, tasks: Sequence[Task]) -> list[Task]:
        """The tasks of which the verifier may be heard, hence whose demonstrations may be learned from."""
        if not self.weights["verifier"]:
            return []
        trusted = self.critic.quality.trusted
        return [task for task in tasks if not (trusted and self._withheld(task))]

    @property
    def leader(self) -> Source:
        """The source whose word decides whether an attempt passed, where nothing is withheld."""
        return _leader(self._live(self.critic.quality.trusted))

    def _withheld(self, task: Task) -> bool:
        return bool(self.withhold and stream(self.seed, "withhold", task.id).random() < self.withhold)

    def _live(self, trusted: bool) -> dict[Source, float]:
        """The sources that have a weight now, from the top of the hierarchy down."""
        live = {s: w for s, w in self.weights.items() if w > 0 and (s != "critic" or trusted)}
        return live or {"verifier": 1.0}

    def _mix(
        self, said: Mapping[Source, Sequence[Verdict]], weights: Mapping[Source, float]
    ) -> list[Verdict]:
        """One group's verdicts from several sources as one each."""
        leader = _leader(weights)
        if leader == "verifier" and len(said) == 1:
            return list(said[leader])
        total = sum(weights.values())
        share_S = np.array([weights[s] / total for s in said])
        reward_SG = np.array([[self._scaled(v) for v in verdicts] for verdicts in said.values()])
        return [
            self._on_scale(verdict, float(reward))
            for verdict, reward in zip(said[leader], share_S @ reward_SG, strict=True)
        ]

    def _scaled(self, verdict: Verdict) -> float:
        """A reward in [0, 1]: the verifier's is on the domain's scale, those of others are in it already."""
        return scaled(self.scale, verdict.reward) if verdict.source == "verifier" else verdict.reward

    def _on_scale(self, verdict: Verdict, reward: float) -> Verdict:
        """The verdict with a reward of [0, 1] brought to the domain's scale.

        Where rewards are real, no source but the verifier knows what success is.
        """
        known = verdict.source == "verifier" or isinstance(self.scale, Binary)
        on_scale = self.scale.low + (self.scale.high - self.scale.low) * reward
        return replace(verdict, reward=on_scale, passed=verdict.passed if known else None)

    # ── for the record ───────────────────────────────────────────────────────────────────────────────────

    def appraise(self, groups: Sequence[Group], generation: int) -> tuple[Appraised, tuple[str, ...]]:
        """What each source says of these judged groups, and how far the verifier agrees; and notes of what
        did not go as the charter asks.

        To be asked before the critic learns from them. Where the verifier was not heard, a sample drawn from
        the generation is verified after all; those verdicts go into these numbers and nowhere else.
        """
        known = [group for group in groups if _source(group) == "verifier"]
        unheard = [group for group in groups if _source(group) not in ("verifier", None)]
        order = stream(self.seed, "audit", generation).permutation(len(unheard))[:AUDITED]
        audited = [unheard[int(i)] for i in order]
        truth = [*(list(group.verdicts) for group in known), *self.sources["verifier"].judge(audited)]
        flat = [v for verdicts in truth for v in verdicts]
        asked = [source for source in self.sources if source != "verifier"]
        said = {s: [v.reward for vs in self.sources[s].judge(known + audited) for v in vs] for s in asked}
        behind = sum(len(group.episodes) for group in known)
        rewards = [truth_of(v, self.scale) for v in flat]
        appraised = Appraised(
            calibration=self.critic.quality,
            agreement={s: _agreement(found, flat) for s, found in said.items()},
            ranking={s: auroc(found, rewards) for s, found in said.items()},
            withheld=sum(_source(group) == "critic" for group in unheard),
            audited=len(audited),
            audit=_agreement([scaled(self.scale, r) for g in audited for r in g.rewards], flat[behind:]),
        )
        return appraised, self._notes(known, groups)

    def _notes(self, known: Sequence[Group], groups: Sequence[Group]) -> tuple[str, ...]:
        quality = self.critic.quality
        why = (
            f"the critic is not trusted: ECE {quality.ece:.3f}, AUROC {quality.auroc:.3f}, of siblings "
            f"{quality.siblings:.3f}, over {quality.n} predictions"
        )
        notes = []
        if fallen := sum(self._withheld(group.task) for group in known):
            notes.append(f"{fallen} groups to be withheld went to the verifier, because {why}")
        if self.weights["critic"] > 0 and not quality.trusted:
            notes.append(f"the critic had no weight in the reward, because {why}")
        if cut := self.critic.cut(groups):
            notes.append(f"{cut} attempts are longer than the critic reads, and it read their end")
        return tuple(notes)


def _leader(weights: Mapping[Source, float]) -> Source:
    return "verifier" if "verifier" in weights else max(weights, key=lambda s: weights[s])


def _source(group: Group) -> Source | None:
    return group.verdicts[0].source if group.verdicts else None


def _agreement(said: Sequence[float], truth: Sequence[Verdict]) -> float:
    """The share of rewards in [0, 1] that say what the verifier does, from 0.5 on success; nan where it knows
    none.
    """
    pairs = [(reward >= 0.5, v.passed) for reward, v in zip(said, truth, strict=True) if v.passed is not None]
    return sum(one == other for one, other in pairs) / len(pairs) if pairs else math.nan
