"""A journal that was damaged is read as it was written, or not at all."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from sample_messages import MESSAGES, same

from autotelic.errors import AutotelicError, RecordError
from autotelic.messages import MESSAGES as CLASSES
from autotelic.messages import Admitted, Message
from autotelic.record import Journal
from autotelic.types import Task


def read_all(journal: Journal) -> list[Message]:
    """Every message with its nouns: in order, by kind, and the tasks by their ids, as a resume looks them up."""
    found = journal.read(superseded=True)
    for cls in CLASSES:
        assert same(journal.read(kinds=(cls.kind,), superseded=True), [m for m in found if type(m) is cls])
        assert journal.latest(cls) is not None
    for message in found:
        if isinstance(message, Admitted):
            assert journal.tasks([task.id for task in message.tasks]) == list(message.tasks)
    return found


def damaged(content: bytes, number: int, draw: random.Random) -> bytes:
    """A truncation every tenth time, else one flipped bit."""
    if number % 10 == 9:
        return content[: draw.randrange(len(content))]
    changed = bytearray(content)
    changed[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
    return bytes(changed)


def read_damaged(folder: Path, digest: str, written: Sequence[Message]) -> bool:
    """Whether the damage is noticed: by a resume, by who reads, or by a check. What is not, was not read."""
    with Journal.open(folder, "a") as journal:
        problems = journal.check()
        assert all("\n" not in line for line in problems)
        journal.verify(1, digest)
        assert (journal.run, journal.charter_digest) == ("run", "sha256:charter")
        assert same(read_all(journal), written)
    return bool(problems)


def test_damage_to_content_is_noticed_and_never_a_traceback(tmp_path: Path) -> None:
    """100 bit flips and truncations: what a resume verifies is read as it was written, or not at all."""
    tasks = tuple(
        Task(domain="d", mode="m", level=1, prompt="x" * 90 + str(i), secret={}) for i in range(900)
    )
    written = (*MESSAGES, Admitted(tasks=tasks))
    with Journal.create(tmp_path, "sha256:charter", "run") as journal:
        for message in written:
            journal.append(message)
        digest = journal.mark(1)
    content = (tmp_path / "journal.sqlite").read_bytes()
    closed = (tmp_path / "journal.closed.json").read_bytes()
    draw = random.Random(0)
    noticed = unclosed = 0
    for number in range(100):
        folder = tmp_path / str(number)
        folder.mkdir()
        changed = damaged(content, number, draw)
        (folder / "journal.sqlite").write_bytes(changed)
        unclosed += notices(folder, digest, written)
        for left in folder.iterdir():
            left.unlink()
        (folder / "journal.sqlite").write_bytes(changed)
        (folder / "journal.closed.json").write_bytes(closed)
        noticed += notices(folder, digest, written)
    assert noticed == 100
    assert unclosed >= 60, "of a killed run: the rest hit what holds nothing"


def notices(folder: Path, digest: str, written: Sequence[Message]) -> bool:
    """Whether damage is told in one line, or seen to change nothing that is read."""
    try:
        return read_damaged(folder, digest, written)
    except AutotelicError as error:
        return "\n" not in error.cause


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b'{"bytes": "many", "sha256": ""}', b"\xff"])
def test_a_damaged_note_is_noticed(tmp_path: Path, content: bytes) -> None:
    """What says how the journal was closed is no less part of the run."""
    Journal.create(tmp_path, "sha256:charter", "run").close()
    (tmp_path / "journal.closed.json").write_bytes(content)
    with Journal.open(tmp_path) as journal:
        assert "journal.closed.json is damaged" in journal.check()[0]
    with pytest.raises(RecordError, match=r"journal\.closed\.json is damaged"):
        Journal.open(tmp_path, "a")


def test_a_journal_that_is_written_again_is_closed_anew(tmp_path: Path) -> None:
    """The note goes when a writer comes, also one that is killed, and comes back when it has closed."""
    Journal.create(tmp_path, "sha256:charter", "run").close()
    note = tmp_path / "journal.closed.json"
    first = note.read_bytes()
    with Journal.open(tmp_path, "a") as journal:
        assert not note.exists()
        with Journal.open(tmp_path) as reader:
            journal.append(MESSAGES[0])
            assert reader.newest == 1
            assert reader.check() == []
    assert note.read_bytes() != first
    with Journal.open(tmp_path) as journal:
        assert journal.check() == []
