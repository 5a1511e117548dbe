"""What the messages of a run mean to every view."""

from __future__ import annotations

import math
import pickle
from dataclasses import replace

from synthetic_run import BOOTSTRAP, CHARTER, score, started, synthetic_messages

from autotelic import messages as m
from autotelic.dashboard.generations import fate
from autotelic.dashboard.story import Story
from autotelic.types import RULES, Cell, Decision, ExamReport, LearnReport, Scores


def evaluated(id_: int, when: m.When = "during", value: float = 0.5, exam: str = "sealed") -> m.Evaluated:
    scores = Scores(pass_at_1=score(value))
    report = ExamReport(exam=exam, digest="d", weights="w", overall=scores, cells={"induction/2": scores})
    return m.Evaluated(id=id_, when=when, tokens=id_, seconds=10.0 * id_, took=1.0, report=report)


def ended(id_: int, number: int) -> m.GenerationEnded:
    return m.GenerationEnded(
        id=id_,
        generation=number,
        seconds=10.0,
        trained=100,
        decoded=200,
        flops=1.0,
        train_seconds=2.0,
        decode_seconds=0.0,
        total_seconds=10.0 * number,
        total_tokens=100 * number,
        total_flops=1.0 * number,
        cells={},
    )


def decided(id_: int, verdict: str) -> m.Decided:
    decision = Decision(
        verdict=verdict,  # type: ignore[arg-type]
        reasons=(f"because {id_}",),
    )
    return m.Decided(id=id_, generation=id_, weights=f"w{id_}", champion="w0", decision=decision)


def exam_set(id_: int) -> m.ExamSet:
    return m.ExamSet(id=id_, exam="own", digest="d", refused={}, missing={})


def dropped(id_: int) -> m.Dropped:
    return m.Dropped(id=id_, what="task", n=1, why="an exam asks it")


def saved(id_: int) -> m.ChampionSaved:
    return m.ChampionSaved(id=id_, weights="w", folder="f")


def stage_ended(id_: int) -> m.StageEnded:
    return m.StageEnded(id=id_, stage="examine", seconds=1.0)


def report(loss: float, tokens: int, skipped: str = "") -> LearnReport:
    return LearnReport(
        loss=loss,
        nll=0.0,
        policy=0.0,
        kl=0.0,
        clipped=0.0,
        entropy=0.0,
        grad_norm=0.0,
        tokens=tokens,
        seconds=1.0,
        skipped=skipped,
    )


def updated(report_: LearnReport) -> m.Updated:
    return m.Updated(step=0, before="a", after="b", rate=1.0, threads=1, report=report_)


def lesson(by_rules: int, by_actor: int) -> m.Lesson:
    return m.Lesson(
        shares={},
        sequences={},
        tokens={},
        tokens_by_author={RULES: by_rules, "ab": by_actor},
        cost={},
        replayed=0,
    )


# ── exams ────────────────────────────────────────────────────────────────────────────────────────────────


def test_before_and_after_are_the_first_and_the_last_sealed_exam() -> None:
    story = Story.of(synthetic_messages(8))
    assert story.before is not None
    assert story.after is not None
    assert (story.before.when, story.after.when) == ("before", "after")
    assert story.after.pass_at_1.value > story.before.pass_at_1.value
    assert [e.when for e in story.evaluations_of("own")] == ["after"]


def test_an_exam_on_the_way_stands_for_after_until_there_is_one() -> None:
    on_the_way = Story.of([evaluated(1, "before"), evaluated(3)]).after
    assert on_the_way is not None
    assert on_the_way.when == "during"
    assert Story.of([evaluated(1, "before")]).after is None


def test_an_exams_seconds_are_what_the_run_had_spent_by_then() -> None:
    """Fault 1: they were the exam's duration, so that all points of the curve lay in the first seconds."""
    story = Story.of(synthetic_messages(12))
    assert story.after is not None
    assert story.after.seconds > 0.9 * story.seconds
    seconds = [e.seconds for e in story.evaluations_of("sealed")]
    assert seconds == sorted(seconds)
    assert all(e.took < 2 for e in story.evaluations)


def test_the_pool_of_the_own_exam_is_no_exam() -> None:
    messages = synthetic_messages(8)
    assert any(isinstance(x, m.Evaluated) and x.report.exam == "pool" for x in messages)
    assert {e.exam for e in Story.of(messages).evaluations} == {"sealed", "own"}


