"""What is refused as known, sealed or crowded; and that knowing it costs little memory."""

from __future__ import annotations

import json
import tracemalloc

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from autotelic.propose.novelty import WINDOW, Novelty, Signatures
from autotelic.types import Rejection, Task


def task(signature: str, cluster: str = "c") -> Task:
    return Task(
        domain="d",
        mode="m",
        level=1,
        prompt="p",
        secret={},
        signature=signature,
        cluster=cluster,
        id=signature,
    )


def reasons(found: list[Task | Rejection]) -> list[str]:
    return [item.reason if isinstance(item, Rejection) else "task" for item in found]


def met(*signatures: str) -> Novelty:
    novelty = Novelty()
    for signature in signatures:
        novelty.remember(task(signature))
    return novelty


def test_a_sealed_behaviour_is_refused_before_anything_else_is_asked() -> None:
    novelty = met("a")
    novelty.seal(["a"])
    assert reasons(novelty.screen([task("a"), task("b")], quota=1.0)) == ["sealed", "task"]


def test_a_behaviour_is_a_task_once() -> None:
    assert reasons(Novelty().screen([task("a"), task("a")], quota=1.0)) == ["task", "known"]
    assert reasons(met("a").screen([task("a"), task("b")], quota=1.0)) == ["known", "task"]


def test_screening_changes_nothing() -> None:
    novelty = met("a")
    novelty.seal(["s"])
    before = (novelty.state(), novelty.arrays()["novelty.known"].tolist(), dict(novelty.counts))
    items = [task("a"), task("b"), task("s"), task("b"), Rejection(reason="syntax")]
    first = novelty.screen(items, quota=1.0)
    assert novelty.screen(items, quota=1.0) == first
    assert (novelty.state(), novelty.arrays()["novelty.known"].tolist(), dict(novelty.counts)) == before


def test_rejections_pass_through_as_they_are() -> None:
    refusal = Rejection(reason="syntax")
    assert Novelty().screen([refusal], quota=1.0) == [refusal]


def test_one_cluster_may_not_fill_a_generation() -> None:
    found = Novelty().screen([task(str(i)) for i in range(100)], quota=0.2)
    assert reasons(found).count("task") == 20
    assert reasons(found).count("crowded") == 80
    assert {item.detail for item in found if isinstance(item, Rejection)} == {"c"}


def test_a_small_batch_has_room_for_eight_of_a_cluster() -> None:
    assert reasons(Novelty().screen([task(str(i)) for i in range(8)], quota=0.01)) == ["task"] * 8


def test_a_clusters_share_is_of_recent_tasks() -> None:
    novelty = Novelty()
    assert novelty.share("x") == 0
    for signature, cluster in (("a", "x"), ("b", "x"), ("c", "y"), ("d", "x")):
        novelty.remember(task(signature, cluster))
    assert (novelty.share("x"), novelty.share("y"), novelty.share("z")) == (0.75, 0.25, 0)
    for i in range(WINDOW):
        novelty.remember(task(f"new{i}", "z"))
    assert (novelty.share("x"), novelty.share("z")) == (0, 1)
    assert set(novelty.counts) == {"z"}  # what no recent task has is forgotten


def test_state_and_arrays_give_back_what_was_known() -> None:
    novelty = Novelty()
    for i in range(100):
        novelty.remember(task(f"s{i}", f"c{i % 3}"))
    novelty.seal(["x", "y"])
    other = Novelty()
    other.restore(json.loads(json.dumps(novelty.state())), novelty.arrays())
    assert other.sealed == {"x", "y"}
    assert len(other.known) == 100
    assert all(f"s{i}" in other.known for i in range(100))
    assert "s100" not in other.known
    assert [other.share(f"c{i}") for i in range(3)] == [novelty.share(f"c{i}") for i in range(3)]
    assert other.arrays()["novelty.known"].tolist() == novelty.arrays()["novelty.known"].tolist()
    assert other.state() == novelty.state()


def test_arrays_are_sorted_unsigned_numbers() -> None:
    array = met(*map(str, range(50))).arrays()["novelty.known"]
    assert array.dtype == np.uint64
    assert (np.diff(array.astype(object)) > 0).all()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text(max_size=4), max_size=60), st.integers(1, 7))
def test_signatures_are_a_set_whenever_they_are_merged(texts: list[str], every: int) -> None:
    signatures, expected = Signatures(merge=every), set()
    for text in texts:
        assert (text in signatures) == (text in expected)
        signatures.add(text)
        expected.add(text)
        assert text in signatures
        assert len(signatures) == len(expected)
    assert len(signatures.array()) == len(expected)


def test_half_a_surrogate_pair_is_a_signature_like_any_other() -> None:
    assert "\ud800" in met("\ud800").known


def test_a_generation_of_three_thousand_tasks_costs_less_than_a_tenth_of_a_megabyte() -> None:
    novelty = Novelty()

    def generation(g: int) -> None:
        for i in range(3000):
            novelty.remember(task(f"{g}:{i}", f"cluster {i % 7}"))

    for g in range(20):
        generation(g)
    tracemalloc.start()
    try:
        sizes = []
        for g in range(20, 50):
            generation(g)
            sizes.append(tracemalloc.get_traced_memory()[0])
        # Signatures wait in a set until they are merged, so memory goes up and down; its line must not rise.
        slope = float(np.polyfit(np.arange(len(sizes)), sizes, 1)[0])
    finally:
        tracemalloc.stop()
    assert slope < 100_000
    assert len(novelty.known) == 150_000
