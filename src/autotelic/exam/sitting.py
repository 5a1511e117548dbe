"""Sitting an exam: greedy answers, sampled answers, the critic's choice among them, and what may be claimed.

    exam ──► attempt, greedily ────────────────► judge ──► pass@1
        └──► attempt, eight samples ──► judge ─┬─────────► pass@1 of samples, pass@8
                                               └ critic ─► best of 8: the one it ranks first, unseen verdicts

Every cell has its own scores. An exam's overall score is the mean over cells, each counting the same, so that
it does not hang on how many items a cell could be given.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np

from autotelic.attempt.episode import attempt
from autotelic.attempt.tokens import Tokens
from autotelic.charter import Charter
from autotelic.errors import ModelError, RecordError, RunError
from autotelic.exam.sealed import Exam, draw_sealed
from autotelic.exam.statistics import (
    CONFIDENCE,
    RESAMPLES,
    Comparison,
    compare,
    mean_score,
    pass_at_k,
    share,
    wilson,
)
from autotelic.protocols import Domain, Sampler
from autotelic.record import Record, RunFolder, is_run
from autotelic.streams import seed_of, stream
from autotelic.types import Cell, ExamReport, Group, Score, Task

K = 8
"""Of pass@8 and best of 8."""


class Ranker(Protocol):
    """What an exam needs of a critic: a probability of success for each attempt, without any verdict."""

    def predict(self, groups: Sequence[Group]) -> Sequence[Sequence[float]]:
        """One probability an attempt, for each group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Examinee:
    """Who sits an exam: weights in a sampler, with their tokenizer, in the domain whose texts they read."""

    sampler: Sampler
    tokens: Tokens
    domain: Domain
    critic: Ranker | None = None

    def attempt(
        self, tasks: Sequence[Task], *, siblings: int, temperature: float, max_tokens: int, seed: int
    ) -> list[Group]:
        """Attempts at tasks, each with its verdict. Siblings that answer alike are judged once."""
        groups = attempt(
            self.sampler,
            self.tokens,
            self.domain,
            tasks,
            siblings=siblings,
            temperature=temperature,
            max_tokens=max_tokens,
            seed=seed,
        )
        asked = {(g.task.id, a.answer): (g.task, a.answer) for g in groups for a in g.attempts}
        said = dict(zip(asked, self.domain.judge(list(asked.values())), strict=True))
        return [replace(g, verdicts=tuple(said[g.task.id, a.answer] for a in g.attempts)) for g in groups]


class Sitter(Protocol):
    """What an exam needs of who sits it; `Examinee` is one."""

    @property
    def critic(self) -> Ranker | None:
        """Who ranks samples, if anyone does."""

    def attempt(
        self, tasks: Sequence[Task], *, siblings: int, temperature: float, max_tokens: int, seed: int
    ) -> list[Group]:
        """Attempts at tasks, in their order, each with its verdict."""


