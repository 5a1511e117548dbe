"""Each stage by itself: what it reads, what it returns, and that it leaves the state as it was."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from numbers_game import (
    MODES,
    Numbers,
    Scripted,
    Words,
    group,
    numbered,
    run,
    services,
    state_of,
    turn,
    verdict,
)

from autotelic.attempt.stage import attempt, draft, probes, repair
from autotelic.credit.stage import credit
from autotelic.errors import DivergedError, RunError
from autotelic.judge.stage import instruct, judge
from autotelic.learn.lesson import Material, episode_of, traces_of
from autotelic.learn.own import ALIKE, own_answers, practice, recall
from autotelic.learn.pack import imitate, reinforce
from autotelic.learn.stage import form, learn, replay
from autotelic.learn.streams import MOST, predicted, weighed
from autotelic.messages import (
    Admitted,
    Attempted,
    Credited,
    CriticUpdated,
    Dropped,
    Earned,
    Formed,
    Judged,
    Lesson,
    Proposed,
    Repairing,
    Updated,
)
from autotelic.propose.stage import admit, asked_cells, posed, propose
from autotelic.streams import stream
from autotelic.types import Calibration, Cell, CriticReport, Entry, LearnReport, Lineage, Proposal, Task

FORM = Task(domain="numbers", mode="double", level=1, prompt="double 7", secret={"form": "no"})
ACTOR = Lineage(author="sha256:actor", generation=2)


def written(text: str, id: int, mode: str = "double") -> Proposal:
    return Proposal(text=text, cell=Cell(mode=mode, level=1), lineage=ACTOR, turn=turn(text), id=id)


# ── propose, admit ───────────────────────────────────────────────────────────────────────────────────────


def test_the_rules_write_everything_at_first() -> None:
    given = services()
    (proposed,) = run(propose(given, state_of(given, 1)))
    assert isinstance(proposed, Proposed)
    assert proposed.bootstrap
    assert len(proposed.tasks) == 40
    assert not proposed.proposals


def test_without_demonstrations_no_more_tasks_are_drawn_than_are_attempted() -> None:
    given = services({"learn.imitation": 0.0})
    (proposed,) = run(propose(given, state_of(given, 1)))
    assert isinstance(proposed, Proposed)
    assert len(proposed.tasks) == 8


def test_a_proposal_is_posed_in_every_mode_that_wants_its_level() -> None:
    wanted = {Cell(mode=mode, level=1): 4 for mode in MODES}
    from collections import Counter

    again = posed([written("7", 1)], Counter(wanted))
    assert [(p.cell.mode, p.id, p.turn) for p in again] == [("halve", 1, None)]
    assert len(asked_cells(Counter(wanted), 1.0)) == 1
    many = Counter(dict.fromkeys(wanted, 40))
    assert len(asked_cells(many, 0.1)) > len(asked_cells(many, 1.0))


def test_what_is_no_task_or_not_new_is_refused_with_its_reason() -> None:
    given = services()
    state = state_of(given)
    state.apply(Admitted(tasks=(numbered("double", 5),)))
    state.novelty.seal(["double 6"])
    proposals = [written(text, at) for at, text in enumerate(["5", "6", "seven", "8", "8"], 1)]
    proposed = Proposed(bootstrap=False, wanted={"double/1": 9}, proposals=proposals, tasks=())
    (admitted,) = run(admit(given, state, proposed))
    assert isinstance(admitted, Admitted)
    assert [o.reason for o in admitted.outcomes] == ["known", "sealed", "syntax", "", "known"]
    assert [task.secret["number"] for task in admitted.tasks] == [8]


def test_a_proposal_that_is_set_aside_is_trained_in_no_mode() -> None:
    """Its answer in one mode stands in the prompt of another: the own exam once leaked so."""
    given = services({"exam.own_items": 8})
    proposals = [written(str(n), n) for n in range(1, 21)]
    wanted = {f"{mode}/1": 20 for mode in MODES}
    found = run(admit(given, state_of(given), Proposed(bootstrap=False, wanted=wanted, proposals=proposals)))
    admitted = found[-1]
    assert isinstance(admitted, Admitted)
    aside = {task.secret["number"] for task in admitted.set_aside}
    assert len(aside) == 4
    assert not aside & {task.secret["number"] for task in admitted.tasks}
    assert {f"{mode} {n}" for mode in MODES for n in aside} == set(admitted.sealed)
    assert any(isinstance(m, Dropped) and "exam that the actor sets" in m.why for m in found)


def test_a_task_of_the_rules_that_an_exam_asks_is_left_out_and_counted() -> None:
    given = services()
    state = state_of(given)
    state.novelty.seal(["double 1"])
    proposed = Proposed(bootstrap=True, wanted={}, tasks=(numbered("double", 1), numbered("double", 2)))
    dropped, admitted = run(admit(given, state, proposed))
    assert isinstance(dropped, Dropped)
    assert dropped.n == 1
    assert isinstance(admitted, Admitted)
    assert len(admitted.tasks) == 1


# ── attempt, repair, judge ───────────────────────────────────────────────────────────────────────────────


def test_the_actors_own_tasks_are_attempted_first_and_few_while_nothing_is_solved() -> None:
    given = services()
    state = state_of(given)
    tasks = [numbered("double", n) for n in range(20)] + [numbered("double", 50, ACTOR)]
    assert len(probes(given, state, tasks)) == 2
    state.apply(Judged(purpose="attempt", groups=(group(tasks[0], ["right", "wrong"]),)))
    chosen = probes(given, state, tasks)
    assert len(chosen) == 8
    assert chosen[0].lineage.author == "sha256:actor"


def test_a_task_without_room_for_an_answer_is_dropped_and_named() -> None:
    given = services(policy=Scripted(lambda task, i: "" if task.secret["number"] == 1 else "right"))
    tasks = (numbered("double", 1), numbered("double", 2))
    dropped, attempted = run(attempt(given, state_of(given), Repairing(drafted=False, tasks=tasks)))
    assert isinstance(dropped, Dropped)
    assert "no room for an answer in 64 tokens" in dropped.why
    assert isinstance(attempted, Attempted)
    assert attempted.purpose == "repair"
    assert [g.task.secret["number"] for g in attempted.groups] == [2]


def test_drafts_are_of_modes_that_print_and_have_begun() -> None:
    given = services({"repair.share": 0.5})
    tasks = tuple(numbered(mode, n) for mode in MODES for n in range(10))
    judged = Judged(purpose="attempt", groups=(group(numbered("double", 99), ["right", "wrong"]),))
    (attempted,) = run(draft(given, state_of(given), Admitted(tasks=tasks), judged))
    assert isinstance(attempted, Attempted)
    assert given.policy.asked == [(5, 1)]
    assert {g.task.mode for g in attempted.groups} == {"double"}


@pytest.mark.parametrize(("probe_tasks", "expected"), [(8, 2), (3, 0)])
def test_of_groups_a_quarter_is_repaired_and_none_of_three(probe_tasks: int, expected: int) -> None:
    given = services({"curriculum.probe_tasks": probe_tasks})
    groups = tuple(group(numbered("double", n), ["wrong", "right"]) for n in range(6))
    found = repair(given, state_of(given), Judged(purpose="attempt", groups=groups))
    assert len(found.tasks) == expected
    assert all(task.is_repair and task.lineage.author == "sha256:actor" for task in found.tasks)


def test_every_draft_that_failed_is_learned_from_but_what_is_sealed() -> None:
    given, groups = services(), tuple(group(numbered("double", n), ["wrong"]) for n in range(6))
    state = state_of(given)
    state.novelty.seal(["double 0"])
    found = repair(given, state, Judged(purpose="draft", groups=groups))
    assert found.drafted
    assert len(found.tasks) == 5
    assert not repair(services({"repair.share": 0.0}), state, Judged(purpose="draft", groups=groups)).tasks


def test_judging_passes_on_what_the_domain_did_wrong() -> None:
    given = services(dropped=lambda: [Dropped(what="verdict", n=1, why="hang")])
    attempted = Attempted(purpose="attempt", groups=(group(numbered("double", 1), ["right", "wrong"]),))
    dropped, judged = run(judge(given, state_of(given), attempted))
    assert isinstance(dropped, Dropped)
    assert isinstance(judged, Judged)
    assert [v.passed for v in judged.groups[0].verdicts] == [True, False]


def test_updates_of_the_critic_that_are_not_finite_are_named() -> None:
    report = CriticReport(loss=0.0, n=1, replayed=0, updates=0, tokens=1, seconds=0.0, skipped="1 of 1")
    quality = Calibration(n=0, ece=0.0, auroc=0.0, siblings=0.0, brier=0.0, trusted=False)

    class Critic:
        def learn(self, groups: Any, seed: int) -> CriticReport:
            return report

    critic = Critic()
    critic.quality = quality  # type: ignore[attr-defined]
    given = services(critic=critic)
    dropped, updated = run(instruct(given, state_of(given), []))
    assert isinstance(dropped, Dropped)
    assert dropped.why == "1 of 1"
    assert isinstance(updated, CriticUpdated)


# ── credit, learn ────────────────────────────────────────────────────────────────────────────────────────


def test_credit_is_by_id_and_flat_groups_have_none() -> None:
    given = services()
    mixed, flat = (
        group(numbered("double", 1), ["right", "wrong"]),
        group(numbered("double", 2), ["no", "no"], 3),
    )
    proposed = Proposed(bootstrap=False, wanted={}, proposals=())
    found = credit(
        given, state_of(given), proposed, Admitted(), [Judged(purpose="attempt", groups=(mixed, flat))]
    )
    assert (found.kept, found.flat) == (1, 1)
    earned = {e.id: e.advantage for e in found.earned}
    assert earned[1] is not None
    assert earned[2] is not None
    assert earned[1] > 0 > earned[2]
    assert earned[3] is earned[4] is None


class Learner:
    """Takes down what it is given; the update of number `broken` is not finite."""

    def __init__(self, broken: int = -1) -> None:
        self.batches: list[Any] = []
        self.broken = broken

    def step(self, batch: Any, rate: float) -> LearnReport:
        self.batches.append(batch)
        skipped = "loss nan" if len(self.batches) - 1 == self.broken else ""
        return LearnReport(
            loss=1.0,
            nll=1.0,
            policy=0.0,
            kl=0.0,
            clipped=0.0,
            entropy=0.0,
            grad_norm=1.0,
            tokens=batch.tokens,
            seconds=0.0,
            skipped=skipped,
        )


def learning(learner: Learner, changes: dict[str, Any] | None = None) -> Any:
    from types import SimpleNamespace

    digests = iter(f"w{n}" for n in range(100))
    return services(
        {"learn.kl": 0.0, "learn.batch_tokens": 64, **(changes or {})},
        learner=learner,
        weights=SimpleNamespace(digest=lambda: next(digests)),
        crew=SimpleNamespace(size=1),
        rate=lambda step, progress: 0.5,
        clock=SimpleNamespace(seconds=1.0),
        machine=SimpleNamespace(server=""),
        sync=lambda: None,
    )


def lesson_of(given: Any, state: Any) -> list[Any]:
    tasks = tuple(numbered("double", n) for n in range(6))
    own = numbered("halve", 3, ACTOR)
    judged = [
        Judged(
            purpose="attempt", groups=(group(tasks[0], ["right", "wrong"]), group(own, ["wrong", "right"], 3))
        )
    ]
    earned = (
        Earned(role="solver", id=1, reward=1.0, advantage=1 / 3),
        Earned(role="solver", id=2, reward=0.0, advantage=None),
        Earned(role="proposer", id=1, reward=0.5, advantage=-1.0),
    )
    proposed = Proposed(bootstrap=False, wanted={}, proposals=(written("3", 1),))
    admitted = state.apply and Admitted(tasks=(*tasks, own))
    return run(
        learn(
            given,
            state,
            proposed,
            admitted,
            judged,
            Repairing(drafted=True),
            Credited(kept=2, flat=0, earned=earned),
            Formed(),
        )
    )


def test_a_lesson_says_what_its_updates_are_made_of() -> None:
    learner = Learner()
    given = learning(learner)
    messages = lesson_of(given, state_of(given))
    lesson, updates = messages[0], messages[1:]
    assert isinstance(lesson, Lesson)
    assert lesson.sequences == {"demonstration": 7, "own": 2, "attempt": 1, "proposal": 1}
    assert all(isinstance(update, Updated) for update in updates)
    entries = [entry for update in updates for entry in update.batch]
    assert len(entries) == 11
    assert {e.ref for e in entries if e.kind == "own"} == {"1", "4"}
    (attempted,) = [e.weight for e in entries if e.kind == "attempt"]
    (proposed,) = [e.weight for e in entries if e.kind == "proposal"]
    assert attempted / proposed == pytest.approx(-1 / 3)
    assert lesson.shares == {
        name: pytest.approx(share / 0.95, abs=1e-3)
        for name, share in (("imitation", 0.8), ("own", 0.05), ("policy", 0.1))
    }
    assert [(u.before, u.after) for u in updates][:2] == [("w0", "w1"), ("w1", "w2")]


def test_an_own_answer_counts_for_whoever_made_the_task() -> None:
    """Right answers to the rules' tasks were once counted as the actor's own tasks."""
    given = learning(Learner())
    lesson = lesson_of(given, state_of(given))[0]
    rules = 6 * len("double 0right.") + 2 * len("rightxy.")
    assert lesson.tokens_by_author == {"rules": rules, "sha256:actor": len("halve 3right.") + len("rightxy.")}


def test_reward_alone_learns_from_no_demonstration() -> None:
    given = learning(Learner(), {"learn.imitation": 0.0})
    lesson = lesson_of(given, state_of(given))[0]
    assert lesson.sequences == {"own": 2, "attempt": 1, "proposal": 1}
    policy_alone = learning(Learner(), {"learn.imitation": 0.0, "learn.own": 0.0})
    assert lesson_of(policy_alone, state_of(policy_alone))[0].sequences == {"attempt": 1, "proposal": 1}


def test_streams_get_the_shares_that_the_charter_names_as_far_as_may_be() -> None:
    learn_ = services({"learn.imitation": 0.5, "learn.own": 0.0, "learn.form": 0.3}).charter.learn
    written = reinforce(group(numbered("double", 1), ["right"]).episodes[0], -2.0)
    many = [(Entry(kind="demonstration", ref=str(n), weight=1.0), imitate((1, 2), (3, 4))) for n in range(40)]
    few = [(Entry(kind="attempt", ref="1", weight=-2.0), written)]
    found, shares = weighed([*many, *few, (Entry(kind="own", ref="2", weight=1.0), many[0][1])], learn_)
    assert len(found) == 41  # own answers have no share, and are left out
    weights = {entry.kind: entry.weight for entry, _ in found}
    assert weights["attempt"] == pytest.approx(-2.0 * learn_.policy / (0.5 + learn_.policy) * 86 / 6)
    heavy, _ = weighed([*many, *many, *many, *few], learn_)
    assert heavy[-1][0].weight == pytest.approx(-2.0 * MOST)
    assert shares["imitation"] + shares["policy"] == pytest.approx(1.0)
    for entry, trace in found:  # recorded in 32 bits, as it is computed again
        again = imitate((1, 2), (3, 4), entry.weight) if entry.kind == "demonstration" else None
        if again is not None:
            assert (again.nll == trace.nll).all()
        else:
            assert (
                reinforce(group(numbered("double", 1), ["right"]).episodes[0], entry.weight).advantage
                == trace.advantage
            ).all()
    assert predicted(written) == 6


def test_pairs_of_form_hold_no_solution_and_are_recorded_as_tasks() -> None:
    given = services({"learn.form": 0.25, "learn.form_generations": 1})
    assert 38 <= len(form(given, state_of(given, 1)).tasks) <= 40  # a mode's odd one out has no partner
    made = form(given, state_of(given, 2)).tasks
    assert 8 <= len(made) <= 10
    assert all(set(task.secret) == {"form"} for task in made)
    assert not form(services(), state_of(services(), 1)).tasks
    alone = services({"learn.form_generations": 3})
    (proposed,) = run(propose(alone, state_of(alone, 3)))
    assert isinstance(proposed, Proposed)
    assert not proposed.tasks


def test_the_pairs_of_a_domain_that_draws_answers_are_its_own() -> None:
    class Drawing(Numbers):
        def answers(self, tasks: Sequence[Task], rng: Any) -> list[str | None]:
            return [None if at == 0 else f"drawn {at}" for at in range(len(tasks))]

    given = services({"learn.form": 0.25}, domain=Drawing())
    assert {task.secret["form"] for task in form(given, state_of(given)).tasks} == {
        f"drawn {at}" for at in range(1, 10)
    }


def test_an_own_answer_is_imitated_so_often_and_recalled_by_its_rarity() -> None:
    given = services({"learn.own": 0.5})
    groups = [group(numbered("double", n), ["right", "wrong"], first=10 * n + 1) for n in range(1, 6)]
    assert len(own_answers(given, groups)) == 5
    common = [group(numbered("double", n), ["right", "wrong"], 100 * n + 1) for n in range(1, 31)]
    for n in range(
        10
    ):  # ten spellings once, one thirty times: that one is imitated so often as the mean allows
        one = group(numbered("double", n), ["right", "wrong"], 10_000 + 10 * n)
        rare = replace(one.episodes[0], answer=f"right {n}")
        common.append(replace(one, episodes=(rare, one.episodes[1])))
    assert len(own_answers(given, common)) == 10 + round(ALIKE * 40 / 11)
    state = state_of(given)
    state.apply(Judged(purpose="attempt", groups=groups))
    assert [one.episode.id for one in state.right] == [11, 21, 31, 41, 51]
    again = recall(given, state, groups[:2], stream(0))
    assert {one.episode.id for one in again} == {31, 41, 51}
    assert not recall(services({"learn.own": 0.0}), state, [], stream(0))
    state.apply(Judged(purpose="attempt", groups=[group(numbered("double", 9), ["right", "right"], 91)]))
    assert len(state.right) == 5


def collect(stage: Any, into: list[Any]) -> None:
    for message in stage:
        into.append(message)


def test_an_update_that_is_not_finite_is_recorded_and_stops() -> None:
    given = learning(Learner(broken=1))
    state = state_of(given)
    seen: list[Any] = []
    admitted = Admitted(tasks=tuple(numbered("double", n) for n in range(20)))
    nothing = (Repairing(drafted=True), Credited(kept=0, flat=0), Formed())
    stage = learn(given, state, Proposed(bootstrap=False, wanted={}), admitted, [], *nothing)
    with pytest.raises(DivergedError, match=r"update 0 of generation 2, .* loss nan"):
        collect(stage, seen)
    assert isinstance(seen[-1], Updated)
    assert seen[-1].report.skipped
    assert seen[-1].before == seen[-1].after


def test_sequences_longer_than_the_context_are_dropped_and_counted() -> None:
    given = learning(Learner())
    given.context = 12
    dropped = lesson_of(given, state_of(given))[0]
    assert isinstance(dropped, Dropped)
    assert "longer than 12 tokens" in dropped.why


def test_nothing_to_learn_from_ends_a_run_after_five_generations() -> None:
    given = learning(Learner())
    state = state_of(given)

    def empty() -> list[Any]:
        found = []
        nothing = Credited(kept=0, flat=0)
        stage = learn(
            given,
            state,
            Proposed(bootstrap=False, wanted={}),
            Admitted(),
            [],
            Repairing(drafted=True),
            nothing,
            Formed(),
        )
        for message in stage:
            state.apply(message)
            found.append(message)
        return found

    for _ in range(4):
        assert isinstance(empty()[-1], Dropped)
    with pytest.raises(RunError, match="5 generations gave nothing"):
        empty()


def test_replay_is_of_the_past_and_practice_of_the_rules_tasks() -> None:
    given = services()
    state = state_of(given)
    assert replay(given, state, 0, stream(0)) == []
    state.apply(Admitted(tasks=tuple(numbered("double", n) for n in range(50))))
    state.apply(Admitted(tasks=(numbered("double", 99, ACTOR),)))
    again = replay(given, state, 1, stream(0, "x"))
    assert len(again) == 16
    assert numbered("double", 99, ACTOR) not in again
    entries = practice(given, state, stream(0, "y"))
    assert len(entries) == 2
    assert all(entry.kind == "practice" and len(entry.shown) == 2 for entry in entries)
    assert not own_answers(given, [group(numbered("double", 1), ["right", "right"])])


def test_traces_are_of_what_entries_stand_for() -> None:
    task = numbered("double", 1)
    material = Material(
        {task.id: task, FORM.id: FORM}, {"1": group(task, ["right"]).episodes[0]}, {"2": written("9", 2)}
    )
    entries = [
        Entry(kind="demonstration", ref=task.id, weight=0.5),
        Entry(kind="practice", ref=task.id, weight=1.0, shown=(task.id,)),
        Entry(kind="own", ref="1", weight=0.25),
        Entry(kind="attempt", ref="1", weight=2.0),
        Entry(kind="proposal", ref="2", weight=-1.0),
        Entry(kind="form", ref=FORM.id, weight=0.5),
    ]
    found = [t for t in traces_of(entries, material, services().domain, Words()) if t is not None]  # type: ignore[arg-type]
    assert len(found) == 6
    assert found[5].nll.tolist() == [0.0] * len(FORM.prompt) + [0.5, 0.5, 0.5]
    assert found[0].nll.max() == 0.5
    assert found[2].nll.max() == 0.25
    assert not found[2].policy.any()
    assert found[3].advantage.max() == 2.0
    assert found[4].advantage.min() == -1.0
    with pytest.raises(ValueError, match="was not sampled"):
        episode_of(Proposal(text="", cell=Cell(mode="double", level=1), lineage=ACTOR))


# ── the state ────────────────────────────────────────────────────────────────────────────────────────────


def test_stages_leave_the_state_as_it_was() -> None:
    given = learning(Learner())
    state = state_of(given)
    state.apply(Admitted(tasks=tuple(numbered("double", n) for n in range(30))))
    before = json.dumps(state.to_json())
    for stage in (
        propose(services({"curriculum.actor_share": 0.0}), state),
        admit(given, state, Proposed(bootstrap=True, wanted={}, tasks=(numbered("double", 777),))),
        attempt(given, state, Admitted(tasks=(numbered("double", 777),))),
        repair(given, state, Judged(purpose="draft", groups=(group(numbered("double", 1), ["wrong"]),))),
    ):
        run(stage)
    lesson_of(given, state)
    assert json.dumps(state.to_json()) == before


def test_a_state_comes_back_as_it_was() -> None:
    given = services()
    state = state_of(given, 3)
    tasks: dict[str, Task] = {}
    for n in range(5):
        task = numbered("double", n, ACTOR)
        tasks[task.id] = task
        state.apply(Admitted(tasks=(task,), sealed=(f"s{n}",)))
    judged = group(task, ["right", "wrong"])
    state.apply(Judged(purpose="attempt", groups=(judged,)))
    episodes = {episode.id: episode for episode in judged.episodes}
    again = state_of(given, 1)
    again.restore(
        json.loads(json.dumps(state.to_json())),
        state.arrays(),
        lambda ids: [tasks[i] for i in ids],
        lambda ids: [episodes[i] for i in ids],
    )
    assert list(again.right) == list(state.right)
    assert again.to_json() == state.to_json()
    assert list(again.pool) == list(state.pool)
    assert "double 3" in again.novelty.known
    assert verdict(True).passed
