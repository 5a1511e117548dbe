"""Domains without programs and a policy without weights, for tests of exams.

A task asks to double a number (`double`), or to call a coin (`coin`), which every other answer gets right. Token
ids are the code points of the text, and 0 ends a completion.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from autotelic.streams import seed_of
from autotelic.types import (
    RULES,
    Cell,
    Demonstration,
    Episode,
    Group,
    Lineage,
    Range,
    Request,
    Spec,
    Step,
    Task,
    Turn,
    Verdict,
)

END = 0


def task(mode: str, level: int, number: int, author: str = RULES, domain: str = "fake") -> Task:
    answer = str(2 * number) if mode != "coin" else "heads" if number % 2 else "tails"
    return Task(
        domain=domain,
        mode=mode,
        level=level,
        prompt=f"{mode} {level} {number}\n",
        secret={"answer": answer, "notes": [number, 0.5, None]},
        signature=f"{mode} {number}",
        cluster=f"int>{mode} some",
        form=f"int>{mode}",
        lineage=Lineage(author=author, generation=3, references=("a", "b")),
    )


class FakeDomain:
    """Numbers of a cell lie below `behaviours` (by default, or by mode), above those of lower levels."""

    spec = Spec(name="fake", modes=("double", "coin"), levels=(1, 2))

    def __init__(self, behaviours: int = 10_000, **by_mode: int) -> None:
        self.behaviours = behaviours
        self.by_mode = by_mode
        self.batches: list[list[tuple[Task, str]]] = []

    def tasks(self, rng: np.random.Generator, cells: Sequence[Cell]) -> list[Task]:
        drawn = []
        for cell in cells:
            below = self.by_mode.get(cell.mode, self.behaviours)
            if below:
                drawn.append(task(cell.mode, cell.level, 100_000 * cell.level + int(rng.integers(below))))
        return drawn

    def judge(self, episodes: Sequence[tuple[Task, Episode]]) -> list[Verdict]:
        self.batches.append([(task, episode.answer) for task, episode in episodes])
        return [self.verdict(task, episode.answer) for task, episode in episodes]

    def verdict(self, task: Task, answer: str) -> Verdict:
        right = task.secret["answer"] == answer
        said = "" if right else f"not {answer}"
        return Verdict(reward=float(right), passed=right, reason="right" if right else "wrong", feedback=said)

    def demonstrate(self, tasks: Sequence[Task]) -> list[Demonstration | None]:
        return [Demonstration(completion=f"so\n{task.secret['answer']}") for task in tasks]

    def answer(self, mode: str, completion: str) -> str:
        return completion.rpartition("\n")[2]

    def repair(self, task: Task, answer: str, verdict: Verdict, lineage: Lineage) -> Task | None:
        if not answer or task.mode != "double":
            return None
        return Task(
            domain=task.domain,
            mode=task.mode,
            level=task.level,
            prompt=f"again {task.prompt.strip()} {verdict.feedback}\n",
            secret=task.secret,
            signature=task.signature,
            is_repair=True,
            lineage=lineage,
        )


class Throws:
    """A domain without solutions and without success: the reward is minus the distance to the number asked for."""

    spec = Spec(name="throws", modes=("throw",), levels=(1,), scale=Range(low=-10.0, high=0.0))

    def __init__(self) -> None:
        self.judged = 0

    def tasks(self, rng: np.random.Generator, cells: Sequence[Cell]) -> list[Task]:
        return [self.target(int(rng.integers(1000))) for _ in cells]

    def target(self, number: int) -> Task:
        return Task(
            domain="throws", mode="throw", level=1, prompt=f"to {number}\n", secret={"target": number}
        )

    def judge(self, episodes: Sequence[tuple[Task, Episode]]) -> list[Verdict]:
        self.judged += len(episodes)
        return [
            Verdict(reward=-min(10.0, abs(int(e.answer) - t.secret["target"])), passed=None, reason="thrown")
            for t, e in episodes
        ]


class Turns(Throws):
    """The same in episodes of several turns, of which the prompt says nothing."""

    def target(self, number: int) -> Task:
        return Task(domain="turns", mode="throw", level=1, prompt="throw\n", secret={"target": number})

    def open(self, tasks: Sequence[Task], seeds: Sequence[int]) -> None:
        raise NotImplementedError("the scripted policy opens nothing")


Script = Callable[[str, Request], Sequence[str]]


class Scripted:
    """A policy that says what its script says: `script(prompt, request)` gives a completion a sibling.

    The answer is the last line of a completion. What was requested is kept in `requests`. A script that gives no
    completions had no room.
    """

    def __init__(self, script: Script, weights: str = "w1") -> None:
        self.script = script
        self.weights = weights
        self.requests: list[Request] = []

    def attempt(self, tasks: Sequence[Task], *, siblings: int, temperature: float, seed: int) -> list[Group]:
        groups = []
        for asked in tasks:
            request = Request(
                prompt_ids=tuple(map(ord, str(asked.prompt))),
                n=siblings,
                max_tokens=20,
                temperature=temperature,
                seed=seed_of(seed, asked.id),
            )
            self.requests.append(request)
            said = self.script(str(asked.prompt), request)
            assert len(said) in (0, siblings)
            episodes = tuple(self._episode(asked, request, text) for text in said)
            none = (Episode(task_id=asked.id, steps=(), answer="", ending="length"),) * siblings
            groups.append(Group(task=asked, episodes=episodes or none))
        return groups

    def _episode(self, asked: Task, request: Request, text: str) -> Episode:
        ids = (*map(ord, text), END)
        turn = Turn(
            prompt_ids=request.prompt_ids,
            completion_ids=ids,
            logprobs=(0.0,) * len(ids),
            weights=self.weights,
            stop="eos",
        )
        return Episode(task_id=asked.id, steps=(Step(turn=turn),), answer=text.rpartition("\n")[2])


def prompt_of(request: Request) -> str:
    """The prompt that was requested."""
    return "".join(map(chr, request.prompt_ids))


def right(prompt: str) -> str:
    """The answer to a prompt of `double`."""
    return str(2 * int(prompt.split()[-1]))
