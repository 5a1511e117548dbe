"""A run's workers: which there are, and what they are made from."""

from __future__ import annotations

import os
import secrets
import socket
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from transformers import PreTrainedModel

from autotelic.charter import Charter
from autotelic.domains.math.verify import MATH_VERIFY
from autotelic.engine.cluster.plan import WorkerPlan, workers_of
from autotelic.engine.cluster.seams import FarLearner, FleetSampler, ScatteredDomain, Seams
from autotelic.engine.cluster.workers import JudgeWorker, LearnerWorker, SamplerWorker, installed
from autotelic.engine.services import World
from autotelic.errors import RunError
from autotelic.machine import Machine
from autotelic.models.eyes import eyes_of

if TYPE_CHECKING:
    from autotelic.engine.cluster.pool import Pool

ANSWER_SECONDS = 5.0
"""How long the head of a cluster may take to accept a connection."""


def prepare(machine: Machine) -> None:
    """Set what Ray reads from the environment when it is imported, where a person has not set it."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_DASHBOARD_STARTUP_TIMEOUT_S", "300")  # it is started whether wanted or not
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    # Ray makes its workers the last in line (nice 15), where they do the run's work and the loop waits for them.
    os.environ.setdefault("RAY_worker_niceness", "0")
    if not machine.address and "RAY_AUTH_MODE" not in os.environ and "ray" not in sys.modules:
        # With a token of its own no other user of this machine can give work to it. Ray would write one to the home.
        os.environ["RAY_AUTH_MODE"] = "token"
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))


def check_address(given: str) -> None:
    """Raise RunError where nothing listens at the address of a cluster. Asked before Ray is imported."""
    if given in ("", "auto"):
        return
    host, _, port = given.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=ANSWER_SECONDS).close()
    except (OSError, ValueError) as error:
        raise RunError(
            f"no Ray cluster answers at {given!r} ({error})",
            "give the host:port that `ray start --head` printed, or leave --address out",
        ) from error


class Cluster:
    """The cluster of one run, whose work is cut into `threads` shares. `resources` ends its workers and leaves it."""

    def __init__(self, machine: Machine, threads: int, resources: ExitStack) -> None:
        self.machine = machine
        self.resources = resources
        check_address(machine.address)
        prepare(machine)
        from autotelic.engine.cluster.pool import connect

        self.version = connect(machine, threads, resources)

    def seams(
        self,
        model: PreTrainedModel,
        *,
        run: str,
        charter: Charter,
        world: World,
        start: str,
        folder: Path,
        threads: int,
        hands: int,
    ) -> Seams:
        """Sampler, domain and learner by workers that begin from the model of reference `start` in `folder`.

        Raises RunError where workers of this run are on the cluster already, and what keeps a worker from beginning.
        """
        if eyes_of(model) is not None:
            raise RunError(
                f"{type(model).__name__} is shown pictures, and these are not sent to a cluster",
                "run it with --engine local",
            )
        if self._is_running(run):
            raise RunError(
                f"workers of the run {run} are on this cluster already",
                "stop the other process that runs it, or a copy of it, first",
            )
        machine = self.machine
        plan = WorkerPlan(
            charter=charter.canonical(),
            machine=machine.canonical()
            | {"verifier": "math-verify" if world.verifier == MATH_VERIFY else "none"},
            threads=threads,
            hands=0 if machine.address else hands,
            start=start,
            folder=str(folder.resolve()),
            here=os.getcwd(),
            versions=installed(),
            files=_files(folder) if machine.address else {},
        )
        asked = workers_of(machine, threads)

        def pool_of(worker: type[JudgeWorker | LearnerWorker | SamplerWorker]) -> Pool:
            return self._pool(run, worker, plan, size=asked[worker.kind].size, lanes=asked[worker.kind].lanes)

        judges, learners = pool_of(JudgeWorker), pool_of(LearnerWorker)
        samplers = None if machine.server else pool_of(SamplerWorker)
        pools = [pool for pool in (samplers, learners, judges) if pool is not None]
        for pool in pools:
            pool.ready()
        return Seams(
            sampler=None if samplers is None else FleetSampler(model, samplers, threads),
            domain=ScatteredDomain(world.domain, judges, pools[:-1]),
            learner=FarLearner(model, learners),
        )

    def _is_running(self, run: str) -> bool:
        from autotelic.engine.cluster.pool import running

        return running(run)

    def _pool(self, run: str, worker: type, plan: WorkerPlan, **settings: int) -> Pool:
        from autotelic.engine.cluster.pool import Pool

        pool = Pool(run, worker, plan, **settings)
        self.resources.callback(pool.close)
        return pool


def _files(folder: Path) -> dict[str, Any]:
    """The files of a model, for nodes that may not see its folder."""
    return {
        path.name: np.frombuffer(path.read_bytes(), np.uint8) for path in folder.iterdir() if path.is_file()
    }
