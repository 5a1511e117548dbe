"""What a run knows besides weights: one value, changed by messages alone, saved with every checkpoint.

state.apply(message)        the only way that it changes
stage(services, state, …)   reads it and returns messages
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, cast

import numpy as np

from autotelic import messages as m
from autotelic.archive import Archive
from autotelic.budget import Allowance
from autotelic.charter import BUILT_IN, Charter
from autotelic.exam.sealed import Exam
from autotelic.judge.collapse import CollapseGuard
from autotelic.oversee.signs import Signs
from autotelic.propose.curriculum import Curriculum
from autotelic.propose.novelty import Novelty
from autotelic.thresholds import read_thresholds
from autotelic.types import RULES, Cell, Episode, Group, Source, Spec, Task

REMEMBERED = 16_000
"""Tasks at hand to replay and to show to the proposer. More would be shown too seldom to matter."""
KEPT = 8_000
"""Own right answers at hand to be imitated again: some forty generations of them, in about 30 MB."""
SMOOTHING = 0.2
"""Weight of a generation in the smoothed share of proposals that become tasks."""

Arrays = dict[str, np.ndarray[Any, Any]]


@dataclass(slots=True)
class Counters:
    """What has been spent and done so far.

    `admitted` is the share of proposals that became tasks, smoothed; `empty` counts generations in a row that
    gave nothing to learn from, `flat` those without a group that reward could teach from.
    """

    generation: int = 0
    step: int = 0
    trained: int = 0
    decoded: int = 0
    flops: float = 0.0
    seconds: float = 0.0
    train_seconds: float = 0.0
    admitted: float = 1.0
    empty: int = 0
    flat: int = 0


def allowance_of(charter: Charter) -> Allowance:
    """The limits of a charter, with nothing given on top."""
    budget = charter.budget
    return Allowance(budget.seconds, budget.tokens, budget.generations)


@dataclass(frozen=True, slots=True)
class Champion:
    """The weights that were last certified, with the optimiser's state to go on from them. `generation` is when
    they were made, `decided` when the gate last said anything, `gates` how often it has. `certificate` is the
    generation of their certificate, -1 for what the run began from.
    """

    weights: str
    optimiser: str = ""
    generation: int = 0
    decided: int = 0
    gates: int = 0
    certificate: int = -1


@dataclass(frozen=True, slots=True)
class Right:
    """An attempt that was right by the word of a source, at a task that not all of its siblings solved."""

    task: Task
    episode: Episode
    source: str


@dataclass(slots=True)
class OwnExam:
    """The model's own exam in the making: tasks set aside, and how each set of weights fared on them."""

    pool: list[Task] = field(default_factory=list)
    rates: dict[str, list[float]] = field(default_factory=dict)
    frozen: Exam | None = None


