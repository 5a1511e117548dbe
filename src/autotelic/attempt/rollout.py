"""Tasks to episodes: one turn, or as many as an environment asks for.

    prompt ──► turn ──► environment ──► reply ──► turn ──► environment ──► over

All episodes of a call go side by side: each turn of all of them is one batch of the sampler and one of the
environments.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from autotelic.models.tokens import Tokens
from autotelic.protocols import Answering, Domain, Interactive, Sampler, Seated, Sessions
from autotelic.streams import seed_of
from autotelic.types import Ending, Episode, Group, Observation, Request, Step, Task, Turn

TURNS_MOST = 256
"""Turns after which an episode is cut off: an environment that never ends must not hold up a run."""


@dataclass(slots=True)
class _Open:
    """An episode in progress."""

    task: Task
    steps: list[Step] = field(default_factory=list)
    prompt_ids: tuple[int, ...] = ()
    ending: Ending = "done"
    seed: int = 0


class Rollout:
    """Weights in a sampler, in a domain whose texts they read. Implements the `Policy` seam.

    `max_tokens` bounds one turn, `context` a whole episode, in tokens. A task whose prompt leaves no room for
    an answer is answered by an episode without steps, whose ending is `length`. `champion` samples with the
    champion's weights, for the seats of games that are played against it.
    """

    def __init__(
        self,
        sampler: Sampler,
        tokens: Tokens,
        domain: Domain,
        *,
        max_tokens: int,
        context: int,
        champion: Sampler | None = None,
    ) -> None:
        self.sampler = sampler
        self.champion = champion
        self.tokens = tokens
        self.domain = domain
        self.max_tokens = max_tokens
        self.context = context

    def attempt(self, tasks: Sequence[Task], *, siblings: int, temperature: float, seed: int) -> list[Group]:
        """`siblings` attempts at each task, in order, not yet judged.

        A sibling's randomness is named by the seed and the task, so an attempt does not depend on its
        company.
        """
        prompts = self.tokens.prompts([task.prompt for task in tasks])
        fits = [len(ids) < self.context for ids in prompts]
        requests = [
            self._request(ids, siblings, temperature, seed_of(seed, "attempt", task.id))
            for task, ids, fit in zip(tasks, prompts, fits, strict=True)
            if fit
        ]
        sampled = iter(self.sampler.sample(requests) if requests else [])
        first = [next(sampled) if fit else [] for fit in fits]
        if isinstance(self.domain, Interactive):
            return self._many(tasks, first, siblings, temperature, seed, self.domain)
        return [
            Group(
                task=task,
                episodes=tuple(self._single(task, turn) for turn in turns) or _no_room(task, siblings),
            )
            for task, turns in zip(tasks, first, strict=True)
        ]

    def _request(self, ids: tuple[int, ...], n: int, temperature: float, seed: int) -> Request:
        most = min(self.max_tokens, self.context - len(ids))
        return Request(prompt_ids=ids, n=n, max_tokens=most, temperature=temperature, seed=seed)

    def _single(self, task: Task, turn: Turn) -> Episode:
        return Episode(task_id=task.id, steps=(Step(turn=turn),), answer=self._answer(task, turn))

    def _answer(self, task: Task, turn: Turn) -> str:
        text = self.tokens.decode(turn.completion_ids)
        return self.domain.answer(task.mode, text) if isinstance(self.domain, Answering) else text

    # ── several turns ────────────────────────────────────────────────────────────────────────────────────

    def _many(
        self,
        tasks: Sequence[Task],
        first: Sequence[Sequence[Turn]],
        siblings: int,
        temperature: float,
        seed: int,
        domain: Interactive,
    ) -> list[Group]:
        """Every sibling has an environment of its own, which all siblings of a task share the seed of."""
        running = [
            _Open(task=task, seed=seed_of(seed, "turns", task.id, at))
            for task, turns in zip(tasks, first, strict=True)
            for at in range(len(turns))
        ]
        seeds = [seed_of(seed, "environment", episode.task.id) for episode in running]
        sessions = domain.open([episode.task for episode in running], seeds)
        if isinstance(sessions, Seated):
            sessions.seat(_Seats(self, temperature))
        turns: list[Turn | None] = [turn for siblings_turns in first for turn in siblings_turns]
        for _ in range(TURNS_MOST):
            self._step(sessions, running, turns)
            if not any(episode.prompt_ids for episode in running):
                break
            turns = self._next(running, temperature)
        for episode in running:
            if episode.prompt_ids:
                episode.ending = "length"
        done = iter(running)
        return [
            Group(
                task=task,
                episodes=tuple(self._closed(next(done)) for _ in turns_of) or _no_room(task, siblings),
            )
            for task, turns_of in zip(tasks, first, strict=True)
        ]

    def _step(self, sessions: Sessions, running: Sequence[_Open], turns: Sequence[Turn | None]) -> None:
        """Give each environment what was written, and take down what it shows."""
        replies = [
            None if turn is None else self._answer(e.task, turn)
            for e, turn in zip(running, turns, strict=True)
        ]
        shown = sessions.step(replies)
        failed = getattr(sessions, "failed", ())
        for at, (episode, turn, seen) in enumerate(zip(running, turns, shown, strict=True)):
            if turn is None:
                continue
            episode.prompt_ids = ()
            if seen is None:
                episode.steps.append(Step(turn=turn))
                episode.ending = "failed" if at in failed else "done"
                continue
            observation, reward = seen
            episode.steps.append(Step(turn=turn, reply=observation, reward=reward))
            if observation == "" or observation == ():  # the last turn's reward, and nothing more to see
                continue
            ids = (
                turn.prompt_ids
                + turn.completion_ids
                + self.tokens.reply_ids(observation, ended=turn.stop == "eos")
            )
            if len(ids) < self.context:
                episode.prompt_ids = ids
            else:
                episode.ending = "length"

    def _next(self, running: Sequence[_Open], temperature: float) -> list[Turn | None]:
        """The next turn of every episode that goes on."""
        requests = [
            self._request(e.prompt_ids, 1, temperature, seed_of(e.seed, len(e.steps)))
            for e in running
            if e.prompt_ids
        ]
        sampled = iter(self.sampler.sample(requests))
        return [next(sampled)[0] if e.prompt_ids else None for e in running]

    def _closed(self, episode: _Open) -> Episode:
        last = episode.steps[-1].turn
        return Episode(
            task_id=episode.task.id,
            steps=tuple(episode.steps),
            answer=self._answer(episode.task, last),
            ending=episode.ending,
        )


@dataclass(frozen=True, slots=True)
class _Seats:
    """Implements `Actor`: the policy in seats that no episode is about, at the temperature of the attempts."""

    policy: Rollout
    temperature: float

    def reply(
        self, modes: Sequence[str], shown: Sequence[Observation], seeds: Sequence[int], *, champion: bool
    ) -> list[str]:
        policy = self.policy
        sampler = policy.champion if champion and policy.champion is not None else policy.sampler
        prompts = policy.tokens.prompts(shown)
        fits = [len(ids) < policy.context for ids in prompts]
        requests = [
            policy._request(ids, 1, self.temperature, seed)
            for ids, seed, fit in zip(prompts, seeds, fits, strict=True)
            if fit
        ]
        sampled = iter(sampler.sample(requests) if requests else [])
        texts = [policy.tokens.decode(next(sampled)[0].completion_ids) if fit else "" for fit in fits]
        domain = policy.domain
        if not isinstance(domain, Answering):
            return texts
        return [domain.answer(mode, text) for mode, text in zip(modes, texts, strict=True)]


def _no_room(task: Task, siblings: int) -> tuple[Episode, ...]:
    return tuple(Episode(task_id=task.id, steps=(), answer="", ending="length") for _ in range(siblings))


def fitting(groups: Sequence[Group]) -> tuple[list[Group], int]:
    """The groups that were attempted, and how many were not for want of room."""
    kept = [group for group in groups if all(episode.steps for episode in group.episodes)]
    return kept, len(groups) - len(kept)