def sit_exam(
    exam: Exam,
    examinee: Sitter,
    *,
    samples: int = K,
    temperature: float = 0.7,
    max_tokens: int,
    seed: int,
    greedy_only: bool = False,
) -> ExamReport:
    """Sit an exam: greedily for pass@1 and, unless `greedy_only`, with `samples` samples at `temperature`.

    pass@8 is unbiased and best of 8 is of the first eight; both need `samples` of 8 or more, and are None
    below. The same seed and weights give the same report.
    """
    take = partial(examinee.attempt, exam.items, max_tokens=max_tokens)
    greedy = take(siblings=1, temperature=0.0, seed=seed_of(seed, "greedy"))
    outcomes: dict[str, list[float]] = {"pass_at_1": [float(g.verdicts[0].passed) for g in greedy]}
    if not greedy_only:
        sampled = take(siblings=samples, temperature=temperature, seed=seed_of(seed, "samples"))
        correct = [sum(v.passed for v in g.verdicts) for g in sampled]
        outcomes["sampled_at_1"] = [n / samples for n in correct]
        if samples >= K:
            outcomes["pass_at_8"] = [pass_at_k(samples, n, K) for n in correct]
            if examinee.critic is not None:
                outcomes["best_of_8"] = _critics_choice(examinee.critic, sampled)
    overall = {name: mean_of_cells(_by_cell(exam, row), stream(seed, name)) for name, row in outcomes.items()}
    cells: dict[str, dict[str, Score]] = {str(cell): {} for cell in exam.cells}
    for name, row in outcomes.items():
        for cell, values in _by_cell(exam, row).items():
            cells[str(cell)][name] = _score(values, stream(seed, name, str(cell)))
    return ExamReport(
        exam=exam.name,
        digest=exam.digest,
        weights=greedy[0].attempts[0].turns[0].weights if greedy else "",
        pass_at_1=overall["pass_at_1"],
        sampled_at_1=overall.get("sampled_at_1"),
        pass_at_8=overall.get("pass_at_8"),
        best_of_8=overall.get("best_of_8"),
        cells=cells,
        passed={g.task.id: g.verdicts[0].passed for g in greedy},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """Someone at a table: an exam, who sits it, and the charter that says how."""

    exam: Exam
    examinee: Examinee
    charter: Charter

    def sit(self, samples: int = K) -> ExamReport:
        """Sit the exam, greedily and with samples."""
        return sit_exam(
            self.exam,
            self.examinee,
            samples=samples,
            temperature=self.charter.exam.temperature,
            max_tokens=self.charter.roles.max_tokens,
            seed=seed_of(self.charter.seed, "sit", self.exam.name),
        )


def sit(model: Path, *, exam: Literal["sealed", "own"] = "sealed", samples: int = K) -> ExamReport:
    """Sit an exam with a run's champion, or with a model folder in Hugging Face format. Raises as `seated`."""
    with seated(model, exam) as seat:
        return seat.sit(samples)


@contextmanager
def seated(
    model: Path, exam: Literal["sealed", "own", "fresh"] = "sealed", items: int = 0, *, base: bool = False
) -> Iterator[Seat]:
    """A run's champion, or a model folder in Hugging Face format, before an exam.

    With `base` it is not the champion that sits, but what the run began from. A run's exam is read from its newest
    checkpoint; where there is none, the sealed one is drawn again. Either must have the digest that the run
    recorded. A model folder sits the sealed exam of the built-in charter, in words where it has a chat template.
    `fresh` is one of `items` a cell, drawn as the sealed one is from another stream, without what the run trained on.

    Raises `RunError` for a run without a champion or an exam of its own and, with `base`, for what is no run;
    `RecordError` for an exam that is not the recorded one; `ModelError` for what is no model.
    """
    import torch  # here, because it takes seconds, and most of what imports this file needs none of it

    from autotelic.domains import load_domain
    from autotelic.models.crew import Crew, paying_threads
    from autotelic.models.decode import Decoder
    from autotelic.models.load import load_model
    from autotelic.sandbox import Limits, Sandbox

    run = RunFolder.open(model) if is_run(model) else None
    if run is None and exam == "own":
        raise ModelError(f"{model} is no run folder, so it has no exam of its own", "sit the sealed exam")
    place = _start(run, model) if base else model
    if not base and run is not None and not (run.champion / "config.json").is_file():
        raise RunError(f"{model} has no champion yet", f"let it run to its end: autotelic resume {model}")
    charter = run.charter() if run is not None else Charter()
    torch.set_num_threads(1)  # what is heavy is shared out among the crew
    weights, tokenizer = load_model(place, dtype=charter.model.dtype)
    if run is None and getattr(tokenizer, "chat_template", None):
        charter = charter.replace({"domain.style": "natural"})
    state, critic = _saved(run, charter, len(tokenizer)) if run is not None else ({}, None)
    tokens = Tokens(tokenizer, chat=charter.domain.style == "natural")
    limits = charter.limits.model_dump(include={"wall_s", "cpu_s", "memory_mb", "output_kb"})
    with Sandbox(Limits(**limits), workers=charter.limits.workers, require=charter.limits.require) as box:
        domain = load_domain(charter.domain.name, box, style=charter.domain.style)
        if exam == "fresh":
            asked = _fresh(run, charter, domain, items)
        else:
            asked = _asked(exam, state, charter, domain)
            if run is not None:
                _must_be_sealed(run, asked)
        sampler = Decoder(
            weights, end_id=tokens.end_id, crew=Crew(charter.budget.threads or paying_threads())
        )
        examinee = Examinee(sampler=sampler, tokens=tokens, domain=domain, critic=critic)
        yield Seat(exam=asked, examinee=examinee, charter=charter)


def _start(run: RunFolder | None, model: Path) -> Path:
    """Where the weights are that a run began from."""
    if run is None:
        raise RunError(
            f"{model} is no run folder, so it has no base", "give a run folder, or sit without --base"
        )
    if not (run.start / "config.json").is_file():
        raise RunError(f"{model} has not kept what it began from", "restore its folder `start` from a copy")
    return run.start


def _fresh(run: RunFolder | None, charter: Charter, domain: Domain, items: int) -> Exam:
    """An exam that no run has committed to, of items that the run did not train on."""
    met: set[str] = set()
    if run is not None:
        with Record.open(run.path) as record:
            met = {row["signature"] for row in record.each("tasks")}
    drawn = _draw(charter.model_copy(update={"seed": seed_of(charter.seed, "fresh")}), domain, items)
    return Exam(name="fresh", items=tuple(item for item in drawn.items if item.signature not in met))


def _saved(run: RunFolder, charter: Charter, vocabulary: int) -> tuple[Mapping[str, Any], Ranker | None]:
    """What the run's newest checkpoint says, and its critic; nothing where the run has no checkpoint."""
    from autotelic.judge.critic import Critic
    from autotelic.record import checkpoint

    found = checkpoint.load_latest(run.checkpoints)
    if found is None:
        return {}, None
    critic = Critic(
        vocabulary=vocabulary,
        context=charter.model.context,
        seed=0,  # of first weights, which are replaced
        width=charter.feedback.critic_width,
    )
    critic.restore(found.tensors["critic"], found.state["critic"])
    return found.state, critic


def _asked(name: str, state: Mapping[str, Any], charter: Charter, domain: Domain) -> Exam:
    """The exam of that name in a checkpoint's state; the sealed one is drawn where it has none."""
    if name == "own":
        frozen = state.get("own", {}).get("frozen")
        if frozen is None:
            raise RunError("the run has set no exam of its own", "sit the sealed exam")
        return Exam.from_json(frozen)
    if "sealed" in state:
        return Exam.from_json(state["sealed"])
    return _draw(charter, domain, charter.exam.items_per_cell)


def _draw(charter: Charter, domain: Domain, items_per_cell: int) -> Exam:
    low, high = charter.exam.levels
    return draw_sealed(
        domain,
        charter.seed,
        [Cell(mode=mode, level=level) for mode in charter.domain.modes for level in range(low, high + 1)],
        items_per_cell=items_per_cell,
        free_answers=charter.exam.free_answers,
    )


def _must_be_sealed(run: RunFolder, exam: Exam) -> None:
    """Raise `RecordError` unless these are the items that the run committed to."""
    with Record.open(run.path) as record:
        event = record.latest(f"exam.{exam.name}")
    committed = event.data["digest"] if event is not None else "none"
    if exam.digest != committed:
        raise RecordError(
            f"{run.path} committed to the {exam.name} exam {committed}, this one is {exam.digest}",
            "use the version of autotelic that made the run, or restore the run folder from a copy",
        )


def paired(champion: ExamReport, candidate: ExamReport, level: float) -> Comparison:
    """Is the candidate worse than the champion, on an exam that both sat? By their greedy answers.

    Raises ValueError when they did not sit the same exam.
    """
    if (champion.digest, [*champion.passed]) != (candidate.digest, [*candidate.passed]):
        raise ValueError(
            f"exams {champion.digest} and {candidate.digest}; a paired test needs the same one sat twice"
        )
    return compare([*champion.passed.values()], [*candidate.passed.values()], level)


def mean_of_cells(cells: Mapping[Cell, Sequence[float]], rng: np.random.Generator) -> Score:
    """The mean of the cells' means, with a bootstrap interval that resamples items within each cell.

    Values that do not vary within any cell would give an interval without width: it is Wilson's then, at the
    number of all items. `n` is that number.
    """
    if not cells:
        return Score(value=0.0, low=0.0, high=1.0, n=0)
    n = sum(map(len, cells.values()))
    mean = float(np.mean([np.mean(values) for values in cells.values()]))
    drawn_R = np.zeros(RESAMPLES)
    for values in cells.values():
        value_N = np.asarray(values, dtype=np.float64)
        drawn_R += value_N[rng.integers(len(value_N), size=(RESAMPLES, len(value_N)))].mean(axis=1)
    if all(np.ptp(values) == 0 for values in cells.values()):
        low, high = wilson(math.floor(mean * n), n)[0], wilson(min(n, math.ceil(mean * n)), n)[1]
    else:
        low, high = np.quantile(drawn_R / len(cells), [0.5 - CONFIDENCE / 2, 0.5 + CONFIDENCE / 2])
    return Score(value=mean, low=float(low), high=float(high), n=n)


def _by_cell(exam: Exam, values: Sequence[float]) -> dict[Cell, list[float]]:
    cells: dict[Cell, list[float]] = {cell: [] for cell in exam.cells}
    for item, value in zip(exam.items, values, strict=True):
        cells[item.cell].append(value)
    return cells


def _score(values: Sequence[float], rng: np.random.Generator) -> Score:
    """Wilson's interval for outcomes, the bootstrap's for shares of several samples."""
    if all(value in (0.0, 1.0) for value in values):
        return share([value == 1.0 for value in values])
    return mean_score(values, rng)


def _critics_choice(critic: Ranker, groups: Sequence[Group]) -> list[float]:
    """Whether the attempt passed that the critic ranks first of eight, a group; it sees no verdicts."""
    unseen = [replace(g, attempts=g.attempts[:K], verdicts=()) for g in groups]
    chosen: list[float] = []
    for group, said in zip(groups, critic.predict(unseen), strict=True):
        if len(said) != K or not np.isfinite(said).all():
            raise ValueError(f"the critic said {said!r:.80} of {K} attempts; expected a probability each")
        chosen.append(float(group.verdicts[int(np.argmax(said))].passed))
    return chosen