class State:
    """Counters, curriculum, novelty, the pool of tasks, the exams, which weights are champion, and which
    sources of feedback were `cut` by the guard, with the step from which on. `certified` are all weights that
    were ever champion, with the optimiser's state that goes with them: a roll-back needs them. `signs` is what
    oversight has seen.
    """

    def __init__(self, charter: Charter, spec: Spec, *, imitates: bool, champion: str) -> None:
        self.scale = spec.scale
        self.counters = Counters()
        self.allowance = allowance_of(charter)
        self.curriculum = Curriculum(
            modes=charter.domain.modes or tuple(spec.modes),
            levels=charter.domain.levels,
            spread=charter.curriculum.spread,
            mastery=charter.curriculum.mastery,
            imitates=imitates,
        )
        self.novelty = Novelty()
        self.pool: deque[Task] = deque(maxlen=REMEMBERED)
        self.right: deque[Right] = deque(maxlen=KEPT)
        self.own = OwnExam()
        self.archive = Archive(spec.scale)
        self.sealed: Exam | None = None
        self.champion = Champion(champion)
        self.certified: dict[str, str] = {champion: ""}
        self.guard = CollapseGuard()
        self.cut: dict[Source, int] = {}
        self.signs = Signs(
            read_thresholds(charter.oversight.thresholds),
            critic_rewards=bool(charter.feedback.critic or charter.feedback.withhold),
            settled=charter.model.name not in BUILT_IN,
            priced=charter.learn.kl > 0,
        )

    @property
    def generation(self) -> int:
        return self.counters.generation

    @property
    def exam(self) -> Exam:
        """The sealed exam. Raises ValueError before it is set."""
        if self.sealed is None:
            raise ValueError("the sealed exam is not set yet")
        return self.sealed

    def progress(self, seconds: float) -> float:
        """How much of the budget is spent after so many seconds of work, in [0, 1]: of whichever limit is
        nearest.
        """
        return self.allowance.progress(seconds, self.counters.trained, self.counters.generation)

    # ── the only way it changes ──────────────────────────────────────────────────────────────────────────

    def apply(self, message: m.Message) -> State:
        """Take in a message; those that change nothing are passed over."""
        change = _CHANGES.get(type(message))
        if change is not None:
            change(self, message)
        self.signs.apply(message)
        return self

    def _extended(self, message: m.BudgetExtended) -> None:
        self.allowance.extend(message)

    def _began(self, message: m.GenerationBegan) -> None:
        self.counters.generation = message.generation

    def _admitted(self, message: m.Admitted) -> None:
        for task in message.tasks:
            self.novelty.remember(task)
            self.pool.append(task)
        self.own.pool += message.set_aside
        # Sealed at once: a behaviour that may be asked must not be trained on in the meantime either.
        self.novelty.seal(message.sealed)
        if message.outcomes:
            share = sum(bool(outcome.task) for outcome in message.outcomes) / len(message.outcomes)
            self.counters.admitted += SMOOTHING * (share - self.counters.admitted)

    def _judged(self, message: m.Judged) -> None:
        if message.purpose == "attempt":
            self.curriculum.learn([g for g in message.groups if not g.task.is_repair], self.scale)
        if message.purpose in ("attempt", "search"):
            self._remember(message.groups)

    def _remember(self, groups: Sequence[Group]) -> None:
        """The right answers of groups in which others were not right, each spelling once."""
        for group in groups:
            right: dict[str, Right] = {}
            for episode, verdict in zip(group.episodes, group.verdicts, strict=True):
                if verdict.passed:
                    right.setdefault(episode.answer, Right(group.task, episode, verdict.source))
            if right and not all(verdict.passed for verdict in group.verdicts):
                self.right.extend(right.values())

    def _archived(self, message: m.Archived) -> None:
        self.archive.learn(message)

    def _credited(self, message: m.Credited) -> None:
        if message.kept or message.flat:
            self.counters.flat = 0 if message.kept else self.counters.flat + 1

    def _audited(self, message: m.Audited) -> None:
        self.guard.learn(message)

    def _source_cut(self, message: m.SourceCut) -> None:
        self.cut[cast(Source, message.source)] = message.step

    def _lesson(self, message: m.Lesson) -> None:
        self.curriculum.weigh({Cell.parse(cell): tokens for cell, tokens in message.cost.items()})
        self.counters.empty = 0 if message.sequences else self.counters.empty + 1

    def _updated(self, message: m.Updated) -> None:
        if not message.report.skipped:
            self.counters.step = message.step + 1
            self.counters.trained += message.report.tokens
            self.counters.train_seconds += message.report.seconds

    def _exam_set(self, message: m.ExamSet) -> None:
        exam = Exam(
            name=message.exam, items=tuple(message.items), refused=message.refused, missing=message.missing
        )
        self.novelty.seal(exam.signatures)
        if message.exam == "own":
            self.own.frozen = exam
        else:
            self.sealed = exam

    def _evaluated(self, message: m.Evaluated) -> None:
        if message.report.exam == "pool":
            for id, outcome in message.report.outcomes.items():
                self.own.rates.setdefault(id, []).append(outcome)

    def _decided(self, message: m.Decided) -> None:
        old, now = self.champion, message.generation
        self.champion = replace(old, decided=now, gates=old.gates + 1)
        if message.decision.verdict == "promote":
            self.certified[message.weights] = message.optimiser
            self.champion = replace(
                self.champion,
                weights=message.weights,
                optimiser=message.optimiser,
                generation=now,
                certificate=message.decision.certificate,
            )

    def _leased(self, message: m.Leased) -> None:
        """The brake's champion is the run's: after a kill or a roll-back the two may differ."""
        if message.parent != self.champion.weights:
            optimiser = self.certified.setdefault(message.parent, "")
            self.champion = replace(
                self.champion,
                weights=message.parent,
                optimiser=optimiser,
                generation=message.generation,
                certificate=message.certificate,
            )

    def _ended(self, message: m.GenerationEnded) -> None:
        self.counters.decoded += message.decoded
        self.counters.flops = message.total_flops
        self.counters.seconds = message.total_seconds

    # ── as a value ───────────────────────────────────────────────────────────────────────────────────────

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; tasks by their ids, signatures apart in `arrays`."""
        return {
            "counters": asdict(self.counters),
            "curriculum": self.curriculum.state(),
            "novelty": self.novelty.state(),
            "pool": [task.id for task in self.pool],
            "right": [[one.task.id, one.episode.id, one.source] for one in self.right],
            "archive": self.archive.to_json(),
            "own": {
                "pool": [task.id for task in self.own.pool],
                "rates": self.own.rates,
                "frozen": self.own.frozen.to_json() if self.own.frozen else None,
            },
            "sealed": self.sealed.to_json() if self.sealed else None,
            "champion": asdict(self.champion),
            "certified": self.certified,
            "guard": self.guard.to_json(),
            "cut": self.cut,
            "signs": self.signs.to_json(),
        }

    def arrays(self) -> Arrays:
        """What is too much for JSON: the signatures of everything met."""
        return self.novelty.arrays()

    def restore(
        self,
        values: Mapping[str, Any],
        arrays: Mapping[str, Any],
        tasks_of: Callable[[Sequence[str]], Iterable[Task]],
        episodes_of: Callable[[Sequence[int]], Iterable[Episode]],
    ) -> None:
        """The inverse of `to_json` and `arrays`; `tasks_of` and `episodes_of` find tasks and episodes by their
        ids, in order.
        """
        own = values["own"]
        # What was given on top of the budget is counted from the journal, where the last of it is.
        kept = {key: value for key, value in values["counters"].items() if not key.startswith("extra_")}
        self.counters = Counters(**kept)
        self.curriculum.restore(values["curriculum"])
        self.novelty.restore(values["novelty"], arrays)
        self.pool = deque(tasks_of(values["pool"]), maxlen=REMEMBERED)
        right = values["right"]
        self.right = deque(
            (
                Right(task, episode, source)
                for task, episode, (_, _, source) in zip(
                    tasks_of([id for id, _, _ in right]),
                    episodes_of([id for _, id, _ in right]),
                    right,
                    strict=True,
                )
            ),
            maxlen=KEPT,
        )
        self.own = OwnExam(
            pool=list(tasks_of(own["pool"])),
            rates={id: list(rates) for id, rates in own["rates"].items()},
            frozen=Exam.from_json(own["frozen"]) if own["frozen"] else None,
        )
        self.sealed = Exam.from_json(values["sealed"]) if values["sealed"] else None
        self.archive.restore(values.get("archive", {}))
        self.champion = Champion(**values["champion"])
        self.certified = dict(values["certified"])
        self.guard = CollapseGuard.restored(values["guard"]) if "guard" in values else CollapseGuard()
        self.cut = dict(values.get("cut", {}))
        if "signs" in values:  # a run from before there were any begins to watch now
            self.signs.restore(values["signs"])

    @property
    def rules_tasks(self) -> list[Task]:
        """The tasks at hand that the rules made."""
        return [task for task in self.pool if task.lineage.author == RULES and not task.is_repair]


_CHANGES: Mapping[type[m.Message], Callable[[State, Any], None]] = {
    m.BudgetExtended: State._extended,
    m.GenerationBegan: State._began,
    m.Admitted: State._admitted,
    m.Judged: State._judged,
    m.Archived: State._archived,
    m.Audited: State._audited,
    m.SourceCut: State._source_cut,
    m.Credited: State._credited,
    m.Lesson: State._lesson,
    m.Updated: State._updated,
    m.ExamSet: State._exam_set,
    m.Evaluated: State._evaluated,
    m.Decided: State._decided,
    m.Leased: State._leased,
    m.GenerationEnded: State._ended,
}
