"""What of a run is done by workers of a cluster, where its machine has one. Ray is imported for no other."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

from transformers import PreTrainedModel

from autotelic.charter import Charter
from autotelic.engine.cluster.seams import Seams
from autotelic.engine.services import World
from autotelic.machine import Machine
from autotelic.models.crew import Crew
from autotelic.record import RunFolder

if TYPE_CHECKING:
    from autotelic.engine.cluster.opening import Cluster


def open_cluster(machine: Machine, crew: Crew, opening: ExitStack) -> Cluster | None:
    """The cluster of a machine whose engine it is. Raises RunError where it cannot be joined."""
    if machine.engine == "local":
        return None
    from autotelic.engine.cluster.opening import Cluster

    return Cluster(machine, crew.size, opening)


def away_of(
    cluster: Cluster | None,
    run: str,
    charter: Charter,
    world: World,
    start: str,
    place: RunFolder,
    crew: Crew,
) -> Callable[[PreTrainedModel], Seams] | None:
    """What gives the seams that a cluster's workers are behind; None where there is no cluster."""
    if cluster is None:
        return None
    return partial(
        cluster.seams,
        run=run,
        charter=charter,
        world=world,
        start=start,
        folder=place.start,
        threads=crew.size,
        hands=crew.hands,
    )
