"""Credit: golden numbers, and what must hold for any rewards."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autotelic.credit import GroupAdvantage
from autotelic.credit.advantage import above
from autotelic.types import Binary, Episode, Group, Range, Role, Task, Verdict


def group(rewards: Sequence[float], mode: str = "deduction", role: Role = "solver", id: str = "t") -> Group:
    task = Task(domain="d", mode=mode, level=1, prompt=id, secret={})
    return Group(
        task=task,
        episodes=tuple(Episode(task_id=task.id, steps=(), answer="") for _ in rewards),
        verdicts=tuple(Verdict(reward=r, passed=r > 0.5, reason="") for r in rewards),
        role=role,
    )


def test_the_baseline_is_the_mean_of_the_others() -> None:
    # Others' means: 1/3, 1/3, 2/3, 2/3.
    assert above(np.array([1.0, 1.0, 0.0, 0.0]), None, 0.0) == pytest.approx([2 / 3, 2 / 3, -2 / 3, -2 / 3])


def test_the_prior_counts_as_so_many_siblings() -> None:
    # b = (0 + 2 * 0.9) / (1 + 2) = 0.6 for the one that passed, (1 + 1.8) / 3 for the one that failed.
    assert above(np.array([1.0, 0.0]), 0.9, 2.0) == pytest.approx([0.4, -2.8 / 3])


def test_the_prior_fades_as_siblings_grow() -> None:
    def shift(n: int) -> float:
        rewards = np.array([1.0, 0.0] * (n // 2))
        return float(above(rewards, None, 0.0)[0] - above(rewards, 1.0, 2.0)[0])

    assert shift(2) > shift(8) > shift(64) > 0


def test_golden_advantages_of_one_group() -> None:
    # Surprises 3/3, -1/3, -1/3, -1/3: mean 0, standard deviation sqrt(1/3).
    (found,) = GroupAdvantage().assign([group([1, 0, 0, 0])])
    assert found == pytest.approx([3**0.5, -(3**-0.5), -(3**-0.5), -(3**-0.5)])


def test_golden_advantages_with_a_prior() -> None:
    # Surprises 0.4 and -2.8/3 of the first task (prior 0.9), 0.9333 and -0.4 of the second (prior 0.1):
    # mean 0, mean square (0.16 + 0.8711) / 2 = 0.51556.
    credit = GroupAdvantage(prior=lambda groups: [0.9, 0.1], weight=2.0)
    easy, hard = credit.assign([group([1, 0], id="easy"), group([1, 0], id="hard")])
    assert easy == pytest.approx([0.55709, -1.29986], abs=1e-4)
    assert hard == pytest.approx([1.29986, -0.55709], abs=1e-4)


def test_no_group_is_divided_by_its_own_deviation() -> None:
    # GRPO would give the lone success in eight sqrt(7) and the even group 1, a ratio of 2.65.
    rare, even = GroupAdvantage().assign([group([1] + [0] * 7), group([1] * 4 + [0] * 4)])
    assert rare is not None
    assert even is not None
    assert rare[0] / even[0] == pytest.approx(1 / (4 / 7))
    assert sum(rare) == pytest.approx(0)
    assert sum(even) == pytest.approx(0)


def test_roles_and_modes_do_not_share_a_scale() -> None:
    wide, narrow, other = group([1, 0]), group([0.1, 0.0], role="proposer"), group([0.2, 0.0], "abduction")
    assert GroupAdvantage().assign([wide, narrow, other]) == [pytest.approx([1, -1])] * 3


def test_the_prior_is_not_asked_about_proposers() -> None:
    asked: list[str] = []

    def prior(groups: Sequence[Group]) -> list[float]:
        asked.extend(g.role for g in groups)
        return [0.5 for _ in groups]

    GroupAdvantage(prior=prior).assign([group([1, 0]), group([1, -1], role="proposer"), group([0, 0])])
    assert asked == ["solver"]


def test_groups_without_variance_are_dropped() -> None:
    groups = [group([1, 1]), group([0, 0]), group([0.3, 0.3, 0.9]), group([1, 0]), group([1])]
    assert [a is None for a in GroupAdvantage().assign(groups)] == [True, True, False, False, True]


def test_real_rewards_are_scaled_so_that_the_prior_is_worth_what_it_says() -> None:
    scale = Range(low=-10, high=10)
    real = GroupAdvantage(prior=lambda groups: [0.9] * len(groups), scale=scale)
    plain = GroupAdvantage(prior=lambda groups: [0.9] * len(groups), scale=Binary())
    assert real.assign([group([10, -10, 0])]) == [pytest.approx(plain.assign([group([1, 0, 0.5])])[0])]


def test_proposers_rewards_are_on_no_domains_scale() -> None:
    # A refusal's -1 would be 0 on this scale, as would an unlearnable task's 0.
    (found,) = GroupAdvantage(scale=Binary()).assign([group([-1, 0, 1], role="proposer")])
    assert found == pytest.approx([-(1.5**0.5), 0, 1.5**0.5])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.floats(0, 1, width=16), min_size=2, max_size=6), min_size=1, max_size=4),
    st.floats(-50, 50),
    st.floats(0.1, 100),
)
def test_advantages_do_not_depend_on_where_a_scale_begins_nor_on_its_width(
    found: list[list[float]], low: float, width: float
) -> None:
    plain = GroupAdvantage().assign([group(r) for r in found])
    moved = [group([low + width * x for x in r]) for r in found]
    real = GroupAdvantage(scale=Range(low=low, high=low + width)).assign(moved)
    for one, other in zip(plain, real, strict=True):
        assert (one is None) == (other is None)
        assert one is None or other is None or one == pytest.approx(other, abs=1e-6)


def test_unjudged_and_broken_groups_are_refused() -> None:
    whole = group([1, 0])
    with pytest.raises(ValueError, match="2 attempts and 0 verdicts"):
        GroupAdvantage().assign([Group(task=whole.task, episodes=whole.episodes)])
    with pytest.raises(ValueError, match="expected finite"):
        GroupAdvantage().assign([group([1, float("nan")])])


rewards = st.lists(st.floats(0, 1, width=16), min_size=1, max_size=8)


@settings(max_examples=100, deadline=None)
@given(st.lists(rewards, min_size=1, max_size=6), st.floats(0, 1), st.floats(0, 8))
def test_a_pool_has_mean_zero_and_deviation_one(
    found: list[list[float]], prior: float, weight: float
) -> None:
    groups = [group(r) for r in found]
    advantages = GroupAdvantage(prior=lambda asked: [prior] * len(asked), weight=weight).assign(groups)
    whole = [x for a in advantages if a is not None for x in a]
    for r, a in zip(found, advantages, strict=True):
        if a is not None:
            assert np.argsort(a, kind="stable").tolist() == np.argsort(r, kind="stable").tolist()
    if whole:
        assert np.mean(whole) == pytest.approx(0, abs=1e-9)
        assert np.std(whole) == pytest.approx(1)
