"""What every message has, and the messages about a run as a whole. They are part of `messages.py`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

StopReason = Literal["budget", "interrupted", "braked"]


def nouns(table: str) -> Any:
    """A field whose values are rows of a table of the journal."""
    return field(default=(), metadata={"table": table})


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What every message has. The journal gives `id`, which only ever grows and is never used twice, and
    `time`, in seconds since the epoch. `span` names the stage that sent it and the generation (`12/attempt`).
    """

    kind: ClassVar[str] = ""

    id: int = 0
    time: float = 0.0
    generation: int = 0
    span: str = ""


# ── the run ──────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class Parent:
    """The run or the model folder that a run went on from. `seals` is whether its exams and tasks are known
    here, so that nothing it trained on is examined as new.
    """

    run: str
    weights: str
    seals: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted(Message):
    """What a reader must know to judge a run's numbers. `run` is its id, which survives renaming its folder;
    `version` and `commit` are autotelic's; `start` is the reference of the weights that it began from.

    `charter` is the canonical charter, `digest` its digest. `capabilities` and `scale` (lowest and highest
    reward) are the domain's. `machine` is what belongs to the machine and not to the digest: threads,
    workers, server, device. `controls` are what an experiment turned that no charter can: shuffled rewards,
    another baseline. `context` is the most tokens a sequence may have.
    """

    kind: ClassVar[str] = "run.started"

    run: str
    version: str
    commit: str
    start: str
    charter: Mapping[str, Any]
    digest: str
    seed: int
    model: str
    parameters: int
    learned: int
    chat: bool
    capabilities: tuple[str, ...]
    scale: tuple[float, float]
    machine: Mapping[str, Any]
    versions: Mapping[str, str]
    platform: str
    sandbox: str
    context: int
    controls: Mapping[str, Any] = field(default_factory=dict)
    parent: Parent | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResumed(Message):
    """A run goes on from its checkpoint of `from_generation`. The messages `first` to `last` came after it
    and will happen again, and what they brought with them: `superseded` counts those rows by table. They are
    kept.
    """

    kind: ClassVar[str] = "run.resumed"

    from_generation: int
    first: int
    last: int
    superseded: Mapping[str, int]
    machine: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetExtended(Message):
    """More than the charter gives: seconds, tokens and generations on top of it. All extensions add up.

    A limit that the charter does not have begins with the first of them. `lifts` names limits that were
    reached and bind no more, until more of them is given (`autotelic.budget`).
    """

    kind: ClassVar[str] = "run.extended"

    seconds: float = 0.0
    tokens: int = 0
    generations: int = 0
    lifts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStopped(Message):
    """The run ended: its budget is spent, somebody stopped it, or the brake was set. `why` is what the brake said."""

    kind: ClassVar[str] = "run.stopped"

    reason: StopReason
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationBegan(Message):
    """A trip around the loop begins."""

    kind: ClassVar[str] = "generation.began"


@dataclass(frozen=True, slots=True, kw_only=True)
class StageBegan(Message):
    """A stage begins."""

    kind: ClassVar[str] = "stage.began"

    stage: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StageEnded(Message):
    """A stage ended, after so many `seconds`."""

    kind: ClassVar[str] = "stage.ended"

    stage: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped(Message):
    """Something was left out, waited for or gone back on: `n` of `what`, because of `why`."""

    kind: ClassVar[str] = "dropped"

    what: str
    n: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed(Message):
    """Sampler and learner were compared: `gap` is the largest difference of their log-probabilities over so
    many tokens.
    """

    kind: ClassVar[str] = "probed"

    gap: float
    allowed: float
    tokens: int
    weights: str
