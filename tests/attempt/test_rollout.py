"""Tasks to episodes of one turn or many, by a sampler that says what it is told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from autotelic.attempt.rollout import Rollout, _Seats, fitting
from autotelic.domains import Guarded
from autotelic.types import Cell, Episode, Observation, Range, Request, Spec, Task, Turn, Verdict

END = 0


class Words:
    """Tokens that are code points; a reply of an environment is shown as it is."""

    def prompts(self, texts: Sequence[Any]) -> list[tuple[int, ...]]:
        return [tuple(map(ord, text)) for text in texts]

    def reply_ids(self, observation: Any, ended: bool = True) -> tuple[int, ...]:
        return tuple(map(ord, observation))

    def decode(self, ids: Sequence[int]) -> str:
        return "".join(chr(i) for i in ids if i != END)


class Scripted:
    """Says what `say` makes of a prompt, and takes down what it was asked."""

    def __init__(self, say: Callable[[str], str]) -> None:
        self.say = say
        self.requests: list[Request] = []
        self.tokens = self.prefilled = 0
        self.seconds = 0.0

    def sample(self, requests: Sequence[Request]) -> list[list[Turn]]:
        self.requests += requests
        return [[self._turn(request) for _ in range(request.n)] for request in requests]

    def _turn(self, request: Request) -> Turn:
        ids = (*map(ord, self.say("".join(map(chr, request.prompt_ids)))), END)[: request.max_tokens]
        stop: Any = "eos" if ids[-1] == END else "length"
        return Turn(
            prompt_ids=request.prompt_ids,
            completion_ids=ids,
            logprobs=(-1.0,) * len(ids),
            weights="w",
            stop=stop,
        )

    def sync(self) -> str:
        return "w"


class Once:
    """A domain of one turn."""

    spec = Spec(name="once", modes=("m",), levels=(1,))

    def tasks(self, rng: np.random.Generator, cells: Sequence[Cell]) -> list[Task]:
        return []

    def judge(self, episodes: Sequence[tuple[Task, Episode]]) -> list[Verdict]:
        return []


class Countdown(Once):
    """Shows a number that falls by one a turn, and is over at nought; `x` makes the environment fail."""

    spec = Spec(name="countdown", modes=("m",), levels=(1,), scale=Range(low=0.0, high=9.0))

    def open(self, tasks: Sequence[Task], seeds: Sequence[int]) -> Any:
        domain = self
        left = [int(task.secret["from"]) for task in tasks]

        class Sessions:
            failed = frozenset[int]()

            def step(self, replies: Sequence[str | None]) -> list[tuple[Observation, float] | None]:
                return [self._one(at, reply) for at, reply in enumerate(replies)]

            def _one(self, at: int, reply: str | None) -> tuple[Observation, float] | None:
                if reply is None:
                    return None
                if reply == "x":
                    self.failed = self.failed | {at}
                    return None
                left[at] -= 1
                return ("" if left[at] == 0 else f"{left[at]}"), 0.5

        assert domain.spec.scale.high == 9.0
        return Sessions()


class Duel(Once):
    """Two seats: shows what the other seat says to what was said, and is over after two turns."""

    def open(self, tasks: Sequence[Task], seeds: Sequence[int]) -> Any:
        class Sessions:
            turns = 0

            def seat(self, actor: Any) -> None:
                self.actor = actor

            def step(self, replies: Sequence[str | None]) -> list[tuple[Observation, float] | None]:
                self.turns += 1
                said = [str(reply) + "?" for reply in replies]
                answers = self.actor.reply(["m"] * len(said), said, list(seeds), champion=self.turns == 2)
                return [("" if self.turns == 2 else answer, 1.0) for answer in answers]

        return Sessions()


def asked(text: str, start: int = 1) -> Task:
    return Task(domain="d", mode="m", level=1, prompt=text, secret={"from": start})


def rollout(sampler: Scripted, domain: Any, context: int = 64, max_tokens: int = 8) -> Rollout:
    return Rollout(sampler, Words(), domain, max_tokens=max_tokens, context=context)  # type: ignore[arg-type]


def test_siblings_are_asked_for_at_once_and_seeded_by_seed_and_task_alone() -> None:
    sampler = Scripted(lambda prompt: prompt.upper())
    policy = rollout(sampler, Once())
    both = policy.attempt([asked("a"), asked("b")], siblings=3, temperature=1.0, seed=5)
    assert [[e.answer for e in g.episodes] for g in both] == [["A"] * 3, ["B"] * 3]
    assert [r.n for r in sampler.requests] == [3, 3]
    policy.attempt([asked("b")], siblings=3, temperature=1.0, seed=5)
    assert sampler.requests[2].seed == sampler.requests[1].seed != sampler.requests[0].seed


def test_a_task_without_room_has_episodes_without_steps() -> None:
    sampler = Scripted(lambda prompt: "y")
    groups = rollout(sampler, Once(), context=4).attempt(
        [asked("long one"), asked("abc")], siblings=2, temperature=1.0, seed=0
    )
    assert [e.ending for e in groups[0].episodes] == ["length", "length"]
    assert groups[0].episodes[0].steps == ()
    assert sampler.requests[0].max_tokens == 1, "no more than what is left of the context"
    kept, left_out = fitting(groups)
    assert ([g.task.prompt for g in kept], left_out) == (["abc"], 1)


def test_an_environment_is_answered_until_it_is_over() -> None:
    sampler = Scripted(lambda prompt: "y")
    tasks = [asked("go", 3), asked("now", 1)]
    groups = rollout(sampler, Countdown()).attempt(tasks, siblings=2, temperature=1.0, seed=0)
    long, short = groups[0].episodes[0], groups[1].episodes[1]
    assert [len(e.steps) for g in groups for e in g.episodes] == [3, 3, 1, 1]
    assert [step.reply for step in long.steps] == ["2", "1", ""]
    assert sum(step.reward for step in long.steps) == 1.5
    assert short.ending == long.ending == "done"
    first, second, third = long.turns
    assert second.prompt_ids == first.prompt_ids + first.completion_ids + (ord("2"),)
    assert third.prompt_ids == second.prompt_ids + second.completion_ids + (ord("1"),)
    assert len({r.seed for r in sampler.requests if r.n == 1}) == 4, "each turn has a stream of its own"


def test_an_environment_that_fails_ends_its_episode_alone() -> None:
    sampler = Scripted(lambda prompt: "x" if prompt.startswith("bad") else "y")
    groups = rollout(sampler, Countdown()).attempt(
        [asked("bad", 3), asked("good", 2)], siblings=1, temperature=1.0, seed=0
    )
    assert [g.episodes[0].ending for g in groups] == ["failed", "done"]


def test_an_episode_that_outgrows_the_context_is_cut() -> None:
    sampler = Scripted(lambda prompt: "yyyy")
    (group,) = rollout(sampler, Countdown(), context=12).attempt(
        [asked("go", 9)], siblings=1, temperature=1.0, seed=0
    )
    episode = group.episodes[0]
    assert episode.ending == "length"
    last = episode.turns[-1]
    assert len(last.prompt_ids) + len(last.completion_ids) <= 12


@pytest.mark.parametrize("guarded", [False, True])
def test_another_seat_is_asked_with_its_own_observation_alone(guarded: bool) -> None:
    domain: Any = Guarded(Duel()) if guarded else Duel()
    sampler, champion = Scripted(lambda prompt: prompt[-1].upper()), Scripted(lambda prompt: "c")
    policy = rollout(sampler, domain)
    policy.champion = champion
    (group,) = policy.attempt([asked("ab")], siblings=2, temperature=0.5, seed=1)
    assert [episode.answer for episode in group.episodes] == ["?", "?"]
    assert [step.reply for step in group.episodes[0].steps] == ["?", ""]
    others = ["".join(map(chr, request.prompt_ids)) for request in sampler.requests if request.n == 1]
    assert others[:2] == ["B?", "B?"]  # and not "ab" before it, which the first seat was shown
    assert {"".join(map(chr, r.prompt_ids)) for r in champion.requests} == {"??"}
    assert {r.temperature for r in champion.requests} == {0.5}


def test_a_seat_whose_observation_leaves_no_room_says_nothing() -> None:
    policy = rollout(Scripted(lambda prompt: "y"), Duel(), context=8)
    assert _Seats(policy, 1.0).reply(["m", "m"], ["too long a text", "short"], [0, 1], champion=False) == [
        "",
        "y",
    ]
