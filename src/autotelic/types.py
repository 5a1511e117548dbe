"""The nouns: what flows through the loop.

Every type is frozen, slotted and keyword-only. Nothing here computes; nothing here knows about torch except
`Batch`, the only type that knows about padding or packing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:  # torch takes seconds to import, and most readers of a record need none of it
    from torch import Tensor

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
Source = Literal["verifier", "critic", "consensus", "certainty"]
RULES = "rules"
"""The author recorded for a task that the human's rules made, as opposed to a digest of weights."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Cell:
    """One kind of task: the unit the curriculum allocates over and the exam reports by.

    >>> str(Cell(mode="induction", level=2))
    'induction/2'
    """

    mode: str
    level: int

    def __str__(self) -> str:
        return f"{self.mode}/{self.level}"

    @staticmethod
    def parse(text: str) -> Cell:
        mode, level = text.rsplit("/", 1)
        return Cell(mode=mode, level=int(level))


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """Where a task came from.

    `author` is `RULES` or the digest of the weights that wrote it; `references` are the ids of the tasks the
    proposer was shown; `generation` is when.
    """

    author: str = RULES
    generation: int = 0
    references: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One thing to solve.

    `secret` is what the judge knows and the solver may not see. `signature` is a hash of *behaviour*, not of
    text: two programs that do the same on every probe input share it. `cluster` is coarser, for quotas.
    """

    id: str
    domain: str
    mode: str
    level: int
    prompt: str
    secret: Mapping[str, Any]
    signature: str
    cluster: str = ""
    lineage: Lineage = field(default_factory=Lineage)

    @property
    def cell(self) -> Cell:
        return Cell(mode=self.mode, level=self.level)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What the actor wrote when asked for a task of `cell`; not yet a task. `turn` is how it was sampled."""

    text: str
    cell: Cell
    lineage: Lineage
    turn: Turn | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """Why a proposal is no task. `reason` is a short stable word (`syntax`, `constant`, `known`, ...)."""

    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Ask the sampler for `n` completions of one prompt.

    `seed` makes the answer a function of the request alone, whatever else is in the batch.
    `temperature` 0 is greedy. There is no top-p and no top-k: they would make the sampler's log-probabilities
    differ from the learner's.
    """

    prompt_ids: tuple[int, ...]
    n: int
    max_tokens: int
    temperature: float
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One prompt and what was sampled after it; ids exactly as sampled, never re-tokenized.

    `logprobs` has one entry a completion id, under the sampling distribution at temperature 1. `weights` is
    the digest of the weights that sampled it. `stop` is `eos` or `length`; the end token, when sampled, is
    the last id of the completion.
    """

    prompt_ids: tuple[int, ...]
    completion_ids: tuple[int, ...]
    logprobs: tuple[float, ...]
    weights: str
    stop: Literal["eos", "length"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try at a task, of one turn or several; `answer` is the text that is judged."""

    task_id: str
    turns: tuple[Turn, ...]
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How good an attempt was, and who says so.

    `reward` is in [0, 1] for the verifier. `reason` is a short stable word. `feedback` is what a solver may
    be shown when it tries again (what its own tests printed); it holds nothing secret.
    """

    reward: float
    passed: bool
    reason: str
    source: Source = "verifier"
    feedback: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The siblings that share a task: the unit of credit. `attempts[i]` was given `verdicts[i]`.

    `role` is `solver` or `proposer`; a proposer's group has one attempt a proposal and the task it was asked
    to write in `task`.
    """

    task: Task
    attempts: tuple[Attempt, ...]
    verdicts: tuple[Verdict, ...]
    role: str = "solver"

    @property
    def rewards(self) -> tuple[float, ...]:
        return tuple(v.reward for v in self.verdicts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Experience:
    """Executor-verified text to imitate: a prompt and a completion known to be right.

    `told` are the places in the prompt of tokens that follow from the solution, and are learned beside it. `author`
    is who made the task (`RULES` or a weights digest), so that shares can be counted.
    """

    prompt_ids: tuple[int, ...]
    completion_ids: tuple[int, ...]
    cell: Cell
    author: str
    role: str = "solver"
    told: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Sequences packed into rows. [B, T] everywhere: B rows, T tokens a row.

    `ids_BT` tokens, zero where empty. `position_BT` counts from 0 in each sequence. `segment_BT` is the number
    within its row, from 1, of a family of sequences that begin alike, and 0 where empty; `branch_BT` is 0 on
    that beginning, stored once, and the sequence's number within the family after it. Attention never crosses
    segments, and in one sees its beginning and the own branch.
    The three weights speak of *predicting* the token at that place, and are 0 on prompts, but for what these tell:
    `nll_BT` the weight of the self-supervised loss, `advantage_BT` the advantage (0 where no policy gradient
    applies), `policy_BT` its weight. `logprob_BT` is the sampler's log-probability, `anchor_BT` the anchor's.
    """

    ids_BT: Tensor
    position_BT: Tensor
    segment_BT: Tensor
    branch_BT: Tensor
    nll_BT: Tensor
    advantage_BT: Tensor
    policy_BT: Tensor
    logprob_BT: Tensor
    anchor_BT: Tensor

    @property
    def tokens(self) -> int:
        """Tokens that are not padding; a shared beginning counts once."""
        return int((self.segment_BT > 0).sum())


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
class Score:
    """A share of items passed, with its 95 % interval, over `n` items."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamReport:
    """One sitting of one exam by one set of weights.

    `pass_at_1` is the mean over greedy answers, `sampled_at_1` over sampled ones, `pass_at_8` the share of
    items that any of eight samples passes, `best_of_8` the share passed by the sample the critic ranks first.
    `cells` maps `mode/level` to the same four. `passed` holds the greedy outcome by item id, in item order,
    so that two sittings can be paired.
    """

    exam: str
    digest: str
    weights: str
    pass_at_1: Score
    sampled_at_1: Score | None = None
    pass_at_8: Score | None = None
    best_of_8: Score | None = None
    cells: Mapping[str, Mapping[str, Score]] = field(default_factory=dict)
    passed: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Weights that ask to be promoted, and the evidence: paired outcomes of candidate and champion."""

    weights_digest: str
    parent: str
    generation: int
    report: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What the gate said. A pure function of `inputs`, so that it can be replayed."""

    verdict: Literal["promote", "reject", "stop"]
    reasons: tuple[str, ...]
    inputs: Mapping[str, Any]
