"""What an update is made of: entries that say where each sequence comes from, and the sequences they stand
for.

    Entry(kind, ref, weight) ──► Sources ──► task, episode or proposal ──► Trace ──► packed batch

The same function makes the batch while a run learns and when an update is computed again from the journal, so
that the two cannot differ.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import torch
from transformers import PreTrainedModel

from autotelic.learn.form import FORM
from autotelic.learn.learner import predicted_logprobs
from autotelic.learn.pack import Trace, arrange, imitate, pack, reinforce
from autotelic.models.placement import host
from autotelic.models.tokens import Tokens
from autotelic.protocols import Demonstrating, Domain, Proposable
from autotelic.types import Demonstration, Entry, Episode, Proposal, Step, Task


class Sources(Protocol):
    """Where entries find what they stand for: what this generation has at hand, or the journal."""

    def task(self, id: str) -> Task:
        """The task of this id. Raises LookupError where there is none."""

    def attempt(self, id: str) -> Episode:
        """The episode of this id. Raises LookupError where there is none."""

    def proposed(self, id: str) -> Episode:
        """The proposal of this id, as an episode. Raises LookupError where there is none."""


@dataclass(frozen=True, slots=True)
class Material:
    """`Sources` that are at hand. By id: tasks, episodes and proposals of one generation, and what is
    replayed.
    """

    tasks: Mapping[str, Task]
    episodes: Mapping[str, Episode]
    proposals: Mapping[str, Proposal]

    def task(self, id: str) -> Task:
        return self.tasks[id]

    def attempt(self, id: str) -> Episode:
        return self.episodes[id]

    def proposed(self, id: str) -> Episode:
        return episode_of(self.proposals[id])


def episode_of(proposal: Proposal) -> Episode:
    """A sampled proposal as an episode of one turn. Raises ValueError for one that was posed again."""
    if proposal.turn is None:
        raise ValueError(f"proposal {proposal.id} was not sampled, so nothing can be learned from its turn")
    return Episode(task_id="", steps=(Step(turn=proposal.turn),), answer=proposal.text, id=proposal.id)


def traces_of(
    entries: Sequence[Entry], sources: Sources, domain: Domain, tokens: Tokens
) -> list[Trace | None]:
    """The sequence of each entry, in order; None where a demonstration is not to be had."""
    found: list[Trace | None] = [None] * len(entries)
    _demonstrations(entries, sources, domain, tokens, found)
    _practice(entries, sources, domain, tokens, found)
    _forms(entries, sources, tokens, found)
    for at, entry in enumerate(entries):
        if entry.kind == "own":
            found[at] = _imitated(sources.attempt(entry.ref), entry.weight)
        elif entry.kind == "attempt":
            found[at] = reinforce(sources.attempt(entry.ref), entry.weight, tokens=entry.tokens)
        elif entry.kind == "proposal":
            found[at] = reinforce(sources.proposed(entry.ref), entry.weight)
    return found


def _demonstrations(
    entries: Sequence[Entry], sources: Sources, domain: Domain, tokens: Tokens, found: list[Trace | None]
) -> None:
    places = [at for at, entry in enumerate(entries) if entry.kind == "demonstration"]
    if not places or not isinstance(domain, Demonstrating):
        return
    tasks = [sources.task(entries[at].ref) for at in places]
    shown = domain.demonstrate(tasks)
    known = [(at, task, d) for at, task, d in zip(places, tasks, shown, strict=True) if d is not None]
    prompts = tokens.prompts([task.prompt for _, task, _ in known])
    completions = tokens.completions([d.completion for _, _, d in known])
    told = _told(tokens, [task for _, task, _ in known], [d for _, _, d in known])
    for (at, _, _), prompt, completion, places_told in zip(known, prompts, completions, told, strict=True):
        found[at] = imitate(prompt, completion, entries[at].weight, places_told)


def _told(tokens: Tokens, tasks: Sequence[Task], shown: Sequence[Demonstration]) -> list[tuple[int, ...]]:
    """The places in each prompt of the tokens that follow from the solution."""
    texts = [task.prompt if isinstance(task.prompt, str) else "" for task in tasks]
    spans = [d.told if isinstance(task.prompt, str) else () for task, d in zip(tasks, shown, strict=True)]
    return tokens.within(texts, spans)


def _practice(
    entries: Sequence[Entry], sources: Sources, domain: Domain, tokens: Tokens, found: list[Trace | None]
) -> None:
    """Tasks as examples of proposing: asked for this cell, with these references, this is a task."""
    places = [at for at, entry in enumerate(entries) if entry.kind == "practice"]
    if not places or not isinstance(domain, Proposable):
        return
    tasks = [sources.task(entries[at].ref) for at in places]
    shown = [[sources.task(id) for id in entries[at].shown] for at in places]
    prompts = tokens.prompts([domain.ask(t.cell, s) for t, s in zip(tasks, shown, strict=True)])
    written = tokens.completions([domain.proposal(task) for task in tasks])
    for at, prompt, completion in zip(places, prompts, written, strict=True):
        found[at] = imitate(prompt, completion, entries[at].weight)


def _forms(entries: Sequence[Entry], sources: Sources, tokens: Tokens, found: list[Trace | None]) -> None:
    """Pairs of form: the completion lies in the task that was recorded for it."""
    places = [at for at, entry in enumerate(entries) if entry.kind == "form"]
    if not places:
        return
    tasks = [sources.task(entries[at].ref) for at in places]
    prompts = tokens.prompts([task.prompt for task in tasks])
    completions = tokens.completions([task.secret[FORM] for task in tasks])
    for at, prompt, completion in zip(places, prompts, completions, strict=True):
        found[at] = imitate(prompt, completion, entries[at].weight)


def _imitated(episode: Episode, weight: float) -> Trace:
    """Every turn of an episode, imitated."""
    trace = reinforce(episode, 0.0)
    empty = np.zeros(len(trace), np.float32)
    return replace(trace, nll=trace.policy * np.float32(weight), policy=empty, logprob=empty, reference=empty)


def referenced(traces: Sequence[Trace], reference: PreTrainedModel, temperature: float) -> list[Trace]:
    """The traces with the reference policy's log-probabilities where the policy gradient applies.

    Those of one batch are scored together and by themselves, so that the batch alone says what comes out, to
    the bit.
    """
    places = [at for at, trace in enumerate(traces) if trace.policy.any()]
    if not places:
        return list(traces)
    scored = [traces[at] for at in places]
    batch = pack(scored)
    spots, (_, width) = arrange(scored)
    at_S = (batch.policy_BT > 0).flatten().nonzero()[:, 0]
    with torch.no_grad():
        logprob_S, _ = predicted_logprobs(reference, batch, at_S, temperature)
    flat = np.zeros(batch.ids_BT.numel(), np.float32)
    flat[at_S.numpy()] = host(logprob_S).numpy()
    found = list(traces)
    for place, trace, (row, start, shared) in zip(places, scored, spots, strict=True):
        first = row * width + start
        own = flat[first : first + len(trace) - shared]
        found[place] = replace(trace, reference=np.concatenate([np.zeros(shared, np.float32), own]))
    return found
