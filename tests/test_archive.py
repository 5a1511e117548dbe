"""The archive: what it keeps, what it shows again, and that it is the same after a checkpoint."""

from __future__ import annotations

import json
from collections import Counter

from autotelic.archive import CELLS, RIVALS, Archive, archives
from autotelic.domains.forecast import ForecastDomain
from autotelic.domains.packing import PackingDomain
from autotelic.messages import Archived, Tried
from autotelic.streams import stream
from autotelic.types import Cell, Episode, Group, Verdict

DOMAIN = PackingDomain()


def tried(answer: str, *rewards: float, cell: str = "c") -> Tried:
    return Tried(family="f", cell=cell, answer=answer, task="t", author="a", rewards=rewards)


def learned(*messages: tuple[Tried, ...]) -> Archive:
    archive = Archive(DOMAIN.spec.scale)
    for each in messages:
        archive.learn(Archived(tried=each))
    return archive


def group(mode: str, answers: dict[str, float]) -> Group:
    (task,) = DOMAIN.tasks(stream(0, mode), [Cell(mode=mode, level=1)])
    return Group(
        task=task,
        episodes=tuple(Episode(task_id=task.id, steps=(), answer=answer) for answer in answers),
        verdicts=tuple(Verdict(reward=r, passed=r > 0, reason="") for r in answers.values()),
    )


def test_the_best_of_a_cell_is_first_and_few_rivals_are_kept() -> None:
    archive = learned(tuple(tried(str(at), at / 10, at / 10) for at in range(2 * RIVALS)))
    (best,) = archive.best("f")
    assert best.answer == str(2 * RIVALS - 1)
    assert len(archive.families["f"]["c"]) == RIVALS


def test_what_was_lucky_once_is_not_before_what_was_good_often() -> None:
    often = tried("often", *([1.0, 2.0] * 20))
    archive = learned((often, tried("lucky", 1.9), tried("bad", *([-1.0, 0.0] * 5), cell="d")))
    assert archive.best("f")[0].answer == "often"
    archive.learn(Archived(tried=(tried("lucky", *([1.8, 2.0] * 20)),)))
    assert archive.best("f")[0].answer == "lucky"


def test_only_so_many_cells_are_kept_the_best() -> None:
    archive = learned(tuple(tried(str(at), float(at), cell=str(at)) for at in range(CELLS + 10)))
    assert len(archive.best("f")) == CELLS
    assert "0" not in archive.families["f"]


def test_better_answers_are_drawn_more_often_and_none_where_there_are_none() -> None:
    archive = learned(tuple(tried(str(at), *([at + 1.0] * 4), cell=str(at)) for at in range(8)))
    drawn = Counter(elite.answer for elite in archive.draw("f", 2000, stream(0, "t")))
    assert drawn["7"] > drawn["4"] > drawn["0"] > 0
    assert archive.draw("another", 3, stream(0, "t")) == []


def test_new_answers_have_to_pass_and_kept_ones_are_tried_again_whatever_they_earn() -> None:
    archive = Archive(DOMAIN.spec.scale)
    first = archive.tried(DOMAIN, [group("weibull", {"abs(50-gap)": 2.0, "-gap": 0.0, "gap+": -4.0})])
    assert [(one.family, one.answer, one.rewards) for one in first] == [
        ("weibull priority", "abs(50-gap)", (2.0,))
    ]
    archive.learn(Archived(tried=tuple(first)))
    again = archive.tried(DOMAIN, [group("weibull", {"abs(50-gap)": -1.0})])
    assert [one.rewards for one in again] == [(-1.0,)]
    archive.learn(Archived(tried=tuple(again)))
    (elite,) = archive.best("weibull priority")
    assert (elite.tries, elite.mean) == (2, 0.5)
    archive.learn(Archived(tried=tuple(archive.tried(DOMAIN, [group("weibull", {"abs(50-gap)": -1.0})]))))
    assert archive.families == {}


def test_an_archive_is_the_same_as_a_value() -> None:
    archive = learned((tried("x", 0.1, 0.2), tried("y", 0.3, cell="d")))
    again = Archive(DOMAIN.spec.scale)
    again.restore(json.loads(json.dumps(archive.to_json())))
    assert again.families == archive.families
    assert again.draw("f", 9, stream(0, "t")) == archive.draw("f", 9, stream(0, "t"))


def test_it_is_kept_where_answers_can_be_tried_at_other_tasks() -> None:
    assert archives(DOMAIN)
    assert not archives(ForecastDomain())
