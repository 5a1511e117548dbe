"""What changed between two sets of weights of a run: on a prompt, and which exam items most."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from autotelic.engine.overseen import began_from
from autotelic.engine.replay import workplace
from autotelic.engine.services import Services
from autotelic.errors import RunError
from autotelic.messages import Decided, Evaluated, Updated
from autotelic.models.context import context_of
from autotelic.record import Journal, RunFolder, StoredEpisode
from autotelic.record import checkpoint as checkpoints
from autotelic.trace.changes import Changes, changes, moved
from autotelic.weights.warrant import Warrant

NAMES = ("start", "champion", "working")


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """An answer of the last exam, and its log-probability in nats before and after, at temperature 1."""

    attempt: int
    task: str
    answer: str
    before: float
    after: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Between:
    """What changed from the weights `before` to those of `after`: on a prompt, and on the answers of the last exam.

    `items` are those that moved most, of `scored` in all. `seconds` are of the items and of the prompt.
    """

    before: str
    after: str
    prompt: str
    found: Changes
    items: tuple[Moved, ...]
    scored: int
    seconds: tuple[float, float]


def between(
    place: RunFolder, journal: Journal, before: str, after: str, prompt: str | None = None, items: int = 10
) -> Between:
    """Compare two sets of weights: `start`, `champion`, `working` (of the newest checkpoint), the generation of a
    certificate, or a reference as the journal has it.

    Without a prompt it is the one whose answer in the last exam moved most. Raises RunError for weights that the run
    does not have any more, and for a prompt that is longer than the model.
    """
    updated = journal.latest(Updated)
    if updated is None:
        raise RunError(f"{place.path} has learned nothing yet", "wait for its first generation to end")
    with workplace(place, journal, updated) as (services, _):
        newest = checkpoints.nearest(place.checkpoints, services.store, 1 << 60)
        services.weights.adopt(newest.state["weights"])
        refs = [_ref(journal, newest.state, services, name) for name in (before, after)]
        for ref, model in zip(refs, (services.reference, services.model), strict=True):
            services.weights.activate(ref, Warrant(role="reference", ref=ref), into=model)
        stored = _last_exam(journal)
        began = time.perf_counter()
        turns = [one.episode.turns[0] for one in stored]
        both = moved(services.reference, services.model, turns)
        order = sorted(range(len(turns)), key=lambda at: -abs(both[at][1] - both[at][0]))
        scored = time.perf_counter()
        ids = _ids(services, prompt) if prompt is not None else turns[order[0]].prompt_ids
        decode = services.tokens.decode
        return Between(
            before=refs[0],
            after=refs[1],
            prompt=decode(ids),
            found=changes(services.reference, services.model, ids, decode),
            items=tuple(_moved(stored[at], *both[at]) for at in order[:items]),
            scored=len(turns),
            seconds=(scored - began, time.perf_counter() - scored),
        )


def _ref(journal: Journal, values: Mapping[str, Any], services: Services, name: str) -> str:
    """The reference of weights by their name. Raises RunError for a name, and for weights that are not kept."""
    known = {
        "start": began_from(journal).parent,
        "champion": str(values["state"]["champion"]["weights"]),
        "working": str(values["actor"]),
    }
    for message in journal.each_message(kinds=(Decided.kind,)):
        if isinstance(message, Decided) and message.decision.verdict == "promote":
            known[str(message.generation)] = message.weights
    ref = known.get(name, name)
    kept = services.weights.blobs
    if ref in kept and services.store.has(kept[ref]):
        return ref
    if name in known:
        raise RunError(
            f"the run keeps the weights {name!r} no longer", "give others, as `start` or `champion`"
        )
    raise RunError(f"the run has no weights {name!r}", f"give one of {', '.join(known)}")


def _last_exam(journal: Journal) -> list[StoredEpisode]:
    exam = journal.latest(Evaluated)
    stored = [] if exam is None else journal.episodes(generation=exam.generation)
    found = [one for one in stored if exam is not None and one.message == exam.id and one.episode.turns]
    if not found:
        raise RunError("the run has no exam with answers in its journal", "wait for its first exam")
    return found


def _ids(services: Services, prompt: str) -> list[int]:
    (ids,) = services.tokens.prompts([prompt])
    most = context_of(services.model)
    if not prompt or not 0 < len(ids) <= most:
        had = f"has {len(ids)} tokens, and the model {most} positions" if prompt else "is empty"
        raise RunError(f"the prompt {had}", "give a shorter one" if prompt else "give some text")
    return list(ids)


def _moved(stored: StoredEpisode, before: float, after: float) -> Moved:
    return Moved(
        attempt=stored.episode.id,
        task=stored.episode.task_id,
        answer=stored.episode.answer,
        before=before,
        after=after,
    )
