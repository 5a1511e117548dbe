"""Evaluating an exam: what is asked, what is scored, and what the scores claim."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from fakes import FakeDomain, Scripted, Throws, Turns, right, task
from hypothesis import given
from hypothesis import strategies as st

from autotelic.exam.evaluate import best_of, evaluate, judged, outcome, paired
from autotelic.exam.sealed import Exam
from autotelic.statistics import pass_at_k
from autotelic.types import Binary, Range, Verdict

EXAM = Exam(
    name="sealed",
    items=(*(task("double", 1, n) for n in range(12)), *(task("double", 2, 100 + n) for n in range(4))),
)


def able(prompt, request):
    """Level 1 always; level 2 in every fourth sample."""
    level = int(prompt.split()[1])
    return [f"think\n{right(prompt)}" if level == 1 or g % 4 == 3 else "7" for g in range(request.n)]


def evaluated(script=able, *, weights="w1", exam=EXAM, domain=None, **settings):
    settings = {"seed": 5, **settings}
    report, _ = evaluate(exam, Scripted(script, weights), domain or FakeDomain(), **settings)
    return report


class Knows:
    """A critic that believes in attempts whose answer is not 7, and remembers what it was shown."""

    def __init__(self):
        self.shown = []

    def predict(self, groups):
        self.shown += groups
        return [tuple(0.1 if e.answer == "7" else 0.9 for e in g.episodes) for g in groups]


def test_cells_are_scored_apart_and_count_the_same():
    report = evaluated()
    easy, hard, overall = report.cells["double/1"], report.cells["double/2"], report.overall
    assert (easy.pass_at_1.value, easy.pass_at_1.n) == (1.0, 12)
    assert (hard.pass_at_1.value, hard.pass_at_1.n) == (0.0, 4)
    assert (overall.pass_at_1.value, overall.pass_at_1.n) == (0.5, 16)
    assert hard.sampled_at_1.value == 0.25
    assert overall.sampled_at_1.value == pytest.approx(0.625)
    assert (hard.pass_at_8.value, overall.pass_at_8.value) == (1.0, 1.0)
    assert overall.best_of_8 is hard.best_of_8 is None
    assert list(report.outcomes.items()) == [(item.id, float(item.level == 1)) for item in EXAM.items]
    assert (report.exam, report.digest, report.weights) == ("sealed", EXAM.digest, "w1")
    for scores in (overall, easy, hard):
        for score in (scores.pass_at_1, scores.sampled_at_1, scores.pass_at_8):
            assert 0 <= score.low <= score.value <= score.high <= 1
            assert score.low < score.high


def test_the_greedy_attempts_come_with_their_verdicts():
    report, greedy = evaluate(EXAM, Scripted(able), FakeDomain(), seed=5)
    assert [group.task for group in greedy] == list(EXAM.items)
    assert all(len(group.episodes) == len(group.verdicts) == 1 for group in greedy)
    assert [float(group.verdicts[0].passed) for group in greedy] == [*report.outcomes.values()]


def test_what_is_asked_of_the_policy():
    policy = Scripted(able)
    evaluate(EXAM, policy, FakeDomain(), samples=8, temperature=0.7, seed=5)
    assert Counter((r.n, r.temperature) for r in policy.requests) == {(1, 0.0): 16, (8, 0.7): 16}
    assert len({r.seed for r in policy.requests}) == 32


def test_greedy_only_asks_for_nothing_else():
    policy, critic = Scripted(able), Knows()
    report, _ = evaluate(EXAM, policy, FakeDomain(), ranker=critic, seed=5, greedy_only=True)
    assert {r.temperature for r in policy.requests} == {0.0}
    for scores in (report.overall, report.cells["double/1"]):
        assert scores.sampled_at_1 is scores.pass_at_8 is scores.best_of_8 is None
    assert critic.shown == []


def test_answers_that_are_the_same_are_judged_once():
    domain = FakeDomain()
    evaluated(domain=domain)
    for batch in domain.batches:
        assert len({(asked.id, answer) for asked, answer in batch}) == len(batch)
    assert [len(batch) for batch in domain.batches] == [16, 12 + 2 * 4]


def test_episodes_of_several_turns_are_all_judged():
    one_turn, several = Throws(), Turns()
    for domain in (one_turn, several):
        exam = Exam(name="x", items=(domain.target(3), domain.target(4)))
        evaluated(lambda prompt, request: ["5"] * request.n, exam=exam, domain=domain)
    assert (one_turn.judged, several.judged) == (2 + 2, 2 + 16)


def test_the_critic_chooses_without_seeing_verdicts():
    critic = Knows()
    report = evaluated(ranker=critic)
    assert report.overall.best_of_8.value == 1.0
    assert all(group.verdicts == () and len(group.episodes) == 8 for group in critic.shown)

    class Blind(Knows):
        def predict(self, groups):
            return [(0.5,) * len(g.episodes) for g in groups]

    assert evaluated(ranker=Blind()).cells["double/2"].best_of_8.value == 0.0


def test_a_critic_that_says_nan_is_an_error():
    class Broken(Knows):
        def predict(self, groups):
            return [(float("nan"),) * 8 for _ in groups]

    with pytest.raises(ValueError, match="expected a number each"):
        evaluated(ranker=Broken())


def test_pass_at_8_of_more_samples_is_unbiased_and_of_fewer_not_claimed():
    def once_in_16(prompt, request):
        return [right(prompt) if g == 12 else "7" for g in range(request.n)]

    more = evaluated(once_in_16, ranker=Knows(), samples=16).overall
    assert more.pass_at_8.value == pytest.approx(0.5)
    assert more.best_of_8.value == 0.0
    fewer = evaluated(once_in_16, ranker=Knows(), samples=4).overall
    assert fewer.pass_at_8 is fewer.best_of_8 is None
    assert fewer.sampled_at_1.value == 0.0


def test_an_evaluation_is_a_function_of_its_seed():
    def moody(prompt, request):
        return [right(prompt) if (request.seed >> g) % 2 else "7" for g in range(request.n)]

    assert evaluated(moody) == evaluated(moody)
    assert evaluated(moody).outcomes != evaluated(moody, seed=6).outcomes
    assert evaluated(moody).overall.sampled_at_1 != evaluated(moody, seed=6).overall.sampled_at_1


def test_an_empty_exam_claims_nothing():
    domain = FakeDomain()
    score = evaluated(exam=Exam(name="own", items=()), domain=domain).overall.pass_at_1
    assert (score.low, score.high, score.n) == (0.0, 1.0, 0)
    assert domain.batches == []


def test_an_item_without_room_for_an_answer_counts_as_failed_and_is_not_judged():
    def short(prompt, request):
        return [] if prompt.endswith(" 3\n") else able(prompt, request)

    domain = FakeDomain()
    report = evaluated(short, domain=domain)
    assert report.outcomes[EXAM.items[3].id] == 0.0
    assert report.cells["double/1"].pass_at_1.value == pytest.approx(11 / 12)
    assert all(asked.id != EXAM.items[3].id for batch in domain.batches for asked, _ in batch)
    throws = Throws()
    groups = Scripted(lambda prompt, request: []).attempt(
        [throws.target(1)], siblings=2, temperature=1.0, seed=0
    )
    assert judged(throws, groups)[0].verdicts == (Verdict(reward=-10.0, passed=None, reason="no room"),) * 2


# ── real rewards ─────────────────────────────────────────────────────────────────────────────────────────────


def test_real_rewards_are_scaled_and_the_best_of_eight_is_their_mean():
    domain = Throws()
    exam = Exam(name="sealed", items=(domain.target(20), domain.target(40)))

    def throw(prompt, request):
        target = int(prompt.split()[-1])
        return [str(target + 10 - g) for g in range(request.n)] if request.n > 1 else [str(target - 5)]

    class Last:
        def predict(self, groups):
            return [range(len(group.episodes)) for group in groups]

    report = evaluated(throw, exam=exam, domain=domain, ranker=Last(), samples=9)
    assert [*report.outcomes.values()] == [0.5, 0.5]
    overall = report.overall
    assert overall.pass_at_1.value == 0.5
    assert overall.sampled_at_1.value == pytest.approx(np.mean([g / 10 for g in range(9)]))
    eights = [max(chosen) / 10 for chosen in combinations(range(9), 8)]
    assert overall.pass_at_8.value == pytest.approx(np.mean(eights))
    assert overall.best_of_8.value == pytest.approx(0.7)
    assert overall.pass_at_1.n == 2


def test_success_counts_where_it_is_known_and_reward_where_it_is_not():
    scale = Range(low=-2.0, high=2.0)
    assert outcome(Verdict(reward=-1.0, passed=None, reason=""), scale) == 0.25
    assert outcome(Verdict(reward=-1.0, passed=True, reason=""), scale) == 1.0
    assert outcome(Verdict(reward=1.0, passed=False, reason=""), Binary()) == 0.0


@given(outcomes=st.lists(st.integers(0, 4), min_size=1, max_size=7), data=st.data())
def test_the_best_of_k_is_the_mean_over_all_draws_of_k(outcomes, data):
    values = [value / 4 for value in outcomes]
    k = data.draw(st.integers(1, len(values)))
    means = [max(values[at] for at in chosen) for chosen in combinations(range(len(values)), k)]
    assert best_of(values, k) == pytest.approx(np.mean(means))


@given(n=st.integers(8, 20), correct=st.integers(0, 20))
def test_of_yes_or_no_the_best_of_k_is_pass_at_k(n, correct):
    correct = min(n, correct)
    assert best_of([1.0] * correct + [0.0] * (n - correct), 8) == pass_at_k(n, correct, 8)


# ── two of one exam ──────────────────────────────────────────────────────────────────────────────────────────


def test_two_evaluations_are_paired_by_item():
    champion = evaluated()
    candidate = evaluated(lambda prompt, request: [right(prompt)] * request.n, weights="w2")
    found = paired(champion, candidate, level=0.1)
    assert (found.wins, found.losses) == (4, 0)
    assert paired(champion, champion, level=0.1).verdict == "alike"
    assert paired(candidate, champion, level=0.1).losses == 4
    with pytest.raises(ValueError, match="the same one evaluated twice"):
        paired(champion, replace(candidate, digest="sha256:other"), level=0.1)
