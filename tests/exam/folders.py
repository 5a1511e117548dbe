"""Run folders as a short run leaves them, of random weights, for tests of what reads them."""

from __future__ import annotations

from pathlib import Path

from autotelic.charter import Charter
from autotelic.domains.math import SPECIAL, MathDomain
from autotelic.exam.sealed import Exam, draw_sealed
from autotelic.messages import Admitted, ChampionSaved, ExamSet, Parent, RunStarted
from autotelic.models.tiny import build_tiny
from autotelic.models.tokenizer import train_tokenizer
from autotelic.record import Journal, RunFolder
from autotelic.streams import stream
from autotelic.types import Cell, Task
from autotelic.weights.load import save

CHARTER = Charter.of(
    {
        "domain": {"name": "math", "modes": ["solve", "model"], "levels": [1, 2]},
        "roles": {"max_tokens": 24},
        "exam": {"items_per_cell": 3},
        "limits": {"require": "L0"},
    }
)


def started(run: str = "r1", start: str = "", parent: Parent | None = None) -> RunStarted:
    """The first message of a run."""
    return RunStarted(
        run=run,
        version="0.2.0",
        commit="",
        start=start,
        charter=CHARTER.canonical(),
        digest=CHARTER.digest,
        seed=0,
        model="tiny",
        parameters=1,
        learned=1,
        chat=False,
        capabilities=(),
        scale=(0.0, 1.0),
        machine={},
        versions={},
        platform="",
        sandbox="L0",
        context=512,
        parent=parent,
    )


def commit_to(journal: Journal, exam: Exam) -> None:
    """Record an exam as the run that draws it does."""
    journal.append(
        ExamSet(
            exam=exam.name,
            digest=exam.digest,
            refused=exam.refused,
            missing=exam.missing,
            items=exam.items,
        )
    )


def make_run(path: Path) -> tuple[RunFolder, Exam]:
    """A run before its first checkpoint, with a champion: what it began from, and the exam it committed to."""
    run = RunFolder.create(path, CHARTER)
    domain = MathDomain(levels=(1, 2), modes=("solve", "model"))
    tokenizer = train_tokenizer(domain.corpus(stream(0, "corpus"), 120), SPECIAL, 320)
    refs = [
        save(build_tiny(tokenizer, width=16, depth=1, heads=2, context=512, seed=seed), tokenizer, place)
        for seed, place in enumerate((run.start, run.champion))
    ]
    cells = [Cell(mode=mode, level=level) for mode in CHARTER.domain.modes for level in (1, 2)]
    exam = draw_sealed(domain, CHARTER.seed, cells, 3)
    with Journal.open(run.path, "a") as journal:
        journal.append(started(journal.run, refs[0]))
        commit_to(journal, exam)
        journal.append(ChampionSaved(weights="sha256:adapter", folder=refs[1]))
    return run, exam


def make_journal(path: Path, tasks: list[Task], parent: Parent | None = None) -> str:
    """A run folder that holds a journal with these tasks and no weights; the run's id."""
    RunFolder.create(path, CHARTER)
    with Journal.open(path, "a") as journal:
        journal.append(started(journal.run, parent=parent))
        journal.append(Admitted(tasks=tuple(tasks)))
        return journal.run
