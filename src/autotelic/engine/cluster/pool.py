"""Ray: connecting, workers as actors, and calls that are made again where one dies. The only file that imports it.

    connect ──► Pool (samplers), Pool (judges), Pool (learner) ──► map: shares to idle workers, results once each

Ray's own retries are off: what is done again is decided here, where it is counted. A lost actor, a lost node, a cut
link and a worker killed for memory all look alike to a caller (`RayError`), and are treated alike.
"""

from __future__ import annotations

import logging
import os
import time
from collections import Counter, deque
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Any

from autotelic.engine.cluster.plan import WorkerPlan, cpus_of
from autotelic.engine.cluster.seams import Note
from autotelic.errors import AutotelicError, RunError
from autotelic.machine import Machine

try:
    import ray
    from ray.exceptions import OutOfMemoryError, RayError, RayTaskError
except ImportError as missing:
    raise RunError(
        "--engine ray needs Ray, which is not installed", "`pip install -e '.[ray]'` in the project's folder"
    ) from missing

START_SECONDS = 600.0
"""How long there may be no worker at all: each loads torch and a model, and a busy machine takes minutes for it."""
OTHERS_SECONDS = 60.0
"""How long the first of several workers waits for the others: a cluster may have no room for all yet."""
STARTS = 4
"""Times that Ray is started on this machine before it is given up."""
TICK_SECONDS = 1.0
"""Between two looks at what came: Ctrl-C and the brake are heeded within it."""
GET_SECONDS = 120.0
"""How long a result that is ready may take to arrive: longer than a link may be cut without being given up."""
MOST_TRIES = 12
"""Times that one share is done again: a share that ends every worker is not a worker's fault."""
ABROAD = "autotelic"
"""Ray's namespace of our workers."""


@dataclass(slots=True)
class _Member:
    """A worker: Ray's handle of it, its name, and where it runs once it has said so."""

    handle: Any
    name: str
    node: str = ""


def connect(machine: Machine, threads: int, resources: ExitStack) -> str:
    """Join the cluster at `machine.address`, or start Ray on this machine, with room for all workers of a run whose
    work is cut into `threads` shares; Ray's version.

    `resources` leaves it. The environment is that of `opening.prepare`. Raises RunError in one line for another
    version of Ray or Python there, and a token that is wrong.
    """
    if ray.is_initialized():
        return str(ray.__version__)
    settings: dict[str, Any] = {"address": machine.address or "local"}
    if not machine.address:
        room = max(os.cpu_count() or 1, cpus_of(machine, threads) + 1)
        settings |= {"num_cpus": room, "include_dashboard": False}
    settings |= {"namespace": ABROAD, "log_to_driver": False, "logging_level": logging.ERROR}
    if node := os.environ.get("AUTOTELIC_NODE_IP"):
        settings["_node_ip_address"] = node
    for left in reversed(range(STARTS)):
        try:
            ray.init(**settings)
            break
        except Exception as error:  # Ray's own start raises plain ones
            with suppress(Exception):
                ray.shutdown()
            # Ray gives its agents 15 seconds to begin, which a busy machine may not have.
            if machine.address or not left or "timed out" not in str(error):
                raise _refused(machine.address, error) from error
    resources.callback(ray.shutdown)
    return str(ray.__version__)


def _refused(address: str, error: BaseException) -> RunError:
    said = " ".join(str(error).split())
    where = address or "this machine"
    if "ersion mismatch" in said:
        return RunError(
            f"the Ray cluster at {where} has other versions: {said[:300]}", "install the same on all nodes"
        )
    if "uthentication" in said or "token" in said.lower():
        return RunError(
            f"the Ray cluster at {where} refuses the token",
            "set RAY_AUTH_MODE=token and the cluster's RAY_AUTH_TOKEN, on every node and here",
        )
    if address == "auto":
        return RunError(
            "no Ray runs on this machine", "start one (`ray start --head`), or leave --address out"
        )
    return RunError(f"Ray does not start at {where}: {said[:300]}", "see whether it runs there: `ray status`")


def running(run: str) -> bool:
    """Whether workers of a run of this id are on the cluster."""
    found = ray.util.list_named_actors(all_namespaces=True)
    return any(one["namespace"] == ABROAD and one["name"].startswith(f"{run}/") for one in found)


