"""What is sent to workers besides the values of the seams: what they are made from, and where a learner stood."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from autotelic.machine import Machine
from autotelic.weights.travel import SentWeights

Bytes = Any
"""An array of bytes, [N] of uint8 (`weights/travel.py`)."""


class OutOfStepError(Exception):
    """A learner that is not where the loop is: it began anew, or missed a step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """How many workers of a kind a run asks for, and how many threads, hence CPUs, each computes with."""

    size: int
    lanes: int


def workers_of(machine: Machine, threads: int) -> dict[str, Asked]:
    """The workers of a run whose work is cut into so many shares, by kind. With a server there is no sampler."""
    samplers = 0 if machine.server else min(machine.samplers, threads)
    return {
        "judge": Asked(size=machine.judges, lanes=1),
        "learner": Asked(size=1, lanes=threads),
        "sampler": Asked(size=samplers, lanes=-(-threads // max(1, samplers))),
    }


def cpus_of(machine: Machine, threads: int) -> int:
    """The CPUs that all workers of a run ask for together."""
    return sum(asked.size * asked.lanes for asked in workers_of(machine, threads).values())


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerPlan:
    """What a worker is made from. `start` is the reference of the model that the run began with, `folder` where it
    lies; `files` holds its files where a worker may not see that folder. `here` is where the run was started from:
    a domain of one's own is looked for there. Work is cut into `threads` shares; `hands` bounds how many of them a
    worker takes at once, 0 for as many as it has threads.
    """

    charter: Mapping[str, Any]
    machine: Mapping[str, Any]
    threads: int
    hands: int = 0
    start: str
    folder: str
    here: str
    versions: Mapping[str, str]
    files: Mapping[str, Bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Where a learner stood, whole: its weights, and its optimiser's state."""

    name: int
    weights: SentWeights
    optimiser: Bytes
