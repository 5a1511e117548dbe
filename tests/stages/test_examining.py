"""The stages after learning, each by itself: exams, the own exam, asking for a certificate, the end; and what is
appraised, searched for and audited beside them.
"""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from numbers_game import Scripted, group, numbered, run, services, state_of, turn, verdict

from autotelic.attempt.stage import seek
from autotelic.exam.sealed import Exam
from autotelic.exam.stage import decide, due, examine, review, set_own, settle
from autotelic.judge.audit import audit
from autotelic.judge.stage import appraise
from autotelic.messages import Appraised, Attempted, Audited, Decided, Dropped, Evaluated, ExamSet, Judged
from autotelic.state import State
from autotelic.types import Calibration, Decision, Lineage

QUALITY = Calibration(n=0, ece=0.0, auroc=0.5, siblings=0.5, brier=0.25, trusted=False)


class Door:
    """A door that notes what passes it."""

    def __init__(self, candidate: str = "sha256:new") -> None:
        self.candidate = candidate
        self.passed: list[tuple[str, str]] = []

    def put(self) -> str:
        return self.candidate

    def current(self) -> str:
        return self.candidate

    def activate(self, ref: str, warrant: Any, into: Any) -> None:
        assert warrant.ref == ref
        self.passed.append((warrant.role, ref))


def examined(
    changes: dict[str, Any] | None = None,
    verdict: Any = "train on",
    candidate: str = "sha256:new",
    **parts: Any,
) -> Any:
    """Services that can be examined, whose auditors say `verdict` and whose budget is half spent."""
    taken: list[tuple[str, str]] = []
    claimed: list[str] = []

    def claim(ref: str) -> Decision:
        claimed.append(ref)
        return Decision(verdict=verdict, reasons=("told so",))

    wanted = {"budget.seconds": 100.0, "exam.every": 2, "exam.samples": 8, "gate.planned": 4} | (
        changes or {}
    )
    return services(
        wanted,
        weights=Door(candidate),
        claim=claim,
        claimed=claimed,
        taken=taken,
        take=lambda ref, role: taken.append((ref, role)),
        store=SimpleNamespace(put=lambda values: "sha256:optimiser"),
        learner=SimpleNamespace(state=dict),
        reference=object(),
        clock=SimpleNamespace(seconds=50.0),
        critic=None,
        **parts,
    )


def with_exam(given: Any, generation: int = 2) -> State:
    state = state_of(given, generation)
    state.sealed = Exam(name="sealed", items=(numbered("double", 1), numbered("halve", 2)))
    return state


# ── exams ────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_exam_is_sat_greedily_during_a_run_and_by_samples_before_and_after() -> None:
    given = examined(policy=Scripted(lambda task, i: "right" if task.mode == "double" else "wrong"))
    state = with_exam(given)
    (during,) = run(examine(given, state, "during"))
    assert isinstance(during, Evaluated)
    assert (during.when, during.seconds, during.report.overall.pass_at_1.value) == ("during", 50.0, 0.5)
    assert during.report.overall.pass_at_8 is None
    assert [g.task.id for g in during.groups] == [item.id for item in state.exam.items]
    (after,) = run(examine(given, state, "after"))
    assert isinstance(after, Evaluated)
    assert after.report.overall.pass_at_8 is not None
    assert given.policy.asked == [(2, 1), (2, 1), (2, 8)]


def test_the_own_exam_is_tried_in_the_making_and_frozen_at_half_the_budget() -> None:
    # Every other generation passes: what all pass or none does would tell nothing.
    tried: list[int] = []

    def say(task: Any, _: int) -> str:
        tried.append(task.secret["number"])
        return "right" if tried.count(task.secret["number"]) % 2 else "wrong"

    given = examined({"exam.own_items": 4}, policy=Scripted(say))
    state = with_exam(given)
    assert run(set_own(given, state)) == []
    state.own.pool += [numbered("double", n, Lineage(author="sha256:actor")) for n in range(10, 14)]
    given.clock.seconds = 10.0
    for _ in range(2):
        (pool,) = run(set_own(given, state))
        assert isinstance(pool, Evaluated)
        assert pool.report.exam == "pool"
        state.apply(pool)
    given.clock.seconds = 60.0
    found = run(set_own(given, state))
    assert isinstance(found[0], Evaluated)
    frozen = [m for m in found if isinstance(m, ExamSet)]
    assert [m.exam for m in frozen] == ["own"]
    assert {item.secret["number"] for item in frozen[0].items} <= {10, 11, 12, 13}
    state.apply(frozen[0])
    assert run(set_own(given, state)) == []


def test_a_review_comes_every_so_many_generations_and_a_gate_as_often_as_planned() -> None:
    given = examined()
    assert run(review(given, with_exam(given, generation=3))) == []
    state = with_exam(given, generation=4)
    assert due(given, state)
    kinds = [m.kind for m in run(review(given, state))]
    assert kinds == ["decided", "evaluated"]
    state.champion = state.champion.__class__("sha256:start", gates=3)
    assert not due(given, state)
    assert [m.kind for m in run(review(given, state))] == ["evaluated"]


# ── asking for a certificate ─────────────────────────────────────────────────────────────────────────────


