"""Every message comes back as it was, under an id that stays, and what is damaged is never believed."""

from __future__ import annotations

import math
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sample_messages import ENTRIES, EPISODES, FORM, MESSAGES, SEEN, TASK, VERDICTS, judged, same

from autotelic.errors import RecordError
from autotelic.messages import MESSAGES as CLASSES
from autotelic.messages import (
    Admitted,
    Attempted,
    Credited,
    Dropped,
    Earned,
    Formed,
    GenerationBegan,
    Judged,
    Proposed,
    RunResumed,
    RunStarted,
    RunStopped,
    Updated,
)
from autotelic.record import Journal
from autotelic.types import Entry, Group, Task


@pytest.fixture
def journal(tmp_path: Path) -> Any:
    with Journal.create(tmp_path, "sha256:charter", "the run") as made:
        yield made


def test_there_is_an_example_of_every_class() -> None:
    assert [type(message) for message in MESSAGES] == list(CLASSES)


def test_every_message_comes_back_as_it_was(journal: Journal) -> None:
    appended = [journal.append(message) for message in MESSAGES]
    with Journal.open(journal.path.parent) as reader:
        found = reader.read(superseded=True)
        assert [message.id for message in found] == [message.id for message in appended]
        for message, given in zip(found, MESSAGES, strict=True):
            assert same(message, given), given.kind
        assert reader.run == "the run"
        assert reader.charter_digest == "sha256:charter"


def test_new_nouns_get_ids_and_known_ones_keep_them(journal: Journal) -> None:
    proposal = next(m for m in MESSAGES if isinstance(m, Proposed)).proposals[0]
    proposed = journal.append(Proposed(bootstrap=False, wanted={}, proposals=(proposal, proposal)))
    assert [p.id for p in proposed.proposals] == [1, 2]
    attempted = journal.append(Attempted(purpose="draft", groups=(Group(task=TASK, episodes=EPISODES),)))
    episodes = attempted.groups[0].episodes
    assert [e.id for e in episodes] == [1, 2, 3]
    known = journal.append(Judged(purpose="draft", groups=judged(episodes)))
    assert known.groups[0].episodes == episodes
    assert journal.counts()["episodes"] == 3
    assert journal.counts()["tasks"] == 1, "a task is stored once"
    stored = journal.episode(2)
    assert stored is not None
    assert stored.episode == episodes[1]
    assert stored.purpose == "draft"
    assert [v.reason for v in stored.verdicts] == ["held"]
    assert not stored.superseded
    assert journal.proposal(2) == proposed.proposals[1]
    assert journal.proposal(3) is None
    assert journal.task(TASK.id) == TASK
    assert journal.task("none") is None


def test_rows_are_counted_without_being_read(journal: Journal) -> None:
    tasks = tuple(Task(domain="d", mode="m", level=1, prompt=str(i), secret={}) for i in range(500))
    journal.append(Admitted(tasks=tasks))
    (message,) = journal.read()
    assert isinstance(message, Admitted)
    journal._connection.execute("DELETE FROM tasks WHERE row = 7")
    assert len(message.tasks) == 500
    with pytest.raises(RecordError, match="has no row 7 of tasks"):
        list(message.tasks)


def test_rows_are_read_by_place_and_in_slices(journal: Journal) -> None:
    tasks = tuple(Task(domain="d", mode="m", level=1, prompt=str(i), secret={}) for i in range(600))
    journal.append(Admitted(tasks=tasks))
    (message,) = journal.read()
    assert isinstance(message, Admitted)
    assert message.tasks[-1] == tasks[599]
    assert message.tasks[255:258] == list(tasks[255:258])
    assert tuple(message.tasks) == tasks
    assert message.tasks == tasks
    assert message.tasks != tasks[:-1]
    assert repr(message.tasks) == "<600 rows>"
    with pytest.raises(IndexError):
        message.tasks[600]


