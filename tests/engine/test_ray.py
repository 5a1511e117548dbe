"""A pool on a Ray of this machine: an actor that dies is replaced, its work done again, and counted once."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from importlib.util import find_spec
from typing import Any

import pytest

from autotelic.engine.cluster.plan import workers_of
from autotelic.errors import ModelError, RunError
from autotelic.machine import Machine

# Not `importorskip`: Ray reads its token from the environment when it is imported.
pytestmark = pytest.mark.skipif(
    find_spec("ray") is None, reason="Ray is not installed: pip install -e '.[ray]'"
)


class Toy:
    """Stands for a worker: it counts what it did in a file, and dies when told."""

    kind = "toy"

    def open(self, plan: Any, lanes: int) -> dict[str, Any]:
        if plan.get("fails"):
            raise ModelError("a toy on node: there is no model", "give one")
        return {"node": "here", "pid": os.getpid()}

    def work(self, folder: str, share: int) -> int:
        with open(f"{folder}/done", "a") as file:
            file.write(f"{share}\n")
        flag = f"{folder}/die-{share}"
        if os.path.exists(flag):
            os.unlink(flag)
            os._exit(1)
        if share < 0:
            raise ModelError("a share below 0", "give another")
        return share * share


@pytest.fixture(scope="module")
def ray_here() -> Iterator[Any]:
    """Ray on this machine, where it begins; a machine that is too busy gives its agents too little time."""
    from autotelic.engine.cluster.opening import prepare

    machine = Machine(engine="ray", judges=3)
    prepare(machine)
    from ray import cloudpickle

    from autotelic.engine.cluster import pool

    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    with ExitStack() as resources:
        try:
            pool.connect(machine, 1, resources)
        except RunError as error:
            pytest.skip(f"Ray does not begin here: {error}")
        yield pool


def test_a_killed_actor_loses_nothing_and_counts_nothing_twice(ray_here: Any, tmp_path: Any) -> None:
    pool = ray_here.Pool("run-1", Toy, {}, size=2)
    try:
        pool.ready()
        assert ray_here.running("run-1")
        for share in (3, 5):
            (tmp_path / f"die-{share}").touch()
        assert pool.map("work", (str(tmp_path),), list(range(8))) == [n * n for n in range(8)]
        done = sorted(map(int, (tmp_path / "done").read_text().split()))
        assert done == sorted([*range(8), 3, 5]), "two shares were begun twice, and each counted once"
        notes = pool.take_notes()
        assert sum(n for what, n, _ in notes if what == "toy") == 2
        assert all("its work was done again" in why for *_, why in notes)
        assert pool.take_notes() == []
        with pytest.raises(ModelError, match="a share below 0; give another"):
            pool.map("work", (str(tmp_path),), [1, -1])
        assert pool.map("work", (str(tmp_path),), [4]) == [16]
    finally:
        pool.close()
    until = time.monotonic() + 30
    while ray_here.running("run-1") and time.monotonic() < until:
        time.sleep(0.2)
    assert not ray_here.running("run-1")


def test_what_keeps_an_actor_from_beginning_is_its_own_error(ray_here: Any) -> None:
    pool = ray_here.Pool("run-2", Toy, {"fails": True}, size=1)
    with pytest.raises(ModelError, match="a toy on node: there is no model; give one"):
        pool.ready()
    pool.close()


def test_a_cluster_without_room_says_so(ray_here: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_here, "START_SECONDS", 2.0)
    pool = ray_here.Pool("run-3", Toy, {}, size=1, lanes=4096)
    with pytest.raises(
        RunError, match=r"no toy began within 2 s; the cluster has \d+ CPUs, and 1 of 4096 each"
    ):
        pool.ready()
    pool.close()


@pytest.mark.parametrize("threads", [1, 2, 64])
def test_ray_here_has_room_for_every_worker(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the machine's settings leave the number of threads open: the crew's is what workers ask for."""
    from autotelic.engine.cluster.opening import prepare

    machine, asked = Machine(engine="ray", samplers=3, judges=2), {}
    prepare(machine)
    from autotelic.engine.cluster import pool

    monkeypatch.setattr(pool.ray, "is_initialized", lambda: False)
    monkeypatch.setattr(pool.ray, "init", lambda **settings: asked.update(settings))
    with ExitStack() as resources:
        pool.connect(machine, threads, resources)
        resources.pop_all()
    wanted = workers_of(machine, threads)
    assert wanted["sampler"].size * wanted["sampler"].lanes >= threads
    assert asked["num_cpus"] > sum(one.size * one.lanes for one in wanted.values())


def test_an_address_that_does_not_answer_is_one_line() -> None:
    from autotelic.engine.cluster.opening import check_address

    for address in ("127.0.0.1:1", "no-such-host.invalid:6379", "head"):
        with pytest.raises(RunError, match="no Ray cluster answers at") as caught:
            check_address(address)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("said", "line"),
    [
        (
            "Version mismatch: The cluster was started with:\n  Ray: 2.1.0\n  Python: 3.9.1",
            "has other versions",
        ),
        ("Unauthenticated: RPC error: InvalidAuthToken: token is missing", "refuses the token"),
        ("anything else", "Ray does not start at 10.0.0.1:6379: anything else"),
    ],
)
def test_what_ray_says_when_it_refuses_becomes_one_line(said: str, line: str) -> None:
    from autotelic.engine.cluster.pool import _refused

    found = str(_refused("10.0.0.1:6379", RuntimeError(said)))
    assert line in found
    assert "\n" not in found
