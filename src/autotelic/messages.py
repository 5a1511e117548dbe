"""What passes from one stage to the next, and what the journal keeps: one class a kind of message.

    run.do(attempt, admitted)   the stage returns Attempted; the journal gives it an id, a time and a span;
                                the state applies it; whoever watches is handed it

Messages are the only events there are. A field declared by `nouns` holds rows of a table of the journal
(tasks, proposals, episodes, verdicts, credits, entries): in memory a tuple, in the journal the rows, and to a
reader a sequence that is read when it is looked at. Everything else of a message is plain JSON. `schema()` is
the JSON schema of all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

from autotelic.alarms import Alarmed as Alarmed
from autotelic.alarms import Looked as Looked
from autotelic.alarms import Measured as Measured
from autotelic.alarms import Opened as Opened
from autotelic.decisions import CellState as CellState
from autotelic.decisions import ChampionSaved as ChampionSaved
from autotelic.decisions import Checkpointed as Checkpointed
from autotelic.decisions import Decided as Decided
from autotelic.decisions import Evaluated as Evaluated
from autotelic.decisions import ExamSet as ExamSet
from autotelic.decisions import GenerationEnded as GenerationEnded
from autotelic.decisions import Leased as Leased
from autotelic.decisions import When as When
from autotelic.envelope import BudgetExtended as BudgetExtended
from autotelic.envelope import Dropped as Dropped
from autotelic.envelope import GenerationBegan as GenerationBegan
from autotelic.envelope import Message as Message
from autotelic.envelope import Parent as Parent
from autotelic.envelope import Probed as Probed
from autotelic.envelope import RunResumed as RunResumed
from autotelic.envelope import RunStarted as RunStarted
from autotelic.envelope import RunStopped as RunStopped
from autotelic.envelope import StageBegan as StageBegan
from autotelic.envelope import StageEnded as StageEnded
from autotelic.envelope import StopReason as StopReason
from autotelic.envelope import nouns as nouns
from autotelic.types import (
    Calibration,
    CriticReport,
    Entry,
    Group,
    Json,
    LearnReport,
    Proposal,
    Purpose,
    Task,
)

# ── propose, admit ────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed(Message):
    """What was written for this generation: `proposals` by the actor, `tasks` by the rules.

    `wanted` is how many tasks of each cell (`induction/2`) the actor's share is to have; during the
    `bootstrap` none.
    """

    kind: ClassVar[str] = "proposed"

    bootstrap: bool
    wanted: Mapping[str, int]
    proposals: Sequence[Proposal] = nouns("proposals")
    tasks: Sequence[Task] = nouns("tasks")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a proposal in the cell it was asked for: the id of its task, or why it is none."""

    proposal: int
    task: str = ""
    reason: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted(Message):
    """The tasks of this generation: `tasks` to learn from, `set_aside` for the exam that the actor sets
    itself.

    `outcomes` has one entry a proposal. `sealed` are signatures that nothing may be trained on from now on:
    of what was set aside, in every mode.
    """

    kind: ClassVar[str] = "admitted"

    outcomes: tuple[Outcome, ...] = ()
    sealed: tuple[str, ...] = ()
    tasks: Sequence[Task] = nouns("tasks")
    set_aside: Sequence[Task] = nouns("tasks")


