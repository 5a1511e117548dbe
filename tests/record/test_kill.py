"""`kill -9` at any moment loses no more than the step in flight, and never corrupts."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
import traceback
from pathlib import Path

import torch

from autotelic.charter import Charter
from autotelic.messages import Admitted, GenerationEnded, Judged
from autotelic.record import Journal, RunFolder
from autotelic.record.checkpoint import load_latest, restore, save
from autotelic.types import Episode, Group, Step, Task, Turn, Verdict
from autotelic.weights.store import Store

KILLS = 50
ROWS = 20


def weights(generation: int) -> torch.Tensor:
    """What the checkpoint of a generation holds, so that a mixture of two would be seen."""
    return torch.full((32, 1024), float(generation))


def write_generations(folder: str) -> None:
    """A run without a model: go on from the last checkpoint, and say after each one that it is there."""
    run = RunFolder.open(folder)
    store = Store(run.weights)
    with run.lock(), Journal.open(folder, "a") as journal:
        last = restore(run.checkpoints, store, journal)
        generation = 0 if last is None else last.generation
        while True:
            generation += 1
            tasks = tuple(
                Task(domain="python", mode="deduction", level=1, prompt=f"{generation}-{i}" * 10, secret={})
                for i in range(ROWS)
            )
            turn = Turn(
                prompt_ids=(1,) * 50, completion_ids=(2,) * 20, logprobs=(-1.0,) * 20, weights="", stop="eos"
            )
            episodes = tuple(Episode(task_id=t.id, steps=(Step(turn=turn),), answer="") for t in tasks)
            verdict = Verdict(reward=1.0, passed=True, reason="right")
            group = Group(task=tasks[0], episodes=episodes, verdicts=(verdict,) * len(episodes))
            journal.append(Admitted(generation=generation, tasks=tasks))
            journal.append(Judged(generation=generation, purpose="attempt", groups=(group,)))
            journal.append(ended(generation))
            save(
                run.checkpoints,
                store,
                generation,
                {"actor": {"weight": weights(generation)}},
                {"at": generation},
                journal=journal.mark(generation),
            )
            print("saved", generation, flush=True)


def ended(generation: int) -> GenerationEnded:
    return GenerationEnded(
        generation=generation,
        seconds=1.0,
        trained=0,
        decoded=0,
        flops=0.0,
        train_seconds=0.0,
        decode_seconds=0.0,
        total_seconds=1.0,
        total_tokens=0,
        total_flops=0.0,
        cells={},
    )


def raise_writers(folder: str) -> None:
    """A child for each line of input. It starts in a millisecond, as torch is there already."""
    for _ in sys.stdin:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.read(reading, 1)  # wait until our birth was announced, so that it is read first
            try:
                write_generations(folder)
            finally:
                traceback.print_exc()
                os._exit(1)
        print("born", child, flush=True)
        os.write(writing, b"!")
        os.close(reading)
        os.close(writing)
        print("dead", -os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def test_kill_at_any_moment_never_corrupts_and_loses_no_saved_generation(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path / "run", Charter())
    draw = random.Random(0)
    saved, in_flight = 0, 0
    with subprocess.Popen(
        [sys.executable, __file__, str(run.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as nursery:
        for _ in range(KILLS):
            saved = max(saved, kill_one(nursery, steps=draw.randrange(3), share=draw.random()))
            generation, cut = examine(run)
            assert generation >= saved, "what was said to be saved is there"
            saved, in_flight = generation, in_flight + cut
        nursery.communicate()
    assert saved >= KILLS / 2, "writers got somewhere"
    assert in_flight > 0, "and some were killed in the middle of it"


def kill_one(nursery: subprocess.Popen[str], steps: int, share: float) -> int:
    """Raise a writer and kill it at a `share` of the time it takes for the step after so many.

    To open the run is the first step, and each generation is one. Returns the last one it said was saved.
    Counting steps, and not only time, gets as far on a busy machine as on an idle one.
    """
    assert nursery.stdin is not None
    assert nursery.stdout is not None
    print("another", file=nursery.stdin, flush=True)
    child, saved, seen, last, length = 0, 0, 0, time.monotonic(), 0.05
    while True:
        word, number = nursery.stdout.readline().split()
        if word == "dead":
            assert int(number) == signal.SIGKILL, "the writer itself failed"
            return saved
        child, saved = (int(number), saved) if word == "born" else (child, int(number))
        now = time.monotonic()
        length, last = (now - last, now) if word == "saved" else (length, now)
        if seen == steps:
            time.sleep(share * length)
            os.kill(child, signal.SIGKILL)
        seen += 1


def examine(run: RunFolder) -> tuple[int, bool]:
    """What a kill left: the generation of the newest checkpoint, and whether another was in flight."""
    with Journal.open(run.path) as journal:
        assert journal.check() == []
        done = [m.generation for m in journal.read() if isinstance(m, GenerationEnded)]
        found = load_latest(run.checkpoints, Store(run.weights))
        if found is None:
            assert done in ([], [1])
            return 0, bool(done)
        assert found.skipped == (), "a checkpoint that is there is whole"
        assert found.generation in journal.marks(), "the journal knows the checkpoint"
        assert found.state == {"at": found.generation}
        assert torch.equal(found.tensors["actor"]["weight"], weights(found.generation))
        (admitted,) = journal.read(kinds=(Admitted.kind,), generation=found.generation)
        assert isinstance(admitted, Admitted)
        assert len(list(admitted.tasks)) == ROWS
        (judged,) = journal.read(kinds=(Judged.kind,), generation=found.generation)
        assert isinstance(judged, Judged)
        assert len(judged.groups[0].episodes) == ROWS
        assert done == list(range(1, len(done) + 1)), "no generation is missing or there twice"
        assert len(done) <= found.generation + 1, "no more than one generation is in flight"
    return found.generation, len(done) > found.generation or any(run.checkpoints.glob(".new-*"))


if __name__ == "__main__":
    raise_writers(sys.argv[1])
