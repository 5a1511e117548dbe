"""Links into a run: what they find, and what is said of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from synthetic_run import Made, synthetic_run

from autotelic import messages as m
from autotelic.dashboard import inspect
from autotelic.dashboard.describe import describe
from autotelic.dashboard.story import Story
from autotelic.errors import RecordError
from autotelic.record import Journal, RunFolder

Show = Callable[[str], str]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return synthetic_run(tmp_path_factory.mktemp("inspect") / "x", generations=8)


@pytest.fixture
def journal(run: RunFolder) -> Iterator[Journal]:
    with Journal.open(run.path) as journal:
        yield journal


@pytest.fixture
def show(journal: Journal) -> Show:
    story = Story.of(journal.each_message())
    return lambda what: describe(journal, story, inspect.find(journal, story, what))


def proposed_task(journal: Journal) -> str:
    """A task that the actor proposed, and that was attempted and learned from."""
    admitted = journal.latest(m.Admitted)
    assert admitted is not None
    return admitted.outcomes[5].task


def test_a_task_is_shown_with_its_secret_its_proposal_its_attempts_and_its_uses(
    journal: Journal, show: Show
) -> None:
    id_ = proposed_task(journal)
    text = show(id_)
    for words in (
        "Written by the actor (weights abababababab) in generation 8",
        "f([3,1,2])==?",
        "[[3, 1, 2], [3, 2, 1]]",
        "The proposal that it was: proposal:",
        "tokens in, 1 out, ended by itself",
        "Attempts: 2, of which 1 passed (50 %)",
        "attempt:",
        "Sequences of updates that are made of it: 3",
        "demonstration",
        "Repairs of its answers: none",
    ):
        assert words in text
    assert show(f"task:{id_}") == show(id_[:10]) == text


def test_a_task_of_the_rules_says_so(journal: Journal, show: Show) -> None:
    exam = journal.latest(m.ExamSet)
    assert exam is not None
    assert "Written by the rules" in show(exam.items[0].id)


def test_an_attempt_is_shown_turn_by_turn_with_its_verdict_its_credit_and_its_uses(
    journal: Journal, show: Show
) -> None:
    judged = journal.latest(m.Judged)
    assert judged is not None
    right, wrong = (show(f"attempt:{e.id}") for e in judged.groups[0].episodes)
    for words in ("as solver", "Turn 1 of 1", "it saw", "it wrote", "f([3,1,2])==[1,2,3]"):
        assert words in wrong
    assert "the verifier says it is wrong (wrong output)" in wrong
    assert "the verifier says it is right" in right
    assert "reward 1, advantage +0.500" in right
    assert "update:15, generation 8: attempt" in right


def test_a_proposal_is_shown_with_what_became_of_it(journal: Journal, show: Show) -> None:
    admitted = journal.latest(m.Admitted)
    assert admitted is not None
    refused, taken = admitted.outcomes[0], admitted.outcomes[5]
    assert "It became no task: syntax" in show(f"proposal:{refused.proposal}")
    text = show(f"proposal:{taken.proposal}")
    assert f"It became task {taken.task}" in text
    assert "no advantage: its siblings earned the same" in text


def test_an_update_is_shown_with_its_manifest(show: Show) -> None:
    text = show("update:1")
    for words in ("in generation 1", "Its 18 sequences", "attempt:", "rate 1.000", "loss 1.7"):
        assert words in text
    assert "demonstration" in show("update:0")


def test_an_exam_is_shown_with_its_items_and_its_evaluations(journal: Journal, show: Show) -> None:
    text = show("exam:sealed")
    for words in ("9 items", "refused 31: free", "before, generation 0", "during, generation 4", "after"):
        assert words in text
    assert "8 items" not in text
    assert "refused 20: too easy" in show("exam:own")
    exam = journal.latest(m.ExamSet)
    assert exam is not None
    assert exam.items[0].id in show("exam:own")


def test_every_message_can_be_shown(journal: Journal, show: Show) -> None:
    seen: set[str] = set()
    for message in journal.each_message():
        if message.kind not in seen:
            seen.add(message.kind)
            assert f"generation {message.generation}" in show(f"message:{message.id}")
    assert len(seen) >= 20


def test_a_message_is_shown_with_its_rows_as_links(journal: Journal, show: Show) -> None:
    judged = journal.latest(m.Judged)
    assert judged is not None
    text = show(f"message:{judged.id}")
    assert "groups: 9" in text
    assert f"attempt:{judged.groups[0].episodes[0].id}" in text
    assert "rewards 1 0" in text
    assert '"purpose": "attempt"' in text


def test_a_generation_says_what_was_learned_dropped_and_decided_and_why(show: Show) -> None:
    text = show("8")
    for words in (
        "Learned", "Proposed", "refused", "Practised", "38 groups whose attempts all fared alike",
        "Exam sealed (after)", "Decided (message:", "because the gain is +19.0 points",
        "New tasks: 24", "Attempts: 26", "and 14 more",
    ):  # fmt: skip
        assert words in text
    assert show("generation:8") == text
    assert "every task from the rules" in show("1")


def test_what_a_model_wrote_cannot_steer_the_terminal(journal: Journal, show: Show) -> None:
    judged = journal.latest(m.Judged)
    assert judged is not None
    text = show(f"attempt:{judged.groups[0].episodes[1].id}")
    assert "\x1b" not in text
    assert "\\x1b[2J" in text


@pytest.mark.parametrize(
    ("what", "cause"),
    [
        ("nope", "no task 'nope'"),
        ("", "no task ''"),
        ("attempt:99999", "no attempt '99999' (it has "),
        ("attempt:x", "no attempt 'x'"),
        ("attempt:" + "9" * 40, "no attempt"),
        ("proposal:0", "no proposal '0'"),
        ("update:99", "no update '99' (it has 16)"),
        ("message:-1", "no message '-1'"),
        ("exam:final", "no exam 'final' (it has sealed and own)"),
        ("99", "no generation '99' (it has 1 to 8)"),
        ("generation:x", "no generation 'x'"),
        ("thing:1", "names no kind of thing"),
    ],
)
def test_what_is_not_there_is_said_with_what_is(show: Show, what: str, cause: str) -> None:
    with pytest.raises(RecordError) as caught:
        show(what)
    assert cause in str(caught.value)
    assert caught.value.fix


def test_the_beginning_of_an_id_must_be_of_one_task(journal: Journal, show: Show) -> None:
    ids = [row["id"] for row in journal.each("tasks")]
    first = next(c for c in "0123456789abcdef" if sum(i.startswith(c) for i in set(ids)) > 1)
    with pytest.raises(RecordError, match=f"tasks have an id that begins with '{first}'"):
        show(f"task:{first}")


def test_everything_is_json_too(journal: Journal) -> None:
    story = Story.of(journal.each_message())
    links = ["8", proposed_task(journal), "attempt:1", "proposal:1", "update:0", "exam:sealed"]
    for what in links:
        json.dumps(inspect.as_json(inspect.find(journal, story, what)), allow_nan=False)
    kinds = [inspect.as_json(inspect.find(journal, story, what))["kind"] for what in links]
    assert kinds == ["generation", "task", "attempt", "proposal", "updated", "exam.set"]
    judged = journal.latest(m.Judged)
    assert judged is not None
    assert len(inspect.as_json(judged)["groups"]) == 9


def test_the_overview_has_a_line_a_generation(journal: Journal) -> None:
    lines = inspect.overview(Story.of(journal.each_message())).splitlines()
    assert sum(line.lstrip()[:1].isdigit() for line in lines) == 8
    assert "promote" in lines[4]


def test_a_link_to_what_was_superseded_still_works_and_says_so(tmp_path: Path) -> None:
    """A resume went back on generations 3 and 4, and only 3 happened again."""
    run = synthetic_run(tmp_path / "x", generations=2)
    with Journal.open(run.path, "a") as journal:
        made = Made(journal.append, seed=0, speed=1.0, graded=False)
        made.generation, made.step = 2, 4
        made.one_generation()
        made.one_generation()
        lost = journal.latest(m.Judged)
        journal.rewind(2)
        made.generation, made.step = 2, 4
        made.one_generation()
        story = Story.of(journal.each_message())
        assert lost is not None

        def show(what: str) -> str:
            return describe(journal, story, inspect.find(journal, story, what))

        assert [g.number for g in story.generations] == [1, 2, 3]
        for what in (f"attempt:{lost.groups[0].episodes[0].id}", f"message:{lost.id}", "4", "update:7"):
            assert "Superseded" in show(what), what
        for what in ("3", "update:5"):
            assert "Superseded" not in show(what), what
