"""Evaluating an exam: greedy answers, sampled answers, the critic's choice among them, and what may be
claimed.

    exam ──► attempt, greedily ────────────────► judge ──► pass@1
        └──► attempt, eight samples ──► judge ─┬─────────► pass@1 of samples, pass@8
                                               └ critic ─► best of 8: the one it ranks first, unseen verdicts

Every cell has its own scores. An exam's overall score is the mean over cells, each counting the same, so that
it does not hang on how many items a cell could be given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from autotelic.exam.sealed import Exam
from autotelic.protocols import Domain, Interactive, Policy, Ranker
from autotelic.scale import scaled
from autotelic.statistics import Comparison, compare, mean_of_cells, mean_score, pass_at_k, share
from autotelic.streams import seed_of, stream
from autotelic.types import Binary, Cell, Episode, ExamReport, Group, Scale, Score, Scores, Task, Verdict

K = 8
"""Samples that pass@8 and best of 8 are about, as the field reports them."""


def evaluate(
    exam: Exam,
    policy: Policy,
    domain: Domain,
    *,
    ranker: Ranker | None = None,
    samples: int = K,
    temperature: float = 1.0,
    seed: int,
    greedy_only: bool = False,
) -> tuple[ExamReport, list[Group]]:
    """One evaluation of an exam, and the greedy attempts with their verdicts, in the order of the items.

    Greedily for pass@1 and, unless `greedy_only`, with `samples` samples at `temperature`. Where success is
    known, an item's outcome is 1 or 0; elsewhere it is its reward scaled to [0, 1]. pass@8 is unbiased (Chen
    et al. 2021, arXiv:2107.03374), and of real rewards the mean best of eight; best of 8 is the outcome that
    `ranker` ranks first among the first eight. Both need `samples` of 8 or more and are None below. The same
    seed and weights give the same report. Raises ValueError where the ranker does not give one finite number
    a sample.
    """
    scale = domain.spec.scale
    greedy = judged(
        domain,
        policy.attempt(exam.items, siblings=1, temperature=0.0, seed=seed_of(seed, "greedy")),
    )
    first = [outcome(group.verdicts[0], scale) for group in greedy]
    rows: dict[str, list[float]] = {"pass_at_1": first}
    if not greedy_only:
        sampled = judged(
            domain,
            policy.attempt(
                exam.items, siblings=samples, temperature=temperature, seed=seed_of(seed, "samples")
            ),
        )
        outcomes = [[outcome(verdict, scale) for verdict in group.verdicts] for group in sampled]
        rows["sampled_at_1"] = [float(np.mean(row)) for row in outcomes]
        if samples >= K:
            rows["pass_at_8"] = [best_of(row, K) for row in outcomes]
            if ranker is not None:
                rows["best_of_8"] = _choice(ranker, sampled, outcomes)
    report = ExamReport(
        exam=exam.name,
        digest=exam.digest,
        weights=next((turn.weights for g in greedy for turn in g.episodes[0].turns), ""),
        overall=_overall(exam, rows, seed),
        cells=_cells(exam, rows, seed),
        outcomes=dict(zip((item.id for item in exam.items), first, strict=True)),
    )
    return report, greedy


def exam_seed(seed: int, exam: Exam) -> int:
    """The seed of every evaluation of an exam in a run of this seed, so that two differ by their weights alone."""
    return seed_of(seed, "sit", exam.name)


def judged(domain: Domain, groups: Sequence[Group]) -> list[Group]:
    """The groups with the domain's verdicts.

    Siblings that answer alike are judged once, unless an episode is more than its answer. An episode for
    which there was no room is no try at all: it gets the lowest reward, and the domain is not asked.
    """
    several_turns = isinstance(domain, Interactive)
    asked: dict[object, tuple[Task, Episode]] = {}
    for group in groups:
        for at, episode in enumerate(group.episodes):
            if episode.steps:
                asked.setdefault(_key(group.task, at, episode, several_turns), (group.task, episode))
    told = dict(zip(asked, domain.judge(list(asked.values())) if asked else (), strict=True))
    none = _no_answer(domain.spec.scale)
    return [
        replace(
            group,
            verdicts=tuple(
                told.get(_key(group.task, at, episode, several_turns), none)
                for at, episode in enumerate(group.episodes)
            ),
        )
        for group in groups
    ]


def outcome(verdict: Verdict, scale: Scale) -> float:
    """1.0 or 0.0 where success is known, the reward scaled to [0, 1] where it is not."""
    return scaled(scale, verdict.reward) if verdict.passed is None else float(verdict.passed)


def best_of(outcomes: Sequence[float], k: int) -> float:
    """The expected best of `k` outcomes in [0, 1], drawn from these without replacement: unbiased for new
    samples.

    Of zeros and ones it is pass@k. Raises ValueError where there are fewer than `k`.

    >>> best_of([0.0, 0.0, 1.0], 2) == pass_at_k(3, 1, 2)
    True
    >>> round(best_of([0.2, 0.4, 0.6], 2), 6)
    0.533333
    """
    n, best, below = len(outcomes), 0.0, 0.0
    for value in sorted(set(outcomes)):
        best += (value - below) * pass_at_k(n, sum(one >= value for one in outcomes), k)
        below = value
    return best


def paired(champion: ExamReport, candidate: ExamReport, level: float) -> Comparison:
    """Is the candidate worse than the champion, on an exam that both were asked? By their greedy answers.

    Raises ValueError when they were not asked the same exam.
    """
    if (champion.digest, [*champion.outcomes]) != (candidate.digest, [*candidate.outcomes]):
        raise ValueError(
            f"exams {champion.digest} and {candidate.digest}; a paired test needs the same one evaluated twice"
        )
    return compare([*champion.outcomes.values()], [*candidate.outcomes.values()], level)


def _key(task: Task, at: int, episode: Episode, several_turns: bool) -> object:
    """What makes two tries the same to the judge: in one turn the answer, in several nothing."""
    return (task.id, at) if several_turns else (task.id, episode.answer, episode.ending)


def _no_answer(scale: Scale) -> Verdict:
    passed = False if isinstance(scale, Binary) else None
    return Verdict(reward=scale.low, passed=passed, reason="no room")


def _overall(exam: Exam, rows: Mapping[str, Sequence[float]], seed: int) -> Scores:
    return Scores(
        **{name: mean_of_cells(_by_cell(exam, row), stream(seed, name)) for name, row in rows.items()}
    )


def _cells(exam: Exam, rows: Mapping[str, Sequence[float]], seed: int) -> dict[str, Scores]:
    by_name = {name: _by_cell(exam, row) for name, row in rows.items()}
    return {
        str(cell): Scores(
            **{name: _score(cells[cell], stream(seed, name, str(cell))) for name, cells in by_name.items()}
        )
        for cell in exam.cells
    }


def _by_cell(exam: Exam, values: Sequence[float]) -> dict[Cell, list[float]]:
    cells: dict[Cell, list[float]] = {cell: [] for cell in exam.cells}
    for item, value in zip(exam.items, values, strict=True):
        cells[item.cell].append(value)
    return cells


def _score(values: Sequence[float], rng: np.random.Generator) -> Score:
    """Wilson's interval for outcomes of yes or no, the bootstrap's for all others."""
    if all(value in (0.0, 1.0) for value in values):
        return share([value == 1.0 for value in values])
    return mean_score(values, rng)


def _choice(ranker: Ranker, groups: Sequence[Group], outcomes: Sequence[Sequence[float]]) -> list[float]:
    """The outcome of the attempt that the ranker puts first of eight, a group; it sees no verdicts."""
    unseen = [replace(group, episodes=group.episodes[:K], verdicts=()) for group in groups]
    chosen: list[float] = []
    for row, predicted in zip(outcomes, ranker.predict(unseen), strict=True):
        if len(predicted) != K or not np.isfinite(predicted).all():
            raise ValueError(f"the critic said {predicted!r:.80} of {K} attempts; expected a number each")
        chosen.append(row[int(np.argmax(predicted))])
    return chosen
