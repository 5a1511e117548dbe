"""Saving all that a run needs to go on as if it had never stopped, and taking it up again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from autotelic.engine.services import Services
from autotelic.messages import BudgetExtended, Checkpointed
from autotelic.record import checkpoint as checkpoints
from autotelic.state import State
from autotelic.weights.warrant import Warrant

if TYPE_CHECKING:
    from autotelic.engine.run import Run


def save(run: Run) -> None:
    """A checkpoint of this generation, after the journal has been marked: state, and references to weights.

    One that holds a promotion is kept for ever, and so is the first: updates are computed again from them.
    """
    services, state, folder = run.services, run.state, run.folder
    tensors, critic = services.critic.state()
    actor = services.weights.put()
    pinned = state.champion.generation == state.generation
    run.record(Checkpointed(weights=actor, pinned=pinned))
    values = {
        "state": state.to_json(),
        "critic": critic,
        "actor": actor,
        "weights": services.weights.blobs,
    }
    mark = run.journal.mark(state.generation)
    path = checkpoints.save(
        folder.checkpoints,
        services.store,
        state.generation,
        {"optimiser": services.learner.state(), "critic": tensors, "state": state.arrays()},
        values,
        journal=mark,
        pinned=pinned,
        keep=kept(services, state, actor),
        files=folder.fingerprints(),
    )
    manifest = "sha256:" + hashlib.sha256((path / checkpoints.MANIFEST).read_bytes()).hexdigest()
    services.reports.checkpoint(state.generation, manifest, mark, actor)


def kept(services: Services, state: State, actor: str) -> list[str]:
    """What the store must not lose: the working weights, all that were ever certified, because a roll-back goes
    back to them, and the optimiser's states that go with these.
    """
    blobs: Mapping[str, str] = services.weights.blobs
    refs = [blobs[actor], *(blobs[ref] for ref in state.certified)]
    return refs + [optimiser for optimiser in state.certified.values() if optimiser]


def restore(services: Services, state: State, journal: Any, found: checkpoints.Checkpoint) -> None:
    """Take up everything that `save` put down. The journal has been rewound to the same place."""
    values, tensors = found.state, found.tensors
    services.weights.adopt(values["weights"])
    state.restore(values["state"], tensors["state"], journal.tasks, journal.episodes_at)
    services.take(values["actor"], "train")
    services.learner.restore(tensors["optimiser"])
    services.critic.restore(tensors["critic"], values["critic"])
    services.clock.start(state.counters.seconds)


def restored_to(found: checkpoints.Checkpoint) -> tuple[int, str]:
    """The generation of a checkpoint, and the champion that it knows."""
    state = found.state["state"]
    return int(state["counters"]["generation"]), str(state["champion"]["weights"])


def take_champion(services: Services, state: State, *, given_up: bool) -> None:
    """Put the champion in place as the reference policy, and as the working weights where these were given up."""
    champion = state.champion.weights
    services.weights.activate(champion, Warrant(role="reference", ref=champion), into=services.reference)
    if given_up:
        services.take(champion, "train")
        services.learner.restore(services.optimiser_of(state.champion.optimiser))


def extend(state: State, journal: Any) -> None:
    """Count what the run was given on top of its charter: every extension that was ever recorded, once."""
    state.allowance = state.allowance.bare()
    for message in journal.read(kinds=(BudgetExtended.kind,)):
        state.apply(message)
