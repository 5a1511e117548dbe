"""Updates computed again from the journal, and compared with what was recorded.

nearest checkpoint ──► update ──► update ──► the one that was asked for: the same digest, or an error that
says where
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from autotelic.engine.clock import Clock
from autotelic.engine.services import Controls, Services, equip, open_world
from autotelic.errors import RecordError, RunError
from autotelic.learn.lesson import episode_of, traces_of
from autotelic.learn.pack import Trace
from autotelic.learn.stage import packed
from autotelic.machine import Machine
from autotelic.messages import Decided, Leased, RunStarted, Updated
from autotelic.models.crew import crew_of
from autotelic.models.digest import copy_of
from autotelic.pictures import Gallery
from autotelic.record import Journal, RunFolder
from autotelic.record import checkpoint as checkpoints
from autotelic.types import Episode, Task
from autotelic.weights.load import load
from autotelic.weights.tensors import put_into
from autotelic.weights.warrant import Warrant

OTHERWISE = "the record was changed, or another version of torch or another processor rounds otherwise"
"""Why an update may come out otherwise than it was recorded."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """`Sources` of a lesson that lie in the journal."""

    journal: Journal

    def task(self, id: str) -> Task:
        return self.journal.tasks([id])[0]

    def attempt(self, id: str) -> Episode:
        return self.journal.episodes_at([int(id)])[0]

    def proposed(self, id: str) -> Episode:
        return episode_of(self.journal.proposals_at([int(id)])[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What came out: the update, its digest as recorded and as computed, and how many updates it took to come
    there.
    """

    step: int
    recorded: str
    computed: str
    updates: int

    @property
    def same(self) -> bool:
        return self.recorded == self.computed


def replay(folder: Path, step: int, watch: Callable[[int], None] = lambda step: None) -> Replayed:
    """Compute an update again, from the nearest checkpoint that is kept before it.

    `watch` is called with each update on the way. Raises RunError for an update that there is not;
    RecordError where an update on the way comes out otherwise.
    """
    place = RunFolder.open(folder)
    with Journal.open(folder) as journal:
        wanted = [m for m in journal.read(kinds=(Updated.kind,)) if isinstance(m, Updated)]
        by_step = {m.step: m for m in wanted}
        if step not in by_step:
            raise RunError(
                f"{folder} has no update {step}, only {min(by_step, default=0)} to {max(by_step, default=0)}",
                "give one of these (`autotelic inspect` shows how many a generation made)",
            )
        with workplace(place, journal, by_step[step]) as (services, found):
            return _replayed(services, journal, found, by_step[step], watch)


def _replayed(
    services: Services,
    journal: Journal,
    found: checkpoints.Checkpoint,
    wanted: Updated,
    watch: Callable[[int], None],
) -> Replayed:
    """From the checkpoint to the update, through what the gate said on the way."""
    count = 0

    def learn(message: Updated, traces: list[Trace]) -> None:
        nonlocal count
        watch(message.step)
        before = services.weights.digest()
        if before != message.before:
            raise RecordError(
                f"before update {message.step} the weights are {before}, recorded {message.before}", OTHERWISE
            )
        services.learner.step(packed(services, traces), message.rate)
        count += 1

    learn_again(services, journal, found, wanted, learn)
    return Replayed(
        step=wanted.step, recorded=wanted.after, computed=services.weights.digest(), updates=count
    )


def learn_again(
    services: Services,
    journal: Journal,
    found: checkpoints.Checkpoint,
    wanted: Updated,
    learn: Callable[[Updated, list[Trace]], None],
) -> None:
    """Call `learn` with each update from a checkpoint to the wanted one and the sequences that it was made of.

    What the gate decided on the way is done again in between: a promotion, or the champion's return.
    """
    champion = _Snapshot.of(services)
    sources = Recorded(journal)
    for message in journal.each_message(kinds=(Updated.kind, Decided.kind, Leased.kind)):
        if message.generation <= found.generation or message.id > wanted.id:
            continue
        if isinstance(message, Decided):
            if message.decision.verdict == "promote":
                put_into(services.reference, copy_of(services.model))
                champion = _Snapshot.of(services)
            continue
        if isinstance(message, Leased):
            if message.clean:
                champion.restore(services)
        elif isinstance(message, Updated) and not message.report.skipped:
            traces = traces_of(list(message.batch), sources, services.domain, services.tokens)
            learn(message, [trace for trace in traces if trace is not None])
        if message.id == wanted.id:
            break


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """The champion as a replay comes by it: weights, and the optimiser's state that goes with them."""

    weights: dict[str, Tensor]
    optimiser: dict[str, Tensor]

    @classmethod
    def of(cls, services: Services) -> _Snapshot:
        return cls(copy_of(services.model), services.learner.state())

    def restore(self, services: Services) -> None:
        put_into(services.model, self.weights)
        services.learner.restore(self.optimiser)


@contextmanager
def workplace(
    place: RunFolder, journal: Journal, wanted: Updated
) -> Iterator[tuple[Services, checkpoints.Checkpoint]]:
    """Services as the run had them at the nearest checkpoint before an update."""
    started = journal.latest(RunStarted)
    if started is None:
        raise RecordError(f"{place.path} has no run.started message", "restore the run folder from a copy")
    charter = place.charter()
    # Replay computes updates from recorded verdicts and judges nothing.
    machine = Machine(**{**started.machine, "threads": wanted.threads, "server": "", "verifier": "none"})
    with ExitStack() as resources:
        world = open_world(charter, machine, resources, Gallery(place.pictures, write=False))
        crew = crew_of(machine, resources)
        loaded = load(place.start, expected=started.start, dtype=charter.model.dtype)
        controls = Controls(**started.controls)
        services = equip(
            charter, machine, controls, world, loaded.model, loaded.tokenizer, place, crew, Clock()
        )
        found = checkpoints.nearest(place.checkpoints, services.store, wanted.generation)
        values = found.state
        services.weights.adopt(values["weights"])
        services.take(values["actor"], "replay")
        services.learner.restore(found.tensors["optimiser"])
        champion = values["state"]["champion"]["weights"]
        warrant = Warrant(role="reference", ref=champion)
        services.weights.activate(champion, warrant, into=services.reference)
        yield services, found