class Pool:
    """`size` workers of one kind, as actors. Implements `Workers`.

    A worker that dies is replaced, where the cluster has room for it; until then the others do its work. `lanes` are
    the threads, hence the CPUs, that a worker computes with. With `gpus` each has a part of a GPU.
    """

    def __init__(
        self, run: str, worker: type, plan: WorkerPlan, *, size: int, lanes: int = 1, gpus: float = 0.0
    ) -> None:
        self.run = run
        self.kind: str = worker.kind  # type: ignore[attr-defined]
        self.size = size
        self.lanes = lanes
        self._gpus = gpus
        self._plan = ray.put(plan)
        self._actor: Any = ray.remote(worker)
        self._count = self._failed = 0
        self._idle: list[_Member] = []
        self._starting: dict[Any, _Member] = {}
        self._notes: Counter[tuple[str, str]] = Counter()
        for _ in range(size):
            self._spawn()

    def ready(self) -> None:
        """Wait until the first workers have begun, or one has and the others take long: they join later.

        Raises what keeps one from beginning.
        """
        until = time.monotonic() + START_SECONDS
        enough = time.monotonic() + OTHERS_SECONDS
        while self._starting and not (self._idle and time.monotonic() > enough):
            self._look([], until, first=True)

    def share(self, value: Any) -> Any:
        """Put a value into the object store; its reference."""
        return ray.put(value)

    def take_notes(self) -> list[Note]:
        """What was done again since the last time."""
        found = [(what, n, why) for (what, why), n in self._notes.items()]
        self._notes.clear()
        return found

    def map(self, method: str, common: Sequence[Any], shares: Sequence[Any]) -> list[Any]:
        """What the method gives for each share, in order. See `Workers.map`."""
        results: list[Any] = [None] * len(shares)
        waiting, tries = deque(range(len(shares))), Counter[int]()
        running: dict[Any, tuple[int, _Member]] = {}
        until = time.monotonic() + START_SECONDS
        try:
            while waiting or running:
                while waiting and self._idle:
                    at, member = waiting.popleft(), self._idle.pop(0)
                    call = getattr(member.handle, method)
                    running[call.remote(*common, shares[at])] = at, member
                if running:
                    until = time.monotonic() + START_SECONDS
                elif not self._starting:
                    self._spawn()
                for done in self._look(list(running), until):
                    at, member = running.pop(done)
                    try:
                        results[at] = ray.get(done, timeout=GET_SECONDS)
                        self._idle.append(member)
                    except RayTaskError as error:
                        self._idle.append(member)
                        raise _cause(error) from None
                    except RayError as error:
                        tries[at] += 1
                        self._replace(member, error)
                        if tries[at] > MOST_TRIES:
                            raise self._hopeless(method, error) from error
                        waiting.appendleft(at)
        finally:
            # What still runs after an error is not waited for: its result is nobody's.
            for _, member in running.values():
                self._bury(member)
                self._spawn()
        return results

    def _look(self, running: list[Any], until: float, *, first: bool = False) -> list[Any]:
        """The calls that are done. Workers that have begun meanwhile are idle from here on.

        Raises what keeps a worker from beginning where it is one of the `first`, or the only one; else it is noted.
        """
        done, _ = ray.wait([*running, *self._starting], num_returns=1, timeout=TICK_SECONDS)
        for ref in done:
            if ref not in self._starting:
                continue
            member = self._starting.pop(ref)
            try:
                member.node = ray.get(ref, timeout=GET_SECONDS)["node"]
            except RayTaskError as error:
                self._bury(member)
                if first or not (running or self._idle):
                    raise _cause(error) from None
                self._notes[self.kind, f"a {self.kind} could not begin: {_cause(error)}"] += 1
            except RayError as error:
                self._failed += 1
                if self._failed > MOST_TRIES:
                    raise self._hopeless("beginning", error) from error
                self._replace(member, error)
            else:
                self._failed = 0
                self._idle.append(member)
        if not running and not self._idle and time.monotonic() > until:
            raise self._none(until)
        return [ref for ref in done if ref in running]

    def _spawn(self) -> None:
        self._count += 1
        name = f"{self.run}/{self.kind}/{self._count}"
        handle = self._actor.options(
            name=name,
            num_cpus=self.lanes,
            num_gpus=self._gpus,
            max_restarts=0,
            max_task_retries=0,
            scheduling_strategy="SPREAD",
        ).remote()
        member = _Member(handle, name)
        self._starting[handle.open.remote(self._plan, self.lanes)] = member

    def _replace(self, member: _Member, error: BaseException) -> None:
        """Note that a worker is gone, and begin another."""
        why = "memory ran out" if isinstance(error, OutOfMemoryError) else type(error).__name__
        where = f" on {member.node}" if member.node else ""
        self._notes[self.kind, f"a {self.kind}{where} was lost ({why}); its work was done again"] += 1
        self._bury(member)
        self._spawn()

    def _bury(self, member: _Member) -> None:
        """End a worker that may still run, somewhere behind a cut link: its results count no more."""
        with suppress(Exception):
            ray.kill(member.handle, no_restart=True)

    def _hopeless(self, method: str, error: BaseException) -> RunError:
        said = " ".join(str(error).split())[:300]
        fix = (
            "give its nodes more memory, or lower learn.batch_tokens, roles.max_tokens or --threads"
            if isinstance(error, OutOfMemoryError)
            else "have autotelic and the run's domain on every node alike, see Ray's logs there, and resume the run"
        )
        return RunError(f"a {self.kind} died {MOST_TRIES + 1} times at the same work ({method}): {said}", fix)

    def _none(self, until: float) -> RunError:
        have = ray.cluster_resources().get("CPU", 0)
        return RunError(
            f"no {self.kind} began within {START_SECONDS:g} s; the cluster has {have:g} CPUs, and {self.size} of "
            f"{self.lanes} each were asked for",
            "add nodes, or lower --samplers, --judges or --threads; then resume the run",
        )

    def close(self) -> None:
        """End all workers."""
        for member in [*self._idle, *self._starting.values()]:
            self._bury(member)
        self._idle.clear()
        self._starting.clear()


def _cause(error: RayTaskError) -> BaseException:
    """What the work itself raised, or one line where this process cannot know it."""
    cause = error.cause
    if isinstance(cause, AutotelicError):
        return cause
    if isinstance(cause, ModuleNotFoundError):
        return RunError(
            f"a worker cannot import {cause.name}",
            "install autotelic and the run's domain on every node alike",
        )
    return cause if isinstance(cause, BaseException) else error