def test_updates_are_found_by_what_they_hold(journal: Journal) -> None:
    journal.append(Admitted(tasks=(TASK, SEEN)))
    journal.append(Formed(tasks=(FORM,)))
    sample = next(m for m in MESSAGES if isinstance(m, Updated))
    first = journal.append(replace(sample, generation=1, batch=ENTRIES))
    journal.mark(1)
    late = journal.append(replace(sample, step=1, generation=2, batch=ENTRIES[3:]))
    assert [u.id for u in journal.updates_with("attempt", "2")] == [first.id, late.id]
    assert [u.id for u in journal.updates_with("practice", TASK.id)] == [first.id]
    assert journal.updates_with("own", "2") == []
    assert journal.updates_with("demonstration", SEEN.id) == [], "a task that is only shown is no sequence"
    assert journal.updates_with("demonstration", "unknown") == []
    journal.rewind(1)
    assert [u.id for u in journal.updates_with("attempt", "2")] == [first.id]
    assert journal.messages_with("attempt", "2") == [first.id, late.id]


def test_what_is_recorded_of_a_batch_is_what_was_appended(journal: Journal) -> None:
    """Weights are kept in single precision, and the message that is given back has them so."""
    sample = next(m for m in MESSAGES if isinstance(m, Updated))
    appended = journal.append(replace(sample, batch=(Entry(kind="attempt", ref="1", weight=0.1),)))
    assert appended.batch[0].weight != 0.1
    assert journal.read()[0].batch == appended.batch  # type: ignore[attr-defined]


def test_a_message_is_recorded_whole_or_not_at_all(journal: Journal) -> None:
    """Ctrl-C in the middle of one, after which the run records that it was stopped."""
    journal.append(GenerationBegan(generation=1))

    def interrupted(ids: Sequence[int]) -> str:
        raise KeyboardInterrupt

    journal.decode = interrupted
    groups = (Group(task=TASK, episodes=EPISODES),)
    with pytest.raises(KeyboardInterrupt):
        journal.append(Attempted(purpose="attempt", groups=groups))
    journal.decode = None
    journal.append(RunStopped(reason="interrupted"))
    assert [m.kind for m in journal.read()] == [GenerationBegan.kind, RunStopped.kind]
    assert journal.counts()["tasks"] == journal.counts()["episodes"] == 0
    attempted = journal.append(Attempted(purpose="attempt", groups=groups))
    assert [group.task for group in journal.read()[-1].groups] == [TASK]  # type: ignore[attr-defined]
    assert journal.episode(attempted.groups[0].episodes[0].id) is not None


def test_an_episode_has_all_that_was_said_of_it(journal: Journal) -> None:
    journal.decode = lambda ids: f"{len(ids)} tokens"
    given = (Group(task=TASK, episodes=EPISODES),)
    attempted = journal.append(Attempted(generation=4, purpose="attempt", groups=given))
    episodes = attempted.groups[0].episodes
    for reward in (0.0, 1.0):
        verdicts = tuple(replace(v, reward=reward) for v in VERDICTS)
        judged = Group(task=TASK, episodes=episodes, verdicts=verdicts)
        journal.append(Judged(generation=4, purpose="attempt", groups=(judged,)))
    earned = (Earned(role="proposer", id=2, reward=9.0, advantage=None),)
    earned += (Earned(role="solver", id=2, reward=1.0, advantage=-0.1),)
    journal.append(Credited(generation=4, kept=1, flat=0, earned=earned))
    first, second, third = journal.episodes(task_id=TASK.id)
    assert second.texts == ("2 tokens", "1 tokens")
    assert third.texts == ()
    assert [v.reward for v in second.verdicts] == [0.0, 1.0]
    assert second.earned == earned[1]
    assert first.earned is None
    assert (second.generation, second.role, second.message) == (4, "solver", attempted.id)
    assert journal.episodes(generation=5) == []
    assert [e.episode for e in journal.episodes(generation=4)] == list(episodes)
    assert journal.episode(99) is None


def test_what_is_missing_is_damage(journal: Journal) -> None:
    journal.append(Admitted(tasks=(TASK,)))
    with pytest.raises(RecordError, match="is damaged: it has no task unknown"):
        journal.tasks([TASK.id, "unknown"])
    with pytest.raises(ValueError, match="no table 'marks'"):
        list(journal.each("marks"))
    journal._connection.execute("UPDATE tasks SET secret = '{\"pairs\":2}'")
    with pytest.raises(RecordError, match=f"is damaged: .*task {TASK.id} is not what its id names"):
        journal.task(TASK.id)
    journal._connection.execute("DELETE FROM meta")
    with pytest.raises(RecordError, match="is damaged: it names no run"):
        _ = journal.run


