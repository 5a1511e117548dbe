"""The record gives back what was put in, to a reader beside the writer, and says plainly what is wrong."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autotelic.charter import Charter
from autotelic.errors import RecordError
from autotelic.record import Record
from autotelic.record.rows import attempt_of, attempt_rows, to_json
from autotelic.record.store import NAME
from autotelic.types import Attempt, Group, LearnReport, Lineage, Task, Turn, Verdict

REPORT = LearnReport(
    loss=1.5,
    nll=1.0,
    policy=0.5,
    kl=0.0,
    clipped=0.0,
    entropy=2.0,
    grad_norm=float("nan"),
    tokens=7,
    seconds=0.1,
)


@pytest.fixture
def record(tmp_path: Path) -> Iterator[Record]:
    with Record.create(tmp_path, Charter()) as made:
        yield made


def task(name: str, author: str = "rules") -> Task:
    return Task(
        id=name,
        domain="python",
        mode="induction",
        level=2,
        prompt="<|induction|>f([1])==1\n",
        secret={"pairs": [[[1, 2], 3]], "deep": {"text": "é😀\n\x00", "big": 10**30, "yes": True}},
        signature="s" * 32,
        cluster="list->int",
        lineage=Lineage(author=author, generation=3, references=("a", "b")),
    )


def turn(*logprobs: float) -> Turn:
    ids = tuple(range(70_000, 70_000 + len(logprobs)))
    return Turn(prompt_ids=(1, 2, 511), completion_ids=ids, logprobs=logprobs, weights="w" * 64, stop="eos")


def group(of: Task, *turns: tuple[Turn, ...]) -> Group:
    return Group(
        task=of,
        attempts=tuple(
            Attempt(task_id=of.id, turns=each, answer=f"answer {i}") for i, each in enumerate(turns)
        ),
        verdicts=tuple(
            Verdict(reward=i / 2, passed=bool(i), reason="wrong", source="critic", feedback="f([1])==2\n")
            for i, _ in enumerate(turns)
        ),
    )


def test_events_come_back_in_order_by_kind_and_after_a_place(record: Record) -> None:
    record.emit("run.start", seed=0)
    record.emit(
        "exam", generation=1, cells={"induction/2": {"p": np.float32(0.5)}}, shape=(1, 2), n=np.int64(3)
    )
    record.emit("exam", generation=2, loss=float("nan"))
    first, second, third = record.events()
    assert [event.kind for event in (first, second, third)] == ["run.start", "exam", "exam"]
    assert second.data == {"cells": {"induction/2": {"p": 0.5}}, "shape": [1, 2], "n": 3}
    assert (second.generation, third.data) == (1, {"loss": "NaN"})
    assert first.time <= second.time <= third.time
    assert record.events("exam") == [second, third]
    assert record.events(after=second.id) == [third]
    assert record.latest("exam") == third
    assert record.latest("decision") is None


def test_what_json_cannot_say_is_refused_by_name(record: Record) -> None:
    with pytest.raises(TypeError, match="object cannot be recorded; make it"):
        record.emit("exam", value=object())


def test_text_that_is_half_a_surrogate_pair_is_kept() -> None:
    assert json.loads(to_json({"a": "\ud800", "b": (1, np.float64(0.1))})) == {"a": "\ud800", "b": [1, 0.1]}


def test_tasks_come_back_equal_and_the_first_recording_stays(record: Record) -> None:
    record.tasks([task("one"), task("two", author="w" * 64)], generation=4)
    record.tasks([task("one", author="another")], generation=5)
    assert record.task("one") == task("one")
    assert record.task("two") == task("two", author="w" * 64)
    assert record.task("three") is None
    assert record.tasks_of(4) == [task("one"), task("two", author="w" * 64)]
    assert record.tasks_of(5) == []


def test_attempts_come_back_equal_with_their_verdicts(record: Record) -> None:
    one, two = task("one"), task("two")
    groups = [group(one, (turn(-0.5, -1.25), turn(-0.125)), ()), group(two, (turn(),))]
    record.groups(groups, generation=1)
    record.groups([group(one, (turn(-2.0),))], generation=2)
    stored = record.attempts(task_id="one", generation=1)
    assert [each.attempt for each in stored] == list(groups[0].attempts)
    assert [each.verdict for each in stored] == list(groups[0].verdicts)
    assert [(each.role, each.texts) for each in stored] == [("solver", ())] * 2
    assert len(record.attempts(task_id="one")) == 3
    assert len(record.attempts(generation=1)) == 3
    assert [each.id for each in record.attempts()] == [1, 2, 3, 4]


def test_the_text_of_turns_is_kept_where_a_tokenizer_is_at_hand(record: Record) -> None:
    record.groups([group(task("one"), (turn(-0.5), turn(-0.5, -0.5)))], 1, decode=lambda ids: f"<{len(ids)}>")
    assert record.attempts()[0].texts == (("<3>", "<1>"), ("<3>", "<2>"))


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.floats(allow_nan=False) | st.floats(width=32, allow_nan=False), max_size=5),
    st.lists(st.integers(0, 2**32 - 1), max_size=5),
    st.text(),
)
def test_every_bit_of_a_turn_is_kept(logprobs: list[float], ids: list[int], text: str) -> None:
    sampled = Turn(
        prompt_ids=tuple(ids),
        completion_ids=tuple(ids[::-1]),
        logprobs=tuple(logprobs),
        weights=text,
        stop="length",
    )
    (row,) = attempt_rows(group(task("one"), (sampled,)), 1, decode=None)
    assert attempt_of((7, *row)).attempt.turns == (sampled,)


def test_updates_come_back_with_generation_and_step(record: Record) -> None:
    record.update(REPORT, generation=1, step=5)
    record.update(REPORT, generation=2, step=6)
    assert [(each["generation"], each["step"], each["nll"]) for each in record.updates()] == [
        (1, 5, 1.0),
        (2, 6, 1.0),
    ]
    assert record.updates(2)[0]["grad_norm"] == "NaN"


def test_a_reader_sees_what_is_committed_while_the_writer_goes_on(record: Record, tmp_path: Path) -> None:
    record.emit("one")
    with Record.open(tmp_path) as reader:
        assert reader.events() == []
        record.commit()
        (seen,) = reader.events()
        record.emit("two")
        record.commit()
        assert [event.kind for event in reader.events(after=seen.id)] == ["two"]
        with pytest.raises(RecordError, match="may not be written"):
            reader.emit("three")


def test_a_reader_in_another_thread_opens_its_own_connection(record: Record, tmp_path: Path) -> None:
    record.emit("one")
    record.commit()
    seen: list[str] = []

    def look() -> None:
        with Record.open(tmp_path) as reader:
            seen.extend(event.kind for event in reader.events())

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == ["one"]


def test_what_was_not_committed_is_lost_and_the_rest_is_not(record: Record, tmp_path: Path) -> None:
    record.emit("one")
    record.commit()
    record.emit("two")
    record.close()
    with Record.open(tmp_path, "a") as again:
        assert [event.kind for event in again.events()] == ["one"]
        again.emit("three")
        again.commit()
        assert [event.kind for event in again.events()] == ["one", "three"]


def test_rewind_drops_what_came_after_the_mark_and_says_how_much(record: Record) -> None:
    record.emit("run.start")
    for generation in (1, 2):
        record.tasks([task(f"task {generation}")], generation)
        record.groups([group(task("one"), (turn(),), (turn(),))], generation)
        record.update(REPORT, generation, step=generation)
        record.emit("generation", generation=generation)
        record.mark(generation)
    record.emit("exam", generation=1)  # after the mark of 2, whatever generation it speaks of
    record.emit("run.stop", reason="interrupted")
    last = record.events()[-1].id

    assert record.marks() == [1, 2]
    assert record.rewind(1) == {"events": 2, "tasks": 1, "attempts": 2, "updates": 1}
    assert record.marks() == [1]
    assert [event.kind for event in record.events()] == ["run.start", "generation", "run.stop", "run.resume"]
    resumed = record.latest("run.resume")
    assert resumed is not None
    assert resumed.data["from_generation"] == 1
    assert resumed.data["dropped_events"] == 2
    assert resumed.id > last, "a live reader that saw the dropped events must still see the new ones"
    assert record.task("task 1") is not None
    assert record.task("task 2") is None
    assert record.counts() == {"events": 4, "tasks": 1, "attempts": 2, "updates": 1}


def test_rewind_to_a_generation_that_was_never_marked_is_refused(record: Record) -> None:
    record.emit("generation", generation=3)
    with pytest.raises(RecordError, match="no mark of generation 3, only of none"):
        record.rewind(3)
    record.mark(1)
    with pytest.raises(RecordError, match=r"no mark of generation 3, only of \[1\]"):
        record.rewind(3)


def test_a_run_without_a_checkpoint_is_rewound_to_its_beginning(record: Record) -> None:
    record.emit("run.start")
    record.emit("exam")
    record.mark(0)
    record.tasks([task("one")], 0)
    assert record.rewind(None) == {"events": 1, "tasks": 1, "attempts": 0, "updates": 0}
    assert [event.kind for event in record.events()] == ["run.start", "run.resume"]
    assert record.marks() == []


def test_rows_of_a_table_come_one_by_one(record: Record) -> None:
    record.tasks([task("one"), task("two")], 1)
    assert [row["id"] for row in record.each("tasks")] == ["one", "two"]
    with pytest.raises(ValueError, match="no table 'meta'"):
        next(record.each("meta"))


def test_the_record_is_committed_to_its_charter(record: Record) -> None:
    assert record.charter_digest == Charter().digest


def test_a_second_record_in_a_folder_is_refused(record: Record, tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="exists already; give another folder"):
        Record.create(tmp_path, Charter())


def test_a_missing_record_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="does not exist; give the folder"):
        Record.open(tmp_path)
    with pytest.raises(RecordError, match="cannot be opened"):
        Record.create(tmp_path / "nowhere", Charter())


def test_a_record_of_another_version_is_refused(record: Record, tmp_path: Path) -> None:
    record.close()
    with sqlite3.connect(tmp_path / NAME) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(RecordError, match="tables of version 99, expected 1; read it with the version"):
        Record.open(tmp_path)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text("not a database, but long enough to be read as one" * 100)
    for mode in ("r", "a"):
        with pytest.raises(RecordError, match="is no record: it is not an SQLite database"):
            Record.open(tmp_path, mode)  # type: ignore[arg-type]


def test_a_damaged_record_is_found_before_it_is_written_to(record: Record, tmp_path: Path) -> None:
    record.tasks([task(f"task {i}") for i in range(500)], 1)
    record.commit()
    record.close()
    path = tmp_path / NAME
    content = bytearray(path.read_bytes())
    middle = len(content) // 2 // 4096 * 4096
    content[middle : middle + 4096] = os.urandom(4096)
    path.write_bytes(content)
    with pytest.raises(RecordError, match=r"is damaged.*restore the run folder from a copy"):
        Record.open(tmp_path, "a")
    with Record.open(tmp_path) as reader:
        assert reader.check()


def test_a_row_that_cannot_be_read_is_a_clear_error(record: Record, tmp_path: Path) -> None:
    record.emit("one")
    record.commit()
    with sqlite3.connect(tmp_path / NAME) as connection:
        connection.execute("UPDATE events SET data = '{'")
    with pytest.raises(RecordError, match="is damaged: a row cannot be read"):
        record.events()


def test_a_record_on_a_medium_that_cannot_be_written_is_read_as_it_lies(
    record: Record, tmp_path: Path
) -> None:
    record.emit("one")
    record.commit()
    record.close()
    if os.geteuid() == 0:
        pytest.skip("root may write anywhere")
    (tmp_path / NAME).chmod(0o400)
    tmp_path.chmod(0o500)
    try:
        with Record.open(tmp_path) as reader:
            assert [event.kind for event in reader.events()] == ["one"]
        with pytest.raises(RecordError, match="may not be written; change its permissions"):
            Record.open(tmp_path, "a")
    finally:
        tmp_path.chmod(0o700)
