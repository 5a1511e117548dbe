"""Sampler, domain and learner of a run whose work is done by workers. Nothing here knows Ray.

They give what their local kin give, to the bit: a call is cut into the same shares, whichever worker takes one, and
however often a worker dies.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol, TypeVar

from torch import Tensor
from transformers import PreTrainedModel

from autotelic.domains.guard import Guarded
from autotelic.engine.cluster.plan import OutOfStepError, Snapshot
from autotelic.errors import RunError
from autotelic.models.digest import digest_of
from autotelic.models.shares import dealt, gathered
from autotelic.protocols import Domain
from autotelic.types import Batch, Episode, LearnReport, Proposal, Rejection, Request, Task, Turn, Verdict
from autotelic.weights.travel import SentWeights, packed, packed_tensors, unpacked, unpacked_tensors

A = TypeVar("A")
Note = tuple[str, int, str]
"""What was left out or done again, how many, and why."""
_MEMBERS = (
    *("open", "ask", "proposal", "demonstrate", "answers", "repair", "pose", "answer", "same"),
    *("special", "corpus", "form"),
)
"""What a domain may have besides what is sent to judges."""
_JUDGED = ("judge", "admit", "check")
"""Methods of a domain that run programs or simulators, and whose items do not depend on each other."""
_AGAIN = 16
"""Times in a row that a learner is made again before the run gives up: each is a worker that died."""
_FEW = 8
"""Items below which a call is not cut: the trip would take longer than the work."""


class Workers(Protocol):
    """Workers of one kind. Calls are made again of another worker where one dies."""

    @property
    def size(self) -> int:
        """How many there are to be."""

    def share(self, value: Any) -> Any:
        """Keep a value where all workers can reach it; what to give in its place as a common argument."""

    def map(self, method: str, common: Sequence[Any], shares: Sequence[Any]) -> list[Any]:
        """What the method gives for each share, in order; every share's result is taken once.

        Raises what the work itself raises, and RunError where no worker is left.
        """

    def take_notes(self) -> list[Note]:
        """What was done again since the last time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seams:
    """What a run has in place of its local sampler, domain and learner."""

    sampler: FleetSampler | None
    domain: ScatteredDomain
    learner: FarLearner


class FleetSampler:
    """Samples with the weights of `model`, the learner's, on workers. Implements the `Sampler` seam.

    A call is cut into `shares`, as many as the local decode loop would have threads, and a worker takes several.
    """

    def __init__(self, model: PreTrainedModel, workers: Workers, shares: int) -> None:
        self.model = model
        self.workers = workers
        self.shares = shares
        self.tokens = 0
        """Completion tokens sampled so far."""
        self.prefilled = 0
        """Prompt tokens read so far."""
        self.seconds = 0.0
        self.digest = ""
        self.sync()

    def sync(self) -> str:
        """Send the model's weights to every worker; their digest there.

        They are put into the object store once, and nodes fetch them from there. A worker that begins later takes
        them with its first share. Raises RunError where a worker has other weights afterwards.
        """
        if self.digest == (digest := digest_of(self.model)):
            return digest
        self._sent = self.workers.share(packed(self.model))
        arrived = self.workers.map("take", (self._sent,), [None] * self.workers.size)
        if others := set(arrived) - {digest}:
            raise RunError(
                f"a sampler has the weights {others.pop()}, the learner {digest}", "start it again"
            )
        self.digest = digest
        return digest

    def sample(self, requests: Sequence[Request]) -> list[list[Turn]]:
        """`requests[i].n` turns for each request, in order."""
        began = time.perf_counter()
        if not requests:
            return []
        shares = dealt(requests, self.shares)
        asked = [[requests[i] for i in share] for share in shares]
        count = min(self.workers.size, len(shares))
        parts = [asked[at::count] for at in range(count)]
        found: list[list[list[Turn]]] = [[] for _ in shares]
        for at, (turns, tokens, read) in enumerate(self.workers.map("sample", (self._sent,), parts)):
            self._check(turns)
            found[at::count] = turns
            self.tokens += tokens
            self.prefilled += read
        self.seconds += time.perf_counter() - began
        return gathered(shares, found, len(requests))

    def _check(self, shares: Sequence[Sequence[Sequence[Turn]]]) -> None:
        signed = {turn.weights for share in shares for turns in share for turn in turns}
        if others := signed - {self.digest}:
            raise RunError(
                f"a sampler sampled with the weights {others.pop()}, and was given {self.digest}",
                "resume the run: its workers are made anew",
            )