def test_the_id_of_a_run_cannot_be_changed_unnoticed(journal: Journal) -> None:
    journal.append(GenerationBegan(generation=1))
    digest = journal.mark(1)
    journal._connection.execute("UPDATE meta SET value = 'another run' WHERE key = 'run'")
    with pytest.raises(RecordError, match="rows are not those that were written"):
        journal.verify(1, digest)


def test_what_a_rewind_went_back_on_cannot_be_changed_unnoticed(journal: Journal) -> None:
    journal.append(GenerationBegan(generation=1))
    journal.mark(1)
    journal.append(GenerationBegan(generation=2))
    resumed = journal.rewind(1)
    digest = journal.mark(2)
    journal._connection.execute("UPDATE messages SET data = replace(data, '\"last\":2', '\"last\":1')")
    assert journal.message(resumed.id) != resumed
    with pytest.raises(RecordError, match="rows are not those that were written"):
        journal.verify(2, digest)
    assert journal.check() == [f"{journal.path} is damaged: its rows are not those that were written"]


def test_a_journal_that_may_not_be_written_is_read(journal: Journal) -> None:
    journal.append(GenerationBegan(generation=1))
    folder = journal.path.parent
    with Journal.open(folder) as reader:
        assert [m.kind for m in reader.read()] == [GenerationBegan.kind]
        with pytest.raises(RecordError, match="may not be written"):
            reader.append(GenerationBegan(generation=2))


def test_an_update_of_130_sequences_takes_about_a_kilobyte(journal: Journal) -> None:
    tasks = tuple(Task(domain="d", mode="m", level=1, prompt=str(i), secret={}) for i in range(130))
    journal.append(Admitted(tasks=tasks))
    sample = next(m for m in MESSAGES if isinstance(m, Updated))
    batch = tuple(Entry(kind="demonstration", ref=task.id, weight=1.0) for task in tasks)
    journal.append(replace(sample, batch=batch))
    ((kinds, refs, weights),) = journal._read("SELECT kinds, refs, weights FROM entries")
    assert len(kinds) + len(refs) + len(weights) < 1300
    updated = journal.latest(Updated)
    assert updated is not None
    assert tuple(updated.batch) == batch


def test_what_a_rewind_goes_back_on_is_superseded_and_stays(journal: Journal) -> None:
    started = journal.append(MESSAGES[0])
    journal.append(GenerationBegan(generation=1))
    journal.mark(1)
    late = journal.append(
        Attempted(generation=2, purpose="attempt", groups=(Group(task=TASK, episodes=EPISODES),))
    )
    journal.append(GenerationBegan(generation=2))
    journal.mark(2)
    resumed = journal.rewind(1)
    assert (resumed.first, resumed.last) == (late.id, late.id + 1)
    assert resumed.superseded["episodes"] == 3
    assert [m.kind for m in journal.read()] == [RunStarted.kind, GenerationBegan.kind, RunResumed.kind]
    assert len(journal.read(superseded=True)) == 5
    gone = journal.message(late.id)
    assert gone is not None
    assert same(gone, late)
    stored = journal.episode(late.groups[0].episodes[0].id)
    assert stored is not None
    assert stored.superseded
    assert journal.marks() == [1]
    again = journal.append(Attempted(generation=2, purpose="attempt", groups=late.groups[:1]))
    assert again.id > resumed.id > late.id, "no id is used twice"
    assert journal.latest(RunStarted) is not None
    assert started.id == 1
    digest = journal.mark(2)
    journal.verify(2, digest)
    assert journal.check() == []
    with pytest.raises(RecordError, match=r"has no mark of generation 7, only of \[1, 2\]"):
        journal.rewind(7)


def test_a_rewind_to_the_beginning(journal: Journal) -> None:
    journal.append(GenerationBegan(generation=1))
    journal.rewind(None)
    assert [m.kind for m in journal.read()] == [RunResumed.kind]


def test_no_number_of_resumes_makes_a_journal_unreadable(journal: Journal) -> None:
    """A run that crashes at every start; SQLite takes no more than a thousand conditions."""
    for _ in range(1100):
        journal.append(GenerationBegan(generation=1))
        last = journal.rewind(None)
    assert journal.latest(GenerationBegan) is None
    assert {m.kind for m in journal.read()} == {RunResumed.kind}
    assert journal.is_superseded(last.id - 1)
    assert not journal.is_superseded(last.id - 2), "that a run was resumed is part of its history"