# ── attempt, judge, repair ────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempted(Message):
    """Attempts at tasks, not yet judged: each group's `verdicts` are empty."""

    kind: ClassVar[str] = "attempted"

    purpose: Purpose
    groups: Sequence[Group] = nouns("episodes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged(Message):
    """The same groups with the verdicts to learn from."""

    kind: ClassVar[str] = "judged"

    purpose: Purpose
    groups: Sequence[Group] = nouns("verdicts")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """The `rewards` of a generation's tries of one answer at tasks of a `family`. `cell` is how it behaves, `task`
    and `author` the first of these tasks and the weights that wrote the answer there.
    """

    family: str
    cell: str
    answer: str
    task: str
    author: str
    rewards: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Archived(Message):
    """What attempts show of answers in the archive, and of new ones that may be kept there."""

    kind: ClassVar[str] = "archived"

    tried: tuple[Tried, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Repairing(Message):
    """Failures as tasks: what was written and what its tests printed, to be written better. Where there is an
    archive, its answers are shown in their place.

    Those that are `drafted` are learned from without being attempted.
    """

    kind: ClassVar[str] = "repairing"

    drafted: bool
    tasks: Sequence[Task] = nouns("tasks")


@dataclass(frozen=True, slots=True, kw_only=True)
class Resampling(Message):
    """Tasks to attempt in the place of those whose attempts all fared alike; `round` counts from 1."""

    kind: ClassVar[str] = "resampling"

    round: int
    tasks: Sequence[Task] = nouns("tasks")


@dataclass(frozen=True, slots=True, kw_only=True)
class Appraised(Message):
    """What every source of feedback said of this generation's attempts, against the verifier. It teaches
    nothing.

    `agreement` is the share of attempts of which a source said what the verifier did, `ranking` its AUROC;
    nan where there was nothing to compare. `withheld` groups were judged by the critic alone; of those
    `audited` were also verified, and there the critic was right in a share `audit` of the attempts.
    """

    kind: ClassVar[str] = "appraised"

    calibration: Calibration
    agreement: Mapping[str, float]
    ranking: Mapping[str, float]
    withheld: int
    audited: int
    audit: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited(Message):
    """A few tasks, the same in every generation, attempted and verified while internal feedback rewards. They
    teach nothing.

    An entry an attempt, tasks one after another with so many `siblings` each: `success` as the verifier scaled
    it to [0, 1], `entropy` in nats, `length` in tokens; and by internal source the reward it `said`.
    `distinct` has an entry a task: how many answers differ. `step` counts updates so far.
    """

    kind: ClassVar[str] = "audited"

    step: int
    siblings: int
    success: Sequence[float]
    entropy: Sequence[float]
    length: Sequence[int]
    distinct: Sequence[int]
    said: Mapping[str, Sequence[float]]
    groups: Sequence[Group] = nouns("verdicts")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceCut(Message):
    """An internal source of feedback has no weight from this `step` on, because a `test` of the audits found
    its collapse: the `evidence` reached what is `needed`.
    """

    kind: ClassVar[str] = "source.cut"

    source: str
    step: int
    test: str
    evidence: float
    needed: float
    why: str


# ── credit, learn ─────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class Earned:
    """What an attempt (`solver`) or a proposal (`proposer`) of this id earned: its reward, and its advantage,
    which is None where its group had nothing to teach. `tokens` are the advantages of the sampled tokens where
    each has its own; `advantage` is then their mean.
    """

    role: str
    id: int
    reward: float
    advantage: float | None
    tokens: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Credited(Message):
    """Verdicts as advantages. `kept` groups of solvers teach, `flat` ones had no variance and do not."""

    kind: ClassVar[str] = "credited"

    kept: int
    flat: int
    earned: Sequence[Earned] = nouns("credits")


@dataclass(frozen=True, slots=True, kw_only=True)
class Formed(Message):
    """Pairs of form: each a prompt with an answer to something else, in its `secret`. No solution is among them.

    `elites` of them have an answer from the archive.
    """

    kind: ClassVar[str] = "formed"

    elites: int = 0
    tasks: Sequence[Task] = nouns("tasks")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson(Message):
    """What this generation's updates are made of, before they are made.

    `shares` are those of the gradient, by stream, as they turned out: by weight times tokens.
    `sequences` and `tokens` count by kind, `tokens_by_author` those of tasks by who made them (`rules`, or
    the digest of weights). `cost` is how many tokens a task of a cell comes to, solution included. `replayed`
    tasks were seen before.
    """

    kind: ClassVar[str] = "lesson"

    shares: Mapping[str, float]
    sequences: Mapping[str, int]
    tokens: Mapping[str, int]
    tokens_by_author: Mapping[str, int]
    cost: Mapping[str, float]
    replayed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Updated(Message):
    """One update of the weights. `before` and `after` are digests of what is learned, `rate` is the factor on
    the learning rates, `threads` how many shared the rows: with as many, the same batch gives the same bits.
    `step` counts updates from 0. `batch` holds its sequences, in the order they were packed.
    """

    kind: ClassVar[str] = "updated"

    step: int
    before: str
    after: str
    rate: float
    threads: int
    report: LearnReport
    batch: Sequence[Entry] = nouns("entries")


@dataclass(frozen=True, slots=True, kw_only=True)
class CriticUpdated(Message):
    """The critic learned this generation's outcomes."""

    kind: ClassVar[str] = "critic.updated"

    report: CriticReport
    calibration: Calibration


MESSAGES: tuple[type[Message], ...] = (
    RunStarted,
    RunResumed,
    BudgetExtended,
    RunStopped,
    GenerationBegan,
    StageBegan,
    StageEnded,
    Dropped,
    Probed,
    Proposed,
    Admitted,
    Attempted,
    Judged,
    Archived,
    Repairing,
    Resampling,
    Appraised,
    Audited,
    SourceCut,
    Credited,
    Formed,
    Lesson,
    Updated,
    CriticUpdated,
    ExamSet,
    Evaluated,
    Decided,
    Leased,
    Measured,
    Opened,
    Looked,
    Alarmed,
    ChampionSaved,
    GenerationEnded,
    Checkpointed,
)
BY_KIND: Mapping[str, type[Message]] = {message.kind: message for message in MESSAGES}


@cache
def schema() -> dict[str, Any]:
    """The JSON schema of all messages, by kind. Shared: not to be changed."""
    from pydantic import TypeAdapter  # takes a quarter of a second

    definitions: dict[str, Any] = {}
    kinds: dict[str, Json] = {}
    for message in MESSAGES:
        found = TypeAdapter(message).json_schema(ref_template="#/$defs/{model}")
        definitions |= found.pop("$defs", {})
        found["properties"] = {"kind": {"const": message.kind}} | found["properties"]
        found["required"] = ["kind", *found.get("required", [])]
        definitions[message.__name__] = found
        kinds[message.kind] = message.__name__
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "autotelic messages",
        "oneOf": [{"$ref": f"#/$defs/{name}"} for name in kinds.values()],
        "$defs": definitions,
    }
