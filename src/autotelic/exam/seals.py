"""What a run must not examine as new: all that its parent, and the parent's parents, have met."""

from __future__ import annotations

from pathlib import Path

from autotelic.errors import RecordError
from autotelic.messages import Parent, RunStarted
from autotelic.record import Journal, is_run


def seals_of(model: Path) -> frozenset[str] | None:
    """Signatures of all tasks in the journal of a run, and in those of the runs that it went on from.

    These are what was trained on, examined and set aside. None where that cannot be known: a bare model folder, or an
    ancestor that is found neither at its path nor, by its id, beside the run. Raises RecordError for a journal that
    cannot be read.
    """
    met: set[str] = set()
    folder: Path | None = model
    while folder is not None:
        if not is_run(folder):
            return None
        with Journal.open(folder) as journal:
            met |= {str(row["signature"]) for row in journal.each("tasks")}
            started = journal.latest(RunStarted)
        if started is None:
            return None
        if started.parent is None:
            return frozenset(met)
        folder = None if not started.parent.seals else _found(started.parent, folder)
    return None


def _found(parent: Parent, child: Path) -> Path | None:
    """The folder of a parent: the path it is named by, or beside its child the run of its id."""
    if is_run(parent.run):
        return Path(parent.run)
    for folder in sorted(child.resolve().parent.iterdir()):
        if is_run(folder):
            try:
                with Journal.open(folder) as journal:
                    if journal.run == parent.run:
                        return folder
            except RecordError:
                continue
    return None
