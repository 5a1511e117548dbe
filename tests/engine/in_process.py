"""Workers of a cluster without a cluster: objects of this process, which are pickled to and fro and die as told."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

from autotelic.engine.cluster.opening import Cluster
from autotelic.engine.cluster.plan import WorkerPlan
from autotelic.engine.cluster.seams import Note
from autotelic.machine import Machine

Fate = Callable[[str, int], str]
"""What becomes of the n-th call of a kind of worker: `""`, `before` (it dies before the work) or `after` it."""


def there(value: Any) -> Any:
    """A value as it arrives in another process."""
    return pickle.loads(pickle.dumps(value))


class InProcess:
    """Implements `Workers` as `Pool` does: a share whose worker died is given to another, and counts once."""

    def __init__(self, worker: type, plan: WorkerPlan, *, size: int, lanes: int, fate: Fate) -> None:
        self.worker, self.plan, self.size, self.lanes, self.fate = worker, plan, size, lanes, fate
        self.calls = self.deaths = 0
        self.live = [self.begun() for _ in range(size)]

    def begun(self) -> Any:
        found = self.worker()
        found.open(there(self.plan), self.lanes)
        return found

    def share(self, value: Any) -> Any:
        return there(value)

    def map(self, method: str, common: Sequence[Any], shares: Sequence[Any]) -> list[Any]:
        return [self.one(method, (*common, share)) for share in shares]

    def one(self, method: str, given: Sequence[Any]) -> Any:
        while True:
            self.calls += 1
            fate = self.fate(self.worker.kind, self.calls)
            at = self.calls % self.size
            if fate != "before":
                found = there(getattr(self.live[at], method)(*there(given)))
            if not fate:
                return found
            self.deaths += 1
            self.live[at].close()
            self.live[at] = self.begun()

    def take_notes(self) -> list[Note]:
        return []

    def close(self) -> None:
        for one in self.live:
            one.close()


class NoCluster(Cluster):
    """A cluster whose workers are in this process."""

    def __init__(
        self, machine: Machine, threads: int, resources: ExitStack, fate: Fate = lambda kind, n: ""
    ) -> None:
        self.machine, self.resources, self.fate = machine, resources, fate
        self.version = "none"
        self.pools: list[InProcess] = []

    def _is_running(self, run: str) -> bool:
        return False

    def _pool(self, run: str, worker: type, plan: WorkerPlan, **settings: int) -> Any:
        pool = InProcess(worker, plan, size=settings["size"], lanes=settings.get("lanes", 1), fate=self.fate)
        pool.ready = lambda: None  # type: ignore[attr-defined]
        self.pools.append(pool)
        self.resources.callback(pool.close)
        return pool
