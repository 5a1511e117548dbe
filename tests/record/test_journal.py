"""Every message comes back as it was, under an id that stays, and what is damaged is never believed."""

from __future__ import annotations

import math
import random
import shutil
import subprocess
import sys
import time
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest

from autotelic.errors import AutotelicError, RecordError
from autotelic.messages import MESSAGES as CLASSES
from autotelic.messages import (
    Admitted,
    Attempted,
    Dropped,
    GenerationBegan,
    Judged,
    Message,
    Proposed,
    RunResumed,
    RunStarted,
    Updated,
)
from autotelic.record import Journal, Rows
from autotelic.types import Episode, Group, Proposal, Task
from examples import EPISODES, MESSAGES, TASK, judged


@pytest.fixture
def journal(tmp_path: Path) -> Any:
    with Journal.create(tmp_path, "sha256:charter", "the run") as made:
        yield made


def same(one: Any, other: Any) -> bool:
    """Equal, with nan equal to itself, and but for the ids that the journal gives."""
    if isinstance(one, float) and isinstance(other, float):
        return one == other or (math.isnan(one) and math.isnan(other))
    if is_dataclass(one):
        left_out = {"id", "time"} if isinstance(one, Message | Episode | Proposal) else set()
        return type(one) is type(other) and all(
            same(getattr(one, f.name), getattr(other, f.name)) for f in fields(one) if f.name not in left_out
        )
    if isinstance(one, dict) or hasattr(one, "items"):
        return set(one) == set(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple | Rows):
        left, right = list(one), list(other)
        return len(left) == len(right) and all(map(same, left, right))
    return bool(one == other)


def test_there_is_an_example_of_every_class() -> None:
    assert [type(message) for message in MESSAGES] == list(CLASSES)


def test_every_message_comes_back_as_it_was(journal: Journal) -> None:
    appended = [journal.append(message) for message in MESSAGES]
    journal.commit()
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


def test_an_update_of_130_sequences_takes_about_a_kilobyte(journal: Journal) -> None:
    tasks = tuple(Task(domain="d", mode="m", level=1, prompt=str(i), secret={}) for i in range(130))
    journal.append(Admitted(tasks=tasks))
    sample = next(m for m in MESSAGES if isinstance(m, Updated))
    from dataclasses import replace

    from autotelic.types import Entry

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


def test_a_reader_is_at_most_two_seconds_behind(journal: Journal) -> None:
    journal.commit()
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
    with pytest.raises(RecordError, match="tables of version 9, expected 2"):
        Journal.open(tmp_path)
    with pytest.raises(RecordError, match="exists already"):
        Journal.create(tmp_path, "c", "r")
    with pytest.raises(RecordError, match="does not exist"):
        Journal.open(tmp_path / "none")


def test_damage_to_content_is_noticed_and_never_a_traceback(tmp_path: Path) -> None:
    """100 bit flips and truncations: each is noticed, or has changed nothing that is read."""
    (tmp_path / "good").mkdir()
    with Journal.create(tmp_path / "good", "sha256:charter", "run") as journal:
        for message in MESSAGES:
            journal.append(message)
        tasks = tuple(
            Task(domain="d", mode="m", level=1, prompt="x" * 90 + str(i), secret={}) for i in range(300)
        )
        journal.append(Admitted(tasks=tasks))
        digest = journal.mark(1)
        journal._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = (tmp_path / "good" / "journal.sqlite").read_bytes()
    draw = random.Random(0)
    noticed = harmless = 0
    for number in range(100):
        folder = tmp_path / str(number)
        folder.mkdir()
        changed = bytearray(content)
        if number % 10 == 9:
            changed = changed[: draw.randrange(len(changed))]
        else:
            changed[draw.randrange(len(changed))] ^= 1 << draw.randrange(8)
        (folder / "journal.sqlite").write_bytes(bytes(changed))
        try:
            with Journal.open(folder, "a") as journal:
                journal.verify(1, digest)
                journal.verify(1, digest, most=1)
                if journal.check():
                    noticed += 1
                    continue
                read = journal.read(superseded=True)
                assert all(map(same, read, [*MESSAGES, Admitted(tasks=tasks)]))
                harmless += 1
        except AutotelicError:
            noticed += 1
        shutil.rmtree(folder)
    assert noticed + harmless == 100
    assert noticed >= 60


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
