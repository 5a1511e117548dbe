"""A domain of ours in other people's trainers: rows with a reward, or an environment with `reset` and `step`.

    exported = Exported(load_domain(settings))
    GRPOTrainer(train_dataset=Dataset.from_list(exported.rows(512)), reward_funcs=exported.reward, ...)    # TRL

`openenv_server` serves the same as an environment of OpenEnv, which TRL, verl, verifiers and prime-rl can ask.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from autotelic.errors import DomainError
from autotelic.protocols import Answering, Domain, Interactive, Sessions
from autotelic.scale import scaled
from autotelic.streams import stream
from autotelic.types import Episode, Step, Task, Turn, text_of

REMEMBERED = 100_000
"""Tasks that were given out and are kept, to score answers to them."""
_TURN = Turn(prompt_ids=(0,), completion_ids=(0,), logprobs=(0.0,), weights="elsewhere", stop="eos")
"""Stands for what was sampled elsewhere: judges read answers and observations alone."""


class Exported:
    """The tasks of a domain as rows, and its judge as a reward function on [0, 1].

    `secret` stays here: a row has the prompt and the task's id. Rows are a function of the seed.
    """

    def __init__(self, domain: Domain, seed: int = 0) -> None:
        self.domain = domain
        self.seed = seed
        self._tasks: OrderedDict[str, Task] = OrderedDict()
        self._drawn = 0

    def rows(self, count: int) -> list[dict[str, str]]:
        """So many rows with `prompt` and `task`, the cells of the domain in turn. Raises DomainError for none."""
        return [{"prompt": text_of(task.prompt), "task": task.id} for task in self.tasks(count)]

    def tasks(self, count: int) -> list[Task]:
        """So many tasks, fewer where the rules gave none for a cell; they are remembered by their ids."""
        cells = self.domain.spec.cells
        self._drawn += 1
        drawn = self.domain.tasks(
            stream(self.seed, "export", self._drawn), [cells[at % len(cells)] for at in range(count)]
        )
        if not drawn:
            raise DomainError(f"the domain {self.domain.spec.name} gave no task", "look at its errors")
        for task in drawn:
            self._tasks[task.id] = task
            if len(self._tasks) > REMEMBERED:
                self._tasks.popitem(last=False)
        return drawn

    def reward(
        self, prompts: Sequence[Any], completions: Sequence[Any], task: Sequence[str], **_: Any
    ) -> list[float]:
        """The reward of each completion, from 0 to 1, in the form that TRL asks for.

        Raises DomainError for a domain of several turns, and for a task that was not among the rows.
        """
        if isinstance(self.domain, Interactive):
            raise DomainError(
                f"an episode of {self.domain.spec.name} has several turns",
                "play it with `Exported.environment`",
            )
        asked = [
            (self._task(one), _text(completion)) for one, completion in zip(task, completions, strict=True)
        ]
        episodes = [
            (known, Episode(task_id=known.id, steps=(Step(turn=_TURN),), answer=self._answer(known, said)))
            for known, said in asked
        ]
        return [scaled(self.domain.spec.scale, verdict.reward) for verdict in self.domain.judge(episodes)]

    def environment(self) -> Environment:
        """An environment with `reset` and `step`, for one episode at a time."""
        return Environment(self)

    def _task(self, id: str) -> Task:
        if id not in self._tasks:
            raise DomainError(
                f"there is no task {id!r}", "score answers to rows of this object, made in this process"
            )
        return self._tasks[id]

    def _answer(self, task: Task, text: str) -> str:
        return self.domain.answer(task.mode, text) if isinstance(self.domain, Answering) else text


@dataclass(slots=True)
class Environment:
    """One episode at a time of an exported domain. A question of one turn is an episode of one step."""

    exported: Exported
    _task: Task | None = None
    _sessions: Sessions | None = None
    _steps: list[Step] = field(default_factory=list)

    def reset(self, seed: int | None = None) -> str:
        """A new task, or the one that a seed names; what is shown first."""
        exported = self.exported
        cells = exported.domain.spec.cells
        if seed is None:
            (task,) = exported.tasks(1)
        else:
            rng = stream(seed, "export episode")
            drawn = exported.domain.tasks(rng, [cells[int(rng.integers(len(cells)))]])
            if not drawn:
                raise DomainError(f"the seed {seed} gives no task", "give another one")
            task = drawn[0]
        self._task, self._steps = task, []
        domain = exported.domain
        self._sessions = domain.open([task], [seed or 0]) if isinstance(domain, Interactive) else None
        return text_of(task.prompt)

    def step(self, reply: str) -> tuple[str, float, bool]:
        """What is shown next, the reward and whether the episode is over. The reward, from 0 to 1, comes at the end.

        Raises DomainError before `reset` and after the end.
        """
        if self._task is None:
            raise DomainError("no episode is in progress", "call reset first")
        answer = self.exported._answer(self._task, reply)
        shown, over, ending = "", True, "done"
        if self._sessions is not None:
            (seen,) = self._sessions.step([answer])
            if seen is None:
                ending = "failed" if getattr(self._sessions, "failed", ()) else "done"
                self._steps.append(Step(turn=_TURN))
            else:
                self._steps.append(Step(turn=_TURN, reply=seen[0], reward=seen[1]))
                shown = text_of(seen[0])
                over = not shown
        else:
            self._steps.append(Step(turn=_TURN))
        if not over:
            return shown, 0.0, False
        task, self._task = self._task, None
        domain = self.exported.domain
        episode = Episode(task_id=task.id, steps=tuple(self._steps), answer=answer, ending=ending)  # type: ignore[arg-type]
        (verdict,) = domain.judge([(task, episode)])
        return "", scaled(domain.spec.scale, verdict.reward), True


def _text(completion: Any) -> str:
    """The text of a completion: plain, or the last message of a conversation."""
    if isinstance(completion, str):
        return completion
    last: Mapping[str, Any] = completion[-1]
    return str(last["content"])
