"""A champion to solve tasks with, and exams: what `autotelic solve`, `ask` and `exam` do, from Python."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self, cast

from autotelic.errors import DomainError, ModelError
from autotelic.machine import Machine
from autotelic.protocols import Domain, Posable
from autotelic.types import ExamReport, Task

if TYPE_CHECKING:
    from autotelic.charter import Charter
    from autotelic.commands.opening import Opened, Which


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What an evaluation came to. `about` says in words which exam it was, and what is known of its items."""

    report: ExamReport
    about: str

    @property
    def pass_at_1(self) -> float:
        """The mean over greedy answers, in [0, 1]; each cell counts alike."""
        return self.report.overall.pass_at_1.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Solved:
    """What a search came to: the `answer` that is handed in, empty where nothing was found.

    `passed` is whether it passed the checks that its own task shows; None where a task shows none. `samples` answers
    of `tokens` in all were written for it.
    """

    task: Task
    answer: str
    passed: bool | None
    samples: int
    tokens: int


def exam(
    model: str | Path,
    exam: str = "sealed",
    *,
    samples: int = 8,
    machine: Machine | None = None,
) -> Examined:
    """Evaluate a run's champion, or a model, on an exam.

    `model` is a run folder, or a model as `model.name` of a charter names it. `exam` is `sealed`, or `own`:
    the one that the model set itself. `samples` answers are drawn for each item beside the greedy one. A model
    that is no run gets the exam of the built-in charter, and `about` says that it may have been trained on it.

    Raises ModelError, RunError or RecordError, in one line with its fix.
    """
    if exam not in ("sealed", "own"):
        raise ModelError(f"there is no exam {exam!r}", "take 'sealed' or 'own'")
    if samples < 1:
        raise ModelError(f"samples = {samples} asks for nothing", "give 1 or more")
    with _Opening(model, cast("Which", exam), machine) as found:
        from autotelic.exam.evaluate import evaluate, exam_seed

        report, _ = evaluate(
            found.exam,
            found.policy,
            found.domain,
            ranker=found.ranker,
            samples=samples,
            temperature=found.charter.roles.temperature,
            seed=exam_seed(found.charter.seed, found.exam),
        )
        return Examined(report=report, about=found.about)


def load_champion(model: str | Path, *, machine: Machine | None = None) -> LoadedChampion:
    """A run's champion, or a model, with its domain and a sandbox, to solve tasks with.

    The weights are loaded through the one door, which refuses bytes that the run did not record. Use it as a context
    manager, or close it: it holds the processes of a sandbox.
    """
    return LoadedChampion(_Opening(model, "sealed", machine))


class LoadedChampion:
    """Weights in their domain. Made by `load_champion`."""

    def __init__(self, opening: _Opening) -> None:
        self._opening = opening
        self._opened = opening.__enter__()

    @property
    def domain(self) -> Domain:
        """What it learned: `domain.tasks(rng, cells)` makes tasks to solve."""
        return self._opened.domain

    @property
    def charter(self) -> Charter:
        """The charter that it was trained under; for what is no run, the built-in one."""
        return self._opened.charter

    def solve(self, task: Task | str, *, budget: int = 64, seed: int = 0) -> Solved:
        """Search for an answer with at most `budget` samples, checking by what the task itself shows.

        `task` is a Task of its domain, or text that the domain reads as one: for `python` a call a line,
        `f([1,2])==[2,3]`. Raises DomainError for a text that puts no task.
        """
        return self.solve_all([task], budget=budget, seed=seed)[0]

    def solve_all(self, tasks: Sequence[Task | str], *, budget: int = 64, seed: int = 0) -> list[Solved]:
        """`solve` for many tasks at once, which takes less time than one by one. Same length and order."""
        from autotelic.attempt.search import search
        from autotelic.streams import seed_of

        if budget < 1:
            raise ModelError(f"budget = {budget} samples nothing", "give 1 or more")
        found = self._opened
        searched = search(
            found.policy,
            found.domain,
            [self._posed(task) for task in tasks],
            budget=budget,
            temperature=found.charter.roles.temperature,
            seed=seed_of(seed, "solve"),
            repairs=bool(found.charter.repair.share),
        )
        return [
            Solved(
                task=one.task,
                answer="" if (chosen := one.chosen(found.domain)) is None else chosen.answer,
                passed=one.passed,
                samples=one.samples,
                tokens=one.tokens,
            )
            for one in searched
        ]

    def ask(
        self, text: str, *, temperature: float = 0.0, max_tokens: int | None = None, seed: int = 0
    ) -> str:
        """What the model writes after a text, in the form of prompt that it was trained with.

        A compact text ends with a line break, which is added where it is missing. `temperature` 0 is greedy;
        `max_tokens` are the charter's `roles.max_tokens` by default, and fewer where the model has no more room.
        """
        from autotelic.commands.asking import answer_to

        return answer_to(self._opened, text, temperature=temperature, max_tokens=max_tokens, seed=seed)

    def close(self) -> None:
        """Let go of the sandbox and the threads."""
        self._opening.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _posed(self, task: Task | str) -> Task:
        if isinstance(task, Task):
            return task
        domain = self._opened.domain
        if not isinstance(domain, Posable):
            raise DomainError(
                f"the domain {domain.spec.name} reads no task in words",
                "give a Task: `domain.tasks` makes some",
            )
        return domain.pose(task)


class _Opening:
    """`commands.opening.opened`, closed by hand or at the end of a block."""

    def __init__(
        self, model: str | Path, exam: Literal["sealed", "own", "fresh"], machine: Machine | None
    ) -> None:
        self._model, self._exam, self._machine = model, exam, machine
        self._stack = ExitStack()

    def __enter__(self) -> Opened:
        from autotelic.commands.opening import opened
        from autotelic.models.registry import folder_of

        return self._stack.enter_context(
            opened(folder_of(Path(self._model)), self._exam, machine=self._machine)
        )

    def close(self) -> None:
        self._stack.close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
