"""A generation as readers show it, put together from the messages that came while it went on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from autotelic.messages import (
    Admitted,
    Appraised,
    CellState,
    Credited,
    CriticUpdated,
    GenerationEnded,
    Lesson,
    Message,
    Proposed,
    StageEnded,
    Updated,
)
from autotelic.types import RULES, Calibration, Cell, LearnReport

NOT_NEW = frozenset({"known", "sealed", "crowded"})
"""Reasons of `Novelty.screen`: the proposal is a task, and one that behaves like another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposals:
    """How many tasks the actor was asked for, and what became of them. `valid` ones are tasks, `novel` ones
    behave like nothing known; `reasons` counts why the others were refused.
    """

    asked: int = 0
    valid: int = 0
    novel: int = 0
    admitted: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)

    @property
    def valid_share(self) -> float | None:
        """The share of what was asked for that are tasks."""
        return self.valid / self.asked if self.asked else None

    @property
    def novel_share(self) -> float | None:
        """The share of the valid ones that are novel."""
        return self.novel / self.valid if self.valid else None

    def __add__(self, other: Proposals) -> Proposals:
        reasons = Counter(self.reasons)
        reasons.update(other.reasons)
        return Proposals(
            asked=self.asked + other.asked,
            valid=self.valid + other.valid,
            novel=self.novel + other.novel,
            admitted=self.admitted + other.admitted,
            reasons=dict(reasons.most_common()),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What a generation's updates did: means over their tokens. `skipped` of the `updates` changed nothing
    and count in no mean.
    """

    loss: float
    nll: float
    policy: float
    kl: float
    clipped: float
    entropy: float
    grad_norm: float
    updates: int
    skipped: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """One trip around the loop. `ended` is how many seconds the run had worked when it was over.

    `learned`, `calibration` and `agreement` are of what was measured in it. `actor_tokens` and `rules_tokens`
    are the tokens of tasks that were learned, by who made the task. `message` is the id of its end.
    """

    message: int
    number: int
    bootstrap: bool
    seconds: float
    ended: float
    stage_seconds: Mapping[str, float]
    trained: int
    decoded: int
    total_tokens: int
    total_flops: float
    train_speed: float | None
    decode_speed: float | None
    proposals: Proposals
    actor_tokens: int
    rules_tokens: int
    kept: int
    flat: int
    cells: Mapping[Cell, CellState]
    learned: Learned | None
    calibration: Calibration | None
    agreement: Mapping[str, float]

    @property
    def actor_task_share(self) -> float | None:
        """The share of the tokens of tasks that are of tasks which the actor proposed."""
        total = self.actor_tokens + self.rules_tokens
        return self.actor_tokens / total if total else None


@dataclass(slots=True)
class Unfinished:
    """A generation that is going on. `add` takes its messages in, `ended` makes the generation of them."""

    bootstrap: bool = False
    stage_seconds: dict[str, float] = field(default_factory=dict)
    proposals: Proposals = field(default_factory=Proposals)
    by_author: Counter[str] = field(default_factory=Counter)
    kept: int = 0
    flat: int = 0
    updates: list[LearnReport] = field(default_factory=list)
    calibration: Calibration | None = None
    agreement: Mapping[str, float] = field(default_factory=dict)

    def add(self, message: Message) -> None:
        """Take in one message; kinds that no reader shows are passed over."""
        match message:
            case StageEnded(stage=stage, seconds=seconds):
                self.stage_seconds[stage] = self.stage_seconds.get(stage, 0.0) + seconds
            case Proposed(bootstrap=bootstrap):
                self.bootstrap = bootstrap
            case Admitted():
                self.proposals += fate(message)
            case Credited(kept=kept, flat=flat):
                self.kept, self.flat = self.kept + kept, self.flat + flat
            case Lesson(tokens_by_author=tokens):
                self.by_author.update(tokens)
            case Updated(report=report):
                self.updates.append(report)
            case CriticUpdated(calibration=calibration):
                self.calibration = calibration
            case Appraised(agreement=agreement):
                self.agreement = agreement

    def ended(self, message: GenerationEnded) -> Generation:
        """The generation, now that it is over."""
        by_rules = self.by_author[RULES]
        return Generation(
            message=message.id,
            number=message.generation,
            bootstrap=self.bootstrap,
            seconds=message.seconds,
            ended=message.total_seconds,
            stage_seconds=self.stage_seconds,
            trained=message.trained,
            decoded=message.decoded,
            total_tokens=message.total_tokens,
            total_flops=message.total_flops,
            train_speed=message.trained / message.train_seconds if message.train_seconds else None,
            decode_speed=message.decoded / message.decode_seconds if message.decode_seconds else None,
            proposals=self.proposals,
            actor_tokens=self.by_author.total() - by_rules,
            rules_tokens=by_rules,
            kept=self.kept,
            flat=self.flat,
            cells={Cell.parse(name): state for name, state in message.cells.items()},
            learned=_means(self.updates),
            calibration=self.calibration,
            agreement=self.agreement,
        )


def fate(admitted: Admitted) -> Proposals:
    """What became of the proposals of one generation."""
    reasons = Counter(outcome.reason for outcome in admitted.outcomes if not outcome.task)
    asked = len(admitted.outcomes)
    valid = asked - sum(n for reason, n in reasons.items() if reason not in NOT_NEW)
    taken = sum(bool(outcome.task) for outcome in admitted.outcomes)
    return Proposals(
        asked=asked, valid=valid, novel=taken, admitted=taken, reasons=dict(reasons.most_common())
    )


def _means(reports: list[LearnReport]) -> Learned | None:
    if not reports:
        return None
    made = [report for report in reports if not report.skipped]
    total = sum(report.tokens for report in made)

    def mean(value: Callable[[LearnReport], float]) -> float:
        return sum(value(r) * r.tokens for r in made) / total if total else float("nan")

    return Learned(
        loss=mean(lambda r: r.loss),
        nll=mean(lambda r: r.nll),
        policy=mean(lambda r: r.policy),
        kl=mean(lambda r: r.kl),
        clipped=mean(lambda r: r.clipped),
        entropy=mean(lambda r: r.entropy),
        grad_norm=mean(lambda r: r.grad_norm),
        updates=len(reports),
        skipped=len(reports) - len(made),
    )