class ScatteredDomain:
    """A domain whose answers are judged by workers, a sandbox each. It has the capabilities of `local`.

    What draws from a stream of the run, and what is quick, is done here. `notes` are asked for what other workers
    did again.
    """

    def __init__(self, local: Domain, workers: Workers, others: Sequence[Workers] = ()) -> None:
        self.local = local
        self.workers = workers
        self.others = others
        self.spec = local.spec
        self._dropped: list[Note] = []
        # On the instance, and only what the domain has: `isinstance` then says of both the same.
        for name in _MEMBERS:
            if hasattr(local, name):
                setattr(self, name, getattr(local, name))
        for name in _JUDGED[1:]:
            if hasattr(local, name):
                setattr(self, name, getattr(self, f"_{name}"))

    def tasks(self, rng: Any, cells: Sequence[Any]) -> list[Task]:
        """As the local domain has them: they draw from a stream of the run."""
        return self.local.tasks(rng, cells)

    def judge(self, episodes: Sequence[tuple[Task, Episode]]) -> list[Verdict]:
        """The verdicts, in order, by all judges together."""
        return self._ask("judge", episodes)

    def _admit(self, proposals: Sequence[Proposal]) -> list[Task | Rejection]:
        return self._ask("admit", proposals)

    def _check(self, episodes: Sequence[tuple[Task, Episode]]) -> list[Verdict | None]:
        return self._ask("check", episodes)

    def _ask(self, method: str, items: Sequence[Any]) -> list[Any]:
        if not items:
            return []
        count = max(1, min(self.workers.size, len(items) // _FEW))
        ends = [len(items) * at // count for at in range(count + 1)]
        parts = [list(items[low:high]) for low, high in pairwise(ends)]
        answers: list[Any] = []
        for found, dropped in self.workers.map("ask", (method,), parts):
            answers += found
            self._dropped += dropped
        return answers

    def take_dropped(self) -> list[Note]:
        """What was left out since the last time here and by judges, and which work was done again."""
        found = self.local.take_dropped() if isinstance(self.local, Guarded) else []
        for workers in (self.workers, *self.others):
            found += workers.take_notes()
        found, self._dropped = [*found, *self._dropped], []
        return found


class FarLearner:
    """A learner in a worker; after each step its weights are those of `model` here. Implements the `Learner` seam.

    What was learned since the last snapshot is kept, so that a learner that dies is made again, to the bit: from the
    snapshot, and the same batches once more.
    """

    def __init__(self, model: PreTrainedModel, workers: Workers) -> None:
        self.model = model
        self.workers = workers
        self._log: list[tuple[Batch, float, SentWeights | None]] = []
        self._known: str
        self._snapshot: Snapshot
        self._take(packed(model), {})

    def step(self, batch: Batch, rate: float = 1.0) -> LearnReport:
        """One update. As `PolicyLearner.step`; only the step that this process has taken note of counts."""
        moved = None if digest_of(self.model) == self._known else packed(self.model)
        given = (batch, rate, moved)
        report, weights = self._in_step(lambda: self._ask(len(self._log), given))
        unpacked(weights, self.model)
        self._log.append(given)
        self._known = weights.digest
        return report

    def state(self) -> dict[str, Tensor]:
        """The optimiser's state, as `PolicyLearner.state` has it. What came before need not be kept after it."""
        name, made = self._snapshot.name, len(self._log)
        (content,) = self._in_step(lambda: self.workers.map("state", (name, made), [()]))
        self._snapshot = Snapshot(name=name + 1, weights=packed(self.model), optimiser=content)
        self._log.clear()
        self.workers.map("rename", (name, made), [name + 1])
        return unpacked_tensors(content)

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """As `PolicyLearner.restore`: once the model has the weights that go with the state."""
        self._take(packed(self.model), tensors)

    def _take(self, weights: SentWeights, optimiser: Mapping[str, Tensor]) -> None:
        name = self._snapshot.name + 1 if hasattr(self, "_snapshot") else 0
        self._snapshot = Snapshot(name=name, weights=weights, optimiser=packed_tensors(optimiser))
        self._log.clear()
        self._known = weights.digest
        self.workers.map("restore", (), [self._snapshot])

    def _in_step(self, call: Callable[[], A]) -> A:
        """What a learner says that stands where this process does; it is brought there where it does not."""
        for _ in range(_AGAIN):
            try:
                return call()
            except OutOfStepError:
                with suppress(OutOfStepError):  # it died once more
                    self._again()
        raise RunError(
            f"the learner died {_AGAIN} times in a row", "see what ends processes there, and resume the run"
        )

    def _again(self) -> None:
        """Bring a learner that began anew to where the last one was. Raises RunError where it gets elsewhere."""
        self.workers.map("restore", (), [self._snapshot])
        weights = self._snapshot.weights
        for made, given in enumerate(self._log):
            _, weights = self._ask(made, given)
        if weights.digest != self._known:
            raise RunError(
                f"a learner that made the same steps again has the weights {weights.digest}, expected {self._known}",
                "its node computes otherwise: resume the run on nodes of one kind",
            )

    def _ask(
        self, made: int, given: tuple[Batch, float, SentWeights | None]
    ) -> tuple[LearnReport, SentWeights]:
        batch, rate, weights = given
        common = (self._snapshot.name, made, batch, rate)
        ((report, after),) = self.workers.map("step", common, [weights])
        return report, after
