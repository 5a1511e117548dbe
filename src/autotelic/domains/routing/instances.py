"""Instances of capacitated routing, with and without time windows, from rules after those of published sets.

Places, demands and route sizes follow Uchoa et al., EJOR 257 (2017), the X set of CVRPLIB; time windows follow
Solomon, Operations Research 35 (1987). Node 0 is the depot. The format of files is VRPLIB's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from autotelic.domains.expressions import Array
from autotelic.errors import DomainError
from autotelic.streams import stream

SIDE = 1000
"""The side of the square that all nodes lie in."""
SERVICE = 10
"""Time that a customer takes, where there are time windows. A unit of distance takes a unit of time."""
DEPOTS = ("centre", "corner", "random")
PLACES = ("random", "clustered", "mixed")
DEMANDS = {"one": (1, 1), "small": (1, 10), "even": (5, 10), "wide": (1, 100), "large": (50, 100)}
"""Lowest and highest demand, by name."""
NODES = 200
"""The most customers of an own file."""


@dataclass(frozen=True, slots=True, eq=False)
class Instance:
    """`xy` [n, 2] and `demand` [n] with the depot first; `window` [n, 2] is ready and due time, or None."""

    xy: NDArray[np.int64]
    demand: NDArray[np.int64]
    capacity: int
    window: NDArray[np.int64] | None = None

    @property
    def distance(self) -> NDArray[np.int64]:
        """[n, n], Euclidean and rounded, as EUC_2D is."""
        apart = self.xy[:, None, :] - self.xy[None, :, :]
        found: NDArray[np.int64] = np.rint(np.sqrt((apart.astype(float) ** 2).sum(-1))).astype(np.int64)
        return found


@lru_cache(maxsize=2048)
def made(
    depot: str,
    places: str,
    clusters: int,
    demands: str,
    per_route: int,
    customers: int,
    windows: int,
    seed: int,
) -> Instance:
    """An instance of a distribution. `per_route` is the mean customers of a route; `windows` 0 is none."""
    rng = stream(seed, "routing")
    xy = np.concatenate([_depot(depot, rng), _customers(places, clusters, customers, rng)])
    low, high = DEMANDS[demands]
    demand = np.concatenate([[0], rng.integers(low, high + 1, customers)])
    capacity = max(int(demand.max()), round(per_route * float(demand[1:].mean())))
    made = Instance(xy=xy, demand=demand, capacity=capacity)
    if not windows:
        return made
    home = made.distance[0]
    horizon = int(3 * SIDE + 2 * home.max())
    # A window lies where a vehicle that goes there at once arrives in time, and still comes home.
    centre = rng.integers(home, np.maximum(home + 1, horizon - home - SERVICE))
    ready = np.maximum(0, centre - windows // 2)
    due = np.maximum(np.minimum(centre + windows // 2, horizon - home - SERVICE), home)
    ready[0], due[0] = 0, horizon
    return Instance(
        xy=xy, demand=demand, capacity=capacity, window=np.stack([np.minimum(ready, due), due], 1)
    )


def _depot(where: str, rng: np.random.Generator) -> NDArray[np.int64]:
    fixed = {"centre": (SIDE // 2, SIDE // 2), "corner": (0, 0)}
    return np.array([fixed.get(where, tuple(rng.integers(0, SIDE + 1, 2)))], dtype=np.int64)


def _customers(places: str, clusters: int, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    if places == "random":
        return rng.integers(0, SIDE + 1, (count, 2))
    seeds = rng.integers(0, SIDE + 1, (clusters, 2))
    near = seeds[rng.integers(clusters, size=count)] + rng.normal(0, 60, (count, 2))
    xy = np.clip(np.rint(near), 0, SIDE).astype(np.int64)
    if places == "mixed":
        xy[: count // 2] = rng.integers(0, SIDE + 1, (count // 2, 2))
    return xy


def written(instance: Instance, name: str = "instance") -> str:
    """The instance as a VRPLIB file, which `vrplib.read_instance` and `read` read."""
    head = {
        "NAME": name,
        "TYPE": "CVRP" if instance.window is None else "VRPTW",
        "DIMENSION": len(instance.xy),
        "EDGE_WEIGHT_TYPE": "EUC_2D",
        "CAPACITY": instance.capacity,
    }
    lines = [f"{key} : {value}" for key, value in head.items()]
    lines += ["NODE_COORD_SECTION", *(f"{at + 1} {x} {y}" for at, (x, y) in enumerate(instance.xy.tolist()))]
    lines += ["DEMAND_SECTION", *(f"{at + 1} {much}" for at, much in enumerate(instance.demand.tolist()))]
    if instance.window is not None:
        lines.append("TIME_WINDOW_SECTION")
        lines += [f"{at + 1} {early} {late}" for at, (early, late) in enumerate(instance.window.tolist())]
    return "\n".join([*lines, "DEPOT_SECTION", "1", "-1", "EOF", ""])


def read(text: str) -> Instance:
    """The instance in a VRPLIB file of type CVRP or VRPTW. Raises DomainError, in one line, for what is none."""
    head = dict(re.findall(r"^\s*([A-Z_]+)\s*:\s*(\S+)", text, re.MULTILINE))
    sections = dict(re.findall(r"^\s*([A-Z_]+_SECTION)\s*\n([-+\d.eE\s]*)", text, re.MULTILINE))
    fix = "give a VRPLIB file with CAPACITY, NODE_COORD_SECTION and DEMAND_SECTION"
    if missing := [key for key in ("NODE_COORD_SECTION", "DEMAND_SECTION") if key not in sections]:
        raise DomainError(f"the text is no VRPLIB instance: it has no {missing[0]}", fix)
    if head.get("EDGE_WEIGHT_TYPE", "EUC_2D") != "EUC_2D":
        raise DomainError(f"EDGE_WEIGHT_TYPE is {head['EDGE_WEIGHT_TYPE'][:20]}", "only EUC_2D is read")
    try:
        capacity = int(head.get("CAPACITY", ""))
        xy = _rows(sections["NODE_COORD_SECTION"], 3)
        demand = _rows(sections["DEMAND_SECTION"], 2)
        window = _rows(sections["TIME_WINDOW_SECTION"], 3) if "TIME_WINDOW_SECTION" in sections else None
    except (ValueError, OverflowError):
        raise DomainError("a number of the VRPLIB instance is missing or is none", fix) from None
    count = len(xy)
    if not 3 <= count <= NODES + 1 or any(
        len(rows) != count for rows in (demand, window) if rows is not None
    ):
        raise DomainError(
            f"the sections have {count} and {len(demand)} nodes", f"give 2 to {NODES} customers"
        )
    if capacity < 1 or int(demand.min()) < 0 or int(demand[0, 0]) != 0:
        raise DomainError(
            "a demand or the capacity is negative, or the depot has one", "give the depot first"
        )
    if int(demand.max()) > capacity:
        at = int(demand[:, 0].argmax()) + 1
        raise DomainError(f"node {at} asks for {demand.max()} and a vehicle holds {capacity}", "split it")
    found = Instance(xy=xy, demand=demand[:, 0], capacity=capacity, window=window)
    if window is not None:
        home = found.distance[0]
        late = (home > window[:, 1]) | (np.maximum(home, window[:, 0]) + SERVICE + home > window[0, 1])
        if late[1:].any():
            at = int(late[1:].argmax()) + 2
            raise DomainError(f"node {at} cannot be served: its window closes too early", "widen its window")
    return found


def _rows(text: str, width: int) -> NDArray[np.int64]:
    """The rows of a section without their number. Raises ValueError where one is too short."""
    rows = np.array([float(word) for word in text.split()]).reshape(-1, width)[:, 1:]
    if not np.isfinite(rows).all() or np.abs(rows).max(initial=0) > 1e7:
        raise ValueError("out of range")
    whole: NDArray[np.int64] = np.rint(rows).astype(np.int64)
    return whole


def scaled(instance: Instance) -> tuple[Array, Array]:
    """Distances [n, n] in percent of the extent of the places, and demands [n] in percent of a vehicle."""
    extent = max(1, int((instance.xy.max(0) - instance.xy.min(0)).max()))
    distance = instance.distance.astype(np.float64) * (100.0 / extent)
    return distance, instance.demand.astype(np.float64) * (100.0 / instance.capacity)
