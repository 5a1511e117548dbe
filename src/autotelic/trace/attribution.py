"""Which experiences made an answer likelier, and what it would have been without them.

    kept checkpoint ──► update ──► update ──► the weights that answered
                          └── for each sequence: rate x <its gradient, the answer's gradient>, at these weights

That is TracIn (Pruthi et al. 2020, arXiv:2002.08484) with a checkpoint at every update: the updates since the nearest
kept checkpoint are computed again, so that no weights between need be kept. It leaves out what the optimisers make
of a gradient (momentum, orthogonal steps) and how an early update changes a later one. `attribute_through` has these
in it (`metagradient.py`), for more time and memory. The counterfactual leaves nothing out: it trains again without
the sequences.
The gradients are of what the model learns, of its adapter alone where it has one. The answer has one gradient an
update, so that nothing need be projected.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import torch

from autotelic.engine.replay import Recorded, learn_again, workplace
from autotelic.engine.services import Services
from autotelic.errors import RecordError, RunError
from autotelic.learn.lesson import traces_of
from autotelic.learn.pack import Trace, pack, reinforce
from autotelic.learn.stage import packed
from autotelic.messages import Updated
from autotelic.record import Journal, RunFolder
from autotelic.record.checkpoint import Checkpoint
from autotelic.streams import stream
from autotelic.trace.ancestry import Ancestry
from autotelic.trace.metagradient import Tape
from autotelic.types import Batch, Entry, Episode, Request

SECONDS = 20.0
"""What the gradients of an attribution may take: with the rest, half a minute on `tiny`."""
THROUGH = 6.0
"""What it takes to differentiate an update, in times of the gradient of its batch (bench/attribution.py)."""
_TRIED = 3
"""Gradients by which the cost is measured first."""
Watch = Callable[[int, int], None]
Place = tuple[int, int]
"""An update's step, and a sequence's place in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What an attribution is to take: gradients, of so many sequences since the checkpoint, and seconds."""

    scored: int
    sequences: int
    updates: int
    seconds: float
    checkpoint: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Influence:
    """A sequence and its first-order effect on the answer's log-probability; only its order has a meaning."""

    place: Place
    entry: Entry
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Counterfactual:
    """An answer with and without some experiences: log-probability in nats, and the greedy answer to its prompt."""

    without: int
    logprob: float
    logprob_without: float
    greedy: str
    greedy_without: str

    @property
    def moved(self) -> float:
        """By how many nats the answer is less likely without them."""
        return self.logprob - self.logprob_without


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracing:
    """An attempt, and the services as they were at the checkpoint that is nearest before its weights."""

    services: Services
    journal: Journal
    found: Checkpoint
    wanted: Updated
    episode: Episode

    @property
    def answer(self) -> Batch:
        """The answer as a batch whose completion is weighed."""
        return pack([reinforce(self.episode, 0.0)])

    def updates(self) -> list[Updated]:
        """The updates between, oldest first."""
        return [
            m
            for m in self.journal.read(kinds=(Updated.kind,))
            if isinstance(m, Updated)
            and m.generation > self.found.generation
            and m.id <= self.wanted.id
            and not m.report.skipped
        ]


@contextmanager
def tracing(run: RunFolder, journal: Journal, attempt: int) -> Iterator[Tracing]:
    """All that attribution and counterfactual take. One use trains the services on: open it anew for the next.

    Raises RecordError for an attempt that there is not, or whose checkpoints are gone; RunError for an answer of the
    weights that the run began from.
    """
    stored = journal.episode(attempt)
    if stored is None:
        raise RecordError(f"the run has no attempt {attempt}", "give one that it has")
    ancestry = Ancestry.of(journal, run)
    (digest,) = {turn.weights for turn in stored.episode.turns}
    if ancestry.is_start(digest):
        raise RunError(
            f"attempt {attempt} was made by the weights that the run began from: no experience of this run made it",
            "give a later attempt",
        )
    wanted = ancestry.makers[digest]
    if wanted.id in ancestry.superseded:
        raise RunError(
            f"attempt {attempt} was made by an update that a resume went back on, and is not computed again",
            "give an attempt of the history that stands",
        )
    with ExitStack() as resources:
        try:
            services, found = resources.enter_context(workplace(run, journal, wanted))
        except RecordError as error:
            raise RecordError(
                f"attempt {attempt} cannot be attributed: {error.cause}",
                "its lineage needs no checkpoint: leave out --attribute and --without",
            ) from error
        yield Tracing(services=services, journal=journal, found=found, wanted=wanted, episode=stored.episode)


def cost_of(given: Tracing, most: int | None = None) -> Cost:
    """Measure a few gradients, and say what an attribution takes; `most` sequences, or as many as `SECONDS` allow."""
    updates = given.updates()
    total = sum(len(update.batch) for update in updates)
    services = given.services
    entries = list(updates[-1].batch)
    traces = [
        t
        for t in traces_of(entries, Recorded(given.journal), services.domain, services.tokens)
        if t is not None
    ]
    whole = packed(services, traces)
    began = time.perf_counter()
    for trace in traces[:_TRIED]:
        services.own_learner.gradient_of(pack([trace]), whole)
    each = (time.perf_counter() - began) / min(_TRIED, len(traces))
    scored = min(total, most if most is not None else max(len(entries), int(SECONDS / each)))
    return Cost(
        scored=scored,
        sequences=total,
        updates=len(updates),
        seconds=each * scored,
        checkpoint=given.found.generation,
    )