def test_ranges_of_what_is_superseded_stay_apart(journal: Journal) -> None:
    journal.append(GenerationBegan(generation=1))
    journal.mark(1)
    journal.append(GenerationBegan(generation=2))
    journal.rewind(1)
    journal.append(GenerationBegan(generation=2))
    journal.mark(2)
    journal.append(GenerationBegan(generation=3))
    journal.rewind(2)
    assert journal.ranges() == [(2, 2), (5, 5)]
    assert [m.id for m in journal.read(kinds=(GenerationBegan.kind,))] == [1, 4]


def test_what_is_no_number_comes_back(journal: Journal) -> None:
    """As from a simulator that divides by zero: recorded as it was, for whoever looks for the reason."""
    verdicts = tuple(replace(v, reward=reward) for v in VERDICTS[:1] for reward in (math.nan, math.inf, 0.5))
    given = Judged(purpose="exam", groups=(Group(task=TASK, episodes=EPISODES, verdicts=verdicts),))
    assert same(journal.append(given), given)
    earned = Credited(
        kept=0, flat=0, earned=(Earned(role="solver", id=1, reward=-math.inf, advantage=math.nan),)
    )
    journal.append(earned)
    assert all(map(same, journal.read(), (given, earned)))


WRITER = """
import sys, time
from autotelic.messages import GenerationBegan
from autotelic.record import Journal
with Journal.open(sys.argv[1], "a") as journal:
    print("ready", flush=True)
    for n in range(60):
        journal.append(GenerationBegan(generation=n))
        time.sleep(0.1)
"""


def test_a_reader_sees_the_last_message_before_a_long_stage(journal: Journal) -> None:
    journal.append(GenerationBegan(generation=1))
    with Journal.open(journal.path.parent) as reader:
        assert len(reader.read()) == 1


def test_a_reader_is_at_most_two_seconds_behind(journal: Journal) -> None:
    folder = journal.path.parent
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder)], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        worst, end = 0.0, time.time() + 4
        with Journal.open(folder) as reader:
            while time.time() < end:
                found = reader.read()
                if found:
                    worst = max(worst, time.time() - found[-1].time)
                time.sleep(0.05)
        writer.kill()
    assert 0 < worst < 2


def test_a_journal_of_another_version_says_which(tmp_path: Path) -> None:
    (tmp_path / "record.sqlite").write_bytes(b"")
    with pytest.raises(RecordError, match=r"is a run of autotelic 0\.1\.0; read it with that version"):
        Journal.open(tmp_path)
    with Journal.create(tmp_path, "c", "r") as journal:
        journal._connection.execute("PRAGMA user_version = 9")
    with pytest.raises(RecordError, match="tables of version 9, expected 3"):
        Journal.open(tmp_path)
    with pytest.raises(RecordError, match="exists already"):
        Journal.create(tmp_path, "c", "r")
    with pytest.raises(RecordError, match="does not exist"):
        Journal.open(tmp_path / "none")


def test_verification_reads_no_more_than_it_is_asked_to(journal: Journal) -> None:
    digest = ""
    for generation in range(1, 6):
        for _ in range(20):
            journal.append(Dropped(generation=generation, what="x", n=1, why="y"))
        digest = journal.mark(generation)
    journal._connection.execute("UPDATE messages SET data = '{}' WHERE id = 3")
    journal.verify(5, digest, most=40)
    with pytest.raises(RecordError, match="rows are not those that were written"):
        journal.verify(5, digest)
    with pytest.raises(RecordError, match="rows are not those that were written"):
        journal.verify(4, digest)


def test_how_a_run_began_is_verified_however_long_ago(journal: Journal) -> None:
    journal.append(MESSAGES[0])
    digest = ""
    for generation in range(1, 6):
        journal.append(GenerationBegan(generation=generation))
        digest = journal.mark(generation)
    journal.verify(5, digest, most=1)
    journal._connection.execute("UPDATE messages SET data = replace(data, '0.2.0', '0.2.1') WHERE id = 1")
    with pytest.raises(RecordError, match="rows are not those that were written"):
        journal.verify(5, digest, most=1)
