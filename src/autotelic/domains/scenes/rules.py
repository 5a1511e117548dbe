"""How hard scenes come, and how a scene of a level is drawn.

Level 1 has one or two things on a grid of 4 x 4, level 2 three or four of two sizes, level 3 three to five on the
whole lattice, some of them over others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autotelic.domains.scenes.render import visible
from autotelic.domains.scenes.scene import COLOURS, LATTICE, SHAPES, Scene, Thing

TRIES = 500
"""Scenes that are drawn at random before a level is given up: one in three fits at the worst."""
SEEN = 0.4
"""The share of a thing that must be visible: less does not show its shape."""


@dataclass(frozen=True, slots=True)
class Level:
    """What a level has: how many things, whether small ones, every place or each second, and whether they overlap."""

    fewest: int
    most: int
    small: bool
    step: int
    over: bool

    @property
    def places(self) -> tuple[int, ...]:
        return tuple(range(1, LATTICE + 1, self.step))


LEVELS = {
    1: Level(1, 2, False, 2, False),
    2: Level(3, 4, True, 2, False),
    3: Level(3, 5, True, 1, True),
}


@dataclass(frozen=True, slots=True)
class Share:
    """So many of a scene's things, and no others, have this colour or this shape."""

    name: str
    count: int


def misfit(level: int, scene: Scene) -> tuple[str, str]:
    """Why a scene is none of a level, as a short word and a sentence; empty where it is one."""
    rules = LEVELS[level]
    if not rules.fewest <= len(scene) <= rules.most:
        return "number", f"level {level} has {rules.fewest} to {rules.most} things"
    if len({thing.kind for thing in scene}) < len(scene):
        return "twins", "no two things are of one kind"
    if len({thing.place for thing in scene}) < len(scene):
        return "place", "no two things are in one place"
    if any(thing.row not in rules.places or thing.column not in rules.places for thing in scene):
        return "place", f"places of level {level} are {', '.join(map(str, rules.places))}"
    if not rules.small and any(thing.small for thing in scene):
        return "size", f"level {level} has no small things"
    if rules.over:
        if not any(a.meets(b) for at, a in enumerate(scene) for b in scene[:at]):
            return "apart", f"in level {level} some thing lies over another"
        if min(visible(scene)) < SEEN:
            return "covered", f"at least {SEEN:.0%} of each thing must be visible"
    return "", ""


def draw_scene(level: int, rng: np.random.Generator, share: Share | None = None) -> Scene | None:
    """A random scene of a level, things in random order; None where none was found."""
    rules = LEVELS[level]
    for _ in range(TRIES):
        count = int(rng.integers(rules.fewest, rules.most + 1))
        if share is not None and share.count > count:
            continue
        kinds = [_kind(rules, rng, share, at) for at in range(count)]
        rng.shuffle(kinds)
        side = len(rules.places)
        cells = [int(cell) for cell in rng.permutation(side**2)[:count]]
        if rules.over:
            cells = _near(side, rng, count)
        scene = tuple(
            Thing(rules.places[cell // side], rules.places[cell % side], *kind)
            for cell, kind in zip(cells, kinds, strict=True)
        )
        if not misfit(level, scene)[0]:
            return scene
    return None


def _kind(rules: Level, rng: np.random.Generator, share: Share | None, at: int) -> tuple[str, str, bool]:
    """A kind of thing: one that the share counts, or one that it does not."""
    colours, shapes = list(COLOURS), list(SHAPES)
    if share is not None:
        named = colours if share.name in colours else shapes
        named[:] = [share.name] if at < share.count else [name for name in named if name != share.name]
    return str(rng.choice(colours)), str(rng.choice(shapes)), bool(rules.small and rng.integers(2))


def _near(side: int, rng: np.random.Generator, count: int) -> list[int]:
    """Places of which the second is beside the first, so that some lie over others."""
    row, column = (int(x) for x in rng.integers(0, side, 2))
    steps = [(r, c) for r in (-1, 0, 1) for c in (-1, 0, 1) if r or c]
    down, right = steps[int(rng.integers(len(steps)))]
    beside = min(side - 1, max(0, row + down)) * side + min(side - 1, max(0, column + right))
    others = [int(cell) for cell in rng.permutation(side**2)[: count - 2]]
    found = [row * side + column, beside, *others]
    return [found[int(at)] for at in rng.permutation(count)]
