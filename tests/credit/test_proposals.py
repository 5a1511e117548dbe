"""What a proposal earns: nothing can be traded for anything else, and no level pays for another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autotelic.credit.proposals import REFUSED, learnability, proposal_groups, worth
from autotelic.messages import Outcome
from autotelic.streams import stream
from autotelic.types import YES_NO, Cell, Episode, Group, Lineage, Proposal, Range, Scale, Task, Turn, Verdict

TURN = Turn(prompt_ids=(1,), completion_ids=(2,), logprobs=(-1.0,), weights="w", stop="eos")


def tried(rewards: Sequence[float], prompt: str = "p", cluster: str = "") -> Group:
    task = Task(domain="d", mode="m", level=1, prompt=prompt, secret={}, cluster=cluster)
    return Group(
        task=task,
        episodes=tuple(Episode(task_id=task.id, steps=(), answer="") for _ in rewards),
        verdicts=tuple(Verdict(reward=r, passed=None, reason="") for r in rewards),
    )


def proposal(id: int, mode: str = "m", level: int = 1, turn: Turn | None = TURN) -> Proposal:
    return Proposal(text=str(id), cell=Cell(mode=mode, level=level), lineage=Lineage(), turn=turn, id=id)


def assigned(
    proposals: Sequence[Proposal],
    outcomes: Sequence[Outcome],
    groups: Sequence[Group] = (),
    scale: Scale = YES_NO,
    seed: int = 0,
    crowded: float = 0.0,
) -> list[Group]:
    return proposal_groups(
        proposals, outcomes, groups, lambda cluster: crowded, stream(seed, "refusals"), scale
    )


@pytest.mark.parametrize(("passed", "expected"), [(0, 0.0), (8, 0.0), (4, 1.0), (1, 0.64), (7, 0.64)])
def test_learnability_is_greatest_at_one_half_and_nil_at_the_ends(passed: int, expected: float) -> None:
    assert learnability([1.0] * passed + [0.0] * (8 - passed)) == pytest.approx(expected)


@given(st.integers(0, 40), st.integers(0, 40))
def test_for_yes_and_no_it_is_four_p_times_one_minus_p_of_the_posterior_mean(
    passed: int, failed: int
) -> None:
    p = (passed + 1) / (passed + failed + 2)
    expected = 4 * p * (1 - p) if passed and failed else 0.0
    assert learnability([1.0] * passed + [0.0] * failed) == pytest.approx(expected)


@settings(max_examples=100)
@given(st.lists(st.floats(0, 1), max_size=12))
def test_for_real_rewards_it_is_their_variance_with_one_reward_at_each_end(rewards: list[float]) -> None:
    found = learnability(rewards)
    assert 0 <= found <= 1
    if rewards and np.ptp(rewards) > 1e-6:
        assert found == pytest.approx(4 * np.var([*rewards, 0.0, 1.0]))
    else:
        assert found == 0


def test_rewards_that_differ_more_are_worth_more() -> None:
    assert learnability([0.5, 0.5, 0.5]) < learnability([0.4, 0.5, 0.6]) < learnability([0.0, 0.5, 1.0])


def test_a_task_that_is_not_new_earns_nothing_however_learnable() -> None:
    group = tried([1, 1, 0, 0])
    assert worth(group, 0.0, YES_NO) == 0.0
    assert worth(group, 0.5, YES_NO) == pytest.approx(0.5)
    assert worth(tried([1] * 8), 1.0, YES_NO) == 0.0


def test_what_a_task_is_worth_does_not_depend_on_the_scale_of_its_rewards() -> None:
    real = tried([-3.0, 7.0, 2.0])
    assert worth(real, 1.0, Range(low=-3, high=7)) == pytest.approx(worth(tried([0, 1, 0.5]), 1.0, YES_NO))


def test_proposals_asked_for_the_same_mode_are_siblings_by_their_own_ids() -> None:
    groups = [tried([1, 0], str(i)) for i in range(3)]
    proposals = [proposal(7, "b"), proposal(8, "a"), proposal(9, "b")]
    outcomes = [Outcome(proposal=p.id, task=g.task.id) for p, g in zip(proposals, groups, strict=True)]
    found = assigned(proposals, outcomes, groups, crowded=0.25)
    assert [(g.task.mode, g.role, [e.id for e in g.episodes]) for g in found] == [
        ("a", "proposer", [8]),
        ("b", "proposer", [7, 9]),
    ]
    assert found[1].rewards == pytest.approx([0.75, 0.75])
    assert found[1].episodes[0].turns == (TURN,)
    assert found[1].episodes[0].answer == "7"


def test_what_was_not_attempted_or_not_sampled_is_not_credited() -> None:
    group = tried([1, 0])
    proposals = [proposal(1), proposal(2), proposal(3, turn=None)]
    outcomes = [
        Outcome(proposal=1, task=group.task.id),
        Outcome(proposal=2, task="set aside"),
        Outcome(proposal=3, task=group.task.id),
    ]
    (found,) = assigned(proposals, outcomes, [group])
    assert [e.id for e in found.episodes] == [1]
    assert assigned([], []) == []


def by_level(seed: int) -> Counter[int]:
    """Levels of the refusals credited, where 59, 79 and 71 were refused and 48 tasks were attempted.

    Proposals come in the order of their levels, as they are asked for.
    """
    refused = [(1, 59), (2, 79), (3, 71)]
    levels = [(level, kept) for level, n in refused for kept in (True,) * 48 + (False,) * n]
    groups = [tried([1, 0], str(i)) for i in range(48)]
    proposals = [proposal(i, level=level) for i, (level, _) in enumerate(levels)]
    admitted = iter([g.task.id for g in groups] + ["not attempted"] * 96)
    outcomes = [
        Outcome(proposal=i, task=next(admitted)) if kept else Outcome(proposal=i, reason="syntax")
        for i, (_, kept) in enumerate(levels)
    ]
    (found,) = assigned(proposals, outcomes, groups, seed=seed)
    level_of = {p.id: p.cell.level for p in proposals}
    pairs = zip(found.episodes, found.verdicts, strict=True)
    return Counter(level_of[episode.id] for episode, verdict in pairs if verdict.reward == REFUSED)


def test_refusals_are_credited_in_proportion_to_where_they_happened() -> None:
    # They were taken from the front of the list once: all of level 1.
    total = sum((by_level(seed) for seed in range(30)), Counter[int]())
    assert total.total() == 30 * round(48 * 209 / 144)
    for level, refused in ((1, 59), (2, 79), (3, 71)):
        assert total[level] / total.total() == pytest.approx(refused / 209, abs=0.03)
    assert by_level(3) == by_level(3)
    assert min(by_level(0).values()) > 5


def test_refusals_are_as_frequent_among_the_credited_as_among_the_written() -> None:
    groups = [tried([1, 0], str(i)) for i in range(10)]
    proposals = [proposal(i) for i in range(40)]
    outcomes = [
        Outcome(
            proposal=i,
            task=groups[i // 2].task.id if i % 2 == 0 and i < 20 else "else" if i % 4 else "",
            reason="r",
        )
        for i in range(40)
    ]
    refused = sum(not outcome.task for outcome in outcomes)
    (found,) = assigned(proposals, outcomes, groups)
    credited = sum(v.reward == REFUSED for v in found.verdicts)
    assert credited / len(found.verdicts) == pytest.approx(refused / 40, abs=0.06)
    assert {v.reason for v in found.verdicts if v.reward == REFUSED} == {"r"}


def test_where_nothing_was_attempted_no_refusal_is_credited_either() -> None:
    assert assigned([proposal(1)], [Outcome(proposal=1, reason="syntax")]) == []