def test_mean_weighs_cells_alike_and_can_be_narrowed() -> None:
    cells = {"deduction/1": 0.8, "deduction/4": 0.4, "induction/1": 0.2}
    message = evaluated(1, "before")
    whole = {name: Scores(pass_at_1=score(value)) for name, value in cells.items()}
    found = Story.of([replace(message, report=replace(message.report, cells=whole))]).before
    assert found is not None
    assert math.isclose(found.mean("deduction") or 0, 0.6)
    assert math.isclose(found.mean(levels=(1, 2, 3)) or 0, 0.5)
    assert found.mean("repair") is None
    assert found.cells[Cell(mode="induction", level=1)].value == 0.2


def test_modes_are_in_the_charters_order_then_as_they_appear() -> None:
    charter = CHARTER.replace({"domain.modes": ["induction", "abduction"]}).canonical()
    first, *rest = synthetic_messages(1)
    assert isinstance(first, m.RunStarted)
    assert Story.of([first, *rest]).modes == ["deduction", "abduction", "induction"]
    ordered = Story.of([replace(first, charter=charter), *rest])
    assert ordered.modes == ["induction", "abduction", "deduction"]


def test_a_domain_without_success_has_rewards_for_scores() -> None:
    assert Story.of(synthetic_messages(2, graded=True)).measures.one == "reward"
    assert Story.of(synthetic_messages(2)).measures.one == "pass@1"
    assert Story().measures.one == "pass@1"


# ── resumes, extensions, decisions ───────────────────────────────────────────────────────────────────────


def test_a_resume_takes_back_what_came_after_the_checkpoint() -> None:
    messages = [evaluated(1, "before"), ended(2, 1), ended(3, 2), evaluated(4), ended(5, 3), evaluated(6)]
    stop = m.RunStopped(id=8, reason="interrupted")
    resumed = m.RunResumed(id=9, from_generation=2, first=5, last=8, superseded={})
    story = Story.of([*messages, decided(7, "promote"), stop, resumed])
    assert [g.number for g in story.generations] == [1, 2]
    assert [e.message for e in story.evaluations] == [1, 4]
    assert story.rulings == []
    assert (story.stopped, story.resumes) == ("", 1)


def test_a_resume_takes_back_the_first_and_the_last_of_its_messages() -> None:
    """As ids, both ends are among what is superseded. The view of a killed run sees no stop after the last."""
    for kept, gone in (
        ([ended(4, 1)], [ended(5, 2), ended(6, 3)]),
        ([evaluated(4)], [evaluated(5), evaluated(6)]),
        ([decided(4, "promote")], [decided(5, "promote"), decided(6, "train on")]),
        ([exam_set(4)], [exam_set(5), exam_set(6)]),
        ([dropped(4)], [dropped(5), dropped(6)]),
        ([saved(4)], [saved(5), saved(6)]),
        ([stage_ended(4)], [stage_ended(5), stage_ended(6)]),
    ):
        resumed = m.RunResumed(id=7, from_generation=1, first=5, last=6, superseded={})
        assert Story.of([*kept, *gone, resumed]) == Story.of([*kept, resumed])


def test_watching_a_resume_ends_as_reading_the_journal_does() -> None:
    """What a journal leaves out as superseded, a live view takes back: both come to the same."""
    messages = synthetic_messages(6)
    cut = next(i for i, x in enumerate(messages) if isinstance(x, m.GenerationBegan) and x.generation == 5)
    seen, again = messages[: cut + 20], messages[cut:]
    first, last = seen[cut].id, seen[-1].id
    resumed = m.RunResumed(id=last + 1, from_generation=4, first=first, last=last, superseded={})
    later = [replace(x, id=last + 2 + at) for at, x in enumerate(again)]
    watched = Story.of([*seen, resumed, *later])
    read = Story.of([*seen[:cut], resumed, *later])
    assert watched == read
    assert [g.number for g in watched.generations] == [1, 2, 3, 4, 5, 6]


def test_the_nearest_limit_of_the_budget_counts() -> None:
    charter = CHARTER.replace({"budget.seconds": 100.0, "budget.generations": 4}).canonical()
    story = Story.of([started(charter=charter), ended(2, 1), ended(3, 2), ended(4, 3)])
    assert story.spent(10.0) == 0.75
    assert story.spent(90.0) == 0.9
    assert story.spent(500.0) == 1.0


def test_extensions_add_up_with_the_charters_budget() -> None:
    charter = CHARTER.replace({"budget.seconds": 100.0}).canonical()
    more = [m.BudgetExtended(id=2, seconds=50.0), m.BudgetExtended(id=3, seconds=50.0)]
    story = Story.of([started(charter=charter), *more])
    assert story.spent(100.0) == 0.5
    # A resume goes back on what happened, not on what the human gave.
    resumed = m.RunResumed(id=4, from_generation=0, first=2, last=3, superseded={})
    assert Story.of([started(charter=charter), *more, resumed]).spent(100.0) == 0.5


