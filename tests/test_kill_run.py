"""`kill -9` on a whole run, process and all, at random moments: what comes out in the end is what an uninterrupted
run gives, bit for bit."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from test_loop import MACHINE, interrupt_at, saved, small

from autotelic.loop import resume, run
from autotelic.record import Journal, checkpoint
from autotelic.weights.store import Store

KILLS = 50
GENERATIONS = 10_000
"""More than there is time for, so that no kill comes too late."""
LONGEST = 3.0
"""Seconds a process is left alive once it works: a few generations, or part of one on a busy machine."""


def newest(folder: Path) -> checkpoint.Checkpoint | None:
    return checkpoint.load_latest(folder / "checkpoints", Store(folder / "weights"))


def work(folder: Path) -> subprocess.Popen[str]:
    """A process that starts the run, or goes on with it where there is a checkpoint."""
    if folder.exists() and newest(folder) is None:
        shutil.rmtree(folder)  # killed before its first: what is there is a start, and `resume` says so
    code = (
        "import sys; from pathlib import Path; from test_loop import MACHINE, small\n"
        "from autotelic.loop import resume, run\n"
        "folder = Path(sys.argv[1])\n"
        "def watch(message):\n"
        "    print(message.kind, flush=True)\n"
        "if folder.exists(): resume(folder, watch=watch)\n"
        f"else: run(small({GENERATIONS}), folder, machine=MACHINE, watch=watch)\n"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code, str(folder)],
        cwd=Path(__file__).parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        bufsize=1,
    )


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_fifty_kills_change_nothing(tmp_path: Path) -> None:
    rng = random.Random(0)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    generations: list[int] = []
    for _ in range(KILLS):
        process = work(killed)
        assert process.stdout is not None
        assert process.stderr is not None
        if not process.stdout.readline():
            raise AssertionError(f"a run that was killed does not go on: {process.stderr.read()[-2000:]}")
        time.sleep(rng.uniform(0, LONGEST))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL, "the run ended before it was killed"
        with Journal.open(killed) as journal:
            assert journal.check() == []
        found = newest(killed)
        generations.append(0 if found is None else int(found.state["state"]["counters"]["generation"]))
    # Nothing that was kept is lost again, and being killed again and again does not keep a run from its end.
    assert generations == sorted(generations)
    assert generations[-1] > KILLS / 10
    end = interrupt_at(generations[-1] + 2, "learn")
    assert resume(killed, watch=end)["stopped"] == "interrupted"
    assert run(small(GENERATIONS), whole, machine=MACHINE, watch=end)["stopped"] == "interrupted"
    assert saved(killed) == saved(whole)
