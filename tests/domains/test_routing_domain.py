"""Vehicle routes: routes serve everyone and keep the rules, bad answers, held-out distributions, own files."""

from __future__ import annotations

import numpy as np
import pytest

from autotelic.charter import Charter
from autotelic.domains import load_domain
from autotelic.domains.expressions import parse
from autotelic.domains.routing import RoutingDomain
from autotelic.domains.routing.domain import MODES, NAMES, POOREST, WORST, instances_of
from autotelic.domains.routing.instances import SERVICE, Instance, read, written
from autotelic.domains.routing.skeletons import PLAIN, cost, routes_of
from autotelic.errors import DomainError
from autotelic.streams import stream
from autotelic.types import Cell, Episode, Task, Verdict

DOMAIN = RoutingDomain()


def judged(task: Task, *answers: str) -> list[Verdict]:
    return DOMAIN.judge([(task, Episode(task_id=task.id, steps=(), answer=text)) for text in answers])


def tasks(mode: str, level: int = 1, count: int = 1) -> list[Task]:
    return DOMAIN.tasks(stream(0, "t"), [Cell(mode=mode, level=level)] * count)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("seed", range(4))
def test_any_formula_serves_everyone_once_and_keeps_the_rules(mode: str, seed: int) -> None:
    (task,) = tasks(mode)
    text = DOMAIN.answers([task], stream(seed, "a"))[0]
    for instance in instances_of(task):
        routes = routes_of(parse(str(text), NAMES[mode]), instance)
        assert sorted(customer for route in routes for customer in route) == list(range(1, len(instance.xy)))
        for route in routes:
            assert instance.demand[route].sum() <= instance.capacity
            if instance.window is not None:
                assert in_time(route, instance)


def in_time(route: list[int], instance: Instance) -> bool:
    """Whether a vehicle that follows the route reaches each customer, and the depot, within its window."""
    assert instance.window is not None
    time, before = 0, 0
    for node in [*route, 0]:
        time = max(time + int(instance.distance[before, node]), int(instance.window[node, 0]))
        if time > instance.window[node, 1]:
            return False
        time, before = time + SERVICE, node
    return True


def test_savings_joins_what_lies_together() -> None:
    xy = np.array([[0, 0], [10, 0], [11, 0], [0, 10], [0, 11]])
    instance = Instance(xy=xy, demand=np.array([0, 1, 1, 1, 1]), capacity=2)
    routes = routes_of(parse("save", NAMES["capacity"]), instance)
    assert sorted(map(sorted, routes)) == [[1, 2], [3, 4]]
    assert cost(routes, instance) == 44


@pytest.mark.parametrize("mode", MODES)
def test_the_published_heuristic_earns_nothing_and_others_what_they_save(mode: str) -> None:
    (task,) = tasks(mode)
    plain, backwards = judged(task, PLAIN[mode], f"-({PLAIN[mode]})")
    assert (plain.reward, plain.passed) == (0, False)
    assert POOREST <= backwards.reward < 0


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("answer", "reason"), [("", "empty"), ("cost", "name"), ("save save", "syntax")])
def test_what_is_no_formula_gets_the_lowest_reward(mode: str, answer: str, reason: str) -> None:
    (verdict,) = judged(tasks(mode)[0], answer)
    assert (verdict.reward, verdict.passed) == (WORST, False)
    assert verdict.reason in (reason, "name")


@pytest.mark.parametrize("answer", ["0/0", "log(0-di)", "di^di^di", "exp(exp(di))", "1/(di-di)"])
@pytest.mark.parametrize("mode", MODES)
def test_an_undefined_score_still_makes_routes(mode: str, answer: str) -> None:
    (verdict,) = judged(tasks(mode)[0], answer)
    assert verdict.reward >= POOREST


def test_an_exam_is_held_out_by_distribution() -> None:
    practised, examined = tasks("capacity", 1, 300), tasks("capacity", 3, 100)
    assert {task.secret["places"] for task in practised} == {"random", "clustered"}
    assert {task.secret["places"] for task in examined} == {"mixed"}
    assert len({task.signature for task in practised}) > 250  # so that an exam leaves some to practise
    assert tasks("windows", 1, 3) == tasks("windows", 1, 3)


@pytest.mark.parametrize("mode", MODES)
def test_an_own_file_is_a_task(mode: str) -> None:
    (instance, *_) = instances_of(tasks(mode)[0])
    task = DOMAIN.pose(written(instance))
    assert task.mode == mode
    (again,) = instances_of(task)
    assert (again.xy == instance.xy).all()
    assert judged(task, PLAIN[mode])[0].reward == 0


def test_vrplib_reads_what_is_written(tmp_path) -> None:
    vrplib = pytest.importorskip("vrplib")
    (instance, *_) = instances_of(tasks("windows")[0])
    (tmp_path / "a.vrp").write_text(written(instance))
    theirs = vrplib.read_instance(tmp_path / "a.vrp")
    assert (theirs["node_coord"] == instance.xy).all()
    assert (theirs["demand"] == instance.demand).all()
    assert np.abs(theirs["edge_weight"] - instance.distance).max() <= 0.5


SMALL = written(Instance(xy=np.array([[0, 0], [1, 0], [2, 0]]), demand=np.array([0, 1, 2]), capacity=3))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        SMALL.replace("CAPACITY : 3", "CAPACITY : 1"),
        SMALL.replace("CAPACITY : 3", "CAPACITY : many"),
        SMALL.replace("3 2\n", "3\n"),
        SMALL.replace("3 2 0\n", ""),
        SMALL.replace("EUC_2D", "EXPLICIT"),
        SMALL.replace("3 2 0\n", "3 1e99 0\n"),
        SMALL.replace("DEPOT_SECTION", "TIME_WINDOW_SECTION\n1 0 9\n2 0 0\n3 0 9\nDEPOT_SECTION"),
    ],
)
def test_a_bad_file_is_one_line(text: str) -> None:
    with pytest.raises(DomainError) as caught:
        read(text)
    assert "\n" not in str(caught.value)


def test_it_is_found_by_name_and_can_be_asked_in_words() -> None:
    charter = Charter.of({"domain": {"name": "routing", "levels": [1, 2], "style": "natural"}})
    domain = load_domain(charter.domain)
    shown = [str(task.prompt) for task in domain.tasks(stream(0, "t"), domain.spec.cells)]
    assert all("Write a formula" in text for text in shown)
