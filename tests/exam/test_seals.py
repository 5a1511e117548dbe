"""What a run must not examine as new: all that its ancestors have met."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes import FakeDomain, task
from folders import make_journal

from autotelic.errors import RecordError
from autotelic.exam.sealed import draw_sealed
from autotelic.exam.seals import seals_of
from autotelic.messages import Parent
from autotelic.types import Cell

TASKS = [task("double", 1, 100_000 + n) for n in range(9)]


def signatures(tasks) -> set[str]:
    return {task.signature for task in tasks}


def child_of(run: str, seals: bool = True) -> Parent:
    return Parent(run=run, weights="", seals=seals)


def test_all_that_a_run_has_met(tmp_path):
    make_journal(tmp_path / "a", TASKS[:4])
    assert seals_of(tmp_path / "a") == signatures(TASKS[:4])


def test_its_ancestors_have_met_it_too(tmp_path):
    oldest = make_journal(tmp_path / "a", TASKS[:3])
    older = make_journal(tmp_path / "b", TASKS[3:5], child_of(oldest))
    make_journal(tmp_path / "c", TASKS[5:], child_of(older))
    assert seals_of(tmp_path / "c") == signatures(TASKS)
    (tmp_path / "a").rename(tmp_path / "renamed")
    assert seals_of(tmp_path / "c") == signatures(TASKS)


def test_an_ancestor_is_found_by_its_path_too(tmp_path):
    make_journal(tmp_path / "elsewhere" / "a", TASKS[:3])
    make_journal(tmp_path / "b", TASKS[3:5], child_of(str(tmp_path / "elsewhere" / "a")))
    assert seals_of(tmp_path / "b") == signatures(TASKS[:5])


def test_what_cannot_be_known_is_said_not_to_be(tmp_path):
    oldest = make_journal(tmp_path / "a", TASKS[:3])
    make_journal(tmp_path / "unsealed", TASKS[3:], child_of(oldest, seals=False))
    make_journal(tmp_path / "lost", TASKS[3:], child_of("no such run"))
    model = tmp_path / "model"
    model.mkdir()
    for folder in (tmp_path / "unsealed", tmp_path / "lost", model, tmp_path / "missing"):
        assert seals_of(folder) is None


def test_a_neighbour_that_cannot_be_read_is_passed_over(tmp_path):
    oldest = make_journal(tmp_path / "z", TASKS[:3])
    make_journal(tmp_path / "a", [])
    damage(tmp_path / "a")
    make_journal(tmp_path / "child", TASKS[3:5], child_of(oldest))
    assert seals_of(tmp_path / "child") == signatures(TASKS[:5])
    damage(tmp_path / "child")
    with pytest.raises(RecordError):
        seals_of(tmp_path / "child")


def damage(folder: Path) -> None:
    for path in folder.glob("journal.sqlite*"):
        path.write_bytes(b"not a journal" * 400)


def test_the_child_is_examined_on_nothing_of_its_parent(tmp_path):
    """Of 60 behaviours the parent has met half: no item of the child's exam is one of these."""
    met = [task("double", 1, 100_000 + n) for n in range(30)]
    make_journal(tmp_path / "a", met)
    cell = [Cell(mode="double", level=1)]
    careless = draw_sealed(FakeDomain(60), 1, cell, 10)
    assert careless.signatures & signatures(met)
    exam = draw_sealed(FakeDomain(60), 1, cell, 10, exclude=seals_of(tmp_path / "a"))
    assert len(exam.items) == 10
    assert not exam.signatures & signatures(met)
    assert exam.refused["known"] > 0
