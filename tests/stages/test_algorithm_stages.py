"""What an algorithm changes in the stages: sampling again, staleness, and what is said when reward is mute."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numbers_game import Scripted, group, numbered, run, services, state_of

from autotelic.attempt.resample import resample
from autotelic.attempt.stage import attempt
from autotelic.credit.stage import credit
from autotelic.credit.warnings import GENERATIONS, warnings
from autotelic.learn.pack import imitate, reinforce
from autotelic.learn.stage import learn
from autotelic.learn.staleness import fresh
from autotelic.messages import Admitted, Attempted, Credited, Dropped, Earned, Judged, Proposed, Repairing
from autotelic.types import Group, LearnReport, Task

TASKS = [numbered("double", n) for n in range(10)]
MIXED, FAILED, PASSED = ["right", "wrong"], ["wrong", "wrong"], ["right", "right"]


def judged(*answers: tuple[Task, list[str]]) -> Judged:
    return Judged(purpose="attempt", groups=tuple(group(task, said) for task, said in answers))


# ── dynamic sampling ─────────────────────────────────────────────────────────────────────────────────────


def test_as_many_new_tasks_are_drawn_as_groups_are_flat() -> None:
    given = services({"learn.algorithm": "dapo"})
    first = judged(*zip(TASKS[:4], [MIXED, FAILED, PASSED, MIXED], strict=True))
    found = resample(given, state_of(given), Admitted(tasks=tuple(TASKS)), [first])
    assert found.round == 1
    assert len(found.tasks) == 2
    assert not {task.id for task in found.tasks} & {task.id for task in TASKS[:4]}


def test_where_no_task_is_new_the_flat_ones_are_attempted_again_with_other_randomness() -> None:
    seeds: list[int] = []

    class Noting(Scripted):
        def attempt(self, tasks: Any, *, siblings: int, temperature: float, seed: int) -> list[Group]:
            seeds.append(seed)
            return super().attempt(tasks, siblings=siblings, temperature=temperature, seed=seed)

    given = services({"learn.algorithm": "dapo"}, policy=Noting(lambda task, i: "right"))
    state = state_of(given)
    first = judged(*zip(TASKS[:3], [MIXED, FAILED, PASSED], strict=True))
    admitted = Admitted(tasks=tuple(TASKS[:3]))
    again = resample(given, state, admitted, [first])
    assert {task.id for task in again.tasks} == {TASKS[1].id, TASKS[2].id}
    (attempted,) = run(attempt(given, state, again))
    assert isinstance(attempted, Attempted)
    assert attempted.purpose == "attempt"
    # One of them has variance now; then one is missing, and after that the rounds are over.
    second = judged((TASKS[1], MIXED), (TASKS[2], PASSED))
    more = resample(given, state, admitted, [first, second])
    assert [task.id for task in more.tasks] == [TASKS[2].id]
    run(attempt(given, state, more))
    run(attempt(given, state, admitted))
    assert len(set(seeds)) == 3
    third = judged((TASKS[2], PASSED))
    assert resample(given, state, admitted, [first, second, third]).tasks
    assert not resample(given, state, admitted, [first, second, third, third]).tasks


def test_nothing_is_sampled_again_where_all_differ_or_the_algorithm_has_no_rounds() -> None:
    given = services({"learn.algorithm": "dapo"})
    all_differ = judged((TASKS[0], MIXED), (TASKS[1], MIXED))
    assert not resample(given, state_of(given), Admitted(tasks=tuple(TASKS)), [all_differ]).tasks
    given = services({"learn.algorithm": "grpo"})
    flat = judged((TASKS[0], FAILED))
    assert not resample(given, state_of(given), Admitted(tasks=tuple(TASKS)), [flat]).tasks


# ── staleness ────────────────────────────────────────────────────────────────────────────────────────────


def test_attempts_older_than_the_bound_are_dropped_and_demonstrations_are_not() -> None:
    attempted = reinforce(group(TASKS[0], ["right"]).episodes[0], 1.0)
    shown = imitate((1, 2), (3,))
    batches = [[attempted, shown], [attempted, shown], [attempted], [shown, attempted, attempted]]
    kept, (dropped,) = fresh(batches, 1)
    assert [len(batch) for batch in kept] == [2, 2, 1]
    assert dropped.n == 3
    assert "more than 1 updates older" in dropped.why
    assert fresh(batches, 0) == (batches, [])
    assert fresh(batches, 9) == (batches, [])


class Digests:
    """Weights whose digest names the update."""

    def __init__(self) -> None:
        self.n = 0

    def digest(self) -> str:
        return f"sha256:{self.n}"


class Counting:
    """A learner that counts."""

    def __init__(self, weights: Digests) -> None:
        self.weights = weights
        self.batches: list[Any] = []

    def step(self, batch: Any, rate: float) -> LearnReport:
        self.weights.n += 1
        self.batches.append(batch)
        figures = dict.fromkeys(("loss", "nll", "policy", "kl", "clipped", "entropy", "grad_norm"), 0.0)
        return LearnReport(**figures, tokens=1, seconds=0.0)


def test_learning_names_what_staleness_drops() -> None:
    weights = Digests()
    given = services(
        {"learn.imitation": 0.0, "learn.staleness": 1, "learn.batch_tokens": 64, "learn.kl": 0.0},
        weights=weights,
        learner=Counting(weights),
        rate=lambda step, progress: 1.0,
        clock=type("Clock", (), {"seconds": 0.0}),
        crew=type("Crew", (), {"size": 1}),
        sync=lambda: None,
        machine=type("M", (), {"server": ""}),
    )
    groups = tuple(group(numbered("double", n), MIXED, first=1 + 2 * n) for n in range(20))
    earned = tuple(
        Earned(role="solver", id=e.id, reward=1.0, advantage=1.0) for g in groups for e in g.episodes
    )
    found = run(
        learn(
            given,
            state_of(given),
            Proposed(bootstrap=False, wanted={}, proposals=()),
            Admitted(),
            [Judged(purpose="attempt", groups=groups)],
            Repairing(drafted=True, tasks=()),
            Credited(kept=20, flat=0, earned=earned),
        )
    )
    dropped = [m for m in found if isinstance(m, Dropped)]
    assert len(given.learner.batches) == 2
    assert [m.what for m in dropped] == ["attempt"]
    learned = sum(int((b.policy_BT > 0).any(-1).sum()) for b in given.learner.batches)
    assert learned > 0
    assert 0 < dropped[0].n < 40


# ── reward that is mute ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("answers", "change"),
    [
        ([FAILED, FAILED], "no attempt passed: lower domain.levels"),
        ([PASSED, PASSED], "every attempt passed: raise domain.levels"),
        ([PASSED, FAILED], "raise curriculum.group_size or roles.temperature"),
    ],
)
def test_generations_without_variance_are_named_with_what_to_change(
    answers: list[list[str]], change: str
) -> None:
    given = services()
    state = state_of(given)
    proposed = Proposed(bootstrap=False, wanted={}, proposals=())
    flat = judged(*zip(TASKS[:2], answers, strict=True))
    said = []
    for _ in range(2 * GENERATIONS):
        for message in credit(given, state, proposed, Admitted(), [flat]):
            state.apply(message)
            said += [message] if isinstance(message, Dropped) else []
    assert [f"no group had variance for {n} generations" in m.why for n, m in zip((5, 10), said, strict=True)]
    assert all(change in m.why for m in said)
    assert state.counters.flat == 2 * GENERATIONS
    for message in credit(given, state, proposed, Admitted(), [judged((TASKS[0], MIXED))]):
        state.apply(message)
    assert state.counters.flat == 0


def test_an_entropy_of_zero_is_named() -> None:
    plain = group(TASKS[0], PASSED)
    certain = replace(
        plain,
        episodes=tuple(
            replace(e, steps=tuple(replace(s, turn=replace(s.turn, logprobs=(0.0,) * 6)) for s in e.steps))
            for e in plain.episodes
        ),
    )
    (found,) = warnings([certain], 0, 0)
    assert "the entropy of every attempt is 0" in found.why
    assert "raise roles.temperature" in found.why
    assert not warnings([plain], 0, 0)
    assert not warnings([certain], 1, 0)
    assert not warnings([], 0, 4)


def test_tokens_keep_their_own_advantages_on_the_way_to_the_batch() -> None:
    trace = reinforce(group(TASKS[0], ["right"]).episodes[0], 0.5, tokens=(1.0, 2.0, 3.0, 4.0, 5.0, 6.0))
    assert trace.advantage.tolist() == [0, 0, 1, 2, 3, 4, 5, 6]
    assert np.array_equal(trace.policy, [0, 0, 1, 1, 1, 1, 1, 1])
