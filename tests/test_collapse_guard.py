"""The guard in the loop: audits are recorded, a cut is a message, and a resume keeps it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from test_loop import MACHINE, interrupt_at, saved, small

from autotelic.charter import Charter
from autotelic.judge.collapse import CollapseGuard, Finding
from autotelic.loop import resume, run
from autotelic.messages import Attempted, Audited, Decided, Evaluated, Judged, Message, SourceCut, Updated
from autotelic.record import Journal
from autotelic.types import Source

CUT = 3
"""The generation in whose audit the guard is told to find a collapse."""


def certain() -> Charter:
    """Certainty alone rewards, and four tasks are audited."""
    changes = {"feedback.verifier": 0.0, "feedback.certainty": 1.0, "feedback.guard": 4, "repair.share": 0.0}
    return small(4, **{"learn.imitation": 0.0, "exam.every": 4, "learn.kl": 0.0, **changes})


@pytest.fixture(autouse=True)
def scripted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A collapse is found in the audit of one generation: what a model of seconds does shows none."""

    def findings(self: CollapseGuard, live: list[Source]) -> list[Finding]:
        due = self.shape["length"].looks == CUT - 2  # the first two audits are the reference
        return [
            Finding(source=source, test="success", evidence=99.0, needed=80.0, why="it fell")
            for source in live
            if due
        ]

    monkeypatch.setattr(CollapseGuard, "findings", findings)


@pytest.fixture
def messages() -> Iterator[Callable[[Path], list[Message]]]:
    """Reads a run's messages; journals stay open, because groups are read when they are looked at."""
    with ExitStack() as opened:
        yield lambda folder: list(opened.enter_context(Journal.open(folder)).read())


def test_a_cut_is_recorded_heeded_and_kept_by_a_resume(
    tmp_path: Path, messages: Callable[[Path], list[Message]]
) -> None:
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    run(certain(), whole, machine=MACHINE)
    found = messages(whole)
    audits = [m for m in found if isinstance(m, Audited)]
    (cut,) = [m for m in found if isinstance(m, SourceCut)]
    # Every generation until the cut; after it no internal source is left.
    assert [m.generation for m in audits] == [1, 2, CUT]
    assert (cut.generation, cut.source, cut.step) == (CUT, "certainty", audits[-1].step)
    updates = [m for m in found if isinstance(m, Updated)]
    assert cut.step == sum(m.id < cut.id for m in updates)
    judges = {
        m.generation: {v.source for g in m.groups for v in g.verdicts}
        for m in found
        if isinstance(m, Judged) and m.purpose == "attempt"
    }
    assert judges == {1: {"certainty"}, 2: {"certainty"}, 3: {"verifier"}, 4: {"verifier"}}
    # The gate is asked at once, before anything else is learned.
    after = [m for m in found if isinstance(m, Decided | Updated) and m.id > cut.id]
    assert isinstance(after[0], Decided)
    # The same tasks each time, verified, of which none is an exam's or is trained on.
    asked = [[g.task.id for g in m.groups] for m in audits]
    assert asked[0] == asked[1] == asked[2]
    assert all(v.source == "verifier" for m in audits for g in m.groups for v in g.verdicts)
    attempted = {g.task.id for m in found if isinstance(m, Attempted) for g in m.groups}
    examined = {g.task.signature for m in found if isinstance(m, Evaluated) for g in m.groups}
    assert not set(asked[0]) & attempted
    assert not {g.task.signature for g in audits[0].groups} & examined
    # Stopped right after the generation of the cut, and taken up again.
    run(certain(), stopped, machine=MACHINE, watch=interrupt_at(CUT + 1, "propose"))
    assert saved(stopped)["state"].count('"cut": {"certainty"') == 1
    resume(stopped, machine=MACHINE)
    assert saved(stopped) == saved(whole)
    assert len([m for m in messages(stopped) if isinstance(m, SourceCut)]) == 1


def test_without_internal_feedback_or_without_a_guard_nothing_is_audited(
    tmp_path: Path, messages: Callable[[Path], list[Message]]
) -> None:
    run(small(1), tmp_path / "verified", machine=MACHINE)
    run(certain().replace({"feedback.guard": 0, "budget.generations": 1}), tmp_path / "bare", machine=MACHINE)
    for name in ("verified", "bare"):
        assert not [m for m in messages(tmp_path / name) if isinstance(m, Audited | SourceCut)]
