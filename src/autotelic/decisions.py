"""The messages of exams, of decisions, and of what ends a generation. They are part of `messages.py`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from autotelic.envelope import Message, nouns
from autotelic.types import Decision, ExamReport, Group, Task

When = Literal["before", "during", "working", "after"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamSet(Message):
    """The items of an exam, committed to by digest before anyone sits it. `refused` counts by reason what is
    no item, `missing` by cell how many items it is short of.
    """

    kind: ClassVar[str] = "exam.set"

    exam: str
    digest: str
    refused: Mapping[str, int]
    missing: Mapping[str, int]
    items: Sequence[Task] = nouns("tasks")


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluated(Message):
    """One evaluation of an exam. `tokens` and `seconds` are what the run had spent by then; `took` is how
    long it took.

    `groups` holds the greedy answers with their verdicts. The `pool` is the own exam in the making.
    """

    kind: ClassVar[str] = "evaluated"

    when: When
    tokens: int
    seconds: float
    took: float
    report: ExamReport
    groups: Sequence[Group] = nouns("verdicts")


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided(Message):
    """Whether the working weights become champion. `weights` is the candidate's reference, `champion` that of
    the champion it was compared with, `optimiser` that of the optimiser's state that goes with a promoted
    candidate. The items that were asked are the auditor's, and stand in the ledger with their outcomes.
    """

    kind: ClassVar[str] = "decided"

    weights: str
    champion: str
    decision: Decision
    optimiser: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leased(Message):
    """The brake lets the trainer go on, from this champion.

    `parent` is the champion's reference and `blob` its file in the store; `certificate` is the generation of its
    certificate, -1 for what the run began from. `epoch` grows with each lease. With `clean` the working weights
    were given up for the champion's. `level` and `grade` are the brake's level and the grade of isolation.
    """

    kind: ClassVar[str] = "leased"

    epoch: int
    parent: str
    blob: str
    certificate: int
    level: int
    grade: str
    clean: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ChampionSaved(Message):
    """The champion was written to the run folder. `weights` is the reference it was certified by, `folder`
    that of the folder in Hugging Face format.
    """

    kind: ClassVar[str] = "champion.saved"

    weights: str
    folder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CellState:
    """What is believed of a cell: success `p` (or mean scaled reward), what there is left to `gain`, and its
    `share` of the tasks to come.
    """

    p: float
    gain: float
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationEnded(Message):
    """What a generation used: `seconds`, tokens `trained` and `decoded`, `flops`, `decode_seconds`,
    `train_seconds`; and how the curriculum stands after it. `total_*` are the run's so far, `memory` the most bytes
    that its device, or this process, ever held.
    """

    kind: ClassVar[str] = "generation.ended"

    seconds: float
    trained: int
    decoded: int
    flops: float
    train_seconds: float
    decode_seconds: float
    total_seconds: float
    total_tokens: int
    total_flops: float
    cells: Mapping[str, CellState]
    memory: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpointed(Message):
    """All that the run needs to go on from here is being saved. `weights` is the reference of the working
    weights; a checkpoint that is `pinned` is kept.
    """

    kind: ClassVar[str] = "checkpointed"

    weights: str
    pinned: bool
