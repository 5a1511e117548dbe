"""Who says how good an attempt was, and how their voices become one reward.

    executor   ran it                           the truth, as far as the task's own tests go
    critic     learned from the executor        in its place, only while it is calibrated
    consensus  what most siblings answered      rises, then rewards what everyone gets wrong
    certainty  how sure the sampler was         rises, then rewards being sure

The lower two are known to collapse when they reward alone (arXiv:2505.21444, arXiv:2506.17219), so they are
off by default, and how often they agree with the executor is logged. What the executor says of a task it was
withheld from is used to audit and never reaches a reward, nor the critic.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

import numpy as np

from autotelic.domains.literal import LiteralError, canonical, parse_literal
from autotelic.exam.statistics import auroc
from autotelic.judge.critic import Critic
from autotelic.protocols import Domain, Feedback
from autotelic.streams import stream
from autotelic.types import Group, Source, Task, Verdict

Verdicts = list[list[Verdict]]

AUDITED = 8
"""Groups a generation that were judged without the executor, and that it judges after all, for the log."""


@dataclass(frozen=True, slots=True)
class Verifier:
    """The executor's verdict. Implements the `Feedback` seam, as all the voices here do."""

    domain: Domain

    def judge(self, groups: Sequence[Group]) -> Verdicts:
        """Everything in one batch."""
        said = iter(self.domain.judge([(g.task, attempt.answer) for g in groups for attempt in g.attempts]))
        return [[next(said) for _ in group.attempts] for group in groups]


@dataclass(frozen=True, slots=True)
class CriticJudge:
    """The critic's calibrated probability is the reward."""

    critic: Critic

    def judge(self, groups: Sequence[Group]) -> Verdicts:
        return [
            [Verdict(reward=p, passed=p >= 0.5, reason="predicted", source="critic") for p in said]
            for said in self.critic.predict(groups)
        ]


@dataclass(frozen=True, slots=True)
class Consensus:
    """Reward 1 for the answer that most siblings gave (TTRL, Zuo et al. 2025, arXiv:2504.16084).

    A majority is two or more, and more than any other answer has. Answers are the same if their values are,
    or, where they are no literals, their texts but for space. An empty answer has no vote.
    """

    def judge(self, groups: Sequence[Group]) -> Verdicts:
        return [self._of(group) for group in groups]

    def _of(self, group: Group) -> list[Verdict]:
        spelled = [_spelled(attempt.answer) for attempt in group.attempts]
        votes = Counter(answer for answer in spelled if answer).most_common(2)
        decided = bool(votes) and votes[0][1] > 1 and (len(votes) == 1 or votes[0][1] > votes[1][1])
        if not decided:
            return [
                Verdict(reward=0.0, passed=False, reason="undecided", source="consensus") for _ in spelled
            ]
        return [
            Verdict(reward=1.0, passed=True, reason="majority", source="consensus")
            if answer == votes[0][0]
            else Verdict(reward=0.0, passed=False, reason="minority", source="consensus")
            for answer in spelled
        ]


@dataclass(frozen=True, slots=True)
class Certainty:
    """Reward for having been sure: the geometric mean of the probabilities of the sampled tokens, in [0, 1].

    Intuitor (Zhao et al. 2025, arXiv:2505.19590) rewards the mean divergence of each token's distribution
    from the uniform one. Of those distributions only the sampled token's share is kept, so this is what can
    be had of it.
    """

    def judge(self, groups: Sequence[Group]) -> Verdicts:
        return [[self._of([x for t in a.turns for x in t.logprobs]) for a in g.attempts] for g in groups]

    def _of(self, logprobs: Sequence[float]) -> Verdict:
        sure = math.exp(sum(logprobs) / len(logprobs)) if logprobs else 0.0
        return Verdict(reward=sure, passed=sure >= 0.5, reason="certainty", source="certainty")


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinions:
    """What the voices said of one generation, against the executor; for the log and nothing else.

    `agreement` is the share of attempts of which a source said what the executor did, `ranking` its AUROC;
    nan where there was nothing to compare. `calibration` is the critic's over the last 2,000 predictions.
    `withheld` groups were judged by the critic alone; of those, `audited` were also executed, and there the
    critic was right in a share `audit` of the attempts. `notes` are whatever did not go as the charter asks.
    """

    calibration: Mapping[str, float]
    agreement: Mapping[str, float] = field(default_factory=dict)
    ranking: Mapping[str, float] = field(default_factory=dict)
    withheld: int = 0
    audited: int = 0
    audit: float = math.nan
    notes: tuple[str, ...] = ()


