"""A journal a hundred times that of a default run: a resume takes seconds, and no memory to speak of."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from sample_messages import MESSAGES

from autotelic.messages import Admitted, Attempted, Judged, Proposed, RunStarted
from autotelic.record import Journal
from autotelic.record.nouns import TABLES
from autotelic.types import Episode, Group, Lineage, Step, Task, Turn, Verdict

GENERATIONS = 3000
"""A default run makes about thirty."""
TASKS, GROUPS, SIBLINGS = 3000, 48, 8
RESUME = """
import json, resource, sys, time
from autotelic.messages import Proposed, RunStarted
from autotelic.record import Journal
began = time.perf_counter()
with Journal.open(sys.argv[1], "a") as journal:
    journal.latest(RunStarted)
    generation = journal.marks()[-1]
    journal.verify(generation, sys.argv[2])
    journal.rewind(generation)
    tasks = journal.tasks([task.id for task in journal.latest(Proposed).tasks])
print(json.dumps({
    "tasks": len(tasks),
    "seconds": time.perf_counter() - began,
    "MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
}))
"""


def write_generation(journal: Journal, generation: int) -> str:
    """A generation of a default run's size, marked; the digest of the mark."""
    tasks = tuple(
        Task(
            domain="python",
            mode="deduction",
            level=1,
            prompt=f"f({number})",
            secret={"program": "def f(x):\n    return x\n"},
            lineage=Lineage(generation=generation),
        )
        for number in range(TASKS)
    )
    turn = Turn(prompt_ids=(1,) * 50, completion_ids=(2,) * 20, logprobs=(-1.0,) * 20, weights="", stop="eos")
    verdicts = (Verdict(reward=1.0, passed=True, reason="right"),) * SIBLINGS
    groups = tuple(
        Group(task=task, episodes=(Episode(task_id=task.id, steps=(Step(turn=turn),), answer=""),) * SIBLINGS)
        for task in tasks[:GROUPS]
    )
    journal.append(Proposed(generation=generation, bootstrap=False, wanted={}, tasks=tasks))
    journal.append(Admitted(generation=generation, tasks=tasks))
    attempted = journal.append(Attempted(generation=generation, purpose="attempt", groups=groups))
    judged = tuple(
        Group(task=group.task, episodes=group.episodes, verdicts=verdicts) for group in attempted.groups
    )
    journal.append(Judged(generation=generation, purpose="attempt", groups=judged))
    return journal.mark(generation)


def copy_generation(journal: Journal, generation: int) -> None:
    """The rows of the first generation, at most `TASKS` a table, as those of a later one. Tasks get new ids,
    so that the index of ids grows as in a run.
    """
    database = journal._connection
    shift = database.execute("SELECT max(id) FROM messages").fetchone()[0]
    database.execute(
        "INSERT INTO messages SELECT id + ?, time, ?, kind, span, data FROM messages WHERE generation = 1",
        (shift, generation),
    )
    for table, columns in TABLES.items():
        row = database.execute(f"SELECT coalesce(max(row), 0) FROM {table}").fetchone()[0]
        names = [column.partition(" ")[0] for column in columns]
        values = ["printf('%016x', row + ?1)" if name == "id" else name for name in names]
        database.execute(
            f"INSERT INTO {table} SELECT row + ?1, message + ?2, ?3, {', '.join(values)} "
            f"FROM {table} WHERE row <= ?4 AND generation = 1",
            (row, shift, generation, TASKS),
        )
    journal.mark(generation)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_resume_of_a_journal_a_hundred_times_as_long(tmp_path: Path) -> None:
    with Journal.create(tmp_path, "sha256:charter", "run") as journal:
        journal.append(next(m for m in MESSAGES if isinstance(m, RunStarted)))
        journal.mark(0)
        write_generation(journal, 1)
        for generation in range(2, GENERATIONS):
            copy_generation(journal, generation)
        digest = write_generation(journal, GENERATIONS)
        assert journal.counts()["tasks"] == GENERATIONS * TASKS
    resumed = subprocess.run(
        [sys.executable, "-c", RESUME, str(tmp_path), digest], capture_output=True, text=True, check=True
    )
    found = json.loads(resumed.stdout)
    assert found["tasks"] == TASKS
    print(
        f"resumed in {found['seconds']:.1f} s"
    )  # `pytest -s` shows it; a figure of the machine is no assertion
    assert found["MB"] < 1000
