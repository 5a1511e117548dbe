"""The critic learns what the executor says, and nothing it should not see."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from episodes import episode, sums, task, turn, verdict

from autotelic.judge import Critic
from autotelic.judge.critic import LONGEST, CriticModel
from autotelic.judge.siblings import families_of, prompts_of, rows_of
from autotelic.statistics import auroc, brier
from autotelic.streams import stream
from autotelic.types import Episode, Group, Range, Verdict

VOCABULARY, CONTEXT = 21, 64


def fresh(**changes: float) -> Critic:
    sizes = {"vocabulary": VOCABULARY, "context": CONTEXT, "width": 32, "lr": 2e-3, "batch_tokens": 256}
    return Critic(**({"seed": 0} | sizes | changes))  # type: ignore[arg-type]


def outcomes(groups: list[Group]) -> list[bool]:
    return [bool(v.passed) for group in groups for v in group.verdicts]


def said(critic: Critic, groups: list[Group]) -> list[float]:
    return [p for ps in critic.predict(groups) for p in ps]


def test_it_learns_to_tell_right_sums_from_wrong_ones() -> None:
    rng, critic = stream(1, "critic"), fresh()
    unseen = sums(rng, 100)
    assert auroc(said(critic, unseen), outcomes(unseen)) < 0.6
    for generation in range(18):
        critic.learn(sums(rng, 100), seed=generation)
    assert auroc(said(critic, unseen), outcomes(unseen)) > 0.9
    quality = critic.quality
    assert quality.n == 2000
    assert quality.trusted
    assert quality.siblings > 0.8


def test_the_baseline_knows_hard_tasks_from_easy_ones() -> None:
    rng, critic = stream(2, "critic"), fresh()

    def even_is_easy(group: Group) -> Group:
        easy = group.episodes[0].turns[0].prompt_ids[0] % 2 == 0
        passed = [bool(rng.random() < (0.9 if easy else 0.1)) for _ in group.episodes]
        return replace(group, verdicts=tuple(verdict(p) for p in passed))

    for generation in range(8):
        critic.learn([even_is_easy(g) for g in sums(rng, 100)], seed=generation)
    unseen = sums(rng, 60)
    guess = np.array(critic.baseline(unseen))
    easy = np.array([g.episodes[0].turns[0].prompt_ids[0] % 2 == 0 for g in unseen])
    assert guess[easy].min() > 0.7
    assert guess[~easy].max() < 0.3


def test_before_it_has_learned_it_ranks_as_certainty_does() -> None:
    groups = sums(stream(3), 20)
    said_G = said(fresh(), groups)
    sure = [sum(a.turns[0].logprobs) + min(a.turns[0].logprobs) for g in groups for a in g.episodes]
    assert np.corrcoef(said_G, sure)[0, 1] > 0.9
    assert fresh().baseline(groups) == [0.5] * 20


def test_it_learns_where_certainty_misleads() -> None:
    rng, critic = stream(3, "critic"), fresh()

    def sure_is_wrong(group: Group) -> Group:
        passed = [a.turns[0].logprobs[0] < -1 for a in group.episodes]
        return replace(group, verdicts=tuple(verdict(p) for p in passed))

    unseen = [sure_is_wrong(g) for g in sums(rng, 60)]
    assert auroc(said(critic, unseen), outcomes(unseen)) < 0.3
    for generation in range(12):
        critic.learn([sure_is_wrong(g) for g in sums(rng, 100)], seed=generation)
    assert auroc(said(critic, unseen), outcomes(unseen)) > 0.9


def test_predictions_do_not_depend_on_verdicts_or_on_siblings() -> None:
    critic = taught()
    groups = sums(stream(4), 6)
    whole = critic.predict(groups)
    assert critic.predict([replace(g, verdicts=()) for g in groups]) == whole
    alone = [replace(g, episodes=(a,)) for g in groups for a in g.episodes]
    assert [p for (p,) in critic.predict(alone)] == pytest.approx([p for ps in whole for p in ps], abs=1e-5)


def test_a_family_is_read_as_its_episodes_are_one_by_one() -> None:
    torch.manual_seed(0)
    model = CriticModel(vocabulary=VOCABULARY, width=32, depth=2, context=CONTEXT)
    torch.nn.init.normal_(model.head.weight)
    group = several_turns()
    together = families_of([group], [[1.0, 0.0, 1.0]], CONTEXT)
    assert len(together) == 1
    rows = rows_of(together * 3, width=24)
    assert rows.ids_BT.shape == (2, 24)
    with torch.no_grad():
        logits = model(rows).flatten()
        ended = logits[rows.ended_A].view(3, 3)
        asked = logits[rows.asked_F]
        for i, attempt in enumerate(group.episodes):
            (alone,) = families_of([replace(group, episodes=(attempt,))], [[0.0]], CONTEXT)
            single = rows_of([alone])
            found = model(single).flatten()
            assert ended[:, i].tolist() == pytest.approx([float(found[single.ended_A])] * 3, abs=1e-5)
            assert asked.tolist() == pytest.approx([float(found[single.asked_F])] * 3, abs=1e-5)


def test_later_turns_are_read_and_what_they_were_shown_is_not_their_own() -> None:
    (family,) = families_of([several_turns()], [[1.0, 0.0, 1.0]], CONTEXT)
    assert family.ids.tolist() == [1, 2, 3, 4, 20, 5, 6, 20, 7, 20, 8, 20]
    assert family.sampled.tolist() == [0, 0, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1]
    assert family.ends.tolist() == [7, 9, 11]
    assert rows_of([family]).position_BT.tolist() == [[0, 1, 2, 3, 4, 5, 6, 7, 2, 3, 2, 3]]


def test_certainty_is_summed_averaged_and_bounded_within_an_attempt() -> None:
    first, second = turn([1], [2, 3], [-1.0, -3.0]), turn([1, 2, 3, 9], [4], [-2.0])
    group = Group(task=task(), episodes=(episode(first, second), episode(turn([1], [5], [-0.5]))))
    (family,) = families_of([group], [[1.0, 0.0]], CONTEXT)
    # prompt | 2, 3, feedback, 4 | 5
    assert family.certainty()[:, 0].tolist() == [0, -1, -4, -4, -6, -0.5]
    assert family.certainty()[:, 1].tolist() == [0, -1, -2, -2, -2, -0.5]
    assert family.certainty()[:, 2].tolist() == [0, -1, -3, -3, -3, -0.5]


def test_a_family_too_wide_is_cut_between_attempts() -> None:
    pieces = families_of([several_turns()], [[1.0, 0.0, 1.0]], CONTEXT, width=8)
    assert [len(p) for p in pieces] == [8, 6]
    assert [p.outcome.tolist() for p in pieces] == [[1], [0, 1]]
    assert [len(p) for p in families_of([several_turns()], [[1, 0, 1]], CONTEXT, width=1)] == [8, 4, 4]


def test_only_what_the_executor_said_of_solvers_is_learned() -> None:
    critic, (good, *_) = fresh(), sums(stream(5), 1)
    own = replace(good, verdicts=tuple(verdict(True, "critic") for _ in good.episodes))
    report = critic.learn([own, replace(good, role="proposer"), replace(good, verdicts=())], seed=0)
    assert (report.n, report.updates) == (0, 0)
    assert np.isnan(report.loss)
    assert critic.learn([good], seed=0).n == len(good.episodes)
    assert critic.quality.n == len(good.episodes)


def test_quality_is_of_what_was_said_before_learning() -> None:
    critic = fresh()
    groups = sums(stream(6), 100)
    critic.learn(groups, seed=0)
    stated = said(fresh(), groups)
    assert critic.quality.brier == brier(stated, outcomes(groups))
    assert critic.quality.auroc == auroc(stated, outcomes(groups))
    assert said(critic, groups) != stated


def test_memory_is_bounded_and_replayed() -> None:
    critic = fresh(memory=100)
    reports = [critic.learn(sums(stream(7, g), 10), seed=g) for g in range(5)]
    assert [r.n for r in reports] == [40] * 5
    assert [r.replayed for r in reports] == [0, 40, 80, 80, 80]
    assert critic.state()[0]["memory.outcome"].shape == (100,)


def test_a_restored_critic_goes_on_bit_for_bit() -> None:
    critic, other = taught(), fresh(seed=9)
    tensors, state = critic.state()
    other.restore(tensors, json.loads(json.dumps(state)))
    more = sums(stream(8), 40)
    assert other.quality == critic.quality
    for generation in range(2):
        assert other.predict(more) == critic.predict(more)
        one, two = critic.learn(more, seed=generation), other.learn(more, seed=generation)
        assert replace(one, seconds=0) == replace(two, seconds=0)
    (left, left_state), (right, right_state) = critic.state(), other.state()
    assert left.keys() == right.keys()
    assert all(torch.equal(left[name], right[name]) for name in left)
    assert left_state == right_state


def test_the_same_seeds_give_the_same_critic() -> None:
    left, right, other = taught(), taught(), taught(seed=5)
    groups = sums(stream(9), 5)
    assert left.predict(groups) == right.predict(groups)
    assert left.predict(groups) != other.predict(groups)


def test_log_probabilities_that_are_not_finite_are_refused() -> None:
    broken = episode(turn([1], [3, 20], [float("nan"), -1.0]))
    with pytest.raises(ValueError, match="log-probabilities that are not finite"):
        fresh().learn([Group(task=task("x"), episodes=(broken,), verdicts=(verdict(True),))], seed=0)


def test_of_an_attempt_longer_than_the_context_the_end_is_read() -> None:
    prompt, answer = [i % 19 for i in range(60)], [2] * 40
    long, short = episode(turn(prompt, answer)), episode(turn(prompt[:8], [3, 20]))
    group = Group(task=task(), episodes=(long,), verdicts=(verdict(True),))
    (family,) = families_of([group], [[1.0]], CONTEXT)
    assert len(family) == CONTEXT
    assert family.ids.tolist() == prompt[-32:] + answer[-32:]
    assert family.sampled.tolist() == [0] * 32 + [1] * 32
    critic = fresh()
    assert critic.cut([group, Group(task=task(), episodes=(short,))]) == 1
    ((said,),) = critic.predict([group])
    assert 0 <= said <= 1
    assert len(critic.baseline([group])) == 1
    report = critic.learn([group], seed=0)
    assert (report.n, report.updates, report.skipped) == (1, 1, "")


def test_an_attempt_whose_prompt_alone_fills_the_context_is_read() -> None:
    group = Group(task=task(), episodes=(episode(turn([1] * 200, [2, 20])),), verdicts=(verdict(True),))
    (family,) = families_of([group], [[1.0]], CONTEXT)
    assert family.ids.tolist() == [1] * 32 + [2, 20]
    assert fresh().learn([group], seed=0).n == 1


def test_no_critic_reads_more_than_is_worth_it() -> None:
    assert fresh(context=100_000).context == LONGEST


def test_what_wrote_nothing_cannot_succeed_and_teaches_nothing() -> None:
    nothing = Episode(task_id="t", steps=(), answer="", ending="length")
    empty = episode(turn([1, 2], []))
    written = episode(turn([1, 2], [3, 20]))
    critic = fresh()
    group = Group(
        task=task(), episodes=(nothing, written, empty), verdicts=tuple(verdict(False) for _ in range(3))
    )
    ((first, second, third),) = critic.predict([group])
    assert first == third < 1e-9
    assert second == pytest.approx(critic.predict([replace(group, episodes=(written,))])[0][0])
    assert critic.learn([group], seed=0).n == 0
    with pytest.raises(ValueError, match="nothing was written"):
        families_of([group], [[0.0] * 3], CONTEXT)


def test_it_learns_real_rewards_as_they_are_scaled() -> None:
    rng = stream(11, "critic")
    critic = fresh(scale=Range(low=-4.0, high=4.0))

    def rewarded(group: Group) -> Group:
        # The smaller the sum that was written, the better: a reward that is never simply right or wrong.
        rewards = [2.0 - float(e.turns[0].completion_ids[0]) for e in group.episodes]
        return replace(group, verdicts=tuple(Verdict(reward=r, passed=None, reason="") for r in rewards))

    unseen = [rewarded(g) for g in sums(rng, 60)]
    for generation in range(14):
        critic.learn([rewarded(g) for g in sums(rng, 100)], seed=generation)
    predicted = np.array(said(critic, unseen))
    true = np.array([(r + 4) / 8 for g in unseen for r in g.rewards])
    assert np.abs(predicted - true).mean() < 0.07
    assert auroc(predicted, true) > 0.9
    assert critic.quality.siblings > 0.8


def test_a_mixed_reward_does_not_reach_the_critic_where_success_is_known() -> None:
    one, other = fresh(), fresh()
    groups = sums(stream(12), 30)

    def mixed(group: Group) -> Group:
        return replace(group, verdicts=tuple(replace(v, reward=0.5 + v.reward / 4) for v in group.verdicts))

    one.learn(groups, seed=0)
    other.learn([mixed(g) for g in groups], seed=0)
    assert one.quality == other.quality
    assert one.predict(groups) == other.predict(groups)


def test_updates_that_are_not_finite_are_refused_and_reported() -> None:
    critic, groups = taught(), sums(stream(13), 30)
    before = [p.detach().clone() for p in critic.model.parameters()]
    hook = critic.model.head.weight.register_hook(lambda gradient: gradient * float("nan"))
    report = critic.learn(groups, seed=0)
    assert report.updates == 0
    assert np.isnan(report.loss)
    assert "updates had a loss or gradient that is not finite" in report.skipped
    assert all(torch.equal(p, old) for p, old in zip(critic.model.parameters(), before, strict=True))
    hook.remove()
    assert critic.learn(groups, seed=1).skipped == ""


def test_nothing_to_read_is_no_error() -> None:
    assert fresh().predict([]) == []
    assert fresh().baseline([]) == []
    assert prompts_of([], CONTEXT) == []


def several_turns() -> Group:
    """Three attempts at one prompt; the first of two turns, with one token of feedback between them."""
    first = turn([1, 2], [3, 4, 20])
    second = turn([1, 2, 3, 4, 20, 5], [6, 20])
    episodes = (
        episode(first, second, replies=["5"]),
        episode(turn([1, 2], [7, 20])),
        episode(turn([1, 2], [8, 20])),
    )
    return Group(task=task(), episodes=episodes, verdicts=tuple(verdict(p) for p in (True, False, True)))


def taught(seed: int = 0) -> Critic:
    critic = fresh(seed=seed)
    critic.learn(sums(stream(0), 40), seed=0)
    return critic


def test_a_value_is_what_is_believed_before_each_sampled_token() -> None:
    """Read one prefix at a time, and of two turns, what the environment said in between is no token of it."""
    critic, groups = fresh(), sums(stream(3, "values"), 3)
    critic.learn(groups, seed=0)
    two = episode(turn([1, 2, 19], [3, 20]), turn([1, 2, 19, 3, 20, 5, 6], [4, 20]), task_id="2")
    groups.append(Group(task=task("2"), episodes=(two, groups[0].episodes[0])))
    found = critic.values(groups)
    assert [[len(v) for v in one] for one in found] == [[2] * 4] * 3 + [[4, 2]]
    for group, one in zip(groups, found, strict=True):
        assert [v[0] for v in one[:1]] == pytest.approx(critic.baseline([group]), abs=1e-6)
    prefix = Group(task=task("2"), episodes=(episode(turn([1, 2, 19], [3, 20])),))
    (((_, second),),) = critic.values([prefix])
    assert found[3][0][1] == pytest.approx(second, abs=1e-6)
    # Before the second turn's first token it has read what the environment said.
    assert found[3][0][2] != pytest.approx(found[3][0][1], abs=1e-6)


def test_values_of_what_was_not_read_are_the_first_that_is_known() -> None:
    critic = fresh()
    long = episode(turn([1, 2, 19], [3] * 80))
    ((found,),) = critic.values([Group(task=task(), episodes=(long,))])
    assert len(found) == 80
    assert len(set(found[:10])) == 1
    assert len(set(found[-20:])) > 1
