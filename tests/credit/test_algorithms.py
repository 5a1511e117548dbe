"""Advantages of every algorithm against its formula, written out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from autotelic.algorithms import ALGORITHMS, AlgorithmName
from autotelic.credit import credit_of
from autotelic.credit.gae import gae
from autotelic.errors import DomainError, RunError
from autotelic.types import Episode, Group, Range, Role, Task, Verdict

CASES = [[1.0, 0.0, 0.0, 1.0], [1.0, 0.0, 0.0, 0.0], [1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 0.0, 0.0]]


def group(rewards: Sequence[float], role: Role = "solver", passed: bool = True, tokens: int = 3) -> Group:
    task = Task(domain="d", mode="m", level=1, prompt="t", secret={})
    return Group(
        task=task,
        episodes=tuple(Episode(task_id=task.id, steps=(), answer="") for _ in rewards),
        verdicts=tuple(Verdict(reward=r, passed=r > 0.5 if passed else None, reason="") for r in rewards),
        role=role,
    )


def values(groups: Sequence[Group]) -> list[list[tuple[float, ...]]]:
    """Three tokens an attempt."""
    return [[(0.5, 0.6, 0.2 + 0.1 * i) for i in range(len(g.episodes))] for g in groups]


def assigned(name: AlgorithmName, found: Sequence[Sequence[float]]) -> list[object]:
    return list(credit_of(name, values=values).assign([group(r) for r in found]))


def test_grpo() -> None:
    reward_GN = torch.tensor(CASES[:2])
    want_GN = (reward_GN - reward_GN.mean(1, keepdim=True)) / (reward_GN.std(1, keepdim=True) + 1e-4)
    for name in ("grpo", "dapo", "gspo"):
        first, second, *flat = assigned(name, CASES)
        assert [first, second] == [pytest.approx(row) for row in want_GN.tolist()]
        assert flat == [None, None]


def test_dr_grpo() -> None:
    assert assigned("dr-grpo", CASES) == [(0.5, -0.5, -0.5, 0.5), (0.75, -0.25, -0.25, -0.25), None, None]


def test_rloo() -> None:
    third = 1 / 3
    assert assigned("rloo", CASES[:2]) == [
        pytest.approx((2 * third, -2 * third, -2 * third, 2 * third)),
        pytest.approx((1.0, -third, -third, -third)),
    ]


def test_reinforce_plus_plus_has_one_baseline_for_all() -> None:
    reward_N = torch.tensor([r for case in CASES for r in case])
    want_N = (reward_N - reward_N.mean()) / (reward_N.std() + 1e-4)
    found = [a for one in assigned("reinforce++", CASES) for a in one]
    assert found == pytest.approx(want_N.tolist())
    assert assigned("reinforce++", [CASES[2], CASES[2]]) == [None, None]


def test_reinforce_plus_plus_keeps_roles_apart() -> None:
    given = [group([1, 0]), group([1, -1, 0], role="proposer")]
    solver, proposer = credit_of("reinforce++").assign(given)
    assert sum(solver) == pytest.approx(0)
    assert sum(proposer) == pytest.approx(0)


def test_gae_by_hand() -> None:
    # delta = (0.6 - 0.5, 0.2 - 0.6, 1 - 0.2) = (0.1, -0.4, 0.8); then from the end with 0.5.
    assert gae([0.5, 0.6, 0.2], 1.0, 0.5).tolist() == pytest.approx([0.1, 0.0, 0.8])
    # With 1 it is the return less the value; with 0 the next step's surprise.
    assert gae([0.5, 0.6, 0.2], 1.0, 1.0).tolist() == pytest.approx([0.5, 0.4, 0.8])
    assert gae([0.5, 0.6, 0.2], 1.0, 0.0).tolist() == pytest.approx([0.1, -0.4, 0.8])
    assert gae([], 1.0).tolist() == []


def test_ppo_has_an_advantage_for_every_token() -> None:
    found = assigned("ppo", CASES)
    raw = np.concatenate([gae((0.5, 0.6, 0.2 + 0.1 * i), r) for case in CASES for i, r in enumerate(case)])
    want = (raw - raw.mean()) / (raw.std(ddof=1) + 1e-4)
    assert [x for one in found for tokens in one for x in tokens] == pytest.approx(want.tolist())
    assert [len(tokens) for tokens in found[0]] == [3, 3, 3, 3]


def test_ppo_without_a_critic_is_refused_in_one_line() -> None:
    with pytest.raises(RunError, match=r"'ppo' values every token by the critic.*; set learn.algorithm"):
        credit_of("ppo")


def test_raft_keeps_right_answers_alone() -> None:
    assert assigned("raft", CASES) == [(1, 0, 0, 1), (1, 0, 0, 0), (1, 1, 1, 1), None]


def test_nft_weighs_right_and_wrong_by_how_many_passed() -> None:
    assert assigned("nft", CASES) == [(0.5, -0.5, -0.5, 0.5), (0.75, -0.25, -0.25, -0.25), None, None]


@pytest.mark.parametrize("name", ["raft", "nft"])
def test_what_needs_success_is_refused_where_there_is_none(name: AlgorithmName) -> None:
    with pytest.raises(DomainError, match=rf"{name}.*numbers from 0 to 5; set learn.algorithm = 'grpo'"):
        credit_of(name, scale=Range(low=0, high=5))
    with pytest.raises(DomainError, match="has rewards and no success"):
        credit_of(name).assign([group([0.5, 1.0], passed=False)])


@pytest.mark.parametrize("name", list(ALGORITHMS))
def test_a_reward_outside_its_scale_is_refused_in_one_line(name: AlgorithmName) -> None:
    with pytest.raises(DomainError, match="has a reward of 3, and its domain's scale is 0 to 1; widen"):
        credit_of(name, values=values).assign([group([3.0, 1.0])])


rewards = st.lists(st.sampled_from([0.0, 1.0]), min_size=2, max_size=8)


@settings(max_examples=50, deadline=None)
@given(st.lists(rewards, min_size=1, max_size=5), st.sampled_from(sorted(set(ALGORITHMS) - {"ppo"})))
def test_better_attempts_never_have_less(found: list[list[float]], name: AlgorithmName) -> None:
    for r, a in zip(found, credit_of(name).assign([group(r) for r in found]), strict=True):
        if a is not None:
            assert max((x for x, y in zip(a, r, strict=True) if y == 0), default=-9) < min(
                (x for x, y in zip(a, r, strict=True) if y == 1), default=9
            )


@settings(max_examples=50, deadline=None)
@given(st.lists(rewards, min_size=1, max_size=5), st.sampled_from(["grpo", "dr-grpo", "rloo", "nft", "dapo"]))
def test_within_a_group_advantages_sum_to_nothing(found: list[list[float]], name: AlgorithmName) -> None:
    for a in credit_of(name).assign([group(r) for r in found]):
        assert a is None or sum(a) == pytest.approx(0, abs=1e-9)
