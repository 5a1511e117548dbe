"""Every voice on hand-made groups, and what their mixture may and may not let through."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest
from episodes import task, turn
from hypothesis import given, settings
from hypothesis import strategies as st

from autotelic.judge import Calibration, Certainty, Consensus, CriticJudge, Mixed, Verifier
from autotelic.types import Attempt, Group, Task, Verdict


class Right:
    """A domain in which the answer is `yes`; it remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def judge(self, answers: Sequence[tuple[Task, str]]) -> list[Verdict]:
        self.asked += [(t.id, text) for t, text in answers]
        return [
            Verdict(reward=float(text == "yes"), passed=text == "yes", reason="ran", feedback="printed")
            for _, text in answers
        ]


class Guess:
    """A critic that says 0.9 of whatever begins with y, and 0.2 of the rest."""

    def __init__(self, trusted: bool) -> None:
        self.quality = Calibration(n=1000, ece=0.02, auroc=0.9, siblings=0.8, brier=0.1, trusted=trusted)

    def predict(self, groups: Sequence[Group]) -> list[tuple[float, ...]]:
        return [tuple(0.9 if a.answer.startswith("y") else 0.2 for a in g.attempts) for g in groups]


def group(*answers: str, id: str = "t", logprobs: Sequence[float] = (-0.5, -0.5)) -> Group:
    attempts = tuple(
        Attempt(task_id=id, turns=(turn([1], [2] * len(logprobs), logprobs),), answer=answer)
        for answer in answers
    )
    return Group(task=task(id), attempts=attempts, verdicts=())


def mixed(trusted: bool = True, **weights: float) -> tuple[Mixed, Right]:
    domain = Right()
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
        (["[1, 2]", "[1,2]", "[1,3]"], [1, 1, 0]),  # one value, two spellings
        (["true", "1", "1"], [0, 1, 1]),  # two values
        (["return  x", "return x", "1"], [1, 1, 0]),
        (["1", "1", "2", "2"], [0, 0, 0, 0]),  # a tie
        (["1", "2", "3"], [0, 0, 0]),  # no two agree
        (["1"], [0]),  # a lone voice is no majority
        (["", "", "1"], [0, 0, 0]),  # no answer is no vote
        (["", "", "", "1", "1"], [0, 0, 0, 1, 1]),
    ],
)
def test_consensus(answers: list[str], expected: list[float]) -> None:
    (said,) = Consensus().judge([group(*answers)])
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
    both = replace(group("x"), attempts=(Attempt(task_id="t", turns=(first, second), answer="x"),))
    assert Certainty().judge([both])[0][0].reward == pytest.approx(0.4)


def test_the_verifier_alone_is_passed_through() -> None:
    voices, domain = mixed()
    ((good, bad),) = voices.judge([group("yes", "no")])
    assert (good, bad) == tuple(domain.judge([(task(), "yes"), (task(), "no")]))


def test_rewards_are_mixed_and_the_outcome_is_the_executors() -> None:
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
    (note,) = voices.opinions(groups, 3).notes
    assert "the critic had no weight" in note


def test_without_the_verifier_the_executor_decides_nothing() -> None:
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


def test_proposers_are_never_withheld() -> None:
    voices, _ = mixed(withhold=1.0)
    (said,) = voices.judge([replace(group("yes"), role="proposer")])
    assert said[0].source == "verifier"


def test_withholding_falls_back_and_says_so() -> None:
    voices, domain = mixed(trusted=False, withhold=0.5)
    judged = voices.verify(many(20))
    assert all(g.verdicts[0].source == "verifier" for g in judged)
    assert len(domain.asked) == 60
    (note,) = voices.opinions(judged, 0).notes
    assert "groups to be withheld went to the executor, because the critic is not trusted" in note


def test_an_audit_is_logged_and_reaches_no_verdict() -> None:
    voices, domain = mixed(withhold=1.0)
    judged = voices.verify(many(20))
    assert domain.asked == []
    found = voices.opinions(judged, generation=2)
    assert (found.withheld, found.audited) == (20, 8)
    assert found.audit == pytest.approx(2 / 3)  # `yeah` looked right
    assert len(domain.asked) == 24
    assert all(v.source == "critic" and v.feedback == "" for g in judged for v in g.verdicts)
    assert voices.opinions(judged, 2) == found


def test_agreement_with_the_executor() -> None:
    voices, _ = mixed()
    judged = voices.verify([group("yes", "yeah", "yeah"), group("yes", "yes", "no", id="u")])
    found = voices.opinions(judged, 0)
    assert found.agreement["critic"] == pytest.approx(4 / 6)
    assert found.agreement["consensus"] == pytest.approx(3 / 6)
    assert found.agreement["certainty"] == pytest.approx(3 / 6)
    assert found.ranking["certainty"] == 0.5
    assert found.ranking["critic"] == pytest.approx(6 / 9)  # 3 right at 0.9; 2 wrong at 0.9, 1 at 0.2
    assert math.isnan(found.audit)
    assert found.notes == ()


def test_nothing_judged_is_nothing_said() -> None:
    voices, _ = mixed()
    assert voices.judge([]) == []
    assert math.isnan(voices.opinions([], 0).agreement["critic"])


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


def test_a_task_is_learned_from_only_where_the_executor_may_be_heard() -> None:
    tasks = [task(str(i)) for i in range(400)]
    assert mixed()[0].executed(tasks) == tasks
    assert mixed(verifier=0.0, certainty=1.0)[0].executed(tasks) == []
    judge = mixed(withhold=0.5)[0]
    kept = {t.id for t in judge.executed(tasks)}
    assert 150 < len(kept) < 250
    groups = [replace(g, task=replace(g.task, id=str(i))) for i, g in enumerate(many(400))]
    heard = {
        g.task.id for g, vs in zip(groups, judge.judge(groups), strict=True) if vs[0].source == "verifier"
    }
    assert kept == heard
    assert mixed(trusted=False, withhold=0.5)[0].executed(tasks) == tasks


def test_shuffled_verdicts_are_the_siblings_own_in_another_order() -> None:
    groups = [group(*["yes"] * 4, *["no"] * 4, id=str(i)) for i in range(50)]
    plain, shuffled = mixed()[0].judge(groups), mixed(shuffle=1.0)[0].judge(groups)
    assert [sorted(rewards(v)) for v in plain] == [sorted(rewards(v)) for v in shuffled]
    moved = [p != s for p, s in zip(map(rewards, plain), map(rewards, shuffled), strict=True)]
    assert sum(moved) > 40
    assert mixed(shuffle=1.0)[0].judge(groups) == shuffled
