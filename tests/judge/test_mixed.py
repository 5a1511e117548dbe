"""Every source on hand-made groups, and what their mixture may and may not let through."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest
from episodes import episode, sums, task, turn
from hypothesis import given, settings
from hypothesis import strategies as st

from autotelic.credit import GroupAdvantage
from autotelic.errors import DomainError
from autotelic.judge import Critic, Mixed
from autotelic.judge.certainty import Certainty
from autotelic.judge.consensus import Consensus
from autotelic.judge.mixed import CriticJudge
from autotelic.judge.verifier import Verifier, truth_of
from autotelic.streams import stream
from autotelic.types import YES_NO, Calibration, Episode, Group, Range, Scale, Spec, Task, Verdict

METRES = Range(low=-10.0, high=30.0)


class Right:
    """A domain in which the answer is `yes`; it remembers what it was asked."""

    spec = Spec(name="right", modes=("deduction",), levels=(1,))

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def tasks(self, rng: object, cells: object) -> list[Task]:
        return []

    def judge(self, episodes: Sequence[tuple[Task, Episode]]) -> list[Verdict]:
        self.asked += [(t.id, e.answer) for t, e in episodes]
        return [self.verdict(e.answer) for _, e in episodes]

    def verdict(self, answer: str) -> Verdict:
        passed = answer == "yes"
        return Verdict(reward=float(passed), passed=passed, reason="ran", feedback="printed")

    def same(self, mode: str, answer: str) -> str:
        return answer.replace(" ", "")


class Thrown(Right):
    """A domain in which an answer is how far something was thrown, in metres; nobody knows what success is."""

    spec = Spec(name="thrown", modes=("deduction",), levels=(1,), scale=METRES)

    def verdict(self, answer: str) -> Verdict:
        return Verdict(reward=float(answer), passed=None, reason="fell")


class Guess:
    """A critic that says 0.9 of whatever begins with y, and 0.2 of the rest."""

    def __init__(self, trusted: bool) -> None:
        self.quality = Calibration(n=1000, ece=0.02, auroc=0.9, siblings=0.8, brier=0.1, trusted=trusted)

    def predict(self, groups: Sequence[Group]) -> list[tuple[float, ...]]:
        return [tuple(0.9 if e.answer.startswith("y") else 0.2 for e in g.episodes) for g in groups]

    def cut(self, groups: Sequence[Group]) -> int:
        return sum(len(e.answer) > 20 for g in groups for e in g.episodes)


def group(*answers: str, id: str = "t", logprobs: Sequence[float] = (-0.5, -0.5)) -> Group:
    episodes = tuple(
        episode(turn([1], [2] * len(logprobs), logprobs), answer=answer, task_id=id) for answer in answers
    )
    return Group(task=named(id), episodes=episodes)


def named(id: str) -> Task:
    return replace(task(id), id=id)


def mixed(trusted: bool = True, domain: Right | None = None, **weights: float) -> tuple[Mixed, Right]:
    domain = domain or Right()
    return Mixed(domain, Guess(trusted), **weights), domain  # type: ignore[arg-type]


def rewards(verdicts: Sequence[Verdict]) -> list[float]:
    return [v.reward for v in verdicts]


def test_the_verifier_asks_once_for_all_groups() -> None:
    domain = Right()
    said = Verifier(domain).judge([group("yes", "no"), group("no", id="u")])  # type: ignore[arg-type]
    assert [rewards(v) for v in said] == [[1, 0], [0]]
    assert domain.asked == [("t", "yes"), ("t", "no"), ("u", "no")]


def test_the_critic_rewards_its_own_probability() -> None:
    ((sure, unsure),) = CriticJudge(Guess(True)).judge([group("yes", "no")])  # type: ignore[arg-type]
    assert (sure.reward, sure.passed, sure.source) == (0.9, True, "critic")
    assert (unsure.reward, unsure.passed) == (0.2, False)


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (["1", "1", "2"], [1, 1, 0]),
        (["[1, 2]", "[1,2]", "[1,3]"], [1, 1, 0]),  # one answer by the domain's word, two spellings
        (["1", "1", "2", "2"], [0, 0, 0, 0]),  # a tie
        (["1", "2", "3"], [0, 0, 0]),  # no two agree
        (["1"], [0]),  # a lone voice is no majority
        (["", "", "1"], [0, 0, 0]),  # no answer is no vote
        (["", "", "", "1", "1"], [0, 0, 0, 1, 1]),
    ],
)
def test_consensus(answers: list[str], expected: list[float]) -> None:
    (said,) = Consensus(Right()).judge([group(*answers)])
    assert rewards(said) == expected
    assert [v.passed for v in said] == [bool(r) for r in expected]


def test_certainty_is_the_geometric_mean_probability() -> None:
    ((said,),) = Certainty().judge([group("x", logprobs=[math.log(0.9), math.log(0.4)])])
    assert said.reward == pytest.approx(0.6)
    assert said.passed
    ((empty,),) = Certainty().judge([group("x", logprobs=[])])
    assert empty.reward == 0


def test_certainty_spans_all_turns() -> None:
    first, second = turn([1], [2], [math.log(0.8)]), turn([1, 2], [3], [math.log(0.2)])
    both = replace(group("x"), episodes=(episode(first, second, replies=["2"]),))
    assert Certainty().judge([both])[0][0].reward == pytest.approx(0.4)


def test_the_verifier_alone_is_passed_through() -> None:
    voices, domain = mixed()
    ((good, bad),) = voices.judge([group("yes", "no")])
    assert (good, bad) == (domain.verdict("yes"), domain.verdict("no"))


def test_rewards_are_mixed_and_the_outcome_is_the_verifiers() -> None:
    voices, _ = mixed(verifier=0.6, critic_weight=0.3, consensus=0.1)
    (said,) = voices.judge([group("yes", "yeah", "yeah")])
    assert rewards(said) == pytest.approx([0.6 + 0.27, 0.27 + 0.1, 0.27 + 0.1])
    assert [v.passed for v in said] == [True, False, False]
    assert {v.source for v in said} == {"verifier"}
    assert said[1].feedback == "printed"


def test_a_critic_that_is_not_trusted_has_no_weight() -> None:
    voices, _ = mixed(trusted=False, verifier=0.6, critic_weight=0.4)
    groups = voices.verify([group("yes", "yeah")])
    assert groups[0].rewards == (1, 0)
    _, (note,) = voices.appraise(groups, 3)
    assert "the critic had no weight" in note


def test_without_the_verifier_the_verifier_decides_nothing() -> None:
    voices, domain = mixed(verifier=0, certainty=1)
    (said,) = voices.judge([group("yes", "no")])
    assert rewards(said) == pytest.approx([math.exp(-0.5)] * 2)
    assert {v.source for v in said} == {"certainty"}
    assert domain.asked == []


def test_if_no_source_is_left_the_verifier_judges() -> None:
    voices, _ = mixed(trusted=False, verifier=0, critic_weight=1)
    (said,) = voices.judge([group("yes", "no")])
    assert [(v.reward, v.source) for v in said] == [(1, "verifier"), (0, "verifier")]


def many(count: int) -> list[Group]:
    return [group("yes", "yeah", "no", id=f"task{i}") for i in range(count)]


def test_about_the_share_asked_for_is_withheld_and_never_executed() -> None:
    voices, domain = mixed(withhold=0.3, seed=7)
    judged = voices.verify(many(400))
    apart = {g.task.id for g in judged if g.verdicts[0].source == "critic"}
    assert 80 < len(apart) < 160
    assert apart.isdisjoint(id for id, _ in domain.asked)
    assert all(g.rewards == (0.9, 0.9, 0.2) for g in judged if g.task.id in apart)
    assert all(g.rewards == (1, 0, 0) for g in judged if g.task.id not in apart)


def test_a_task_is_withheld_whatever_its_company() -> None:
    voices, _ = mixed(withhold=0.5)
    whole = voices.judge(many(20))
    assert [v for g in many(20)[::-1] for v in voices.judge([g])][::-1] == whole


def test_withholding_falls_back_and_says_so() -> None:
    voices, domain = mixed(trusted=False, withhold=0.5)
    judged = voices.verify(many(20))
    assert all(g.verdicts[0].source == "verifier" for g in judged)
    assert len(domain.asked) == 60
    _, (note,) = voices.appraise(judged, 0)
    assert "groups to be withheld went to the verifier, because the critic is not trusted" in note


def test_an_audit_is_logged_and_reaches_no_verdict() -> None:
    voices, domain = mixed(withhold=1.0)
    judged = voices.verify(many(20))
    assert domain.asked == []
    found, notes = voices.appraise(judged, generation=2)
    assert (found.withheld, found.audited) == (20, 8)
    assert found.audit == pytest.approx(2 / 3)  # `yeah` looked right
    assert len(domain.asked) == 24
    assert all(v.source == "critic" and v.feedback == "" for g in judged for v in g.verdicts)
    assert notes == ()
    assert voices.appraise(judged, 2) == (found, ())


def test_agreement_with_the_verifier() -> None:
    voices, _ = mixed()
    judged = voices.verify([group("yes", "yeah", "yeah"), group("yes", "yes", "no", id="u")])
    found, notes = voices.appraise(judged, 0)
    assert found.agreement["critic"] == pytest.approx(4 / 6)
    assert found.agreement["consensus"] == pytest.approx(3 / 6)
    assert found.agreement["certainty"] == pytest.approx(3 / 6)
    assert found.ranking["certainty"] == 0.5
    assert found.ranking["critic"] == pytest.approx(6 / 9)  # 3 right at 0.9; 2 wrong at 0.9, 1 at 0.2
    assert math.isnan(found.audit)
    assert notes == ()


def test_nothing_judged_is_nothing_said() -> None:
    voices, _ = mixed()
    assert voices.judge([]) == []
    assert math.isnan(voices.appraise([], 0)[0].agreement["critic"])


weight = st.floats(0, 1).map(lambda w: round(w, 3))


@settings(max_examples=60, deadline=None)
@given(weight, weight, weight, weight, st.lists(st.sampled_from(["yes", "yeah", "no", ""]), min_size=1))
def test_rewards_stay_between_nothing_and_one(
    verifier: float, critic: float, consensus: float, certainty: float, answers: list[str]
) -> None:
    voices, _ = mixed(verifier=verifier, critic_weight=critic, consensus=consensus, certainty=certainty)
    (said,) = voices.judge([group(*answers)])
    assert all(0 <= v.reward <= 1 + 1e-12 for v in said)
    if verifier:
        assert [v.passed for v in said] == [a == "yes" for a in answers]


def test_a_task_is_learned_from_only_where_the_verifier_may_be_heard() -> None:
    tasks = [named(str(i)) for i in range(400)]
    assert mixed()[0].executed(tasks) == tasks
    assert mixed(verifier=0.0, certainty=1.0)[0].executed(tasks) == []
    judge = mixed(withhold=0.5)[0]
    kept = {t.id for t in judge.executed(tasks)}
    assert 150 < len(kept) < 250
    groups = [replace(g, task=named(str(i))) for i, g in enumerate(many(400))]
    heard = {
        g.task.id for g, vs in zip(groups, judge.judge(groups), strict=True) if vs[0].source == "verifier"
    }
    assert kept == heard
    assert mixed(trusted=False, withhold=0.5)[0].executed(tasks) == tasks


# ── the control ──────────────────────────────────────────────────────────────────────────────────────────────────


def eights(count: int) -> list[Group]:
    return [group(*["yes"] * 4, *["no"] * 4, id=str(i)) for i in range(count)]


def test_what_credit_is_dealt_are_the_siblings_own_verdicts_in_another_order() -> None:
    judged = mixed(shuffle=1.0)[0].verify(eights(50))
    control, _ = mixed(shuffle=1.0)
    dealt = control.dealt(judged)
    assert [sorted(rewards(g.verdicts)) for g in dealt] == [sorted(rewards(g.verdicts)) for g in judged]
    assert [g.episodes for g in dealt] == [g.episodes for g in judged]
    assert sum(d.verdicts != j.verdicts for d, j in zip(dealt, judged, strict=True)) > 40
    assert control.dealt(judged) == dealt


def test_a_share_of_the_groups_is_dealt_anew_and_without_the_control_none() -> None:
    judged = mixed()[0].verify(eights(200))
    half = mixed(shuffle=0.5)[0].dealt(judged)
    moved = sum(d.verdicts != j.verdicts for d, j in zip(half, judged, strict=True))
    assert 60 < moved < 140
    assert mixed()[0].dealt(judged) == judged


def test_the_control_hides_the_truth_from_credit_alone() -> None:
    # Verdicts are what is imitated, repaired, counted by the curriculum and learned by the critic. Once they were
    # shuffled themselves, and so a wrong answer was imitated and the critic was taught noise.
    plain, control = mixed()[0], mixed(shuffle=1.0)[0]
    groups = eights(30)
    assert control.judge(groups) == plain.judge(groups)
    judged = control.verify(groups)
    assert all(
        (e.answer == "yes") == v.passed for g in judged for e, v in zip(g.episodes, g.verdicts, strict=True)
    )
    assert control.appraise(judged, 0) == plain.appraise(judged, 0)
    advantages = GroupAdvantage().assign(control.dealt(judged))
    agree = [
        (e.answer == "yes") == (a > 0)
        for g, earned in zip(judged, advantages, strict=True)
        for e, a in zip(g.episodes, earned or (), strict=True)
    ]
    assert 0.35 < sum(agree) / len(agree) < 0.65


def test_the_critic_learns_the_same_in_the_control() -> None:
    def taught(shuffle: float) -> list[tuple[float, ...]]:
        critic = Critic(vocabulary=21, context=64, seed=0, width=32, batch_tokens=256)
        feedback = Mixed(Right(), critic, shuffle=shuffle)
        groups = [
            replace(g, episodes=tuple(_as_yes_or_no(e) for e in g.episodes)) for g in sums(stream(1), 30)
        ]
        judged = feedback.verify(groups)
        feedback.dealt(judged)
        critic.learn(judged, seed=0)
        return critic.predict(groups)

    assert taught(1.0) == taught(0.0)


def _as_yes_or_no(tried: Episode) -> Episode:
    prompt, completion = tried.turns[0].prompt_ids, tried.turns[0].completion_ids
    return replace(tried, answer="yes" if completion[0] == sum(prompt[:2]) else "no")


# ── real rewards ─────────────────────────────────────────────────────────────────────────────────────────────────


def thrown(*metres: float, id: str = "t") -> Group:
    return group(*map(str, metres), id=id)


def test_the_verifier_alone_gives_the_domains_own_rewards() -> None:
    voices, _ = mixed(domain=Thrown())
    (said,) = voices.judge([thrown(-7.5, 12.25, 30)])
    assert rewards(said) == [-7.5, 12.25, 30]
    assert {v.passed for v in said} == {None}


def test_several_sources_are_mixed_on_the_scale_and_brought_back_to_it() -> None:
    voices, _ = mixed(domain=Thrown(), verifier=0.5, critic_weight=0.5)
    (said,) = voices.judge([thrown(-10, 30)])
    # Scaled 0 and 1, with the critic's 0.2 of both: 0.1 and 0.6 of 40 metres.
    assert rewards(said) == pytest.approx([-10 + 4, -10 + 24])
    assert {(v.passed, v.source, v.reason) for v in said} == {(None, "verifier", "fell")}


def test_a_source_that_stands_alone_rewards_on_the_scale_and_knows_no_success() -> None:
    voices, domain = mixed(domain=Thrown(), verifier=0, certainty=1)
    (said,) = voices.judge([thrown(1, 2)])
    assert rewards(said) == pytest.approx([-10 + 40 * math.exp(-0.5)] * 2)
    assert {(v.passed, v.source) for v in said} == {(None, "certainty")}
    assert domain.asked == []
    (withheld,) = mixed(domain=Thrown(), withhold=1.0)[0].judge([thrown(1, 2)])
    assert rewards(withheld) == pytest.approx([-10 + 40 * 0.2] * 2)
    assert {(v.passed, v.source) for v in withheld} == {(None, "critic")}


def test_sources_are_ranked_against_real_rewards_and_agree_with_nobody() -> None:
    voices, _ = mixed(domain=Thrown())
    found, notes = voices.appraise(voices.verify([thrown(1, 2, 3)]), 0)
    assert found.ranking["certainty"] == 0.5
    assert math.isnan(found.agreement["critic"])
    assert notes == ()


def test_an_audit_of_real_rewards_compares_what_was_said_with_success_where_it_is_known() -> None:
    class Far(Thrown):
        def verdict(self, answer: str) -> Verdict:
            return replace(super().verdict(answer), passed=float(answer) >= 10)

    voices, _ = mixed(domain=Far(), withhold=1.0)
    found, _ = voices.appraise(voices.verify([thrown(1, 2, 11, 12)]), 0)
    assert (found.withheld, found.audited, found.audit) == (1, 1, 0.5)  # 0.2 says no of all four


@pytest.mark.parametrize(
    ("scale", "reward", "passed", "truth"),
    [
        (YES_NO, 1.0, True, 1.0),
        (YES_NO, 0.7, False, 0.0),  # a mixture, of which success has no part
        (YES_NO, 0.7, None, 0.7),
        (METRES, 10.0, True, 0.5),
        (METRES, 30.0, None, 1.0),
    ],
)
def test_the_truth_that_others_learn(scale: Scale, reward: float, passed: bool | None, truth: float) -> None:
    assert truth_of(Verdict(reward=reward, passed=passed, reason=""), scale) == truth


# ── what goes wrong ──────────────────────────────────────────────────────────────────────────────────────────────


def test_consensus_needs_a_domain_that_can_compare_answers() -> None:
    class Silent:
        spec = Spec(name="throws", modes=("m",), levels=(1,))

        def tasks(self, rng: object, cells: object) -> list[Task]:
            return []

        def judge(self, episodes: Sequence[tuple[Task, Episode]]) -> list[Verdict]:
            return [Verdict(reward=0.0, passed=False, reason="") for _ in episodes]

    with pytest.raises(
        DomainError, match=r"feedback.consensus = 0.5, and the throws domain cannot say"
    ) as error:
        Mixed(Silent(), Guess(True), consensus=0.5)  # type: ignore[arg-type]
    assert "\n" not in str(error.value)
    found, _ = Mixed(Silent(), Guess(True)).appraise([], 0)  # type: ignore[arg-type]
    assert set(found.agreement) == {"critic", "certainty"}


def test_attempts_that_the_critic_reads_in_part_are_noted() -> None:
    voices, _ = mixed()
    _, (note,) = voices.appraise(voices.verify([group("yes", "y" * 30)]), 0)
    assert note == "1 attempts are longer than the critic reads, and it read their end"


@pytest.mark.parametrize(
    ("trusted", "weights", "leader"),
    [
        (True, {}, "verifier"),
        (True, {"verifier": 0.1, "critic_weight": 0.9}, "verifier"),
        (True, {"verifier": 0.0, "critic_weight": 0.6, "certainty": 0.4}, "critic"),
        (False, {"verifier": 0.0, "critic_weight": 0.6, "certainty": 0.4}, "certainty"),
        (False, {"verifier": 0.0, "critic_weight": 1.0}, "verifier"),
    ],
)
def test_who_decides_whether_an_attempt_passed(trusted: bool, weights: dict[str, float], leader: str) -> None:
    voices, _ = mixed(trusted=trusted, **weights)
    assert voices.leader == leader
    (said,) = voices.judge([group("yes", "no")])
    assert {v.source for v in said} == {leader}


def test_entropy_is_mixed_like_any_other_source_and_needs_a_measure() -> None:
    voices, _ = mixed(verifier=0.5, entropy=0.5, measure=lambda episodes: [0.0] * len(episodes))
    assert rewards(voices.judge([group("yes", "no")])[0]) == [1.0, 0.5]
    assert set(voices.appraise(voices.verify([group("yes", "no")]), 0)[0].agreement) >= {"entropy"}
    with pytest.raises(DomainError, match=r"nothing measures entropies; set feedback\.entropy = 0"):
        mixed(entropy=0.5)


def test_a_source_that_was_cut_has_no_weight_and_the_verifier_is_what_is_left() -> None:
    voices, _ = mixed(verifier=0.0, certainty=0.5, critic_weight=0.5)
    assert set(voices.internal) == {"certainty", "critic"}
    voices.heed(["critic"])
    assert voices.internal == ("certainty",)
    assert {v.source for v in voices.judge([group("yes", "no")])[0]} == {"certainty"}
    voices.heed(["critic", "certainty"])
    assert voices.internal == ()
    assert voices.leader == "verifier"
    assert rewards(voices.judge([group("yes", "no")])[0]) == [1.0, 0.0]


def test_a_critic_that_was_cut_judges_nothing_alone() -> None:
    voices, domain = mixed(withhold=1.0)
    assert voices.internal == ("critic",)
    assert {v.source for v in voices.judge([group("yes", "no")])[0]} == {"critic"}
    voices.heed(["critic"])
    assert voices.internal == ()
    assert {v.source for v in voices.judge([group("yes", "no")])[0]} == {"verifier"}
    assert domain.asked


def test_an_audit_hears_the_verifier_and_every_internal_source() -> None:
    voices, _ = mixed(verifier=0.0, certainty=1.0, consensus=0.5)
    truth, said = voices.audit([group("yes", "no", "no")])
    assert rewards(truth[0]) == [1, 0, 0]
    assert {source: rewards(v[0]) for source, v in said.items()} == {
        "certainty": pytest.approx([math.exp(-0.5)] * 3),
        "consensus": [0, 1, 1],
    }
