"""What is sent to workers besides the values of the seams: what they are made from, and where a learner stood."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from autotelic.weights.travel import SentWeights

Bytes = Any
"""An array of bytes, [N] of uint8 (`weights/travel.py`)."""


class OutOfStepError(Exception):
    """A learner that is not where the loop is: it began anew, or missed a step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerPlan:
    """What a worker is made from. `start` is the reference of the model that the run began with, `folder` where it
    lies; `files` holds its files where a worker may not see that folder. `here` is where the run was started from:
    a domain of one's own is looked for there.
    """

    charter: Mapping[str, Any]
    machine: Mapping[str, Any]
    threads: int
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
