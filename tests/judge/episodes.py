"""Hand-made episodes, without any model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from autotelic.types import Episode, Group, Observation, Source, Step, Task, Turn, Verdict

LOGPROB = -0.5


def task(id: str = "t", mode: str = "deduction", level: int = 1) -> Task:
    return Task(id=id, domain="sums", mode=mode, level=level, prompt="", secret={}, signature=id)


def episode(
    *turns: Turn, answer: str = "", task_id: str = "t", replies: Sequence[Observation] = ()
) -> Episode:
    """An episode of these turns; `replies` follow each, and are empty where they are not given."""
    shown = [*replies, *[""] * (len(turns) - len(replies))]
    steps = tuple(Step(turn=turn, reply=reply) for turn, reply in zip(turns, shown, strict=True))
    return Episode(task_id=task_id, steps=steps, answer=answer)


def turn(prompt: Sequence[int], completion: Sequence[int], logprobs: Sequence[float] | None = None) -> Turn:
    return Turn(
        prompt_ids=tuple(prompt),
        completion_ids=tuple(completion),
        logprobs=tuple(logprobs or [LOGPROB] * len(completion)),
        weights="w",
        stop="eos",
    )


def verdict(passed: bool, source: Source = "verifier") -> Verdict:
    return Verdict(reward=float(passed), passed=passed, reason="right" if passed else "wrong", source=source)


def sums(rng: np.random.Generator, count: int, siblings: int = 4, *, noise: float = 0.0) -> list[Group]:
    """Groups that add two small digits: the prompt is `a b =`, the completion `c end`, half of them right.

    Ids 0..18 are numbers, 19 is `=`, 20 the end. The sampler's log-probabilities say nothing here. `noise`
    turns that share of outcomes around.
    """
    groups = []
    for i in range(count):
        a, b = (int(x) for x in rng.integers(3, size=2))
        episodes, verdicts = [], []
        for _ in range(siblings):
            right = bool(rng.random() < 0.5)
            c = a + b if right else int((a + b + rng.integers(1, 5)) % 5)
            logprobs = rng.uniform(-2, 0, size=2).tolist()
            episodes.append(episode(turn([a, b, 19], [c, 20], logprobs), answer=str(c), task_id=str(i)))
            verdicts.append(verdict(right != bool(rng.random() < noise)))
        groups.append(Group(task=task(str(i)), episodes=tuple(episodes), verdicts=tuple(verdicts)))
    return groups
