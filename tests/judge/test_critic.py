"""The critic learns what the executor says, and nothing it should not see."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from episodes import sums, task, turn, verdict

from autotelic.exam.statistics import auroc, brier
from autotelic.judge import Critic
from autotelic.judge.critic import CriticModel
from autotelic.judge.siblings import families_of, prompts_of, rows_of
from autotelic.streams import stream
from autotelic.types import Attempt, Group

VOCABULARY, CONTEXT = 21, 64


def fresh(**changes: float) -> Critic:
    sizes = {"vocabulary": VOCABULARY, "context": CONTEXT, "width": 32, "lr": 2e-3, "batch_tokens": 256}
    return Critic(**({"seed": 0} | sizes | changes))  # type: ignore[arg-type]


def outcomes(groups: list[Group]) -> list[bool]:
    return [v.passed for group in groups for v in group.verdicts]


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
        easy = group.attempts[0].turns[0].prompt_ids[0] % 2 == 0
        passed = [bool(rng.random() < (0.9 if easy else 0.1)) for _ in group.attempts]
        return replace(group, verdicts=tuple(verdict(p) for p in passed))

    for generation in range(8):
        critic.learn([even_is_easy(g) for g in sums(rng, 100)], seed=generation)
    unseen = sums(rng, 60)
    guess = np.array(critic.baseline(unseen))
    easy = np.array([g.attempts[0].turns[0].prompt_ids[0] % 2 == 0 for g in unseen])
    assert guess[easy].min() > 0.7
    assert guess[~easy].max() < 0.3


def test_before_it_has_learned_it_ranks_as_certainty_does() -> None:
    groups = sums(stream(3), 20)
    said_G = said(fresh(), groups)
    sure = [sum(a.turns[0].logprobs) + min(a.turns[0].logprobs) for g in groups for a in g.attempts]
    assert np.corrcoef(said_G, sure)[0, 1] > 0.9
    assert fresh().baseline(groups) == [0.5] * 20


def test_it_learns_where_certainty_misleads() -> None:
    rng, critic = stream(3, "critic"), fresh()

    def sure_is_wrong(group: Group) -> Group:
        passed = [a.turns[0].logprobs[0] < -1 for a in group.attempts]
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
    alone = [replace(g, attempts=(a,)) for g in groups for a in g.attempts]
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
        for i, attempt in enumerate(group.attempts):
            (alone,) = families_of([replace(group, attempts=(attempt,))], [[0.0]], CONTEXT)
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
    attempts = (
        Attempt(task_id="t", turns=(first, second), answer=""),
        Attempt(task_id="t", turns=(turn([1], [5], [-0.5]),), answer=""),
    )
    group = Group(task=task(), attempts=attempts, verdicts=())
    (family,) = families_of([group], [[1.0, 0.0]], CONTEXT)
    # prompt | 2, 3, feedback, 4 | 5
    assert family.certainty()[:, 0].tolist() == [0, -1, -4, -4, -6, -0.5]
    assert family.certainty()[:, 1].tolist() == [0, -1, -2, -2, -2, -0.5]
    assert family.certainty()[:, 2].tolist() == [0, -1, -3, -3, -3, -0.5]


def test_a_family_too_wide_is_cut_between_attempts() -> None:
    pieces = families_of([several_turns()], [[1.0, 0.0, 1.0]], CONTEXT, width=8)
    assert [len(p) for p in pieces] == [8, 6]
    assert [p.passed.tolist() for p in pieces] == [[1], [0, 1]]
    assert [len(p) for p in families_of([several_turns()], [[1, 0, 1]], CONTEXT, width=1)] == [8, 4, 4]


def test_only_what_the_executor_said_of_solvers_is_learned() -> None:
    critic, (good, *_) = fresh(), sums(stream(5), 1)
    own = replace(good, verdicts=tuple(verdict(True, "critic") for _ in good.attempts))
    report = critic.learn([own, replace(good, role="proposer"), replace(good, verdicts=())], seed=0)
    assert (report.n, report.updates) == (0, 0)
    assert np.isnan(report.loss)
    assert critic.learn([good], seed=0).n == len(good.attempts)
    assert critic.quality.n == len(good.attempts)


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
    assert critic.state()[0]["memory.passed"].shape == (100,)


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


def test_what_cannot_be_read_is_refused() -> None:
    critic = fresh()
    long = Attempt(task_id="x", turns=(turn([1] * 60, [2] * 10),), answer="")
    with pytest.raises(ValueError, match="60 \\+ 10 tokens"):
        critic.predict([Group(task=task("x"), attempts=(long,), verdicts=())])
    broken = Attempt(task_id="x", turns=(turn([1], [3, 20], [float("nan"), -1.0]),), answer="")
    with pytest.raises(ValueError, match="log-probabilities"):
        critic.learn([Group(task=task("x"), attempts=(broken,), verdicts=(verdict(True),))], seed=0)
    with pytest.raises(ValueError, match="no turns"):
        critic.predict(
            [Group(task=task("x"), attempts=(Attempt(task_id="x", turns=(), answer=""),), verdicts=())]
        )


def test_nothing_to_read_is_no_error() -> None:
    assert fresh().predict([]) == []
    assert fresh().baseline([]) == []
    assert prompts_of([]) == []


def several_turns() -> Group:
    """Three attempts at one prompt; the first of two turns, with one token of feedback between them."""
    first = turn([1, 2], [3, 4, 20])
    second = turn([1, 2, 3, 4, 20, 5], [6, 20])
    attempts = (
        Attempt(task_id="t", turns=(first, second), answer=""),
        Attempt(task_id="t", turns=(turn([1, 2], [7, 20]),), answer=""),
        Attempt(task_id="t", turns=(turn([1, 2], [8, 20]),), answer=""),
    )
    return Group(task=task(), attempts=attempts, verdicts=tuple(verdict(p) for p in (True, False, True)))


def taught(seed: int = 0) -> Critic:
    critic = fresh(seed=seed)
    critic.learn(sums(stream(0), 40), seed=0)
    return critic
