"""A full disk is one clear line, and the last good state is intact.

The limit on file size stands in for the disk: it needs no rights to set, and the system refuses the write in
the same place, with `EFBIG` where a disk would say `ENOSPC`.
"""

from __future__ import annotations

import multiprocessing
import resource
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
import torch

from autotelic.charter import Charter
from autotelic.errors import AutotelicError
from autotelic.messages import Dropped
from autotelic.record import Journal, RunFolder
from autotelic.record.checkpoint import load_latest, restore, save
from autotelic.weights.store import Store


def write_until_full(folder: str, room: int, kilobytes: int, tell: Connection) -> None:
    """Generations with checkpoints of this size, no file of which may be larger than `room` bytes."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
    run = RunFolder.open(folder)
    try:
        with Journal.open(folder, "a") as journal:
            for generation in range(1, 1000):
                journal.append(Dropped(generation=generation, what="x", n=1, why="x" * 20_000))
                digest = journal.mark(generation)
                size = kilobytes * 256 * (10 if generation == 5 else 1)
                tensors = {"actor": {"weight": torch.zeros(size)}}
                state = {"at": generation}
                save(run.checkpoints, Store(run.weights), generation, tensors, state, journal=digest)
    except AutotelicError as error:
        tell.send((type(error).__name__, str(error)))


@pytest.mark.parametrize(
    ("room", "kilobytes", "says"),
    [
        (300_000, 1, "journal.sqlite cannot be written or read"),  # the journal's log fills up first
        (300_000, 100, "cannot be written"),  # the checkpoint of generation 5 is too large
    ],
)
def test_a_full_disk_leaves_the_last_good_state(tmp_path: Path, room: int, kilobytes: int, says: str) -> None:
    run = RunFolder.create(tmp_path, Charter())
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["autotelic.record.checkpoint"])
    listen, tell = context.Pipe(duplex=False)
    writer = context.Process(target=write_until_full, args=(str(tmp_path), room, kilobytes, tell))
    writer.start()
    tell.close()
    kind, message = listen.recv()
    writer.join()
    assert kind == "RecordError"
    assert says in message
    assert "is intact" in message
    assert "\n" not in message

    assert run.problems() == []
    assert not list(run.checkpoints.glob(".new-*")), "the space of what could not be written is given back"
    store = Store(run.weights)
    with Journal.open(tmp_path, "a") as journal:
        found = restore(run.checkpoints, store, journal)
        assert found is not None
        assert found.generation >= 4
        assert [m.generation for m in journal.read(kinds=(Dropped.kind,))][-1] == found.generation
        journal.append(Dropped(generation=found.generation + 1, what="x", n=1, why=""))
        digest = journal.mark(found.generation + 1)
    save(run.checkpoints, store, found.generation + 1, {}, {"at": "more"}, journal=digest)
    again = load_latest(run.checkpoints, store)
    assert again is not None
    assert again.state == {"at": "more"}
