"""What a proposal earns: nothing can be traded for anything else."""

from __future__ import annotations

import numpy as np
import pytest

from autotelic.propose.proposer import as_groups, draw_references, learnability, reward
from autotelic.types import Attempt, Cell, Group, Lineage, Proposal, Task, Turn, Verdict

TURN = Turn(prompt_ids=(1,), completion_ids=(2,), logprobs=(-1.0,), weights="w", stop="eos")


def task(level: int = 1) -> Task:
    return Task(id=f"t{level}", domain="d", mode="m", level=level, prompt="p", secret={}, signature="s")


def tried(passed: int, attempts: int) -> Group:
    verdicts = tuple(Verdict(reward=float(i < passed), passed=i < passed, reason="") for i in range(attempts))
    return Group(
        task=task(),
        attempts=tuple(Attempt(task_id="t", turns=(TURN,), answer="") for _ in verdicts),
        verdicts=verdicts,
    )


@pytest.mark.parametrize(("passed", "expected"), [(0, 0.0), (8, 0.0), (4, 1.0), (1, 0.64), (7, 0.64)])
def test_learnability_is_greatest_at_one_half_and_nil_at_the_ends(passed: int, expected: float) -> None:
    assert learnability(passed, 8) == pytest.approx(expected)


def test_a_task_that_is_not_new_earns_nothing_however_learnable() -> None:
    assert reward(tried(4, 8), novelty=0.0) == 0.0
    assert reward(tried(4, 8), novelty=0.5) == pytest.approx(0.5)


def test_a_task_that_all_solve_earns_nothing_however_new() -> None:
    assert reward(tried(8, 8), novelty=1.0) == 0.0


def test_proposals_asked_for_the_same_mode_are_siblings() -> None:
    proposals = [
        Proposal(text=str(i), cell=Cell(mode=mode, level=1), lineage=Lineage(), turn=TURN)
        for i, mode in enumerate("aba")
    ]
    verdicts = [Verdict(reward=float(i), passed=True, reason="") for i in range(3)]
    groups = as_groups(proposals, verdicts)
    assert [(g.task.mode, g.role, g.rewards) for g in groups] == [
        ("a", "proposer", (0.0, 2.0)),
        ("b", "proposer", (1.0,)),
    ]


def test_references_are_of_the_level_asked_for() -> None:
    pool = [task(1), task(2)]
    cells = [Cell(mode="m", level=2), Cell(mode="m", level=3)]
    drawn = draw_references(pool, cells, 2, np.random.default_rng(0))
    assert {t.level for t in drawn[0]} == {2}
    assert drawn[1] == []
