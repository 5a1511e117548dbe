"""The nouns: what flows through the loop.

Every type is frozen, slotted and keyword-only. Nothing here computes but identities; nothing here knows about
torch except `Batch`, the only type that knows about padding or packing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from autotelic.observations import Ids as Ids
from autotelic.observations import Image as Image
from autotelic.observations import Observation as Observation
from autotelic.observations import Part as Part
from autotelic.observations import Text as Text
from autotelic.observations import text_of as text_of
from autotelic.reports import Calibration as Calibration
from autotelic.reports import CriticReport as CriticReport
from autotelic.reports import Decision as Decision
from autotelic.reports import ExamReport as ExamReport
from autotelic.reports import LearnReport as LearnReport
from autotelic.reports import Score as Score
from autotelic.reports import Scores as Scores

if TYPE_CHECKING:  # torch takes seconds to import, and most readers of a record need none of it
    from torch import Tensor

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
Source = Literal["verifier", "critic", "consensus", "certainty", "entropy"]
Role = Literal["solver", "proposer"]
Purpose = Literal["attempt", "repair", "draft", "search", "exam", "gate", "audit"]
"""What attempts were made for: credit, a further turn at a failure, a failure to learn repair from, a search for
what all siblings missed, a score, or to see whether reward still means what it should.
"""
RULES = "rules"
"""The author recorded for a task that the human's rules made, as opposed to a digest of weights."""


# ── tasks ────────────────────────────────────────────────────────────────────────────────────────────────────────


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
class Binary:
    """A reward of 0 or 1: right or wrong."""

    low: float = 0.0
    high: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """A reward that is any real number from `low` to `high`."""

    low: float
    high: float


Scale = Binary | Range
YES_NO: Scale = Binary()
"""The scale of a domain that says nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """What a domain is: its `name`, its `modes` in the order exams report them, its `levels`, its reward's
    `scale`.
    """

    name: str
    modes: tuple[str, ...]
    levels: tuple[int, ...]
    scale: Scale = YES_NO

    @property
    def cells(self) -> tuple[Cell, ...]:
        """Every kind of task there is, by level and then by mode."""
        return tuple(Cell(mode=mode, level=level) for level in self.levels for mode in self.modes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """Where a task came from.

    `author` is `RULES` or the digest of the weights that wrote it; `references` are the ids of the tasks the
    proposer was shown, or of the task whose failed answer a repair shows; `generation` is when.
    """

    author: str = RULES
    generation: int = 0
    references: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One thing to solve.

    `secret` is what the judge knows and the solver may not see; it is plain JSON. `signature` is a hash of
    *behaviour*, not of text: two programs that do the same on every probe input share it; by default it is
    the hash of prompt and secret. `cluster` is coarser, for quotas. Answers to tasks of one mode and `form`
    look alike, so that one can be tried as a guess at another. `id` is the hash of everything else: tasks of
    one id are equal.
    """

    domain: str
    mode: str
    level: int
    prompt: Observation
    secret: Mapping[str, Any]
    signature: str = ""
    cluster: str = ""
    form: str = ""
    is_repair: bool = False
    lineage: Lineage = field(default_factory=Lineage)
    id: str = ""

    def __post_init__(self) -> None:
        if not self.signature:
            object.__setattr__(
                self, "signature", _hash([self.domain, self.mode, self.prompt, self.secret])[:32]
            )
        if not self.id:
            object.__setattr__(self, "id", self._identity())

    def _identity(self) -> str:
        what = [self.domain, self.mode, self.level, self.prompt, self.secret, self.signature, self.cluster]
        whence = [self.form, self.is_repair, self.lineage.author, self.lineage.generation]
        return _hash([*what, *whence, self.lineage.references])[:16]

    @property
    def cell(self) -> Cell:
        return Cell(mode=self.mode, level=self.level)


