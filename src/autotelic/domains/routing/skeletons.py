"""From a formula to routes: savings (Clarke and Wright, 1964) and insertion (Solomon, 1987)."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from autotelic.domains.expressions import Formula
from autotelic.domains.routing.instances import SERVICE, Instance, scaled

SAVINGS = ("save", "d", "di", "dj", "qi", "qj")
"""What a pair of customers is scored by: the saving di + dj - d, the distance between them, theirs to the depot,
their demands. All in percent: of the extent of the places, and of a vehicle."""
INSERTION = ("detour", "delay", "slack", "di", "qi")
"""What a place for a customer is scored by: the way that is added, how much later the next one is reached, the time
to the end of the window, the distance to the depot, the demand. Times are in percent of the extent, too."""
PLAIN = {"capacity": "save", "windows": "-detour"}
"""The published heuristic of each skeleton as a formula: parallel savings, and cheapest insertion."""
Routes = list[list[int]]


def cost(routes: Routes, instance: Instance) -> int:
    """The length of all routes, from the depot and back."""
    d = instance.distance
    return int(sum(d[[0, *route], [*route, 0]].sum() for route in routes))


def savings(formula: Formula, instance: Instance) -> Routes:
    """Routes of one customer each, joined at their ends, the pair of the highest score first."""
    d, q = scaled(instance)
    count = len(q)
    left, right = np.triu_indices(count - 1, 1)
    left, right = left + 1, right + 1
    di, dj, dij = d[0, left], d[0, right], d[left, right]
    values = {"save": di + dj - dij, "d": dij, "di": di, "dj": dj, "qi": q[left], "qj": q[right]}
    score = np.broadcast_to(np.nan_to_num(formula(values), nan=-np.inf), left.shape)
    route = {customer: [customer] for customer in range(1, count)}
    load = {customer: int(instance.demand[customer]) for customer in route}
    for at in np.argsort(-score, kind="stable").tolist():
        i, j = int(left[at]), int(right[at])
        one, two = route[i], route[j]
        if one is two or load[one[0]] + load[two[0]] > instance.capacity:
            continue
        if i not in (one[0], one[-1]) or j not in (two[0], two[-1]):
            continue
        joined = (one if one[-1] == i else one[::-1]) + (two if two[0] == j else two[::-1])
        total = load[one[0]] + load[two[0]]
        for customer in joined:
            route[customer] = joined
        load[joined[0]] = load[joined[-1]] = total
    return list({id(found): found for found in route.values()}.values())


def insertion(formula: Formula, instance: Instance) -> Routes:
    """Customers put into routes one by one, the customer and the place of the highest score first."""
    assert instance.window is not None
    d, ready, due = instance.distance, instance.window[:, 0], instance.window[:, 1]
    percent, q = scaled(instance)
    unit = float(percent.max() / max(1, d.max()))
    routes: Routes = []
    left = list(range(1, len(d)))
    while left:
        before, after, leave, start, latest, free, where = (
            np.array(column) for column in zip(*_places(routes, instance), strict=True)
        )
        u = np.array(left)[:, None]
        begin = np.maximum(leave + d[before, u], ready[u])
        reach = np.maximum(begin + SERVICE + d[u, after], ready[after])
        fits = (begin <= due[u]) & (reach <= latest) & (instance.demand[u] <= free)
        values = {
            "detour": (d[before, u] + d[u, after] - d[before, after]) * unit,
            "delay": np.maximum(0, reach - start) * unit,
            "slack": (due[u] - begin) * unit,
            "di": d[0, u] * unit,
            "qi": q[u],
        }
        score = np.clip(np.nan_to_num(formula(values), nan=-1e300), -1e300, 1e300)
        score = np.where(fits, score, -np.inf)
        customer, place = np.unravel_index(int(score.argmax()), score.shape)
        at, position = where[place]
        if at == len(routes):
            routes.append([])
        routes[at].insert(position, left.pop(customer))
    return routes


def _places(routes: Routes, instance: Instance) -> list[tuple[object, ...]]:
    """Every place of every route, and of a new one: the nodes before and after, when the first is left, when the
    second is reached now and may be reached at the latest, the room of the vehicle, the route and the position.
    """
    assert instance.window is not None
    d, (ready, due) = instance.distance, instance.window.T
    found: list[tuple[object, ...]] = []
    for at, route in enumerate([*routes, []]):
        stops = [0, *route, 0]
        start = [0]
        for one, two in pairwise(stops):
            start.append(max(int(start[-1] + (SERVICE if one else 0) + d[one, two]), int(ready[two])))
        latest = [int(due[0])]
        for two, one in pairwise(stops[::-1]):
            latest.append(min(int(due[one]), int(latest[-1] - d[one, two] - (SERVICE if one else 0))))
        latest.reverse()
        free = instance.capacity - int(instance.demand[route].sum())
        for position in range(len(stops) - 1):
            one, two = stops[position], stops[position + 1]
            leave = start[position] + (SERVICE if one else 0)
            found.append((one, two, leave, start[position + 1], latest[position + 1], free, (at, position)))
    return found


def routes_of(formula: Formula, instance: Instance) -> Routes:
    """The routes that a formula makes, in the skeleton that the instance asks for."""
    return savings(formula, instance) if instance.window is None else insertion(formula, instance)
