"""A journal that was damaged is read as it was written, or not at all."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

from sample_messages import MESSAGES, same

from autotelic.errors import AutotelicError
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
        journal._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = (tmp_path / "journal.sqlite").read_bytes()
    draw = random.Random(0)
    noticed = 0
    for number in range(100):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "journal.sqlite").write_bytes(damaged(content, number, draw))
        try:
            noticed += read_damaged(folder, digest, written)
        except AutotelicError:
            noticed += 1
    assert noticed >= 60, "the rest hit what holds nothing"
