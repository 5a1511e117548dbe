"""Every state that a model can reach, breadth first, so that the first break of an invariant is a shortest one."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from bench.protocol.model import Model
from bench.protocol.states import State


@dataclass(frozen=True)
class Result:
    """What a search found: the states it saw, how deep they lie, and a shortest trace to each broken invariant.

    `whole` is whether every reachable state was seen.
    """

    states: int
    depth: int
    seconds: float
    whole: bool
    traces: dict[str, list[str]] = field(default_factory=dict)


def search(model: Model, *, until: str = "", most: int = 10_000_000, traces: bool = True) -> Result:
    """Search from the start until an invariant named `until` breaks, or until there is nothing new.

    States are kept whole and compared whole, so no two are taken for one. Without `traces` it needs less memory.
    """
    began = time.perf_counter()
    start = model.start()
    seen: dict[State, tuple[State, str] | None] = {start: None}
    level, depth = [start], 0
    found: dict[str, list[str]] = {}
    while level and len(seen) < most:
        depth += 1
        following: list[State] = []
        for state in level:
            for name, after, broken in model.steps(state):
                for invariant in broken:
                    if invariant not in found:
                        found[invariant] = [*_trace(seen, state), name] if traces else [name]
                if after not in seen:
                    seen[after] = (state, name) if traces else None
                    following.append(after)
            if until in found:
                return Result(len(seen), depth, time.perf_counter() - began, False, found)
        level = following
    return Result(len(seen), depth, time.perf_counter() - began, not level, found)


def _trace(seen: dict[State, tuple[State, str] | None], state: State) -> list[str]:
    names: list[str] = []
    while (link := seen[state]) is not None:
        state, name = link
        names.append(name)
    return names[::-1]