def _hash(parts: Any) -> str:
    # ASCII, because what a program returns may be half a surrogate pair, which UTF-8 cannot spell.
    spelled = json.dumps(parts, sort_keys=True, separators=(",", ":"), default=_plain)
    return hashlib.sha256(spelled.encode("ascii")).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, Text):
        return {"text": value.text}
    if isinstance(value, Image):
        return {"image": value.digest}
    if isinstance(value, Ids):
        return {"ids": list(value.ids)}
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a task holds a {type(value).__name__}; make it a number, text, list or dictionary")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """Why a proposal is no task. `reason` is a short stable word (`syntax`, `constant`, `known`, ...)."""

    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demonstration:
    """A right completion with its working. `told` are the parts of the prompt, in characters, that follow
    from the solution: outputs that it shows, say. They are learned beside the completion.
    """

    completion: str
    told: tuple[tuple[int, int], ...] = ()


# ── what is sampled ───────────────────────────────────────────────────────────────────────────────────────


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

    `logprobs` has one entry a completion id, under the distribution that was sampled from: logits divided by
    the request's temperature, or by 1 where that is 0. `weights` is the digest of the weights that sampled
    it. `stop` is `eos` or `length`; the end token, when sampled, is the last id of the completion.
    """

    prompt_ids: tuple[int, ...]
    completion_ids: tuple[int, ...]
    logprobs: tuple[float, ...]
    weights: str
    stop: Literal["eos", "length"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What the actor wrote when asked for a task of `cell`; not yet a task. `turn` is how it was sampled.

    `id` is given by the journal. A proposal that is posed again in another cell has no turn and the same id.
    """

    text: str
    cell: Cell
    lineage: Lineage
    turn: Turn | None = None
    id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One turn of an episode, what the environment showed after it, and the reward of this turn alone."""

    turn: Turn
    reply: Observation = ""
    reward: float = 0.0


Ending = Literal["done", "length", "failed"]
"""How an episode ended: the environment or the answer closed it, no room was left, or the environment
failed.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """One try at a task, of one turn or several; `answer` is the text that is judged. `id` is given by the
    journal.
    """

    task_id: str
    steps: tuple[Step, ...]
    answer: str
    ending: Ending = "done"
    id: int = 0

    @property
    def turns(self) -> tuple[Turn, ...]:
        return tuple(step.turn for step in self.steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How good an attempt was, and who says so.

    `reward` is on the domain's scale. `passed` is None where there is no such thing as success. `reason` is a
    short stable word. `feedback` is what a solver may be shown when it tries again (what its own tests
    printed); it holds nothing secret.
    """

    reward: float
    passed: bool | None
    reason: str
    source: Source = "verifier"
    feedback: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The siblings that share a task: the unit of credit. `episodes[i]` was given `verdicts[i]`.

    A proposer's group has one episode a proposal, and in `task` the kind of task it was asked to write. Its
    episodes have the ids of their proposals.
    """

    task: Task
    episodes: tuple[Episode, ...]
    verdicts: tuple[Verdict, ...] = ()
    role: Role = "solver"

    @property
    def rewards(self) -> tuple[float, ...]:
        return tuple(v.reward for v in self.verdicts)


# ── what is learned ───────────────────────────────────────────────────────────────────────────────────────

Kind = Literal["demonstration", "practice", "own", "attempt", "proposal", "form"]
"""What a sequence of a batch is: a task with a demonstration; a task of the rules as if it had been proposed;
an own right answer, imitated; an attempt, and a proposal, moved along their advantage; a prompt with an answer
to something else, for the form."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One sequence of a batch, by where it comes from.

    `ref` is the id of the task (demonstration, practice, form), of the episode (own, attempt) or of the
    proposal. `weight` is that of imitation, or the advantage times the weight of its stream. `shown` are the
    tasks that a practised proposer is shown. `tokens` are the advantages of the sampled tokens where each has its
    own, times the weight of the stream; `weight` is then their mean.
    """

    kind: Kind
    ref: str
    weight: float
    shown: tuple[str, ...] = ()
    tokens: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Sequences packed into rows. [B, T] everywhere: B rows, T tokens a row.

    `ids_BT` tokens, zero where empty. `position_BT` counts from 0 in each sequence. `segment_BT` is the
    number within its row, from 1, of a family of sequences that begin alike, and 0 where empty; `branch_BT`
    is 0 on that beginning, stored once, and the sequence's number within the family after it. Attention never
    crosses segments, and in one sees its beginning and the own branch.
    The three weights are of *predicting* the token at that place. On prompts they are 0, except where a
    prompt tells what follows from the solution: `nll_BT` the weight of imitation, `advantage_BT` the
    advantage (0 where no policy gradient applies), `policy_BT` its weight. `logprob_BT` is the sampler's
    log-probability, `reference_BT` that of the reference policy.
    """

    ids_BT: Tensor
    position_BT: Tensor
    segment_BT: Tensor
    branch_BT: Tensor
    nll_BT: Tensor
    advantage_BT: Tensor
    policy_BT: Tensor
    logprob_BT: Tensor
    reference_BT: Tensor

    @property
    def tokens(self) -> int:
        """Tokens that are not padding; a shared beginning counts once."""
        return int((self.segment_BT > 0).sum())
