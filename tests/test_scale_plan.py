"""The simulator of scale agrees with what can be worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

pytest.importorskip("simpy", reason="simpy is not installed: pip install -e '.[scale]'")

from bench.scale import ASSUMED, Costs, Fleet, plan, simulate

COSTS = Costs(sample=100.0, judge=40.0, learn=20.0, loop=5.0, weights=0.0)
ALONE = Fleet(samplers=1, judges=1, latency=0.0)


def test_one_of_each_takes_the_sum() -> None:
    found = simulate(COSTS, ALONE)
    assert found.seconds == pytest.approx(165.0)
    assert found.bottleneck == "sample"
    assert found.again == 0.0


@pytest.mark.parametrize(("workers", "seconds"), [(2, 95.0), (4, 60.0), (100, 26.4)])
def test_what_is_cut_is_divided_and_the_rest_is_not(workers: int, seconds: float) -> None:
    assert simulate(COSTS, replace(ALONE, samplers=workers, judges=workers)).seconds == pytest.approx(seconds)


def test_workers_beyond_the_cores_or_the_parts_do_not_help() -> None:
    two = simulate(COSTS, replace(ALONE, samplers=2, judges=2)).seconds
    assert simulate(COSTS, replace(ALONE, samplers=8, judges=8, parts=8, cores=2)).seconds == pytest.approx(
        two
    )
    assert simulate(COSTS, replace(ALONE, samplers=8, judges=2, parts=2)).seconds == pytest.approx(two)


def test_a_worker_that_dies_does_its_part_again() -> None:
    calm = simulate(COSTS, ALONE)
    rough = simulate(COSTS, replace(ALONE, mtbf=200.0, restart=10.0), generations=50)
    assert rough.again > 0
    assert rough.seconds > calm.seconds + rough.again * 0.99


def test_weights_go_over_the_link_as_a_tree() -> None:
    costs = replace(COSTS, weights=1e9)
    found = simulate(costs, replace(ALONE, samplers=7, link=1e9))
    assert found.busy["weights"] == pytest.approx(3.0)


def test_more_gpus_are_faster_and_dearer() -> None:
    few, many = plan(8, ASSUMED), plan(64, ASSUMED)
    assert many["generation_s"] < few["generation_s"]
    assert many["efficiency"] <= few["efficiency"] <= 1.0
    assert many["dollars_per_million_tokens"] >= few["dollars_per_million_tokens"]
