"""What is refused as known, sealed or crowded, and how newness is measured."""

from __future__ import annotations

import pytest

from autotelic.propose.novelty import Novelty
from autotelic.types import Rejection, Task


def task(signature: str, cluster: str = "c") -> Task:
    return Task(
        id=signature,
        domain="d",
        mode="m",
        level=1,
        prompt="p",
        secret={},
        signature=signature,
        cluster=cluster,
    )


def reasons(found: list[Task | Rejection]) -> list[str]:
    return [item.reason if isinstance(item, Rejection) else "task" for item in found]


def test_a_sealed_behaviour_is_refused_before_anything_else_is_asked() -> None:
    novelty = Novelty(sealed=["a"])
    assert reasons(novelty.admit([task("a"), task("b")], quota=1.0)) == ["sealed", "task"]
    assert "a" not in novelty.known


def test_a_behaviour_is_a_task_once() -> None:
    novelty = Novelty()
    assert reasons(novelty.admit([task("a"), task("a")], quota=1.0)) == ["task", "known"]
    assert reasons(novelty.admit([task("a")], quota=1.0)) == ["known"]


def test_rejections_pass_through_as_they_are() -> None:
    refusal = Rejection(reason="syntax")
    assert Novelty().admit([refusal], quota=1.0) == [refusal]


def test_one_cluster_may_not_fill_a_generation() -> None:
    found = Novelty().admit([task(str(i)) for i in range(100)], quota=0.2)
    assert reasons(found).count("task") == 20
    assert reasons(found).count("crowded") == 80


def test_a_small_batch_has_room_for_eight_of_a_cluster() -> None:
    assert reasons(Novelty().admit([task(str(i)) for i in range(8)], quota=0.01)) == ["task"] * 8


def test_newness_is_nil_for_the_known_and_less_in_a_crowd() -> None:
    novelty = Novelty()
    novelty.admit([task("a", "x"), task("b", "x"), task("c", "y"), task("d", "x")], quota=1.0)
    assert novelty.of(task("a", "x")) == 0.0
    assert novelty.of(task("new", "x")) == pytest.approx(0.25)
    assert novelty.of(task("new", "y")) == pytest.approx(0.75)
    assert novelty.of(task("new", "z")) == 1.0


def test_recalling_gives_back_what_was_known() -> None:
    novelty = Novelty()
    novelty.admit([task("a", "x"), task("b", "y")], quota=1.0)
    other = Novelty()
    other.recall(novelty.known, novelty.recent)
    assert other.known == novelty.known
    assert other.share("x") == novelty.share("x")