def test_weights_that_are_not_certified_train_on_and_the_reference_policy_stays_the_champion() -> None:
    """After a rejection the reference policy was once the rejected weights."""
    given = examined(verdict="train on")
    state = with_exam(given)
    (decided,) = run(decide(given, state))
    assert isinstance(decided, Decided)
    assert (decided.weights, decided.champion, decided.optimiser) == ("sha256:new", "sha256:start", "")
    assert given.weights.passed == []
    state.apply(decided)
    assert state.champion.weights == "sha256:start"
    assert state.certified == {"sha256:start": ""}


def test_certified_weights_become_champion_and_reference_policy_with_their_optimiser() -> None:
    given = examined(verdict="promote")
    state = with_exam(given)
    (decided,) = run(decide(given, state))
    assert isinstance(decided, Decided)
    assert given.weights.passed == [("reference", "sha256:new")]
    state.apply(decided)
    assert (state.champion.weights, state.champion.optimiser) == ("sha256:new", "sha256:optimiser")


def test_champions_ask_for_no_certificate() -> None:
    given = examined(candidate="sha256:start")
    assert run(decide(given, with_exam(given))) == []
    assert given.claimed == []


@pytest.mark.parametrize(("verdict", "exams"), [("promote", []), ("train on", ["working"])])
def test_at_the_end_the_champion_is_put_in_place(verdict: str, exams: list[str]) -> None:
    given = examined(verdict=verdict)
    state = with_exam(given)
    found = []
    for message in settle(given, state):
        state.apply(message)  # as a run does, before the stage goes on
        found.append(message)
    assert [m.when for m in found if isinstance(m, Evaluated)] == exams
    assert given.claimed == ["sha256:new"]
    champion = "sha256:new" if verdict == "promote" else "sha256:start"
    assert given.taken == [(champion, "examine")]


def test_what_was_decided_in_the_last_generation_is_not_asked_again() -> None:
    given = examined(verdict="train on")
    state = with_exam(given)
    for message in decide(given, state):
        state.apply(replace(message, generation=state.generation))  # as a run stamps it
    run(settle(given, state))
    assert given.claimed == ["sha256:new"]


# ── beside learning ──────────────────────────────────────────────────────────────────────────────────────


def test_what_other_sources_say_is_recorded_with_what_they_could_not_say() -> None:
    seen: list[int] = []
    said = Appraised(calibration=QUALITY, agreement={}, ranking={}, withheld=0, audited=0, audit=float("nan"))

    class Told:
        def appraise(self, groups: Any, generation: int) -> Any:
            seen.append(len(groups))
            return said, ["no answer"]

    judged = [Judged(purpose="attempt", groups=(group(numbered("double", n), ["right"]),)) for n in (1, 2)]
    given = services(feedback=Told())
    dropped, appraised = run(appraise(given, state_of(given), judged))
    assert (dropped, appraised) == (Dropped(what="critic's judgement", n=1, why="no answer"), said)
    assert seen == [2]
    given = services(feedback=Told(), consults=False)
    assert run(appraise(given, state_of(given), judged)) == []


def test_nothing_is_searched_for_where_the_charter_or_the_domain_does_not_allow_it() -> None:
    judged = Judged(purpose="attempt", groups=(group(numbered("double", 1), ["wrong", "wrong"]),))
    for changes in ({}, {"search.samples": 8}):  # numbers cannot check an answer by what a task shows
        given = services(changes)
        (found,) = run(seek(given, state_of(given), judged))
        assert isinstance(found, Attempted)
        assert (found.purpose, found.groups) == ("search", ())
        assert given.policy.asked == []


def test_the_same_tasks_are_audited_in_every_generation_and_none_that_an_exam_asks() -> None:
    class Audits:
        internal = ("consensus",)

        def __init__(self) -> None:
            self.tasks: list[list[str]] = []

        def heed(self, cut: Any) -> None:
            """Nothing is cut."""

        def audit(self, groups: Any) -> Any:
            self.tasks.append([g.task.id for g in groups])
            truth = [[verdict(e.answer == "right") for e in g.episodes] for g in groups]
            return truth, {"consensus": [[verdict(True) for _ in g.episodes] for g in groups]}

    feedback = Audits()
    given = services(
        {"feedback.guard": 4, "curriculum.group_size": 2},
        feedback=feedback,
        policy=Scripted(lambda task, i: "right" if i else "wrong"),
    )
    state = with_exam(given)
    for generation in (2, 3):
        state.counters.generation = generation
        (found,) = [m for m in run(audit(given, state)) if isinstance(m, Audited)]
        assert (found.siblings, found.success) == (2, (0.0, 1.0) * 4)
        assert found.distinct == (2,) * 4
        assert found.entropy == (1.0,) * 8
        assert found.length == tuple(len(turn(a).completion_ids) for a in ("wrong", "right")) * 4
        assert found.said == {"consensus": (1.0,) * 8}
    assert feedback.tasks[0] == feedback.tasks[1]
    state.sealed = Exam(name="sealed", items=(found.groups[0].task,))
    run(audit(given, state))
    assert feedback.tasks[2][:3] == feedback.tasks[0][1:]


def test_without_an_internal_source_nothing_is_audited() -> None:
    given = services()
    assert run(audit(given, with_exam(given))) == []
    assert given.policy.asked == []
