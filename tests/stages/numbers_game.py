"""Services without a model: a domain of numbers, a sampler that says what it is told, and the real state."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from autotelic.charter import Charter
from autotelic.credit import GroupAdvantage
from autotelic.messages import GenerationBegan, Message
from autotelic.state import State
from autotelic.types import (
    Cell,
    Demonstration,
    Episode,
    Group,
    Lineage,
    Proposal,
    Rejection,
    Spec,
    Step,
    Task,
    Turn,
    Verdict,
)

MODES = ("double", "halve")


def numbered(mode: str, number: int, lineage: Lineage | None = None, level: int = 1) -> Task:
    return Task(
        domain="numbers",
        mode=mode,
        level=level,
        prompt=f"{mode} {number}",
        secret={"number": number},
        signature=f"{mode} {number}",
        lineage=lineage or Lineage(),
    )


class Numbers:
    """A task asks about a number; a proposal is a number, in any mode."""

    spec = Spec(name="numbers", modes=MODES, levels=(1,))

    def tasks(self, rng: np.random.Generator, cells: Sequence[Cell]) -> list[Task]:
        return [numbered(cell.mode, int(rng.integers(10_000, 99_999))) for cell in cells]

    def judge(self, episodes: Sequence[tuple[Task, Episode]]) -> list[Verdict]:
        return [verdict(episode.answer == "right") for _, episode in episodes]

    def ask(self, cell: Cell, references: Sequence[Task]) -> str:
        return f"write {cell}"

    def proposal(self, task: Task) -> str:
        return str(task.secret["number"])

    def admit(self, proposals: Sequence[Proposal]) -> list[Task | Rejection]:
        return [
            numbered(p.cell.mode, int(p.text), p.lineage)
            if p.text.isdecimal()
            else Rejection(reason="syntax")
            for p in proposals
        ]

    def demonstrate(self, tasks: Sequence[Task]) -> list[Demonstration | None]:
        return [Demonstration(completion="right") for _ in tasks]

    def repair(self, task: Task, answer: str, verdict: Verdict, lineage: Lineage) -> Task | None:
        return Task(
            domain="numbers",
            mode="double",
            level=1,
            prompt=f"{task.prompt}: not {answer}",
            secret=dict(task.secret),
            signature=task.signature,
            is_repair=True,
            lineage=lineage,
        )


def verdict(passed: bool) -> Verdict:
    feedback = "" if passed else "no"
    return Verdict(
        reward=float(passed), passed=passed, reason="right" if passed else "wrong", feedback=feedback
    )


def turn(text: str = "right", weights: str = "sha256:actor") -> Turn:
    ids = (*map(ord, text), 0)
    return Turn(
        prompt_ids=(1, 2), completion_ids=ids, logprobs=(-1.0,) * len(ids), weights=weights, stop="eos"
    )


def group(task: Task, answers: Sequence[str], first: int = 1) -> Group:
    """A judged group, whose episodes are numbered from `first`."""
    episodes = tuple(
        Episode(task_id=task.id, steps=(Step(turn=turn(a)),), answer=a, id=first + i)
        for i, a in enumerate(answers)
    )
    return Group(task=task, episodes=episodes, verdicts=tuple(verdict(a == "right") for a in answers))


class Scripted:
    """A policy that answers as it is told, by task and sibling."""

    def __init__(self, say: Callable[[Task, int], str]) -> None:
        self.say = say
        self.asked: list[tuple[int, int]] = []

    def attempt(self, tasks: Sequence[Task], *, siblings: int, temperature: float, seed: int) -> list[Group]:
        self.asked.append((len(tasks), siblings))
        found = []
        for task in tasks:
            answers = [self.say(task, i) for i in range(siblings)]
            episodes = tuple(
                Episode(task_id=task.id, steps=(Step(turn=turn(a)),) if a else (), answer=a) for a in answers
            )
            found.append(Group(task=task, episodes=episodes))
        return found


class Feedback:
    """The domain's verdicts, and nothing withheld."""

    leader = "verifier"
    internal = ()

    def heed(self, cut: Any) -> None:
        """Nothing is ever cut."""

    def __init__(self, domain: Numbers) -> None:
        self.domain = domain

    def verify(self, groups: Sequence[Group]) -> list[Group]:
        from dataclasses import replace

        return [
            replace(g, verdicts=tuple(self.domain.judge([(g.task, e) for e in g.episodes]))) for g in groups
        ]

    def executed(self, tasks: Sequence[Task]) -> list[Task]:
        return list(tasks)

    def dealt(self, groups: Sequence[Group]) -> list[Group]:
        return list(groups)


class Words:
    """Tokens that are code points."""

    def prompts(self, texts: Sequence[Any]) -> list[tuple[int, ...]]:
        return [tuple(map(ord, text)) for text in texts]

    def completions(self, texts: Sequence[str]) -> list[tuple[int, ...]]:
        return [(*map(ord, text), 0) for text in texts]

    def within(self, texts: Sequence[str], spans: Sequence[Any]) -> list[tuple[int, ...]]:
        return [() for _ in texts]

    def decode(self, ids: Sequence[int]) -> str:
        return "".join(map(chr, ids)).rstrip("\0")


def services(changes: dict[str, Any] | None = None, **parts: Any) -> Any:
    """What a stage works with; `changes` are of the charter, `parts` of the services."""
    charter = Charter.of(
        {
            "domain": {"modes": list(MODES), "levels": [1, 1]},
            "curriculum": {"tasks_per_generation": 40, "probe_tasks": 8, "bootstrap_generations": 1},
            "exam": {"own_items": 0},
        }
    ).replace(changes or {})
    domain = parts.pop("domain", Numbers())
    return SimpleNamespace(
        **{
            "charter": charter,
            "domain": domain,
            "archives": False,
            "imitates": charter.learn.imitation > 0,
            "consults": True,
            "context": 64,
            "tokens": Words(),
            "policy": Scripted(lambda task, i: "right"),
            "feedback": Feedback(domain),
            "credit": GroupAdvantage(),
            "dropped": list,
            "reports": SimpleNamespace(hear=lambda message: None, flush=lambda: None),
            "guard": SimpleNamespace(step=lambda tokens: None, check=lambda: None),
            **parts,
        }
    )


def state_of(given: Any, generation: int = 2) -> State:
    state = State(given.charter, given.domain.spec, imitates=given.imitates, champion="sha256:start")
    state.apply(GenerationBegan(generation=generation))
    return state


def run(found: Any) -> list[Message]:
    """All that a stage returns."""
    return [found] if isinstance(found, Message) else list(found)