def test_every_decision_is_kept_in_order() -> None:
    """Fault 6: of two decisions in one generation only the last was shown."""
    both = [replace(decided(5, "train on"), generation=5), replace(decided(6, "promote"), generation=5)]
    story = Story.of([decided(3, "promote"), *both])
    assert [r.verdict for r in story.rulings] == ["promote", "train on", "promote"]
    assert [r.verdict for r in story.rulings_of(5)] == ["train on", "promote"]


def test_a_rejection_leaves_the_champion_before_it() -> None:
    story = Story.of([decided(3, "promote"), decided(6, "train on")])
    assert story.champion["generation"] == 3
    assert story.champion["weights"] == "w3"
    assert story.rulings[-1].verdict == "train on"


# ── generations ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_generation_is_put_together_from_its_messages() -> None:
    story = Story.of(synthetic_messages(6))
    last = story.generations[-1]
    assert last.bootstrap is False
    assert story.generations[BOOTSTRAP - 1].bootstrap is True
    assert list(last.stage_seconds)[:3] == ["propose", "admit", "attempt"]
    assert math.isclose(sum(last.stage_seconds.values()), last.seconds)
    assert (last.kept, last.flat) == (90, 38)
    assert (last.proposals.asked, last.proposals.valid, last.proposals.novel) == (18, 16, 15)
    assert last.proposals.reasons == {"syntax": 1, "constant": 1, "known": 1}
    assert last.calibration is not None
    assert last.agreement["critic"] == 0.8
    assert last.seconds < last.ended < story.seconds


def test_time_by_stage_has_the_exams_before_and_after_too() -> None:
    spent = Story.of(synthetic_messages(3)).stage_seconds
    assert math.isclose(spent["examine"], 4.0)
    assert set(spent) >= {"settle", "save_champion", "learn"}


def test_means_of_updates_weigh_tokens_and_leave_refused_ones_out() -> None:
    made = [updated(report(1.0, 100)), updated(report(3.0, 300)), updated(report(99.0, 50, "not finite"))]
    learned = Story.of([m.GenerationBegan(generation=1), *made, ended(9, 1)]).generations[0].learned
    assert learned is not None
    assert learned.loss == 2.5
    assert (learned.updates, learned.skipped) == (3, 1)


def test_what_was_not_measured_is_none() -> None:
    found = Story.of([m.GenerationBegan(generation=1), ended(2, 1)]).generations[0]
    assert (found.learned, found.calibration, found.actor_task_share, found.decode_speed) == (None,) * 4
    assert found.train_speed == 50.0
    assert found.proposals.valid_share is found.proposals.novel_share is None


def test_actor_share_leaves_the_bootstrap_out_and_weighs_by_tokens() -> None:
    def generation(id_: int, bootstrap: bool, by_rules: int, by_actor: int) -> list[m.Message]:
        proposed = m.Proposed(bootstrap=bootstrap, wanted={})
        return [m.GenerationBegan(), proposed, lesson(by_rules, by_actor), ended(id_, id_)]

    shares = [*generation(1, True, 1000, 0), *generation(2, False, 80, 20), *generation(3, False, 60, 240)]
    share = Story.of(shares).actor_task_share
    assert share is not None
    assert math.isclose(share, 0.65)


def test_refusals_for_what_is_known_are_of_valid_proposals() -> None:
    reasons = ("syntax", "known", "sealed", "crowded", "")
    outcomes = tuple(
        m.Outcome(proposal=at, task="" if reason else "t", reason=reason) for at, reason in enumerate(reasons)
    )
    found = fate(m.Admitted(outcomes=outcomes))
    assert (found.asked, found.valid, found.novel, found.admitted) == (5, 4, 1, 1)
    assert (found.valid_share, found.novel_share) == (0.8, 0.25)


def test_an_empty_story_answers_every_question() -> None:
    story = Story()
    assert (story.seconds, story.tokens, story.flops) == (0.0, 0, 0.0)
    assert (story.before, story.after, story.actor_task_share, story.spent(10.0)) == (None,) * 4
    assert (story.modes, story.levels, story.evaluations_of("sealed")) == ([], [], [])
    assert story.stage_seconds == story.slow_stages == {}


def test_a_story_keeps_no_tasks_and_no_episodes() -> None:
    """It lives as long as the run, and the run's nouns are many."""
    short, long = (len(pickle.dumps(Story.of(synthetic_messages(n)))) for n in (20, 40))
    assert (long - short) / 20 < 6_000