class Mixed:
    """Rewards as the charter's [feedback] weighs them: the weighted mean of the sources that have a weight.

    Whether an attempt `passed` is never mixed: it is the executor's word where the executor has any weight,
    else that of the heaviest source, and `source` says whose it is. A critic that is not trusted has no
    weight; if nothing is left, the executor judges.

    `withhold` is the share of tasks on which the executor is not asked and the critic alone is the judge,
    while it is trusted. It is a task's own property, drawn from `seed` and its id, so a task tried again
    stays withheld. Proposers' groups are never withheld. `shuffle` is the share of groups whose verdicts are
    dealt out anew among the siblings, so that reward says nothing of the attempt: a control.
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
        seed: int = 0,
    ) -> None:
        self.critic = critic
        self.withhold = withhold
        self.shuffle = shuffle
        self.seed = seed
        self.weights: dict[Source, float] = {
            "verifier": verifier,
            "critic": critic_weight,
            "consensus": consensus,
            "certainty": certainty,
        }
        self.voices: dict[Source, Feedback] = {
            "verifier": Verifier(domain),
            "critic": CriticJudge(critic),
            "consensus": Consensus(),
            "certainty": Certainty(),
        }

    # ── for learning ─────────────────────────────────────────────────────────────────────────────────────

    def judge(self, groups: Sequence[Group]) -> Verdicts:
        """The verdicts to learn from. Changes nothing, so the same groups are judged alike until the critic
        has learned.
        """
        trusted = self.critic.quality.trusted
        apart = [trusted and self._drawn(group) for group in groups]
        withheld = iter(self.voices["critic"].judge([g for g, out in zip(groups, apart, strict=True) if out]))
        weights = self._live(trusted)
        rest = [group for group, out in zip(groups, apart, strict=True) if not out]
        said = {source: self.voices[source].judge(rest) for source in weights}
        mixed = iter([_mix({s: v[i] for s, v in said.items()}, weights) for i in range(len(rest))])
        judged = [next(withheld) if out else next(mixed) for out in apart]
        return [self._dealt(group, verdicts) for group, verdicts in zip(groups, judged, strict=True)]

    def executed(self, tasks: Sequence[Task]) -> list[Task]:
        """The tasks of which the executor may be heard, hence whose traces may be learned from."""
        if not self.weights["verifier"]:
            return []
        trusted = self.critic.quality.trusted
        return [task for task in tasks if not (trusted and self._withheld(task))]

    @property
    def leader(self) -> Source:
        """The source whose word decides whether an attempt passed, where nothing is withheld."""
        return _leader(self._live(self.critic.quality.trusted))

    def verify(self, groups: Sequence[Group]) -> list[Group]:
        """The groups with the verdicts to learn from."""
        judged = zip(groups, self.judge(groups), strict=True)
        return [replace(group, verdicts=tuple(verdicts)) for group, verdicts in judged]

    def _drawn(self, group: Group) -> bool:
        return group.role == "solver" and self._withheld(group.task)

    def _withheld(self, task: Task) -> bool:
        return bool(self.withhold and stream(self.seed, "withhold", task.id).random() < self.withhold)

    def _dealt(self, group: Group, verdicts: list[Verdict]) -> list[Verdict]:
        if not self.shuffle:
            return verdicts
        # A pure function of the attempts, so that judging twice says the same.
        rng = stream(self.seed, "shuffle", group.task.id, *(attempt.answer for attempt in group.attempts))
        if rng.random() >= self.shuffle:
            return verdicts
        return [verdicts[int(i)] for i in rng.permutation(len(verdicts))]

    def _live(self, trusted: bool) -> dict[Source, float]:
        """The sources that have a weight now, from the top of the hierarchy down."""
        live = {s: w for s, w in self.weights.items() if w > 0 and (s != "critic" or trusted)}
        return live or {"verifier": 1.0}

    # ── for the log ──────────────────────────────────────────────────────────────────────────────────────

    def opinions(self, groups: Sequence[Group], generation: int) -> Opinions:
        """What each source says of these judged groups, and how far the executor agrees.

        To be asked before the critic learns from them. Where the executor was not heard, a sample drawn from
        the generation is executed after all; those verdicts go into these numbers and nowhere else.
        """
        solved = [group for group in groups if group.role == "solver"]
        known = [group for group in solved if _source(group) == "verifier"]
        unheard = [group for group in solved if _source(group) != "verifier"]
        order = stream(self.seed, "audit", generation).permutation(len(unheard))[:AUDITED]
        audited = [unheard[int(i)] for i in order]
        truth = [*(list(group.verdicts) for group in known), *self.voices["verifier"].judge(audited)]
        passed = [v.passed for verdicts in truth for v in verdicts]
        asked = [source for source in self.voices if source != "verifier"]
        said = {s: [v for vs in self.voices[s].judge(known + audited) for v in vs] for s in asked}
        behind = sum(len(group.attempts) for group in known)
        withheld = [group for group in unheard if _source(group) == "critic"]
        return Opinions(
            calibration=asdict(self.critic.quality),
            agreement={s: _agreement(verdicts, passed) for s, verdicts in said.items()},
            ranking={s: auroc([v.reward for v in verdicts], passed) for s, verdicts in said.items()},
            withheld=len(withheld),
            audited=len(audited),
            audit=_agreement([v for g in audited for v in g.verdicts], passed[behind:]),
            notes=self._notes(known),
        )

    def _notes(self, known: Sequence[Group]) -> tuple[str, ...]:
        quality = self.critic.quality
        why = (
            f"the critic is not trusted: ECE {quality.ece:.3f}, AUROC {quality.auroc:.3f}, of siblings "
            f"{quality.siblings:.3f}, over {quality.n} predictions"
        )
        notes = []
        if fallen := sum(self._drawn(group) for group in known):
            notes.append(f"{fallen} groups to be withheld went to the executor, because {why}")
        if self.weights["critic"] > 0 and not quality.trusted:
            notes.append(f"the critic had no weight in the reward, because {why}")
        return tuple(notes)


def _mix(said: Mapping[Source, Sequence[Verdict]], weights: Mapping[Source, float]) -> list[Verdict]:
    """One group's verdicts from several sources as one each."""
    leader = _leader(weights)
    total = sum(weights.values())
    share_S = np.array([weights[s] / total for s in said])
    reward_SG = np.array([[v.reward for v in verdicts] for verdicts in said.values()])
    return [
        replace(verdict, reward=float(reward))
        for verdict, reward in zip(said[leader], share_S @ reward_SG, strict=True)
    ]


def _leader(weights: Mapping[Source, float]) -> Source:
    return "verifier" if "verifier" in weights else max(weights, key=lambda s: weights[s])


def _source(group: Group) -> Source | None:
    return group.verdicts[0].source if group.verdicts else None


def _agreement(said: Sequence[Verdict], passed: Sequence[bool]) -> float:
    same = [verdict.passed == truth for verdict, truth in zip(said, passed, strict=True)]
    return sum(same) / len(same) if same else math.nan


def _spelled(answer: str) -> str:
    """One text for one answer."""
    try:
        return canonical(parse_literal(answer))
    except LiteralError:
        return " ".join(answer.split())