def cost_through(given: Tracing) -> Cost:
    """Measure the gradient of one batch, and say what `attribute_through` takes."""
    updates, services = given.updates(), given.services
    traces = [
        t
        for t in traces_of(list(updates[-1].batch), Recorded(given.journal), services.domain, services.tokens)
        if t is not None
    ]
    whole = packed(services, traces)
    began = time.perf_counter()
    services.own_learner.gradient_of(whole, whole)
    each = time.perf_counter() - began
    total = sum(len(update.batch) for update in updates)
    return Cost(
        scored=total,
        sequences=total,
        updates=len(updates),
        seconds=each * THROUGH * len(updates),
        checkpoint=given.found.generation,
    )


def attribute_through(given: Tracing, watch: Watch = lambda done, of: None) -> list[Influence]:
    """All sequences by the derivative of the answer's log-probability by their weight, in nats, the largest first.

    `watch` counts updates. Where the weights were given up on the way for the champion's, what was learned before
    that is left out. Raises ModelError for weights of fewer bits than float32.
    """
    services = given.services
    tape, taken = Tape(services.own_learner), list[Updated]()

    def learn(message: Updated, traces: list[Trace]) -> None:
        if len(message.batch) != len(traces):
            raise RecordError(
                f"update {message.step} has sequences that cannot be made again", "restore its domain"
            )
        if taken and taken[-1].after != message.before:
            taken.clear()
            tape.taken.clear()
        taken.append(message)
        tape.step(packed(services, traces), traces, services.crew.size, message.rate)

    learn_again(services, given.journal, given.found, given.wanted, learn)
    (scores,) = tape.scores([given.answer], watch)
    found = [
        Influence(place=(message.step, at), entry=entry, score=score)
        for message, score_N in zip(taken, scores, strict=True)
        for at, (entry, score) in enumerate(zip(message.batch, score_N.tolist(), strict=True))
    ]
    return sorted(found, key=lambda one: -one.score)


def attribute(given: Tracing, cost: Cost, watch: Watch = lambda done, of: None) -> list[Influence]:
    """The newest `cost.scored` sequences by their effect on the answer's log-probability, the largest first."""
    services, skip = given.services, cost.sequences - cost.scored
    seen, done = 0, 0
    answer = given.answer
    found: list[Influence] = []

    def learn(message: Updated, traces: list[Trace]) -> None:
        nonlocal seen, done
        whole = packed(services, traces)
        entries = list(message.batch)
        if len(entries) != len(traces):
            raise RecordError(
                f"update {message.step} has sequences that cannot be made again", "restore its domain"
            )
        if seen + len(entries) > skip:
            _, target = services.own_learner.gradient_of_logprob(answer)
            for at, (entry, trace) in enumerate(zip(entries, traces, strict=True)):
                if seen + at < skip:
                    continue
                own = services.own_learner.gradient_of(packed(services, [trace]), whole)
                dot = sum(float(torch.sum(a * b)) for a, b in zip(own, target, strict=True))
                found.append(Influence(place=(message.step, at), entry=entry, score=-message.rate * dot))
                done += 1
                watch(done, cost.scored)
        seen += len(entries)
        services.learner.step(whole, message.rate)

    learn_again(services, given.journal, given.found, given.wanted, learn)
    return sorted(found, key=lambda one: -one.score)


def outcome_of(given: Tracing, without: Collection[Place] = ()) -> tuple[float, str]:
    """The answer's log-probability in nats, and the greedy answer to its prompt, once trained again without some.

    An update of which nothing is left is not made.
    """
    services, gone = given.services, set(without)

    def learn(message: Updated, traces: list[Trace]) -> None:
        kept = [trace for at, trace in enumerate(traces) if (message.step, at) not in gone]
        if kept:
            services.learner.step(packed(services, kept), message.rate)

    learn_again(services, given.journal, given.found, given.wanted, learn)
    if not gone and (computed := services.weights.digest()) != given.wanted.after:
        raise RecordError(
            f"the weights come out as {computed}, recorded {given.wanted.after}",
            "use the machine, the torch and the run folder that the run was made with",
        )
    logprob, _ = services.own_learner.gradient_of_logprob(given.answer)
    first = given.episode.turns[0]
    most = services.charter.roles.max_tokens
    request = Request(prompt_ids=first.prompt_ids, n=1, max_tokens=most, temperature=0.0, seed=0)
    ((turn,),) = services.sampler.sample([request])
    return logprob, services.tokens.decode(turn.completion_ids)


def counterfactual(
    run: RunFolder, journal: Journal, attempt: int, without: Collection[Place]
) -> Counterfactual:
    """Train again from the kept checkpoint, with and without these sequences, and compare the answers."""
    with tracing(run, journal, attempt) as given:
        logprob, greedy = outcome_of(given)
    with tracing(run, journal, attempt) as given:
        logprob_without, greedy_without = outcome_of(given, without)
    return Counterfactual(
        without=len(set(without)),
        logprob=logprob,
        logprob_without=logprob_without,
        greedy=greedy,
        greedy_without=greedy_without,
    )


def random_places(found: list[Influence], k: int, seed: int) -> list[Place]:
    """As many sequences drawn blindly, of the same kinds as the first `k`: what a ranking is compared with."""
    kinds = [one.entry.kind for one in found[:k]]
    rng = stream(seed, "why", "random")
    drawn: list[Place] = []
    for kind in sorted(set(kinds)):
        same = [one.place for one in found if one.entry.kind == kind]
        drawn += [same[int(i)] for i in rng.choice(len(same), size=kinds.count(kind), replace=False)]
    return drawn
