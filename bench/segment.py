"""Updates between a kept checkpoint and the answers that are attributed to them, for `bench.attribution`."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from autotelic.engine.replay import learn_again
from autotelic.learn.learner import predicted_logprobs, predicted_places
from autotelic.learn.pack import Trace, pack, reinforce
from autotelic.learn.stage import packed
from autotelic.messages import Leased, Updated
from autotelic.models.digest import copy_of
from autotelic.record import Journal, RunFolder
from autotelic.streams import stream
from autotelic.trace import attribution
from autotelic.trace.metagradient import Tape
from autotelic.types import Batch
from autotelic.weights.tensors import put_into

PAIRS = 2
"""Random halves, each with the other half, that `halves` trains with."""


@dataclass(slots=True)
class Segment:
    """The updates from a checkpoint to the weights that answered, each with its sequences, and the answers."""

    given: attribution.Tracing
    updates: list[tuple[Updated, list[Trace]]]
    answers: list[Trace]
    start: dict[str, Tensor]
    optimiser: dict[str, Tensor]

    @property
    def sizes(self) -> list[int]:
        """Sequences of each update."""
        return [len(traces) for _, traces in self.updates]

    def kinds(self) -> list[str]:
        """What each sequence was learned as."""
        return [entry.kind for message, _ in self.updates for entry in message.batch]

    def train(self, keep: np.ndarray[Any, Any] | None = None, tape: Tape | None = None) -> None:
        """Train with the sequences whose flag is set. An update of which nothing is left is not made."""
        services = self.given.services
        put_into(services.model, self.start)
        services.own_learner.restore(self.optimiser)
        at = 0
        for message, traces in self.updates:
            flags = keep[at : at + len(traces)] if keep is not None else np.ones(len(traces), bool)
            at += len(traces)
            kept = [trace for trace, flag in zip(traces, flags, strict=True) if flag]
            if not kept:
                continue
            batch = packed(services, kept)
            if tape is not None:
                tape.step(batch, kept, services.crew.size, message.rate)
            else:
                services.own_learner.step(batch, message.rate)

    @torch.no_grad()
    def logprobs(self, traces: Sequence[Trace] | None = None) -> np.ndarray[Any, Any]:
        """The log-probability of each answer by the weights as they are, in nats."""
        model = self.given.services.model
        model.train(False)
        found: list[float] = []
        for trace in self.answers if traces is None else traces:
            batch = pack([trace])
            logprob_S, _ = predicted_logprobs(model, batch, predicted_places(batch))
            found.append(float(logprob_S.sum()))
        return np.array(found)

    # ── scores, [answers, sequences]: the more, the likelier a sequence made the answer ──────────────────

    def scores(self, method: str, seed: int) -> np.ndarray[Any, Any]:
        """The scores of a method, by its name."""
        by_name: dict[str, Callable[[], np.ndarray[Any, Any]]] = {
            "random": lambda: stream(seed, "attribution", "random").normal(
                size=(len(self.answers), sum(self.sizes))
            ),
            "tf-idf": self._similar,
            "last": lambda: self._dots(last=True),
            "tracin": lambda: self._dots(last=False),
            "metagradient": self._metagradient,
            "halves": lambda: self._halves(seed),
        }
        return by_name[method]()

    def _similar(self) -> np.ndarray[Any, Any]:
        traces = [trace for _, some in self.updates for trace in some]
        counts = [Counter(trace.ids.tolist()) for trace in [*traces, *self.answers]]
        seen = Counter(token for count in counts for token in count)
        width = max(seen) + 1
        matrix_NV = np.zeros((len(counts), width), np.float32)
        for row, count in enumerate(counts):
            for token, n in count.items():
                matrix_NV[row, token] = n * math.log(len(counts) / seen[token])
        matrix_NV /= np.linalg.norm(matrix_NV, axis=1, keepdims=True) + 1e-9
        return np.asarray(matrix_NV[len(traces) :] @ matrix_NV[: len(traces)].T)

    def _dots(self, *, last: bool) -> np.ndarray[Any, Any]:
        services, learner = self.given.services, self.given.services.own_learner
        self.train()
        end = copy_of(services.model)
        put_into(services.model, self.start)
        learner.restore(self.optimiser)
        rows: list[np.ndarray[Any, Any]] = []
        for message, traces in self.updates:
            whole = packed(services, traces)
            stood = copy_of(services.model)
            if last:
                put_into(services.model, end)
            targets = torch.stack(
                [_flat(learner.gradient_of_logprob(pack([answer]))[1]) for answer in self.answers]
            )
            for trace in traces:
                own = _flat(learner.gradient_of(packed(services, [trace]), whole))
                rows.append((-message.rate * (targets @ own)).numpy())
            put_into(services.model, stood)
            learner.step(whole, message.rate)
        return np.stack(rows, axis=1)

    def _metagradient(self, keep: np.ndarray[Any, Any] | None = None) -> np.ndarray[Any, Any]:
        tape = Tape(self.given.services.own_learner)
        self.train(keep, tape)
        found = tape.scores([_batch(answer) for answer in self.answers])
        return np.stack([torch.cat(of_answer).numpy() for of_answer in found])

    def _halves(self, seed: int) -> np.ndarray[Any, Any]:
        n, rng = sum(self.sizes), stream(seed, "attribution", "halves")
        total = np.zeros((len(self.answers), n))
        for _ in range(PAIRS):
            half = np.zeros(n, bool)
            half[rng.permutation(n)[: n // 2]] = True
            for keep in (half, ~half):
                total[:, keep] += self._metagradient(keep) / PAIRS
        return total


def _flat(tensors: Sequence[Tensor]) -> Tensor:
    return torch.cat([tensor.flatten() for tensor in tensors])


def _batch(trace: Trace) -> Batch:
    return pack([trace])


def opened(run: Path, generation: int, count: int, seed: int, skip: int) -> tuple[Any, Segment]:
    """A segment with so many answers of a generation, drawn at random; what closes it comes first.

    The first `skip` updates after the checkpoint are made as they were, and are no part of it.
    """
    from contextlib import ExitStack

    resources = ExitStack()
    place = RunFolder.open(run)
    journal = resources.enter_context(Journal.open(run))
    pool = [
        one
        for one in journal.episodes(generation=generation)
        if one.purpose == "attempt" and not one.superseded
    ]
    if not pool:
        raise SystemExit(f"generation {generation} of {run} attempted nothing")
    drawn = stream(seed, "attribution", "answers").choice(
        len(pool), size=min(count, len(pool)), replace=False
    )
    some = [pool[int(at)] for at in drawn]
    given = resources.enter_context(attribution.tracing(place, journal, some[0].episode.id))
    if len({turn.weights for one in some for turn in one.episode.turns}) != 1:
        raise SystemExit("the answers are not of one set of weights: give another generation")
    back = [m for m in journal.read(kinds=(Leased.kind,)) if isinstance(m, Leased) and m.clean]
    if any(given.found.generation < m.generation <= given.wanted.generation for m in back):
        raise SystemExit("the weights were given up on the way: give another generation")
    updates: list[tuple[Updated, list[Trace]]] = []
    learn_again(
        given.services, journal, given.found, given.wanted, lambda m, traces: updates.append((m, traces))
    )
    services = given.services
    for message, traces in updates[:skip]:
        services.own_learner.step(packed(services, traces), message.rate)
    segment = Segment(
        given=given,
        updates=updates[skip:],
        answers=[reinforce(one.episode, 0.0) for one in some],
        start=copy_of(services.model),
        optimiser=services.own_learner.state(),
    )
    segment.train()
    if services.weights.digest() != given.wanted.after:
        raise SystemExit("the weights that answered do not come out: use the machine that made the run")
    return resources, segment
