"""Search: checks choose, what is held back does not, and the budget is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from autotelic.attempt.search import ROUND, Searched, search
from autotelic.attempt.search_scores import curve_of, measured
from autotelic.types import Episode, Group, Lineage, Spec, Step, Task, Turn, Verdict, text_of

SPEC = Spec(name="sums", modes=("sum",), levels=(1,))
TASK = Task(domain="sums", mode="sum", level=1, prompt="2 + 2", secret={"shown": "4", "held": "right"})


def wrote(answer: str, logprob: float = -1.0) -> Episode:
    turn = Turn(
        prompt_ids=(1,), completion_ids=(2, 3), logprobs=(logprob,) * 2, weights="sha256:w", stop="eos"
    )
    return Episode(task_id="", steps=(Step(turn=turn),), answer=answer)


class Sums:
    """An answer passes its check with `4`; the judge also wants `right` in it."""

    spec = SPEC

    def tasks(self, rng: object, cells: Sequence[object]) -> list[Task]:
        return []

    def judge(self, episodes: Sequence[tuple[Task, Episode]]) -> list[Verdict]:
        return [verdict("right" in e.answer) for _, e in episodes]

    def check(self, episodes: Sequence[tuple[Task, Episode]]) -> list[Verdict | None]:
        return [verdict("4" in e.answer) for _, e in episodes]

    def same(self, mode: str, answer: str) -> str:
        return answer.strip("!")

    def repair(self, task: Task, answer: str, said: Verdict, lineage: Lineage) -> Task | None:
        return replace(task, prompt=f"{task.prompt}, not {answer}", is_repair=True, id="")


def verdict(passed: bool) -> Verdict:
    return Verdict(reward=float(passed), passed=passed, reason="", feedback="" if passed else "no")


class Says:
    """A policy that goes through a list of answers, and takes down what it was asked."""

    def __init__(self, answers: Sequence[str]) -> None:
        self.answers = iter(answers)
        self.asked: list[tuple[str, int]] = []

    def attempt(self, tasks: Sequence[Task], *, siblings: int, temperature: float, seed: int) -> list[Group]:
        self.asked += [(text_of(task.prompt), siblings) for task in tasks]
        return [
            Group(task=task, episodes=tuple(wrote(next(self.answers)) for _ in range(siblings)))
            for task in tasks
        ]


def test_a_search_ends_where_something_passes_and_hands_it_in() -> None:
    policy = Says(["1"] * ROUND + ["2", "4 right"] + ["3"] * (ROUND - 2))
    (found,) = search(policy, Sums(), [TASK], budget=64, temperature=1.0, seed=0)
    assert found.samples == 2 * ROUND
    assert found.passed
    chosen = found.chosen(Sums())
    assert chosen is not None
    assert chosen.answer == "4 right"


def test_the_budget_is_kept_and_what_most_say_is_handed_in_where_nothing_passes() -> None:
    policy = Says(["1", "2", "2!", "3"] * 5)
    (found,) = search(policy, Sums(), [TASK], budget=12, temperature=1.0, seed=0)
    assert found.samples == 12
    assert found.passed is False
    chosen = found.chosen(Sums())
    assert chosen is not None
    assert chosen.answer == "2"
    with pytest.raises(ValueError, match="budget=0"):
        search(policy, Sums(), [TASK], budget=0, temperature=1.0, seed=0)


def test_what_is_held_back_never_chooses() -> None:
    """One that passes its checks and is wrong is handed in before one that is right and fails them."""
    policy = Says(["right", "4"] + ["5"] * 6)
    (found,) = search(policy, Sums(), [TASK], budget=8, temperature=1.0, seed=0)
    chosen = found.chosen(Sums())
    assert chosen is not None
    assert chosen.answer == "4"
    scores = measured(Sums(), [found])[TASK.cell]
    assert (scores.solved, scores.reachable, scores.first) == (0.0, 1.0, 1 / 8)
    assert curve_of(Sums(), [found], [1, 2]) == {1: 1.0, 2: 0.0}


def test_the_surest_of_equals_is_handed_in() -> None:
    one = Searched(TASK)
    one.add([wrote("4", -2.0), wrote("4!", -0.5), wrote("44", -0.1)], [verdict(True)] * 3)
    chosen = one.chosen(Sums())
    assert chosen is not None
    assert chosen.answer == "4!"


def test_repairs_read_the_latest_failure_and_count_in_the_budget() -> None:
    policy = Says(["1"] * 7 + ["latest"] + ["4 right"] * 4 + ["5"] * 8)
    (found,) = search(policy, Sums(), [TASK], budget=16, temperature=1.0, seed=0, repairs=True)
    assert policy.asked == [("2 + 2", 8), ("2 + 2, not latest", 4), ("2 + 2", 8)]
    assert found.samples == 16
    assert found.passed
